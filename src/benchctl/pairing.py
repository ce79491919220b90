"""Two models on the same questions: the difference, its interval, and how easily chance would give it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from benchctl import statistics
from benchctl.types import Estimate

if TYPE_CHECKING:
    from benchctl.bootstrap import Array

SIGNIFICANT = 0.05
PERMUTATIONS = 9999
_CELLS = 2_000_000
"""Most random numbers drawn at once: 16 MB."""

Verdict = Literal["better", "worse", "differs", "unclear", "same"]
"""``differs``: of a figure that is no better higher or lower, or of a model trained on the test. ``unclear``: chance
alone would often give such a difference. ``same``: no question differs."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What two runs got for each question both answered; every sequence has one entry per question."""

    ids: Sequence[str]
    first: Sequence[Sequence[float]]
    """One row of sums per question; a single column for a mean."""
    second: Sequence[Sequence[float]]
    clusters: Sequence[Hashable]
    """Passage of each question, or its id."""
    figure: Callable[[Array], Array] | None = None
    """From sums to figures; None: the mean of the one column."""
    higher_is_better: bool | None = True
    percent: bool = False
    leaked: bool = False
    """Whether one of the two models was trained on questions of this test."""

    @property
    def n(self) -> int:
        """Questions."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more the second has than the first, over the questions both answered."""

    value: float
    """Second minus first, in the metric's own unit: 0.05 is five points of a share."""
    low: float | None
    """Bounds of the 95 % interval; None where a single question or passage allows none."""
    high: float | None
    p: float
    """Two-sided: how often chance alone would give as much, were the two models alike."""
    n: int
    """Questions both answered."""
    first: float
    """The figure over these questions."""
    second: float
    method: str
    """Of the interval: ``tango``, ``bootstrap-bca``, ``t``, ``t-clustered``, ``constant`` or ``none``."""
    test: str
    """``mcnemar-exact`` or ``permutation``."""
    higher_is_better: bool | None = True
    percent: bool = False
    gained: int | None = None
    """Questions only the second has right; None unless every value is 0 or 1."""
    lost: int | None = None
    """Questions only the first has right."""
    leaked: bool = False
    """Whether one of the two models was trained on questions of this test: having more is then no gain."""
    p_holm: float | None = None
    """``p`` adjusted for the other comparisons made beside it; None where there is no other."""

    @property
    def verdict(self) -> Verdict:
        """What may be said in words, by the adjusted p where there is one; ``same`` only where no question differs."""
        if self.low == self.high == 0:
            return "same"
        p = self.p if self.p_holm is None else self.p_holm
        if p >= SIGNIFICANT or self.value == 0:
            return "unclear"
        if self.higher_is_better is None or self.leaked:
            return "differs"
        return "better" if (self.value > 0) == self.higher_is_better else "worse"

    @property
    def relative(self) -> float | None:
        """The difference in percent of the first's figure; None where that is 0."""
        return None if self.first == 0 else 100 * self.value / abs(self.first)

    def as_json(self) -> dict[str, Any]:
        """All fields, the verdict and the percentage."""
        return {**asdict(self), "verdict": self.verdict, "relative_percent": self.relative}


def decimals_of(p: float) -> int:
    """Decimals that a p-value is shown with: three, or as many as tell on which side of :data:`SIGNIFICANT` it is."""
    return next((n for n in range(3, 12) if (round(p, n) < SIGNIFICANT) == (p < SIGNIFICANT)), 12)


def difference(pairs: Pairs, *, seed: int = 0) -> Difference:
    """Compare two runs question by question.

    Zeros and ones get Tango's interval and McNemar's exact test; other means the interval of their differences
    (:func:`benchctl.statistics.mean`), functions of sums a paired bootstrap; both a permutation test that swaps the
    two models' answers (Noreen 1989). Questions that share a passage are swapped, drawn and counted together.

    Args:
        pairs: at least one.
        seed: of the resamples and permutations.

    Raises:
        ValueError: no pairs.
    """
    if not pairs.n:
        raise ValueError("nothing to compare: no pairs")
    clustered = len(set(pairs.clusters)) < pairs.n
    values = {row[0] for rows in (pairs.first, pairs.second) for row in rows}
    if pairs.figure is None and not clustered and values <= {0.0, 1.0}:
        return _of_shares(pairs)
    return _of_sums(pairs, clustered, seed)


def joined(parts: Sequence[Pairs]) -> Pairs | None:
    """Several tasks as one: all their questions together. None for figures that are no means."""
    if any(part.figure is not None for part in parts):
        return None
    named = list(enumerate(parts))
    return Pairs(
        [f"{place}:{i}" for place, part in named for i in part.ids],
        [row for part in parts for row in part.first],
        [row for part in parts for row in part.second],
        [(place, cluster) for place, part in named for cluster in part.clusters],
        None,
        parts[0].higher_is_better,
        all(part.percent for part in parts),
        any(part.leaked for part in parts),
    )


def of_tasks(parts: Sequence[Pairs], found: Sequence[Difference], *, seed: int = 0) -> Difference | None:
    """The mean of several tasks' differences, in which each task counts alike; None for figures that are no means.

    Its interval is put together from the tasks' own (:func:`benchctl.groups.averaged`); the test swaps answers in
    all of them.

    Args:
        parts: one per task, at least one.
        found: what :func:`difference` gave for each.
        seed: of the permutations.
    """
    from benchctl.groups import averaged

    whole = joined([_scaled(part, sum(p.n for p in parts) / len(parts) / part.n) for part in parts])
    if whole is None:
        return None
    e = averaged([Estimate(d.value, d.n, None, d.low, d.high, d.method) for d in found])
    low, high = (None if x is None else min(max(x, -1.0), 1.0) if whole.percent else x for x in (e.low, e.high))
    clustered = len(set(whole.clusters)) < whole.n
    return replace(_of_sums(whole, clustered, seed), low=low, high=high, method=e.method)


def _scaled(part: Pairs, factor: float) -> Pairs:
    one, two = ([[factor * value for value in row] for row in rows] for rows in (part.first, part.second))
    return replace(part, first=one, second=two)


def with_holm(found: Mapping[Any, Difference]) -> dict[Any, Difference]:
    """The same differences with p adjusted for being several; a single one stays as it is."""
    if len(found) < 2:
        return dict(found)
    adjusted = statistics.holm([one.p for one in found.values()])
    return {key: replace(one, p_holm=p) for (key, one), p in zip(found.items(), adjusted, strict=True)}


def _of_shares(pairs: Pairs) -> Difference:
    first, second = ([row[0] for row in rows] for rows in (pairs.first, pairs.second))
    gained = sum(b > a for a, b in zip(first, second, strict=True))
    lost = sum(a > b for a, b in zip(first, second, strict=True))
    low, high = statistics.paired_proportions(gained, lost, pairs.n)
    method = "tango" if gained or lost else "constant"
    return Difference(
        (gained - lost) / pairs.n, low, high, statistics.mcnemar(gained, lost), pairs.n, math.fsum(first) / pairs.n,
        math.fsum(second) / pairs.n, method, "mcnemar-exact", pairs.higher_is_better, pairs.percent, gained, lost,
        pairs.leaked,
    )  # fmt: skip


def _of_sums(pairs: Pairs, clustered: bool, seed: int) -> Difference:
    import numpy as np

    one, two = (np.asarray(rows, dtype=float) for rows in (pairs.first, pairs.second))
    figure = pairs.figure or (lambda sums: sums[:, 0] / pairs.n)
    first, second = (float(figure(rows.sum(axis=0)[None])[0]) for rows in (one, two))
    low, high, method = _interval(pairs, one, two, seed)
    p = 1.0 if np.array_equal(one, two) else _permuted(one, two, figure, pairs.clusters, seed)
    binary = pairs.figure is None and set(np.unique([one, two]).tolist()) <= {0.0, 1.0}
    gained, lost = (int((two > one).sum()), int((one > two).sum())) if binary else (None, None)
    test = "permutation" + ("-clustered" if clustered else "")
    return Difference(second - first, low, high, p, pairs.n, first, second, method, test, pairs.higher_is_better,
                      pairs.percent, gained, lost, pairs.leaked)  # fmt: skip


def _interval(pairs: Pairs, one: Array, two: Array, seed: int) -> tuple[float | None, float | None, str]:
    """Bounds and the method's name; none where all questions share one passage, unless nothing differs."""
    import numpy as np

    from benchctl import bootstrap

    if np.array_equal(one, two):
        return 0.0, 0.0, "constant"
    if len(set(pairs.clusters)) < 2:
        return None, None, "none"
    figure = pairs.figure
    if figure is None and set(np.unique(one)) | set(np.unique(two)) == {0.0, 1.0} and np.ptp(two - one) == 0:
        units = len(set(pairs.clusters))  # one is right in all: each passage counts once, as for a share
        won = int(two[0, 0]) * units
        return *statistics.paired_proportions(won, units - won, units), "tango"
    if figure is None:
        e = statistics.mean((two - one)[:, 0].tolist(), pairs.clusters, seed=seed)
    else:
        columns = one.shape[1]
        e = bootstrap.of_sums(
            np.hstack([one, two]).tolist(), lambda sums: figure(sums[:, columns:]) - figure(sums[:, :columns]),
            pairs.clusters, seed=seed,
        )  # fmt: skip
    if pairs.percent and e.method == "constant":
        return *statistics.never_otherwise(e.value, len(set(pairs.clusters)), least=-1.0), e.method
    if pairs.percent and e.low is not None and e.high is not None:  # two shares differ by no more than all of one
        return max(e.low, -1.0), min(e.high, 1.0), e.method
    return e.low, e.high, e.method


def _permuted(
    one: Array, two: Array, figure: Callable[[Array], Array], clusters: Sequence[Hashable], seed: int
) -> float:
    """Two-sided p of the permutation test: exact where there are few units, else of random swaps, itself included."""
    import numpy as np

    from benchctl.bootstrap import by_cluster

    change = by_cluster(two - one, clusters)
    change = change[np.any(change != 0, axis=1)]  # swapping equals changes nothing
    first, second = one.sum(axis=0), two.sum(axis=0)
    figures = [float(figure(sums[None])[0]) for sums in (first, second)]
    observed = abs(figures[1] - figures[0])
    edge = observed - 1e-9 * observed - 1e-13 * max(map(abs, figures))  # sums in another order: other last digits
    reached = drawn = 0
    exact = 2 ** len(change) <= PERMUTATIONS + 1 if len(change) < 30 else False
    for swaps in _all_swaps(len(change)) if exact else _some_swaps(len(change), seed):
        moved = swaps @ change
        reached += int((abs(figure(second - moved) - figure(first + moved)) >= edge).sum())
        drawn += len(swaps)
    return reached / drawn if exact else (reached + 1) / (drawn + 1)


def _all_swaps(units: int) -> Iterator[Array]:
    import numpy as np

    yield (np.arange(2**units)[:, None] >> np.arange(units) & 1).astype(float)


def _some_swaps(units: int, seed: int) -> Iterator[Array]:
    import numpy as np

    rng = np.random.default_rng(seed)
    batch = max(1, _CELLS // units)
    for start in range(0, PERMUTATIONS, batch):
        yield rng.integers(0, 2, (min(batch, PERMUTATIONS - start), units)).astype(float)
