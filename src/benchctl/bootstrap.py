"""Bootstrap of figures that are no means of samples: ratios of sums, F1 over a corpus, corpus BLEU and chrF.

Each of them is a function of sums over samples (counts, nats, tokens), so a resample is a vector of weights and never
a list of samples: thousands of resamples cost one matrix product and one call of the function.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from benchctl.statistics import CONFIDENCE, never_otherwise
from benchctl.types import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 2000
_CELLS = 2_000_000
"""Most random numbers drawn at once: 16 MB."""


def of_sums(
    rows: Sequence[Sequence[float]],
    statistic: Callable[[Array], Array],
    clusters: Sequence[Hashable] | None = None,
    *,
    higher_is_better: bool | None = True,
    percent: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A function of the column sums of ``rows``, with a BCa bootstrap interval (Efron 1987), as scipy computes it.

    Where all resamples are the same, as of answers that are all right, a share has the interval of
    :func:`benchctl.statistics.never_otherwise`, anything else none with a width.
    Samples that share a cluster are drawn together (Davison and Hinkley 1997, section 3.8).

    Args:
        rows: one row per sample, at least one.
        statistic: sums (any number of them, columns) -> figures (that number). Each must be finite.
        clusters: passage of each sample, or None when all are independent.
        seed: of the resamples.
        resamples: how many.
    """
    import numpy as np

    units = by_cluster(np.asarray(rows, dtype=float), clusters)
    total = units.sum(axis=0)
    value = float(statistic(total[None])[0])
    n, groups = len(rows), len(units)
    if groups < 2:
        return Estimate(value, n, None, None, None, "none", higher_is_better, percent)
    drawn = np.concatenate([statistic(w @ units) for w in _weights(groups, resamples, seed)])
    unit = 2.0 ** (int(np.frexp(np.abs(drawn).max())[1]) - 1)  # squares of figures with 200 digits would overflow
    stderr = float((drawn / unit).std(ddof=1)) * unit
    if np.ptp(drawn) <= 1e-12 * abs(value):
        low, high = never_otherwise(value, groups) if percent else (value, value)
        return Estimate(value, n, stderr, low, high, "constant", higher_is_better, percent)
    low, high = _bca(value, drawn, statistic(total - units))
    method = "bootstrap-bca" + ("-clustered" if groups < n else "")
    return Estimate(value, n, stderr, low, high, method, higher_is_better, percent)


def by_cluster(rows: Array, clusters: Sequence[Hashable] | None) -> Array:
    """One row per cluster, in the order they first appear."""
    import numpy as np

    if clusters is None:
        return rows
    places: dict[Hashable, int] = {}
    index = [places.setdefault(cluster, len(places)) for cluster in clusters]
    summed = np.zeros((len(places), rows.shape[1]))
    np.add.at(summed, index, rows)
    return summed


def _weights(units: int, resamples: int, seed: int) -> Any:
    """How often each unit is drawn in each resample, in batches (resamples, units)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    batch = max(1, _CELLS // units)
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        drawn = rng.integers(0, units, (size, units)) + np.arange(size)[:, None] * units
        yield np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units).astype(float)


def _bca(value: float, drawn: Array, left_out: Array) -> tuple[float, float]:
    """Bias-corrected and accelerated bounds.

    Args:
        value: the figure.
        drawn: the figure in each resample.
        left_out: the figure with each unit left out in turn, for the acceleration.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    below = float(((drawn < value).sum() + (drawn <= value).sum()) / (2 * len(drawn)))
    bias = float(ndtri(below))
    spread = left_out.mean() - left_out
    largest = float(np.abs(spread).max())
    acceleration = 0.0
    if largest:
        scaled = spread / largest  # the ratio does not depend on the unit, and powers of tiny figures vanish
        acceleration = float((scaled**3).sum() / (scaled**2).sum() ** 1.5) / 6
    tail = float(ndtri((1 - CONFIDENCE) / 2))
    shares = [float(ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))) for z in (tail, -tail)]
    if not np.isfinite(shares).all():  # every resample on one side of the value: no correction can be computed
        shares = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.percentile(drawn, [100 * share for share in shares])
    return float(low), float(high)
