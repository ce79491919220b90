"""Words of an option written in pieces or cut short: 'acetil cisteína', 'S. pneumoniae', 'influenza do tipo A'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from benchctl.answers.options import Option
from benchctl.answers.synonyms import long_forms
from benchctl.answers.words import Token, same_word, word_set

Placed = Sequence[tuple[int, Option]]
"""The options that are read by their text, each with its place in the list."""

_INITIAL = re.compile(r"(?<![^\W_])([A-Z])\.?\s\Z")
_GAP = re.compile(r"[ -]{1,3}")
_STOP = re.compile(r"[.;:,?!\n]")
_KINDS = word_set("tipo tipos type types subtipo grupo group classe class serotipo")
_SHORTEST = 7  # letters a compound has at least: shorter ones are other words too often


def compound_hits(words: Sequence[Token], low: str, text: str, readable: Placed) -> dict[int, list[tuple[int, str]]]:
    """Return word index -> (place of the option, its word), for what no single word of the reply says."""
    found: dict[int, list[tuple[int, str]]] = {}
    for index, token in enumerate(words):
        for hit in (
            *_in_full(index, words, readable),
            *_in_pieces(index, words, low, readable),
            *_cut_short(token, text, readable),
        ):
            found.setdefault(index, []).append(hit)
        if len(token.key) > 2 and token.key[-2] == "+" and token.key[:-2] in _KINDS:
            found.setdefault(index, []).extend(_kind(token, words[max(0, index - 2) : index], low, readable))
        if len(token.key) > 3 and token.key[-2] == "+":
            found.setdefault(index, []).extend(_letter_alone(token.key[-1], readable))
    return {index: hits for index, hits in found.items() if hits}


def _letter_alone(letter: str, readable: Placed) -> list[tuple[int, str]]:
    """Return the option that consists of the letter, the question's noun left out ('vitamina D' for 'D')."""
    fits = [(place, letter) for place, option in readable if option.words == (letter,)]
    return fits if len(fits) == 1 else []


def _in_pieces(index: int, words: Sequence[Token], low: str, readable: Placed) -> Iterator[tuple[int, str]]:
    """Yield the option's word that this word and the next make together ('anti histamínico')."""
    if index + 1 >= len(words) or not _GAP.fullmatch(low, words[index].end, words[index + 1].start):
        return
    whole = words[index].key.replace("+", "") + words[index + 1].key
    if len(whole) < _SHORTEST or not whole.isalpha():
        return
    for place, option in readable:
        known = {words[index].key, words[index + 1].key} & set(option.words)
        word = next((w for w in option.words if same_word(w, whole)), None)
        if word and not known:
            yield place, word


def _in_full(index: int, words: Sequence[Token], readable: Placed) -> Iterator[tuple[int, str]]:
    """Yield the option's short form that the words from here on spell out ('ácido acetilsalicílico' for 'AAS')."""
    for place, option in readable:
        for word in option.words:
            for long in long_forms(word):
                said = [t.key for t in words[index : index + len(long)]]
                if len(said) == len(long) and all(same_word(a, b) for a, b in zip(long, said, strict=True)):
                    yield place, word


def _cut_short(token: Token, text: str, readable: Placed) -> Iterator[tuple[int, str]]:
    """Yield the first name that an initial stands for, where only one option has it ('S. pneumoniae')."""
    initial = _INITIAL.search(text, max(0, token.start - 4), token.start)
    if initial is None or len(token.key) < 4:
        return
    fits = [
        (place, first)
        for place, option in readable
        for first, second in zip(option.words, option.words[1:], strict=False)
        if first[0].upper() == initial[1] and same_word(second, token.key)
    ]
    if len({place for place, _ in fits}) == 1:
        yield fits[0]


def _kind(token: Token, before: Sequence[Token], low: str, readable: Placed) -> list[tuple[int, str]]:
    """Return the option that has this letter behind a name said just before ('vírus influenza do tipo A')."""
    letter = token.key[-1]
    said = [t.key for t in before if not _STOP.search(low, t.end, token.start)]
    fits = [
        (place, word)
        for place, option in readable
        for word in option.words
        if word[-2:] == f"+{letter}" and any(same_word(word[:-2], key) for key in said)
    ]
    return fits if len({place for place, _ in fits}) == 1 else []
