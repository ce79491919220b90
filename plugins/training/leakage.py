"""Training rows that also stand in a test set: found word for word or nearly, named, and refused.

A test question is looked for inside the whole row, so that a preamble, its options in another order or the letters
in front of them hide nothing; likeness.py has the measure.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchctl.errors import BadData

from .examples import Example
from .likeness import Finder, Match, RowWords
from .tested import AtHand
from .wording import some, stand

NAMED = 10


class Leak(NamedTuple):
    """A training row and the test question it holds."""

    place: str
    """``row 17 (line 18)``; validation rows say so."""
    task: str
    id: str
    stem: float
    """Share of the question found in the row, 0 to 1."""
    options: float | None
    """Share of its options found in the row; None where it has none."""
    more: int = 0
    """Further test questions that the row holds as well."""

    def __str__(self) -> str:
        exact = self.stem > 0.999 and self.options in (None, 1.0)
        how = "word for word" if exact else f"{self.stem:.0%} of the question"
        if self.stem > 0.999 and self.options == 0:
            how = "word for word, without its options"
        elif not exact and self.options is not None:
            how += f", {self.options:.0%} of the options"
        more = f", and {self.more} more" if self.more else ""
        return f"{self.place} is {self.task} {self.id} ({how}{more})"


class LeakedRows(BadData):
    """Training rows also stand in a test set; ``guard`` has all of them."""

    def __init__(self, guard: Guard, left: int) -> None:
        """``left``: training rows that would remain without them."""
        leaks = guard.leaks
        named = "; ".join(str(leak) for leak in leaks[:NAMED])
        rest = f"; and {some(len(leaks) - NAMED, 'row')} more" if len(leaks) > NAMED else ""
        without = "Take them out (--set data.leaks=drop does)"
        if not left:
            without = "No row is left without them: hold some out for the test (--data PART --test-data TASK=REST)"
        super().__init__(
            f"{len(leaks)} of {some(guard.rows, 'training row')} also {stand(len(leaks))} in a test set: "
            f"{named}{rest}.",
            f"{without}, or train all the same with --allow-leaks: the record says so.",
        )
        self.guard = guard


@dataclass(frozen=True, slots=True)
class Guard:
    """What was compared, and what came out."""

    rows: int
    """Training and validation rows that were compared."""
    compared: Mapping[str, int]
    """Test set -> questions."""
    missing: tuple[str, ...]
    """Test sets that were not at hand."""
    leaks: tuple[Leak, ...]
    alike: tuple[Leak, ...]
    """Rows that resemble a test question without being it; for a person to look at."""
    seconds: float
    dropped: bool = False
    """Whether the leaks were left out of the training."""

    @property
    def trained_on(self) -> Mapping[str, int]:
        """Task, or the name of a file of test questions -> leaks that were not left out."""
        return {} if self.dropped else Counter(leak.task for leak in self.leaks)

    def lines(self) -> list[str]:
        """For a person."""
        total = sum(self.compared.values())
        sets = ", ".join(f"{name} {count}" for name, count in self.compared.items())
        against = f"compared with {some(total, 'question')} ({sets}) in {self.seconds:.1f} s"
        done = "left out" if self.dropped else "trained on"
        found = [
            f"leaks: {len(self.leaks)} of {some(self.rows, 'row')} {stand(len(self.leaks))} in a test set; {against}",
            *_first(f"leak, {done}", self.leaks),
            *_first("resembles a test question, look at it", self.alike),
        ]
        if self.missing:
            where = "name copies in [data] of benchctl.toml or with --test-data"
            found.append(f"not compared, since not at hand: {'; '.join(self.missing)}: {where}")
        return found

    def as_json(self) -> dict[str, Any]:
        """For a script and the record."""
        return {
            "rows": self.rows, "compared": dict(self.compared), "missing": list(self.missing),
            "leaks": [leak._asdict() for leak in self.leaks], "alike": [leak._asdict() for leak in self.alike],
            "dropped": self.dropped, "seconds": round(self.seconds, 2),
        }  # fmt: skip


def _first(what: str, leaks: Sequence[Leak]) -> list[str]:
    more = [f"{what}: {some(len(leaks) - NAMED, 'row')} more"] if len(leaks) > NAMED else []
    return [*(f"{what}: {leak}" for leak in leaks[:NAMED]), *more]


def compare(train: Sequence[Example], validation: Sequence[Example], against: AtHand) -> Guard:
    """Every row against every test question."""
    start = time.perf_counter()
    questions = [question for one in against.sets for question in one.questions]
    rows = [RowWords.of(example, "") for example in train]
    rows += [RowWords.of(example, "validation ") for example in validation]
    finder = Finder(questions, rows)
    leaks: list[Leak] = []
    alike: list[Leak] = []
    for row in rows:
        same, similar = finder.find(row)
        leaks += _named(row, same)
        alike += _named(row, [] if same else similar)
    compared = {one.name: len(one.questions) for one in against.sets}
    alike.sort(key=lambda leak: -leak.stem)
    return Guard(len(rows), compared, against.missing, tuple(leaks), tuple(alike), time.perf_counter() - start)


def _named(row: RowWords, found: list[Match]) -> Iterable[Leak]:
    if not found:
        return
    best = max(found, key=lambda match: (match.stem, match.options or 0.0))
    question = best.question
    yield Leak(row.place, question.task, question.id, round(best.stem, 4), best.options, len(found) - 1)
