"""``benchctl rescore``: figures of what was answered, also where the run never ended in order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchctl.additions import add_figures
from benchctl.records import RunFolder, StoredRun
from benchctl.rescoring import rescored
from tests.scripted_runs import right_in, run


def test_calls_that_failed_and_were_retried_before_the_kill_are_no_errors_any_more(tmp_path):
    stored = run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)))
    folder = RunFolder(stored.path)
    ids = [score.id for score in folder.scores()]
    failed = tuple({"id": one, "reason": "503"} for one in ids[:3])
    earlier = {**stored.record.counts, "answered": len(ids) - 3, "errors": 3}
    folder.save_record(replace(stored.record, status="running", counts=earlier, errors=failed, estimates={}))

    again = rescored(StoredRun(folder.record(), stored.path))
    assert (again.status, again.counts, again.errors) == ("complete", stored.record.counts, ())
    assert again.estimates == stored.record.estimates

    lines = (stored.path / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (stored.path / "samples.jsonl").write_bytes(b"".join(line for line in lines if f'"{ids[0]}"'.encode() not in line))
    folder.save_record(replace(stored.record, status="running", counts=earlier, errors=failed, estimates={}))
    again = rescored(StoredRun(folder.record(), stored.path))
    assert (again.status, again.counts["answered"], again.counts["errors"]) == ("interrupted", len(ids) - 1, 1)
    assert again.errors == failed[:1]


def test_a_run_whose_samples_ask_nothing_besides_their_options_is_scored_again(benchctl, tmp_path):
    # As BLiMP: 'doc_to_text' is empty, and each option a whole sentence.
    (tmp_path / "d.jsonl").write_text('{"good": "Ele come.", "bad": "Ele comem."}\n' * 3, "utf-8")
    (tmp_path / "pares.yaml").write_text(
        "task: pares\ndataset_path: json\ndataset_kwargs: {data_files: {test: d.jsonl}}\ntest_split: test\n"
        'output_type: multiple_choice\ndoc_to_text: ""\ndoc_to_target: 0\ndoc_to_choice: "{{[good, bad]}}"\n'
        "metric_list: [{metric: acc}]\n",
        "utf-8",
    )
    ran = json.loads(benchctl("run", "--task", "lm-eval:pares.yaml", "--model", "longest", "--json").out)[0]
    again = benchctl("rescore", ran["path"], "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)[0]["metrics"]["acc"]["value"] == ran["metrics"]["acc"]["value"]


def test_what_was_added_to_an_unfinished_run_does_not_go_without_a_word_when_it_is_finished(benchctl, tmp_path):
    asked = ("run", "--task", "medmcqa-pt", "--model", "random", "--data", "builtin", "--json")
    path = tmp_path / json.loads(benchctl(*asked).out)[0]["path"]
    lines = (path / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (path / "samples.jsonl").write_bytes(b"".join(lines[:20]))
    folder = RunFolder(path)
    folder.save_record(replace(folder.record(), status="running"))
    assert benchctl("rescore", str(path), "--metric", "macro_f1").code == 0
    grade = folder.record().estimates["accuracy"]
    add_figures(folder, "judge", {"judge": "j"}, {"judge_total": grade}, {})

    ran = benchctl(*asked)
    assert json.loads(ran.out)[0]["n"] == 24
    assert "judge_total, macro_f1" in ran.err and "of the answers there were before" in ran.err
    assert "the answers there were before" not in benchctl(*asked).err


@pytest.mark.parametrize("reach", ["lm-eval:evil,include_path={folder}", "lm-eval:{folder}/evil.yaml",
                                   "lm-eval:evil,include_path=.", "lm-eval:evil,include_path={link}"])  # fmt: skip
def test_code_that_came_with_the_runs_of_another_person_is_not_executed(benchctl, tmp_path, reach):
    asked = ("run", "--task", "cosmosqa-pt", "--model", "random,longest", "--data", "builtin", "--json")
    results = json.loads(benchctl(*asked).out)
    brought = Path(results[0]["path"]) / "brought"
    brought.mkdir()
    fields = "task: evil\ndataset_path: json\noutput_type: multiple_choice\ndoc_to_text: !function bad.text\n"
    (brought / "evil.yaml").write_text(fields, "utf-8")
    (brought / "bad.py").write_text("open('executed', 'w').close()\ndef text(doc): return 'x'\n", "utf-8")
    Path("innocent").symlink_to(brought.absolute())
    for result in results:
        file = Path(result["path"]) / "run.json"
        record = json.loads(file.read_text("utf-8"))
        record["spec"]["task"] = reach.format(folder=brought, link="innocent")
        file.write_text(json.dumps(record), "utf-8")
    one, two = (result["path"] for result in results)
    rescored = benchctl("rescore", one)
    assert rescored.code == 1
    assert "among the runs" in rescored.err
    assert len(rescored.err.strip().splitlines()) == 2
    for command in (("report",), ("compare", one, two), ("export", "run", one, "--format", "lm-eval", "--out", "x")):
        assert "Traceback" not in benchctl(*command).err
    assert not (tmp_path / "executed").exists()


def test_what_another_command_adds_between_finding_a_run_and_scoring_it_stays(tmp_path):
    stored = run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)))
    folder, grade = RunFolder(stored.path), stored.record.estimates["accuracy"]
    points = {score.id: {"judge_total": 5.0} for score in folder.scores()}
    rescored(stored, ["macro_f1"])  # in other terminals, while this one loads the model of a metric
    add_figures(folder, "judge", {"by": "judge"}, {"judge_total": grade}, points)

    rescored(stored)
    record = folder.record()
    assert {"macro_f1", "judge_total"} <= record.estimates.keys() and set(record.added) == {"judge_total"}
    assert all(score.values["judge_total"] == 5 for score in folder.scores())


def test_answers_that_stand_twice_count_once(tmp_path):
    stored = run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)))
    samples = stored.path / "samples.jsonl"
    lines = samples.read_bytes().splitlines(keepends=True)
    samples.write_bytes(b"".join([*lines, *lines[:7]]))  # half of it came from another machine

    again = rescored(stored)
    assert (again.estimates, again.counts) == (stored.record.estimates, stored.record.counts)
    assert len(RunFolder(stored.path).scores()) == len(lines)


@pytest.mark.parametrize("rescore_first", [False, True])
def test_answers_that_a_finished_run_has_lost_are_asked_again(benchctl, tmp_path, rescore_first):
    asked = ("run", "--task", "medmcqa-pt", "--model", "longest", "--data", "builtin", "--json")
    whole = json.loads(benchctl(*asked).out)[0]
    path = tmp_path / whole["path"]
    samples = path / "samples.jsonl"
    lines = samples.read_bytes().splitlines(keepends=True)
    samples.write_bytes(b"".join([*lines[:3], b"\0" * 40 + b"\n", *lines[5:]]))
    damaged = benchctl("rescore", path)
    assert damaged.code == 1 and "line 4: damaged" in damaged.err and "Delete that line" in damaged.err
    samples.write_bytes(b"".join([*lines[:3], *lines[5:]]))

    if rescore_first:
        (left,) = json.loads(benchctl("rescore", path, "--json").out)
        assert (left["status"], left["counts"]["answered"]) == ("interrupted", len(lines) - 2)
    (again,) = json.loads(benchctl(*asked).out)
    assert (again["status"], again["metrics"]) == ("complete", whole["metrics"])
    assert len(samples.read_bytes().splitlines()) == len(lines)


def test_a_finished_run_whose_answers_were_left_behind_is_only_read(benchctl, tmp_path):
    asked = ("run", "--task", "medmcqa-pt", "--model", "longest", "--data", "builtin", "--json")
    whole = json.loads(benchctl(*asked).out)
    samples = tmp_path / whole[0]["path"] / "samples.jsonl"
    samples.unlink()
    assert json.loads(benchctl(*asked).out) == whole and not samples.exists()
