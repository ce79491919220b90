"""What the English originals of the Portuguese tasks share: four options with a letter, in English."""

from __future__ import annotations

from collections.abc import Sequence

from benchctl.data import RowError
from benchctl.fingerprints import digest
from benchctl.task import Task
from benchctl.types import Sample

from .drbyte import LETTERS


class EnglishTask(Task):
    """Base: language and chance; the originals are what the reference models were measured on."""

    language = "en"
    chance = 0.25


def four_options(identity: str, question: str, options: Sequence[object], target: object, context: str = "") -> Sample:
    """A question with four options.

    Args:
        target: the letter, or the position from 0.

    Raises:
        RowError: no question, an option missing, or a target that is neither.
    """
    texts = [str(option).strip() if option is not None else "" for option in options]
    if not question.strip():
        raise RowError("no question")
    if len(texts) != len(LETTERS) or not all(texts):
        raise RowError(f"{sum(map(bool, texts))} options where 4 were expected")
    label = str(target).strip().upper()
    if label.isdecimal() and int(label) < len(LETTERS):
        label = LETTERS[int(label)]
    if label not in LETTERS:
        raise RowError(f"the label {target!r} is no choice (A, B, C or D)")
    passage = context.strip()
    return Sample(
        identity,
        question.strip(),
        dict(zip(LETTERS, texts, strict=True)),
        label,
        passage,
        digest(passage)[:12] if passage else None,
    )
