"""Which cells of a column are best, and which cannot be told apart from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchctl.types import Estimate

from .board import Cell, Column, GroupCell, Mark, Row


def marked(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    """The rows of one section with their cells marked, column by column.

    Only complete cells over the very same questions are compared, by the same judges where some judged, never those of
    a model that was trained on some of these questions, and a cell with nothing to be compared with has no mark. The
    rule is the overlap of the 95 % intervals: simple, and cautious, since intervals that overlap can still hide a
    difference that a paired test on the same questions would find.
    """
    changed = [dict(row.cells) for row in rows]
    for column in columns:
        comparable: dict[tuple[str, str], list[int]] = {}
        for place, cells in enumerate(changed):
            cell = cells.get(column.task)
            if cell is not None and cell.complete and cell.estimate is not None and not cell.leaked:
                comparable.setdefault((cell.questions, cell.hands), []).append(place)
        for places in comparable.values():
            _mark(changed, places, column)
        _show_different_data(changed, column)
    return [replace(row, cells=cells) for row, cells in zip(rows, changed, strict=True)]


def _mark(cells: list[dict[str, Cell | GroupCell]], places: Sequence[int], column: Column) -> None:
    estimates = {place: e for place in places if (e := cells[place][column.task].estimate) is not None}
    if len(estimates) < 2:
        return
    pick = max if column.higher_is_better else min
    best = pick(estimates.values(), key=lambda e: e.value)
    for place, estimate in estimates.items():
        cells[place][column.task] = replace(cells[place][column.task], mark=_against(estimate, best))


def _against(estimate: Estimate, best: Estimate) -> Mark:
    if estimate.value == best.value:
        return "best"
    if estimate.low is None or estimate.high is None or best.low is None or best.high is None:
        return ""
    return "tied" if estimate.low <= best.high and best.low <= estimate.high else ""


def _show_different_data(cells: list[dict[str, Cell | GroupCell]], column: Column) -> None:
    """Two versions of a file under one name: nobody may think that these numbers answer the same questions."""
    whole = [(c, cell) for c in cells if isinstance(cell := c.get(column.task), Cell) and not cell.subset]
    if len({cell.questions for _, cell in whole}) > 1:
        for of_row, cell in whole:
            of_row[column.task] = replace(cell, data_differ=True)
