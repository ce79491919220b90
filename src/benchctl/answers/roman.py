"""Options labelled I, II, III, ...: read as if they were A, B, C, so that every rule for letters is theirs too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchctl.answers.folding import Folded, edited, lower
from benchctl.answers.lexicon import DRESS
from benchctl.answers.phrases import any_of
from benchctl.answers.reading import Reading

_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_LETTERS = "ABCDEFGHIJKL"
_NUMERAL = re.compile(
    r"(?<![^\W_])(?<!\.)(?:x(?:ii?)?|ix|v(?:i{1,3})?|iv|i{1,3})(?![^\W_]|['´])",
    re.I,
)
_BEFORE = re.compile(r"([^\W\d_]+)\s+\Z")
_NAMES = re.compile(  # 'angiotensina II', 'diabetes tipo I': part of a name
    any_of(
        """tipos? / grau / classe / fase / estagio / estadio / fator / nivel / categoria / grupo / par / angiotensina /
        nervo / seculo / capitulo / parte / tabela / figura / type / grade / class / phase / stage / factor / level /
        group / nerve / angiotensin / bipolar / titulo"""
    )
)
_DRESSED = re.compile(rf"{DRESS}\Z")
_PRONOUN = re.compile(
    r"\s+(?:would|will|think|believe|am|choose|chose|pick|select|go|guess|say|can|cannot|can't|have|do|don't|was|"
    r"agree|consider|know|need|must|should|could|prefer|lean)\b"
)


def letters_for(labels: Sequence[str]) -> dict[str, str]:
    """Return letter -> label where the ``labels`` are I, II, III, ... in order, else nothing."""
    if len(labels) < 2 or [label.strip().upper() for label in labels] != list(_NUMERALS[: len(labels)]):
        return {}
    return dict(zip(_LETTERS, labels, strict=False))


def with_letters(folded: Folded, letters: Mapping[str, str], known: str) -> Folded:
    """Return ``folded`` with each numeral that may name an option written as that option's letter.

    ``known`` is what was asked, options included: 'complexo IV' stays, where it says so itself.
    """
    known, edits = lower(known), []
    labels = {spelt for label in letters.values() for spelt in (label.strip(), label.strip().upper())}
    for found in _NUMERAL.finditer(folded.text):
        before = _BEFORE.search(folded.text, max(0, found.start() - 30), found.start())
        word, numeral = lower(before[1]) if before else "", found[0].upper()
        if _NAMES.fullmatch(word) or (word and re.search(rf"\b{word} {found[0].lower()}\b", known)):
            continue
        lone = len(numeral) == 1 and not _DRESSED.match(word)
        own = found[0] in labels if lone else numeral in _NUMERALS
        if not own or (numeral == "I" and _PRONOUN.match(folded.text, found.end())):
            continue  # 'V' for 'verdadeiro', 'I think'
        edits.append((found.start(), found.end(), _LETTERS[_NUMERALS.index(numeral)]))
    return edited(folded, edits)


def as_labelled(reading: Reading, raw: str, letters: Mapping[str, str]) -> Reading:
    """Return ``reading`` of the reply ``raw`` with the option's own label, its evidence with the whole numeral."""
    start = reading.start
    while reading.evidence and start and raw[start - 1].isalnum():
        start -= 1
    return replace(reading, label=letters.get(reading.label or ""), start=start, evidence=raw[start : reading.end])
