"""``cosmosqa-en``: Cosmos QA (Huang et al. 2019; validation, 2985), the original of ``cosmosqa-pt``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchctl.data import Row, RowError, Table, read_table
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.types import Sample

from .drbyte import DATA
from .english import EnglishTask, as_letters, four_options

# The dataset on the hub is a script, which current versions of datasets refuse; this is its converted form.
_CONVERTED = "refs/convert/parquet"


class CosmosQAEnglish(EnglishTask):
    """Cosmos QA in English: 2985 questions about everyday narratives, four options; several share a narrative."""

    name = "cosmosqa-en"
    title = "Cosmos QA (English)"
    hub = HubDataset("allenai/cosmos_qa", "validation", revision=_CONVERTED)
    hub_shots = HubDataset("allenai/cosmos_qa", "train", revision=_CONVERTED)
    builtin = DATA / "cosmosqa-en.jsonl"
    columns = ("id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label")
    files = ("valid.csv", "cosmosqa/valid.csv")
    shots_files = ("train.csv", "cosmosqa/train.csv")

    def read(self, path: Path) -> Table:
        """The rows with the right option as a letter."""
        return as_letters(read_table(path, keep_broken=True), "label")

    def sample(self, row: Row) -> Sample:
        """The row as a sample; questions about one narrative form a cluster.

        Raises:
            RowError: no id, no narrative, or what :func:`four_options` refuses.
        """
        for column in ("id", "context"):
            if not row.text(column).strip():
                raise RowError(f"column {column!r} is empty")
        options = [row.text(f"answer{place}") for place in range(4)]
        return four_options(
            row.text("id").strip(), row.text("question"), options, row.text("label"), row.text("context")
        )


@hookimpl
def benchctl_tasks() -> Mapping[str, type[CosmosQAEnglish]]:
    """This task."""
    return {CosmosQAEnglish.name: CosmosQAEnglish}
