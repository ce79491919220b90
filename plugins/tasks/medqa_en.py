"""``medqa-en``: MedQA's USMLE test questions (Jin et al. 2021; 1273), the original of ``medqa-pt``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchctl.data import Row, RowError, Table, read_table
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.types import Sample

from .drbyte import DATA, LETTERS
from .english import EnglishTask, as_letters, four_options


class MedQAEnglish(EnglishTask):
    """MedQA (USMLE) in English: 1273 clinical vignettes, four options."""

    name = "medqa-en"
    title = "MedQA (English)"
    hub = HubDataset("GBaker/MedQA-USMLE-4-options", "test")
    hub_shots = HubDataset("GBaker/MedQA-USMLE-4-options", "train")
    builtin = DATA / "medqa-en.jsonl"
    columns = ("question", "options", "answer_idx")
    files = ("phrases_no_exclude_test.jsonl", "medqa/phrases_no_exclude_test.jsonl")
    shots_files = ("phrases_no_exclude_train.jsonl", "medqa/phrases_no_exclude_train.jsonl")

    def read(self, path: Path) -> Table:
        """The rows with the right option as a letter."""
        return as_letters(read_table(path, keep_broken=True), "answer_idx")

    def sample(self, row: Row) -> Sample:
        """The row as a sample; its id is its position from 0 in four digits.

        Raises:
            RowError: options that are no object, or what :func:`four_options` refuses.
        """
        options = row.values.get("options")
        if not isinstance(options, Mapping):
            raise RowError("column 'options' holds no object of letter and text")
        texts = [options.get(letter) for letter in LETTERS]
        return four_options(f"{row.number - 1:04d}", row.text("question"), texts, row.text("answer_idx"))


@hookimpl
def benchctl_tasks() -> Mapping[str, type[MedQAEnglish]]:
    """This task."""
    return {MedQAEnglish.name: MedQAEnglish}
