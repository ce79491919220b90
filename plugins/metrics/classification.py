"""Macro-F1, where every label counts alike, and accuracy under another rule for answers that name no option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored, Sums
from benchctl.types import Estimate

from .texts import cluster

if TYPE_CHECKING:
    from benchctl.bootstrap import Array


class MacroF1(Metric):
    """F1 of each label, averaged over the labels that are right somewhere; an answer without a label is a miss.

    Equal to scikit-learn's ``f1_score(average="macro")`` over those labels. It has no value for one sample.
    """

    name = "macro_f1"
    percent = True

    def value(self, scored: Scored) -> float | None:
        """None: only a set of answers has an F1."""
        return None

    def estimate(self, scored: Sequence[Scored]) -> Estimate | None:
        """Macro-F1 with a bootstrap interval; None for tasks that are not multiple choice."""
        from benchctl.bootstrap import of_sums

        asked = [one for one in scored if _asked(one)]
        if not asked:
            return None
        rows = [row for row in _sums(asked).rows if row is not None]
        return of_sums(rows, _macro_f1, [cluster(one) for one in asked], percent=True)

    def as_sums(self, scored: Sequence[Scored], figure: str) -> Sums | None:
        """Counts per label, over the labels that are right somewhere."""
        return _sums(scored) if figure == self.name else None


def _sums(scored: Sequence[Scored]) -> Sums:
    targets = sorted({one.sample.target for one in scored if _asked(one)})
    labels = {label: place for place, label in enumerate(targets)}
    return Sums([_counts(one, labels) if _asked(one) else None for one in scored], _macro_f1)


def _asked(scored: Scored) -> bool:
    return bool(scored.sample.choices and scored.sample.target)


def _counts(scored: Scored, labels: Mapping[str, int]) -> list[float]:
    """Three columns per label: given and right, given, right."""
    row = [0.0] * (3 * len(labels))
    right, given = labels[scored.sample.target], labels.get(scored.answer.label or "")
    row[3 * right + 2] = 1
    if given is not None:
        row[3 * given + 1] = 1
        row[3 * given] = float(given == right)
    return row


def _macro_f1(sums: Array) -> Array:
    """A label that a resample holds neither as given nor as right has no F1 and is left out of its mean."""
    import numpy as np

    hits, given, right = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
    present = given + right > 0
    f1: Array = 2 * hits / np.where(present, given + right, 1)
    mean: Array = f1.sum(axis=1) / present.sum(axis=1)
    return mean


class AccuracyUnreadFirst(Metric):
    """Accuracy when an answer that names no option counts as the first: for comparison with those who count so.

    MIRAGE (Xiong et al. 2024) falls back on A. It is a guess, and rewards a position: ``accuracy`` never does it.
    """

    name = "accuracy_unread_first"
    percent = True

    def value(self, scored: Scored) -> float | None:
        """1 or 0; None for tasks that are not multiple choice."""
        labels = scored.sample.choices
        return float((scored.answer.label or next(iter(labels))) == scored.sample.target) if labels else None


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """Both."""
    return {m.name: m for m in (MacroF1, AccuracyUnreadFirst)}
