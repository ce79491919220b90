"""``--repeats N``: several answers to each question, counted as what they are."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from benchctl.creation import create_task
from benchctl.errors import BadConfig
from benchctl.fingerprints import canonical
from benchctl.plugins import get_plugins
from benchctl.records import run_id
from benchctl.repeats import repeated
from benchctl.types import Generate, RunSpec

SAMPLES = create_task(get_plugins(), "medmcqa-pt").load("builtin").samples
SPEC = RunSpec("medmcqa-pt", "m")


def recorded(tmp_path, name, given):
    """A file of recorded answers: for each question its letters, the right one where it says '+'."""
    path = tmp_path / f"{name}.jsonl"
    lines = []
    for sample, letters in zip(SAMPLES, given, strict=False):
        for draw, letter in enumerate(letters):
            identity = sample.id if draw == 0 else f"{sample.id}#{draw + 1}"
            wrong = sorted(label for label in sample.choices if label != sample.target)
            said = {"+": sample.target, "?": "Não sei."}.get(letter) or wrong[int(letter)]
            lines.append(json.dumps({"id": identity, "output": said if letter == "?" else f"Resposta: {said}"}) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return f"replay:{path}"


@pytest.fixture
def ask(benchctl):
    def call(model, repeats, *arguments, limit=1000):
        fixed = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--scoring", "generate", "--json")
        return benchctl(*fixed, "--model", model, "--repeats", repeats, "--limit", limit, *arguments)

    return call


def only(ran):
    assert ran.code == 0, ran.err
    return json.loads(ran.out)[0]


def test_accuracy_is_the_mean_over_all_answers_and_other_figures_say_what_they_are_worth_together(ask, tmp_path):
    #                                        right   majority  any
    given = ["++0", "+00", "01+", "000", "+?0"]  # 2, 1, 1, 0, 1 of 3; 1, 0, 1/3, 0, 1/2; 1, 1, 1, 0, 1
    found = only(ask(recorded(tmp_path, "m", given), 3, limit=5))
    metrics = found["metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(5 / 15) and metrics["accuracy"]["n"] == 15
    assert metrics["accuracy_majority"]["value"] == pytest.approx((1 + 0 + 1 / 3 + 0 + 1 / 2) / 5)
    assert metrics["accuracy_any"]["value"] == pytest.approx(4 / 5)
    assert metrics["accuracy_majority"]["n"] == metrics["accuracy_any"]["n"] == 5
    assert metrics["accuracy_answered"]["value"] == pytest.approx(5 / 14)


def test_equal_answers_to_a_question_say_no_more_than_one(ask, tmp_path):
    given = ["+" if i % 3 else "0" for i in range(len(SAMPLES))]
    once = only(ask(recorded(tmp_path, "once", given), 1))["metrics"]
    often = only(ask(recorded(tmp_path, "often", [4 * one for one in given]), 4))["metrics"]
    assert "accuracy_majority" not in once and "accuracy_any" not in once
    assert often["accuracy"]["value"] == once["accuracy"]["value"] == often["accuracy_majority"]["value"]
    widths = [found["accuracy"]["high"] - found["accuracy"]["low"] for found in (once, often)]
    assert widths[0] <= widths[1] < 1.1 * widths[0], "few questions are few, however often each is asked"
    assert often["accuracy_majority"]["low"] == once["accuracy"]["low"]


def test_answers_that_differ_by_chance_alone_narrow_the_interval(ask, tmp_path):
    given = ["+00+" if i % 2 else "0++0" for i in range(len(SAMPLES))]
    found = only(ask(recorded(tmp_path, "m", given), 4))["metrics"]["accuracy"]
    once = only(ask(recorded(tmp_path, "n", [one[0] for one in given]), 1))["metrics"]["accuracy"]
    assert found["value"] == once["value"] == 0.5
    assert found["high"] - found["low"] < 0.6 * (once["high"] - once["low"])


def test_a_run_cut_off_amid_the_answers_to_a_question_goes_on_as_if_it_had_not_been(stories, ask, tmp_path):
    model, more = f"{stories},temperature=1.2", ("--max-tokens", "8")
    whole = only(ask(model, 3, *more, limit=4))
    folder = tmp_path / whole["path"]
    lines = (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    texts = {line["id"]: line["responses"][0]["text"] for line in map(json.loads, lines)}
    assert len(texts) == 12 and all(len({texts[f"{s.id}{d}"] for d in ("", "#2", "#3")}) > 1 for s in SAMPLES[:4])
    shutil.copytree(folder, tmp_path / "kept")
    (folder / "run.json").unlink()
    (folder / "samples.jsonl").write_text("".join(lines[:5]), encoding="utf-8")
    assert only(ask(model, 3, *more, limit=4))["metrics"] == whole["metrics"]
    again = {
        line["id"]: line["responses"][0]["text"]
        for line in map(json.loads, (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines())
    }
    assert again == texts
    once = only(ask(model, 1, *more, limit=4))
    first = json.loads((tmp_path / once["path"] / "samples.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["responses"][0]["text"] == texts[first["id"]], "the first answer is the one of a run that asks once"


def test_what_cannot_differ_is_not_asked_twice(stories, ask, benchctl, tmp_path):
    ran = ask(stories, 2)
    assert ran.code == 1 and "would answer alike each time, at temperature 0" in ran.err
    assert "temperature=0.6" in ran.err
    ran = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", stories, "--repeats", "2")
    assert ran.code == 1 and "scoring 'letter' of medmcqa-pt asks each question once" in ran.err
    assert not (tmp_path / "runs").exists()


def test_a_question_that_is_called_like_a_repeat_is_told():
    samples = [replace(SAMPLES[0], id=name) for name in ("1", "1#2")]
    asked = {sample.id: (Generate(sample.question),) for sample in samples}
    with pytest.raises(BadConfig, match="called '1' and '1#2'"):
        repeated(RunSpec("medmcqa-pt", "m", repeats=2), samples, asked)


def test_two_models_are_paired_answer_by_answer_and_resampled_by_question(ask, benchctl, tmp_path):
    worse = ["0+00" if i % 2 else "0000" for i in range(len(SAMPLES))]
    better = ["++0+" if i % 2 else "+++0" for i in range(len(SAMPLES))]
    runs = [only(ask(recorded(tmp_path, name, given), 4))["run"] for name, given in (("a", worse), ("b", better))]
    rows = json.loads(benchctl("compare", *runs, "--json").out)["tasks"][0]["metrics"]
    assert rows["accuracy"]["value"] == pytest.approx(0.75 - 0.125) and rows["accuracy"]["verdict"] == "better"
    assert rows["accuracy"]["n"] == 4 * len(SAMPLES)
    for metric in ("accuracy_majority", "accuracy_any"):
        assert rows[metric]["n"] == len(SAMPLES) and rows[metric]["verdict"] == "better"
    assert (rows["accuracy_majority"]["first"], rows["accuracy_majority"]["second"]) == (0, 1)
    assert (rows["accuracy_any"]["first"], rows["accuracy_any"]["second"]) == (0.5, 1)


def test_what_was_answered_is_scored_again_and_handed_on_like_any_run(ask, benchctl, tmp_path):
    given = ["++0" if i % 2 else "?00" for i in range(len(SAMPLES))]
    found = only(ask(recorded(tmp_path, "m", given), 3))
    again = only(benchctl("rescore", found["run"], "--json"))
    assert again["metrics"] == found["metrics"]
    ran = benchctl("export", "run", found["run"], "--format", "lm-eval", "--out", tmp_path / "lm")
    assert ran.code == 0, ran.err
    (lines,) = (tmp_path / "lm").rglob("samples_*.jsonl")
    samples = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert len(samples) == 3 * len(SAMPLES) and "cannot be built again" not in ran.err
    assert all(sample["doc"]["question"] in sample["arguments"]["gen_args_0"]["arg_0"] for sample in samples)
    (results,) = (tmp_path / "lm").rglob("results_*.json")
    counted = json.loads(results.read_text(encoding="utf-8"))["n-samples"]["medmcqa-pt"]
    assert counted == {"original": len(SAMPLES), "effective": len(SAMPLES)}


def test_a_run_that_asked_once_is_paired_with_the_first_answers_and_the_difference_is_told(ask, benchctl, tmp_path):
    once = only(ask(recorded(tmp_path, "a", ["0"] * len(SAMPLES)), 1))["run"]
    often = only(ask(recorded(tmp_path, "b", ["+0"] * len(SAMPLES)), 2))["run"]
    ran = benchctl("compare", once, often)
    assert ran.code == 0 and "repeats differs: 1 and 2" in " ".join((ran.out + ran.err).split())
    assert "are in both runs" not in ran.out + ran.err, "all questions are"
    fewer = only(ask(recorded(tmp_path, "c", ["+0"] * 5), 2, limit=5))["run"]
    ran = benchctl("compare", often, fewer)
    assert f"only 5 questions are in both runs, of {len(SAMPLES)} and 5" in " ".join((ran.out + ran.err).split())


def test_questions_asked_several_times_are_the_same_questions(ask, benchctl, tmp_path):
    runs = [only(ask(recorded(tmp_path, str(n), [n * "+"] * 3), n, limit=3)) for n in (1, 2)]
    prints = [json.loads((tmp_path / run["path"] / "run.json").read_text("utf-8"))["fingerprints"] for run in runs]
    assert prints[0]["data"] == prints[1]["data"]
    benchctl("report", "--out", tmp_path / "page.html")
    assert f"dados {prints[0]['data'][:8]}" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_lists_and_pages_say_how_often_each_question_was_asked(ask, benchctl, tmp_path):
    identity = only(ask(recorded(tmp_path, "m", ["+0", "0+", "++"]), 2, limit=3))["run"]
    assert "generate, 0-shot, 2 answers each, n 6" in benchctl("list", "runs").out
    shown = benchctl("show", identity).out
    assert "2 answers each" in shown and f"3 of {len(SAMPLES)} samples" in shown
    for language, text in (("pt", "2 respostas por pergunta"), ("en", "2 answers a question")):
        benchctl("report", "--lang", language, "--out", tmp_path / "page.html")
        assert text in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_runs_made_before_questions_could_be_repeated_are_still_found():
    asked = [canonical(Generate("Por quê?", draw=draw)) for draw in (0, 1)]  # lm-eval tasks have repeats of their own
    assert asked[0] == asked[1] and "draw" not in asked[0]
    prints = {"data": "d", "model": "m", "prompt": "p"}
    assert run_id(SPEC, prints) == "032bb4c413b9" and run_id(SPEC, prints) != run_id(
        RunSpec("medmcqa-pt", "m", repeats=2), prints
    )
