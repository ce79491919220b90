"""Labels as a spreadsheet, and back."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from benchctl.annotation.items import Item
from benchctl.annotation.labels import Label
from benchctl.annotation.store import Annotation, Draw, State, Store
from benchctl.data import separator
from benchctl.errors import BadData
from benchctl.records import replace_file
from benchctl.types import OUTCOMES

COLUMNS = ("id", "annotator", "outcome", "label", "note", "at", "draw", "blind", "reading_outcome", "reading_label",
           "target", "context", "question", "options", "answer")  # fmt: skip
"""``draw`` is ``random of N``, ``random:OUTCOME+OUTCOME of N`` or ``chosen``: how the answer came to be labelled, and
how many the run had then; ``blind`` is ``yes`` where the reading and the right option were hidden. An import needs
``id``, ``outcome`` and ``label`` only; without ``draw`` the labels count as chosen. Without an outcome a row waits."""


@dataclass(frozen=True, slots=True)
class Line:
    """One imported label."""

    id: str
    annotator: str | None
    """None where the file does not say."""
    label: Label
    note: str
    draw: Draw


def export_csv(path: Path, items: Sequence[Item], annotators: Mapping[str, State], draw: Draw) -> int:
    """Write the labels of some answers, and those that wait for one, to a CSV file; gives the number of labels.

    The file is UTF-8 with the mark that spreadsheets look for.

    Args:
        draw: how the answers without a label were chosen. Blind: readings and right options are left empty, also
            beside the labels there are.
    """
    by_id = {item.sample.id: item for item in items}
    said = [
        (name, a) for name, state in annotators.items() for a in state.annotations.values()
        if a.id in by_id and (a.label is not None or a.note)
    ]  # fmt: skip
    labelled = {a.id for _, a in said if a.label is not None}
    waiting = [("", Annotation(i, draw=draw)) for i in by_id if i not in labelled]
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for name, a in [*said, *waiting]:
        writer.writerow(_row(name, a, by_id[a.id], draw.blind))
    replace_file(path, "\ufeff" + out.getvalue())
    return sum(a.label is not None for _, a in said)


def _row(annotator: str, a: Annotation, item: Item, hidden: bool) -> list[str]:
    outcome, label = (a.label.outcome, a.label.label or "") if a.label else ("", "")
    sample = item.sample
    seen = ("", "", "") if hidden else (item.reading.outcome, item.reading.label or "", sample.target)
    options = "\n".join(f"{name}) {text}" for name, text in sample.choices.items())
    read = (sample.context, sample.question, options, item.text)
    return [a.id, annotator, outcome, label, a.note, a.at, _draw_name(a.draw), "yes" if a.draw.blind else "", *seen,
            *map(_plain, read)]  # fmt: skip


def read_csv(path: Path, items: Sequence[Item], annotator: str | None = None) -> list[Line]:
    """The labels of a CSV file, all checked before any is kept.

    Args:
        annotator: only the rows of this one, and those that name none.

    Raises:
        BadData: with file, row and column.
    """
    csv.field_size_limit(sys.maxsize)  # a thought may be long
    try:
        text = StringIO(path.read_text(encoding="utf-8-sig"))
        rows = list(csv.DictReader(text, delimiter=separator(text)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(
            f"'{path}' cannot be read as CSV.", "It must be UTF-8 text with a heading row; Excel calls it 'CSV UTF-8'."
        ) from error
    for column in ("id", "outcome", "label"):
        if rows and column not in rows[0]:
            raise BadData(f"{path.name}: there is no column '{column}'.", "'--export FILE.csv' writes the right ones.")
    known = {item.sample.id: item for item in items}
    filled = {n: row for n, row in enumerate(rows, 2) if (row["outcome"] or "").strip() or (row["label"] or "").strip()}
    lines = {n: _line(f"{path.name}, row {n}", row, known, path.name) for n, row in filled.items()}
    _check_twice(lines, path.name)
    wanted = [line for line in lines.values() if annotator is None or line.annotator in (None, annotator)]
    if not wanted:
        whose = f" of annotator '{annotator}'" if annotator and lines else ""
        raise BadData(f"{path.name}: there is no label{whose}.", "Fill in the columns outcome and label.")
    return wanted


def _check_twice(lines: Mapping[int, Line], source: str) -> None:
    """Refuse two labels of one annotator for one answer: which of them counts, nobody could tell."""
    seen: dict[tuple[str, str | None], int] = {}
    for n, line in lines.items():
        first = seen.setdefault((line.id, line.annotator), n)
        if lines[first].label != line.label:
            raise BadData(
                f"{source}, rows {first} and {n}: two labels of one annotator for '{line.id}'.", "Keep one of them."
            )


def import_lines(store: Store, lines: Sequence[Line]) -> int:
    """Put labels into an annotator's store; those that are already there, and equal, are passed over."""
    draw: Draw | None = None
    count = 0
    for line in lines:
        now = store.state.annotations.get(line.id)
        if now is not None and now.label == line.label and now.note == line.note:
            continue
        if line.draw != draw:
            draw = line.draw
            store.begin(draw)
        store.label(line.id, line.label)
        if line.note:
            store.note(line.id, line.note)
        count += 1
    return count


def _line(place: str, row: Mapping[str, str], known: Mapping[str, Item], source: str) -> Line:
    identity, outcome, label = ((row[column] or "").strip() for column in ("id", "outcome", "label"))
    if identity not in known:
        raise BadData(
            f"{place}, column id: '{identity}' is no answer of this run.", "Import it into the run it came from."
        )
    if outcome.lower() not in OUTCOMES:
        raise BadData(f"{place}, column outcome: '{outcome}' is unknown.", f"It must be one of {', '.join(OUTCOMES)}.")
    outcome, choices = outcome.lower(), known[identity].sample.choices
    if label not in choices:  # as at the keyboard, in any case
        label = next((one for one in choices if one.lower() == label.lower()), label)
    if (outcome == "choice") != (label in choices):
        options = ", ".join(choices)
        raise BadData(
            f"{place}, column label: '{label}' does not go with outcome '{outcome}'.",
            f"With 'choice' it must be one of {options}; otherwise empty.",
        )
    given, _, of = (row.get("draw") or "chosen").strip().partition(" of ")
    if of and not of.isdecimal():
        raise BadData(f"{place}, column draw: '{row['draw']}' is unknown.", "Leave it as '--export' wrote it.")
    only = tuple(o for o in given.partition(":")[2].split("+") if o)
    blind = (row.get("blind") or "").strip().lower() == "yes"
    draw = Draw(random=given.startswith("random"), only=only, blind=blind, of=int(of or 0), source=source)
    note, annotator = ((row.get(column) or "").strip() for column in ("note", "annotator"))
    return Line(identity, annotator or None, Label(outcome, label or None), note, draw)


def _plain(text: str) -> str:
    """A text that a spreadsheet would take for a formula, such as an answer that begins with a hyphen, gets an
    apostrophe in front; an import reads neither column."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _draw_name(draw: Draw) -> str:
    if not draw.random:
        return "chosen"
    return "random" + (f":{'+'.join(draw.only)}" if draw.only else "") + (f" of {draw.of}" if draw.of else "")
