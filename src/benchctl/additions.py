"""Figures that something other than the run's own metrics gave it, such as a judge: kept beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchctl.errors import RecordError
from benchctl.records import RunFolder
from benchctl.types import Estimate, RunRecord, Score


def add_figures(
    folder: RunFolder,
    prefix: str,
    source: Mapping[str, Any],
    estimates: Mapping[str, Estimate],
    values: Mapping[str, Mapping[str, float]],
) -> RunRecord:
    """Write figures into run.json and scores.jsonl, in place of the earlier ones with the same prefix.

    Args:
        prefix: their names begin with it and an underscore.
        source: what made them, kept in ``RunRecord.added`` under each name.
        estimates: by name.
        values: sample id -> name -> value.

    Raises:
        RecordError: the run has no record, or another process is writing it.
    """
    with folder.lock():
        record = folder.record(held=True)
        if record is None:
            raise RecordError(f"{folder.path} has no run record.", "Finish the run first.")
        old = {name for name in record.added if name.startswith(f"{prefix}_")}
        kept = {name: e for name, e in record.estimates.items() if name not in old}
        added = {name: by for name, by in record.added.items() if name not in old}
        changed = replace(
            record, estimates={**kept, **estimates}, added={**added, **{name: dict(source) for name in estimates}}
        )
        scores = [
            replace(s, values={**{k: v for k, v in s.values.items() if k not in old}, **values.get(s.id, {})})
            for s in folder.scores()
        ]
        folder.save(changed, scores)
    return changed


def added_estimates(record: RunRecord) -> dict[str, Estimate]:
    """The estimates of a run that its own metrics cannot give again."""
    return {name: e for name, e in record.estimates.items() if name in record.added}


def with_added_values(record: RunRecord, before: Iterable[Score], now: Iterable[Score]) -> Iterator[Score]:
    """New scores with the values that were added to the earlier ones."""
    kept = {s.id: {name: v for name, v in s.values.items() if name in record.added} for s in before}
    for score in now:
        yield replace(score, values={**score.values, **kept.get(score.id, {})})
