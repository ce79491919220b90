"""The command line: JSON a script can read, two plain lines for every mistake, nothing heavy before it is needed."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import subprocess
import sys
from importlib import metadata

import pytest

from benchctl.plugins import get_plugins
from benchctl.subsets import standing_again
from benchctl.types import Response, Sample
from tests.core.test_data import COLUMNS, row
from tests.scripted_runs import run

HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "openai",
    "scipy",
    "peft",
    "lm_eval",
    "pandas",
    "rich",
    "pydantic",
    "numpy",
    "benchctl.answers.read",
)


def test_help_loads_nothing_heavy(program):
    code = (
        "import sys; sys.argv = ['benchctl', '--help']; from benchctl.cli import main\n"
        "try: main()\nexcept SystemExit: print([m for m in %r if m in sys.modules], file=sys.stderr)" % (HEAVY,)
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "benchctl run" in done.stdout


def test_every_command_has_help_with_an_example(benchctl):
    names = benchctl("--help").out.split("Commands:")[1]
    for line in names.strip().splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            shown = benchctl(line.split()[0], "--help").out
            assert "Example" in shown or "Commands:" in shown, f"{line.split()[0]} shows no example"


def test_json_is_one_array_on_standard_output(benchctl):
    ran = benchctl(
        "run", "--task", "medqa-pt,mmlu-medical-pt", "--model", "majority,random", "--data", "builtin", "--json"
    )
    assert ran.code == 0
    results = json.loads(ran.out)
    assert [(r["task"], r["model"]) for r in results] == [
        ("medqa-pt", "majority"), ("mmlu-medical-pt", "majority"), ("medqa-pt", "random"), ("mmlu-medical-pt", "random"),
    ]  # fmt: skip
    first, group = results[:2]
    assert {"task", "model", "run", "status", "n", "metrics", "outcomes", "seconds"} <= set(first)
    assert set(first["metrics"]["accuracy"]) >= {"value", "low", "high", "n"}
    assert len(group["members"]) == 6
    assert group["n"] == sum(m["n"] for m in group["members"]) == 72
    assert "builtin" not in ran.out
    assert "shipped sample" in ran.err


def test_majority_on_the_whole_of_medmcqa(benchctl, teste):
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "majority", "--data", teste, "--json")
    (result,) = json.loads(ran.out)
    assert result["n"] == 4183
    assert result["metrics"]["accuracy"]["value"] == 1348 / 4183


def test_the_whole_matrix_reads_the_shared_file(benchctl, teste):
    ran = benchctl("run", "--task", "multimedqa-pt", "--model", "majority", "--data", teste, "--json")
    (group,) = json.loads(ran.out)
    sizes = {m["task"]: m["n"] for m in group["members"]}
    assert group["n"] == 7045
    assert (sizes["medqa-pt"], sizes["pubmedqa-pt"], sizes["mmlu-professional-medicine-pt"]) == (1273, 500, 272)
    assert next(m for m in group["members"] if m["task"] == "pubmedqa-pt")["metrics"]["accuracy"]["value"] == 276 / 500


def test_the_two_capitalised_labels_of_pubmedqa_are_counted(benchctl, teste):
    ran = benchctl("run", "--task", "pubmedqa-pt", "--model", "majority", "--data", teste, "--json")
    shown = json.loads(benchctl("show", json.loads(ran.out)[0]["run"], "--json").out)
    assert shown["data"]["normalised"]["output"] == 2


def test_a_sorted_files_first_rows_are_warned_of_and_a_draw_is_not(benchctl, teste):
    fixed = ("run", "--task", "pubmedqa-pt", "--model", "majority", "--data", teste, "--json")
    first, drawn = benchctl(*fixed, "--limit", "200"), benchctl(*fixed, "--sample", "200")
    assert json.loads(first.out)[0]["metrics"]["accuracy"]["value"] == 1.0, "the file is sorted by label"
    assert "the data is sorted" in first.err
    assert 0.45 < json.loads(drawn.out)[0]["metrics"]["accuracy"]["value"] < 0.65
    assert "sorted" not in drawn.err
    assert benchctl(*fixed, "--sample", "200").out == drawn.out, "the same seed draws the same samples"
    assert benchctl(*fixed, "--sample", "9", "--limit", "9").code == 2


def test_questions_that_stand_twice_are_warned_of(benchctl, tmp_path):
    head = "dataset,instruction,input,output,alternative_a,alternative_b,alternative_c,alternative_d"
    one, other = (f"MedMCQA,{text}?,,A,fêmur,tíbia,úmero,ulna" for text in ("Qual é o osso", "Onde fica"))

    def told(*rows):
        (tmp_path / "x.csv").write_text("\n".join((head, *rows)), "utf-8")
        done = benchctl("run", "--task", "medmcqa-pt", "--model", "majority", "--data", tmp_path / "x.csv")
        assert done.code == 0, done.err
        return done.err

    assert "2 of 4 questions stand in the data before" in told(one, other, one, other)
    assert "stand in the data before" not in told(one, other, one.replace("ulna", "rádio"))


def test_a_decimal_comma_in_an_option_is_told_with_what_to_write(benchctl):
    refused = benchctl("run", "--task", "medmcqa-pt", "--model", "hf:A,temperature=0,6,majority", "--data", "builtin")
    assert refused.code == 1
    assert "Numbers have a decimal point here: temperature=0.6" in refused.err
    two = benchctl("run", "--task", "medmcqa-pt", "--model", "random,seed=0", "--model", "6", "--data", "builtin")
    assert "There is no model called '6'." in two.err


def test_a_right_option_that_stands_under_another_label_too_is_warned_of(benchctl, tmp_path):
    head = "dataset,instruction,input,output,alternative_a,alternative_b,alternative_c,alternative_d"
    rows = "MedMCQA,Qual?,,C,fêmur,tíbia,fêmur ,ulna", "MedMCQA,Onde?,,D,fêmur,fêmur,úmero,ulna"
    (tmp_path / "x.csv").write_text("\n".join((head, *rows)), "utf-8")
    told = benchctl("run", "--task", "medmcqa-pt", "--model", "majority", "--data", tmp_path / "x.csv").err
    assert "1 of 2 questions have the text of their right option again under another label, e.g. '0': A and C" in told


def test_a_finished_run_says_where_its_answers_are_of_an_older_benchctl(benchctl, tmp_path):
    asked = ("run", "--task", "medmcqa-pt", "--model", "tiny", "--data", "builtin", "--scoring", "generate",
             "--max-tokens", "2", "--limit", "2", "--out", tmp_path / "runs")  # fmt: skip
    assert "older benchctl" not in benchctl(*asked).err + benchctl(*asked).err
    (written,) = (tmp_path / "runs").rglob("run.json")
    written.write_text(re.sub(r'"writing": \d+,', "", written.read_text("utf-8")), "utf-8")

    again = benchctl(*asked)
    assert again.code == 0 and f"delete {written.parent} and run the same command" in again.err
    page = tmp_path / "page.html"
    assert benchctl("report", "--runs", tmp_path / "runs", "--out", page, "--lang", "pt").code == 0
    assert "escrita por um benchctl mais antigo" in page.read_text("utf-8")


def test_questions_that_stand_twice_in_one_passage_are_not_told_since_intervals_count_it_once():
    samples = [Sample(str(i), "Pode doer?", target="Sim.", cluster=of) for i, of in enumerate(("x", "x", "y", None))]
    assert [one.id for one in standing_again(samples)] == ["2", "3"]


def test_show_names_wrong_samples_and_what_the_number_rests_on(benchctl):
    run = json.loads(benchctl("run", "--task", "medqa-pt", "--model", "majority", "--data", "builtin", "--json").out)[0]
    shown = benchctl("show", run["run"][:6], "--samples", "2").out
    assert "accuracy: 25.00 %" in shown
    assert "<- right" in shown
    assert "<- taken" in shown
    assert "versions: python" in shown


def test_show_has_the_worst_answers_of_a_task_without_options_too(benchctl, tmp_path):
    """The first answer is the reference, the second shares a word with it; of such tasks nothing was shown."""

    def answer(request, sample: Sample) -> Response:
        first, second = (sample.id.endswith(place) for place in ("001", "002"))
        return Response(text=sample.target if first else f"{sample.target.split()[0]} xyz" if second else "xyz")

    stored = run(tmp_path / "runs", "long-answer-pt", "m", answer)
    shown = benchctl("show", stored.record.id, "--samples", "24").out
    told = [line.split(":")[0].strip() for line in shown.splitlines() if line.startswith("  long-answer-pt-builtin-")]
    assert told[-1].endswith("002") and len(told) == stored.record.counts["n"] - 1, "the worst first, no right one"
    assert "    said: xyz\n    rouge1: 0\n" in shown and "    right: " in shown


def test_rescoring_reads_the_recorded_answers_again(benchctl, tmp_path):
    run = json.loads(benchctl("run", "--task", "medqa-pt", "--model", "random", "--data", "builtin", "--json").out)[0]
    (folder,) = tmp_path.glob("runs/*/*/*")
    before = (folder / "scores.jsonl").read_bytes()
    (folder / "scores.jsonl").unlink()
    again = json.loads(benchctl("rescore", run["run"], "--json").out)[0]
    assert again["metrics"] == run["metrics"]
    assert sorted((folder / "scores.jsonl").read_bytes().splitlines()) == sorted(before.splitlines())


def test_lists_can_be_read_by_scripts(benchctl):
    benchctl("run", "--task", "medqa-pt", "--model", "majority", "--data", "builtin")
    for kind in ("tasks", "models", "metrics", "plugins", "runs"):
        rows = json.loads(benchctl("list", kind, "--json").out)
        assert rows, kind
    assert {"medmcqa-pt", "multimedqa-pt", "cosmosqa-pt"} <= {
        r["name"] for r in json.loads(benchctl("list", "tasks", "--json").out)
    }


def test_a_data_source_and_a_model_named_in_benchctl_toml(benchctl, tmp_path):
    write_rows(tmp_path / "teste.csv", [row(i) for i in range(4)])
    (tmp_path / "benchctl.toml").write_text(
        '[data]\nmeu = "teste.csv"\n[models.chute]\nspec = "random,seed=3"\n', "utf-8"
    )
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "chute", "--data", "meu", "--json")
    assert json.loads(ran.out)[0]["n"] == 4


def test_examples_can_be_named_in_benchctl_toml_too(benchctl, tmp_path):
    write_rows(tmp_path / "teste.csv", [row(i) for i in range(4)])
    write_rows(tmp_path / "treino.csv", [row(i) for i in range(10, 14)])
    (tmp_path / "benchctl.toml").write_text('[data]\nmeu = "teste.csv"\nexemplos = "treino.csv"\n', "utf-8")
    command = ("run", "--task", "medmcqa-pt", "--model", "majority", "--data", "meu", "--shots", "2", "--json")
    ran = benchctl(*command, "--shots-data", "exemplos")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)[0]["n"] == 4


def test_a_section_that_nothing_reads_is_refused(benchctl, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[model.meu]\nspec = "random"\n', "utf-8")
    ran = benchctl("list", "models")
    assert ran.code == 1
    assert "unknown section 'model'" in ran.err and "Did you mean models" in ran.err


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ('[models]\nmeu = "random"', "[models] meu is no table", "[models.meu]"),
        ("prices = 3", "'prices' is no section", "[prices]"),
        ("[data]\nteste = 3", "[data] teste is no path", 'teste = "PATH"'),
        ('data = "teste.csv"', "'data' is no section", "[data]"),
        ('[models.meu]\nspec = "random,"', "Model 'random,'", "option=value"),
    ],
)
def test_a_slip_in_benchctl_toml_gives_two_plain_lines(benchctl, tmp_path, written, message, hint):
    (tmp_path / "benchctl.toml").write_text(f"{written}\n", "utf-8")
    ran = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", "meu")
    said = ran.err.strip().splitlines()
    assert ran.code == 1 and len(said) == 2, ran.err
    assert message in said[0] and hint in said[1]


def test_the_mark_that_windows_puts_before_a_text_is_no_part_of_it(benchctl, tmp_path):
    write_rows(tmp_path / "teste.csv", [row(i) for i in range(4)])
    (tmp_path / "benchctl.toml").write_text('[data]\nmeu = "teste.csv"\n', "utf-8-sig")
    (tmp_path / "p.j2").write_text("{{ question }} ", "utf-8-sig")
    command = ("run", "--task", "medmcqa-pt", "--model", "majority", "--data", "meu", "--prompt-template", "p.j2")
    ran = benchctl(*command, "--json")
    assert ran.code == 0, ran.err
    record = json.loads((tmp_path / json.loads(ran.out)[0]["path"] / "run.json").read_text("utf-8"))
    assert record["prompt"]["text"] == f"{row(0)['instruction']} "


def test_a_file_whose_name_is_no_utf8_is_told_by_name(benchctl, tmp_path):
    # As an archive made under Latin-1 leaves it: no record can hold such a name.
    name = os.fsdecode("questões.csv".encode("latin-1"))
    write_rows(tmp_path / name, [row(i) for i in range(4)])
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "random", "--data", name)
    said = ran.err.strip().splitlines()
    assert ran.code == 1 and len(said) == 2, ran.err
    assert "quest\\xf5es.csv" in said[0] and "UTF-8" in said[0] and "Rename" in said[1]


def write_rows(path, rows, columns=COLUMNS):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


RUN = ("run", "--task", "medmcqa-pt", "--model", "majority")

MISTAKES = {
    "wrong task": (("run", "--task", "medmqa-pt", "--model", "majority"), 1, "no task called 'medmqa-pt'", "Did you mean"),
    "wrong model": (("run", "--task", "medmcqa-pt", "--model", "majorty"), 1, "no model called 'majorty'", "majority"),
    "wrong model option": ((*RUN[:-1], "random,sed=1", "--data", "builtin"), 1, "unknown option 'sed'", "Did you mean seed"),
    "missing file": ((*RUN, "--data", "nada.csv"), 1, "There is no data file 'nada.csv'", "Check the path"),
    "missing column": ((*RUN, "--data", "short.csv"), 1, "no column 'alternative_d'", "Expected the columns"),
    "bad label": ((*RUN, "--data", "label.csv"), 1, "row 17 (line 18): the label 'E'", "--skip-bad-rows"),
    "no network": (RUN, 1, "'luizlzg/drbyte_test' cannot be read from the hub", "--data FILE"),
    "unknown option": ((*RUN, "--limt", "3"), 2, "--limt", "'benchctl run --help'"),
    "missing option": (("run", "--task", "medmcqa-pt"), 2, "Missing option '--model'", "--help"),
    "unknown command": (("rum",), 2, "No such command 'rum'", "--help"),
    "bad scoring": ((*RUN, "--data", "builtin", "--scoring", "leter"), 1, "cannot be scored by 'leter'", "letter"),
    "no model folder": ((*RUN[:-1], "hf:./nada", "--data", "builtin"), 1, "no model folder './nada'", "Check the path"),
    "no model on the hub": ((*RUN[:-1], "hf:a/b", "--data", "builtin"), 1, "a/b", "local folder"),
    "bad dtype": ((*RUN[:-1], "hf:x,dtype=float8", "--data", "builtin"), 1, "dtype=float8", "float32"),
    "missing template": ((*RUN, "--data", "builtin", "--prompt-template", "x.j2"), 1, "'x.j2' cannot be read", "Check"),
    "empty model": ((*RUN[:-1], "", "--data", "builtin"), 1, "--model names nothing", "benchctl list"),
    "broken template": ((*RUN, "--data", "builtin", "--prompt-template", "bad.j2"), 1, "line 1: unexpected end", "Jinja"),
    "file as folder": ((*RUN, "--data", "builtin", "--out", "short.csv"), 1, "'short.csv/", "give another place"),
    "no runs": (("show", "abc"), 1, "no folder 'runs'", "benchctl run"),
    "too many shots": ((*RUN, "--data", "builtin", "--shots", "99"), 1, "99 examples wanted", "--shots-data"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_two_plain_lines(benchctl, tmp_path, mistake):
    write_rows(tmp_path / "short.csv", [row(0)], COLUMNS[:-1])
    write_rows(tmp_path / "label.csv", [row(i, **({"output": "E"} if i == 16 else {})) for i in range(20)])
    (tmp_path / "bad.j2").write_text("{{ question", "utf-8")
    arguments, code, message, hint = MISTAKES[mistake]
    ran = benchctl(*arguments)
    lines = [line for line in ran.err.strip().splitlines() if not line.startswith("note:")]
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert len(lines) == 2, ran.err
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "permissions"),
        (errno.EROFS, "permissions"),
        (errno.ENOSPC, "Make room"),
        (errno.EFBIG, "no larger file"),
        (errno.ELOOP, "A link stands"),
    ],
)
def test_a_disk_that_refuses_is_told_in_two_plain_lines(benchctl, monkeypatch, number, advice):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), "runs/medmcqa-pt")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    ran = benchctl(*RUN, "--data", "builtin")
    error, hint = [line for line in ran.err.strip().splitlines() if not line.startswith("note:")]
    assert ran.code == 1
    assert error == f"error: 'runs/medmcqa-pt' cannot be read or written: {os.strerror(number)}."
    assert advice in hint


def test_windows_itself_is_refused_with_what_works(benchctl, monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    done = benchctl("list", "tasks")
    monkeypatch.undo()
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: benchctl runs on Linux and macOS.\nhint: On Windows install and run it inside WSL.\n"


def test_debug_shows_the_traceback(program, tmp_path):
    command = [*program, "run", "--task", "nada", "--model", "majority"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "BENCHCTL_DEBUG": "1"}
    )
    assert "Traceback" in done.stderr


def test_a_broken_plugin_is_told_on_standard_error_and_the_run_goes_on(benchctl, monkeypatch):
    info = get_plugins().infos[0]
    monkeypatch.setattr(info, "problems", ["cannot be loaded (X)"])
    ran = benchctl("run", "--task", "medqa-pt", "--model", "majority", "--data", "builtin", "--json")
    assert ran.code == 0
    assert "cannot be loaded (X)" in ran.err


def test_doctor_says_what_is_here_and_what_is_missing(benchctl):
    found = json.loads(benchctl("doctor", "--json").out)
    assert found["versions"]["benchctl"]
    offered = metadata.metadata("benchctl").get_all("Provides-Extra")
    assert set(found["extras"]) == set(offered) - {"all", "dev"}
    assert "offline" in found["hub"]
