"""Accuracy, over all samples and over the answered ones, and under length-normalised option scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored
from benchctl.types import Estimate


class Accuracy(Metric):
    """Share of right answers; an answer that names no option is wrong."""

    name = "accuracy"
    percent = True

    def value(self, scored: Scored) -> float | None:
        """1 for the right label, 0 for anything else; None for tasks that are not multiple choice."""
        return float(scored.answer.label == scored.sample.target) if scored.sample.choices else None


class AccuracyAnswered(Accuracy):
    """Share of right answers among those that name exactly one option; only where some do not."""

    name = "accuracy_answered"

    def value(self, scored: Scored) -> float | None:
        """1 or 0 where an option was named, None elsewhere."""
        return super().value(scored) if scored.answer.outcome == "choice" else None

    def estimate(self, scored: Sequence[Scored]) -> Estimate | None:
        """None where every answer names an option: the figure would repeat ``accuracy``."""
        if all(one.answer.outcome == "choice" for one in scored):
            return None
        return super().estimate(scored)


class _Variant(Accuracy):
    variant: str

    def value(self, scored: Scored) -> float | None:
        """1 or 0 where the scoring has this reading, None elsewhere."""
        if self.variant not in scored.answer.variants:
            return None
        return float(scored.answer.variants[self.variant] == scored.sample.target)


class AccuracyPerToken(_Variant):
    """Accuracy when options compete by log-likelihood per token."""

    name = "accuracy_per_token"
    variant = "per_token"


class AccuracyPerByte(_Variant):
    """Accuracy when options compete by log-likelihood per byte (lm-eval's acc_bytes)."""

    name = "accuracy_per_byte"
    variant = "per_byte"


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """The four."""
    return {m.name: m for m in (Accuracy, AccuracyAnswered, AccuracyPerToken, AccuracyPerByte)}
