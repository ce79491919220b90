"""Tables on standard output that lose nothing in a narrow terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from benchctl.terminal import visible

ELSEWHERE = 160
"""Columns of a page where standard output is no terminal."""
FOLDED = 16
"""A longer word may be broken to fit its column."""


def cell(text: str) -> Text:
    """A cell of a table, as it is but for what would move the cursor."""
    return Text(visible(text))


def draw(table: Table) -> None:
    """Print a table, row by row with a line for each cell where the terminal is too narrow for its columns.

    Rich would crop figures there, or leave columns one letter wide: `0.557` read as `0.55` is worse than no table.
    """
    console = Console(width=None if sys.stdout.isatty() else ELSEWHERE, emoji=False)
    if _needed(table, console) <= console.width:
        console.print(table)
        return
    headings = [_text(column.header) for column in table.columns]
    left = max(map(cell_len, headings)) + 2
    if table.title:
        _line(console, _text(table.title))
    for row in zip(*(column.cells for column in table.columns), strict=True):
        _line(console)
        for heading, cell in zip(headings, row, strict=True):
            for place, line in enumerate(_text(cell).split("\n")):
                _line(console, (heading if place == 0 else "").ljust(left) + line)
    _line(console)
    if table.caption:
        _line(console, _text(table.caption))


def _needed(table: Table, console: Console) -> int:
    """Columns of the terminal in which no figure is cropped and no word of up to `FOLDED` letters is broken.

    Rich takes from the widest of the columns that may wrap until the table fits: each of them is as wide as it wants to
    be, or as wide as the others. So the one with the longest word says how wide the others are.
    """
    whole = [_widest(column) for column in table.columns]
    wide = console.options.update(width=sum(whole) + 100 * len(whole))
    frame = Measurement.get(console, wide, table).maximum - sum(whole)
    words = [_longest_word(column) for column in table.columns if not column.no_wrap]
    level = min(max(words, default=0), FOLDED)
    sized = zip(table.columns, whole, strict=True)
    return frame + sum(width if column.no_wrap else min(width, level) for column, width in sized)


def _widest(column: Column) -> int:
    return max(cell_len(line) for text in _texts(column) for line in text.split("\n"))


def _longest_word(column: Column) -> int:
    return max((cell_len(word) for text in _texts(column) for word in text.split()), default=0)


def _texts(column: Column) -> Sequence[str]:
    return [_text(column.header), *(_text(cell) for cell in column.cells)]


def _text(cell: object) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _line(console: Console, text: str = "") -> None:
    console.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)
