"""What is odd about training data, found before the first step: warnings, each with why it matters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .examples import Example

NAMED = 5
"""Rows named for each warning."""
_BARE = re.compile(r"\W*(?:alternativa|op[cç][aã]o|letra|resposta|option|answer)\W*(?:[A-E]|[1-5])\W*", re.IGNORECASE)
_TWICE = re.compile(r"\b([A-E])\)\s*\1\)")
_TWICE_LOOSELY = re.compile(r"(?:^|\n)[ \t]*\(?([A-E])[).]\s*\(?\1[).]")


@dataclass(frozen=True, slots=True)
class Warned:
    """One kind of oddity and the rows that have it."""

    name: str
    rows: int
    share: float
    """Of the rows looked at, 0 to 1."""
    why: str
    places: tuple[str, ...]
    """The first few."""

    def line(self) -> str:
        """For a person."""
        places = ", ".join(self.places) + (", ..." if self.rows > len(self.places) else "")
        return f"rows that {self.name}: {self.rows} ({self.share:.1%}); {self.why} ({places})"


class Lengths(NamedTuple):
    """How long the rows are, in tokens before cutting."""

    min: int
    median: int
    p95: int
    max: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> Lengths:
        """Of at least one row; percentiles by the nearest rank."""
        ordered = sorted(lengths)
        rank = [ordered[max(0, -(-len(ordered) * q // 100) - 1)] for q in (50, 95)]
        return cls(ordered[0], rank[0], rank[1], ordered[-1])


class Check(NamedTuple):
    """One thing to look for."""

    name: str
    why: str
    found: Callable[[Example], bool]


CHECKS = (
    Check("have an empty answer", "they teach the model to stop at once", lambda e: not e.answer.strip()),
    Check(
        "have nothing after the letter", "they teach the letter without a reason for it", lambda e: _bare(e)
    ),
    Check(
        "repeat an option's letter ('A)A)')", "a defect of the translation that the model learns to write",
        lambda e: _doubled(f"{e.question}\n{e.input}\n{e.answer}"),
    ),
    Check(
        "have a blank rejected answer",
        "any text beats nothing, so the model learns to write something and not to write better, while margins and "
        "accuracies look fine",
        lambda e: e.rejected is not None and not e.rejected.strip(),
    ),
    Check(
        "have a blank chosen answer", "they teach the model to prefer silence",
        lambda e: e.rejected is not None and not e.answer.strip(),
    ),
    Check(
        "reject the very answer they choose", "nothing can be learnt from them",
        lambda e: e.rejected is not None and e.rejected.strip() == e.answer.strip(),
    ),
)  # fmt: skip


def warnings(train: Sequence[Example], validation: Sequence[Example]) -> tuple[Warned, ...]:
    """Everything odd about the training rows; validation rows are only compared with them."""
    found = []
    for check in CHECKS:
        places = [example.place for example in train if check.found(example)]
        found.append(_warned(check.name, check.why, places, len(train)))
    found += _repeats(train, validation)
    return tuple(warned for warned in found if warned.rows)


def gist(example: Example) -> str:
    """What is asked, case, spaces and punctuation apart."""
    turns = " ".join(message.content for message in example.history)
    return " ".join(re.findall(r"\w+", f"{turns} {example.question} {example.input}".casefold()))


def _bare(example: Example) -> bool:
    # A task's question has its letter asked for, and nothing else is expected behind it.
    return not example.complete and bool(_BARE.fullmatch(example.answer.strip()))


def _doubled(text: str) -> bool:
    # 'C)C. albicans' alone may be a name; two options that do so are no chance.
    return bool(_TWICE.search(text)) or len(_TWICE_LOOSELY.findall(text)) > 1


def _repeats(train: Sequence[Example], validation: Sequence[Example]) -> Iterable[Warned]:
    first: dict[str, str] = {}
    places, contrary = [], []
    for example in train:
        key = gist(example)
        if key in first:
            places.append(example.place)
            if first[key] != example.answer.strip():
                contrary.append(example.place)
        first.setdefault(key, example.answer.strip())
    yield _warned("repeat an earlier question", "they count twice", places, len(train))
    yield _warned("answer an earlier question otherwise", "one of the two may be wrong", contrary, len(train))
    both = [f"validation {example.place}" for example in validation if gist(example) in first]
    yield _warned(
        "stand in validation and in training", "the validation loss then measures memory", both, len(validation)
    )


def _warned(name: str, why: str, places: Sequence[str], total: int) -> Warned:
    return Warned(name, len(places), len(places) / max(total, 1), why, tuple(places[:NAMED]))


def as_mapping(warned: Iterable[Warned]) -> list[Mapping[str, Any]]:
    """For a script."""
    return [asdict(one) for one in warned]
