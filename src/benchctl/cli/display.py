"""What a run shows: bars and notes on standard error, the table or the JSON on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from benchctl.cli.tables import cell, draw
from benchctl.results import Result
from benchctl.runner import Progress as Mover
from benchctl.terminal import visible
from benchctl.types import Estimate


class _Rate(ProgressColumn):
    """Samples per second."""

    def render(self, task: Task) -> Text:
        """The rate over the last samples, or the whole when it has ended."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s", style="dim")


class RunDisplay:
    """Bars with rate and time left, one per run; plain lines when standard error is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, emoji=False)  # a model may be called llama:free:
        self._bars = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), _Rate(),
            TimeRemainingColumn(), console=self._console, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._noted: set[str] = set()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self._noted:
            self._noted.add(text)
            self._console.print(visible(text), markup=False, highlight=False, soft_wrap=True)

    def job(self, title: str) -> Mover:
        """A new bar, and the function that moves it; without a terminal, a line at the beginning and at the end."""
        title = visible(title)
        bar = self._bars.add_task(title, total=None)
        told: set[str] = set()

        def move(done: int, total: int) -> None:
            self._bars.update(bar, completed=done, total=total)
            if self._console.is_terminal:
                return
            stage = "start" if not told else "end" if done == total else ""
            if stage and stage not in told:
                told.add(stage)
                self._console.print(f"{title}: {done} of {total}", markup=False, highlight=False, soft_wrap=True)

        return move


def print_json(results: Sequence[Result]) -> None:
    """The array ``--json`` promises, and nothing else, on standard output."""
    json.dump([result.as_json() for result in results], sys.stdout, ensure_ascii=False, indent=1)
    print()


def print_table(results: Sequence[Result]) -> None:
    """Every result with its intervals; members under their group. Long names fold, so that nothing is lost."""
    rows = [row for result in results for row in _rows(result)]
    told = any(row.status != "complete" for row in rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("task", "model", "metric", "value", "95 % interval", "n", *(["status"] if told else []), "run"):
        whole = heading in ("value", "95 % interval", "n", "run")
        table.add_column(
            heading, justify="right" if heading in ("value", "n") else "left", no_wrap=whole, overflow="fold"
        )
    for row in rows:
        cells = (
            row.task,
            row.model,
            row.metric,
            row.value,
            row.interval,
            row.n,
            *([row.status] if told else []),
            row.run,
        )
        table.add_row(*(cell(shown) for shown in cells))
    draw(table)


class _Row(NamedTuple):
    """One line of the table."""

    task: str
    model: str
    metric: str
    value: str
    interval: str
    n: str
    status: str
    run: str


def _rows(result: Result, indent: str = "") -> Iterator[_Row]:
    for member in result.members:
        yield from _rows(member, indent + "  ")
    outcomes = {k: v for k, v in result.counts["outcomes"].items() if k not in ("choice", "text")}
    status = result.status + "".join(f" · {count} {name}" for name, count in outcomes.items())
    for metric, e in result.estimates.items() or [("-", None)]:
        value, interval = figures(e) if e is not None else ("-", "-")
        n = str(e.n) if e is not None else "0"
        yield _Row(indent + result.task, result.model, metric, value, interval, n, status, result.run or "")


def figures(e: Estimate) -> tuple[str, str]:
    """Value and interval as shown: shares as percentages with two decimals."""
    scale, unit = (100, " %") if e.percent else (1, "")
    interval = "-" if e.low is None or e.high is None else f"{e.low * scale:.2f} – {e.high * scale:.2f}"
    return f"{e.value * scale:.2f}{unit}", interval
