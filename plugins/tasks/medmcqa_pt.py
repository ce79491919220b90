"""``medmcqa-pt``: MedMCQA's validation questions in Portuguese, from Indian medical entrance exams (4183)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.hookspecs import hookimpl

from .drbyte import DATA, DrByteTask


class MedMCQA(DrByteTask):
    """MedMCQA in Portuguese: 4183 short questions of medical entrance exams, four options."""

    name = "medmcqa-pt"
    title = "MedMCQA"
    dataset = "MedMCQA"
    builtin = DATA / "medmcqa-pt.jsonl"


@hookimpl
def benchctl_tasks() -> Mapping[str, type[MedMCQA]]:
    """This task."""
    return {MedMCQA.name: MedMCQA}
