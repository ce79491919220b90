"""Answers that a phrase announces: head words, choosing verbs, corrections, conclusions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchctl.answers import lexicon
from benchctl.answers.asked import after_asked_noun
from benchctl.answers.claim import CONCLUDED, MADE_UP, SURE, Claim, denied
from benchctl.answers.copies import copied_whole
from benchctl.answers.mentions import mentions
from benchctl.answers.options import NONE_OF_THEM
from benchctl.answers.phrases import WORD_END, any_of
from benchctl.answers.sentences import asks
from benchctl.answers.truth import truth_value
from benchctl.answers.units import units_of
from benchctl.answers.values import Case, Value, none_or_all, value_at
from benchctl.answers.words import same_word, tokens

_YES_OR_NO = re.compile(
    rf"\W*(?:(?P<yes>{any_of('sim / yes / si / corret[ao] / correct / certo / exato')})"
    rf"|{any_of('(tambem |tampouco )?(nao|no|incorret[ao]|tampouco|tampoco|neither|wrong|errad[ao])')}){WORD_END}"
)
_CLOSING_LETTER = re.compile(
    r"(?<=[a-z]{2})[,:=]\s*(?:(?:a|la|the|é|mas|but|pero|entao|then|letra|opcao|alternativa)\s+){0,3}([A-H])[.!]?\s*$"
)
_HEAD_ONLY = re.compile(
    rf"\W*(?:{any_of('a / minha / my / the')}\s+)?{lexicon.NOUN}"
    rf"(?:\s+{any_of('corret[ao] / cert[ao] / final / correct / correcta / oficial / e / é / is / es')})*\W*$"
)
_VAGUE = re.compile(
    r"[\s:]*(?:(?:a|o|aquela|aquele|the|the\s+one)\s+)?"
    + any_of(
        """que / which / that / de (maior|menor) / (in)?corret / errad / fals / verdadeir / certa / uma\\b / um\\b /
        one\\b / dada / apresentad / encontrad / seguinte / nao\\b / mais\\b / unica / most\\b / mas\\b /
        sempre / based / baseada / sobre / para / por"""
    )
)
_TWO = re.compile(r"\b(?:duas|dois|two|dos|ambas|both)\b[^.:;\n]{0,40}:\s*")
_OUT = re.compile(r"\b(?:nao|not|no|sem|errad|incorret|incorrect|fals|wrong|descart|elimin|exclu|duvida|entre|between)")
_EQUALS = re.compile(
    r"(?:^|(?<=[.,;:!?(\n])|(?<=\s))([^\W\d_][^.,;:!?=()<>\n]{2,60}?)\s*(?:=>?|-+>)\s*(?=[^\s=])", re.M
)
_PAUSE = re.compile(r"[.,;!?\n)]")
_POINTS_BACK = re.compile(
    r"\b(?:(?:est|ess|aquel)[ae]\s+ultim[ao]\b|(?:é|sera|seria)\s+(?:portanto\s+|entao\s+|"
    r"justamente\s+)?(?:el[ea]|ess[ea]|est[ea]|isso)\s+(?:que\s+é\s+)?"
    r"(?:a|o)\s+(?:(?P<exception>excecao)|resposta|corret[ao]|cert[ao]|alternativa)|(?:el[ea]|ess[ea]|"
    r"est[ea])\s+é\s+(?:a|o)\s+"
    r"(?:(?P<exception_too>excecao)|resposta|corret[ao]|cert[ao])\b)"
)
_OF_ALL = re.compile(
    r"(?:tod[ao]s|all|every|demais|outr[ao]s)\b(?P<between>.*?)\b(?:exceto|menos|salvo|except|excepto|a\s+nao\s+ser)",
    re.S,
)
_CALLED_WRONG = re.compile(r"\b(?:errad|incorret|fals|wrong|incorrect|descart|elimin|nao\b|not\b)")
_CALLED_RIGHT = re.compile(
    r"[\s,]*(?:(?:as|os|elas|estao|sao|alternativas|opcoes|are|of|them|the|options|corret\w*|cert\w*|servem|"
    r"valem|correct)[\s,]*)*"
)
_ANALYSED = re.compile(
    r"\b(?:analis|avali|examin|consider|discut|compar|vejamos|ver|veja|rever)\w*\s+(?:(?:cada|uma|das?|todas|as|"
    r"os)\s+)*\Z"
)
_PLURAL = re.compile(r"\b(?:corretas|certas|respostas|corretos|verdadeiras)\b")
_NEXT_ITEM = re.compile(r"[;,\n\s-]*(?P<body>[^;\n]{1,120}?)(?=[;\n]|\.?\s*\Z|\.\s)")
_DESCRIBES = re.compile(
    r"(?:caracteriz|suger|indica|aponta|favorec|compat|consistent|suggest|points|in\s+favou?r|a\s+favor)"
)
_UNLIKE = re.compile(r"\b(?:nao|not|nem|never|nunca|unlikely|improvave\w+|pouco\s+provave\w+|dificil\w*)\b")
_DENIED_BEFORE = re.compile(r"\b(?:nao|not|nem|never|nunca|isn't|aren't)\s+(?:é\s+|sao\s+|esta\s+|muito\s+|very\s+)?\Z")
_GIVEN = re.compile(
    r"(?:since|given|as|because|considering|como|ja\s+que|uma\s+vez\s+que|dado|visto|considerando|se|if|puesto)\b[^,.;]{0,120},"
)
_WEIGHED = re.compile(r"\b(?:entre|between)\s")
_AFTER_CORRECTION = re.compile(
    r"[\s,.:;!-]*(?:"
    + any_of(
        """nao / no / e / é / is / it's / it / seria / es / sim / para / a / o / the / la / resposta / answer /
        correta / certa / correct / right / should / be / deve / ser / que / de / pensando / melhor / espere /
        wait"""
    )
    + r"[\s,:]+)*"
)


def asked_and_answered(case: Case, start: int, end: int, following: tuple[int, int] | None) -> Iterator[Claim]:
    """Yield the verdict where the writer asks 'B?' and answers 'Sim.' in the ``following`` sentence."""
    value = value_at(case, start, end)
    reply = _YES_OR_NO.match(case.low, *following) if following else None
    if value and reply and not case.options.polar and len(case.low[value.end : end].strip(" ?")) < 3:
        no = not reply["yes"]
        yield Claim(SURE, "elimination" if no else "verdict", value, start, reply.end(), negative=no)


def announced(case: Case, start: int, end: int, following: tuple[int, int] | None) -> Iterator[Claim]:
    """Yield what head phrases, choosing verbs, beliefs and corrections of the sentence introduce."""
    low = case.low
    if following and _HEAD_ONLY.fullmatch(low, start, end) and not asks(low[slice(*following)]):
        yield from _introduced(case, start, following[0], following[1], "head")
    for head in lexicon.HEAD.finditer(low, start, end):
        if _ANALYSED.search(low, max(start, head.start() - 40), head.start()):
            continue  # 'vou analisar as alternativas: ...'
        if low[head.end() : end].strip(" *\"'.:"):
            wrong = bool(head["wrong"] or head["wrong_one"]) and not case.question.negative
            no = bool(head["not"] or head["nt"]) != wrong
            yield from _introduced(case, head.start(), head.end(), end, "head", no)
    for verb in lexicon.CHOOSE.finditer(low, start, end):
        yield from _introduced(case, verb.start(), verb.end(), end, "choosing", bool(verb["not"]))
    yield from _believed(case, start, end)
    yield from _counted(case, start, end)
    for mark in _last(lexicon.CORRECT, low, start, end):
        yield from _corrected(case, mark, end, following)
    for exception in lexicon.EXCEPT.finditer(low, start, end):
        value = _set_apart(case, exception, end)
        if value:
            yield Claim(SURE, "verdict", value, exception.start(), value.end)


def _set_apart(case: Case, exception: re.Match[str], end: int) -> Value | None:
    """Return the option behind 'exceto'; where all the others are called right by it, and no wrong one is asked
    for, those."""
    value = value_at(case, exception.end(), end) or _only_mentioned(case, exception.end(), end)
    of_all = _OF_ALL.match(exception[0])
    wrong = value and (_CALLED_WRONG.search(exception[0]) or lexicon.WRONG_AFTER.match(case.low, value.end, end))
    if value is None or of_all is None or case.question.negative or wrong:
        return value
    if not _CALLED_RIGHT.fullmatch(of_all["between"]) or len(value.labels) != 1 or len(case.options.options) < 3:
        return None  # 'as demais começam aos 2 meses, exceto a tríplice'
    others = tuple(label for label in case.options.labels if label not in value.labels)
    return Value(others, False, value.kind, value.start, value.end)


def _only_mentioned(case: Case, start: int, end: int) -> Value | None:
    """Return the only option of which a telling word is said, where the question asks for the exception."""
    found = mentions(case, start, end) if case.question.negative and not case.options.polar else []
    one = len({m.label for m in found}) == 1
    return Value((found[0].label,), False, "text", found[0].start, found[0].end) if one else None


def _last(pattern: re.Pattern[str], low: str, start: int, end: int) -> list[re.Match[str]]:
    """Return the last few matches: in one sentence more of them are a loop, and each is looked at closely."""
    return list(pattern.finditer(low, start, end))[-8:]


def _introduced(case: Case, head: int, start: int, end: int, rule: str, negative: bool = False) -> Iterator[Claim]:
    """Yield the value at ``start``, else the only option named after it, else, behind a head word, a made-up text."""
    value = copied_whole(case, start) or truth_value(case, start) or value_at(case, start, end)
    if value is None:
        inside = [] if case.options.polar else list(case.named(start, end))
        if len({m.label for m in inside}) == 1:
            value = Value((inside[0].label,), False, "text", inside[0].start, inside[0].end)
        value = value or _bracketed(case, start, end)
    if value is not None:
        if value.kind == "letter" and rule == "choosing" and len(value.labels) == len(case.options.options) > 2:
            return  # 'assinale a alternativa correta (A, B, C ou D)'
        value = _with_items(case, value, head, end)
        if value.kind != "text" or not lexicon.WRONG_AFTER.match(case.low, value.end, end):
            yield Claim(SURE, rule, value, head, value.end, negative)
    elif rule == "head" and not negative and not case.options.polar and _has_meaning(case, start, end):
        yield Claim(MADE_UP, "invented-text", Value((), True, "text", start, end), head, end)


def _with_items(case: Case, value: Value, head: int, end: int) -> Value:
    """Return ``value`` with the items that follow it, where several are announced ('as corretas são: A) x; C) y')."""
    labels = list(value.labels)
    if not _PLURAL.search(case.low, head, value.start) or len(labels) != 1 or value.kind not in ("letter", "text"):
        return value
    stop = value.end
    for item in _NEXT_ITEM.finditer(case.low, end):
        if item.start() > max(end, stop) + 1:
            break
        named = value_at(case, item.start("body"), item.end("body"))
        if named is None or named.kind != value.kind or len(named.labels) != 1:
            break
        labels.append(named.labels[0])
        stop = item.end()
    return Value(tuple(dict.fromkeys(labels)), False, value.kind, value.start, stop)


def _bracketed(case: Case, start: int, end: int) -> Value | None:
    """Return the only letter that stands, marked as an option's, behind words of the writer's own."""
    named = [u.value for u in units_of(case, start, end) if u.value.kind == "letter" and u.value.dressed]
    return named[0] if len(named) == 1 and len(named[0].labels) == 1 else None


def _has_meaning(case: Case, start: int, end: int) -> bool:
    if _VAGUE.match(case.low, start, end):
        return False
    said = [t.key for t in case.between(start, end) if t.end <= end]
    return any(w not in lexicon.META and len(w) > 1 for w in said)


def _counted(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the options that 'duas:' announces ('Existem duas corretas: a segunda e a última')."""
    for mark in _TWO.finditer(case.low, start, end):
        value = None if _OUT.search(case.low, start, mark.end()) else value_at(case, mark.end(), end)
        if value and len(value.labels) == 2 and not lexicon.WRONG_AFTER.match(case.low, value.end, end):
            yield Claim(SURE, "head", value, mark.start(), value.end)


def _believed(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield what follows 'é' or, where it is no maybe of its own, 'talvez', 'acredito que' and the like."""
    polar = bool(case.options.polar)
    for rule, pattern in (("head", lexicon.IT_IS), ("choosing", lexicon.BELIEVE))[: 1 if polar else 2]:
        for hedge in pattern.finditer(case.low, start, end):
            if re.search(r"\bnao\b" + (r"|\b(?:pode|puede)\b" if polar else ""), hedge[0]):
                continue
            value = value_at(case, hedge.end(), end)
            if value and rule == "head" and _lists_numbers(case, value, end):
                continue  # 'são 31 os espinhais e 12 os cranianos'
            if value and rule == "head" and case.question.negative and _others_too(case, value, end):
                continue  # 'É autoimune, surge na infância e ...': what is true of it, not the exception
            if (
                value
                and value.kind in ("text", "number", "ordinal")
                and _UNLIKE.search(case.low, hedge.end(), value.start)
            ):
                continue  # 'it is not X', 'é improvável que seja X'
            if value and not lexicon.WRONG_AFTER.match(case.low, value.end, end):
                yield Claim(SURE, rule, value, hedge.start(), value.end)


def _lists_numbers(case: Case, value: Value, end: int) -> bool:
    """Tell whether a number is only the first of several that options have."""
    return case.low[value.start : value.end].isdigit() and _others_too(case, value, end)


def _others_too(case: Case, value: Value, end: int) -> bool:
    """Tell whether other options' texts follow in the sentence."""
    return value.kind == "text" and any(
        value.end <= m.start < end and m.label not in value.labels for m in case.matches
    )


def _corrected(case: Case, mark: re.Match[str], end: int, following: tuple[int, int] | None) -> Iterator[Claim]:
    """Yield the value that a self-correction puts in place of the earlier one."""
    skipped = _AFTER_CORRECTION.match(case.low, mark.end(), end)
    places = [(mark.end(), end)]
    if skipped:
        places.append((skipped.end(), end))
    if following and not case.low[mark.end() : end].strip(" .,:!"):
        places.append(following)
    for place, limit in places:
        value = value_at(case, _past(case.low, place, limit, " ,.:;!-"), limit)
        if value and not lexicon.WRONG_AFTER.match(case.low, value.end, limit):
            yield Claim(SURE, "correction", value, mark.start(), value.end)
            return


def _past(low: str, start: int, end: int, signs: str) -> int:
    """Return the first position from ``start`` on that holds none of ``signs``."""
    while start < end and low[start] in signs:
        start += 1
    return start


def _decided(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the option that alone closes a sentence which weighs others: 'entre a primeira e a segunda, a segunda'."""
    border = max(case.low.rfind(sign, start, end) for sign in ",:;-")
    value = value_at(case, border + 1, end) if border > start else None
    if value is None or len(value.labels) != 1 or value.kind not in ("letter", "ordinal", "text"):
        return
    around = case.low[border + 1 : value.start] + case.low[value.end : end]
    if not around.strip(" .!)*"):
        yield Claim(SURE, "conclusion", value, border + 1, value.end)


def _pointed_back(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the option last named, where a pronoun takes it up ('logo, esta última', 'é ele a exceção')."""
    for mark in () if case.options.polar else _POINTS_BACK.finditer(case.low, start, end):
        before = case.named_before(mark.start())
        if before and (case.question.negative or not mark["exception"]):
            value = Value((before.label,), False, "text", before.start, mark.end())
            yield Claim(SURE, "conclusion", value, mark.start(), mark.end())


def _none_at_last(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield 'nenhuma das anteriores' where it is a clause of its own ('o texto não diz; nenhuma das anteriores')."""
    for found in () if case.options.polar else NONE_OF_THEM.finditer(case.low, start, end):
        before = case.low[start : found.start()].rstrip()
        if before and before[-1] in ";:,-" and not case.low[found.end() : end].strip(" .!)*"):
            value = none_or_all(case, found.start(), end)
            if value and not case.question.negative:
                yield Claim(SURE, "conclusion", value, found.start(), found.end())


def _equated(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the option that the question's own words are put equal to ('Mão caída = radial')."""
    if case.options.polar or case.question.negative:
        return
    for sign in _EQUALS.finditer(case.low, start, end):
        left = tokens(sign[1])
        known = bool(left) and all(any(same_word(t.key, k) for k in case.question.keys) for t in left)
        pause = _PAUSE.search(case.low, sign.end(), end)
        value = value_at(case, sign.end(), pause.start() if pause else end) if known else None
        if value and value.kind == "text" and not denied(case, value.start, value.end, start, end):
            yield Claim(CONCLUDED, "restated", value, sign.start(1), value.end)


def concluded(case: Case, start: int, end: int) -> Iterator[Claim]:
    """Yield the option that a concluding word leads to, or that completes what the question asks for."""
    begin = after_asked_noun(case, start, end)
    value = value_at(case, begin, end) if begin is not None and not case.options.polar else None
    named = value is not None and (value.kind == "text" or len(value.name) == 1)
    if value and named and not denied(case, value.start, value.end, start, end):
        rank = SURE if value.kind == "letter" else CONCLUDED
        yield Claim(rank, "restated", value, start, value.end)
    yield from _equated(case, start, end)
    yield from _pointed_back(case, start, end)
    yield from _none_at_last(case, start, end)
    closing = _CLOSING_LETTER.search(case.text, start, end)
    value = value_at(case, closing.start(1), end) if closing else None
    if value and value.kind == "letter" and not denied(case, value.start, value.end, start, end):
        yield Claim(SURE, "conclusion", value, value.start, value.end)
    if not case.options.polar and _WEIGHED.search(case.low, start, end):
        yield from _decided(case, start, end)
    for mark in _last(lexicon.CONCLUDE, case.low, start, end):
        if case.question.negative and _DESCRIBES.match(mark[0]):
            continue  # 'é caracterizada por ...' names what is no exception
        begin = _past(case.low, mark.end(), end, " ,:")
        given = _GIVEN.match(case.low, begin, end)
        begin = _past(case.low, given.end(), end, " ") if given else begin
        value = value_at(case, begin, end)
        if value is None:
            later = [m for m in case.named(begin, end) if not denied(case, m.start, m.end, start, end)]
            if len({m.label for m in later}) == 1:
                value = Value((later[0].label,), False, "text", later[0].start, later[0].end)
        said_no = _DENIED_BEFORE.search(case.low, max(start, mark.start() - 20), mark.start())
        if value and value.kind == "text" and (said_no or _UNLIKE.search(case.low, begin, value.start)):
            continue  # 'not consistent with X', 'this is not a case of X'
        if value and not denied(case, value.start, value.end, start, end):
            rank = SURE if value.kind in ("letter", "ordinal", "polar") else CONCLUDED
            yield Claim(rank, "conclusion", value, mark.start(), value.end)
