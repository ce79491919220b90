"""What the tasks with free answers share: a question, a reference, and the metrics that compare the two."""

from __future__ import annotations

from collections.abc import Sequence

from benchctl.data import RowError
from benchctl.fingerprints import digest
from benchctl.task import Task
from benchctl.types import Sample


class FreeTextTask(Task):
    """Base: the model writes, metrics compare with the reference. Overlap with one reference is weak evidence of a
    good long answer; a judge (``benchctl judge``) reads it."""

    kind = "text"
    scoring = "text"
    metrics: Sequence[str] = ("rouge", "chrf", "bleu", "token_f1", "degenerate", "repetition", "distinct_2", "length")


def free_sample(identity: str, question: str, reference: str, context: str = "", cluster: str | None = None) -> Sample:
    """A question with its reference answer.

    Args:
        cluster: None for the context, where there is one.

    Raises:
        RowError: no question or no reference.
    """
    if not question.strip():
        raise RowError("no question")
    if not reference.strip():
        raise RowError("no reference answer")
    shared = cluster or (digest(context.strip())[:12] if context.strip() else None)
    return Sample(identity, question.strip(), {}, reference.strip(), context.strip(), shared)
