"""Output wherever it goes: any encoding, a closed stream, a terminal that would obey what a row or a name says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.core.test_data import row, write

DIRTY = "\x1b[2J\x1b]0;título\x07 \u202eoãn\u009b31m"
"""Clears the screen, renames the window, turns the writing round."""


def call(folder, *arguments, shell="", **environment):
    command = [sys.executable, "-m", "benchctl", *arguments]
    if shell:
        command = ["bash", "-c", f'exec "$@" {shell}', "bash", *command]
    return subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True)


def run(*models):
    return "run", "--task", "cosmosqa-pt", "--model", ",".join(models), "--data", "builtin", "--limit", "4"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_sign_that_the_encoding_lacks_is_escaped_and_json_stays_json(tmp_path, encoding):
    rows = [row(i, instruction="Dose ≥ 5 µg/kg – e \U0001f9ea?") for i in range(2)]
    file = write(tmp_path / "dados ≥ 1.jsonl", rows)
    asked = ("run", "--task", "medmcqa-pt", "--model", "longest", "--data", str(file))
    assert call(tmp_path, *asked).returncode == 0
    shown = call(tmp_path, "list", "runs", PYTHONIOENCODING=encoding)
    assert shown.returncode == 0, shown.stderr[-300:]
    assert b"accuracy 50.00 %" in shown.stdout
    (found,) = json.loads(call(tmp_path, "list", "runs", "--json").stdout)
    told = call(tmp_path, "show", found["run"], "--json", PYTHONIOENCODING=encoding)
    assert json.loads(told.stdout.decode(encoding))["data"]["source"] == str(file)
    wrong = call(tmp_path, "show", found["run"], PYTHONIOENCODING=encoding).stdout.decode(encoding)
    assert "Dose \\u2265 5 µg/kg" in wrong
    assert "\\ud83e\\uddea?" in wrong


def test_in_the_c_locale_accents_are_written_as_they_are(tmp_path):
    asked = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}
    shown = call(tmp_path, *run("majority"), **asked)
    assert shown.returncode == 0, shown.stderr[-300:]
    assert "–" in shown.stdout.decode("utf-8")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream_neither_stops_a_run_nor_spills_into_its_files(tmp_path, closed):
    ran = call(tmp_path, *run("majority", "random"), shell=closed)
    assert ran.returncode == 0, ran.stderr[-300:]
    for file in tmp_path.glob("runs/*/*/*/samples.jsonl"):
        assert len([json.loads(line) for line in file.read_bytes().splitlines()]) == 4
    assert len(list(tmp_path.glob("runs/*/*/*/run.json"))) == 2
    assert call(tmp_path, "list", "runs", shell=closed).returncode == 0


def test_no_row_and_no_name_steers_the_terminal(tmp_path):
    rows = [row(i, instruction=f"Pergunta {DIRTY}?", **{f"alternative_{x}": f"{x} {DIRTY}" for x in "abcd"})
            for i in range(4)]  # fmt: skip
    write(tmp_path / "d.jsonl", rows)
    models = ("random", "random,seed=[/b]")
    ran = in_terminal(tmp_path, "run", "--task", "medmcqa-pt", "--model", ",".join(models), "--data", "d.jsonl")
    assert "random,seed=[/b]" in ran
    for file in tmp_path.glob("runs/*/*/*/run.json"):  # a folder that another person gave
        record = json.loads(file.read_text("utf-8"))
        record["spec"]["model"] += DIRTY
        record["model"]["name"] += DIRTY
        file.write_text(json.dumps(record), "utf-8")
    ids = [file.parent.name for file in tmp_path.glob("runs/*/*/*/run.json")]
    asked = [("list", "runs"), ("show", ids[0]), ("compare", *ids), ("compare", "--against", f"random{DIRTY}")]
    asked += [("show", DIRTY), ("run", "--task", DIRTY, "--model", "random")]
    for text in [in_terminal(tmp_path, *each) for each in asked]:
        assert "␛]0;título␇" in text
        for sign in ("\x1b[2J", "\x1b]0", "\x07", "\u202e", "\u009b"):
            assert sign not in text


def in_terminal(folder, *arguments):
    pexpect = pytest.importorskip("pexpect", reason="needs pexpect")
    child = pexpect.spawn(sys.executable, ["-m", "benchctl", *arguments], cwd=str(folder), encoding="utf-8",
                          dimensions=(200, 400), timeout=60)  # fmt: skip
    return child.read()
