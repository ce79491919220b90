"""``medmcqa-en``: MedMCQA's validation questions (Pal et al. 2022; 4183), the original of ``medmcqa-pt``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchctl.data import Row, RowError, Table, read_table
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.types import Sample

from .drbyte import DATA, LETTERS
from .english import EnglishTask, as_letters, four_options


class MedMCQAEnglish(EnglishTask):
    """MedMCQA in English: 4183 short questions of Indian medical entrance exams, four options."""

    name = "medmcqa-en"
    title = "MedMCQA (English)"
    hub = HubDataset("openlifescienceai/medmcqa", "validation")
    hub_shots = HubDataset("openlifescienceai/medmcqa", "train")
    builtin = DATA / "medmcqa-en.jsonl"
    columns = ("id", "question", "opa", "opb", "opc", "opd", "cop")
    files = ("dev.json", "medmcqa/dev.json")
    shots_files = ("train.json", "medmcqa/train.json")

    def read(self, path: Path) -> Table:
        """The rows with the right option as a letter: the authors' files count options from 1, the hub's from 0.

        Raises:
            BadData: the numbers fit neither way, or both.
        """
        table = read_table(path, keep_broken=True)
        table.require(self.columns)
        return as_letters(table, "cop", first=None)

    def sample(self, row: Row) -> Sample:
        """The row as a sample with its own id; a number in ``cop`` counts from 0.

        Raises:
            RowError: no id, or what :func:`four_options` refuses.
        """
        if not row.text("id").strip():
            raise RowError("no id")
        options = [row.text(f"op{letter.lower()}") for letter in LETTERS]
        return four_options(row.text("id").strip(), row.text("question"), options, row.text("cop"))


@hookimpl
def benchctl_tasks() -> Mapping[str, type[MedMCQAEnglish]]:
    """This task."""
    return {MedMCQAEnglish.name: MedMCQAEnglish}
