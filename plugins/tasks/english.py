"""What the English originals of the Portuguese tasks share: four options with a letter, in English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchctl.data import RowError, Table, as_text
from benchctl.errors import BadData
from benchctl.fingerprints import digest
from benchctl.task import Task
from benchctl.types import Sample

from .drbyte import LETTERS


class EnglishTask(Task):
    """Base: language and chance; the originals are what the reference models were measured on."""

    language = "en"
    chance = 0.25


def as_letters(table: Table, column: str, first: int | None = 0) -> Table:
    """The rows with the right option as a letter where it is a number; the whole table tells what numbers count from.

    Args:
        column: where the number stands.
        first: what the first option is where the table does not tell, as without a 0 and a 4; None refuses it.

    Raises:
        BadData: the numbers fit neither way, or both, and ``first`` is None.
    """
    # Others are letters already, or what the row's own message will name.
    given = {row.text(column).strip() for row in table.rows} & {"0", "1", "2", "3", "4"}
    if given and first is None and ("0" in given) == ("4" in given):
        raise BadData(
            f"{table.source}: column '{column}' does not tell whether options are counted from 0 or from 1.",
            "Write the letters A, B, C and D there.",
        )
    if "4" in given and "0" not in given:
        first = 1
    places = {str(place + (first or 0)): letter for place, letter in enumerate(LETTERS)}
    rows = (
        replace(row, values={**row.values, column: places[text]})
        if (text := row.text(column).strip()) in places
        else row
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def four_options(identity: str, question: str, options: Sequence[object], target: object, context: str = "") -> Sample:
    """A question with four options.

    Args:
        target: the letter, or the position from 0.

    Raises:
        RowError: no question, an option missing, or a target that is neither.
    """
    texts = [as_text(option).strip() for option in options]
    if not question.strip():
        raise RowError("no question")
    if len(texts) != len(LETTERS) or not all(texts):
        raise RowError(f"{sum(map(bool, texts))} options where 4 were expected")
    label = str(target).strip().upper()
    if label.isdecimal() and int(label) < len(LETTERS):
        label = LETTERS[int(label)]
    if label not in LETTERS:
        raise RowError(f"the label {target!r} is no choice (A, B, C or D)")
    passage = context.strip()
    return Sample(
        identity,
        question.strip(),
        dict(zip(LETTERS, texts, strict=True)),
        label,
        passage,
        digest(passage)[:12] if passage else None,
    )
