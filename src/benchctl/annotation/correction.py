"""The score a run would have if people had read its answers, estimated from those they did read.

With d = 1 where people find an answer right and the reading did not, -1 the other way round, 0 elsewhere, and what lies
between where people are divided:

    corrected = run's score + mean of d over the annotated sample                      (difference estimator)

and, where only some outcomes were sampled, the mean of d is the mean over outcomes h weighted by their share N_h / N
of all answers (stratified; Cochran 1977, ch. 5). The interval joins Wilson's for the two kinds of error by the square
rule of Zou and Donner (2008, with the correlation of two shares of one sample), each with n / (1 - n/N) for n, since
answers that were read leave nothing to guess. It stays honest where the sample shows no error at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchctl.statistics import wilson
from benchctl.types import Estimate

METHOD = "difference-mover"


@dataclass(frozen=True, slots=True)
class Stratum:
    """Answers of which a random part was annotated."""

    size: int
    """Answers in all, annotated or not."""
    gains: Sequence[float]
    """d of each annotated one."""

    @property
    def gain(self) -> float:
        """Mean of d."""
        return sum(self.gains) / len(self.gains)

    def halves(self) -> tuple[float, float]:
        """How far the mean of d may lie below and above its estimate, at 95 %."""
        n = len(self.gains)
        if n == self.size:
            return 0.0, 0.0
        effective = n / (1 - n / self.size)
        won, lost = (math.fsum(max(0.0, sign * d) for d in self.gains) / n for sign in (1, -1))
        won_low, won_high = wilson(won, effective)
        lost_low, lost_high = wilson(lost, effective)
        correlation = -math.sqrt(won * lost / ((1 - won) * (1 - lost))) if 0 < won < 1 and 0 < lost < 1 else 0.0
        return (
            _joined(won - won_low, lost_high - lost, correlation),
            _joined(won_high - won, lost - lost_low, correlation),
        )


def corrected(score: float, strata: Sequence[Stratum]) -> Estimate:
    """The run's score plus what the annotated samples say is missing from it.

    Args:
        score: share of right answers as the run counted them.
        strata: together all answers of the run, each with at least one annotated.
    """
    total = sum(stratum.size for stratum in strata)
    shares = [stratum.size / total for stratum in strata]
    value = score + math.fsum(share * s.gain for share, s in zip(shares, strata, strict=True))
    halves = [s.halves() for s in strata]
    below, above = (
        math.sqrt(math.fsum((share * half[side]) ** 2 for share, half in zip(shares, halves, strict=True)))
        for side in (0, 1)
    )
    n = sum(len(stratum.gains) for stratum in strata)
    value = min(1.0, max(0.0, value))
    return Estimate(value, n, None, max(0.0, value - below), min(1.0, value + above), METHOD, percent=True)


def _joined(one: float, other: float, correlation: float) -> float:
    """The distance of a difference of two shares from its bound, from theirs."""
    return math.sqrt(max(0.0, one * one + other * other - 2 * correlation * one * other))
