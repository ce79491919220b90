"""Paired differences against independent sources: statsmodels, scipy, published tables; and what must always hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchctl import statistics
from benchctl.cli.wording import probability
from benchctl.pairing import Difference, Pairs, difference, joined, of_tasks, with_holm
from benchctl_reports.language import load_language

SHARES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=60)
MEANS = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=12)


def pairs(values, clusters=None, **changes) -> Pairs:
    ids = [str(i) for i in range(len(values))]
    one, two = ([[float(row[side])] for row in values] for side in (0, 1))
    return Pairs(ids, one, two, clusters or ids, **changes)


def corpus(rows, clusters=None) -> Pairs:
    """Texts as ``(first's bits, second's bits, bytes)``; the figure is bits per byte."""

    def bits_per_byte(sums):
        return sums[:, 0] / sums[:, 1]

    ids = [str(i) for i in range(len(rows))]
    one, two = ([[row[side], row[2]] for row in rows] for side in (0, 1))
    return Pairs(ids, one, two, clusters or ids, bits_per_byte, higher_is_better=False)


@settings(deadline=None)
@given(gained=st.integers(0, 300), lost=st.integers(0, 300))
def test_mcnemar_is_statsmodels(gained, lost):
    from statsmodels.stats.contingency_tables import mcnemar

    expected = mcnemar([[10, gained], [lost, 10]], exact=True).pvalue if gained + lost else 1.0
    assert statistics.mcnemar(gained, lost) == pytest.approx(min(expected, 1.0), abs=1e-12)


def test_tango_s_interval_is_the_published_one():
    # Airway hyper-responsiveness in 21 children (Bentur et al. 2009), table 2 of Fagerland, Lydersen and Laake (2014):
    # 1 before only, 7 after only; Tango's interval -0.517 to -0.026.
    low, high = statistics.paired_proportions(1, 7, 21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


@settings(deadline=None)
@given(n=st.integers(2, 400), data=st.data())
def test_tango_s_bounds_are_where_his_score_statistic_is_1_96(n, data):
    gained = data.draw(st.integers(0, n))
    lost = data.draw(st.integers(0, n - gained))
    for bound in set(statistics.paired_proportions(gained, lost, n)) - {-1.0, 1.0, 0.0}:
        # Tango (1998), eq. 3 and 5, with the likelihood maximised numerically instead of by his formula.
        from scipy.optimize import minimize_scalar

        def surprise(only_first, delta=bound):
            cells = [(gained, only_first + delta), (lost, only_first), (n - gained - lost, 1 - 2 * only_first - delta)]
            return -sum(count * math.log(max(share, 1e-300)) for count, share in cells if count)

        least, most = max(0.0, -bound), (1 - bound) / 2
        best = minimize_scalar(surprise, bounds=(least, most), method="bounded", options={"xatol": 1e-13}).x
        spread = n * (2 * best + bound - bound**2)
        assert abs(gained - lost - n * bound) == pytest.approx(1.959964 * math.sqrt(spread), rel=2e-3, abs=1e-3)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_statsmodels(values):
    from statsmodels.stats.multitest import multipletests

    assert statistics.holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]), abs=1e-12)


@settings(deadline=None)
@given(SHARES)
def test_swapping_the_runs_turns_the_sign_and_keeps_the_p(values):
    there, back = difference(pairs(values)), difference(pairs([(b, a) for a, b in values]))
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low), abs=1e-9)
    assert (back.p, back.gained, back.lost) == (there.p, there.lost, there.gained)


@settings(deadline=None, max_examples=25)
@given(MEANS)
@example([(0.0, 0.0), (0.0, 1.5e-119)])
def test_swapping_turns_the_sign_of_means_and_of_functions_of_sums_too(values):
    for make in (pairs, lambda v: corpus([(a, b, 3.0) for a, b in v])):
        there, back = difference(make(values)), difference(make([(b, a) for a, b in values]))
        assert back.value == pytest.approx(-there.value, abs=1e-12)
        assert back.p == pytest.approx(there.p, abs=1e-12)
        if there.low is not None and math.isfinite(there.low):
            assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.1, 5), min_size=2, max_size=30), st.booleans())
def test_a_run_does_not_differ_from_itself(values, of_sums):
    same = [(v, v) for v in values]
    found = difference(corpus([(v, v, 2.0) for v in values]) if of_sums else pairs(same))
    assert (found.value, found.low, found.high, found.p, found.verdict) == (0.0, 0.0, 0.0, 1.0, "same")


def test_two_equal_runs_of_right_and_wrong_answers_differ_by_nothing():
    found = difference(pairs([(1, 1), (0, 0), (1, 1)]))
    assert (found.value, found.low, found.high, found.p, found.method) == (0.0, 0.0, 0.0, 1.0, "constant")


def test_shares_that_differ_alike_in_each_of_a_few_questions_leave_doubt():
    # Half a point more in each of 5, as of a F1; and a share that is a function of sums: 5 of 5 right beside none.
    mean = difference(replace(pairs([(0.25, 0.75)] * 5), percent=True))
    ids, none, whole = [str(i) for i in range(5)], [[0.0, 1.0]] * 5, [[1.0, 1.0]] * 5
    ratio = difference(Pairs(ids, none, whole, ids, lambda sums: sums[:, 0] / sums[:, 1], percent=True))
    doubt = 1 - statistics.wilson(1, 5)[0]
    assert (mean.low, mean.high) == pytest.approx((0.5 - 1.5 * doubt, 0.5 + 0.5 * doubt))
    assert (ratio.low, ratio.high) == pytest.approx((1 - 2 * doubt, 1))
    assert difference(pairs([(1.5, 2.5)] * 5)).low == 1, "of a scale without ends nothing can be said"


def test_as_many_right_on_other_questions_is_not_called_equal():
    found = difference(pairs([(0, 1)] * 6 + [(1, 0)] * 6 + [(1, 1)] * 12))
    assert (found.value, found.p, found.verdict) == (0.0, 1.0, "unclear")
    assert found.low < -0.2 and found.high > 0.2


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0004, "< 0.001"),
        (0.012, "0.012"),
        (0.0498, "0.0498"),
        (0.04996, "0.04996"),
        (0.05, "0.050"),
        (0.0504, "0.050"),
    ],
)
def test_a_p_beside_a_verdict_does_not_belie_it(p, shown):
    assert probability(p, "en") == shown
    assert load_language("en").probability(p).removeprefix("= ") == shown


def test_a_difference_worked_out_on_paper():
    # 40 questions: the second alone is right in 9, the first alone in 2. 7/40; p = 2 * (1 + 11 + 55) / 2**11.
    found = difference(pairs([(0, 1)] * 9 + [(1, 0)] * 2 + [(1, 1)] * 20 + [(0, 0)] * 9))
    assert (found.value, found.gained, found.lost, found.n) == (0.175, 9, 2, 40)
    assert found.p == pytest.approx(134 / 2048, abs=1e-12)
    assert (found.first, found.second) == (22 / 40, 29 / 40)
    assert found.relative == pytest.approx(100 * 7 / 22)
    assert found.verdict == "unclear"


def test_the_permutation_test_of_means_is_scipys_exact_one():
    from scipy.stats import permutation_test

    rng = np.random.default_rng(3)
    one, two = rng.normal(0, 1, 12), rng.normal(0.6, 1, 12)
    expected = permutation_test((two - one,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    found = difference(pairs(list(zip(one, two, strict=True))))
    assert found.p == pytest.approx(float(expected), abs=1e-12)
    assert found.test == "permutation"


def test_the_permutation_test_of_many_means_is_near_scipys():
    from scipy.stats import permutation_test, ttest_rel

    rng = np.random.default_rng(4)
    one = rng.normal(0, 1, 200)
    two = one + rng.normal(0.1, 0.7, 200)
    expected = permutation_test((two - one,), np.mean, permutation_type="samples", n_resamples=20000,
                                rng=np.random.default_rng(0), batch=500).pvalue  # fmt: skip
    found = difference(pairs(list(zip(one, two, strict=True))))
    assert found.p == pytest.approx(float(expected), abs=0.01)
    assert found.p == pytest.approx(float(ttest_rel(one, two).pvalue), abs=0.01)


def test_the_interval_of_a_ratio_is_scipys_paired_bootstrap():
    from scipy.stats import bootstrap

    rng = np.random.default_rng(8)
    size = rng.integers(20, 400, 120).astype(float)
    rows = [(s * rng.normal(1.4, 0.2), s * rng.normal(1.3, 0.2), s) for s in size]
    found = difference(corpus(rows))
    columns = tuple(np.array(rows).T)
    expected = bootstrap(
        columns, lambda a, b, s, axis: (b.sum(axis) - a.sum(axis)) / s.sum(axis), paired=True, vectorized=True,
        n_resamples=20000, batch=500, method="BCa", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    width = expected.high - expected.low
    assert found.value == pytest.approx((columns[1].sum() - columns[0].sum()) / size.sum(), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.06 * width)
    assert found.verdict == "better"  # fewer bits


def test_questions_of_one_passage_are_swapped_together():
    # Four passages of ten questions each, the second right in all: sixteen swaps, two of them as far from nothing.
    found = difference(pairs([(0, 1)] * 40, [i // 10 for i in range(40)]))
    alone = difference(pairs([(0, 1)] * 40))
    assert (found.p, found.test) == (2 / 16, "permutation-clustered")
    assert (found.gained, found.lost) == (40, 0)
    four = difference(pairs([(0, 1)] * 4))
    assert (found.low, found.high) == (four.low, four.high) and found.low < 0.5, "four passages are no forty questions"
    back = difference(pairs([(1, 0)] * 40, [i // 10 for i in range(40)]))
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert alone.p < 1e-9


def test_differences_that_cancel_but_for_the_last_digit_are_given_by_every_swap():
    # 1.1 less in one passage and 1.1 more in the other: no difference, and as floats 1e-16.
    found = difference(pairs([(0.7, 0.3), (0.1, 0.3), (1.0, 1.0), (1.0, 0.3), (0.1, 1.0)], [0, 1, 1, 0, 1]))
    assert found.value == pytest.approx(0, abs=1e-15) and found.p == 1


def test_questions_of_one_passage_widen_the_interval():
    values = [(0, 1)] * 16 + [(1, 0)] * 8 + [(1, 1)] * 16
    alone, together = difference(pairs(values)), difference(pairs(values, [i // 4 for i in range(40)]))
    assert together.high - together.low > 1.3 * (alone.high - alone.low)
    assert together.method == "t-clustered"


def test_two_shares_differ_by_no_more_than_all_of_one():
    # Two passages: Student's interval on one degree of freedom reached from -293 to 343 %.
    found = difference(
        replace(pairs([(1, 1), (0, 1), (1, 1), (0, 1)] + [(0, 0)] * 4, [i // 4 for i in range(8)]), percent=True)
    )
    assert (found.method, found.low, found.high) == ("t-clustered", -1.0, 1.0)


def test_passages_in_which_gains_and_losses_are_equal_do_not_make_two_models_the_same():
    # In each of three passages one question is gained and one lost: their errors are 0, and nothing is known so exactly.
    found = difference(pairs([(1, 0), (0, 1), (0, 0)] * 3, [i // 3 for i in range(9)]))
    assert (found.gained, found.lost, found.value, found.verdict) == (3, 3, 0, "unclear")
    assert found.low < -0.5 and found.high > 0.5


def test_one_passage_has_no_interval():
    found = difference(pairs([(0.1, 0.4), (0.2, 0.9)], ["same", "same"]))
    assert (found.low, found.high, found.method, found.p) == (None, None, "none", 1.0)


def test_one_question_with_the_same_value_twice_is_the_same():
    found, other = difference(pairs([(7.0, 7.0)])), difference(pairs([(7.0, 8.0)]))
    assert (found.verdict, found.low, found.high) == ("same", 0, 0)
    assert (other.verdict, other.low, other.high) == ("unclear", None, None)


def test_tests_reject_equal_models_one_time_in_twenty():
    rng = np.random.default_rng(6)
    rejected = {"shares": 0, "sums": 0}
    for _ in range(200):
        ability = rng.random(80)[:, None]
        right = (rng.random((80, 2)) < ability).astype(float)
        rejected["shares"] += difference(pairs(right.tolist())).p < 0.05
        rows = [(s * rng.normal(1, 0.3), s * rng.normal(1, 0.3), s) for s in rng.uniform(1, 20, 10)]
        rejected["sums"] += difference(corpus(rows)).p < 0.05
    assert rejected["shares"] <= 14  # exact tests are cautious
    assert 3 <= rejected["sums"] <= 20


def test_several_tasks_together_are_all_their_questions():
    one, two = pairs([(0, 1), (1, 1)]), pairs([(0, 1), (0, 0), (1, 0)])
    whole = joined([one, two])
    assert whole is not None and difference(whole) == difference(pairs([(0, 1), (1, 1), (0, 1), (0, 0), (1, 0)]))
    assert joined([corpus([(1, 2, 3)]), corpus([(2, 1, 3)])]) is None


def test_what_chance_alone_gives_among_several_is_not_called_better():
    lucky = difference(pairs([(0, 1)] * 6 + [(1, 1)] * 20))
    dull = difference(pairs([(0, 1), (1, 0)]))
    together = with_holm({"a": lucky, "b": dull})
    assert lucky.verdict == "better" and lucky.p == 2 / 64
    assert (together["a"].p_holm, together["a"].verdict) == (4 / 64, "unclear")
    assert with_holm({"a": lucky})["a"].p_holm is None


def test_lower_is_better_where_the_metric_says_so():
    shares = [(1, 0)] * 12 + [(0, 0)] * 20
    assert difference(pairs(shares)).verdict == "worse"
    assert difference(pairs(shares, higher_is_better=False)).verdict == "better"


def test_a_base_of_nothing_has_no_percentage():
    assert difference(pairs([(0, 1)] * 8)).relative is None


def test_no_pairs_are_refused():
    with pytest.raises(ValueError, match="no pairs"):
        difference(pairs([]))
    assert Difference.__dataclass_params__.frozen


def test_a_mean_of_tasks_counts_each_alike_and_swaps_the_answers_in_all_of_them():
    small, large = [(0, 1), (0, 1), (1, 1), (0, 0)], [(1, 0), (0, 1), (0, 1), (0, 1), (1, 0), *[(1, 1)] * 7]
    parts = [pairs(small), pairs(large)]
    found = of_tasks(parts, [difference(part) for part in parts])
    changes = [sum((b - a) / len(rows) / 2 for a, b in rows) for rows in (small, large)]
    units = [(b - a) / len(rows) / 2 for rows in (small, large) for a, b in rows if a != b]
    swapped = [sum(u if 2**i & mask else -u for i, u in enumerate(units)) for mask in range(2 ** len(units))]

    assert found.value == pytest.approx(sum(changes)) == pytest.approx((0.5 + 1 / 12) / 2)
    assert found.p == sum(abs(one) >= abs(sum(changes)) - 1e-12 for one in swapped) / len(swapped)
    assert (found.n, found.method) == (16, "mover") and found.low < found.value < found.high
    assert found.value != difference(joined(parts)).value, "which weighs by size"


def test_the_interval_of_a_mean_of_tasks_covers_as_often_as_it_says():
    draw = np.random.default_rng(8)

    def drawn(n, gain, loss):
        one = draw.random(n)
        return pairs([(int(u < loss), int(loss <= u < loss + gain)) for u in one])

    hits = 0
    for _ in range(300):
        parts = [drawn(20, 0.3, 0.1), drawn(200, 0.1, 0.1), drawn(60, 0.2, 0.05)]
        low, high = (one := of_tasks(parts, [difference(part) for part in parts])).low, one.high
        hits += low <= (0.2 + 0 + 0.15) / 3 <= high
    assert 0.92 <= hits / 300 <= 0.99
