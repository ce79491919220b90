"""What several answers to each question are worth together, in two runs: shares of questions, paired as any share is."""

import pytest

from benchctl.metric import Scored
from benchctl.pairing import Pairs, difference
from benchctl.types import Answer, Sample
from benchctl_plugins.metrics.repeats import AccuracyAny, AccuracyMajority


def answered(questions):
    """One string per question, a letter per answer; B is right."""
    return [
        Scored(
            Sample(f"{q}#{draw}", "?", choices={"A": "a", "B": "b"}, target="B", cluster=str(q), repeat_of=str(q)),
            (),
            Answer(letter, "choice"),
        )
        for q, letters in enumerate(questions)
        for draw, letter in enumerate(letters)
    ]


def paired(metric, first, second):
    one, two = (metric.as_sums(answered(questions), metric.name) for questions in (first, second))
    rows = [(a, b) for a, b in zip(one.rows, two.rows, strict=True) if a and b]
    ids = [str(place) for place in range(len(rows))]
    return difference(Pairs(ids, [a for a, _ in rows], [b for _, b in rows], ids, one.figure, True, True))


@pytest.mark.parametrize("metric", [AccuracyMajority(), AccuracyAny()])
def test_right_and_wrong_questions_are_compared_as_right_and_wrong_answers_are(metric):
    # Three of 25 questions gained: a bootstrap of them ended at 4 and 32 points, without 0, where p is 0.25.
    found = paired(metric, ["AAA"] * 25, ["BBB"] * 3 + ["AAA"] * 22)
    assert (found.method, found.test, found.gained, found.lost, found.n) == ("tango", "mcnemar-exact", 3, 0, 25)
    assert found.low < 0 < found.value == pytest.approx(0.12) and found.p == 0.25


def test_all_questions_gained_leave_a_width():
    found = paired(AccuracyMajority(), ["AAA"] * 8, ["BBA"] * 8)
    assert found.low < 0.75 and found.high == 1.0


def test_a_draw_of_votes_counts_in_part():
    found = paired(AccuracyMajority(), ["AB"] * 4 + ["AA"] * 4, ["BB"] * 4 + ["AA"] * 4)
    assert (found.first, found.second, found.method) == (0.25, 0.5, "t")
