"""What a training shows on standard error: a bar with loss, rate and time left; plain lines without a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class TrainDisplay:
    """One bar for the steps; notes above it. Without a terminal a line at each evaluation, which is a note."""

    def __init__(self, title: str) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[facts]}"),
            TextColumn("{task.fields[rate]}", style="dim"), TimeElapsedColumn(), TimeRemainingColumn(),
            console=self._console, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(title, total=None, facts="", rate="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def note(self, text: str) -> None:
        """A line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def step(self, done: int, total: int, facts: str) -> None:
        """Move the bar."""
        speed = self._bar.tasks[0].speed
        rate = f"{speed:.2f} steps/s" if speed else ""
        self._bar.update(self._task, completed=done, total=total, facts=facts, rate=rate)
