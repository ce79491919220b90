"""The last look at a reply that announces nothing: which options its clauses speak for, against or merely about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchctl.answers.asked import shared_words
from benchctl.answers.claim import denied
from benchctl.answers.lexicon import META
from benchctl.answers.matching import meant_word
from benchctl.answers.options import Option
from benchctl.answers.phrases import any_of
from benchctl.answers.sentences import asks, breaks_off
from benchctl.answers.synonyms import is_verb
from benchctl.answers.values import Case, Value
from benchctl.answers.words import NEGATIONS, Token, derived, same_word, weight, word_set

FOR, ABOUT, AGAINST = 1, 0, -1

_BORDER = re.compile(
    r"[;:,()]|\.\.\.|\s-\s|\b(?:mas|porem|contudo|todavia|entretanto|enquanto|embora|ja(?=\s+[ao]s?\s)|"
    r"ao\s+passo\s+que|but|"
    r"whereas|while|pero|mientras|e(?=\s+(?:a|o|as|os)\s)|and(?=\s+the\s)|y(?=\s+(?:el|la|los|las)\s))\b"
)
_AGAINST = re.compile(
    r"\b(?:"
    + any_of(
        """nao / nem / nunca / jamais / tampouco / sem / not / never / cannot / isn't / doesn't / don't / no
            (es|puede|se|hay) / ni / sin /
        incorret\\w+ / errad[ao]s? / fals[ao]s? / improvave\\w+ / descart\\w+ / exclu\\w+ / afast\\w+ / elimin\\w+ /
        contraindicad\\w+ / unlikely / inadequad\\w+ / inutil / inuteis / ineficaz\\w*"""
    )
    + r")\b"
)
_ASIDE = re.compile(
    r"\b(?:"
    + any_of(
        """embora / apesar / ainda que / mesmo que / diferente(mente)? / ao contrario / em vez / seguid[ao]s? / depois /
        em seguida / posteriormente / adjuvantes? / (em )?segundo plano / antes d[aeo]s? / antes que / apos / so
        (se|depois|quando|alivia\\w*|
        ajuda\\w*|serve\\w*|trata\\w*) / apenas (alivia\\w*|ajuda\\w*|serve\\w*|trata\\w*) / although / though /
        unlike /
        instead / rather than / followed / would / could / might / before / after / aunque / despues / antes de"""
    )
    + r")\b"
)
_SUPPOSED = re.compile(
    r"\s*(?:\w+\s+){0,2}?"
    + any_of(
        "seria(m)? / daria(m)? / causaria(m)? / teria(m)? / poderia(m)? / faria(m)? / haveria / cursaria(m)? / "
        "baixaria(m)? / aumentaria(m)? / levaria(m)? / apresentaria(m)? / usaria(m)? / esperaria(m)? / explicaria(m)?"
    )
    + r"\b"
)
_TURNED = re.compile(rf"(?:{any_of('enquanto / embora / ja / ao passo que / whereas / while / mientras')})\s*\Z")
_FIRST = re.compile(
    r"\b(?:"
    + any_of(
        """primeir[ao]( lugar| passo| medida)? / inicialmente / antes de (tudo|mais nada|qualquer outra coisa) / de
            imediato /
        imediatamente / comec(a|am|ar|e|o|aria|amos)(-se)? / inici(a|ar|e|o|aria)(-se)? / first( of all)? /
        start(s|ing)? /
        primero / prioridade / em primeira linha"""
    )
    + r")\b"
)
_LEADS = re.compile(
    r"(?:"
    + any_of(
        """é / sao / foi / sera / (continua|segue|costuma|vem a|passa a|deve|so pode|pode) (sendo|ser) / chama-se /
            fica / ficam / is / are / es / son / eh / \\w{3,}-se( (por|com|pel[ao]|de))? / se (usa|faz|da|administra|
        indica|chama|trata) / uso / dou / daria / faria / usaria / prescrevo / indico / prescreveria / indicaria /
        pensaria( primeiro)? em /
        penso em / pensar em / apoia / apoiam / favorece / fala(m)? a favor d[aeo] / fecha( o diagnostico)? d[aeo]
        / diagnostico d[aeo] /
        classic[ao] d[aeo] / tipic[ao] d[aeo] / proprio d[aeo] / caracteristic[ao] d[aeo] / coisa d[aeo] /
        responsavel (é|sao) / quadro d[aeo] / deve-se a[o]? /
        repoe-se / olham para( [ao])? / so (pode|poderia) ser"""
    )
    + r")\s+(?:(?:a|o|as|os|um|uma|the|el|la|de|da|do|com|por|pela|pelo|parede|nervo|doenca|primeiro|realizar|"
    r"fazer|dar|aplicar)\s+){0,4}\Z"
)
_VERBS = word_set(
    """deve devem deveria pode podem tem age atua serve servem causa causam explica explicam protege protegem reduz
        reduzem
    aumenta aumentam diminui ajuda alivia trata usa faz fazem da dao ocorre continua permanece responde corresponde
    salva resolve produz libera inerva apresenta cursa acomete forma degrada degradou evita previne compromete entra
    costuma precisa vai vem associada associado should must can has does acts explains causes reduces treats
    sempre nunca tambem ainda apenas porque pois quando deve-se im iv vo ev sc primeiro logo agora imediatamente
    associa mesmo claro sim entao portanto logo assim ja uso usar fala sobre fez causa culpa conta machucou"""
)
NEW_CLAUSE = re.compile(r"\be\s+[ao]s?\s+\Z")
"""Before an option's text at the end of a reply: a text cut there has only begun to speak of the option."""
_CARRIERS = word_set(
    "situacao caso quadro estado condicao processo sinal sinais momento exemplo questao tipo forma casos ideia"
)
_TOUCHES = re.compile(r"\s+(?:(?:d[aeo]s?|of|del|por)\s+){0,2}")
_WITHIN = re.compile(r"\b(?:n[ao]s?|em|d[aeo]s?|com|para|in|of|en|del?)\s+(?:\w+\s)?\Z")
_JOINED = re.compile(
    r"\s*(?:,|/|\+)?\s*(?:\b(?:e|ou|and|or|y|mais|com|associad[ao]s?\s+a[os]?|and/or|e/ou)\b)?\s*(?:\b(?:[ao]s?|"
    r"the|el|la)\b\s*)?"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """An option named at a place, whole or by a word that is its own, and how the clause stands to it."""

    label: str
    start: int
    end: int
    stance: int
    whole: bool  # by its text rather than by one word
    leading: bool  # whether the clause leads up to it ('faz-se', 'é o', 'primeiro')


def mentions(case: Case, start: int, end: int) -> list[Mention]:
    """Return the options that the sentence from ``start`` to ``end`` names, even by one word of their own."""
    spans = [(m.label, m.start, m.end) for m in case.matches if start <= m.start and m.end <= end]
    taken = [(s, e) for _, s, e in spans]
    words = [t for t in case.words if start <= t.start and t.end <= end]
    for index, token in enumerate(words):
        if any(s <= token.start < e for s, e in taken):
            continue
        before = words[index - 1] if index else None
        label = _owner(case, token, before, words[index + 1 :])
        if label is not None:
            spans.append((label, token.start, token.end))
    found = [
        _judged(case, label, s, e, start, end, (s, e) in taken)
        for label, s, e in sorted(spans, key=lambda span: span[1])
    ]
    for index in range(1, len(found)):  # joined options are meant alike
        if _JOINED.fullmatch(case.low, found[index - 1].end, found[index].start):
            found[index] = replace(found[index], stance=found[index - 1].stance, leading=found[index - 1].leading)
    return found


def _owner(case: Case, token: Token, before: Token | None, rest: Sequence[Token]) -> str | None:
    """Return the one option of which the word is a telling part, unless it begins another name."""
    asked = case.question.focus if case.question.why else case.question.keys
    if len(token.key) < 4 or weight(token.key) < 1 or any(same_word(token.key, k) for k in asked):
        return None
    owners = [(o, w) for o in case.options.options if o.roman is None and (w := _own_word(case, o, token.key))]
    if len(owners) != 1:
        return None
    option, word = owners[0]
    if option.negated or (word != _head(option) and before and _named_by(case, before, token)):
        return None
    for following in rest:
        if not any(same_word(following.key, w) for w in option.words):
            return None if _other_name(case, option, token, following) else option.label
        token = following
    return option.label


def _own_word(case: Case, option: Option, key: str) -> str | None:
    word = meant_word(option, key, case.options.known)
    if word is None:
        word = next((w for w in option.unique if derived(w, key)), None)
    return word if word in option.unique and weight(word) == 1 else None


def _head(option: Option) -> str | None:
    """Return the word that names the thing: 'pancreatite aguda' is no 'apendicite aguda'."""
    return next((w for w in option.words if weight(w) == 1), None)


def _named_by(case: Case, before: Token, token: Token) -> bool:
    """Tell whether the word before is the noun that this one only qualifies ('pancreatite aguda')."""
    verb = before.key in _VERBS or is_verb(before.key) or before.key.endswith("mente") or before.key in META
    return (
        not verb and before.key not in _CARRIERS and _TOUCHES.fullmatch(case.low, before.end, token.start) is not None
    )


def _other_name(case: Case, option: Option, token: Token, following: Token) -> bool:
    """Tell whether the next word makes it the name of something else ('tireoidite subaguda')."""
    if not _TOUCHES.fullmatch(case.low, token.end, following.start):
        return False
    key = following.key
    if token.key.endswith(("ar", "er", "ir")):
        return False  # a verb and its object
    known = (
        key in (*_VERBS, *NEGATIONS, "via", "dose")
        or key.endswith("mente")
        or any(same_word(key, k) for k in case.question.keys)
    )
    return not known and not any(same_word(key, w) or w.startswith(key[:4]) for w in option.words)


def _judged(case: Case, label: str, start: int, end: int, low: int, high: int, whole: bool) -> Mention:
    first, last = low, high
    turned = False
    for border in _BORDER.finditer(case.low, low, high):
        if border.end() <= start:
            first, turned = border.end(), _TURNED.fullmatch(border[0]) is not None
        elif border.start() >= end:
            last = border.start()
            break
    before, after = case.low[first:start], case.low[end:last]
    leading = bool(_LEADS.search(before) or _FIRST.search(before) or _FIRST.search(after))
    if denied(case, start, end, low, high) or _AGAINST.search(before) or _AGAINST.search(after[:40]):
        stance = AGAINST
    elif (
        turned
        or (not whole and not leading and _WITHIN.search(before))
        or (
            (_ASIDE.search(before) or _ASIDE.match(after.lstrip()) or _SUPPOSED.match(after))
            and not _FIRST.search(before)
        )
    ):
        stance = ABOUT
    else:
        stance = FOR
    return Mention(label, start, end, stance, whole, leading and stance == FOR)


def weighed(case: Case, sentences: Sequence[tuple[int, int]], rejected: set[str]) -> Value | None:
    """Return the one option that the reply speaks for, or None where that is not plain.

    One option must be spoken for and no other, or one alone must be led up to ('a droga que salva é a adrenalina')
    in a sentence that names no other in the same way. ``rejected`` are options rejected by letter. A reply that
    breaks off, or asks, is left alone.
    """
    if case.options.polar:
        return None
    copied = [(s, e) for s, e in sentences if case.question.copied(case.low[s:e])]
    if copied and not set(sentences) - set(copied):
        return None
    told = [(s, e) for s, e in sentences if not asks(case.low[s:e])]
    named = [m for s, e in told for m in mentions(case, s, e)]
    if not named or len(told) < len(sentences) or len(told) > 8:
        return None
    closed = named[-1].leading and not case.low[named[-1].end :].strip()
    if (len(sentences) > 1 or len({m.label for m in named}) > 1) and not closed and breaks_off(case.low):
        return None
    if (
        NEW_CLAUSE.search(case.low, 0, named[-1].start)
        and breaks_off(case.low)
        and not case.low[named[-1].end :].strip()
    ):
        return None
    if case.question.negative:
        return _stands_out(case, told, named)
    found = [m for m in named if m.stance == FOR]
    out = rejected | {m.label for m in named if m.stance == AGAINST}
    standing = [m for m in found if m.label not in out]
    labels = {m.label for m in standing}
    if len(labels) > 1:
        standing = [m for m in standing if m.leading]
        labels = {m.label for m in standing}
    if len(labels) != 1:
        beside = _beside_question(case, [m for m in found if m.label not in out], told)
        return _text(beside[-1]) if beside and not labels else None
    others = {m.label for m in named} - labels - out
    if (others or len(told) > 1) and not _answers(case, standing[-1], told):
        return None
    return _text(standing[-1])


def _answers(case: Case, mention: Mention, told: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a mention among several sentences answers: led up to, or beside the words that ask."""
    start, end = next((s, e) for s, e in told if s <= mention.start < e)
    said = [t.key for t in case.words if start <= t.start < end and not mention.start <= t.start < mention.end]
    return mention.leading or len(shared_words(case.question.focus, said)) >= 2


def _beside_question(case: Case, standing: Sequence[Mention], told: Sequence[tuple[int, int]]) -> list[Mention]:
    """Return, of several options, the one in whose clause alone words of the question stand ('na hemofilia A falta
    o VIII; ...')."""
    beside: list[Mention] = []
    for mention in standing:
        low, high = next((s, e) for s, e in told if s <= mention.start < e)
        first, last = low, high
        for border in _BORDER.finditer(case.low, low, high):
            first = border.end() if border.end() <= mention.start else first
            last = border.start() if border.start() >= mention.end and last == high else last
        said = [t.key for t in case.words if first <= t.start < last and not mention.start <= t.start < mention.end]
        if shared_words(case.question.focus, said) or set(said) & {w for w in case.question.keys if "+" in w}:
            beside.append(mention)
    return beside if len({m.label for m in beside}) == 1 else []


def _stands_out(case: Case, told: Sequence[tuple[int, int]], named: Sequence[Mention]) -> Value | None:
    """Return the option set apart where the question asks for the wrong one: alone denied, or alone left over."""
    denied_ones = {m.label for m in named if m.stance == AGAINST}
    if len(denied_ones) == 1:
        return _text(next(m for m in reversed(named) if m.label in denied_ones and m.stance == AGAINST))
    start, end = told[-1]
    last = [m for m in named if start <= m.start < end]
    earlier = {m.label for m in named if m.start < start}
    alone = {m.label for m in last} - earlier
    if len(alone) == 1 and len(earlier) == len(case.options.options) - 1 and len(last) == 1:
        return _text(last[0])
    return _text(named[0]) if len({m.label for m in named}) == 1 and len(told) == 1 and not denied_ones else None


def _text(mention: Mention) -> Value:
    return Value((mention.label,), False, "text", mention.start, mention.end)
