"""``medtext``: how surprised a model is by medical cases and their solutions (MedText, 1412 texts)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.data import Row, RowError
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.task import Task
from benchctl.types import Sample

from .drbyte import DATA


class MedText(Task):
    """MedText in English: perplexity and bits per byte of 1412 case descriptions with their answers."""

    name = "medtext"
    title = "MedText"
    language = "en"
    kind = "corpus"
    scoring = "corpus"
    hub = HubDataset("BI55/MedText", "train")
    builtin = DATA / "medtext.jsonl"
    columns = ("Prompt", "Completion")
    metrics = ("perplexity", "bits_per_byte")

    def sample(self, row: Row) -> Sample:
        """The row as one text, prompt and completion on lines of their own; its id is its position from 0.

        Raises:
            RowError: one of the two is empty.
        """
        parts = [row.text(column).strip() for column in self.columns]
        if not all(parts):
            raise RowError("column 'Prompt' or 'Completion' is empty")
        return Sample(str(row.number - 1), "\n".join(parts))


@hookimpl
def benchctl_tasks() -> Mapping[str, type[MedText]]:
    """This task."""
    return {MedText.name: MedText}
