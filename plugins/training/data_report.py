"""What is to be said of a training's data: to a person before the first step, and to the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .leakage import Guard
from .quality import Lengths, Warned, as_mapping
from .wording import some

SHA = 40
"""Characters of a commit, which is shown by its first few; other words for a revision are shown whole."""


@dataclass(frozen=True, slots=True)
class DataReport:
    """Counts are of rows unless they say tokens."""

    source: str
    revision: str | None
    format: str
    template: str
    rows: int
    """That are trained on."""
    validation_rows: int
    validation_from: str
    tokens: int
    """Of prompt and answer in one epoch, after cutting."""
    learnt: int
    """Tokens that the loss counts in one epoch."""
    lengths: Lengths
    """In tokens, before cutting."""
    max_length: int
    truncated: int
    """Longer than ``max_length``: cut at the end."""
    lost: int
    """Of the truncated ones those whose answer was cut away entirely; left out."""
    validation_lost: int
    """Of the rows to validate on those whose answer was cut away entirely; left out."""
    passed_over: Mapping[str, int]
    """Reason -> rows that are well but not for this training."""
    bad_rows: tuple[str, ...]
    """Place and reason of every row left out as unusable."""
    warnings: tuple[Warned, ...]
    guard: Guard
    """What was compared with test sets."""

    @property
    def truncated_share(self) -> float:
        """Of the rows read for training, 0 to 1."""
        return self.truncated / max(self.rows + self.lost, 1)

    def lines(self) -> list[str]:
        """For a person."""
        low, middle, high, top = self.lengths
        revision = f" at {self.revision[:12] if len(self.revision) == SHA else self.revision}" if self.revision else ""
        found = [
            f"data: {self.source}{revision}, read as {self.format}, template {self.template}",
            f"rows: {self.rows} to train on, {self.validation_rows} to validate on ({self.validation_from})",
            (
                f"tokens: {self.tokens} an epoch, {self.learnt} of them learnt; a row has {low} to {top}, "
                f"half at most {middle}, 95% at most {high}"
            ),
        ]
        if self.truncated:
            lost = f"; without their whole answer, and so left out: {self.lost}" if self.lost else ""
            found.append(
                f"truncated: rows longer than {self.max_length}: {self.truncated} ({self.truncated_share:.1%}){lost}"
            )
        if self.validation_lost:
            found.append(f"truncated: rows to validate on without their whole answer, left out: {self.validation_lost}")
        found += [f"passed over: {some(count, 'row')} {reason}" for reason, count in self.passed_over.items()]
        if self.bad_rows:
            found.append(f"skipped: {some(len(self.bad_rows), 'row')} ({'; '.join(self.bad_rows[:5])})")
        return [*found, *(f"warning: {warned.line()}" for warned in self.warnings), *self.guard.lines()]

    def as_json(self) -> dict[str, Any]:
        """For a script and the record."""
        return {
            "source": self.source, "revision": self.revision, "format": self.format, "template": self.template,
            "rows": self.rows, "validation_rows": self.validation_rows, "validation_from": self.validation_from,
            "tokens": self.tokens, "learnt_tokens": self.learnt, "lengths": self.lengths._asdict(),
            "max_length": self.max_length, "truncated": self.truncated, "truncated_share": self.truncated_share,
            "lost": self.lost, "validation_lost": self.validation_lost,
            "passed_over": dict(self.passed_over), "bad_rows": list(self.bad_rows),
            "warnings": as_mapping(self.warnings), "leakage": self.guard.as_json(),
        }  # fmt: skip
