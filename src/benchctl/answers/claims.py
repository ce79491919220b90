"""What each sentence claims about the options: chosen, called right, rejected or only mentioned."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchctl.answers import lexicon
from benchctl.answers.announced import announced, asked_and_answered, concluded
from benchctl.answers.claim import LETTERED, MENTIONED, SURE, Claim, denied
from benchctl.answers.copies import copied
from benchctl.answers.sentences import asks
from benchctl.answers.units import Unit, joins, units_of
from benchctl.answers.values import Case, letter_value, place_value, text_value
from benchctl.answers.words import NEGATIONS


def sentence_claims(case: Case, sentences: list[tuple[int, int]]) -> list[Claim]:
    """Return every claim of the reply's sentences. Questions claim nothing, unless the writer answers them."""
    claims: list[Claim] = []
    for index, (start, end) in enumerate(sentences):
        low = case.low[start:end]
        following = sentences[index + 1] if index + 1 < len(sentences) else None
        if asks(low):
            claims += asked_and_answered(case, start, end, following)
            continue
        supposed = lexicon.SUPPOSED.search(low) is not None
        said = announced(case, start, end, following)
        claims += said if not supposed else (c for c in said if copied(case, c))  # 'é a B: seria melhor se ...'
        if not supposed:
            claims += concluded(case, start, end)
        if not case.options.polar:
            claims += _rejected(case, start, end)
            claims += _exceptions(case, start, end)
            claims += _undecided(case, start, end)
        claims += _named(case, start, end, supposed)
    return claims


_WORD = re.compile(r"\w+")
_TURNS = re.compile(r"[:;,.]|\b(?:é|es|is|mas|but|sino)\b")  # the rejection ends before the option
_MORE = re.compile(r"\b((?:mais|more)\s+\w+)\s+(?:do\s+que|than)\s+")


def _rejected(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the options that are denied, and those that are called less of what the question asks for the most of."""
    lesser = [m for m in _MORE.finditer(case.low, start, end) if m[1] in case.question.words]
    for mark in [*lexicon.REJECT.finditer(case.low, start, end), *lesser]:
        begin = mark.end()
        value = letter_value(case, begin, end) or place_value(case, begin, end) or text_value(case, begin, end)
        if value and not _TURNS.search(case.low, begin, value.start):
            yield Claim(SURE, "elimination", value, mark.start(), value.end, negative=True)


def _exceptions(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the option at the place that is called the exception, where the question asks for it."""
    for mark in lexicon.EXCEPTION_AFTER.finditer(case.low, start, end) if case.question.negative else ():
        border = max(case.low.rfind(sign, start, mark.start()) for sign in ",:;")
        value = place_value(case, max(border + 1, start), mark.start())
        if value and not value.beyond and not case.low[value.end : mark.start()].strip():
            yield Claim(SURE, "verdict", value, value.start, mark.end())


def _undecided(case: Case, start: int, end: int) -> Iterator[Claim]:
    for mark in lexicon.UNDECIDED.finditer(case.low, start, end):
        value = letter_value(case, mark.end(), end) or text_value(case, mark.end(), end)
        if value and len(value.labels) > 1 and not lexicon.WRONG_AFTER.match(case.low, value.end, end):
            yield Claim(LETTERED, "both", value, mark.start(), value.end)


def _alone(case: Case, unit: Unit) -> bool:
    """Tell whether a short reply that denies and asks nothing has this letter at its end ('bora de B')."""
    if _WORD.search(case.low, unit.end):
        return False
    words = _WORD.findall(case.low)
    return len(words) <= 8 and not NEGATIONS & set(words) and "?" not in case.low and not case.matches


def _called_right(case: Case, start: int, end: int) -> bool:
    """Tell whether what follows calls the option right, or the exception where the question asks for it."""
    if lexicon.RIGHT_AFTER.match(case.low, start, end):
        return True
    return case.question.negative and lexicon.EXCEPTION_AFTER.match(case.low, start, end) is not None


def _named(case: Case, start: int, end: int, supposed: bool) -> Iterator[Claim]:
    """Yield what the sentence says of each option it names; joined options share the verdict that follows the last."""
    units = units_of(case, start, end)
    if not units:
        return
    conceded = supposed or lexicon.CONCEDE.search(case.low[start:end]) is not None
    wrong = right = False
    for index in range(len(units) - 1, -1, -1):
        unit = units[index]
        if index + 1 == len(units) or not joins(case, unit, units[index + 1]):
            wrong = denied(case, unit.start, unit.end, start, end)
            right = not wrong and _called_right(case, unit.end, end)
        marked = unit.value.dressed
        if wrong or denied(case, unit.start, unit.end, start, end):
            yield Claim(SURE, "elimination", unit.value, unit.start, unit.end, negative=True)
        elif right and not conceded:
            yield Claim(SURE, "verdict", unit.value, unit.start, unit.end)
        elif unit.value.kind == "letter" and not marked and not unit.value.beyond and _alone(case, unit):
            yield Claim(LETTERED, "letter", unit.value, unit.start, unit.end)
        elif unit.value.kind == "text" or marked:
            rank = 0.5 if conceded else LETTERED if marked else MENTIONED
            yield Claim(rank, "letter" if marked else "sole-text", unit.value, unit.start, unit.end)
