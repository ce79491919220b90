"""Numbered statements (I, II, III): which ones the reply calls true, and the option that names exactly those."""

from __future__ import annotations

import re
from dataclasses import replace

from benchctl.answers.options import romans
from benchctl.answers.phrases import any_of
from benchctl.answers.spelled import all_of_them, with_numerals
from benchctl.answers.values import Case, Value

_ONE = r"(?<![^\W_])(?:VIII|VII|VI|IV|V|III|II|I)(?![^\W_])"
_GROUP = rf"{_ONE}(?:\s*(?:,\s*(?:e|and|y)?|e|and|y|&)\s*(?:a\s+)?{_ONE}){{0,7}}"
_ONLY = any_of("apenas / somente / so / only / solo / solamente")
_IS = rf"(?:\s*(?:[:=.(-]|{any_of('e / é / esta / estao / sao / is / are / es / son / foram / tambem')})){{0,3}}"
_WRONG = r"(?:(?i:nao\b|incorret|errad|fals|incorrect|wrong|equivocad|errone|inver[st]|peca\b|engan|not\b|no\s+es)|F\b)"
_RIGHT = r"(?:(?i:corret|verdadeir|cert[ao]|correct|true|right|ciert|proced|acert|valid)|V\b)"
_VERDICT = re.compile(
    rf"(?P<group>{_GROUP})\)?{_IS}\s*(?:{any_of('ambas / todas / both')}\s+)?"
    rf"(?:(?P<wrong>{_WRONG})|(?P<right>{_RIGHT}))"
)
_SEQUENCE = re.compile(
    r"\W*(?:(?:resposta|gabarito|sequencia)\W+)?(?P<signs>[VF](?:[\s,;/-]*(?:e\s+)?[VF]){1,7})\W*", re.I
)
_VERDICT_FIRST = re.compile(
    rf"(?<![^\W_])(?:(?:(?:esta|estao|sao|e|é)\s+)?(?:verdadeir|corret|cert|correct|true)\w*\s*(?::|"
    rf"-)|(?:estao|sao|procedem)\s+(?:verdadeir|corret|cert)\w*)\s*(?:{_ONLY}\s+)?(?:as?\s+)?(?P<group>{_GROUP})(?![^\W_])",
    re.I,
)
_REST_RIGHT = re.compile(
    rf"\b{any_of('demais / outras / outros / restantes / others / rest / otras')}\b[^.;\n]{{0,30}}?\b{_RIGHT}"
)
_BEFORE = any_of(
    """cert[ao]s? / portanto / logo / assim / entao / therefore / so / thus / corret[ao]s? / verdadeir[ao]s? / correct /
        true / apenas / somente / only / solo / resposta / e / é / sao / are"""
)
_NOUNS = any_of(
    """as / a / os / the / las / la / afirmativas? / afirmacoes / assertivas? / proposicoes / itens / item /
        statements? / apenas / somente / only / solo"""
)
_CHOSEN = re.compile(
    rf"(?:^|[.:;,\n]|\b{_BEFORE}\b)[\s:,]*(?:{_NOUNS}\s+){{0,4}}(?P<group>{_GROUP})\s*,?\s*(?:{_ONLY})?\s*"
    r"(?:(?:esta|estao|sao|é|e|are|is|son)\s+(?:corret|verdadeir|cert|correct|true)\w*)?\s*(?:[.!]*\s*$|"
    r"[,;]?\s*(?:ja\s+que|pois|porque|uma\s+vez|visto|because|since)\b)",
    re.I,
)
_ONLY_WRONG = re.compile(
    rf"\b(?:unica|{_ONLY})\b[^.;\n]{{0,40}}?(?:incorret|errad|fals|incorrect|wrong)\w*\s+(?:é|e|is|"
    rf"es)\s+(?:a\s+)?(?P<one>{_ONE})"
    rf"|(?P<three>{_ONE})\s+(?:é|e|is)\s+(?:a\s+|o\s+)?unic[ao]\s+(?:\w+\s+)?(?:incorret|errad|fals)"
    rf"|\b{_ONLY}\s+(?:a\s+)?(?:(?:afirmativa|assertiva|afirmacao|proposicao|"
    rf"item)\s+)?(?P<two>{_ONE})(?:\s+(?:afirmativa|assertiva|afirmacao|proposicao|item))?\s+(?:é|e|esta|is|"
    rf"es)\s+(?:incorret|errad|fals|incorrect|wrong)",
    re.I,
)
_ONLY_RIGHT = re.compile(
    rf"(?P<one>{_ONE})\s+(?:é|e|esta|is)\s+(?:a\s+|o\s+)?unic[ao]\s+(?:(?:afirmativa|assertiva|afirmacao|proposicao|"
    r"item|que\s+esta)\s+)?(?:corret|verdadeir|cert|valid)",
    re.I,
)
_NONE_WRONG = re.compile(
    r"\bnenhuma?\s+(?:d[ae]l[ae]s\s+|d[ae]s\s+\w+\s+|\w+\s+)?(?:esta|é|e)\s+(?:incorret|errad|fals)"
)


def statements_value(case: Case, sentences: list[tuple[int, int]]) -> Value | None:
    """Return the option whose statements are those the reply settles on, or None where it settles on none."""
    sets = {o.roman: o.label for o in case.options.options if o.roman is not None}
    if not sets or not sentences:
        return None
    every = frozenset().union(*sets)
    whole = all_of_them(case.low, every)
    flawless = _NONE_WRONG.search(case.low)
    if whole or flawless:
        return _named(sets, every, *(whole or (flawless.span() if flawless else (0, 0))))
    case = replace(case, text=with_numerals(case.text, case.low, every))
    sorted_out = _sorted_out(case, sets) or _in_sequence(case, sets, every)
    if sorted_out:
        return sorted_out
    exception = _ONLY_WRONG.search(case.text)
    if exception:
        wrong = romans((exception["one"] or exception["two"] or exception["three"]).upper())
        return _named(sets, every - wrong, exception.start(), exception.end())
    alone = _ONLY_RIGHT.search(case.text)
    if alone:
        return _named(sets, romans(alone["one"].upper()), *alone.span())
    start, end = sentences[-1]
    chosen = _CHOSEN.search(case.text[start:end].strip())
    if chosen and (len(sentences) == 1 or not re.match(r"\s*I+\.", case.text[start:end])):
        return _named(sets, romans(chosen["group"].upper()), start, end)
    return _judged(case, sets, every)


_REUNITES = re.compile(
    r"[\s:\"'(]*(?:(?:a|o|as|os|the|la|las|opcao|alternativa|letra|option|opcion|item|afirmativas?|assertivas?|"
    r"itens|one|"
    rf"que|which|that|with|com|con|reune|traz|contem|inclui|diz|indica|lista|tem|afirma|has|lists|e|é|do|da|tipo|"
    rf"grau|classe|fase|estagio|fator|nivel|categoria|{_ONLY})\s+){{0,7}}"
    rf"(?P<group>{_GROUP})(?:\s*,?\s*{_ONLY})?(?:\s+(?:afirmativas?|assertivas?|afirmacoes|proposicoes|"
    rf"itens))?(?=\s*(?:[.!)\"']*\s*$|[,;]|(?i:estao|sao|are|pois|porque|because)\s))",
    re.I,
)


def statements_at(case: Case, start: int, end: int) -> Value | None:
    """Return the option that names exactly the statements at ``start`` ('a que reúne I e III')."""
    sets = {o.roman: o.label for o in case.options.options if o.roman is not None}
    if not sets:
        return None
    text = with_numerals(case.text, case.low, frozenset().union(*sets))
    found = _REUNITES.match(text, start, end)
    label = sets.get(romans(found["group"].upper())) if found else None
    if (
        found is None
        or label is None
        or re.match(r"\W*[a-z]*\W*(?:nao|incorret|errad|fals|wrong)", case.low[found.end() : end])
    ):
        return None
    return Value((label,), False, "statements", found.start("group"), found.end())


def _in_sequence(case: Case, sets: dict[frozenset[int], str], every: frozenset[int]) -> Value | None:
    """Return what a bare 'V, F, V' says of the statements in order, where there are just so many."""
    found = _SEQUENCE.fullmatch(case.text)
    signs = re.findall("[VF]", found["signs"].upper()) if found else []
    if found is None or len(signs) != len(every):
        return None
    right = frozenset(n for n, sign in zip(sorted(every), signs, strict=True) if sign == "V")
    return _named(sets, right, *found.span("signs"))


def _sorted_out(case: Case, sets: dict[frozenset[int], str]) -> Value | None:
    """Return what 'Verdadeiras: I e III. Falsa: II.' names."""
    found = _VERDICT_FIRST.search(case.text)
    return _named(sets, romans(found["group"]), *found.span()) if found else None


def _judged(case: Case, sets: dict[frozenset[int], str], every: frozenset[int]) -> Value | None:
    """Add up the verdicts on single statements; all of them must be judged."""
    right: frozenset[int] = frozenset()
    wrong: frozenset[int] = frozenset()
    first, last = len(case.text), 0
    for verdict in _VERDICT.finditer(case.text):
        named = romans(verdict["group"])
        right, wrong = (right - named, wrong | named) if verdict["wrong"] else (right | named, wrong - named)
        first, last = min(first, verdict.start()), max(last, verdict.end())
    if wrong and _REST_RIGHT.search(case.low):
        right = every - wrong
    if wrong and not right and len(case.low.split()) < 12:
        right = every - wrong  # only the false ones are named
    if not right or not every <= right | wrong:
        return None
    return _named(sets, right, first, last)


def _named(sets: dict[frozenset[int], str], chosen: frozenset[int], start: int, end: int) -> Value | None:
    if not chosen:
        return None
    label = sets.get(chosen)
    return Value((label,) if label else (), label is None, "statements", start, end)
