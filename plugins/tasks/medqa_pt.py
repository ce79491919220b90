"""``medqa-pt``: MedQA's USMLE test questions in Portuguese (1273)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.hookspecs import hookimpl

from .drbyte import DATA, DrByteTask


class MedQA(DrByteTask):
    """MedQA (USMLE) in Portuguese: 1273 clinical vignettes, four options."""

    name = "medqa-pt"
    title = "MedQA"
    dataset = "MedQA (USMLE)"
    builtin = DATA / "medqa-pt.jsonl"


@hookimpl
def benchctl_tasks() -> Mapping[str, type[MedQA]]:
    """This task."""
    return {MedQA.name: MedQA}
