"""How far people, judges or repeated draws agree beyond chance; the tests compare with sklearn and krippendorff."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Cohen's kappa of two raters who each put the same items into categories (Cohen 1960).

    Returns:
        At most 1; 0 is what chance would give. None where it is undefined: no item, or one category only.
    """
    n = len(first)
    mine, theirs = Counter(first), Counter(second)
    expected = sum(count * theirs[category] for category, count in mine.items()) / n**2 if n else 1.0
    if expected == 1.0:
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    return (observed - expected) / (1 - expected)


def quadratic_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Cohen's kappa with quadratic weights (Cohen 1968): a disagreement counts by its squared distance in points.

    The distance is that of the points themselves, so 0/1/3/5 is no even scale. On even scales it is sklearn's figure.

    Returns:
        At most 1. None where it is undefined: no item, or both raters give one and the same value throughout.
    """
    n = len(first)
    if not n:
        return None
    seen = math.fsum((a - b) ** 2 for a, b in zip(first, second, strict=True)) / n
    mine, theirs = math.fsum(first) / n, math.fsum(second) / n
    squares = (math.fsum(a * a for a in first) + math.fsum(b * b for b in second)) / n
    expected = squares - 2 * mine * theirs  # mean of (a - b)² over all pairs of one value each
    return None if expected <= 1e-12 else 1 - seen / expected


def krippendorff_nominal(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Krippendorff's alpha (2011, "Computing Krippendorff's Alpha-Reliability") for categories.

    Args:
        units: per item, the values it was given; gaps are simply left out, items with fewer than two values ignored.

    Returns:
        At most 1. None where undefined: nothing was rated twice, or only one value was ever given.
    """
    paired = [unit for unit in units if len(unit) > 1]
    n = sum(len(unit) for unit in paired)
    if not n:
        return None
    seen = math.fsum(_unequal(unit) / (len(unit) - 1) for unit in paired) / n
    expected = _unequal([value for unit in paired for value in unit]) / (n * (n - 1))
    return None if expected == 0 else 1 - seen / expected


def krippendorff_interval(units: Sequence[Sequence[float]]) -> float | None:
    """Krippendorff's alpha for points, where a disagreement counts by its squared distance; as the nominal one else."""
    paired = [unit for unit in units if len(unit) > 1]
    n = sum(len(unit) for unit in paired)
    if not n:
        return None
    seen = math.fsum(_spread(unit) / (len(unit) - 1) for unit in paired) / n
    expected = _spread([value for unit in paired for value in unit]) / (n * (n - 1))
    return None if expected <= 1e-12 else 1 - seen / expected


def _unequal(values: Sequence[Hashable]) -> int:
    """Ordered pairs of unequal values."""
    return len(values) ** 2 - sum(count**2 for count in Counter(values).values())


def _spread(values: Sequence[float]) -> float:
    """Sum of squared distances over ordered pairs."""
    centre = math.fsum(values) / len(values)
    return 2 * len(values) * math.fsum((value - centre) ** 2 for value in values)
