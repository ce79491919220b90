"""What several answers to each question (``--repeats``) are worth together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored, Sums
from benchctl.types import Estimate


class Together(Metric):
    """Base: a share per question, of all its answers; only where questions were asked several times."""

    percent = True

    def value(self, scored: Scored) -> None:
        """No single answer has one."""

    def estimate(self, scored: Sequence[Scored]) -> Estimate | None:
        """The mean over the questions; None where each was asked once."""
        asked = _by_question(scored)
        if not asked:
            return None
        values = [self.together(answers) for answers in asked.values()]
        clusters = [scored[answers[0][0]].sample.cluster or question for question, answers in asked.items()]
        return self.mean_of(values, clusters, self.name)

    def as_sums(self, scored: Sequence[Scored], figure: str) -> Sums | None:
        """A question's share stands with the first of its answers."""
        if figure != self.name:
            return None
        rows: list[Sequence[float] | None] = [None] * len(scored)
        for answers in _by_question(scored).values():
            rows[answers[0][0]] = (self.together(answers),)
        return Sums(rows, None)

    def together(self, answers: Sequence[tuple[int, Scored]]) -> float:
        """The share of a question, from its answers and their places among all."""
        raise NotImplementedError


class AccuracyMajority(Together):
    """Share of questions whose most frequent answer is right (maj@k, self-consistency, Wang et al. 2023).

    Of answers that are equally frequent each counts for its part; those that name no option have no vote.
    """

    name = "accuracy_majority"

    def together(self, answers: Sequence[tuple[int, Scored]]) -> float:
        """1, 0 or a part of a draw."""
        votes = Counter(one.answer.label for _, one in answers if one.answer.label is not None)
        most = [label for label, count in votes.items() if count == max(votes.values())]
        return (answers[0][1].sample.target in most) / max(1, len(most))


class AccuracyAny(Together):
    """Share of questions with a right answer among all that were given (pass@k, k being all of them).

    It grows with their number, also for a model that guesses.
    """

    name = "accuracy_any"

    def together(self, answers: Sequence[tuple[int, Scored]]) -> float:
        """1 or 0."""
        return float(any(one.answer.label == one.sample.target for _, one in answers))


def _by_question(scored: Sequence[Scored]) -> dict[str, list[tuple[int, Scored]]]:
    """The answers to each question that was asked several times, each with its place."""
    found: dict[str, list[tuple[int, Scored]]] = {}
    for place, one in enumerate(scored):
        if one.sample.repeat_of:
            found.setdefault(one.sample.repeat_of, []).append((place, one))
    return found


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """Both."""
    return {m.name: m for m in (AccuracyMajority, AccuracyAny)}
