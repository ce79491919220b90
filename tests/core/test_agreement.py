"""Agreement figures equal their libraries'."""

from __future__ import annotations

import random

import pytest

from benchctl.agreement import cohen_kappa, krippendorff_interval, krippendorff_nominal, quadratic_kappa


def test_kappa_equals_sklearn():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the extra 'metrics'")
    rng = random.Random(1)
    for _ in range(20):
        first = [rng.choice("ABCD") for _ in range(40)]
        second = [a if rng.random() < 0.6 else rng.choice("ABCDE") for a in first]
        assert cohen_kappa(first, second) == pytest.approx(metrics.cohen_kappa_score(first, second), abs=1e-12)


def test_quadratic_kappa_equals_sklearn_on_an_even_scale():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the extra 'metrics'")
    rng = random.Random(2)
    first = [rng.randint(1, 5) for _ in range(60)]
    second = [min(5, max(1, a + rng.choice((-1, 0, 0, 1, 3)))) for a in first]
    oracle = metrics.cohen_kappa_score(first, second, weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert quadratic_kappa(first, second) == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize("level", ["nominal", "interval"])
def test_alpha_equals_krippendorff_with_gaps(level):
    library = pytest.importorskip("krippendorff", reason="needs the extra 'metrics'")
    rng = random.Random(3)
    truth = [rng.choice((0, 1, 3, 5)) for _ in range(50)]
    table = [
        [
            float("nan") if rng.random() < 0.2 else float(t if rng.random() < 0.7 else rng.choice((0, 1, 3, 5)))
            for t in truth
        ]
        for _ in range(4)
    ]
    oracle = library.alpha(reliability_data=table, level_of_measurement=level)
    units = [[row[i] for row in table if row[i] == row[i]] for i in range(50)]
    ours = krippendorff_nominal(units) if level == "nominal" else krippendorff_interval(units)
    assert ours == pytest.approx(oracle, abs=1e-12)


def test_perfect_agreement_is_one_and_what_is_undefined_is_none():
    assert (
        cohen_kappa("ABAB", "ABAB") == quadratic_kappa([0, 5], [0, 5]) == krippendorff_interval([[0, 0], [5, 5]]) == 1.0
    )
    assert cohen_kappa("AA", "AA") is None
    assert cohen_kappa("", "") is None
    assert quadratic_kappa([5, 5], [5, 5]) is None
    assert krippendorff_nominal([["A"], ["B"]]) is None
    assert krippendorff_interval([[3, 3], [3, 3]]) is None
