"""The leaderboard as a table for a paper (LaTeX) or a README (Markdown): the page's numbers, and no remark lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchctl import __version__

from .asides import below, detail, reference_detail, remarks, tags
from .board import Cell, Column, GroupCell, Leaderboard, Reference, Row, Section
from .language import Language, load_language

FORMATS = {"latex": ".tex", "markdown": ".md"}
"""Format -> the ending of files that are written in it unasked."""

_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}",
    "<": r"\textless{}", ">": r"\textgreater{}", '"': r"\textquotedbl{}", "−": "$-$", "≈": r"$\approx$",
    "Δ": r"$\Delta$", "`": r"\textasciigrave{}", "\n": " ", **{sign: f"\\{sign}" for sign in "&%$#_{}"},
})  # fmt: skip
_JOINED = re.compile(r"([-,'])(?=\1)")
"""Signs of which LaTeX sets two as another one: -- as a dash."""
_MARKDOWN = str.maketrans({"&": "&amp;", "<": "&lt;", "\n": " ", **{sign: f"\\{sign}" for sign in "\\`*_[]|~$"}})


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in one place of the table."""

    value: str
    best: bool = False
    notes: str = ""
    """Letters of the notes below the table: ``a,b``."""
    below: tuple[str, ...] = ()
    """Its interval, the number of questions, and the difference to the model it was trained from."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    name: str
    detail: str
    entries: tuple[Entry, ...]


class Notes:
    """Remarks, each with a letter that stands wherever it is made."""

    def __init__(self) -> None:
        self.letters: dict[str, str] = {}

    def of(self, texts: Sequence[str]) -> str:
        """The letters of these remarks, new ones given out in order: a, b, ..., z, aa, ab."""
        for text in texts:
            self.letters.setdefault(text, _letter(len(self.letters)))
        asked = set(texts)
        return ",".join(letter for text, letter in self.letters.items() if text in asked)


def render_table(board: Leaderboard, lang: str, form: str) -> str:
    """The leaderboard in one of :data:`FORMATS`; columns without any measured figure are left out.

    Everything that comes from runs, plugins and models is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    words, notes = load_language(lang), Notes()
    columns = [column for column in board.columns if _measured(board, column)]
    measured = [
        (_title(section, words), [_line(row, columns, notes, words) for row in section.rows])
        for section in board.sections
    ]
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, finalize=ESCAPES[form],
        autoescape=False,  # noqa: S701 - no HTML, and finalize escapes every value
        variable_start_string="<<", variable_end_string=">>", block_start_string="<%", block_end_string="%>",
        comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    return env.get_template(f"leaderboard{FORMATS[form]}.j2").render(
        L=words, board=board, headings=[(column.title, ", ".join(below(column, words))) for column in columns],
        blocks=[*measured, *_reported(board, columns, words)], notes=notes.letters, version=__version__,
    )  # fmt: skip


def _measured(board: Leaderboard, column: Column) -> bool:
    cells = [row.cells.get(column.task) for section in board.sections for row in section.rows]
    return any(cell is not None and cell.estimate is not None for cell in cells)


def _title(section: Section, words: Language) -> str:
    if section.builtin:
        return words.text("section.builtin")
    return f"{words.text('section.measured')}, {words.text('section.data', sources=', '.join(section.sources))}"


def _line(row: Row, columns: Sequence[Column], notes: Notes, words: Language) -> Line:
    kinds = [said for _, said in tags(row, words)]
    entries = tuple(_entry(row.cells.get(column.task), column, notes, words) for column in columns)
    return Line(row.model, " · ".join([*kinds, *detail(row, words)]), entries)


def _entry(cell: Cell | GroupCell | None, column: Column, notes: Notes, words: Language) -> Entry:
    if cell is None:
        return Entry("–")
    said = [aside.title or aside.text for aside in remarks(cell, column, words)]
    estimate = cell.estimate
    if estimate is None:
        return Entry("–", notes=notes.of(said))
    counted = words.text("cell.n", n=estimate.n)
    below = [words.interval(estimate)] if estimate.low is not None else []
    below += [counted] if counted in said else []
    said = [one for one in said if one != counted]
    if cell.gain:
        difference = cell.gain.difference
        over = words.text("gain.over", base=cell.gain.base)
        below.append(f"Δ {words.points(difference)}")
        said.append(f"Δ {over}: {words.text(f'gain.{difference.verdict}')}")
    tied = " ≈" if cell.mark == "tied" else ""
    value = f"{words.value(estimate.value, estimate.percent)}{tied}"
    return Entry(value, cell.mark == "best", notes.of(said), tuple(below))


def _reported(board: Leaderboard, columns: Sequence[Column], words: Language) -> list[tuple[str, list[Line]]]:
    blocks: dict[str, list[Line]] = {}
    for reference in board.references:
        if line := _reference(reference, columns, words):
            kind = words.name("section.kind", reference.kind)
            title = f"{words.text('section.reference')}: {kind} · {reference.source}"
            blocks.setdefault(title, []).append(line)
    return list(blocks.items())


def _reference(reference: Reference, columns: Sequence[Column], words: Language) -> Line | None:
    shown = [reference.scores.get(c.task) if c.metric == "accuracy" else None for c in columns]
    if all(percent is None for percent in shown):
        return None
    only = [words.text("cell.only_answered")] if reference.metric != "accuracy" else []
    entries = tuple(Entry("–" if percent is None else words.printed(percent)) for percent in shown)
    return Line(reference.model, " · ".join([*reference_detail(reference, words), *only]), entries)


def _letter(place: int) -> str:
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("a") + place % 26)


def _latex(value: object) -> str:
    return _JOINED.sub(r"\1{}", str(value).translate(_LATEX))


def _markdown(value: object) -> str:
    return str(value).translate(_MARKDOWN)


ESCAPES = {"latex": _latex, "markdown": _markdown}
"""Format -> what makes any text stand there as it is."""
