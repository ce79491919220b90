"""Requests to rows while the model works: a few at a time, so that a long run holds no more than a short one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchctl.types import Choose, Perplexity

from .encoding import DoesNotFit, Encoder
from .engine.ahead import ahead
from .engine.items import Row

TOGETHER = 16
"""Requests encoded in one call of the tokenizer."""
AHEAD = 8
"""Such calls that may be done before their rows are asked for."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One request as rows, or why it cannot be asked."""

    index: int
    """The request's place among those asked."""
    rows: Sequence[Row]
    cut: int = 0
    """Prompt tokens dropped on the left."""
    error: str | None = None


def choices(encoder: Encoder, requests: Sequence[Choose]) -> Iterator[Encoded]:
    """Every request, encoded in a thread ahead of its use."""
    for group in ahead(_choices(encoder, requests), AHEAD):
        yield from group


def texts(encoder: Encoder, requests: Sequence[Perplexity]) -> Iterator[Encoded]:
    """Every request, encoded in a thread ahead of its use."""
    for group in ahead(_texts(encoder, requests), AHEAD):
        yield from group


def _choices(encoder: Encoder, requests: Sequence[Choose]) -> Iterator[list[Encoded]]:
    for first in range(0, len(requests), TOGETHER):
        group = requests[first : first + TOGETHER]
        try:
            found = encoder.choose(group)
        except DoesNotFit:
            yield [_alone(encoder, first + i, request) for i, request in enumerate(group)]
        else:
            yield [Encoded(first + i, rows, cut) for i, (rows, cut) in enumerate(found)]


def _alone(encoder: Encoder, index: int, request: Choose) -> Encoded:
    try:
        ((rows, cut),) = encoder.choose([request])
    except DoesNotFit as error:
        return Encoded(index, (), error=str(error))
    return Encoded(index, rows, cut)


def _texts(encoder: Encoder, requests: Sequence[Perplexity]) -> Iterator[list[Encoded]]:
    for first in range(0, len(requests), TOGETHER):
        found = encoder.perplexity(requests[first : first + TOGETHER])
        yield [Encoded(first + i, rows) for i, rows in enumerate(found)]
