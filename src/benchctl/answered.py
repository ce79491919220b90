"""Accuracy among the answers that name an option, also where a record leaves it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchctl.groups import averaged, pooled
from benchctl.types import Estimate, RunRecord

WHOLE, ANSWERED = "accuracy", "accuracy_answered"


def answered(estimates: Mapping[str, Estimate], counts: Mapping[str, Any]) -> Estimate | None:
    """``accuracy_answered`` of a run or a group; None where no answer names an option, or nobody can tell.

    Where every answer names one, the figure is left out of the record, since it would repeat ``accuracy``. Who sets
    runs beside each other or pools them takes it from here, so that the same rule holds everywhere.

    Args:
        estimates: by metric.
        counts: ``outcomes`` among them: outcome -> answers.
    """
    if ANSWERED in estimates:
        return estimates[ANSWERED]
    outcomes = {name for name, count in counts["outcomes"].items() if count}
    return estimates.get(WHOLE) if outcomes == {"choice"} else None


def with_answered(record: RunRecord) -> Mapping[str, Estimate]:
    """A record's estimates with the figure beside ``accuracy``, as :func:`answered` has it."""
    found = answered(record.estimates, record.counts)
    if found is None or ANSWERED in record.estimates:
        return record.estimates
    rest = {name: e for name, e in record.estimates.items() if name != WHOLE}
    return {WHOLE: record.estimates[WHOLE], ANSWERED: found, **rest}


def answered_of_group(
    members: Sequence[tuple[Mapping[str, Estimate], Mapping[str, Any]]], *, alike: bool = False
) -> Estimate | None:
    """The members' figures as one; None where every answer of every member names an option, or one member's is unknown.

    A member with no answer that names an option adds none.

    Args:
        members: estimates and counts of each.
        alike: whether each member counts alike, instead of by its size.
    """
    if not any(ANSWERED in estimates for estimates, _ in members):
        return None
    found = [answered(e, counts) for e, counts in members if counts["outcomes"].get("choice")]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    return averaged(known) if alike else pooled(known)
