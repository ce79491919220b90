"""Options sorted under headings: 'Respostas corretas:' and, below it, one option a line."""

from __future__ import annotations

import re

from benchctl.answers.values import Case, Value, value_at

_HEADING = re.compile(
    r"^\W*(?:as\s+|os\s+)?(?:(?:respostas?|alternativas?|opcoes|opcao|afirmativas?|itens)\s+)?(?:sao\s+)?"
    r"(?:(?P<right>corret[ao]s?|cert[ao]s?|verdadeir[ao]s?|correct|right|true)|"
    r"(?P<wrong>incorret[ao]s?|errad[ao]s?|fals[ao]s?|incorrect|wrong|false))\s*:\W*$",
    re.M,
)
_LINE = re.compile(r"^[^\S\n]*(?:[-*•]|\d+[.)])?[^\S\n]*(?P<body>\S[^\n]*)$", re.M)


def headed_value(case: Case) -> Value | None:
    """Return the options listed under the heading that calls them right, or None where there is no such heading."""
    headings = list(_HEADING.finditer(case.low))
    right = [h for h in headings if h["right"]]
    if len(right) != 1 or case.options.polar or case.question.negative:
        return None
    stop = next((h.start() for h in headings if h.start() > right[0].start()), len(case.low))
    labels: list[str] = []
    for line in _LINE.finditer(case.low, right[0].end(), stop):
        value = value_at(case, line.start("body"), line.end("body"))
        if value is None or value.beyond or len(value.labels) != 1:
            return None
        labels.append(value.labels[0])
    unique = tuple(dict.fromkeys(labels))
    return Value(unique, False, "text", right[0].start(), stop) if unique else None
