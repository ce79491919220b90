"""``long-answer-pt``: health questions in Portuguese, to be answered at length (Figueredo, UFG 2024; 300)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.data import Row
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.types import Sample

from .drbyte import DATA
from .free_text import FreeTextTask, free_sample


class LongAnswer(FreeTextTask):
    """150 questions of LiveQA and 150 of MedicationQA in Portuguese; the study asked for 512 tokens and had a judge."""

    name = "long-answer-pt"
    title = "Respostas longas"
    hub = HubDataset("luizlzg/drbyte_longanswer", "train")
    builtin = DATA / "long-answer-pt.jsonl"
    columns = ("instruction", "output")
    instructions = {"text": "Responda em português, com clareza e de forma completa, à pergunta de saúde."}
    metrics = (*FreeTextTask.metrics, "portuguese_share")

    def sample(self, row: Row) -> Sample:
        """The row as a sample; its id is its position from 0.

        Raises:
            RowError: no question or no reference.
        """
        return free_sample(str(row.number - 1), row.text("instruction"), row.text("output"))


@hookimpl
def benchctl_tasks() -> Mapping[str, type[LongAnswer]]:
    """This task."""
    return {LongAnswer.name: LongAnswer}
