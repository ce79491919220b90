"""The dots of the charts: the numbers of one column of one section, best first, on a scale from 0 to 100."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .board import Column, GroupCell, Leaderboard, Reference, Row, Section
from .sources import source_name


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a chart."""

    owner: Row | Reference
    percent: float
    low: float | None
    """Bounds of the interval in percent; None for figures that were only reported."""
    high: float | None

    @property
    def measured(self) -> bool:
        """Whether benchctl measured it."""
        return isinstance(self.owner, Row)


@dataclass(frozen=True, slots=True)
class Chart:
    """One column of one section, with the reference figures for it where the section has real data."""

    column: Column
    section: Section
    points: tuple[Point, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the questions of its measured dots come from, as shown: a section may hold other tasks' data too."""
        cells = [p.owner.cells[self.column.task] for p in self.points if isinstance(p.owner, Row)]
        singles = [one for cell in cells for one in (cell.members.values() if isinstance(cell, GroupCell) else [cell])]
        asked = {source_name(one.record) for one in singles}
        return tuple(shown for name, shown in self.section.labels.items() if name in asked)


def charts(board: Leaderboard) -> Iterator[Chart]:
    """A chart for every column of percentages with at least two dots, one of them measured.

    Reference figures are not drawn beside the built-in sample: 24 easy questions are no test set.
    """
    for section in board.sections:
        for column in board.columns:
            if not column.percent:
                continue
            points = list(_measured(section, column))
            if points and not section.builtin:
                points += _reported(board, column)
            if len(points) > 1:
                sign = -1 if column.higher_is_better else 1
                ordered = sorted(points, key=lambda p: (sign * p.percent, p.owner.model))
                yield Chart(column, section, tuple(ordered))


def _measured(section: Section, column: Column) -> Iterator[Point]:
    for row in section.rows:
        cell = row.cells.get(column.task)
        if cell is not None and (e := cell.estimate) is not None:
            bounds = (None if e.low is None else e.low * 100, None if e.high is None else e.high * 100)
            yield Point(row, e.value * 100, *bounds)


def _reported(board: Leaderboard, column: Column) -> Iterator[Point]:
    for reference in board.references:
        if reference.metric == column.metric and column.task in reference.scores:
            yield Point(reference, reference.scores[column.task], None, None)
