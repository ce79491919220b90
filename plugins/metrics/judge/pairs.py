"""Two runs compared by a judge in both orders: who wins, and how much the order itself decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchctl import statistics
from benchctl.types import Estimate

from .asking import Question
from .questions import ORDERS


@dataclass(frozen=True, slots=True)
class PairReport:
    """The outcome of a pairwise comparison."""

    wins: int
    """Questions on which the first run is preferred in both orders, or in one with a tie in the other."""
    losses: int
    ties: int
    """Questions without a preference, those where the two orders contradict each other included."""
    win_rate: Estimate | None
    """Mean of 1 for a preference, 0.5 for none, 0 for the other, over both orders: 0.5 means no difference."""
    flips_first: int
    """Questions where the judge preferred whatever stood first."""
    flips_second: int
    """Questions where the judge preferred whatever stood second."""
    first_preferred: float | None
    """Share of decided verdicts that went to the answer shown first; 0.5 without position bias."""
    position_p: float | None
    """Exact McNemar test of the flips: how likely so uneven ones are if position plays no part. None without flips."""


def compare(questions: Sequence[Question], replies: Mapping[str, Mapping[str, Any]]) -> PairReport:
    """Put the two orders of each question together; those where one has no readable verdict are left out.

    Several draws of a question are one mean of each order: they are no further questions.
    """
    firsts: dict[tuple[str, int], dict[str, float]] = {}
    clusters: dict[str, str] = {}
    for question in questions:
        reply = replies.get(question.key)
        clusters[question.sample.id] = question.sample.cluster or question.sample.id
        if reply is not None and not reply["problem"]:
            firsts.setdefault((question.sample.id, question.draw), {})[question.subject] = _first(reply)
    both = {key: orders for key, orders in firsts.items() if len(orders) == len(ORDERS)}
    draws: dict[str, list[dict[str, float]]] = {}
    for (identity, _), orders in both.items():
        draws.setdefault(identity, []).append(orders)
    asked = {identity: [fmean(o[order] for o in given) for order in ORDERS] for identity, given in draws.items()}
    means = {identity: 0.5 + (ab - ba) / 2 for identity, (ab, ba) in asked.items()}
    # By which answer each order prefers: a judge surer in one of them still contradicts itself.
    leaning = [(ab > 0.5) - (ab < 0.5) + (ba < 0.5) - (ba > 0.5) for ab, ba in asked.values()]
    first = sum(ab > 0.5 and ba > 0.5 for ab, ba in asked.values())
    second = sum(ab < 0.5 and ba < 0.5 for ab, ba in asked.values())
    decided = [share for orders in both.values() for share in orders.values() if share != 0.5]
    return PairReport(
        wins=sum(side > 0 for side in leaning),
        losses=sum(side < 0 for side in leaning),
        ties=leaning.count(0),
        win_rate=statistics.bounded([*means.values()], [clusters[i] for i in means], percent=True) if means else None,
        flips_first=first,
        flips_second=second,
        first_preferred=sum(share > 0.5 for share in decided) / len(decided) if decided else None,
        position_p=_mcnemar(first, second),
    )


def _first(reply: Mapping[str, Any]) -> float:
    """How far the answer shown first is preferred: 1, 0, 0.5 for a tie; by the probabilities where there are some."""
    shares = reply["probabilities"]
    if shares:
        return float(shares["1"]) + float(shares["0"]) / 2
    (points,) = reply["points"].values()
    return {1.0: 1.0, 2.0: 0.0}.get(float(points), 0.5)


def _mcnemar(one: int, other: int) -> float | None:
    from scipy.stats import binomtest

    return float(binomtest(one, one + other, 0.5).pvalue) if one + other else None
