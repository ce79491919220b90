"""``tweetsumm``: summaries of customer-service dialogues (Feigenblat et al. 2021; test, 110)."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from benchctl.data import Row, RowError
from benchctl.hookspecs import hookimpl
from benchctl.types import Sample

from .drbyte import DATA
from .free_text import FreeTextTask, free_sample

QUESTION = "Summarize this conversation in one or two sentences."


class TweetSumm(FreeTextTask):
    """TweetSumm in English: 110 dialogues to summarise; the first human summary is the reference."""

    name = "tweetsumm"
    title = "TweetSumm"
    language = "en"
    builtin = DATA / "tweetsumm.jsonl"
    columns = ("data_split", "dialog_id", "text", "abstractive_summaries")
    files = ("dialogs_data_with_summaries.csv", "tweetsumm/dialogs_data_with_summaries.csv")
    shots_files = files

    def wanted(self, row: Row) -> bool:
        """Whether the row belongs to the test split."""
        return row.text("data_split").strip() == "test"

    def shot(self, row: Row) -> Sample | None:
        """Rows of the training split serve as examples."""
        return self.sample(row) if row.text("data_split").strip() == "train" else None

    def sample(self, row: Row) -> Sample:
        """The row as a sample: the dialogue, a turn a line, is the context.

        Raises:
            RowError: no dialogue, or no summary.
        """
        turns = (" ".join(line.split()) for line in row.text("text").splitlines())
        dialogue = "\n".join(turn for turn in turns if turn)
        if not dialogue:
            raise RowError("column 'text' is empty")
        identity = row.text("dialog_id").strip() or str(row.number - 1)
        return free_sample(identity, QUESTION, first_summary(row.text("abstractive_summaries")), dialogue)


def first_summary(cell: str) -> str:
    """The first of a list of texts written as Python writes it; the cell is read, never run.

    Raises:
        RowError: it is no such list.
    """
    try:
        summaries = ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise RowError("column 'abstractive_summaries' holds no list of texts") from error
    if not isinstance(summaries, list) or not summaries or not all(isinstance(text, str) for text in summaries):
        raise RowError("column 'abstractive_summaries' holds no list of texts")
    return str(summaries[0])


@hookimpl
def benchctl_tasks() -> Mapping[str, type[TweetSumm]]:
    """This task."""
    return {TweetSumm.name: TweetSumm}
