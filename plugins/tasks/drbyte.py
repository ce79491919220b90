"""MultiMedQA in Portuguese (Figueredo, UFG 2024): nine test sets in one table, told apart by a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from benchctl.data import Row, RowError
from benchctl.hub import HubDataset
from benchctl.task import Task
from benchctl.types import Sample

LETTERS = ("A", "B", "C", "D")
DATA = Path(__file__).parent / "data"


class DrByteTask(Task):
    """Base of the nine: a row is question, four alternatives and a letter, or question, abstract and sim/não/talvez."""

    dataset: ClassVar[str]
    """Value of the ``dataset`` column."""
    hub = HubDataset("luizlzg/drbyte_test", "train")
    hub_shots = HubDataset("luizlzg/drbyte_dataset", "train")
    columns = ("dataset", "instruction", "input", "output", *(f"alternative_{letter.lower()}" for letter in LETTERS))
    chance = 0.25

    def wanted(self, row: Row) -> bool:
        """Whether the row's ``dataset`` is this task's, in whatever case."""
        return row.text("dataset").strip().casefold() == self.dataset.casefold()

    def sample(self, row: Row) -> Sample:
        """The row as a sample; its id is its position from 0 in the whole table, as in the study's files.

        Raises:
            RowError: no question, a missing alternative, or an answer that is no alternative.
        """
        question = _needed(row, "instruction", "no question")
        choices = {}
        for letter in LETTERS:
            column = f"alternative_{letter.lower()}"
            _needed(row, column, f"alternative {letter} is missing")
            choices[letter] = row.text(column)
        target = row.text("output").strip().upper()
        if target not in choices:
            raise RowError(f"the label {row.text('output')!r} in column 'output' is no choice (A, B, C or D)")
        return Sample(str(row.number - 1), question, choices, target)

    def tidied(self, row: Row) -> Sequence[str]:
        """Cells with stray spaces, and a label or the set's name in the wrong case."""
        return _tidied(row, self, self.columns, LETTERS)

    def shot(self, row: Row) -> Sample | None:
        """A training row (``instruction`` with ``A)`` lines, ``output`` beginning ``Alternativa X.``) as an example.

        Rows of another kind, such as consumers' questions with long answers, give None. A file in the test schema
        serves as well.
        """
        if "alternative_a" in row.values:
            return self.sample(row) if self.wanted(row) else None
        answer = re.match(r"\s*Alternativa ([A-D])\b", row.text("output"))
        question, choices = split_alternatives(row.text("instruction"))
        if answer is None or set(choices) != set(LETTERS):
            return None
        return Sample(f"train-{row.number - 1}", question, choices, answer.group(1))


class PubMedQATask(DrByteTask):
    """The rows whose answer is sim, não or talvez, about an abstract in ``input``."""

    labels: ClassVar[tuple[str, ...]] = ("sim", "não", "talvez")
    chance = 1 / 3

    def sample(self, row: Row) -> Sample:
        """The row as a sample; the abstract is its context.

        Raises:
            RowError: no question, or an answer other than sim, não and talvez.
        """
        question = _needed(row, "instruction", "no question")
        target = row.text("output").strip().lower()
        if target not in self.labels:
            raise RowError(f"the label {row.text('output')!r} in column 'output' is no choice (sim, não or talvez)")
        choices = {label: label for label in self.labels}
        context = row.text("input").strip()
        return Sample(str(row.number - 1), question, choices, target, context)

    def tidied(self, row: Row) -> Sequence[str]:
        """Cells with stray spaces, labels such as ``Não``, and the set's name in the wrong case."""
        return _tidied(row, self, ("dataset", "instruction", "input", "output"), self.labels)

    def shot(self, row: Row) -> Sample | None:
        """Only rows of the test schema: the training data has no question of this kind."""
        return self.sample(row) if "dataset" in row.values and self.wanted(row) else None


def split_alternatives(text: str) -> tuple[str, dict[str, str]]:
    """A question with ``A)`` .. ``D)`` lines as question and choices; doubled letters (``A)A)``) are understood."""
    question, *pieces = re.split(r"(?:^|\n)\s*([A-D])\)", text)
    choices: dict[str, str] = {}
    for letter, option in zip(pieces[::2], pieces[1::2], strict=True):
        choices[letter] = re.sub(rf"^\s*{letter}\)", "", option).strip()
    return question.strip(), choices if all(choices.values()) else {}


def _needed(row: Row, column: str, otherwise: str) -> str:
    text = row.text(column).strip()
    if not text:
        raise RowError(f"{otherwise} (column {column!r} is empty)")
    return text


def _tidied(row: Row, task: DrByteTask, columns: Sequence[str], labels: Sequence[str]) -> list[str]:
    known = {"dataset": (task.dataset,), "output": labels}
    return [c for c in columns if row.text(c) not in known.get(c, (row.text(c).strip(),))]
