"""Several tasks as one: members' estimates pooled into their mean, by size or each alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from benchctl.strata import answers_behind, weighted_share
from benchctl.types import Estimate


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of several estimates of one metric, weighted by their samples.

    Shares of right answers get the interval of a weighted share (:func:`benchctl.strata.weighted_share`), those whose
    samples share passages by their effective numbers of samples; others one put together from the members' own, see
    :func:`_recovered`.

    Args:
        estimates: one per member, at least one, all of the same metric.
    """
    return _weighted(estimates, [e.n for e in estimates])


def averaged(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of several estimates of one metric in which each member counts alike, however few its samples.

    Args:
        estimates: one per member, at least one, all of the same metric.
    """
    return _weighted(estimates, [1] * len(estimates))


def _weighted(estimates: Sequence[Estimate], weights: Sequence[int]) -> Estimate:
    found = _recovered(estimates, weights)
    if not all(e.method in ("wilson", "wilson-clustered") and e.percent for e in estimates):
        return found
    low, high = weighted_share([e.value for e in estimates], [answers_behind(e) for e in estimates], weights)
    return replace(found, low=low, high=high, method="wilson-stratified")


def _recovered(estimates: Sequence[Estimate], weights: Sequence[int]) -> Estimate:
    """A weighted mean whose interval is put together from the members' own; none where one of them has none.

    By the method of variance estimates recovery (Zou and Donner 2008) it leans as theirs do, allows for few passages as
    theirs do, stays inside the bounds of the metric, and has a width where every answer of a member is right, whose
    standard error is 0. With two members of 5 passages with 4 questions each, of which 60 or 95 % are right, standard
    errors added in quadrature cover 90 and 68 %, this interval 98 and 96. The standard error is that of a mean of
    independent members.
    """
    whole = sum(weights)

    def joint(parts: Sequence[float | None]) -> float | None:
        known = [part * weight for part, weight in zip(parts, weights, strict=True) if part is not None]
        return math.hypot(*known) / whole if len(known) == len(parts) else None

    value = math.fsum(e.value * weight for e, weight in zip(estimates, weights, strict=True)) / whole
    n, stderr = sum(e.n for e in estimates), joint([e.stderr for e in estimates])
    shape = estimates[0].higher_is_better, all(e.percent for e in estimates)
    below = joint([None if e.low is None else e.value - e.low for e in estimates])
    above = joint([None if e.high is None else e.high - e.value for e in estimates])
    if below is None or above is None:
        return Estimate(value, n, stderr, None, None, "none", *shape)
    low, high = value - below, value + above
    if shape[1]:  # but for the last digit they end there
        low, high = max(low, 0.0), min(high, 1.0)
    return Estimate(value, n, stderr, low, high, "mover", *shape)
