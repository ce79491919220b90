"""``mmlu-*-en``: the six medical subjects of MMLU (Hendrycks et al. 2021; 1089), and the groups they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from benchctl.data import Row, RowError, Table, read_table
from benchctl.errors import BadData
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.task import Task, TaskGroup
from benchctl.types import Sample

from .drbyte import DATA, LETTERS
from .english import EnglishTask, as_letters, four_options
from .layouts import headerless_csv

SUBJECTS = (
    "anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine",
)  # fmt: skip


class MMLUEnglish(EnglishTask):
    """Base of the six: the authors' csv without a header, or a copy of the hub's rows."""

    subject: ClassVar[str]
    columns = ("question", "choices", "answer")

    def read(self, path: Path) -> Table:
        """The rows of one subject's file.

        Raises:
            BadData: the file's name is that of another subject; its rows could not tell.
        """
        other = next((s for s in SUBJECTS if s in path.name and self.subject not in path.name), None)
        if other is not None:
            raise BadData(f"{path}: holds {other}, not {self.subject}.", "Give the folder with all subjects' files.")
        if path.suffix.lower() != ".csv" or not path.is_file():
            return as_letters(read_table(path, keep_broken=True), "answer")
        table = headerless_csv(path, ("question", *LETTERS, "answer"))
        rows = (
            Row(row.number, {**row.values, "choices": [row.text(letter) for letter in LETTERS]}, row.line)
            for row in table.rows
        )
        return replace(table, rows=tuple(rows), columns=table.columns | {"choices"})

    def sample(self, row: Row) -> Sample:
        """The row as a sample; its id is the subject and its position from 0, such as ``anatomy-000``.

        Raises:
            RowError: choices that are no list, or what :func:`four_options` refuses.
        """
        choices = row.values.get("choices")
        if not isinstance(choices, list):
            raise RowError("column 'choices' holds no list")
        identity = f"{self.subject}-{row.number - 1:03d}"
        return four_options(identity, row.text("question"), choices, row.text("answer"))


def _subject(subject: str) -> type[MMLUEnglish]:
    name = f"mmlu-{subject.replace('_', '-')}-en"
    words = subject.replace("_", " ")
    values = {
        "name": name,
        "title": f"MMLU {words} (English)",
        "subject": subject,
        "hub": HubDataset("cais/mmlu", "test", subject),
        "hub_shots": HubDataset("cais/mmlu", "dev", subject),
        "builtin": DATA / f"{name}.jsonl",
        "files": tuple(f"{folder}{subject}_test.csv" for folder in ("", "test/", "mmlu/test/")),
        "shots_files": tuple(f"{folder}{subject}_dev.csv" for folder in ("", "dev/", "mmlu/dev/")),
        "__doc__": f"MMLU {words} in English, four options.",
    }
    return type(f"MMLU{subject.title().replace('_', '')}English", (MMLUEnglish,), values)


TASKS: Mapping[str, type[MMLUEnglish]] = {task.name: task for task in map(_subject, SUBJECTS)}


def mmlu_medical() -> TaskGroup:
    """The six medical subjects of MMLU in English, each shown, and their mean weighted by size."""
    return TaskGroup("mmlu-medical-en", "MMLU medical (English)", tuple(TASKS), "en")


def multimedqa() -> TaskGroup:
    """All nine multiple-choice sets of MultiMedQA in English, and their mean weighted by size."""
    return TaskGroup(
        "multimedqa-en", "MultiMedQA (English)", ("medmcqa-en", "medqa-en", "pubmedqa-en", *TASKS), "en"
    )  # fmt: skip


@hookimpl
def benchctl_tasks() -> Mapping[str, Callable[[], Task | TaskGroup]]:
    """The six subjects and both groups."""
    return {**TASKS, "mmlu-medical-en": mmlu_medical, "multimedqa-en": multimedqa}
