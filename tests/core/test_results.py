"""A group's result: what its members would have given as one task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchctl.records import RunFolder
from benchctl.results import as_result, pool
from benchctl.types import Response
from tests.scripted_runs import run


def replies(right: int, unread: int):
    """Names the right option in the first questions, none in the last ones of 12, and a wrong one in between."""

    def script(request, sample):
        place = int(sample.id.rsplit("-", 1)[1])
        if place > 12 - unread:
            return Response(text="Desculpe, não sei responder.")
        wrong = next(label for label in sample.choices if label != sample.target)
        return Response(text=f"Resposta: {sample.target if place <= right else wrong}")

    return script


def member(out, task: str, right: int, unread: int):
    """What ``benchctl run`` gives for one of the twelve-question samples of MMLU."""
    made = run(out, task, "m", replies(right, unread), scoring="generate")
    return as_result(made.record, RunFolder(made.path))


ANATOMY, GENETICS = "mmlu-anatomy-pt", "mmlu-medical-genetics-pt"


@pytest.mark.parametrize("turned", [False, True])
def test_a_member_whose_answers_were_all_read_counts_whole_among_the_answered(tmp_path, turned):
    both = [member(tmp_path, ANATOMY, 8, 0), member(tmp_path, GENETICS, 3, 6)]
    group = pool("group", both[::-1] if turned else both)

    assert "accuracy_answered" not in both[0].estimates and both[1].estimates["accuracy_answered"].n == 6
    answered = group.estimates["accuracy_answered"]
    assert (answered.n, answered.value) == (12 + 6, pytest.approx((8 + 3) / (12 + 6)))
    assert group.estimates["accuracy"].value == pytest.approx((8 + 3) / 24)
    assert list(group.estimates)[:2] == ["accuracy", "accuracy_answered"]


def test_a_member_with_no_answer_that_names_an_option_adds_none(tmp_path):
    group = pool("group", [member(tmp_path, ANATOMY, 0, 12), member(tmp_path, GENETICS, 3, 6)])

    assert (group.estimates["accuracy"].n, group.estimates["accuracy"].value) == (24, pytest.approx(3 / 24))
    assert (group.estimates["accuracy_answered"].n, group.estimates["accuracy_answered"].value) == (6, 3 / 6)


def test_members_count_alike_in_the_metrics_of_which_the_group_says_so(tmp_path):
    both = [member(tmp_path, ANATOMY, 8, 0), member(tmp_path, GENETICS, 3, 6)]
    by_size = pool("group", both).estimates
    group = pool("group", both, ("accuracy", "accuracy_answered")).estimates

    assert group["accuracy"].value == pytest.approx((8 / 12 + 3 / 12) / 2)
    assert group["accuracy_answered"].value == pytest.approx((8 / 12 + 3 / 6) / 2)
    assert group["length"] == by_size["length"]


def test_the_answered_ones_are_weighed_as_the_accuracy_they_stand_beside(tmp_path):
    both = [member(tmp_path, ANATOMY, 8, 0), member(tmp_path, GENETICS, 3, 6)]
    group = pool("group", both, ("accuracy",)).estimates

    assert group["accuracy_answered"].value == pytest.approx((8 / 12 + 3 / 6) / 2)


def test_a_group_is_as_far_as_its_worst_member(tmp_path):
    one = member(tmp_path, ANATOMY, 8, 0)
    order = ("complete", "incomplete", "running", "interrupted")
    for place, status in enumerate(order):
        for better in order[: place + 1]:
            both = [replace(one, status=better), replace(one, status=status)]
            assert pool("group", both).status == pool("group", both[::-1]).status == status


def test_where_every_answer_was_read_the_figure_is_left_out_as_in_the_members(tmp_path):
    group = pool("group", [member(tmp_path, ANATOMY, 8, 0), member(tmp_path, GENETICS, 3, 0)])

    assert group.counts["outcomes"] == {"choice": 24} and "accuracy_answered" not in group.estimates
