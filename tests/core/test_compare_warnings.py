"""What ``benchctl compare`` warns of: runs whose difference is not the models' alone."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest

import benchctl
from benchctl import records
from benchctl.cli.wording import PT, say
from benchctl.comparing import against, compare, compare_runs
from benchctl.types import ChoiceScore, Response
from benchctl.written import WAY
from tests.scripted_runs import right_in, run


@pytest.fixture
def runs(tmp_path):
    """Two models on MedMCQA's 24 questions, asked in the same way."""
    places = {"base": range(1, 13), "tuned": range(3, 21)}
    return tuple(run(tmp_path / "runs", "medmcqa-pt", name, right_in(right)) for name, right in places.items())


def test_other_settings_are_warned_of(runs, tmp_path):
    shots = run(tmp_path / "runs", "medmcqa-pt", "tuned", right_in({1}), shots=2)
    option = run(tmp_path / "runs", "medmcqa-pt", "tuned", right_in({2}), scoring="option")

    assert "shots differs: 0 and 2" in compare_runs(runs[0], shots).warnings
    assert "scoring differs: letter and option" in compare_runs(runs[0], option).warnings
    assert not any("differs" in line for line in compare_runs(*runs).warnings)


def test_a_task_or_model_asked_for_that_has_no_run_is_said_to_be_left_out(runs, tmp_path):
    elsewhere = run(tmp_path / "runs", "medqa-pt", "other", right_in({1}))
    table = against([*runs, elsewhere], "base", tasks=["medmcqa-pt", "medqa-pt"], models=["tuned", "other"])
    assert [row.model for row in table.rows] == ["base", "tuned"]
    assert "base, medqa-pt: left out, since the base has no run of it" in table.warnings
    assert "other, medmcqa-pt: left out, since this model has no run of it" in table.warnings
    assert not any("left out" in line for line in against([*runs, elsewhere], "base").warnings)


def test_the_base_named_among_the_models_is_no_comparison_more(runs):
    alone, named = (against(runs, "base", models=models) for models in (["tuned"], ["base", "tuned", "tuned"]))
    assert named.as_json() == alone.as_json(), "p is adjusted for the models there are"


def test_another_version_of_the_task_is_warned_of(runs):
    newer = records.StoredRun(replace(runs[1].record, task={**runs[1].record.task, "version": 7}), runs[1].path)

    assert "version of the task differs: 1 and 7" in compare_runs(runs[0], newer).warnings


def test_other_examples_from_a_file_of_the_same_name_are_warned_of(tmp_path):
    examples = tmp_path / "exemplos.csv"
    found = []
    for name, question in (("base", "Qual vitamina previne o escorbuto?"), ("tuned", "Qual osso é o mais longo?")):
        rows = [["dataset", "instruction", "input", "output", *(f"alternative_{x}" for x in "abcd")],
                ["MedMCQA", question, "", "A", "C", "D", "fêmur", "E"]]  # fmt: skip
        examples.write_text("\n".join(",".join(row) for row in rows) + "\n", "utf-8")
        script = right_in(range(1, 13))
        found += [run(tmp_path / "runs", "medmcqa-pt", name + more, script, shots=1, shots_data=str(examples))
                  for more in ("", "-again")]  # fmt: skip

    def said(one, other):
        return [line for line in compare_runs(one, other).warnings if "prompts differ" in line]

    assert said(found[0], found[2]) and not said(found[0], found[1]) and not said(found[2], found[3])


def test_figures_of_other_judges_are_warned_of(runs):
    def judged(stored, judges, rubric="one"):
        by = {"by": "judge", "rubric": "long-answer-pt", "rubric_digest": rubric, "judges": judges, "draws": 1}
        names = ("judge_intent", "judge_total")
        return records.StoredRun(replace(stored.record, added=dict.fromkeys(names, by)), stored.path)

    def said(one, other):
        return [line for line in compare_runs(one, other).warnings if "judge" in line]

    first, alone = judged(runs[0], ["a", "b"]), judged(runs[0], ["a"])
    assert said(alone, judged(runs[1], ["b"])) == ["judges of judge_intent, judge_total differs: a and b"]
    assert said(first, judged(runs[1], ["a", "b"], "two")) == [
        "rubric_digest of judge_intent, judge_total differs: one and two"
    ]
    assert not said(first, judged(runs[1], ["b", "a"])) and not said(first, runs[1])


def test_answers_that_a_model_read_in_only_one_of_the_runs_are_warned_of(tmp_path, benchctl):
    out = tmp_path / "runs"
    texts = {"base": ("Letra A.", "Depende."), "tuned": ("Letra B.", "Depende."), "clear": ("Letra A.", "Letra C.")}
    found = {
        name: run(out, "medmcqa-pt", name, lambda _, s, said=said: Response(text=said[s.id.endswith("1")]),
                  scoring="generate")
        for name, said in texts.items()
    }  # fmt: skip
    assert benchctl("rescore", found["base"].path, "--extract-with", "random").code == 0
    again = records.StoredRun(records.RunFolder(found["base"].path).record(), found["base"].path)

    def said(one, other):
        return [line for line in compare_runs(one, other).warnings if "could not read" in line]

    assert said(again, found["tuned"]) == ["answers the rules could not read were read by random and nobody"]
    assert not said(found["base"], found["tuned"]) and not said(again, again), "read in the same way"
    assert not said(again, found["clear"]), "nothing was left to read"


def test_tasks_that_were_asked_in_other_ways_are_warned_of_since_their_figures_are_pooled(runs, tmp_path):
    more = [run(tmp_path / "runs", "medqa-pt", name, right_in({1, 2}), shots=2) for name in ("base", "tuned")]
    plain = [run(tmp_path / "runs", "cosmosqa-pt", name, right_in({1, 2})) for name in ("base", "tuned")]
    found = compare(*([run, other, third] for run, other, third in zip(runs, more, plain, strict=True)))
    said = {one.task: [line for line in one.warnings if "asked otherwise" in line] for one in found.tasks}
    assert said["medqa-pt"][0] == "asked otherwise than medmcqa-pt: shots 2 instead of 0"
    assert not said["medmcqa-pt"] and not said["cosmosqa-pt"]


def test_answers_that_an_older_benchctl_wrote_are_told(tmp_path):
    def wrote(name, way, scoring="generate", failing=""):
        def script(_, sample):
            if scoring == "letter":
                return Response(tuple(ChoiceScore(-1.0, 1, 1) for _ in sample.choices))
            failed = sample.id.endswith(failing) if failing else False
            return Response(text="Letra A.", finish_reason="stop", error="broken" if failed else None)

        manifest = {"weights_hash": "w", **({"writing": way} if way else {})}
        return run(tmp_path / "runs", "medmcqa-pt", name, script, manifest, scoring=scoring)

    def said(*pair):
        return [line for line in compare_runs(*pair).warnings if "older benchctl" in line]

    old, new = wrote("old", None), wrote("new", WAY)
    assert len(said(old, new)) == 1 and old.record.id in said(old, new)[0] and not said(new, new)
    assert not said(*(wrote(name, None, "letter") for name in ("a", "b"))), "nothing was written"

    wrote("half", None, failing="1")
    assert len(said(wrote("half", WAY), new)) == 1, "some of its answers are of the older sitting"


def test_more_right_answers_to_questions_trained_on_are_no_better(runs, tmp_path):
    told = {"recipe": "r", "data": {"leaks": {"medmcqa-pt": 7}}}
    leaked = run(tmp_path / "runs", "medmcqa-pt", "leaked", right_in(range(1, 25)), {"training": told})
    honest = run(tmp_path / "runs", "medmcqa-pt", "honest", right_in(range(1, 25)))

    assert compare_runs(runs[0], honest).differences["accuracy"].verdict == "better"
    for pair in ((runs[0], leaked), (leaked, runs[0])):
        assert compare_runs(*pair).differences["accuracy"].verdict == "differs"


def test_every_warning_is_said_in_portuguese_with_the_same_facts():
    calls = [
        call for file in Path(benchctl.__file__).parent.rglob("*.py") for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Remark"
    ]  # fmt: skip
    templates = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert len(templates) > 9

    def facts(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for template in templates:
        assert template in PT
        assert facts(template) == facts(PT[template])


def test_warnings_are_said_in_the_language_asked_for(runs, tmp_path):
    option = run(tmp_path / "runs", "medmcqa-pt", "tuned", right_in({2}), scoring="option")
    stopped = records.StoredRun(replace(option.record, status="interrupted"), option.path)
    said = [say(line, "pt") for line in compare_runs(runs[0], stopped).warnings]
    assert "as execuções diferem em scoring: letter e option" in said
    assert f"a execução {option.record.id} está interrompida: 24 de 24" in said


def test_one_question_or_row_is_told_in_the_singular(runs, tmp_path, benchctl):
    told = {"recipe": "r", "data": {"leaks": {"medmcqa-pt": 1}}}
    short = run(tmp_path / "runs", "medmcqa-pt", "short", right_in(()), {"training": told}, limit=1)
    ran = benchctl("compare", runs[0].record.id, short.record.id, "--lang", "pt")
    for line in ("só uma pergunta está nas duas execuções, de 24 e 1 respondidas",
                 "short foi treinado com uma linha que contém", ": 1 divergência em accuracy, 1 mostrada\n"):  # fmt: skip
        assert line in ran.out


def test_a_setting_that_one_run_has_not_is_a_dash(runs, tmp_path):
    written = run(
        tmp_path / "runs",
        "medmcqa-pt",
        "written",
        lambda *_: Response(text="Letra A."),
        scoring="generate",
        max_tokens=20,
    )
    assert "max tokens differs: - and 20" in compare_runs(runs[0], written).warnings


def test_why_a_figure_or_a_run_stands_without_pairs_is_said_in_portuguese(runs, tmp_path, benchctl):
    for stored in runs:
        own = {**stored.record.estimates, "own": replace(stored.record.estimates["accuracy"], method="own")}
        records.RunFolder(stored.path).save_record(replace(stored.record, estimates=own))
    two = benchctl("compare", *(stored.record.id for stored in runs), "--lang", "pt")
    assert "own: sem pares: own não é uma média de respostas isoladas" in two.out
    assert "own não é uma média" in benchctl("compare", "--against", "base", "--lang", "pt").out


def test_many_models_on_the_sample_are_warned_of_it_in_one_line(runs, tmp_path, benchctl):
    for task in ("medmcqa-pt", "medqa-pt"):
        for name in ("base", "other"):
            run(tmp_path / "runs", task, name, right_in({1, 2}))
    ran = benchctl("compare", "--against", "base", "--lang", "pt")
    warned = [line for line in ran.out.splitlines() if "amostra embutida" in line]

    assert len(warned) == 1 and warned[0].startswith("aviso: medmcqa-pt, medqa-pt: ")


def test_the_first_rows_of_a_sorted_file_give_way_to_a_draw_and_are_told_of_beside_every_figure(
    benchctl, teste, tmp_path
):
    asked = ("run", "--task", "pubmedqa-pt", "--data", teste, "--json", "--model", "majority,random")
    assert benchctl(*asked, "--limit", "150").code == 0
    told = " ".join(benchctl("compare", "majority", "random").out.split())
    assert "asked part of sorted data: 'sim' is right in another share of it than of all 500" in told
    assert "fez parte de dados ordenados: 'sim'" in " ".join(
        benchctl("compare", "majority", "random", "--lang", "pt").out.split()
    )
    benchctl("report", "--out", tmp_path / "page.md", "--lang", "pt")
    assert "dados ordenados: “sim” é a certa em outra proporção" in (tmp_path / "page.md").read_text(encoding="utf-8")

    assert benchctl(*asked, "--sample", "60").code == 0
    told = " ".join(benchctl("compare", "majority", "random").out.split())
    assert "sorted" not in told and " 60 " in told, "fewer questions, and of all kinds"
    benchctl("report", "--out", tmp_path / "page.md", "--lang", "pt")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "dados ordenados" not in page and "60 de 500 perguntas" in page
