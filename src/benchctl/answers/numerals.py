"""Numbers as answers: in words, in order, beside the words that ask, or one that no option has."""

from __future__ import annotations

import re

from benchctl.answers.values import Case, Value
from benchctl.answers.words import same_word, tokens


def _numbered(listing: str, step: int = 1) -> dict[str, int]:
    """Return word -> number for words listed from 0 on, numbers separated by '/'."""
    return {w: step * n for n, words in enumerate(listing.split("/")) for w in words.split()}


_RATIO = re.compile(r"(?<![\w.,:/])\d{1,3}\s*:\s*\d{1,3}(?![\w:/]|[.,]\d)")
_UNITS = _numbered(
    """zero / um uma un una one / dois duas two dos / tres three / quatro four cuatro / cinco five / seis six /
    sete seven siete / oito eight ocho / nove nine nueve / dez ten diez / onze eleven once / doze twelve doce /
    treze thirteen trece / catorze quatorze fourteen catorce / quinze fifteen quince / dezesseis dezasseis sixteen /
    dezessete dezassete seventeen / dezoito eighteen / dezenove dezanove nineteen"""
)
_TENS = _numbered(
    """/ / vinte twenty veinte / trinta thirty treinta / quarenta forty cuarenta / cinquenta fifty cincuenta /
    sessenta sixty sesenta / setenta seventy / oitenta eighty ochenta / noventa ninety / cem hundred cien""",
    10,
)
_NUMBER = re.compile(
    rf"(?<![\w.,])(?:\d+|(?P<tens>{'|'.join(_TENS)})(?:(?:\s+[ey]\s+|-)(?P<unit>{'|'.join(_UNITS)}))?"
    rf"|(?P<small>{'|'.join(_UNITS)}))(?![^\W_]|[.,]\d)"
)
_ARTICLES = ("um", "uma", "un", "una", "one")
_EQUALS = re.compile(
    r"(?:=|:|\b(?:é|sao|seria|seriam|tem|ha|temos|existem|possui|possuem|da|dao|resulta\s+em|igual\s+a|total\s+de|"
    r"is|are|has|have|equals|son|hay|tiene))\s*(?:de\s+)?\Z"
)  # what stands right before a number that answers
_NOT_TOLD = re.compile(r"\b(?:nao|nem|not)\b|\s(?:é|sao)\s+[ao]s?\s+d[aeo]s?\b")  # 'a do 18 é a de Edwards'
_RANGE = re.compile(r"(?:entre\s+)?(\d+)\s*(?:a|-|e|to|ate)\s*(\d+)(?:\s*[^\W\d]+)?")
_NUMBER_ALONE = re.compile(r"(?<![\w.,])(\d{1,4})(?:[ªº])?(?![\w%]|[.,]\d)")
_STOPS = re.compile(r"[.;:,()\n]|\b(?:mas|enquanto|but)\b")


def _value(found: re.Match[str]) -> int:
    if found[0].isdigit():
        return int(found[0])
    return _TENS.get(found["tens"], 0) + _UNITS.get(found["unit"] or found["small"], 0)


def _digits(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", text))


def numbers_in_order(case: Case) -> Value | None:
    """Return the one option whose numbers the reply says in order, in digits or words ('trinta para duas': 30:2)."""
    wanted = {o.label: _digits(o.text) for o in case.options.options}
    if any(not w for w in wanted.values()) or any(re.search(r"[a-z]", o.text, re.I) for o in case.options.options):
        return None
    found = list(_NUMBER.finditer(case.low))
    words = re.findall(r"\w+", case.low)
    if not found or {"nao", "not", "no", "nem"} & set(words) or "?" in case.low or len(found) > 6 or len(words) > 25:
        return None
    said = [_value(m) for m in found]
    bare = [n for n, m in zip(said, found, strict=True) if m[0] not in _ARTICLES]
    fits = [label for label, numbers in wanted.items() if numbers in (tuple(said), tuple(bare))]
    return Value((fits[0],), False, "text", found[0].start(), found[-1].end()) if len(fits) == 1 else None


def in_range(case: Case) -> Value | None:
    """Return the option whose range holds the only number said ('por volta da 26ª semana' for '24 a 28')."""
    ranges = {o.label: _RANGE.fullmatch(o.low.strip(" .")) for o in case.options.options}
    found = [m for m in _NUMBER_ALONE.finditer(case.low) if int(m[1]) not in _digits(case.question.words)]
    if not all(ranges.values()) or len(found) != 1 or len(case.low.split()) > 12 or "?" in case.low:
        return None
    number = int(found[0][1])
    fits = [label for label, m in ranges.items() if m and int(m[1]) <= number <= int(m[2])]
    denied = re.search(r"\b(?:nao|nem|not)\b", case.low)
    return Value((fits[0],), False, "text", *found[0].span(1)) if len(fits) == 1 and not denied else None


def number_asked_for(case: Case) -> Value | None:
    """Return the option whose number stands beside the words that ask ('quatro câmaras: 2 átrios e 2 ventrículos').

    Every option must be one whole number, and one number alone must stand beside more of those words than any other.
    """
    wanted = {_digits(o.text)[0]: o.label for o in case.options.options if re.fullmatch(r"\W*\d+\W*", o.text)}
    if len(wanted) < len(case.options.options) or "?" in case.low or _NOT_TOLD.search(case.low):
        return None
    found = list(_NUMBER.finditer(case.low))
    scores: dict[int, int] = {}
    for index, number in enumerate(found[:20]):
        before = found[index - 1].end() if index else 0
        after = found[index + 1].start() if index + 1 < len(found) else len(case.low)
        beside = _beside(case, number.start(), number.end(), before, after)
        scores[_value(number)] = max(scores.get(_value(number), 0), beside)
    best = max(scores, key=lambda n: scores[n], default=None)
    if best is None or best not in wanted or not scores[best] or list(scores.values()).count(scores[best]) > 1:
        return None
    at = next(m for m in found if _value(m) == best)
    return Value((wanted[best],), False, "text", at.start(), at.end())


def _beside(case: Case, start: int, end: int, low: int, high: int) -> int:
    """Return how many words of the question stand right before or right after the number."""
    stop = _STOPS.search(case.low, end, high)
    after = [t.key for t in case.between(end, stop.start() if stop else high)][:5]
    prior = [m.end() for m in _STOPS.finditer(case.low, low, start)]
    before = [t.key for t in case.between(prior[-1] if prior else low, start)][-2:]
    focus = set(case.question.focus or case.question.keys)
    return sum(any(same_word(w, s) or (len(w) > 4 and s[:5] == w[:5]) for s in (*before, *after)) for w in focus)


def _counted_otherwise(case: Case) -> tuple[int, int] | None:
    """Return the span of the only number said, where every option is one whole number, none of them this one, and it
    stands as the answer would: behind 'é' or 'tem', or before the noun that is asked for ('possui 33 pares')."""
    wanted = [_digits(o.text) for o in case.options.options if re.fullmatch(r"\W*\d+\W*", o.text)]
    found = [m for m in _NUMBER.finditer(case.low) if m[0] not in _ARTICLES]
    if len(wanted) < len(case.options.options) or len(found) != 1 or len(case.low.split()) > 16:
        return None
    number, asked = found[0], _digits(case.question.words)
    if (_value(number),) in wanted or _value(number) in asked or re.search(r"\b(?:nao|nem|not|no)\b", case.low):
        return None
    return number.span() if _EQUALS.search(case.low, 0, number.start()) else None


def other_number(case: Case) -> tuple[int, int] | None:
    """Return the span of the only number or ratio said, where every option is one and none of them is this one."""
    ratios = list(_RATIO.finditer(case.low))
    known_ratios = {_digits(o.text) for o in case.options.options}
    if len(ratios) == 1 and all(_RATIO.fullmatch(o.text.strip(" .")) for o in case.options.options):
        fresh = _digits(ratios[0][0]) not in known_ratios and not re.search(r"\bn(?:ao|ot|o|em)\b", case.low)
        return ratios[0].span() if fresh and len(case.low.split()) <= 12 else None
    if not all(re.search(r"\d", o.text) for o in case.options.options):
        return None
    said = [t for t in case.words if t.key[0].isdigit()]
    known = [w for o in case.options.options for w in o.words]
    asked = {t.key for t in tokens(case.question.words)}
    years = [t for t in said if len(t.key) == 4 and not any(len(w) == 4 and w.isdigit() for w in known)]
    if years:
        return None
    if len(said) != 1 or said[0].key in known or said[0].key in asked or len(case.low.split()) > 8:
        return _counted_otherwise(case)
    return said[0].start, said[0].end
