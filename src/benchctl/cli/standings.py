"""Models beside their base, as tables or CSV on standard output."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table as Drawn
from rich.text import Text

from benchctl.cli.tables import cell, draw
from benchctl.cli.wording import duration, interval, memory, number, points, say, value
from benchctl.standings import Column, Figure, Standing, Table
from benchctl.terminal import echo, visible

ACROSS = 5
"""Metrics side by side in one table; more go into the next."""


def print_standings(table: Table, lang: str = "en") -> None:
    """One row per model, the base first: every metric of every task, then what the trainings cost."""
    for task, columns in _parts(table):
        draw(_metrics(table, task, columns, lang))
    echo(say("value; difference to the base in percent; in points [95 % interval]", lang))
    draw(_costs(table, lang))
    for row in table.rows[1:]:
        for column, figure in row.figures.items():
            if figure.unpaired:
                why = say(figure.unpaired, lang)
                echo(f"{row.model}: {column.task} · {column.metric}: {say('no pairs', lang)}: {why}")
    for line in table.warnings:
        echo(f"{say('warning', lang)}: {say(line, lang)}")


def print_csv(table: Table, lang: str = "en") -> None:
    """One line per model; in Portuguese with decimal commas, separated by semicolons, as spreadsheets there read it."""
    writer = csv.writer(sys.stdout, delimiter=";" if lang == "pt" else ",", lineterminator="\n")
    costs = list(table.rows[0].costs())
    parts = ("value", "n", "relative_percent", "difference", "low", "high", "p", "p_holm", "verdict")
    writer.writerow(["model", *(f"{c.task}.{c.metric}.{part}" for c in table.columns for part in parts), *costs])
    for row in table.rows:
        cells: list[object] = [row.model]
        for column in table.columns:
            cells += _numbers(row.figures.get(column))
        cells += row.costs().values()
        writer.writerow(_cell(each, lang) for each in cells)


def _parts(table: Table) -> Iterator[tuple[str, Sequence[Column]]]:
    """The columns task by task, at most :data:`ACROSS` at a time."""
    for task in dict.fromkeys(column.task for column in table.columns):
        columns = [column for column in table.columns if column.task == task]
        for start in range(0, len(columns), ACROSS):
            yield task, columns[start : start + ACROSS]


def _metrics(table: Table, task: str, columns: Sequence[Column], lang: str) -> Drawn:
    drawn = _drawn(task)
    drawn.add_column(say("model", lang), overflow="fold", ratio=1)
    for column in columns:
        lower = "" if table.shape(column).higher_is_better is not False else f" ↓ ({say('lower is better', lang)})"
        drawn.add_column(column.metric + lower, justify="right", overflow="fold")
    for place, row in enumerate(table.rows):
        name = f"{row.model} ({say('base', lang)})" if place == 0 else row.model
        drawn.add_row(cell(name), *(cell(_figure(row.figures.get(column), lang)) for column in columns))
    return drawn


def _figure(figure: Figure | None, lang: str) -> str:
    """Up to four lines: value, percent, points with interval, verdict."""
    if figure is None:
        return "-"
    lines = [value(figure.estimate, lang)]
    if (d := figure.difference) is not None:
        lines.append("–" if figure.relative is None else f"{number(figure.relative, 1, lang, signed=True)} %")
        lines += [f"{points(d, lang)} {interval(d, lang)}".strip(), say(d.verdict, lang)]
    return "\n".join(lines)


def _costs(table: Table, lang: str) -> Drawn:
    drawn = _drawn()
    for heading in ("model", "parameters", "trainable", "share", "epochs", "time", "memory"):
        drawn.add_column(say(heading, lang), justify="left" if heading == "model" else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(cell(shown) for shown in (row.model, *_cost_cells(row, lang))))
    return drawn


def _cost_cells(row: Standing, lang: str) -> list[str]:
    costs = row.costs()
    share, epochs, seconds, peak = (costs[name] for name in ("share", "epochs", "seconds", "peak_bytes"))
    counts = ["" if costs[n] is None else number(costs[n] or 0, 0, lang) for n in ("parameters", "trainable")]
    return [
        *counts,
        "" if share is None else f"{number(share * 100, 2, lang)} %",
        "" if epochs is None else number(epochs, 2, lang),
        "" if seconds is None else duration(seconds),
        "" if peak is None else memory(peak, lang),
    ]


def _numbers(figure: Figure | None) -> list[object]:
    if figure is None:
        return [None] * 9
    d = figure.difference
    found: list[object] = [figure.estimate.value, figure.estimate.n, figure.relative]
    return [*found, *((d.value, d.low, d.high, d.p, d.p_holm, d.verdict) if d else (None,) * 6)]


def _cell(given: object, lang: str) -> object:
    if isinstance(given, float):
        text = f"{given:.10g}"
        return text.replace(".", ",") if lang == "pt" else text
    # A text that a spreadsheet would take for a formula gets an apostrophe in front.
    return f"'{given}" if isinstance(given, str) and given.startswith(("=", "+", "-", "@", "\t")) else given


def _drawn(title: str | None = None) -> Drawn:
    heading = None if title is None else Text(visible(title), "table.title")
    return Drawn(title=heading, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
