"""What every source and format ends in: one example, before templates and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchctl.types import Message


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn: what is asked and what should be answered."""

    place: str
    """``row 17 (line 18)`` or a shipped row's id, for messages."""
    question: str
    """The instruction, prompt or last turn of the user."""
    answer: str
    input: str = ""
    """What the instruction is about; empty when there is none."""
    system: str = ""
    """A sentence in front of everything."""
    history: tuple[Message, ...] = ()
    """Turns between ``system`` and ``question``."""
    rejected: str | None = None
    """The worse answer of a preference; None where there is none."""
    complete: bool = False
    """The question is worded in full, as ``benchctl run`` asks it or as the data says it: no template adds to it unless
    one is named."""
    wrong: tuple[str, ...] = ()
    """Answers with the other options of a multiple-choice question, worded like ``answer``."""
    row: Mapping[str, object] = field(default_factory=dict)
    """The raw columns, for templates of one's own."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of one source."""

    items: tuple[Example, ...]
    source: str
    """``builtin``, ``hub:REPOSITORY`` or a file's path."""
    format: str
    """What the rows were read as."""
    revision: str | None = None
    bad_rows: tuple[str, ...] = ()
    """Place and reason of rows left out by ``skip_bad_rows``."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Reason -> number of rows that are well but not for this training, such as the test rows of a file with splits."""
    validation: Sequence[Example] = ()
    """The source's own validation rows; empty where it has none."""
