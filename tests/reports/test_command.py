"""``benchctl report`` at the keyboard."""

from __future__ import annotations

import json
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

import benchctl_reports.command
import benchctl_reports.reference_scores
from benchctl.errors import RecordError
from benchctl.hookspecs import hookimpl
from benchctl.records import run_folder


@pytest.fixture
def cli() -> click.Group:
    """The command line with what the plugin adds to it."""
    group = click.Group("benchctl")
    benchctl_reports.command.benchctl_commands(group)
    return group


@pytest.fixture
def runs(tmp_path, record, install):
    """A folder with two runs, and only this project's reference scores as a plugin."""
    install(benchctl_reports.reference_scores)
    for made in (record("medmcqa-pt", "majority", 1348), record("cosmosqa-pt", "random", 740)):
        run_folder(tmp_path / "runs", made.spec, made.id).save(made, [])
    return tmp_path / "runs"


def report(cli, *arguments):
    return CliRunner().invoke(cli, ["report", *map(str, arguments)])


def test_it_writes_one_file_and_prints_its_path(cli, runs, tmp_path, table):
    out = tmp_path / "new folder" / "placar.html"
    result = report(cli, "--runs", runs, "--out", out)

    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    assert [p.name for p in out.parent.iterdir()] == ["placar.html"]
    cells = table(out.read_text(encoding="utf-8"))
    assert any(row[0].startswith("majority") and "32,2%" in " ".join(row) for row in cells)
    assert any(row[0].startswith("Med-PaLM 2") and "71,3%" in " ".join(row) for row in cells)


def test_json_names_the_file_and_counts_what_is_in_it(cli, runs, tmp_path):
    result = report(cli, "--runs", runs, "--out", tmp_path / "r.html", "--json")

    told = {"path": str(tmp_path / "r.html"), "rows": 2, "cells": 2, "leaks": [], "left_out": []}
    assert json.loads(result.stdout) == told


def test_json_names_models_trained_on_questions_of_a_test_they_are_ranked_in(cli, runs, tmp_path, record):
    told = {"training": {"recipe": "r", "data": {"leaks": {"medmcqa-pt": 7, "medqa-pt": 2}}}}
    made = record("medmcqa-pt", "tuned", 4000, manifest=told)
    run_folder(runs, made.spec, made.id).save(made, [])
    result = report(cli, "--runs", runs, "--out", tmp_path / "r.html", "--json")

    assert json.loads(result.stdout)["leaks"] == [{"model": "tuned", "task": "medmcqa-pt", "rows": 7}]


def test_language_and_title(cli, runs, tmp_path):
    report(cli, "--runs", runs, "--out", tmp_path / "r.html", "--lang", "en", "--title", "My <models>")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")

    assert '<html lang="en">' in page
    assert "<h1>My &lt;models&gt;</h1>" in page


@pytest.mark.parametrize("there", [True, False])
def test_no_runs_is_said_with_what_to_do(cli, tmp_path, install, there):
    install()
    folder = tmp_path / "runs"
    if there:
        folder.mkdir()
    result = report(cli, "--runs", folder, "--out", tmp_path / "r.html")

    assert isinstance(result.exception, RecordError)
    assert str(folder) in result.exception.message
    assert "benchctl run" in result.exception.hint
    assert not (tmp_path / "r.html").exists()


def test_a_place_that_cannot_be_written_is_said(cli, runs, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = report(cli, "--runs", runs, "--out", tmp_path / "file" / "r.html")

    assert isinstance(result.exception, RecordError)
    assert "cannot be written" in result.exception.message


def test_a_plugin_with_bad_reference_scores_costs_its_rows_and_not_the_report(cli, runs, tmp_path, install):
    plugin = ModuleType("careless_plugin")

    @hookimpl
    def benchctl_reference_scores():
        return {"careless": lambda: [{"model": "X", "scores": {"medmcqa-pt": 99}}]}

    plugin.benchctl_reference_scores = benchctl_reference_scores
    install(benchctl_reports.reference_scores, plugin)
    result = report(cli, "--runs", runs, "--out", tmp_path / "r.html")

    assert result.exit_code == 0
    assert "warning: reference scores 'careless' left out" in result.stderr
    assert "Med-PaLM 2" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_groups_come_from_the_plugins_tasks(cli, runs, tmp_path, record, install, table):
    from benchctl.task import TaskGroup

    plugin = ModuleType("grouping_plugin")

    @hookimpl
    def benchctl_tasks():
        def broken():
            raise RuntimeError("no such file")

        both = ("medmcqa-pt", "cosmosqa-pt")
        even = TaskGroup("even", "Iguais", both, alike=("accuracy",))
        return {"all": lambda: TaskGroup("all", "Tudo", both), "broken": broken, "even": lambda: even}

    plugin.benchctl_tasks = benchctl_tasks
    install(plugin)
    both = record("medmcqa-pt", "random", 1040)
    run_folder(runs, both.spec, both.id).save(both, [])
    result = report(cli, "--runs", runs, "--out", tmp_path / "r.html")

    assert "warning: task 'broken' left out" in result.stderr
    assert "warning: group 'even' left out: its mean is not weighted by size" in result.stderr
    heading, *_ = table((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert heading[1].startswith("Tudo all média de 2 tarefas")


def test_the_files_ending_or_the_option_says_the_format(benchctl, tmp_path):
    asked = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", "majority", "--limit", "5")
    assert benchctl(*asked).code == 0
    for name, more, begins in (("t.tex", (), "% "), ("T.MD", (), "**"), ("t.html", (), "<!"), ("t.txt", (), "<!"),
                               ("u.txt", ("--format", "latex"), "% "), ("u.md", ("--format", "html"), "<!")):  # fmt: skip
        assert benchctl("report", "--out", tmp_path / name, *more).code == 0
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.startswith(begins) and "majority" in text
