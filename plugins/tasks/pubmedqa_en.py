"""``pubmedqa-en``: PubMedQA (Jin et al. 2019), the original of ``pubmedqa-pt``.

The hub holds all 1000 questions with an expert's label, development and test set in one; the authors' test_set.json
has the 500 that others report on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchctl.data import Row, RowError, Table, common_columns, read_table
from benchctl.hookspecs import hookimpl
from benchctl.hub import HubDataset
from benchctl.task import Task
from benchctl.types import Sample

from .drbyte import DATA
from .english import EnglishTask
from .layouts import keyed_json

LABELS = ("yes", "no", "maybe")
_ON_HUB = {"pubid": "pubid", "QUESTION": "question", "final_decision": "final_decision"}
"""The authors' name of a column -> the hub's; the abstract stands a level deeper there."""
_ASK = "Read the abstract and answer the question with yes, no or maybe."


class PubMedQAEnglish(EnglishTask):
    """PubMedQA in English: research questions answered from an abstract with yes, no or maybe."""

    name = "pubmedqa-en"
    title = "PubMedQA (English)"
    hub = HubDataset("qiaojin/PubMedQA", "train", "pqa_labeled")
    builtin = DATA / "pubmedqa-en.jsonl"
    columns = ("pubid", "question", "context", "final_decision")
    files = ("test_set.json", "pubmedqa/test_set.json")
    instructions = {"letter": _ASK, "option": _ASK, "perplexity": _ASK, "generate": _ASK}
    metrics = (*Task.metrics, "macro_f1")
    chance = 1 / 3

    def read(self, path: Path) -> Table:
        """The authors' object keyed by article, or a copy of the hub's rows."""
        keyed = keyed_json(path, "pubid") if path.suffix.lower() == ".json" and path.is_file() else None
        if keyed is None:
            return read_table(path, keep_broken=True)
        names = ("QUESTION", "CONTEXTS", "final_decision")
        if not all(any(name in row.values for row in keyed.rows) for name in names):
            keyed.require(names)
        rows = tuple(replace(row, values=_as_on_hub(row.values)) for row in keyed.rows)
        return replace(keyed, rows=rows, columns=common_columns(rows))

    def sample(self, row: Row) -> Sample:
        """The row as a sample; the abstract without its conclusion is the context, the article's number the id.

        Raises:
            RowError: no question, no abstract, or an answer other than yes, no and maybe.
        """
        context = row.values.get("context")
        parts = context.get("contexts") if isinstance(context, Mapping) else None
        if not row.text("question").strip():
            raise RowError("no question")
        if not parts or isinstance(parts, str):
            raise RowError("column 'context' holds no list 'contexts'")
        target = row.text("final_decision").strip().lower()
        if target not in LABELS:
            raise RowError(f"the label {row.text('final_decision')!r} is no choice (yes, no or maybe)")
        abstract = "\n".join(str(part).strip() for part in parts)
        choices = {label: label for label in LABELS}
        return Sample(row.text("pubid"), row.text("question").strip(), choices, target, abstract)


def _as_on_hub(values: Mapping[str, object]) -> dict[str, object]:
    found = {_ON_HUB[name]: value for name, value in values.items() if name in _ON_HUB}
    return {**found, "context": {"contexts": values["CONTEXTS"]}} if "CONTEXTS" in values else found


@hookimpl
def benchctl_tasks() -> Mapping[str, type[PubMedQAEnglish]]:
    """This task."""
    return {PubMedQAEnglish.name: PubMedQAEnglish}
