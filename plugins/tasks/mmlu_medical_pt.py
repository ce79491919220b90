"""``mmlu-*-pt``: the six medical subjects of MMLU in Portuguese (1089), and the groups they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchctl.hookspecs import hookimpl
from benchctl.task import Task, TaskGroup

from .drbyte import DATA, DrByteTask

SUBJECTS = {
    "anatomy": "MMLU Anatomia",
    "clinical_knowledge": "MMLU Conhecimento clínico",
    "college_biology": "MMLU Biologia (universitária)",
    "college_medicine": "MMLU Medicina (universitária)",
    "medical_genetics": "MMLU Genética médica",
    "professional_medicine": "MMLU Medicina profissional",
}
"""Subject as in the data -> title."""


def _subject(subject: str, title: str) -> type[DrByteTask]:
    name = f"mmlu-{subject.replace('_', '-')}-pt"
    summary = f"MMLU {subject.replace('_', ' ')} in Portuguese, four options."
    values = {
        "name": name,
        "title": title,
        "dataset": f"MMLU/{subject}",
        "builtin": DATA / f"{name}.jsonl",
        "__doc__": summary,
    }
    return type(f"MMLU{subject.title().replace('_', '')}", (DrByteTask,), values)


TASKS: Mapping[str, type[DrByteTask]] = {task.name: task for task in (_subject(s, t) for s, t in SUBJECTS.items())}


def mmlu_medical() -> TaskGroup:
    """The six medical subjects of MMLU in Portuguese, each shown, and their mean weighted by size."""
    return TaskGroup("mmlu-medical-pt", "MMLU médico", tuple(TASKS))


def multimedqa() -> TaskGroup:
    """All nine multiple-choice sets of MultiMedQA in Portuguese, and their mean weighted by size."""
    return TaskGroup("multimedqa-pt", "MultiMedQA", ("medmcqa-pt", "medqa-pt", "pubmedqa-pt", *TASKS))


@hookimpl
def benchctl_tasks() -> Mapping[str, Callable[[], Task | TaskGroup]]:
    """The six subjects and both groups."""
    return {**TASKS, "mmlu-medical-pt": mmlu_medical, "multimedqa-pt": multimedqa}
