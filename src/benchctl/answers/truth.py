"""Statements to be judged true or false: 'V' and 'E', 'correto' where the options say 'verdadeiro'."""

from __future__ import annotations

import re

from benchctl.answers.phrases import any_of
from benchctl.answers.values import Case, Value

_TRUE = any_of("verdadeir[ao] / cert[ao] / corret[ao] / true / correct")
_FALSE = any_of("fals[ao] / errad[ao] / incorret[ao] / false / incorrect")
_JUDGED = re.compile(
    r"[\s\"'(\[]*(?:(?:(?:a|o|ess[ae]|est[ae])\s+)?(?:afirma\w+|assertiva|item|proposicao|sentenca|frase|enunciado|"
    r"declaracao)\s+|isso\s+)?(?P<not>nao\s+)?(?:(?:é|esta)\s+)?"
    rf"(?:(?P<true>{_TRUE}|(?<=é\s)verdade)|(?P<false>{_FALSE})|(?P<initial>[vfcet]))"
    r"(?=[\"')\]]*\s*(?:[.,;:!\n]|$)|\s+(?:pois|porque|uma\s+vez\s+que|ja\s+que|because|since)\s)"
)
_ELSEWHERE = re.compile(  # 'Certo, vamos analisar'; 'Correto? A afirmação é falsa': the answer comes later
    rf"\b(?:{_TRUE}|{_FALSE}|vou|vamos|vejamos|analis\w+|let|here|segue)\b"
)


def truth_value(case: Case, start: int) -> Value | None:
    """Return the option that the words at ``start`` stand for, where one of two says true and the other false."""
    pair = _pair(case)
    found = _JUDGED.match(case.low, start) if pair else None
    if pair is None or found is None or _ELSEWHERE.search(case.low, found.end()):
        return None
    if found["initial"]:
        named = [o.label for o in case.options.options if o.low.startswith(found["initial"])]
        letter = found["initial"].upper() in case.options.letters  # a label counts as such
        label = named[0] if named and not letter and not found["not"] else None
    else:
        label = pair[bool(found["true"]) == bool(found["not"])]
    return Value((label,), False, "polar", found.start(), found.end()) if label is not None else None


def _pair(case: Case) -> tuple[str, str] | None:
    """Return the labels of true and false, where these are the options."""
    texts = {o.low.strip(" ."): o.label for o in case.options.options}
    true = [label for text, label in texts.items() if re.fullmatch(_TRUE, text)]
    false = [label for text, label in texts.items() if re.fullmatch(_FALSE, text)]
    return (true[0], false[0]) if len(true) == len(false) == 1 and len(case.options.options) == 2 else None
