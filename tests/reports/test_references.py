"""Figures others reported: with their source, apart from what was measured, and never invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchctl.errors import PluginError
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.reference_scores import FILE, KINDS, as_reference, multiple_choice

SHARED = Path(__file__).parents[3] / "shared" / "data" / "reference_scores.json"
ROW = {"model": "X", "kind": "reported", "language": "en", "scoring": "papers", "source": "Someone (2024)",
       "scores": {"medqa-pt": 61.5}}  # fmt: skip


def test_every_row_of_the_data_file_says_what_its_figures_are():
    for row in multiple_choice():
        reference = as_reference(row, "source-studies")
        assert reference.kind in KINDS
        assert reference.language == ("en" if reference.kind == "reported" else "pt")
        assert reference.source.startswith(("Figueredo (2024)", "Rodrigues (2024)"))
        assert set(reference.note) == {"pt", "en"}
        assert reference.parameters is None or reference.parameters > 1e6


@pytest.mark.skipif(not SHARED.exists(), reason="needs the project's shared data folder, which is not there")
def test_the_figures_are_those_of_the_studies_to_the_digit():
    studies = json.loads(SHARED.read_text(encoding="utf-8"))
    shipped = json.loads(FILE.read_text(encoding="utf-8"))

    assert {r["model"]: r["scores"] for r in shipped["multiple_choice"]} == {
        r["model"]: r["scores"] for r in studies["multiple_choice"]
    }
    for section in ("judge", "perplexity", "summarization"):
        for ours, theirs in zip(shipped[section], studies[section], strict=True):
            assert ours["model"] == theirs["model"]
            assert ours["measures"].items() <= theirs.items()


def test_a_parameter_count_the_source_contradicts_itself_about_is_unknown():
    gpt2 = [row for row in multiple_choice() if row["model"].startswith("GPT-2 1.5B")]

    assert [row["parameters"] for row in gpt2] == [None, None]
    assert "124" in gpt2[0]["note"]["en"]


def test_only_references_with_a_score_for_a_shown_task_are_shown(record):
    references = [as_reference(row, "source-studies") for row in multiple_choice()]
    board = build_leaderboard([record("cosmosqa-pt", "m", 1500)], references)

    assert {r.source.split(" (")[0] for r in board.references} == {"Rodrigues"}
    assert [r.scores["cosmosqa-pt"] for r in board.references] == [81.03, 81.03, 79.73, 72.4, 58.27, 43.18]


def test_references_never_count_as_rows_or_as_best(record):
    board = build_leaderboard([record("medqa-pt", "m", 400), record("medqa-pt", "n", 300)], [as_reference(ROW, "x")])

    assert board.rows == 2
    assert board.sections[0].rows[0].cells["medqa-pt"].mark == "best"


def test_an_accuracy_is_no_reference_for_another_metric(record):
    from benchctl.types import Estimate

    chrf = {"chrf": Estimate(41.2, 300, 0.5, 40.1, 42.3, "bootstrap-bca")}
    run = record("long-answer-pt", "m", 0, total=300, estimates=chrf)

    assert not build_leaderboard([run], [as_reference({**ROW, "scores": {"long-answer-pt": 50}}, "x")]).references


@pytest.mark.parametrize("missing", ["model", "kind", "language", "scoring", "source", "scores"])
def test_a_row_without_one_of_its_facts_is_refused(missing):
    with pytest.raises(PluginError, match=f"'mine': a row has no {missing}"):
        as_reference({k: v for k, v in ROW.items() if k != missing}, "mine")


@pytest.mark.parametrize("wrong", [{"kind": "guessed"}, {"scores": {"medqa-pt": "high"}}, {"scores": {"medqa-pt": 150}},
                                   {"scores": [61.5]}, {"parameters": "7B"}])  # fmt: skip
def test_a_row_with_something_wrong_is_refused(wrong):
    with pytest.raises(PluginError, match="'mine'"):
        as_reference({**ROW, **wrong}, "mine")


def test_a_note_may_be_one_text_for_all_languages():
    assert list(as_reference({**ROW, "note": "own words"}, "x").note.values()) == ["own words"]
