"""``liveqa-en``: consumers' health questions of TREC 2017 LiveQA (Ben Abacha et al. 2017; 104)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchctl.data import Row, Table, as_table, read_table
from benchctl.hookspecs import hookimpl
from benchctl.types import Sample

from .drbyte import DATA
from .free_text import FreeTextTask, free_sample
from .layouts import read_xml


class LiveQA(FreeTextTask):
    """TREC LiveQA in English: 104 health questions as people sent them; the first reference answer is the target."""

    name = "liveqa-en"
    title = "LiveQA (English)"
    language = "en"
    builtin = DATA / "liveqa-en.jsonl"
    columns = ("qid", "subject", "message", "answer")
    files = (
        "TREC-2017-LiveQA-Medical-Test.xml", "liveqa_medical/TREC-2017-LiveQA-Medical-Test.xml",
    )  # fmt: skip
    instructions = {"text": "Answer the health question clearly and completely."}

    def read(self, path: Path) -> Table:
        """The organisers' XML, or a table with these columns.

        Raises:
            BadData: no XML, or without questions.
        """
        if path.suffix.lower() != ".xml":
            return read_table(path, keep_broken=True)
        rows = []
        for number, asked in enumerate(read_xml(path).iter("NLM-QUESTION"), 1):
            values = {
                "qid": asked.get("qid", ""),
                "subject": asked.findtext("Original-Question/SUBJECT", ""),
                "message": asked.findtext("Original-Question/MESSAGE", ""),
                "answer": asked.findtext("ReferenceAnswers//ANSWER", ""),
            }
            rows.append(Row(number, values))
        return as_table(rows, path)

    def sample(self, row: Row) -> Sample:
        """The row as a sample: subject and message are the question.

        Raises:
            RowError: no question or no reference.
        """
        # The XML breaks and indents its lines wherever they grow long.
        subject, message, answer = (" ".join(row.text(c).split()) for c in ("subject", "message", "answer"))
        question = f"{subject}\n{message}" if subject and message else subject or message
        return free_sample(row.text("qid") or str(row.number - 1), question, answer)


@hookimpl
def benchctl_tasks() -> Mapping[str, type[LiveQA]]:
    """This task."""
    return {LiveQA.name: LiveQA}
