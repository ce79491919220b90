"""One ``run.json`` that cannot be read costs its own run, not what is said of the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchctl.errors import RecordError
from benchctl.records import read_runs
from tests.scripted_runs import right_in, run

TASK = "medmcqa-pt"


@pytest.fixture
def stored(tmp_path):
    """Three runs of one task in ``runs``: of a base, of a tuned model, and one that is about to be damaged."""
    out = tmp_path / "runs"
    return [run(out, TASK, name, right_in(range(1, last))) for name, last in (("base", 13), ("tuned", 20), ("hurt", 9))]


def torn(file):
    file.write_bytes(file.read_bytes()[:200])


def edited(file):
    file.write_text(json.dumps({**json.loads(file.read_text()), "counts": {"n": 24}}), "utf-8")


def of_another_schema(file):
    file.write_text(json.dumps({"results": {"acc": 1}}), "utf-8")


def newer(file):
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 2}), "utf-8")


def newer_and_unlike(file):
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 2, "counts": [], "spec": "x"}), "utf-8")


def newer_and_leaner(file):
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 2, "counts": {"n": 24}}), "utf-8")


def no_text(file):
    file.write_bytes(b"\xff\xfe\x00")


def no_file(file):
    file.unlink()
    file.mkdir()


DAMAGES = {
    torn: "Invalid JSON", edited: "it lacks counts.answered", of_another_schema: "id: ", newer: "the format 2",
    newer_and_unlike: "the format 2", newer_and_leaner: "the format 2", no_text: "Invalid JSON", no_file: "cannot be read",
}  # fmt: skip


@pytest.fixture(params=DAMAGES, ids=lambda damage: damage.__name__)
def why(request, stored):
    """What is said of the damaged run."""
    request.param(stored[2].path / "run.json")
    return DAMAGES[request.param]


def told(err, stored, why):
    """Exactly two lines: which run and why, and what to do."""
    warning, hint = [line for line in err.splitlines() if line.startswith(("warning: run", "hint:"))]
    assert warning.startswith(f"warning: run {stored.path.name} is left out: ")
    assert why in warning and len(hint) > len("hint: ")
    return True


def test_the_list_goes_on_with_the_others(benchctl, stored, why):
    ran = benchctl("list", "runs", "--json")

    assert ran.code == 0
    assert [row["run"] for row in json.loads(ran.out)] == [one.record.id for one in stored[:2]]
    assert len(ran.err.splitlines()) == 2 and told(ran.err, stored[2], why)


def test_the_report_goes_on_with_the_others_and_tells_scripts_too(benchctl, stored, why, tmp_path):
    ran = benchctl("report", "--lang", "en", "--json")

    assert ran.code == 0 and told(ran.err, stored[2], why)
    assert json.loads(ran.out)["left_out"] == [f"runs/{TASK}/hurt/{stored[2].record.id}"]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "tuned" in page and "hurt" not in page


@pytest.mark.parametrize("words", [("base", "tuned"), ("--against", "base")])
def test_models_are_compared_without_it_and_it_is_said_once(benchctl, stored, why, words):
    ran = benchctl("compare", *words)

    assert ran.code == 0 and "tuned" in ran.out
    assert told(ran.err, stored[2], why)


def test_a_command_that_names_that_run_stops(benchctl, stored):
    torn(stored[2].path / "run.json")
    named = stored[2].record.id
    others = stored[0].record.id

    for words in (("show", named), ("show", stored[2].path), ("rescore", named), ("compare", others, named[:6])):
        ran = benchctl(*words)
        assert ran.code == 1 and "error: " in ran.err and "is not a run record" in ran.err, words
    ran = benchctl("show", others)
    assert (ran.code, ran.err) == (0, "")


def test_a_model_all_of_whose_runs_are_damaged_is_not_there_and_it_is_said_why(benchctl, stored):
    torn(stored[2].path / "run.json")
    ran = benchctl("compare", "base", "hurt")

    assert ran.code == 1 and "is called 'hurt'" in ran.err
    assert f"run {stored[2].record.id} is left out" in ran.err


def test_who_says_nothing_of_damaged_runs_is_stopped_by_one(stored):
    torn(stored[2].path / "run.json")

    with pytest.raises(RecordError, match="is not a run record"):
        read_runs(stored[2].path.parents[2])


def test_a_folder_without_a_record_is_said_with_its_answers(benchctl, stored):
    """As after a record that was deleted on our own advice, or a run killed before it wrote its first one."""
    (stored[2].path / "run.json").unlink()
    fresh = stored[2].path.parent / "0123456789ab"
    fresh.mkdir()
    (fresh / "lock").touch()
    ran = benchctl("list", "runs", "--json")

    assert ran.code == 0 and len(json.loads(ran.out)) == 2
    assert f"{stored[2].path.relative_to(stored[2].path.parents[3])} has no run.json and 24 answers" in ran.err
    assert f"{fresh.relative_to(fresh.parents[3])} has no run.json and no answers" in ran.err


@pytest.mark.parametrize("line", ['{"id": "1", "val', '{"id": "medmcqa-pt-builtin-001"}', "7"])
def test_damaged_scores_are_made_again_from_the_answers(benchctl, stored, line):
    path = stored[2].path
    scores = path / "scores.jsonl"
    whole = scores.read_bytes()
    scores.write_bytes(f"{line}\n".encode() + whole)
    for words in (("show", path.name), ("compare", "base", "hurt"), ("rescore", path.name)):
        ran = benchctl(*words)
        error, hint = ran.err.strip().splitlines()
        assert ran.code == 1 and "scores.jsonl, line 1: damaged" in error
        assert hint == f"hint: Delete that file and run 'benchctl rescore {path.name}': the answers are kept."
    scores.unlink()
    assert benchctl("rescore", path.name).code == 0
    assert sorted(scores.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_answers_without_a_score_are_told_and_not_left_out(benchctl, stored):
    """As after a copy that broke off, or a run that was killed once it had gone on with an interrupted one."""
    path = stored[2].path
    scores = path / "scores.jsonl"
    whole = scores.read_bytes()
    scores.write_bytes(whole[: len(whole) // 2])
    kept = scores.read_bytes().count(b"\n")
    for words in (("compare", "base", "hurt"), ("judge", path.name, "--judge", "random"),
                  ("annotate", path.name, "--export", "labels.csv"),
                  ("export", "run", path.name, "--format", "lm-eval", "--out", "there")):  # fmt: skip
        ran = benchctl(*words)
        error, hint = ran.err.strip().splitlines()[-2:]
        assert ran.code == 1 and f"before {24 - kept} of its 24 answers were scored, or scores.jsonl lost" in error
        assert f"benchctl rescore {path.name}" in hint
    assert benchctl("rescore", path.name).code == 0
    assert sorted(scores.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_copies_of_a_run_are_told_apart_by_their_paths(benchctl, tmp_path):
    ran = json.loads(benchctl("run", "--task", "cosmosqa-pt", "--model", "longest", "--data", "builtin", "--json").out)
    place = Path(ran[0]["path"])
    shutil.copytree(tmp_path / place, tmp_path / place.with_name("antes"))
    told = benchctl("show", ran[0]["run"])
    assert told.code == 1 and f"Give the path of one: '{place}', " in told.err and "antes'." in told.err
    assert benchctl("show", place.with_name("antes")).code == 0
