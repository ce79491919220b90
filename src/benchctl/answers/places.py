"""Options named by where they stand: 'a primeira', 'the last two', 'a 2ª e a 4ª', 'opção 3', 'a do meio'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchctl.answers.lexicon import DRESS
from benchctl.answers.phrases import WORD_END, any_of

_ORDINALS = {
    1: "primeir[ao]|first|primer[ao]?",
    2: "segund[ao]|second",
    3: "terceir[ao]|third|tercer[ao]?",
    4: "quart[ao]|fourth|cuart[ao]",
    5: "quint[ao]|fifth",
    6: "sext[ao]|sixth",
    -1: "ultim[ao]|last|derradeir[ao]",
    -2: "penultim[ao]",
    0: "d[oe]\\s+meio|central|middle|del\\s+medio",
}
_PLACE = any_of(
    """alternativas? / opcao / opcoes / options? / choices? / opcion / opciones / letra / item / respostas? /
        respuestas? / answers? / ones? / assertivas? / afirma\\w+ / frase / proposicao / hipotese / statement /
        da lista / das? (alternativas|opcoes) / de cima / que aparece / listed / of the (list|options)"""
)
_FOLLOWED = (
    rf"(?:\s*,?\s*(?:{_PLACE})\b|(?=\s*(?:$|[.,;:)!?\"\n(/]|(?:e|ou|and|or|y|esta|estao|is|are|es|sao|son|seria|"
    r"pois|porque|because|since|ya|juntas|servem|serve|quanto|como|mesmo)\b)))"
)
_LEAD = (
    r"[\s\"'(]*(?:(?:a|o|as|os|the|la|el|las|los|de|da|do|com|with|tanto|both|e|sim|so|apenas|alternativas?|"
    r"opcao|opcoes|"
    r"opcion|options?)\s+){0,4}"
)
_ORDINAL = re.compile(
    rf"{_LEAD}(?:(?P<digit>\d{{1,2}})\s*(?:[ªº]|(?:a|o|st|nd|rd|th)\b)|"
    + "|".join(f"(?P<n{k if k >= 0 else 'm' + str(-k)}>(?:{v})\\b)" for k, v in _ORDINALS.items())
    + rf"){_FOLLOWED}",
    re.M,
)
_COUNTS = {"duas": 2, "dois": 2, "two": 2, "dos": 2, "tres": 3, "three": 3, "quatro": 4, "four": 4, "cuatro": 4}
_COUNT = "|".join(_COUNTS)
_SEVERAL = re.compile(
    rf"{_LEAD}(?:(?P<count>{_COUNT})\s+(?:(?P<first>primeir[ao]s|primer[ao]s|first)|(?P<last>ultim[ao]s|last))"
    rf"|(?:(?P<first_too>primeir[ao]s|primer[ao]s|first)|(?P<last_too>ultim[ao]s|last))\s+(?P<count_too>{_COUNT})"
    rf"){WORD_END}"
)
_NUMBERED = re.compile(
    rf"[\s\"'(]*(?:(?:a|o|the|la|el)\s+)?{DRESS}\s*(?:n[ºo.]|numero|number)?\s*[:(]?\s*(?P<digit>\d{{1,2}})"
    r"(?![\d%º]|[.,]\d|\s*(?:mg|ml|g|kg|mm|anos|mcg|l|h|dias|%))"
)
_NUMBER_WORDS = {"um": 1, "one": 1, "uno": 1, "two": 2, "dois": 2, "dos": 2, "three": 3, "tres": 3, "four": 4}
_NUMBER_WORDS |= {"quatro": 4, "cuatro": 4, "five": 5, "cinco": 5}
_WORDED = re.compile(
    rf"[\s\"'(]*(?:(?:a|o|the|la|el)\s+)?{DRESS}\s+(?:numero\s+|number\s+)?(?P<word>"
    rf"{'|'.join(_NUMBER_WORDS)}){WORD_END}"
)
_BARE = re.compile(
    r"[\s\"'([]*(?:(?:a|o|the|la|el)\s+)?(?:n[ºo.]*\s*|numero\s+|number\s+)?(?P<digit>\d{1,2})\s*[).\]\"']*\s*$"
)
_PAIR = re.compile(
    r"[\s\"'([]*(?:(?:a|o|as|os|the|la|el|las|los)\s+)?(?P<one>\d)\s*(?:,|e|ou|and|or|y|o|/|&|e/ou)\s*(?P<two>\d)(?:\s*(?:,|e|ou|and|or|y|o)\s*(?P<three>\d))?"
    r"\s*[).\]\"']*\s*$"
)
_ADVERB = re.compile(r"\W*(?:primeiro|segundo|terceiro|first|second|third|primero|tercero)")
_GOES_ON = re.compile(r"\s*,\s*[^\W\d_]")
_JOIN = re.compile(
    r"[\s)]*(?:,\s*(?:(?:e|ou|and|or|y)\s)?|/|(?:e/ou|e\s+tambem|ou|e|and|or|y|o|quanto|como|mais)\s)\s*"
    r"(?:(?:a|o|la|el|the|tambem|also)\s+)*"
)


@dataclass(frozen=True, slots=True)
class Places:
    """Positions named at one place: 1 is the first option, -1 the last, 0 the middle one. ``kind`` as in a value."""

    places: tuple[int, ...]
    kind: str
    start: int
    end: int


def ordinals_at(low: str, start: int, end: int) -> Places | None:
    """Return the ordinals (joined by 'e', 'ou', a comma) or numbered nouns ('opção 2') that begin at ``start``."""
    several = _SEVERAL.match(low, start, end)
    if several:
        count = _COUNTS[several["count"] or several["count_too"]]
        first = several["first"] or several["first_too"]
        return Places(
            tuple(range(1, count + 1)) if first else tuple(range(-count, 0)), "ordinal", several.start(), several.end()
        )
    found = _ORDINAL.match(low, start, end)
    if not found:
        return _numbered(low, start, end)
    if _ADVERB.fullmatch(low, found.start(), found.end()) and _GOES_ON.match(low, found.end(), end):
        return None  # 'First, consider ...'
    places, last = [_place(found)], found.end()
    while (joined := _JOIN.match(low, last, end)) and (further := _ORDINAL.match(low, joined.end(), end)):
        places.append(_place(further))
        last = further.end()
    return Places(tuple(dict.fromkeys(places)), "ordinal", found.start(), last)


def _numbered(low: str, start: int, end: int) -> Places | None:
    found = _NUMBERED.match(low, start, end)
    if found:
        return Places((int(found["digit"]),), "ordinal", found.start(), found.end())
    found = _WORDED.match(low, start, end)
    return Places((_NUMBER_WORDS[found["word"]],), "ordinal", found.start(), found.end()) if found else None


def _place(found: re.Match[str]) -> int:
    if found["digit"]:
        return int(found["digit"])
    name = next(k for k, v in found.groupdict().items() if v and k != "digit")
    return -int(name[2:]) if name.startswith("nm") else int(name[1:])


def number_at(low: str, start: int, end: int) -> Places | None:
    """Return the bare number, or the pair of bare numbers, that the whole stretch is."""
    found = _BARE.match(low, start, end)
    if found:
        return Places((int(found["digit"]),), "number", found.start("digit"), found.end("digit"))
    found = _PAIR.match(low, start, end)
    if not found:
        return None
    numbers = tuple(int(n) for n in (found["one"], found["two"], found["three"]) if n)
    return Places(tuple(dict.fromkeys(numbers)), "number", found.start("one"), found.end("two"))
