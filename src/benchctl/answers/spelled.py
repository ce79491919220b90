"""Statements named in words: 'a primeira e a terceira', 'as três', 'a última' become Roman numerals of the same length.

Only where a statement must be meant: beside 'afirmativa' and its kin, in a pair that is called right or wrong, behind
'só'. 'A segunda opção' stays a position.
"""

from __future__ import annotations

import re

from benchctl.answers.phrases import any_of

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
_ORDER = ("primeir", "segund", "terceir", "quart", "quint", "sext", "setim", "oitav")
_ORDINAL = rf"(?:(?:{'|'.join(_ORDER)})[ao]|ultim[ao]|[1-8]\s?[ªa])"
_STATEMENT = any_of(
    "afirmativas? / afirmacoes / afirmacao / assertivas? / proposicoes / proposicao / itens / item / frases? / "
    "sentencas?"
)
_ONLY = any_of("so / apenas / somente / unicamente / exceto / menos")
_TRUTH = r"(?:in)?(?:corret|cert|verdadeir|errad|fals|equivocad|proced)"
_BE = r"(?:\s+(?:estao|sao|é|e|esta|foram|seriam))?(?:\s+(?:ambas|todas))?"
_NO_PLACE = r"(?!\s+(?:alternativa|opcao|letra|resposta))"
_PAIR = rf"{_ORDINAL}(?:\s*,\s*(?:a|o)?\s*{_ORDINAL})*\s*,?\s+e\s+(?:a\s+|o\s+)?{_ORDINAL}"
_MEANT = re.compile(
    rf"\b(?:{_STATEMENT}\s+(?:{_PAIR}|{_ORDINAL})|(?:{_PAIR}|{_ORDINAL})\s+{_STATEMENT}"
    rf"|{_PAIR}{_NO_PLACE}(?={_BE}\s+{_TRUTH}|\W*$)|{_ONLY}\s+(?:a\s+|o\s+)?(?:{_PAIR}|{_ORDINAL}){_NO_PLACE}"
    rf"|(?:a|o)\s+{_ORDINAL}{_NO_PLACE}(?=\s*(?:,|(?:é|e|esta)\s)\s*(?:in|tambem\s+)?(?:errad|fals|incorret|"
    rf"equivocad|verdadeir)))"
)
_COUNT = {"duas": 2, "dois": 2, "tres": 3, "quatro": 4, "cinco": 5}
_SEVERAL = re.compile(
    rf"\b(?P<several>(?:as\s+)?(?P<count>duas|dois|tres|quatro)\s+(?P<which>primeir|"
    rf"ultim)[ao]s)(?=(?:\s+{_STATEMENT})?{_BE}\s*,?\s*{_TRUTH}|\W*$)"
)
_ALL = re.compile(
    rf"\b(?:as|os)\s+(?P<count>duas|tres|quatro|cinco)(?:\s+{_STATEMENT})?{_BE}\s+(?!in)(?:corret|cert|verdadeir)"
)


def with_numerals(text: str, low: str, every: frozenset[int]) -> str:
    """Return ``text`` with statements named in words written as numerals; positions hold. ``every`` are all there
    are."""
    written = text
    for found in _SEVERAL.finditer(low):
        count, ordered = _COUNT[found["count"]], sorted(every)
        chosen = ordered[:count] if found["which"] == "primeir" else ordered[-count:]
        written = _put(written, *found.span("several"), " e ".join(_ROMAN[n - 1] for n in chosen))
    for meant in _MEANT.finditer(low):
        for one in re.finditer(_ORDINAL, meant[0]):
            start = meant.start() + one.start()
            written = _put(written, start, start + len(one[0]), _ROMAN[_number(one[0], every) - 1])
    return written


def all_of_them(low: str, every: frozenset[int]) -> tuple[int, int] | None:
    """Return the span of 'as três estão certas', where there are just so many statements."""
    found = _ALL.search(low)
    return found.span() if found and _COUNT[found["count"]] == len(every) else None


def _number(ordinal: str, every: frozenset[int]) -> int:
    if ordinal[0].isdigit():
        return int(ordinal[0])
    if ordinal.startswith("ultim"):
        return max(every)
    return next(n for n, stem in enumerate(_ORDER, 1) if ordinal.startswith(stem))


def _put(text: str, start: int, end: int, new: str) -> str:
    """Return ``text`` with ``new`` at ``start``, padded up to ``end``; as it was where ``new`` does not fit."""
    return text[:start] + new.ljust(end - start) + text[end:] if len(new) <= end - start else text
