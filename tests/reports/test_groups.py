"""Groups: the mean weighted by size when every member is there, and how many are there when not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchctl.statistics import wilson
from benchctl_reports.board import GroupCell
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render

MMLU = {
    "mmlu-anatomy-pt": (60, 135), "mmlu-clinical-knowledge-pt": (150, 265), "mmlu-college-biology-pt": (70, 144),
    "mmlu-college-medicine-pt": (80, 173), "mmlu-medical-genetics-pt": (50, 100),
    "mmlu-professional-medicine-pt": (130, 272),
}  # fmt: skip


def group_cell(board, task: str) -> GroupCell:
    cell = board.sections[0].rows[0].cells[task]
    assert isinstance(cell, GroupCell)
    return cell


def test_a_whole_group_shows_the_share_of_all_its_questions(record, groups):
    board = build_leaderboard([record(task, "m", right) for task, (right, _) in MMLU.items()], groups=groups)

    cell = group_cell(board, "mmlu-medical-pt")
    assert cell.estimate.value == pytest.approx(540 / 1089)
    assert (cell.estimate.low, cell.estimate.high) == pytest.approx(wilson(540 / 1089, 1089), abs=0.0005)
    assert cell.estimate.n == cell.n == cell.total == 1089
    assert cell.complete


def test_a_group_with_missing_members_says_how_many_are_there_and_gives_no_number(record, groups):
    four = list(MMLU)[:4]
    board = build_leaderboard([record(task, "m", 60) for task in four], groups=groups)

    cell = group_cell(board, "mmlu-medical-pt")
    assert cell.estimate is None
    assert (cell.present, cell.wanted) == (4, 6)
    assert not cell.complete


def test_a_group_says_what_was_right_among_the_answered_as_its_members_do(record, groups, table):
    unread = {"mmlu-anatomy-pt": 35, "mmlu-medical-genetics-pt": 20}
    runs = [record(task, "m", right, outcomes={"choice": n - unread.get(task, 0), "none": unread.get(task, 0)})
            for task, (right, n) in MMLU.items()]  # fmt: skip
    board = build_leaderboard(runs, groups=groups)
    answered = group_cell(board, "mmlu-medical-pt").answered

    assert (answered.n, answered.value) == (1089 - 55, pytest.approx(540 / 1034))
    shown = next(row for row in table(render(board, "pt")) if row[0].startswith("m "))
    assert "52,2% das 1.034 respondidas" in shown[2]
    all_read = build_leaderboard([record(task, "m", right) for task, (right, _) in MMLU.items()], groups=groups)
    assert group_cell(all_read, "mmlu-medical-pt").answered is None
    some = build_leaderboard(runs[:4], groups=groups)
    assert group_cell(some, "mmlu-medical-pt").answered is None, "no mean, so none of the answered either"


def test_a_member_without_any_answer_is_missing_too(record, groups):
    runs = [record(task, "m", right) for task, (right, _) in list(MMLU.items())[:5]]
    silent = record("mmlu-professional-medicine-pt", "m", 0, errors=272, outcomes={})

    cell = group_cell(build_leaderboard([*runs, silent], groups=groups), "mmlu-medical-pt")
    assert cell.estimate is None
    assert (cell.present, cell.wanted) == (5, 6)


def test_a_mean_over_subsets_says_so(record, groups):
    board = build_leaderboard([record(task, "m", 20, n=50) for task in MMLU], groups=groups)

    cell = group_cell(board, "mmlu-medical-pt")
    assert cell.subset
    assert (cell.n, cell.total) == (300, 1089)


def test_a_mean_with_a_part_of_sorted_data_in_it_says_so(record, groups, table):
    runs = [record(task, "m", right, n=50) for task, right in zip(MMLU, (50, 12, 13, 12, 13, 12), strict=True)]
    runs[0] = replace(runs[0], data={**runs[0].data, "lopsided": "A"})

    def mean(count: int) -> str:
        page = render(build_leaderboard(runs[:count], groups=groups), "pt")
        return next(row for row in table(page) if row[0].startswith("m "))[2]

    assert "dados ordenados em mmlu-anatomy-pt: a média não vale pelo todo" in mean(6)
    assert "dados ordenados" not in mean(5), "there is no mean yet"


def test_members_of_another_set_up_do_not_fill_a_group(record, groups):
    first, *others = MMLU
    runs = [record(task, "m", 60) for task in others] + [record(first, "m", 60, shots=5)]

    board = build_leaderboard(runs, groups=groups)
    cells = [row.cells["mmlu-medical-pt"] for row in board.sections[0].rows]
    assert sorted((c.present, c.estimate) for c in cells) == [(1, None), (5, None)]


def test_chance_of_a_group_is_weighted_as_its_mean_is(record, groups):
    tasks = ["medqa-pt", "medmcqa-pt", "pubmedqa-pt", *MMLU]
    board = build_leaderboard([record(task, "m", 60) for task in tasks], groups=groups)

    expected = (0.25 * (7045 - 500) + 500 / 3) / 7045
    assert board.columns[0].task == "multimedqa-pt"
    assert board.columns[0].chance == pytest.approx(expected)
    assert group_cell(board, "multimedqa-pt").chance == pytest.approx(expected)


def test_columns_go_from_the_larger_group_to_the_smaller_and_each_is_followed_by_its_own_tasks(record, groups):
    tasks = ["cosmosqa-pt", *MMLU, "pubmedqa-pt", "medqa-pt"]
    board = build_leaderboard([record(task, "m", 60) for task in tasks], groups=groups)

    assert [column.task for column in board.columns] == [
        "multimedqa-pt", "medqa-pt", "pubmedqa-pt", "mmlu-medical-pt", *MMLU, "cosmosqa-pt",
    ]  # fmt: skip
    assert {c.task: c.group for c in board.columns}["mmlu-anatomy-pt"] == "mmlu-medical-pt"


def test_a_group_nobody_began_to_run_has_no_column(record, groups):
    board = build_leaderboard([record("medqa-pt", "m", 400)], groups=groups)

    assert [column.task for column in board.columns] == ["medqa-pt"]
