"""Every figure against an independent source: scipy, statsmodels, arithmetic on paper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl import statistics
from benchctl.groups import averaged, pooled
from benchctl.types import Estimate


@settings(deadline=None)  # the first call imports scipy
@given(n=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_is_scipys(n, share):
    from scipy.stats import binomtest

    hits = round(n * share)
    low, high = statistics.wilson(hits / n, n)
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_majority_of_medmcqa_on_paper():
    # Wilson's formula worked out with 30 decimals apart from this code, z = 1.959963984540054.
    e = statistics.proportion([1.0] * 1348 + [0.0] * 2835)
    assert e.value == pytest.approx(0.3222567535, abs=1e-10)
    assert (e.low, e.high) == pytest.approx((0.308262963668709, 0.336576704939416), abs=1e-12)
    assert e.stderr == pytest.approx(math.sqrt(e.value * (1 - e.value) / 4182), rel=1e-12)


def test_clustered_standard_error_is_statsmodels_without_its_small_sample_factor():
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(60), rng.integers(1, 7, 60))
    values = (rng.random(60)[clusters] + rng.random(len(clusters)) > 1).astype(float)
    fit = sm.OLS(values, np.ones_like(values)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    assert statistics.clustered_stderr(values.tolist(), clusters.tolist()) == pytest.approx(
        float(fit.bse[0]), abs=1e-12
    )


@pytest.mark.parametrize("passages", [2, 5, 60])
def test_clustered_intervals_of_means_are_statsmodels(passages):
    import statsmodels.api as sm

    rng = np.random.default_rng(passages)
    clusters = np.repeat(np.arange(passages), 4)
    values = rng.normal(size=passages)[clusters] + rng.normal(size=len(clusters))
    fit = sm.OLS(values, np.ones_like(values)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    e = statistics.mean(values.tolist(), clusters.tolist())
    assert e.method == "t-clustered"
    assert (e.low, e.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)


@pytest.mark.parametrize("sizes", [(3, 9), (50, *[2] * 20), (100, *[1] * 10), (4, 1, 6, 2, 2)])
def test_clustered_intervals_of_passages_of_unequal_size_are_bell_and_mccaffreys(sizes):
    # Imbens and Kolesar 2016, section III, with whole matrices: one regressor, the constant.
    from scipy.stats import t

    rng = np.random.default_rng(len(sizes))
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    n = len(clusters)
    values = rng.normal(size=len(sizes))[clusters] + rng.normal(size=n)
    residual = np.eye(n) - np.full((n, n), 1 / n)
    columns = []
    for passage in range(len(sizes)):
        inside = clusters == passage
        size, vectors = np.linalg.eigh(residual[np.ix_(inside, inside)])
        root = vectors @ np.diag(size**-0.5) @ vectors.T
        columns.append(residual[:, inside] @ root @ np.full(inside.sum(), 1 / n))
    variance = sum(float(column @ values) ** 2 for column in columns)
    spectrum = np.linalg.eigvalsh(np.array(columns) @ np.array(columns).T)
    reach = t.ppf(0.975, spectrum.sum() ** 2 / (spectrum**2).sum()) * math.sqrt(variance)
    e = statistics.mean(values.tolist(), clusters.tolist())
    assert (e.low, e.high) == pytest.approx((values.mean() - reach, values.mean() + reach), rel=1e-7)


def test_a_passage_that_holds_most_of_the_questions_does_not_pass_for_a_sample_of_passages():
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(21), [50] + [2] * 20)
    covered = 0
    for _ in range(400):
        values = (rng.random(90) < rng.beta(1.2, 1.2, 21)[clusters]).astype(float)
        e = statistics.proportion(values.tolist(), clusters.tolist())
        covered += e.low <= 0.5 <= e.high
    assert covered / 400 >= 0.93, "with G - 1 degrees of freedom it covers 78 %"


def test_a_clustered_share_has_wilsons_interval_for_korn_and_graubards_effective_size():
    # Five passages of four, 4, 3, 1, 0 and 2 right: s = sqrt(2^2 + 1 + 1 + 2^2) / 20; n* = (1/4) / (s^2 5/4) (z / t)^2.
    values = [1.0] * 4 + [1.0, 1.0, 1.0, 0.0] + [1.0, 0.0, 0.0, 0.0] + [0.0] * 4 + [1.0, 1.0, 0.0, 0.0]
    found = statistics.proportion(values, [i // 4 for i in range(20)])
    assert found.stderr == pytest.approx(math.sqrt(10) / 20)
    effective = 0.25 / (10 / 400 * 5 / 4) * (1.959963984540054 / 2.7764451051977987) ** 2
    assert (found.low, found.high) == pytest.approx(statistics.wilson(0.5, effective))


def test_intervals_of_few_passages_cover_what_they_promise():
    rng = np.random.default_rng(8)
    for passages in (5, 10):
        covered = 0
        for _ in range(500):
            shift = rng.normal(size=(passages, 1))
            values = (shift + rng.normal(size=(passages, 4))).ravel().tolist()
            e = statistics.mean(values, [i // 4 for i in range(4 * passages)])
            covered += e.low <= 0 <= e.high
        assert 0.92 <= covered / 500 <= 0.98, "the normal interval covers 84 % and 89 %"


def test_differences_over_two_passages_are_covered_as_often_as_their_interval_says():
    # Two passages of four questions often gain alike: with a width of 0 for those 76 % were covered.
    rng = np.random.default_rng(2)
    drawn = [rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=8).tolist() for _ in range(1000)]
    found = [statistics.mean(values, [0] * 4 + [1] * 4) for values in drawn if len(set(values)) > 1]
    assert sum(e.low <= 0.1 <= e.high for e in found) / len(found) >= 0.93


def test_questions_that_share_a_passage_widen_the_interval():
    values = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0] * 20
    clusters = [i // 4 for i in range(len(values))]
    alone = statistics.proportion(values)
    together = statistics.proportion(values, clusters)
    assert together.method == "wilson-clustered"
    assert together.high - together.low > 1.8 * (alone.high - alone.low)


def test_clustered_intervals_cover_what_they_promise():
    # 300 passages of 4 questions each, answers of one passage alike: a naive 95 % interval covers about 86 %.
    rng = np.random.default_rng(1)
    covered = naive = 0
    for _ in range(400):
        ability = np.clip(rng.normal(0.5, 0.25, 300), 0.02, 0.98)
        values = (rng.random((300, 4)) < ability[:, None]).astype(float).ravel().tolist()
        truth = 0.5
        e = statistics.proportion(values, [i // 4 for i in range(1200)])
        plain = statistics.proportion(values)
        covered += e.low <= truth <= e.high
        naive += plain.low <= truth <= plain.high
    assert 0.92 <= covered / 400 <= 0.98
    assert naive < covered


def test_where_all_are_right_each_passage_counts_once():
    # Passages whose answers are all right or all wrong, 3 in 100 of them wrong: 20 passages of 10 are 20 draws, not 200.
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        values = np.repeat(rng.random(20) < 0.97, 10).astype(float).tolist()
        e = statistics.proportion(values, [i // 10 for i in range(200)])
        covered += e.low <= 0.97 <= e.high
    assert covered / 400 >= 0.93
    for value in (0.0, 1.0):
        e = statistics.proportion([value] * 200, [i // 10 for i in range(200)])
        assert (e.low, e.high) == pytest.approx(statistics.wilson(value, 20))


def test_mean_interval_is_scipys_bca():
    from scipy.stats import bootstrap

    values = np.random.default_rng(2).gamma(2.0, size=80)
    e = statistics.mean(values.tolist(), seed=9)
    ci = bootstrap((values,), np.mean, method="BCa", batch=500, rng=np.random.default_rng(9)).confidence_interval
    assert (e.low, e.high) == pytest.approx((float(ci.low), float(ci.high)), abs=1e-12)
    assert e.stderr == pytest.approx(values.std(ddof=1) / math.sqrt(80), abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 19])
def test_the_interval_of_few_samples_is_statsmodels_student_s(n):
    from statsmodels.stats.weightstats import DescrStatsW

    values = np.random.default_rng(n).gamma(2.0, size=n)
    found, shared = (statistics.mean(values.tolist(), clusters) for clusters in (None, [str(i) for i in range(n)]))
    assert (found.low, found.high) == pytest.approx(DescrStatsW(values).tconfint_mean(), rel=1e-9)
    assert (found.method, found) == ("t", shared)
    assert statistics.mean([0.0, 0.1], percent=True).low == 0.0


def test_few_samples_are_covered_as_often_as_their_interval_says():
    rng = np.random.default_rng(1)
    for n in (2, 5, 10):
        found = [statistics.mean(rng.normal(size=n).tolist()) for _ in range(500)]
        assert sum(e.low <= 0 <= e.high for e in found) / 500 >= 0.93, "the bootstrap covers 50, 86 and 90 %"


@pytest.mark.parametrize("unit", [2.0**-500, 2.0**-1030, 2.0**400])
def test_mean_interval_does_not_depend_on_the_unit(unit):
    values = np.random.default_rng(4).integers(1, 50, 30).astype(float)
    plain, other = (statistics.mean((values * scale).tolist()) for scale in (1.0, unit))
    assert (other.low / unit, other.high / unit) == pytest.approx((plain.low, plain.high), rel=1e-9)


def of_shares(members):
    """Estimates of members, each (answers, those that are right)."""
    return [statistics.proportion([1.0] * right + [0.0] * (n - right)) for n, right in members]


@settings(deadline=None)
@given(st.integers(1, 400), st.floats(0, 1))
def test_a_group_of_one_member_has_its_interval(n, share):
    (alone,) = of_shares([(n, round(n * share))])
    for group in (pooled([alone]), averaged([alone])):
        assert (group.value, group.low, group.high) == pytest.approx((alone.value, alone.low, alone.high), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 1)), min_size=1, max_size=6))
def test_a_group_of_shares_has_bounds_around_its_figure_and_those_of_what_is_wrong_mirror_them(members):
    right = [(n, round(n * share)) for n, share in members]
    for whole in (pooled, averaged):
        one, other = whole(of_shares(right)), whole(of_shares([(n, n - hits) for n, hits in right]))
        assert 0 <= one.low <= one.value + 1e-12 and one.value - 1e-12 <= one.high <= 1
        assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)
        assert one.low < one.high and one.n == sum(n for n, _ in right)


def test_by_size_members_alike_are_as_sure_as_one_task_and_unlike_ones_surer():
    # Asked in one task, whether a question came from the easy half or the hard one would be chance too.
    alike, unlike = (pooled(of_shares(members)) for members in ([(500, 400), (500, 400)], [(500, 490), (500, 150)]))
    assert (alike.low, alike.high) == pytest.approx(statistics.wilson(0.8, 1000), abs=1e-4)
    assert unlike.high - unlike.low == pytest.approx(
        2 * 1.96 * math.sqrt(0.02 * 0.98 + 0.3 * 0.7) / 1000**0.5 / 2**0.5, rel=0.01
    )


@pytest.mark.parametrize(
    ("members", "size", "share", "draws"), [(57, 5, 0.95, 200), (10, 20, 0.95, 500), (10, 5, 0.8, 500)]
)
def test_a_mean_of_many_small_members_is_covered_as_often_as_its_interval_says(members, size, share, draws):
    # Put together from the members' own they covered 0.80, 0.88 and 0.88.
    draw = np.random.default_rng(3)
    found = [averaged(of_shares([(size, k) for k in draw.binomial(size, share, members)])) for _ in range(draws)]
    assert sum(one.low <= share <= one.high for one in found) / draws >= 0.93


def test_pooled_means_weigh_by_size_and_each_interval_reaches_as_far_as_its_member_s():
    # (0.90 * 10 + 0.95 * 30) / 40; sqrt((0.10 * 10)^2 + (0.04 * 30)^2) / 40, and so for the distances to the bounds.
    parts = [
        Estimate(0.9, 10, 0.1, 0.6, 1.0, "t-clustered", True, True),
        Estimate(0.95, 30, 0.04, 0.8, 0.98, "wilson", True, True),
    ]
    found = pooled(parts)
    assert (found.value, found.n, found.stderr) == pytest.approx((0.9375, 40, math.sqrt(2.44) / 40))
    assert found.low == pytest.approx(0.9375 - math.hypot(0.3 * 10, 0.15 * 30) / 40)
    assert found.high == pytest.approx(0.9375 + math.hypot(0.1 * 10, 0.03 * 30) / 40)
    assert found.method == "mover" and pooled([parts[0], replace(parts[1], low=None, high=None)]).method == "none"


def test_a_group_is_no_share_where_a_member_is_none():
    # 0 throughout is taken for a share of right answers, and may be one of 100 points.
    zero, points = statistics.proportion([0.0] * 30), statistics.mean([50.0, 100.0, 50.0, 100.0])
    for found in (pooled([zero, points]), averaged([zero, points])):
        assert not found.percent and found.low < found.value < found.high


@pytest.mark.parametrize("share", [0.6, 0.95])
def test_a_pooled_share_of_few_passages_is_covered_as_often_as_its_interval_says(share):
    # Two members of 5 passages with 4 questions each: the errors in quadrature covered 0.90 and 0.68.
    draw = np.random.default_rng(3)

    def member():
        passages = draw.beta(share * 1.5, (1 - share) * 1.5, 5)
        right = (draw.random((5, 4)) < passages[:, None]).ravel().astype(float)
        return statistics.proportion(right.tolist(), [place // 4 for place in range(20)])

    groups = [pooled([member(), member()]) for _ in range(600)]
    assert sum(one.low <= share <= one.high for one in groups) / 600 >= 0.94


@pytest.mark.parametrize(("members", "share"), [(30, 0.95), (10, 0.99)])
def test_a_mean_of_many_members_with_shared_passages_is_covered_as_often_as_its_interval_says(members, share):
    # 60 passages of 2 questions each: put together from the members' own they covered 0.92 and 0.82.
    draw = np.random.default_rng(3)

    def member():
        passages = draw.beta(share * 0.7, (1 - share) * 0.7, 60)
        right = (draw.random((60, 2)) < passages[:, None]).ravel().astype(float)
        return statistics.proportion(right.tolist(), [place // 2 for place in range(120)])

    groups = [averaged([member() for _ in range(members)]) for _ in range(150)]
    assert sum(one.low <= share <= one.high for one in groups) / 150 >= 0.94
    assert {one.method for one in groups} == {"wilson-stratified"}


def test_a_group_of_one_member_with_shared_passages_has_its_interval():
    alone = statistics.proportion([1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0], [place // 2 for place in range(8)])
    assert (pooled([alone]).low, pooled([alone]).high) == pytest.approx((alone.low, alone.high))


def test_members_of_two_passages_each_make_no_interval_without_end():
    # Of two passages Student's t leaves 0.1 answers to each member, so that ten would be as good as one.
    members = [statistics.proportion([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0], [0, 0, 0, 0, 1, 1, 1, 1])] * 10
    found = pooled(members)
    assert found.high - found.low < 0.6


def test_a_group_whose_answers_were_all_right_has_an_interval_with_a_width():
    shared = statistics.proportion([1.0] * 8, [place // 4 for place in range(8)])
    found = pooled([shared, statistics.proportion([1.0] * 10)])
    assert (found.value, found.high) == (1.0, 1.0) and found.low < 0.9


def test_in_a_mean_of_members_alike_each_counts_the_same():
    # 9 of 10, 15 of 60: (0.9 + 0.25) / 2, and errors of 0.3 / 3 and of the root of 0.1875 / 59, added and halved.
    parts = of_shares([(10, 9), (60, 15)])
    found = averaged(parts)

    assert (found.value, found.n, found.percent) == (pytest.approx(0.575), 70, True)
    assert found.stderr == pytest.approx(math.sqrt(0.09 / 9 + 0.1875 / 59) / 2)
    assert found.method == "wilson-stratified"
    assert averaged([parts[0], replace(parts[1], low=None, high=None, method="none")]).method == "none"


def test_figures_that_are_no_shares_of_independent_questions_reach_as_far_as_each_member_s():
    # Half of the distances to the ends, 0.3 and 0.15, 0.1 and 0.03, squared and added.
    parts = [
        Estimate(0.9, 10, 0.1, 0.6, 1.0, "t-clustered", True, True),
        Estimate(0.95, 30, 0.04, 0.8, 0.98, "wilson", True, True),
    ]
    found = averaged(parts)
    assert found.method == "mover"
    assert found.low == pytest.approx(0.925 - math.hypot(0.3, 0.15) / 2)
    assert found.high == pytest.approx(0.925 + math.hypot(0.1, 0.03) / 2)


@pytest.mark.parametrize(
    ("members", "about"), [(((10, 0.3), (40, 0.6), (100, 0.8)), 0.02), (((30, 0.97), (300, 0.9), (1000, 0.5)), 0.02)]
)
def test_a_mean_of_members_alike_is_covered_as_often_as_its_interval_says(members, about):
    draw = np.random.default_rng(1)
    true = sum(p for _, p in members) / len(members)
    parts = [
        [statistics.proportion([1.0] * k + [0.0] * (n - k)) for n, p in members for k in [draw.binomial(n, p)]]
        for _ in range(600)
    ]
    held = sum(found.low <= true <= found.high for found in map(averaged, parts)) / 600
    assert held == pytest.approx(0.95, abs=about)


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=1, max_size=6))
def test_the_interval_of_a_mean_of_members_alike_stays_a_share_and_has_a_width(members):
    hits = [round(n * share) for n, share in members]
    found = averaged(
        [statistics.proportion([1.0] * k + [0.0] * (n - k)) for (n, _), k in zip(members, hits, strict=True)]
    )
    assert 0 <= found.low < found.high <= 1
    assert found.low <= found.value <= found.high


def test_passages_whose_answers_differ_make_no_more_of_the_samples_than_there_are():
    # 84 answers in 42 passages; the clustered variance 2/84^2 is far below the plain one 1/336: n/deff would be 882.
    values = [1.0, 0.0] * 40 + [1.0, 1.0, 0.0, 0.0]
    found = statistics.proportion(values, [i // 2 for i in range(84)])
    assert found.stderr == pytest.approx(math.sqrt(2) / 84)
    assert (found.low, found.high) == pytest.approx(statistics.wilson(0.5, 84))


def test_equal_values_have_an_interval_of_no_width():
    e = statistics.mean([2.5] * 7)
    assert (e.low, e.high, e.method) == (2.5, 2.5, "constant")


def test_one_value_and_one_passage_allow_no_interval():
    for e in (
        statistics.mean([2.5]), statistics.mean([1.0, 2.0, 6.0], ["same"] * 3),
        statistics.proportion([1.0, 0.0, 1.0], ["same"] * 3),
    ):  # fmt: skip
        assert (e.stderr, e.low, e.high, e.method) == (None, None, None, "none")
    assert statistics.proportion([1.0], ["same"]).low == pytest.approx(1 / (1 + 1.959964**2), abs=1e-6)


def test_a_share_of_passages_ends_at_zero_and_one():
    values, passages = [0.0, 0.0, 0.3, 0.0], [1, 1, 2, 3]
    share, mean = (statistics.mean(values, passages, percent=percent) for percent in (True, False))
    assert mean.low < 0 == share.low and share.high == mean.high
    turned = statistics.mean([1 - v for v in values], passages, percent=True)
    assert (turned.low, turned.high) == (pytest.approx(1 - mean.high), 1.0)


def test_values_equal_but_for_their_last_digits_have_one_too():
    e = statistics.mean([1.1 + 2.2, 3.3, 3.3, 3.3000000000000003])
    assert (e.low, e.high, e.method) == (e.value, e.value, "constant")


def test_one_answer_has_no_standard_error():
    assert statistics.proportion([1.0]).stderr is None
