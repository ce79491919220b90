"""The figures the studies behind this project report, for the leaderboard, and the check of what plugins offer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.errors import PluginError
from benchctl.hookspecs import hookimpl

if TYPE_CHECKING:
    from .board import Reference

FILE = Path(__file__).parent / "data" / "reference_scores.json"
"""Sections ``multiple_choice`` (accuracies in percent by task), and ``judge``, ``perplexity``, ``summarization``
(``measures`` by name). ``sources`` maps the short name a row gives as its source to the citation."""

KINDS = ("reported", "measured-by-source")


@hookimpl
def benchctl_reference_scores() -> Mapping[str, Callable[[], list[Mapping[str, Any]]]]:
    """Offer this project's own reference scores."""
    return {"source-studies": multiple_choice}


def multiple_choice() -> list[Mapping[str, Any]]:
    """Accuracies from the source studies, as they printed them."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    return [{**row, "source": data["sources"][row["source"]]} for row in data["multiple_choice"]]


def as_reference(row: Mapping[str, Any], origin: str) -> Reference:
    """A row that some plugin offers, checked.

    Args:
        row: ``model``, ``kind`` (see :data:`KINDS`), ``language``, ``scoring``, ``source``, ``scores`` (task ->
            percent); and where known ``parameters``, ``metric``, ``note`` (a text, or language -> text).
        origin: name of the offer, for the message.

    Raises:
        PluginError: something is missing or of the wrong kind: figures without a source are not shown.
    """
    from .board import Reference

    hint = "Tell the author of the plugin; docs/reference/hooks.md has the fields."
    missing = [name for name in ("model", "kind", "language", "scoring", "source", "scores") if not row.get(name)]
    if missing:
        raise PluginError(f"Reference scores '{origin}': a row has no {', '.join(missing)}.", hint)
    if row["kind"] not in KINDS:
        raise PluginError(f"Reference scores '{origin}': kind '{row['kind']}' is none of {', '.join(KINDS)}.", hint)
    parameters, note = row.get("parameters"), row.get("note") or {}
    try:
        scores = {str(task): float(score) for task, score in row["scores"].items()}
        size = None if parameters is None else int(parameters)
    except (AttributeError, TypeError, ValueError) as error:
        raise PluginError(f"Reference scores '{origin}', {row['model']}: a score is no number.", hint) from error
    if any(not 0 <= score <= 100 for score in scores.values()):
        raise PluginError(f"Reference scores '{origin}', {row['model']}: a score is no percentage.", hint)
    return Reference(
        model=str(row["model"]),
        parameters=size,
        kind=str(row["kind"]),
        language=str(row["language"]),
        scoring=str(row["scoring"]),
        source=str(row["source"]),
        scores=scores,
        metric=str(row.get("metric", "accuracy")),
        note={"": note} if isinstance(note, str) else dict(note),
    )
