"""Several tasks as one: members' estimates pooled into their mean, by size or each alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchctl.statistics import Z, wilson
from benchctl.types import Estimate


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of several estimates of one metric, weighted by their samples, as if asked in one task.

    Shares of independent samples get Wilson's interval on the pooled counts; others a normal interval on the standard
    errors added in quadrature (members share no samples), clipped to 0..1 for shares.

    Args:
        estimates: one per member, at least one, all of the same metric.
    """
    n = sum(e.n for e in estimates)
    value = math.fsum(e.value * e.n for e in estimates) / n
    first = estimates[0]
    errors = [e.stderr for e in estimates]
    stderr = None
    if all(e is not None for e in errors):
        stderr = math.sqrt(math.fsum((e.stderr or 0.0) ** 2 * e.n**2 for e in estimates)) / n
    if all(e.method == "wilson" for e in estimates):
        low, high = wilson(value, n)
        return Estimate(value, n, stderr, low, high, "wilson-pooled", first.higher_is_better, first.percent)
    if stderr is None:
        return Estimate(value, n, None, None, None, "none", first.higher_is_better, first.percent)
    low, high = value - Z * stderr, value + Z * stderr
    if first.percent:
        low, high = max(low, 0.0), min(high, 1.0)
    return Estimate(value, n, stderr, low, high, "normal-pooled", first.higher_is_better, first.percent)


def averaged(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of several estimates of one metric in which each member counts alike, however few its samples.

    The interval is put together from the members' own (the method of variance estimates recovery, Zou and Donner 2008):
    it leans as theirs do, stays inside the bounds of the metric, and has a width where every answer of a member is
    right, whose standard error is 0. The standard error is that of a mean of independent members.

    Args:
        estimates: one per member, at least one, all of the same metric.
    """
    k = len(estimates)
    value = math.fsum(e.value for e in estimates) / k
    errors = [e.stderr for e in estimates if e.stderr is not None]
    stderr = math.hypot(*errors) / k if len(errors) == k else None
    shape = estimates[0].higher_is_better, estimates[0].percent
    n = sum(e.n for e in estimates)
    below = [e.value - e.low for e in estimates if e.low is not None]
    above = [e.high - e.value for e in estimates if e.high is not None]
    if len(below) < k or len(above) < k:
        return Estimate(value, n, stderr, None, None, "none", *shape)
    return Estimate(value, n, stderr, value - math.hypot(*below) / k, value + math.hypot(*above) / k, "mover", *shape)
