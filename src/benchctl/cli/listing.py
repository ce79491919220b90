"""``benchctl list`` and ``benchctl plugins``: what there is, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

KINDS = ("tasks", "models", "metrics", "trainers", "plugins", "runs")


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs, for 'list runs'.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON array on standard output.")
def list_command(kind: str, folder: Path, as_json: bool) -> None:
    """Show the tasks, models, metrics, trainers, plugins or runs there are.

    \b
    Example:
      benchctl list tasks
    """
    if kind in ("plugins", "runs"):
        found = _plugins() if kind == "plugins" else _runs(folder)
        if kind == "runs":
            _tell_unrecorded(folder)
        _print(found if as_json or kind == "plugins" else [_in_short(row) for row in found], as_json)
        return
    rows = _offers(kind[:-1])
    _print(rows if as_json else [_brief(row) for row in rows], as_json)


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="A JSON array on standard output.")
def plugins_command(as_json: bool) -> None:
    """Show every plugin, what it offers and what is wrong with it; the same as 'benchctl list plugins'.

    \b
    Example:
      benchctl plugins --json
    """
    _print(_plugins(), as_json)


def _plugins() -> list[dict[str, Any]]:
    from benchctl.plugins import get_plugins

    return [
        {
            "name": info.name, "package": f"{info.distribution} {info.version}", "module": info.module,
            "hooks": ", ".join(info.hooks), "problems": "; ".join(info.problems),
        }
        for info in get_plugins().infos
    ]  # fmt: skip


def _offers(kind: str) -> list[dict[str, Any]]:
    from benchctl.config import load_config
    from benchctl.plugins import get_plugins

    rows = []
    for offer in get_plugins().offers(kind).values():
        origin = {"plugin": offer.plugin.name, "package": offer.plugin.distribution}
        rows.append({"name": offer.name, "summary": offer.summary, **origin, **getattr(offer.factory, "facts", {})})
    if kind == "model":
        config = load_config()
        for name, entry in config.models.items():
            origin = {"plugin": config.origin(name), "package": "project"}
            rows.append({"name": name, "summary": str(entry.get("spec", "")), **origin})
    return rows


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    """An offer in three columns, so that it can be read in a terminal of 80 characters."""
    known = ("name", "summary", "plugin", "package")
    facts = " · ".join(f"{key} {value}" for key, value in row.items() if key not in known and value not in ("", None))
    origin = row["plugin"] if row["package"] == "benchctl" else f"{row['plugin']} ({row['package']})"
    return {"name": row["name"], "what it is": "\n".join(filter(None, (row["summary"], facts))), "from": origin}


def _runs(folder: Path) -> list[dict[str, Any]]:
    from benchctl.cli.display import figures
    from benchctl.records import read_runs
    from benchctl.terminal import tell_left_out

    rows = []
    for run in read_runs(folder, tell_left_out):
        record = run.record
        first = next(iter(record.estimates.items()), None)
        shown = f"{first[0]} {figures(first[1])[0]} ({figures(first[1])[1]})" if first else "-"
        spec = record.spec
        row = {"run": record.id, "task": spec.task, "model": spec.model, "scoring": spec.scoring, "shots": spec.shots}
        row["repeats"] = spec.repeats
        counts = {name: record.counts[name] for name in ("n", "answered")}
        state = {"status": record.status, **counts, "result": shown}
        finished = record.timings.get("finished") if record.status != "running" else None  # there it is the start
        rows.append({**row, **state, "finished": finished})
    return rows


def _tell_unrecorded(folder: Path) -> None:
    """Say which folders of runs have no record: killed before the first was written, or deleted as damaged."""
    from benchctl.records import RunFolder
    from benchctl.terminal import echo

    for path in sorted({file.parent for name in ("lock", "samples.jsonl") for file in folder.glob(f"*/*/*/{name}")}):
        if (path / "run.json").exists() or RunFolder(path).in_use():
            continue
        journal = path / "samples.jsonl"
        count = journal.read_bytes().count(b"\n") if journal.exists() else 0
        answers = "1 answer" if count == 1 else f"{count or 'no'} answers"
        echo(f"note: {path} has no run.json and {answers}: the command that began it goes on there.", err=True)


def _in_short(row: Mapping[str, Any]) -> dict[str, Any]:
    """A run in fewer columns, so that it can be read in a terminal of 100 characters; when it ended by this clock."""
    from benchctl.cli.wording import asked
    from benchctl.types import RunSpec

    how = asked(RunSpec(row["task"], row["model"], **{name: row[name] for name in ("scoring", "shots", "repeats")}))
    part = "" if row["answered"] == row["n"] else f"{row['answered']} of "
    model = f"{row['model']}\n{how}, n {part}{row['n']}, {row['status']}"
    ended = row["finished"]
    finished = f"{datetime.fromisoformat(ended).astimezone():%Y-%m-%d\n%H:%M}" if ended else "-"
    return {"run": row["run"], "task": row["task"], "model": model, "result": row["result"], "finished": finished}


def _print(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return
    from rich.table import Table

    from benchctl.cli.tables import cell, draw

    if not rows:
        click.echo("None.")
        return
    table = Table()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for column in columns:
        table.add_column(column, no_wrap=column in ("run", "finished"), overflow="fold")
    for row in rows:
        table.add_row(*(cell(str(row.get(column, ""))) for column in columns))
    draw(table)
