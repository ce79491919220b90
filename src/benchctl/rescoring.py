"""Scoring again what a run has written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchctl import additions, records, runner, second_reader
from benchctl.creation import create_metrics
from benchctl.errors import BadConfig, RecordError
from benchctl.manifest import counted, signatures
from benchctl.metric import Scored
from benchctl.model import Model
from benchctl.plugins import get_plugins
from benchctl.recorded import recorded_task
from benchctl.scoring import get_scoring
from benchctl.task import Task
from benchctl.types import Answer, RunRecord, Score


def rescored(
    stored: records.StoredRun, extra: Sequence[str] = (), reader: Model | None = None, *, keep_read: bool = False
) -> RunRecord:
    """Read the raw answers of a run again and replace its scores and estimates; what a judge added stays.

    Args:
        extra: specs of metrics to add to those the run has.
        reader: a model that is asked what the answers commit to which the rules leave unread; its replies are kept in
            ``extracted.jsonl`` beside the run.
        keep_read: without a reader, what an earlier one has read stays where the rules leave it unread.

    Raises:
        RecordError: the run has no answers.
        RecordError: its task is read from files among the runs.
        UnknownName: the plugin of its task is no longer there.
        BadConfig: there is a reader, and the run's answers are no free text with options.
    """
    plugins = get_plugins()
    spec = stored.record.spec
    task = recorded_task(stored)
    if not isinstance(task, Task):
        raise RecordError(f"{spec.task} is a group.", "Rescore its members.")
    scoring = get_scoring(task, spec.scoring, spec.max_tokens)
    folder = records.RunFolder(stored.path)
    with folder.lock():
        now = folder.record(held=True) or stored.record  # another command may have added to it since it was found
        metrics = create_metrics(plugins, task, [*now.metrics, *extra])
        scored = []
        for line in folder.answers():
            sample, responses = records.entry_sample(line), records.entry_responses(line)
            scored.append(Scored(sample, responses, scoring.read(sample, responses)))
        if not scored:
            raise RecordError(f"{stored.path} has no answers to score.", "Run it first.")
        added = {name: by for name, by in now.added.items() if name != second_reader.ADDED}
        if reader is not None:
            scored, added[second_reader.ADDED] = _read_by(reader, scored, scoring.name, folder)
        elif keep_read and second_reader.ADDED in now.added:
            added[second_reader.ADDED] = facts = now.added[second_reader.ADDED]
            scored = _read_before(scored, folder.scores(), f"model {facts['model']}: ")
        places = {score.id: i for i, score in enumerate(folder.scores())}
        scored.sort(key=lambda one: places.get(one.sample.id, len(places)))
        counts = {**now.counts, **counted(scored)}
        left = counts["n"] - counts["answered"]
        answered = {one.sample.id for one in scored}
        record = replace(
            now,
            status="complete" if not left else "interrupted" if now.status == "complete" else now.status,
            estimates={**runner.estimate(metrics, scored), **additions.added_estimates(now)},
            metrics=signatures(metrics),
            counts={**counts, "errors": min(counts["errors"], left)},  # a killed run may have retried some
            errors=tuple(one for one in now.errors if one["id"] not in answered),
            added=added,
        )
        folder.save(record, additions.with_added_values(record, folder.scores(), runner.score(metrics, scored)))
    return record


def _read_by(
    reader: Model, scored: Sequence[Scored], scoring: str, folder: records.RunFolder
) -> tuple[list[Scored], Mapping[str, Any]]:
    """Replace the answers left unread by what ``reader`` says they commit to; with them, whose readings they are."""
    if scoring != "generate":
        raise BadConfig("Only free answers with options can be read by a model.", "Run with --scoring generate.")
    unread = [
        second_reader.Unread(one.sample, one.responses[0].text or "") for one in scored if one.answer.outcome == "none"
    ]
    said = second_reader.read_with(reader, unread, folder.path / "extracted.jsonl")
    return [replace(one, answer=said.answers.get(one.sample.id, one.answer)) for one in scored], said.facts


def _read_before(scored: Sequence[Scored], before: Sequence[Score], mark: str) -> list[Scored]:
    """The answers left unread as their earlier scores have them, whose explanation begins with ``mark``."""
    said = {s.id: Answer(s.answer, s.outcome, s.explanation) for s in before if s.explanation.startswith(mark)}
    return [
        replace(one, answer=said.get(one.sample.id, one.answer)) if one.answer.outcome == "none" else one
        for one in scored
    ]
