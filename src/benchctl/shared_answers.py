"""The questions two runs both answered, and what each got for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.answered import with_answered
from benchctl.errors import RecordError
from benchctl.metric import Metric, Scored, Sums
from benchctl.pairing import Pairs
from benchctl.records import RunFolder, StoredRun, entry_responses, entry_sample
from benchctl.remarks import Remark
from benchctl.trained import leaked
from benchctl.types import Answer, Score

if TYPE_CHECKING:
    from benchctl.task import Task


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    run: StoredRun
    scores: Mapping[str, Score]
    """Sample id -> score, in the task's order."""
    lines: Mapping[str, Mapping[str, Any]]
    """Sample id -> its line of samples.jsonl."""

    @classmethod
    def of(cls, run: StoredRun) -> Side:
        """From the run's files."""
        folder = RunFolder(run.path)
        scores = {s.id: s for s in folder.settled_scores()}
        return cls(run, scores, {str(line["id"]): line for line in folder.answers()})

    def is_mean(self, metric: str) -> bool:
        """Whether the run's figure is the mean of its samples' values, as those of most metrics are."""
        values = [s.values[metric] for s in self.scores.values() if metric in s.values]
        stated = with_answered(self.run.record)[metric].value
        return bool(values) and math.isclose(math.fsum(values) / len(values), stated, rel_tol=1e-9, abs_tol=1e-12)

    def sums(self, metrics: Sequence[Metric], figure: str, ids: Sequence[str]) -> Sums | None:
        """What each of these samples adds to a figure of one of the metrics; None where it is no function of sums."""
        from benchctl.scoring import get_scoring

        spec = self.run.record.spec
        scoring = get_scoring(_task(self.run), spec.scoring, spec.max_tokens)
        scored = []
        for i in ids:
            sample, responses, kept = entry_sample(self.lines[i]), entry_responses(self.lines[i]), self.scores[i]
            free = scoring.name == "generate"  # as the run has it: a model may have read what the rules left unread
            read = Answer(kept.answer, kept.outcome, kept.explanation) if free else scoring.read(sample, responses)
            scored.append(Scored(sample, responses, read))
        return next((sums for metric in metrics if (sums := metric.as_sums(scored, figure)) is not None), None)


@dataclass(frozen=True, slots=True)
class Shared:
    """Two runs of one task with the questions both answered."""

    first: Side
    second: Side
    ids: tuple[str, ...]
    """In the first one's order."""

    def pairs(self, metric: str) -> Pairs:
        """A metric's values, or what each question adds to it, question by question.

        Raises:
            RecordError: its figure comes neither from values of samples nor from sums.
            UnknownName, MissingExtra: the metric's plugin, or what it needs, is no longer there.
        """
        both = [with_answered(side.run.record)[metric] for side in (self.first, self.second)]
        leaks = any(leaked(side.run.record) for side in (self.first, self.second))
        shape = both[0].higher_is_better, all(e.percent for e in both), leaks
        if self.first.is_mean(metric) and self.second.is_mean(metric):
            ids = [i for i in self.ids if all(metric in side.scores[i].values for side in (self.first, self.second))]
            one, two = ([[side.scores[i].values[metric]] for i in ids] for side in (self.first, self.second))
            return self._kept(metric, Pairs(ids, one, two, self._clusters(ids), None, *shape))
        computed = _metrics(self.first.run, metric)
        sums = [side.sums(computed, metric, self.ids) for side in (self.first, self.second)]
        if sums[0] is None or sums[1] is None:
            raise RecordError(
                Remark("{metric} is no mean of single answers, so two runs of it cannot be paired.", metric=metric)
            )
        rows = [(i, a, b) for i, a, b in zip(self.ids, sums[0].rows, sums[1].rows, strict=True) if a and b]
        ids = [i for i, _, _ in rows]
        found = Pairs(
            ids, [a for _, a, _ in rows], [b for _, _, b in rows], self._clusters(ids), sums[0].figure, *shape
        )
        return self._kept(metric, found)

    def _clusters(self, ids: Sequence[str]) -> list[str]:
        return [self.first.scores[i].cluster or i for i in ids]

    def _kept(self, metric: str, pairs: Pairs) -> Pairs:
        if not pairs.n:
            raise RecordError(Remark("No question has {metric} in both runs.", metric=metric))
        return pairs


class Sides:
    """Runs that stand beside many others, such as a base: the answers of each are read once, and kept with this."""

    def __init__(self) -> None:
        self._read: dict[Path, Side] = {}

    def of(self, run: StoredRun) -> Side:
        """The run's scores and answers.

        Raises:
            RecordError: they cannot be read.
        """
        if run.path not in self._read:
            self._read[run.path] = Side.of(run)
        return self._read[run.path]


def share(first: StoredRun, second: StoredRun, sides: Sides | None = None) -> Shared:
    """Pair two runs by their questions.

    Args:
        first: a run, often the base of several others.
        second: another one of its task.
        sides: reads the first and keeps it, for the next to be paired with it; without it nothing is kept.

    Raises:
        RecordError: other tasks, no question in common, or other questions under the same ids.
    """
    tasks = first.record.spec.task, second.record.spec.task
    if tasks[0] != tasks[1]:
        raise RecordError(f"Run {first.record.id} is of {tasks[0]}, run {second.record.id} of {tasks[1]}.",
                          "Only runs of one task can be compared.")  # fmt: skip
    one, two = (sides or Sides()).of(first), Side.of(second)
    ids = tuple(i for i in one.scores if i in two.scores and i in one.lines and i in two.lines)
    if not ids:
        raise RecordError(Remark("Runs {a} and {b} have no question in common.", a=first.record.id, b=second.record.id),
                          "Run both on the same data, with the same --limit or --sample.")  # fmt: skip
    if first.record.fingerprints["data"] != second.record.fingerprints["data"]:
        other = [i for i in ids if _asked(one.lines[i]) != _asked(two.lines[i])]
        if other:
            raise RecordError(
                Remark(
                    "{n} of {both} questions differ between runs {a} and {b}, "
                    "first '{id}': their data are not the same.",
                    n=len(other), both=len(ids), a=first.record.id, b=second.record.id, id=other[0],
                ),
                "Run both on the same data.",
            )  # fmt: skip
    return Shared(one, two, ids)


def in_common(first: StoredRun, second: StoredRun) -> int:
    """How many questions two runs of a task share, answered or not where they were asked the very same."""
    one, two = first.record, second.record
    if one.fingerprints["data"] == two.fingerprints["data"]:
        return min(int(one.counts["n"]), int(two.counts["n"]))
    ids = [{score.id for score in RunFolder(run.path).scores()} for run in (first, second)]
    return len(ids[0] & ids[1])


def _asked(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """What fixes a question, as in the fingerprint of the data: not the passage's name, which fixes no answer."""
    beside = ("cluster", "metadata", "repeat_of")
    return {name: value for name, value in line["sample"].items() if name not in beside}


def _metrics(run: StoredRun, figure: str) -> list[Metric]:
    """The metric of that name, as the run was scored with it; where none has it, all: some give several figures."""
    from benchctl.creation import create_metrics
    from benchctl.model import parse_spec
    from benchctl.plugins import get_plugins

    recorded = run.record.metrics
    specs = [spec for spec in recorded if parse_spec(spec, "metric")[0] == figure] or list(recorded)
    return create_metrics(get_plugins(), _task(run), specs)


def _task(run: StoredRun) -> Task:
    from benchctl.recorded import recorded_task
    from benchctl.task import Task

    task = recorded_task(run)
    if not isinstance(task, Task):
        raise RecordError(f"{run.record.spec.task} is a group now.", "Compare runs of its members.")
    return task
