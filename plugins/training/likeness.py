"""How much of a test question stands in a training row: candidates by their sequences of words, then a measure of each.

Candidates share rare sequences of three words with a row. Measured are

- *stem*: the share of the question's words that stand in the row in the same order within one stretch, each word
  weighted by how rare it is (0 to 1), so that "qual das seguintes" counts for little;
- *options*: the share of the options whose words stand in the row;
- *weight*: how many rare words the question has at all: one that any row may contain by chance proves nothing.

The thresholds were set on the 2 113 rows and 7 045 test questions of source study S1; docs/how-to/training-data.md
has what they find and miss.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .examples import Example
from .tested import Question, words

SHINGLE = 3
"""Words in a sequence that makes a candidate."""
COMMON = 200
"""A sequence in more test questions than this makes no candidates: it is a figure of speech."""
ENOUGH = 4
"""Sequences of full length with which a question is found without shorter ones."""
SHARED = 0.2
"""Share of a question's sequences that a candidate has."""
STEM, OPTIONS = 0.82, 0.75
"""From here on, question and options are the same question; no row of S1's validation file reaches both."""
SAME_STEM = 0.88
"""From here on, a question that has no options in the row is the same question, if it has ``HEAVY`` words."""
HEAVY, LIGHT, LONG = 5.5, 2.0, 10.0
"""Weights: enough to be recognised alone; too little to be recognised by anything; recognised whatever the options."""
ALIKE_STEM, ALIKE_OPTIONS = 0.6, 0.5
"""From here on, a row is named for a person to look at."""
_OPTION = re.compile(r"(?:^|\n)[ \t]*(?:alternativa|op[cç][aã]o)?[ \t]*\(?[A-E][ \t]*[).:]", re.IGNORECASE)


class RowWords(NamedTuple):
    """A training row as words."""

    place: str
    all: tuple[str, ...]
    asked: int
    """How many of them are the question's, not the answer's."""
    bag: frozenset[str]
    choices: bool
    """Whether the row has options of its own."""

    @classmethod
    def of(cls, example: Example, part: str) -> RowWords:
        """``part`` stands in front of the place: empty, or ``validation `` for a row that is only measured on."""
        asked = "\n".join([*(turn.content for turn in example.history), example.question, example.input])
        answers = words(f"{example.answer}\n{example.rejected or ''}")
        before = words(asked)
        whole = before + answers
        return cls(part + example.place, whole, len(before), frozenset(whole), len(_OPTION.findall(asked)) > 1)


class Match(NamedTuple):
    """How much of a question stands in a row."""

    question: Question
    stem: float
    options: float | None
    weight: float


class Finder:
    """An index of test questions by their sequences of words."""

    def __init__(self, questions: Sequence[Question], rows: Sequence[RowWords]) -> None:
        """``rows`` tell, together with the questions, which words are rare."""
        self.questions = questions
        self._seen = Counter[str]()
        for question in questions:
            self._seen.update(set(question.stem))
        for row in rows:
            self._seen.update(set(row.all))
        self._total = math.log(len(questions) + len(rows) + 2)
        self._index: dict[str, list[int]] = defaultdict(list)
        self._stems = [self._stem(question) for question in questions]
        self._needed = []
        self._whole: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, question in enumerate(questions):
            self._whole[question.stem].append(number)
            sequences = _sequences(self._stems[number]).union(*map(_sequences, question.options))
            long = {sequence for sequence in sequences if sequence.count(" ") == SHINGLE - 1}
            if len(long) > ENOUGH:  # single words lead to hundreds of questions: only where there is little else
                sequences = long
            # A row may hold the question without its options: what the question alone has must be enough.
            self._needed.append(max(1.0, SHARED * min(len(sequences), len(_sequences(self._stems[number])))))
            for sequence in sequences:
                self._index[sequence].append(number)

    def find(self, row: RowWords) -> tuple[list[Match], list[Match]]:
        """Test questions that the row holds, and such that it resembles."""
        hits = Counter[int]()
        for sequence in _sequences(row.all).union(row.all, map(" ".join, pairwise(row.all))):
            numbers = self._index.get(sequence)
            if numbers is not None and len(numbers) <= COMMON:
                hits.update(numbers)
        whole = self._whole.get(row.all[: row.asked], ())
        same, similar = [], []
        # An explanation may name the options of another question: where the row has its own, only those count.
        around = row.all[: row.asked] if row.choices else row.all
        text, bag = f" {' '.join(around)} ", frozenset(around)
        for number in [
            *(n for n, count in sorted(hits.items()) if count >= self._needed[n] and n not in whole),
            *whole,
        ]:
            match = self._measure(number, row, text, bag)
            if self._same(match, row, number):
                same.append(match)
            elif self._alike(match):
                similar.append(match)
        return same, similar

    def _stem(self, question: Question) -> tuple[str, ...]:
        """The question's words; of a sentence that every question repeats, with the passage it is about."""
        if question.options or self._weight(question.stem) >= LIGHT:
            return question.stem
        return (*question.context, *question.stem)

    def _rarity(self, word: str) -> float:
        """0 for a word that is everywhere, 1 for one that is nowhere else."""
        return (self._total - math.log(self._seen[word] + 1)) / self._total

    def _weight(self, stem: Sequence[str]) -> float:
        return math.fsum(self._rarity(word) for word in set(stem))

    def _measure(self, number: int, row: RowWords, text: str, bag: frozenset[str]) -> Match:
        question, stem = self.questions[number], self._stems[number]
        weights = [self._rarity(word) + 0.03 for word in stem]
        total = sum(weights) or 1.0
        share = sum(w for word, w in zip(stem, weights, strict=True) if word in row.bag) / total
        if share >= ALIKE_STEM:  # what follows takes long and can only give less
            share = in_order(stem, weights, stretch(stem, row.all)) / total
        options = None
        if question.options:
            options = sum(_there(option, text, bag) for option in question.options) / len(question.options)
        return Match(question, share, options, self._weight(stem))

    def _same(self, match: Match, row: RowWords, number: int) -> bool:
        if match.options is not None and match.options >= OPTIONS and match.stem >= STEM:
            return True
        if not row.choices and row.all[: row.asked] == match.question.stem:
            return True
        if match.stem < SAME_STEM or match.weight < LIGHT:
            return False
        if match.options is not None and row.choices:  # the same words before other options ask something else ...
            return match.stem > 0.999 and match.weight >= LONG  # ... unless they are many
        alone = row.asked <= 1.5 * len(self._stems[number]) + 2
        if match.options == 0:  # neither its options nor its answer: only where the row asks nothing else
            return alone and match.weight >= HEAVY
        return match.weight >= HEAVY or alone

    @staticmethod
    def _alike(match: Match) -> bool:
        if match.options is not None and match.options >= ALIKE_OPTIONS:
            return match.stem >= ALIKE_STEM and match.weight >= LIGHT
        return match.stem >= STEM and match.weight >= LONG


def _sequences(text: Sequence[str]) -> set[str]:
    """Every three words in a row; of a shorter text the whole."""
    return {" ".join(text[n : n + SHINGLE]) for n in range(max(1, len(text) - SHINGLE + 1))} if text else set()


def _there(option: Sequence[str], text: str, bag: frozenset[str]) -> bool:
    """Whether an option stands in a row: as it is, or two thirds of its words."""
    if f" {' '.join(option)} " in text:
        return True
    return len(option) > 1 and sum(word in bag for word in option) / len(option) >= 0.65


def stretch(stem: Sequence[str], row: Sequence[str]) -> Sequence[str]:
    """The part of a row, a little longer than ``stem``, that has most pairs of neighbours in common with it."""
    size = int(1.3 * len(stem)) + 4
    if len(row) <= size:
        return row
    pairs = set(pairwise(stem))
    hits = [pair in pairs for pair in pairwise(row)]
    best = now = sum(hits[:size])
    at = 0
    for n in range(1, len(row) - size + 1):
        now += sum(hits[n + size - 1 : n + size]) - hits[n - 1]
        if now > best:
            best, at = now, n
    return row[max(0, at - 2) : at + size + 2]


def in_order(stem: Sequence[str], weights: Sequence[float], row: Sequence[str]) -> float:
    """Weight of the heaviest common subsequence of the two."""
    before = [0.0] * (len(row) + 1)
    for word, weight in zip(stem, weights, strict=True):
        now = [0.0]
        last = 0.0
        for n, other in enumerate(row):
            last = before[n] + weight if word == other else max(before[n + 1], last)
            now.append(last)
        before = now
    return before[-1]
