"""``canarim-pt``: instructions in Portuguese and their expected answers (Canarim-Instruct, test split)."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.data import Row
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.types import Sample

from .drbyte import DATA
from .free_text import FreeTextTask, free_sample


class Canarim(FreeTextTask):
    """Canarim-Instruct in Portuguese: how near answers to general instructions come to the expected ones."""

    name = "canarim-pt"
    title = "Canarim-Instruct"
    hub = HubDataset("dominguesm/Canarim-Instruct-PTBR-Dataset", "test")
    hub_shots = HubDataset("dominguesm/Canarim-Instruct-PTBR-Dataset", "train")
    builtin = DATA / "canarim-pt.jsonl"
    columns = ("instruction", "input", "output")
    instructions = {"text": "Siga a instrução e responda em português."}
    metrics = (*FreeTextTask.metrics, "exact_match", "portuguese_share")

    def sample(self, row: Row) -> Sample:
        """The row as a sample; its input, where it has one, is the context, its id its position from 0.

        Raises:
            RowError: no instruction or no expected answer.
        """
        return free_sample(
            str(row.number - 1), row.text("instruction"), row.text("output"), row.text("input")
        )  # fmt: skip


@hookimpl
def benchctl_tasks() -> Mapping[str, type[Canarim]]:
    """This task."""
    return {Canarim.name: Canarim}
