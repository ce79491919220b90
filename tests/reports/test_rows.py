"""What makes a row, which run fills a cell, and what a cell says about itself."""

from __future__ import annotations

import pytest

from benchctl_reports.asides import detail
from benchctl_reports.board import Cell, Leaderboard, Row
from benchctl_reports.language import load_language
from benchctl_reports.leaderboard import build_leaderboard


def rows(board: Leaderboard) -> list[Row]:
    return [row for section in board.sections for row in section.rows]


def test_runs_of_one_model_on_several_tasks_are_one_row(record):
    board = build_leaderboard([record("medqa-pt", "m", 400), record("medmcqa-pt", "m", 1348)])

    (row,) = rows(board)
    assert row.model == "m"
    assert row.cells["medmcqa-pt"].estimate.value == pytest.approx(1348 / 4183)
    assert (board.rows, board.cells) == (1, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"shots": 5}, {"scoring": "perplexity"}, {"seed": 1}, {"prompt_template": "{{ question }}"},
        {"weights": "retrained"}, {"scoring": "generate", "max_tokens": 64},
    ],
)  # fmt: skip
def test_nothing_that_changes_a_result_is_mixed_in_one_row(record, other):
    board = build_leaderboard([record("medqa-pt", "m", 400), record("medmcqa-pt", "m", 1400, **other)])

    assert len(rows(board)) == 2


@pytest.mark.parametrize("other", [{"max_tokens": 64}, {"shots_data": "hub"}, {"limit": 10, "n": 10}])
def test_settings_that_do_not_apply_or_only_shorten_the_run_make_no_new_row(record, other):
    board = build_leaderboard([record("medqa-pt", "m", 400), record("medmcqa-pt", "m", 5, **other)])

    assert len(rows(board)) == 1


def test_a_file_of_examples_is_one_however_it_was_named_and_is_shown_without_its_folders(record, monkeypatch, tmp_path):
    """A name of [data] is a path from the root, with the name of a person in it."""
    monkeypatch.chdir(tmp_path)
    given = [record("medqa-pt", "m", 400, shots=3, shots_data="treino/linhas.csv"),
             record("medmcqa-pt", "m", 1400, shots=3, shots_data=str(tmp_path / "treino" / "linhas.csv"))]  # fmt: skip
    (row,) = rows(build_leaderboard(given))
    assert detail(row, load_language("pt"))[-1] == "exemplos: linhas.csv"


def test_the_same_name_for_two_models_is_told_apart_by_their_hash(record):
    board = build_leaderboard([record("medqa-pt", "m", 400), record("medqa-pt", "m", 410, weights="retrained")])

    assert [row.show_fingerprint for row in rows(board)] == [True, True]
    assert len({row.key.fingerprint for row in rows(board)}) == 2


def test_a_model_is_called_by_the_name_it_was_asked_for_by_and_without_one_by_its_own(record):
    folder = {"name": "final"}
    board = build_leaderboard(
        [
            record("medqa-pt", "sem-limpeza", 300, weights="1", manifest=folder),
            record("medqa-pt", "com-limpeza", 400, weights="2", manifest=folder),
            record("medqa-pt", "hf:exp3/final", 200, weights="3", manifest=folder),
        ]
    )

    assert [row.model for row in rows(board)] == ["com-limpeza", "sem-limpeza", "final"]


def test_a_row_says_how_its_weights_are_held_and_which_adapter_is_on_them(record):
    """All three models call themselves after the base."""
    nf4 = {"quantisation": {"scheme": "nf4"}}
    board = build_leaderboard([
        record("medqa-pt", "tiny", 400),
        record("medqa-pt", "tiny", 390, weights="a", manifest=nf4),
        record("medqa-pt", "tiny", 410, weights="b", manifest={**nf4, "adapter": {"name": "med-lora"}}),
    ])  # fmt: skip

    said = [(row.adapter, row.quantisation, row.untrained) for row in rows(board)]
    assert said == [("med-lora", "nf4", False), ("", "", True), ("", "nf4", True)]


def test_the_latest_run_fills_the_cell(record):
    old = record("medqa-pt", "m", 400, finished="2026-01-01T00:00:00+00:00")
    new = record("medqa-pt", "m", 410, finished="2026-02-01T00:00:00+00:00", questions="mended")

    assert rows(build_leaderboard([new, old]))[0].cells["medqa-pt"].record is new


def test_a_complete_run_goes_before_a_later_incomplete_one_and_a_whole_one_before_a_later_subset(record):
    whole = record("medqa-pt", "m", 400, finished="2026-01-01T00:00:00+00:00")
    broken = record("medqa-pt", "m", 410, errors=3, finished="2026-02-01T00:00:00+00:00")
    subset = record("medqa-pt", "m", 100, n=200, finished="2026-03-01T00:00:00+00:00")

    assert rows(build_leaderboard([whole, broken, subset]))[0].cells["medqa-pt"].record is whole


def test_a_run_without_any_answer_has_a_cell_without_a_number(record):
    board = build_leaderboard([record("medqa-pt", "m", 0, errors=1273, outcomes={})])

    cell = rows(board)[0].cells["medqa-pt"]
    assert isinstance(cell, Cell)
    assert cell.estimate is None and not cell.complete


def test_the_built_in_sample_has_a_section_of_its_own_at_the_end(record):
    sample = record("medqa-pt", "m", 12, total=24, source="builtin", builtin=True)
    board = build_leaderboard([sample, record("medqa-pt", "m", 400)])

    assert [(s.sources, s.builtin) for s in board.sections] == [
        (("drbyte_ptbr_teste.csv",), False),
        (("builtin",), True),
    ]


def test_files_that_hold_different_tasks_share_a_section_and_files_that_hold_the_same_task_do_not(record):
    board = build_leaderboard(
        [
            record("medqa-pt", "m", 400, source="a.csv"),
            record("medmcqa-pt", "m", 400, source="a.csv"),
            record("medqa-pt", "m", 500, source="a-mended.csv"),
            record("cosmosqa-pt", "m", 900, source="hub:heloisy/cosmos_qa_ptbr", revision="abc"),
        ]
    )

    assert [s.sources for s in board.sections] == [("a.csv", "hub:heloisy/cosmos_qa_ptbr@abc"), ("a-mended.csv",)]


def test_a_file_is_shown_by_its_name_unless_another_has_the_same(record):
    one, other = record("medqa-pt", "m", 400, source="/home/ana/a.csv"), record("medqa-pt", "m", 410, source="b/a.csv")

    assert [s.sources for s in build_leaderboard([one]).sections] == [("a.csv",)]
    assert [s.sources for s in build_leaderboard([one, other]).sections] == [("/home/ana/a.csv",), ("b/a.csv",)]
    assert rows(build_leaderboard([one]))[0].cells["medqa-pt"].source == "a.csv"


def test_a_file_named_by_its_path_and_in_benchctl_toml_is_one_source(record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [record("medqa-pt", "m", 400, source="data/a.csv"),
            record("pubmedqa-pt", "m", 200, source=str(tmp_path / "data/a.csv"))]  # fmt: skip

    (section,) = build_leaderboard(runs).sections
    assert section.sources == ("a.csv",) and len(section.rows) == 1


def test_two_revisions_of_a_dataset_are_never_side_by_side(record):
    runs = [record("medqa-pt", "m", 400, source="hub:x", revision=r) for r in ("one", "two")]

    assert [s.sources for s in build_leaderboard(runs).sections] == [("hub:x@one",), ("hub:x@two",)]


def test_rows_begin_with_the_best_of_the_fullest_column_and_end_with_those_without_a_value(record):
    board = build_leaderboard(
        [
            record("cosmosqa-pt", "only-cosmos", 2900),
            record("medqa-pt", "weak", 300),
            record("medqa-pt", "strong", 800),
        ]
    )

    assert board.sorted_by == "medqa-pt"
    assert [row.model for row in rows(board)] == ["strong", "weak", "only-cosmos"]


def test_baselines_are_known_by_name_or_by_what_their_model_says(record):
    board = build_leaderboard(
        [record("medqa-pt", "majority", 353), record("medqa-pt", "coin", 300, manifest={"baseline": True}),
         record("medqa-pt", "m", 400)]
    )  # fmt: skip

    assert {row.model: row.baseline for row in rows(board)} == {"majority": True, "coin": True, "m": False}


def test_untrained_models_are_known_by_name_or_by_what_their_model_says(record):
    board = build_leaderboard(
        [record("medqa-pt", "tiny,dtype=float16", 300), record("medqa-pt", "noise", 310, manifest={"untrained": True}),
         record("medqa-pt", "hf:tinyllama", 400)]
    )  # fmt: skip

    assert {row.model: row.untrained for row in rows(board)} == {
        "tiny,dtype=float16": True, "noise": True, "hf:tinyllama": False,
    }  # fmt: skip


def test_a_task_without_accuracy_shows_its_first_metric(record):
    from benchctl.types import Estimate

    chrf = {"chrf": Estimate(41.2, 300, 0.5, 40.1, 42.3, "bootstrap-bca")}
    board = build_leaderboard([record("long-answer-pt", "m", 0, total=300, estimates=chrf)])

    (column,) = board.columns
    assert (column.metric, column.percent, column.chance) == ("chrf", False, None)
    assert rows(board)[0].cells["long-answer-pt"].estimate.value == 41.2


def test_no_runs_make_an_empty_leaderboard():
    board = build_leaderboard([])

    assert (board.columns, board.sections, board.rows, board.cells) == ((), (), 0, 0)
