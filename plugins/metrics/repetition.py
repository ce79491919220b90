"""Answers that go round in circles: share of loops, degenerate answers, variety of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored

from .texts import CACHED, words, written

TIMES = 3
"""A block said fewer times in a row is emphasis, not a loop."""
LEAST_WORDS = 6
"""A loop covers at least this many words, so that "não, não, não" is none."""
SENTENCE_WORDS = 4
SENTENCE_TIMES = 5
"""A sentence of at least that many words that comes this often, not in a row, is a loop as well. Four is no sign: a
remark on each of four options ("Therefore, this option is not suitable.")."""
LONGEST_PERIOD = 100
"""Words in the longest block looked for."""
SHARE = 0.2
"""An answer is degenerate when at least this share of it is loops."""
TAIL_WORDS = 20
"""Or when it ends in a loop of at least this many words: it looped until it was cut off."""

_WORD = re.compile(r"[^\W_]+")
_MARKER = re.compile(r"(?m)^[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]+")
_SENTENCE = re.compile(r"[^.!?\n]+")
_SPELL = re.compile(r"(\S{1,12}?)\1{11,}")


class Loops(NamedTuple):
    """What of a text is loops."""

    share: float
    """Of its characters, white space and list markers apart; 0 to 1."""
    longest: int
    """Words that the longest loop covers; a loop inside one word counts its turns."""
    tail: int
    """Words of the loop that the text ends in, 0 when it ends in none."""

    @property
    def degenerate(self) -> bool:
        """Whether a reader would say that the model was stuck."""
        return self.share >= SHARE or self.tail >= TAIL_WORDS


@lru_cache(maxsize=CACHED)
def loops(text: str) -> Loops:
    """The loops of a text: blocks of words said at least three times in a row, sentences that keep coming back, and
    signs repeated without a space (``hahaha``, ``......``)."""
    # "1. Beba água. 2. Beba água." is a loop although its numbers grow.
    text = _MARKER.sub(lambda found: " " * len(found[0]), text)
    spans = [found.span() for found in _WORD.finditer(text)]
    said = [text[start:end].lower() for start, end in spans]
    covered = bytearray(len(text))
    longest = tail = 0
    for first, last in _blocks(said):
        covered[spans[first][0] : spans[last][1]] = b"\1" * (spans[last][1] - spans[first][0])
        longest = max(longest, last - first + 1)
        # The last turn may be cut off in the middle of a word.
        tail = max(tail, last - first + 1 if last >= len(said) - 2 else 0)
    for start, end in _sentences(text):
        covered[start:end] = b"\1" * (end - start)
    for found in _SPELL.finditer(text):
        covered[found.start() : found.end()] = b"\1" * len(found[0])
        longest = max(longest, len(found[0]) // len(found[1]))
    solid = [place for place, sign in enumerate(text) if not sign.isspace()]
    return Loops(sum(covered[place] for place in solid) / len(solid) if solid else 0.0, longest, tail)


def _blocks(said: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last word of every run in which a block of words comes at least three times in a row."""
    import numpy as np

    numbers: dict[str, int] = {}
    ids = np.array([numbers.setdefault(word, len(numbers)) for word in said])
    for period in range(1, min(LONGEST_PERIOD, len(ids) // TIMES) + 1):
        same = np.concatenate([[False], ids[period:] == ids[:-period], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            length = int(end - start) + period
            if length >= max(TIMES * period, LEAST_WORDS):
                yield int(start), int(start) + length - 1


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Places of the sentences that come at least five times, wherever they stand."""
    places = [(found.span(), tuple(words(found[0]))) for found in _SENTENCE.finditer(text)]
    counts = Counter(sentence for _, sentence in places if len(sentence) >= SENTENCE_WORDS)
    yield from (span for span, sentence in places if counts[sentence] >= SENTENCE_TIMES)


class _OfText(Metric):
    higher_is_better = False

    def measure(self, text: str) -> float | None:
        """The figure of one text."""
        raise NotImplementedError

    def value(self, scored: Scored) -> float | None:
        """The figure of the answer; None where the model wrote none."""
        text = written(scored)
        return None if text is None else self.measure(text)


class Degenerate(_OfText):
    """Share of answers that loop: a fifth of the text or more, or its end, says the same again and again."""

    name = "degenerate"
    percent = True

    def measure(self, text: str) -> float:
        """1 for an answer that loops, 0 for others."""
        return float(loops(text).degenerate)

    def signature(self) -> str:
        """The thresholds."""
        return f"share >= {SHARE} or tail >= {TAIL_WORDS} words; loop: {TIMES} times, {LEAST_WORDS} words"


class Repetition(_OfText):
    """Share of the text that is loops."""

    name = "repetition"
    percent = True

    def measure(self, text: str) -> float:
        """Between 0 and 1."""
        return loops(text).share


class LongestLoop(_OfText):
    """Words in the longest loop."""

    name = "longest_loop"

    def measure(self, text: str) -> float:
        """0 where there is none."""
        return float(loops(text).longest)


class Distinct1(_OfText):
    """Distinct words over words (Li et al. 2016), mean of the answers; falls as answers grow longer."""

    name = "distinct_1"
    higher_is_better = True
    percent = True
    size = 1

    def measure(self, text: str) -> float | None:
        """Between 0 and 1; None for a text shorter than one n-gram."""
        said = words(text)
        grams = list(zip(*(said[place:] for place in range(self.size)), strict=False))
        return len(set(grams)) / len(grams) if grams else None


class Distinct2(Distinct1):
    """Distinct word pairs over word pairs (Li et al. 2016), mean of the answers; falls as answers grow longer."""

    name = "distinct_2"
    size = 2


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """The five."""
    return {m.name: m for m in (Degenerate, Repetition, LongestLoop, Distinct1, Distinct2)}
