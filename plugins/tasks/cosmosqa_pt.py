"""``cosmosqa-pt``: Cosmos QA's commonsense reading in Portuguese (Rodrigues, UFG 2024; 2985)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchctl.data import Row, RowError
from benchctl.fingerprints import digest
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.task import Task
from benchctl.types import Sample

from .drbyte import DATA, LETTERS


class CosmosQA(Task):
    """Cosmos QA in Portuguese: 2985 questions about everyday narratives, four options; several share a narrative."""

    name = "cosmosqa-pt"
    title = "Cosmos QA"
    hub = HubDataset("heloisy/cosmos_qa_ptbr", "test")
    hub_shots = HubDataset("heloisy/cosmos_qa_ptbr", "train")
    builtin = DATA / "cosmosqa-pt.jsonl"
    columns = ("id", "contexto", "pergunta", *LETTERS, "Label")
    chance = 0.25

    def sample(self, row: Row) -> Sample:
        """The row as a sample; questions about one narrative form a cluster.

        Raises:
            RowError: an empty cell, or a label other than A, B, C and D.
        """
        for column in self.columns[1:-1]:
            if not row.text(column).strip():
                raise RowError(f"column {column!r} is empty")
        target = row.text("Label").strip().upper()
        if target not in LETTERS:
            raise RowError(f"the label {row.text('Label')!r} in column 'Label' is no choice (A, B, C or D)")
        context = row.text("contexto").strip()
        choices = {letter: row.text(letter).strip() for letter in LETTERS}
        return Sample(
            row.text("id").strip() or str(row.number - 1), row.text("pergunta").strip(), choices, target, context,
            digest(context)[:12],
        )  # fmt: skip

    def tidied(self, row: Row) -> Sequence[str]:
        """Cells with stray spaces, and a label in the wrong case."""
        changed = [c for c in self.columns[:-1] if row.text(c) != row.text(c).strip()]
        return changed + (["Label"] if row.text("Label") not in LETTERS else [])


@hookimpl
def benchctl_tasks() -> Mapping[str, type[CosmosQA]]:
    """This task."""
    return {CosmosQA.name: CosmosQA}
