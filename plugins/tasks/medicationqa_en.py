"""``medicationqa-en``: consumers' questions about medicines (Ben Abacha et al. 2019; 690)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.data import Row
from benchctl.fingerprints import digest
from benchctl.hookspecs import hookimpl
from benchctl.types import Sample

from .drbyte import DATA
from .free_text import FreeTextTask, free_sample


class MedicationQA(FreeTextTask):
    """MedicationQA in English: 690 questions about medicines; some are asked twice and form a cluster."""

    name = "medicationqa-en"
    title = "MedicationQA (English)"
    language = "en"
    builtin = DATA / "medicationqa-en.jsonl"
    columns = ("Question", "Answer")
    files = ("MedInfo2019-QA-Medications.csv", "medicationqa/MedInfo2019-QA-Medications.csv")
    instructions = {"text": "Answer the question about a medicine clearly and completely."}

    def sample(self, row: Row) -> Sample:
        """The row as a sample; its id is its position from 0.

        Raises:
            RowError: no question or no reference.
        """
        question = row.text("Question")
        cluster = digest(" ".join(question.lower().split()))[:12]
        return free_sample(str(row.number - 1), question, row.text("Answer"), cluster=cluster)


@hookimpl
def benchctl_tasks() -> Mapping[str, type[MedicationQA]]:
    """This task."""
    return {MedicationQA.name: MedicationQA}
