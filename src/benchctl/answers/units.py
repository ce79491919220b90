"""The options a sentence names, a letter and the text beside it being one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchctl.answers.letters import letters_at
from benchctl.answers.lexicon import DRESS
from benchctl.answers.phrases import any_of
from benchctl.answers.values import Case, Value, named_by, none_or_all
from benchctl.answers.words import word_set

_SPOT = re.compile(
    rf"(?<![^\W_])(?i:{DRESS})\s*[:(\"'\[]*\s*[A-Za-z](?![^\W_])|(?<![^\W_])[(\[]?[A-Z](?![^\W_]|['-][^\W_]|\+)"
)
_WRAPPED = re.compile(r"[(\[]\s*(?:[A-Za-z]|[A-Z](?:\s*(?:,|/|e|ou)\s*[A-Z])+)\s*[)\]]")
_ITEM = re.compile(r"\W*[A-Za-z]\s*[).:-]")
_APPOSED = re.compile(rf"[\s,;:.(\[*\"'-]*(?:{any_of('ou seja / isto e / isto é / i.e.')}\s*,?\s*)?(?:a\s+)?$")
_DRESSES = re.compile(rf"\b{DRESS}\b")
_AND = re.compile(
    r"[\s,)]*(?:\b(?:e|ou|and|or|y|nem|nor|ni)\b)?[\s(]*(?:\b(?:de|da|do|com|por)\b\s+)?(?:\b(?:a|o|as|os|the|la|"
    r"el)\b[\s(]*)?"
)
_BEFORE_LETTER = word_set(
    """a o as os la the e ou que and or y only so apenas somente both tanto quanto nem de com logo portanto
    entao assim then therefore"""
)
_AHEAD = re.compile(r"(?<![^\W_])([A-L])\s?[).:-]+\s*[\"'(]*\Z")
_BEHIND = re.compile(rf"\s*[(\[]\s*(?:(?i:{DRESS})\s+)?([A-L])\s*[)\]]")
_CLOSING = re.compile(r"\s*[)\]]*")


@dataclass(frozen=True, slots=True)
class Unit:
    """One option named: its value, and the span of letter and text together."""

    value: Value
    start: int
    end: int


def joins(case: Case, unit: Unit, following: Unit) -> bool:
    """Tell whether only a comma, 'e', 'ou' or an article stands between the two."""
    return _AND.fullmatch(case.low, unit.end, following.start) is not None


def units_of(case: Case, start: int, end: int) -> list[Unit]:
    """Return the options that the sentence from ``start`` to ``end`` names, in order."""
    inside = case.named(start, end)
    texts = [Value((m.label,), False, "text", m.start, m.end) for m in inside]
    whole = None if case.options.polar else none_or_all(case, start, end)
    units = [Unit(whole, whole.start, whole.end)] if whole else []
    for value in sorted([*_letter_spots(case, start, end), *texts], key=lambda v: (v.start, -v.end)):
        last = units[-1] if units else None
        if last and value.start < last.end:
            continue
        kept = _one_with(case, last, value) if last else None
        if last and kept:
            closing = _CLOSING.match(case.low, max(value.end, last.end))
            units[-1] = Unit(kept, last.start, closing.end() if closing else value.end)
        else:
            units.append(Unit(value, value.start, value.end))
    return units


def other_letter(case: Case, value: Value, start: int, end: int) -> bool:
    """Tell whether the sentence gives the text at ``value`` another option's letter: the letter counts then.

    'A correta é a D: Tosse seca', 'Marco D: Tosse seca', 'Tosse seca (alternativa D)'.
    """
    beside = _AHEAD.search(case.text, start, value.start), _BEHIND.match(case.text, value.end, end)
    if any(found and case.options.letters.get(found[1], value.labels[0]) not in value.labels for found in beside):
        return True
    units = units_of(case, start, end)
    return any(u.value.kind == "letter" and start < u.value.start < value.start for u in units)


def _one_with(case: Case, last: Unit, value: Value) -> Value | None:
    """Return the letter of a letter and a text that stand for one option ('nervo frênico (B)'), or None."""
    if {last.value.kind, value.kind} != {"letter", "text"}:
        return None
    between = case.low[last.end : value.start]
    if not _APPOSED.fullmatch(_DRESSES.sub(" ", between)) or "," in between.strip(" ,")[:-1]:
        return None
    letter = last.value if last.value.kind == "letter" else value
    return letter if letter.dressed or last.value.labels == value.labels else None


def _letter_spots(case: Case, start: int, end: int) -> Iterator[Value]:
    """Yield the letters that stand as options in the sentence: marked as such, or where only an option can stand."""
    position = start
    while spot := _SPOT.search(case.text, position, end):
        position = spot.end()
        found = letters_at(case.text, case.low, spot.start(), end)
        if not found or found.start > spot.end():
            continue
        position = max(position, found.end)
        value = named_by(case, found)
        if value is None or (case.text[found.start].islower() and not found.dressed):
            continue
        first = spot.start() == start or case.low[start : spot.start()].rstrip().endswith(":")
        item = first and _ITEM.match(case.text, spot.start(), end) is not None
        wrapped = _WRAPPED.match(case.text, spot.start(), end) is not None
        dressed = found.dressed or item or wrapped or _emphasised(case, spot.end() - 1)
        if dressed or (not value.beyond and _may_be_option(case, found.start, start)):
            yield Value(value.labels, value.beyond, "letter", value.start, value.end, dressed, value.name)


def _emphasised(case: Case, position: int) -> bool:
    """Tell whether markdown or LaTeX sets the letter apart ('**B**', '$B$')."""
    marked = case.folded.marked
    return 0 < position < len(marked) - 1 and marked[position - 1] in "*`$_" and marked[position + 1] in "*`$_"


def _may_be_option(case: Case, position: int, start: int) -> bool:
    """Tell whether a bare capital may be an option: not the letter of a name ('hepatite B', 'grupo A')."""
    before = re.search(r"([^\W_]+)[\s(\"']*$", case.low[max(start, position - 30) : position])
    return before is None or before[1] in _BEFORE_LETTER or case.low[start:position].rstrip()[-1:] in ",:;-("
