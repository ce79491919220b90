"""Whether a local model's free answers were written in a way that has been mended since: finished runs keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchctl.types import RunRecord

WAY = 2
"""Raised when a mistake in how local models write is mended; their records have it as ``writing``.

1, of records without: a stop string was also found across the end of the prompt, and a model's penalty for repeating
counted the padding of the batch.
"""


def kept(record: RunRecord, earlier: RunRecord | None) -> RunRecord:
    """The record of a run with the way its first answers were written in, whatever wrote those of later sittings."""
    if earlier is None or "writing" not in record.model:
        return record
    return replace(record, model={**record.model, "writing": _way(earlier.model)})


def outdated(record: RunRecord) -> bool:
    """Whether the run has answers that a local model wrote in an older way."""
    wrote = any(name in record.counts for name in ("unfinished", "completion_tokens"))
    return wrote and "weights_hash" in record.model and _way(record.model) < WAY


def _way(model: Mapping[str, Any]) -> int:
    return int(model.get("writing", 1))
