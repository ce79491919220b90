"""Best, not separable, not above chance: simple rules, and never across different questions."""

from __future__ import annotations

from benchctl.types import Estimate
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render


def marks(runs, task="medqa-pt", **kwargs):
    board = build_leaderboard(runs, **kwargs)
    return {row.model: row.cells[task].mark for s in board.sections for row in s.rows if task in row.cells}


def test_the_highest_is_best_and_overlapping_intervals_are_not_separable_from_it(record):
    runs = [record("medqa-pt", "a", 800), record("medqa-pt", "b", 780), record("medqa-pt", "c", 500)]

    assert marks(runs) == {"a": "best", "b": "tied", "c": ""}


def test_equal_values_are_equally_best(record):
    assert marks([record("medqa-pt", "a", 800), record("medqa-pt", "b", 800)]) == {"a": "best", "b": "best"}


def test_a_baseline_can_be_the_best(record):
    assert marks([record("medqa-pt", "majority", 353), record("medqa-pt", "m", 250)])["majority"] == "best"


def test_one_row_alone_is_not_called_best(record):
    assert marks([record("medqa-pt", "a", 800)]) == {"a": ""}


def test_a_subset_is_not_compared_with_the_whole(record):
    runs = [record("medqa-pt", "lucky", 190, n=200), record("medqa-pt", "a", 800), record("medqa-pt", "b", 500)]

    assert marks(runs) == {"lucky": "", "a": "best", "b": ""}


def test_the_same_subset_is_compared(record):
    runs = [record("medqa-pt", "a", 150, n=200), record("medqa-pt", "b", 100, n=200)]

    assert marks(runs) == {"a": "best", "b": ""}


def test_incomplete_runs_are_not_compared(record):
    runs = [record("medqa-pt", "broken", 1000, errors=100), record("medqa-pt", "a", 800), record("medqa-pt", "b", 500)]

    assert marks(runs) == {"broken": "", "a": "best", "b": ""}


def trained_on(**leaks):
    return {"training": {"recipe": "r", "data": {"leaks": {name.replace("_", "-"): n for name, n in leaks.items()}}}}


def test_a_model_trained_on_questions_of_the_test_takes_no_part(record):
    leaky = record("medqa-pt", "leaky", 1200, manifest=trained_on(medqa_pt=7))
    other = record("medqa-pt", "other", 900, manifest=trained_on(medmcqa_pt=7, medqa_pt=0))
    runs = [leaky, record("medqa-pt", "a", 800), record("medqa-pt", "b", 500)]

    assert marks(runs) == {"leaky": "", "a": "best", "b": ""}
    assert marks([*runs, other]) == {"leaky": "", "other": "best", "a": "", "b": ""}
    assert marks(runs[:2]) == {"leaky": "", "a": ""}, "nothing is left to be better than"


def test_a_group_with_one_such_member_takes_no_part_and_says_which(record, groups):
    mmlu = groups[0].members
    runs = [record(t, m, r) for m, r in (("a", 60), ("b", 40)) for t in mmlu]
    told = trained_on(**{mmlu[1].replace("-", "_"): 5, mmlu[3].replace("-", "_"): 2, "medqa_pt": 9})
    leaky = [record(t, "leaky", 95, manifest=told) for t in mmlu]

    assert marks([*runs, *leaky], mmlu[0]) == {"leaky": "best", "a": "", "b": ""}
    assert marks([*runs, *leaky], mmlu[1]) == {"leaky": "", "a": "best", "b": "tied"}
    assert marks([*runs, *leaky], "mmlu-medical-pt", groups=groups) == {"leaky": "", "a": "best", "b": ""}
    (row,) = build_leaderboard([*runs, *leaky], groups=groups).leaked
    assert row.leaks == row.cells["mmlu-medical-pt"].leaks == {mmlu[1]: 5, mmlu[3]: 2}
    assert row.cells["mmlu-medical-pt"].leaked == 7


def test_where_lower_is_better_the_lowest_is_best(record):
    def run(model, value):
        perplexity = Estimate(value, 100, 0.1, value - 0.2, value + 0.2, "bootstrap-bca", higher_is_better=False)
        return record("corpus-pt", model, 0, total=100, estimates={"perplexity": perplexity})

    assert marks([run("a", 4.0), run("b", 4.3), run("c", 9.0)], task="corpus-pt") == {"a": "best", "b": "tied", "c": ""}


def test_groups_are_marked_only_over_the_same_questions_of_all_members(record, groups):
    mmlu = groups[0].members
    runs = [record(t, m, r) for m, r in (("a", 90), ("b", 40)) for t in mmlu]
    partial = [record(t, "c", 95) for t in mmlu[:5]]

    assert marks([*runs, *partial], "mmlu-medical-pt", groups=groups) == {"a": "best", "b": "", "c": ""}


def test_other_versions_of_the_data_under_one_name_are_not_compared_and_show_their_hash(record):
    runs = [record("medqa-pt", "a", 800), record("medqa-pt", "b", 500, questions="edited since")]
    board = build_leaderboard(runs)

    cells = [row.cells["medqa-pt"] for row in board.sections[0].rows]
    assert [cell.mark for cell in cells] == ["", ""]
    assert all(cell.data_differ for cell in cells)


def test_figures_of_other_judges_are_not_compared_and_each_says_whose_they_are(record):
    def judged(model, points, judges):
        by = {"by": "judge", "rubric": "long-answer-pt", "rubric_digest": "f" * 64, "judges": judges, "draws": 1}
        total = {"judge_total": Estimate(points, 80, 0.2, points - 0.4, points + 0.4, "bootstrap-bca")}
        return record("long-answer-pt", model, 0, total=80, estimates=total, added={"judge_total": by})

    runs = [judged("a", 9.0, ["hf:/home/ana/juiz,dtype=x", "openai:g"]), judged("b", 8.0, ["openai:g"]),
            judged("c", 7.0, ["openai:g", "hf:/home/ana/juiz,dtype=x"])]  # fmt: skip
    assert marks(runs, "long-answer-pt") == {"a": "best", "b": "", "c": ""}
    assert marks(runs[1:], "long-answer-pt") == {"b": "", "c": ""}

    page = render(build_leaderboard(runs), "pt")
    assert "julgada por hf:juiz, openai:g" in page and "rubrica long-answer-pt (ffffffffffff)" in page
    assert "/home/ana" not in page, "folders tell of a person"


def test_an_interval_that_reaches_down_to_a_blind_guess_is_said_to(record):
    runs = [record("medqa-pt", "m", 330), record("medqa-pt", "n", 600), record("medqa-pt", "below", 100)]
    board = build_leaderboard(runs)

    near = {row.model: row.cells["medqa-pt"].near_chance for row in board.sections[0].rows}
    assert near == {"m": True, "n": False, "below": True}
