"""What a command gives: one result per task and model, groups pooled from their members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchctl.answered import ANSWERED, WHOLE, answered_of_group
from benchctl.groups import averaged, pooled
from benchctl.records import RunFolder
from benchctl.types import Estimate, RunRecord


@dataclass(frozen=True, slots=True)
class Result:
    """What one task, or group, gave for one model."""

    task: str
    model: str
    status: str
    estimates: Mapping[str, Estimate]
    counts: Mapping[str, Any]
    seconds: float
    run: str | None = None
    """The run's id; None for a group."""
    path: Path | None = None
    members: Sequence[Result] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """The object ``--json`` prints."""
        found: dict[str, Any] = {
            "task": self.task, "model": self.model, "run": self.run, "status": self.status, "n": self.counts["n"],
            "metrics": {
                name: {
                    "value": e.value, "low": e.low, "high": e.high, "n": e.n, "stderr": e.stderr, "method": e.method,
                    "higher_is_better": e.higher_is_better,
                }
                for name, e in self.estimates.items()
            },
            "outcomes": self.counts["outcomes"], "seconds": self.seconds,
            "counts": {k: v for k, v in self.counts.items() if k not in ("n", "outcomes")},
            "path": str(self.path) if self.path else None,
        }  # fmt: skip
        return {**found, "members": [m.as_json() for m in self.members]} if self.members else found


def as_result(record: RunRecord, folder: RunFolder) -> Result:
    """A run's record as a result."""
    return Result(record.spec.task, record.spec.model, record.status, record.estimates, record.counts,
                  float(record.timings["seconds"]), record.id, folder.path)  # fmt: skip


def pool(name: str, members: Sequence[Result], alike: Collection[str] = ()) -> Result:
    """A group's result: each metric all members have, pooled; counts added up; complete when all are.

    Args:
        name: the group's.
        members: their results, in order.
        alike: metrics in whose mean each member counts alike, as in :class:`benchctl.task.TaskGroup`.
    """
    shared = {
        m: [r.estimates[m] for r in members] for m in members[0].estimates if all(m in r.estimates for r in members)
    }
    statuses = {member.status for member in members}
    worst = next((s for s in ("interrupted", "running", "incomplete") if s in statuses), "complete")
    counts: dict[str, Any] = {"outcomes": {}}
    for member in members:
        for key, value in member.counts.items():
            if key == "outcomes":
                for outcome, count in value.items():
                    counts["outcomes"][outcome] = counts["outcomes"].get(outcome, 0) + count
            else:
                counts[key] = counts.get(key, 0) + value
    estimates = {metric: averaged(found) if metric in alike else pooled(found) for metric, found in shared.items()}
    evenly = WHOLE in alike or ANSWERED in alike  # of two figures of one thing neither is weighed another way
    read = answered_of_group([(member.estimates, member.counts) for member in members], alike=evenly)
    if WHOLE in estimates and read is not None:
        estimates = {WHOLE: estimates[WHOLE], ANSWERED: read, **estimates}
    return Result(
        name, members[0].model, worst, estimates, counts,
        round(sum(r.seconds for r in members), 3), members=tuple(members),
    )  # fmt: skip
