"""Two runs question by question: which they share, how each metric differs, and where they disagree.

:func:`compare` is the door for two models, :func:`against` (from :mod:`benchctl.standings`) for several and one base.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchctl import pairing
from benchctl.answered import ANSWERED, WHOLE, with_answered
from benchctl.errors import BenchctlError, RecordError
from benchctl.pairing import Difference, Pairs
from benchctl.records import StoredRun
from benchctl.remarks import Remark, asked_otherwise, outdated, remarks, settings
from benchctl.shared_answers import Shared, Sides, in_common, share
from benchctl.types import RunRecord

if TYPE_CHECKING:
    from benchctl.standings import Table

HEADLINES = ("accuracy", "judge_total", "bits_per_byte")
"""The metric that stands for a task, the first of these that it has: of a corpus not perplexity, which depends on the
tokenizer. Else the first there is."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One question for which two runs have different values of the main metric."""

    id: str
    question: str
    target: str
    first: str | None
    """The answer taken: a label or a text; None where no option was named or nothing was to be answered."""
    second: str | None
    first_value: float
    second_value: float


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task; every difference is the second minus the first."""

    first: StoredRun
    second: StoredRun
    shared: Shared
    differences: Mapping[str, Difference]
    """Metric -> paired difference."""
    unpaired: Mapping[str, str]
    """Metric both have -> why it has no paired difference."""
    warnings: tuple[Remark, ...]

    @property
    def task(self) -> str:
        """The task both answered."""
        return self.first.record.spec.task

    @property
    def n(self) -> int:
        """Questions both answered."""
        return len(self.shared.ids)

    @cached_property
    def main(self) -> str | None:
        """The metric that says where they disagree; None where no metric is paired."""
        return next((name for name in (*HEADLINES, *self.differences) if name in self.differences), None)

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Questions with different values of the main metric, the farthest apart first."""
        if self.main is None:
            return ()
        found = [one for i in self.shared.ids if (one := self._disagreement(i, self.main)) is not None]
        return tuple(sorted(found, key=lambda one: -abs(one.second_value - one.first_value)))

    def _disagreement(self, identity: str, metric: str) -> Disagreement | None:
        first, second = self.shared.first.scores[identity], self.shared.second.scores[identity]
        values = first.values.get(metric), second.values.get(metric)
        if values[0] is None or values[1] is None or values[0] == values[1]:
            return None
        asked = self.shared.first.lines[identity]["sample"]
        return Disagreement(identity, str(asked.get("question", "")), str(asked.get("target", "")), first.answer,
                            second.answer, values[0], values[1])  # fmt: skip

    def as_json(self, show: int | None = None) -> dict[str, Any]:
        """For ``--json``; at most ``show`` of the disagreements."""
        runs = {side: {"run": r.record.id, "model": r.record.spec.model, "path": str(r.path)}
                for side, r in (("first", self.first), ("second", self.second))}  # fmt: skip
        told = [{name: getattr(one, name) for name in Disagreement.__slots__} for one in self.disagreements]
        return {
            "task": self.task, **runs, "n": self.n, "warnings": list(self.warnings),
            "metrics": {name: one.as_json() for name, one in self.differences.items()}, "unpaired": dict(self.unpaired),
            "main": self.main, "disagreements": len(told), "samples": told[:show],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Two models on several tasks. Each metric's p-values are adjusted for being several (Holm)."""

    tasks: tuple[Comparison, ...]
    pooled: Mapping[str, Difference]
    """Metric -> difference over all questions together; only means that every task has, and two tasks at least."""
    alike: frozenset[str] = frozenset()
    """Of the pooled metrics those in which each task counts alike, instead of each question."""

    def as_json(self, show: int | None = None) -> dict[str, Any]:
        """For ``--json``."""
        return {"tasks": [one.as_json(show) for one in self.tasks],
                "pooled": {name: one.as_json() for name, one in self.pooled.items()}}  # fmt: skip


def compare_runs(first: StoredRun, second: StoredRun, sides: Sides | None = None) -> Comparison:
    """Pair two runs of one task; ``sides`` as in :func:`benchctl.shared_answers.share`.

    Raises:
        RecordError: other tasks, no question in common, or other questions under the same ids.
    """
    shared = share(first, second, sides)
    differences: dict[str, Difference] = {}
    unpaired: dict[str, str] = {}
    for name in _in_both(first.record, second.record):
        try:
            differences[name] = pairing.difference(shared.pairs(name))
        except BenchctlError as error:
            unpaired[name] = error.message
    warnings = remarks(shared)
    return Comparison(first, second, shared, differences, unpaired, warnings)


def compare(
    firsts: Sequence[StoredRun], seconds: Sequence[StoredRun], tasks: Sequence[str] = (), alike: Collection[str] = ()
) -> Comparisons:
    """Compare what two models gave, task by task.

    Args:
        firsts: runs of the first model, any number per task: of each task the pair that goes best together is taken.
        seconds: of the second.
        tasks: only these; empty: all that both have.
        alike: metrics in whose figure over all tasks each counts alike, as in :class:`benchctl.task.TaskGroup`.

    Raises:
        RecordError: no task in common, a task that one of them has not run, or runs that cannot be paired.
    """
    both = [task for task in _tasks(firsts) if task in _tasks(seconds)]
    for task in tasks:
        if task not in both:
            raise RecordError(f"Not both have a run of {task}.", f"{_have(firsts)}; {_have(seconds)}.")
    if not both:
        raise RecordError("These runs have no task in common.", f"{_have(firsts)}; {_have(seconds)}.")
    found = [compare_runs(*best_pair(firsts, seconds, task)) for task in tasks or both]
    adjusted = [dict(one.differences) for one in found]
    for metric in dict.fromkeys(name for one in found for name in one.differences):
        family = {place: one.differences[metric] for place, one in enumerate(found) if metric in one.differences}
        for place, difference in pairing.with_holm(family).items():
            adjusted[place][metric] = difference
    old = outdated(one.first.record for one in found) | outdated(one.second.record for one in found)
    settled = tuple(
        replace(one, differences=own, warnings=(*one.warnings, *_told(old, one.first, one.second), *asked_otherwise(
            one.first.record, [other.first.record for other in found])))
        for one, own in zip(found, adjusted, strict=True)
    )  # fmt: skip
    return Comparisons(settled, _pooled(settled, alike), frozenset(alike))


def against(runs: Sequence[StoredRun], base: str, *, tasks: Sequence[str] = (), models: Sequence[str] = ()) -> Table:
    """Several models beside a base: see :func:`benchctl.standings.against`."""
    from benchctl import standings

    return standings.against(runs, base, tasks=tasks, models=models)


def best_pair(firsts: Sequence[StoredRun], seconds: Sequence[StoredRun], task: str) -> tuple[StoredRun, StoredRun]:
    """Of two models' runs of a task, the two to compare: alike in settings, then on the same questions, then complete,
    then not of sorted data in part, then with more questions in both, then the latest.

    Raises:
        RecordError: one of them has none.
    """
    of_task = [[run for run in runs if run.record.spec.task == task] for runs in (firsts, seconds)]
    if not all(of_task):
        raise RecordError(f"Not both have a run of {task}.", f"{_have(firsts)}; {_have(seconds)}.")

    def fits(pair: tuple[StoredRun, StoredRun]) -> tuple[int, ...]:
        a, b = (run.record for run in pair)
        return (
            settings(a.spec) == settings(b.spec), a.fingerprints["data"] == b.fingerprints["data"],
            (a.status == "complete") + (b.status == "complete"),
            -bool(a.data.get("lopsided")) - bool(b.data.get("lopsided")),
        )  # fmt: skip

    pairs = [(a, b) for a in of_task[0] for b in of_task[1]]
    best = max(map(fits, pairs))
    equals = [pair for pair in pairs if fits(pair) == best]
    if len(equals) > 1:  # their answers are read only where this decides
        in_both = [in_common(*pair) for pair in equals]
        equals = [pair for pair, count in zip(equals, in_both, strict=True) if count == max(in_both)]
    return max(equals, key=lambda pair: sorted(str(run.record.timings.get("finished", "")) for run in pair))


def _told(remarks: Mapping[str, Remark], *runs: StoredRun) -> list[Remark]:
    return [remarks[run.record.id] for run in runs if run.record.id in remarks]


def _in_both(first: RunRecord, second: RunRecord) -> list[str]:
    """Metrics that both have and one of them wrote down: what one leaves out as a repetition, it has."""
    one, two = with_answered(first), with_answered(second)
    return [name for name in one if name in two and (name in first.estimates or name in second.estimates)]


def _pooled(found: Sequence[Comparison], alike: Collection[str]) -> dict[str, Difference]:
    if len(found) < 2:
        return {}
    pooled: dict[str, Difference] = {}
    for metric in dict.fromkeys(name for one in found for name in one.differences):
        parts = [pairs for one in found if (pairs := _pairs(one, metric)) is not None]
        if len(parts) < len(found):
            continue
        if metric in alike:
            mean = pairing.of_tasks(parts, [pairing.difference(pairs) for pairs in parts])
            pooled |= {} if mean is None else {metric: mean}
        elif (whole := pairing.joined(parts)) is not None:
            pooled[metric] = pairing.difference(whole)
    return pooled


def _pairs(one: Comparison, metric: str) -> Pairs | None:
    """A metric's pairs in one task; None where they have none. What both leave out, they have from ``accuracy``."""
    if metric in one.differences:
        return one.shared.pairs(metric)
    both = all(metric in with_answered(run.record) for run in (one.first, one.second))
    repeated = metric == ANSWERED and both and metric not in one.unpaired and WHOLE in one.differences
    return one.shared.pairs(WHOLE) if repeated else None


def _tasks(runs: Sequence[StoredRun]) -> list[str]:
    return list(dict.fromkeys(run.record.spec.task for run in runs))


def _have(runs: Sequence[StoredRun]) -> str:
    return f"{runs[0].record.spec.model} has {', '.join(_tasks(runs))}" if runs else "one has no run"
