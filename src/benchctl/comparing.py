"""Two runs question by question: which they share, how each metric differs, and where they disagree.

:func:`compare` is the door for two models, :func:`against` (from :mod:`benchctl.standings`) for several and one base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchctl import pairing, second_reader
from benchctl.answered import ANSWERED, WHOLE, with_answered
from benchctl.errors import BenchctlError, RecordError
from benchctl.pairing import Difference, Pairs
from benchctl.records import StoredRun
from benchctl.shared_answers import Shared, in_common, share
from benchctl.trained import Trained, label, trained
from benchctl.types import RunRecord, RunSpec

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
    warnings: tuple[str, ...]

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

    def as_json(self, show: int | None = None) -> dict[str, Any]:
        """For ``--json``."""
        return {"tasks": [one.as_json(show) for one in self.tasks],
                "pooled": {name: one.as_json() for name, one in self.pooled.items()}}  # fmt: skip


def compare_runs(first: StoredRun, second: StoredRun) -> Comparison:
    """Pair two runs of one task.

    Raises:
        RecordError: other tasks, no question in common, or other questions under the same ids.
    """
    shared = share(first, second)
    differences: dict[str, Difference] = {}
    unpaired: dict[str, str] = {}
    for name in _in_both(first.record, second.record):
        try:
            differences[name] = pairing.difference(shared.pairs(name))
        except BenchctlError as error:
            unpaired[name] = error.message
    warnings = (*differing_settings(first.record, second.record), *_remarks(shared))
    return Comparison(first, second, shared, differences, unpaired, warnings)


def compare(firsts: Sequence[StoredRun], seconds: Sequence[StoredRun], tasks: Sequence[str] = ()) -> Comparisons:
    """Compare what two models gave, task by task.

    Args:
        firsts: runs of the first model, any number per task: of each task the pair that goes best together is taken.
        seconds: of the second.
        tasks: only these; empty: all that both have.

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
    settled = tuple(replace(one, differences=own) for one, own in zip(found, adjusted, strict=True))
    return Comparisons(settled, _pooled(settled))


def against(runs: Sequence[StoredRun], base: str, *, tasks: Sequence[str] = (), models: Sequence[str] = ()) -> Table:
    """Several models beside a base: see :func:`benchctl.standings.against`."""
    from benchctl import standings

    return standings.against(runs, base, tasks=tasks, models=models)


def best_pair(firsts: Sequence[StoredRun], seconds: Sequence[StoredRun], task: str) -> tuple[StoredRun, StoredRun]:
    """Of two models' runs of a task, the two to compare: alike in settings, then on the same questions, then complete,
    then with more questions in both, then the latest.

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
        )  # fmt: skip

    pairs = [(a, b) for a in of_task[0] for b in of_task[1]]
    best = max(map(fits, pairs))
    equals = [pair for pair in pairs if fits(pair) == best]
    if len(equals) > 1:  # their answers are read only where this decides
        in_both = [in_common(*pair) for pair in equals]
        equals = [pair for pair, count in zip(equals, in_both, strict=True) if count == max(in_both)]
    return max(equals, key=lambda pair: sorted(str(run.record.timings.get("finished", "")) for run in pair))


def settings(spec: RunSpec) -> Mapping[str, Any]:
    """What of a spec must be alike for two models to be compared; what cannot change the result is left out."""
    generated = spec.scoring in ("generate", "text")
    return {
        "scoring": spec.scoring, "shots": spec.shots, "seed": spec.seed,
        "shots-data": spec.shots_data if spec.shots else None, "prompt template": spec.prompt_template,
        "max tokens": spec.max_tokens if generated else None,
    }  # fmt: skip


def differing_settings(first: RunRecord, second: RunRecord) -> tuple[str, ...]:
    """A line per setting in which two runs differ: their difference is then not the model's alone."""
    one, two = settings(first.spec), settings(second.spec)
    lines = [f"{name} differs: {_short(one[name])} and {_short(two[name])}" for name in one if one[name] != two[name]]
    if first.task.get("version") != second.task.get("version"):
        lines.append(f"version of the task differs: {first.task.get('version')} and {second.task.get('version')}")
    if not lines and _worded_otherwise(first, second):
        lines.append(
            "the prompts differ under the same settings: the examples' file or the wording is no longer the same"
        )
    others = [m for m in first.metrics if m in second.metrics and first.metrics[m] != second.metrics[m]]
    lines += [f"{m} was computed differently: {first.metrics[m]} and {second.metrics[m]}" for m in others]
    lines += [*_judged_otherwise(first, second), *_read_otherwise(first, second)]
    return tuple(lines)


def _worded_otherwise(first: RunRecord, second: RunRecord) -> bool:
    """Whether the same questions were put in other words to two models that are asked in one style."""
    one, two = first.fingerprints, second.fingerprints
    styles = [record.model.get("prompt_style") for record in (first, second)]
    return one["data"] == two["data"] and styles[0] == styles[1] and one["prompt"] != two["prompt"]


def _judged_otherwise(first: RunRecord, second: RunRecord) -> list[str]:
    """A line for what was added to both by different hands, as by other judges or rubrics; figures alike share one."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name in (n for n in first.added if n in second.added and n != second_reader.ADDED):
        one, two = ({key: _settled(v) for key, v in record.added[name].items()} for record in (first, second))
        other = next((key for key in one if one[key] != two.get(key)), None)
        if other is not None:
            found.setdefault((other, one[other], two.get(other, "-")), []).append(name)
    return [f"{key} of {', '.join(names)} differs: {_short(a)} and {_short(b)}" for (key, a, b), names in found.items()]


def _read_otherwise(first: RunRecord, second: RunRecord) -> list[str]:
    """A line where a model read what the rules could not in one run, and another one or nobody in the other."""
    said = [record.added.get(second_reader.ADDED) for record in (first, second)]
    readers = [facts["fingerprint"] if facts and facts["put"] else None for facts in said]
    unread = [reader is not None or record.counts["outcomes"].get("none", 0) > 0
              for reader, record in zip(readers, (first, second), strict=True)]  # fmt: skip
    if readers[0] == readers[1] or not all(unread):
        return []
    names = [facts["model"] if facts else "nobody" for facts in said]
    return [f"answers the rules could not read were read by {names[0]} and {names[1]}"]


def _settled(value: object) -> str:
    """A value as text; of a list the order does not matter."""
    return ", ".join(sorted(map(str, value))) if isinstance(value, list | tuple) else str(value)


def _remarks(shared: Shared) -> list[str]:
    lines = []
    for side in (shared.first, shared.second):
        record = side.run.record
        if record.status != "complete":
            lines.append(f"run {record.id} is {record.status}: {record.counts['answered']} of {record.counts['n']}")
        if leaked := (trained(record.model) or Trained()).leaks.get(record.spec.task):
            lines.append(f"{label(record)} was trained on {leaked:.0f} rows that hold test questions of this task")
    sizes = len(shared.first.scores), len(shared.second.scores)
    if max(sizes) > len(shared.ids):
        lines.append(f"only {len(shared.ids)} questions are in both runs, of {sizes[0]} and {sizes[1]} answered")
    if shared.first.run.record.data.get("builtin"):
        lines.append("the questions are the built-in sample: they say nothing about a model's quality")
    return lines


def _in_both(first: RunRecord, second: RunRecord) -> list[str]:
    """Metrics that both have and one of them wrote down: what one leaves out as a repetition, it has."""
    one, two = with_answered(first), with_answered(second)
    return [name for name in one if name in two and (name in first.estimates or name in second.estimates)]


def _pooled(found: Sequence[Comparison]) -> dict[str, Difference]:
    if len(found) < 2:
        return {}
    pooled = {}
    for metric in dict.fromkeys(name for one in found for name in one.differences):
        parts = [pairs for one in found if (pairs := _pairs(one, metric)) is not None]
        whole = pairing.joined(parts) if len(parts) == len(found) else None
        if whole is not None:
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


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:40]}..."
