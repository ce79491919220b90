"""``benchctl report``: the leaderboard of all runs in a folder as one HTML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchctl.hookspecs import hookimpl
from benchctl.terminal import echo, tell_left_out

if TYPE_CHECKING:
    from benchctl.task import TaskGroup

    from .board import Leaderboard, Reference


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """Add ``benchctl report``."""
    cli.add_command(report)


@click.command()
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("report.html"), show_default=True,
              help="The file to write.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["html", "latex", "markdown"]),
              help="The page, or its table for a paper or a README.  [default: by the ending .tex or .md, else html]",
)  # fmt: skip
@click.option("--lang", type=click.Choice(["pt", "en"]), default="pt", show_default=True, help="Language of the page.")
@click.option("--title", help="Heading of the page.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Path, rows, cells and the tests models were trained on as JSON on standard output.",
)
def report(folder: Path, out: Path, form: str | None, lang: str, title: str | None, as_json: bool) -> None:
    """Write the leaderboard: every run beside the figures others reported, in one HTML file that needs no network.

    \b
    Examples:
      benchctl report
      benchctl report --runs runs --lang en --out leaderboard.html
      benchctl report --out tabela.tex
    """
    from datetime import UTC, datetime

    from benchctl.errors import RecordError
    from benchctl.records import read_runs, replace_file

    from .gains import with_gains
    from .leaderboard import build_leaderboard

    left_out: dict[Path, RecordError] = {}
    runs = read_runs(folder, left_out.__setitem__)
    for path, error in left_out.items():
        tell_left_out(path, error)
    if not runs:
        raise RecordError(f"There are no runs in '{folder}'.", "Run 'benchctl run' first, or give --runs FOLDER.")
    now = datetime.now(UTC).isoformat(timespec="minutes")
    records = [run.record for run in runs]
    board = build_leaderboard(records, _references(), _groups(), title=title, generated=now)
    board, problems = with_gains(board, {run.record.id: run.path for run in runs})
    for problem in problems:
        echo(f"warning: {problem}", err=True)
    page = _rendered(board, lang, form, out)
    try:
        replace_file(out, page)
    except OSError as error:
        raise RecordError(f"'{out}' cannot be written: {error.strerror}.", "Give another file with --out.") from error
    if as_json:
        leaks = [{"model": row.model, "task": task, "rows": n} for row in board.leaked for task, n in row.leaks.items()]
        told = {"path": str(out), "rows": board.rows, "cells": board.cells, "leaks": leaks,
                "left_out": [str(path) for path in left_out]}  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(str(out))


def _rendered(board: Leaderboard, lang: str, form: str | None, out: Path) -> str:
    """The leaderboard in the format asked for, or in the one that the file's ending names."""
    from .page import render
    from .papers import FORMATS, render_table

    wanted = form or next((name for name, ending in FORMATS.items() if out.suffix.lower() == ending), "html")
    return render(board, lang) if wanted == "html" else render_table(board, lang, wanted)


def _groups() -> list[TaskGroup]:
    """Every group some plugin offers; a factory that fails costs its group, not the report."""
    from benchctl.plugins import get_plugins
    from benchctl.task import TaskGroup

    found = []
    for name, offer in get_plugins().offers("task").items():
        if offer.takes_arguments:  # it stands for many tasks, none of which is known without its name
            continue
        try:
            task = offer.factory()
        except Exception as error:
            echo(f"warning: task '{name}' left out ({type(error).__name__}: {error})", err=True)
            continue
        if isinstance(task, TaskGroup) and task.alike:
            echo(
                f"warning: group '{name}' left out: its mean is not weighted by size, as all in a report are", err=True
            )
        elif isinstance(task, TaskGroup):
            found.append(task)
    return found


def _references() -> list[Reference]:
    """Every reference row some plugin offers; an offer with a fault is left out whole, and said."""
    from benchctl.plugins import get_plugins

    from .reference_scores import as_reference

    found: list[Reference] = []
    for name, offer in get_plugins().offers("reference").items():
        try:
            found += [as_reference(row, name) for row in offer.factory()]
        except Exception as error:
            echo(f"warning: reference scores '{name}' left out ({error})", err=True)
    return found
