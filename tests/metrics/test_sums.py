"""Figures that are no means of samples, and the bootstrap that gives them an interval."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl.bootstrap import of_sums
from benchctl_plugins.metrics.accuracy import Accuracy, AccuracyAnswered
from benchctl_plugins.metrics.classification import AccuracyUnreadFirst, MacroF1
from benchctl_plugins.metrics.corpus import BitsPerByte, Perplexity

from .answers import choice, corpus, free


def mean_of(sums):
    return sums[:, 0] / sums[:, 1]


def test_bootstrap_is_scipys_to_1e_9():
    from scipy.stats import bootstrap

    values = np.random.default_rng(3).gamma(2.0, 1.0, 70)
    ours = of_sums([(v, 1.0) for v in values], mean_of, seed=11, resamples=2000)
    theirs = bootstrap((values,), np.mean, n_resamples=2000, method="BCa", rng=np.random.default_rng(11))
    assert ours.stderr == pytest.approx(theirs.standard_error, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)
    assert ours.method == "bootstrap-bca"


@pytest.mark.filterwarnings("error")
def test_figures_of_200_digits_have_a_standard_error_as_small_ones_have():
    values = np.random.default_rng(3).gamma(2.0, 1.0, 70)
    small = of_sums([(v, 1.0) for v in values], mean_of)
    huge = of_sums([(math.ldexp(v, 700), 1.0) for v in values], mean_of)
    assert huge.stderr == math.ldexp(small.stderr, 700)


def test_samples_of_one_passage_are_drawn_together():
    rng = np.random.default_rng(5)
    passages = np.repeat(np.arange(40), 5)
    values = (rng.random(40)[passages] > 0.5).astype(float)
    rows = [(v, 1.0) for v in values]
    alone, together = of_sums(rows, mean_of), of_sums(rows, mean_of, list(passages))
    assert together.value == alone.value
    assert together.method == "bootstrap-bca-clustered"
    # Five equal answers are one: the standard error grows by the root of five.
    assert together.stderr / alone.stderr == pytest.approx(math.sqrt(5), rel=0.1)


def test_one_sample_has_a_value_and_no_interval():
    estimate = of_sums([(3.0, 2.0)], mean_of)
    assert (estimate.value, estimate.low, estimate.method) == (1.5, None, "none")


def test_equal_samples_have_an_interval_without_width():
    estimate = of_sums([(0.3, 1.0)] * 7, mean_of)
    assert estimate.low == estimate.high == estimate.value == pytest.approx(0.3)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(["A", "B", "C", "D", "E", None])), min_size=2))
def test_macro_f1_is_scikit_learns(pairs):
    from sklearn.metrics import f1_score

    estimate = MacroF1().estimate([choice(label, target, str(i)) for i, (target, label) in enumerate(pairs)])
    right = [target for target, _ in pairs]
    given_ = [label or "none" for _, label in pairs]
    expected = f1_score(right, given_, labels=sorted(set(right)), average="macro", zero_division=0)
    assert estimate.value == pytest.approx(expected, abs=1e-9)
    assert estimate.low <= estimate.high


def test_macro_f1_does_not_reward_a_constant_answer():
    run = [choice("sim", target, str(i), choices=("sim", "não")) for i, target in enumerate(["sim"] * 9 + ["não"])]
    estimate = MacroF1().estimate(run)
    assert estimate.value == pytest.approx((18 / 19 + 0) / 2)
    assert MacroF1().values(run[0]) == {}


def test_macro_f1_of_a_few_answers_that_are_all_right_is_as_doubtful_as_their_share():
    run = [choice(label, label, str(i)) for i, label in enumerate("ABCDAB")]
    found, share = MacroF1().estimate(run), Accuracy().estimate(run)
    assert (found.low, found.high) == pytest.approx((share.low, share.high)) and share.low < 0.7


def test_unread_answers_may_be_counted_as_the_first_option_for_comparison():
    run = [choice("B", "B", "0"), choice(None, "A", "1"), choice(None, "C", "2"), choice("A", "D", "3")]
    assert AccuracyUnreadFirst().estimate(run).value == 0.5


def test_perplexity_and_bits_weigh_texts_by_their_length():
    run = [corpus(-10.0, 5, 40, "0"), corpus(-90.0, 20, 100, "1"), corpus(-1.0, 2, 9, "2")]
    perplexity, bits = Perplexity().estimate(run), BitsPerByte().estimate(run)
    assert perplexity.value == pytest.approx(math.exp(101 / 27), abs=1e-9)
    assert bits.value == pytest.approx(101 / math.log(2) / 149, abs=1e-9)
    assert not perplexity.higher_is_better and not bits.higher_is_better
    assert perplexity.low < perplexity.value < perplexity.high
    assert Perplexity().value(run[0]) == pytest.approx(math.exp(2))


@pytest.mark.parametrize("metric", [Accuracy, AccuracyAnswered, AccuracyUnreadFirst, MacroF1])
def test_shares_of_right_options_keep_out_of_texts_and_corpora(metric):
    # As 0 %, with an interval, they would be figures of something nobody was asked.
    assert metric().estimates([corpus(-20.0, 10, 40), free("Beba água.", "Beba muita água.", "1")]) == {}


@pytest.mark.filterwarnings("error")
def test_there_is_no_perplexity_that_no_number_holds_and_bits_per_byte_stay():
    # Weights that diverged: e to the power of 1000 was written as inf, its interval as nan, and compared with p 0.
    run = [corpus(-1000.0 * n, n, 4 * n) for n in (10, 20, 5)] + [corpus(-9.0, 3, 12)]
    assert Perplexity().estimate(run) is None and Perplexity().value(run[0]) is None
    assert Perplexity().value(run[3]) == pytest.approx(math.exp(3))
    assert BitsPerByte().estimate(run).value > 300


def test_perplexity_keeps_out_of_multiple_choice():
    assert Perplexity().estimate([choice("A", "A")]) is None
