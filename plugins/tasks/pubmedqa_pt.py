"""``pubmedqa-pt``: PubMedQA's test questions in Portuguese, about an abstract (500)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.hookspecs import hookimpl

from .drbyte import DATA, PubMedQATask

_ASK = "Leia o resumo e responda à pergunta com sim, não ou talvez."


class PubMedQA(PubMedQATask):
    """PubMedQA in Portuguese: 500 research questions answered from an abstract with sim, não or talvez."""

    name = "pubmedqa-pt"
    title = "PubMedQA"
    dataset = "PubMedQA"
    builtin = DATA / "pubmedqa-pt.jsonl"
    instructions = {"letter": _ASK, "option": _ASK, "perplexity": _ASK, "generate": _ASK}
    metrics = (*PubMedQATask.metrics, "macro_f1")


@hookimpl
def benchctl_tasks() -> Mapping[str, type[PubMedQA]]:
    """This task."""
    return {PubMedQA.name: PubMedQA}
