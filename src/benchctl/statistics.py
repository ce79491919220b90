"""Intervals for what a run measures. Formulas with their source; scipy does the numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from statistics import NormalDist

from benchctl.types import Estimate

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
"""Of the normal distribution; scipy's is the same, after a second of importing."""
FEW = 20
"""Samples below which the interval of a mean is Student's instead of a bootstrap's."""


def proportion(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, *, higher_is_better: bool | None = True
) -> Estimate:
    """A share of right answers, with Wilson's interval (Wilson 1927, as scipy computes it).

    Where samples share a passage, the interval is Wilson's for the effective number of samples: n over the design
    effect, which is the clustered variance over the plain one (Kish 1965), lowered for few passages (Korn and Graubard
    1998) and those of unequal size (:func:`_reach`), and never more than n. Where all are right, or all wrong, that
    effect cannot be told, and each passage counts once. There is no interval where all samples share one passage: what
    another would have given cannot be told.

    Args:
        values: 0 or 1 per sample.
        clusters: passage of each sample, or None when all are independent.
    """
    n, value = len(values), math.fsum(values) / len(values)
    if n > 1 and _units(n, clusters) == 1:
        return Estimate(value, n, None, None, None, "none", higher_is_better, percent=True)
    stderr = _stderr(values, clusters)
    effective, method = float(n), "wilson"
    plain = value * (1 - value) / n
    if clusters is not None and _clustered(clusters):
        method = "wilson-clustered"
        if not plain:
            effective = _units(n, clusters)
        elif stderr:
            effective = min(n, n * plain * (Z / _reach(values, clusters)) ** 2)
    low, high = wilson(value, effective)
    return Estimate(value, n, stderr, low, high, method, higher_is_better, percent=True)


def wilson(value: float, n: float) -> tuple[float, float]:
    """Wilson's interval for a share ``value`` of ``n`` (which may be an effective, fractional number)."""
    z = Z
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def mean(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    higher_is_better: bool | None = True,
    percent: bool = False,
    seed: int = 0,
) -> Estimate:
    """A mean with its interval: BCa bootstrap (Efron 1987), or Student's of few samples or on the clustered error.

    Few samples drawn again hold too little of what others would have: of 2, 5 and 10 the bootstrap covers 47, 83 and
    87 % where Student's covers 91 to 97, as it does of few passages. A single value, or a single passage, allows no
    interval. That of a share ends at 0 and 1. Where passages have the same mean, so that the clustered error is 0, the
    interval takes the one of independent samples, as that of a share does (:func:`proportion`).

    Args:
        values: one finite number per sample, at least one.
        clusters: passage of each sample, or None when all are independent.
        seed: of the bootstrap's resamples.
    """
    n, value = len(values), math.fsum(values) / len(values)
    if _units(n, clusters) == 1:
        return Estimate(value, n, None, None, None, "none", higher_is_better, percent)
    stderr = _stderr(values, clusters)
    if max(values) - min(values) <= 1e-12 * abs(value):  # equal but for the last digits
        return Estimate(value, n, stderr, value, value, "constant", higher_is_better, percent)
    plain, clustered = _stderr(values, None), _clustered(clusters)
    if stderr is not None and plain is not None and (clustered or n < FEW):
        vanished = stderr <= 1e-9 * plain  # all passages have the same mean by chance, which says nothing of others
        reach = _reach(values, clusters or range(n), plain if vanished else None)
        low, high = value - reach, value + reach
        if percent:
            low, high = max(low, 0.0), min(high, 1.0)
        method = "t-clustered" if clustered else "t"
        return Estimate(value, n, stderr, low, high, method, higher_is_better, percent)
    low, high = _bca(values, seed)
    return Estimate(value, n, stderr, low, high, "bootstrap-bca", higher_is_better, percent)


def bounded(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    least: float = 0.0,
    best: float = 1.0,
    higher_is_better: bool | None = True,
    percent: bool = False,
) -> Estimate:
    """A mean of values that cannot leave ``least`` to ``best``, nor can its interval.

    Where every value came out at one of these ends it is a share, and has that of a share (:func:`proportion`): the
    bootstrap of three answers with all of the points would leave nothing to doubt. Where all are equal between the
    ends, as a judge's who is of two minds each time, see :func:`never_otherwise`.

    Args:
        values: one per sample, at least one.
        clusters: passage of each sample, or None when all are independent.
    """
    if set(values) <= {least, best}:
        e, span = proportion([float(v == best) for v in values], clusters), best - least
        low, high = (None if x is None else least + span * x for x in (e.low, e.high))
        e = replace(e, value=math.fsum(values) / len(values), stderr=None if e.stderr is None else span * e.stderr)
    else:
        e = mean(values, clusters)
        low, high = (None if x is None else min(max(x, least), best) for x in (e.low, e.high))
    if e.method == "constant":
        low, high = never_otherwise(e.value, _units(len(values), clusters), least, best)
    return replace(e, low=low, high=high, higher_is_better=higher_is_better, percent=percent)


def never_otherwise(value: float, drawn: int, least: float = 0.0, best: float = 1.0) -> tuple[float, float]:
    """Interval for a figure that each of so many draws gave alike, of a scale that ends at ``least`` and ``best``.

    As many draws as Wilson's interval for a share allows may be otherwise though none here is, each as far as an end.
    """
    otherwise = 1 - wilson(1.0, drawn)[0]
    return value - otherwise * (value - least), value + otherwise * (best - value)


def paired_proportions(gained: int, lost: int, n: int) -> tuple[float, float]:
    """Interval for the difference of two shares over the same questions: Tango's score interval (Tango 1998, eq. 8).

    Fagerland, Lydersen and Laake (2014) recommend it over Wald's, which is too short when few questions differ.

    Args:
        gained: questions only the second has right; ``lost``: only the first.
        n: questions in all, at least one.
    """
    if not gained and not lost:  # nothing differs: like a mean of equal values
        return 0.0, 0.0
    z = Z

    def inside(delta: float) -> bool:
        b = (2 * n - gained + lost) * delta - gained - lost
        root = max(b * b + 8 * n * lost * delta * (1 - delta), 0.0)
        only_first = (math.sqrt(root) - b) / (4 * n)
        return (gained - lost - n * delta) ** 2 <= z * z * n * (2 * only_first + delta * (1 - delta))

    centre = (gained - lost) / n
    return edge(inside, centre, -1.0), edge(inside, centre, 1.0)


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided p of McNemar's exact test: whether a question that only one has right is as likely either's.

    Args:
        gained: questions only the second has right; ``lost``: only the first.
    """
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """p-values adjusted for being several (Holm 1979): all below 0.05 are together wrong at most 5 % of the time."""
    adjusted, highest = [1.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = highest
    return adjusted


def clustered_stderr(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Standard error of a mean whose samples come in clusters (Liang and Zeger 1986; Miller 2024, eq. 4).

    The square root of the sum over clusters of the squared sum of residuals, over n.
    """
    return math.sqrt(math.fsum(s * s for s in _residuals(values, clusters).values())) / len(values)


def _residuals(values: Sequence[float], clusters: Sequence[Hashable]) -> dict[Hashable, float]:
    """The sum of each cluster's distances from the mean."""
    centre = math.fsum(values) / len(values)
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - centre
    return sums


def _reach(values: Sequence[float], clusters: Sequence[Hashable], stderr: float | None = None) -> float:
    """How far a 95 % interval reaches from the mean of samples that come in two clusters at least.

    With few passages, or one that holds most of the samples, the clustered error comes out too small and says little
    of itself. Each passage's part of the variance is divided by 1 minus its share of the samples (CR2), and Student's t
    has Bell and McCaffrey's degrees of freedom (2002; Imbens and Kolesár 2016, section III). For passages of one size
    that is G/(G - 1) and G - 1 (Cameron and Miller 2015, section VI). With 5 passages of 4 questions the normal
    interval covers 76 to 84 %, this one 87 to 94; with one of 50 and 20 of 2, G - 1 covers 71 to 89, this 96 to 99.

    Args:
        stderr: to be taken instead of the clustered one.
    """
    from scipy.special import stdtrit

    sums, n, groups = _residuals(values, clusters), len(values), len(set(clusters))
    shares = {cluster: size / n for cluster, size in Counter(clusters).items()}
    odds = [share * share / (1 - share) for share in shares.values()]
    lost = math.fsum(share * share for share in shares.values())  # 1 / freedom, and what the cross terms add
    lost += math.fsum(odds) ** 2 - math.fsum(odd * odd for odd in odds)
    if stderr is None:
        error = math.sqrt(math.fsum(total * total / (1 - shares[cluster]) for cluster, total in sums.items())) / n
    else:
        error = stderr * math.sqrt(groups / (groups - 1))
    return float(stdtrit(1 / lost, 0.5 + CONFIDENCE / 2)) * error


def edge(inside: Callable[[float], bool], centre: float, end: float) -> float:
    """Where an interval around ``centre`` ends on the way to ``end``, by bisection."""
    if inside(end):
        return end
    near, far = centre, end
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if inside(middle) else (near, middle)
    return near


def _stderr(values: Sequence[float], clusters: Sequence[Hashable] | None) -> float | None:
    """Clustered where there are clusters, else the sample standard deviation over the root of n; None for one value."""
    n = len(values)
    if n < 2:
        return None
    if clusters is not None and _clustered(clusters):
        return clustered_stderr(values, clusters)
    centre = math.fsum(values) / n
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (n - 1) / n)


def _units(n: int, clusters: Sequence[Hashable] | None) -> int:
    """How many draws there were: passages where there are clusters, else samples."""
    return n if clusters is None else len(set(clusters))


def _clustered(clusters: Sequence[Hashable] | None) -> bool:
    return clusters is not None and len(set(clusters)) < len(clusters)


def _bca(values: Sequence[float], seed: int) -> tuple[float, float]:
    import numpy as np
    from scipy.stats import bootstrap

    # Powers of tiny figures vanish, and the bounds with them; a power of two changes no digit.
    exponent = math.frexp(max(map(abs, values)))[1]
    scaled = np.ldexp(np.asarray(values, dtype=float), -exponent)
    # Unbatched, 9 999 resamples of 4 183 values take 780 MB.
    found = bootstrap(
        (scaled,), np.mean, confidence_level=CONFIDENCE, method="BCa", batch=500,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    low, high = (float(bound) for bound in found.confidence_interval)
    return math.ldexp(low, exponent), math.ldexp(high, exponent)
