"""Options named in a sentence, even by one word of their own, and whether their clause speaks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchctl.answers.claim import denied
from benchctl.answers.lexicon import META
from benchctl.answers.matching import meant_word
from benchctl.answers.options import Option
from benchctl.answers.phrases import any_of
from benchctl.answers.synonyms import is_verb
from benchctl.answers.values import Case
from benchctl.answers.words import NEGATIONS, Token, derived, disease_of, same_word, tokens, weight, word_set

FOR, ABOUT, AGAINST = 1, 0, -1

BORDER = re.compile(
    r"[;:,()]|\.\.\.|\s-\s|\b(?:mas|porem|contudo|todavia|entretanto|enquanto|embora|ja(?=\s+[ao]s?\s)|"
    r"ao\s+passo\s+que|but|"
    r"whereas|while|pero|mientras|e(?=\s+(?:a|o|as|os)\s)|and(?=\s+the\s)|y(?=\s+(?:el|la|los|las)\s))\b"
)
_AGAINST = re.compile(
    r"\b(?:"
    + any_of(
        """nao / nada d[aeo] / muito menos / nem / nunca / jamais / tampouco / sem / not / never / cannot /
        isn't / doesn't / don't /
        no
            (es|puede|se|hay) / ni / sin /
        incorret\\w+ / errad[ao]s? / fals[ao]s? / improvave\\w+ / descart\\w+ / exclu\\w+ / afast\\w+ / elimin\\w+ /
        contraindicad\\w+ / unlikely / inadequad\\w+ / inutil / inuteis / ineficaz\\w*"""
    )
    + r")\b"
)
_ASIDE = re.compile(
    r"\b(?:"
    + any_of(
        """embora / apesar / ainda que / mesmo que / diferente(mente)? / ao contrario / em vez / seguid[ao]s? /
        depois(?! de (\\w+ )?(dias|semanas|horas|meses|anos|minutos)) /
        em seguida / posteriormente / adjuvantes? / fica(m)? (reservad\\w+ )?para / reservad[ao]s? / (em
        )?segundo plano / antes d[aeo]s? / antes que / apos / so
        (se|depois|quando|alivia\\w*|
        ajuda\\w*|serve\\w*|trata\\w*) / apenas (alivia\\w*|ajuda\\w*|serve\\w*|trata\\w*) / although / though /
        unlike /
        instead / rather than / followed / would / could / might / before / after / aunque / despues"""
    )
    + r")\b"
)
_SUPPOSED = re.compile(
    r"\s*(?:\w+\s+){0,2}?"
    + any_of(
        "seria(m)? / daria(m)? / causaria(m)? / teria(m)? / poderia(m)? / faria(m)? / haveria / cursaria(m)? / "
        "would (be|have|cause|suggest|need) / baixaria(m)? / aumentaria(m)? / levaria(m)? / apresentaria(m)? / "
        "usaria(m)? / esperaria(m)? / explicaria(m)?"
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
        """é / sao / foi / sera / (continua|segue|costuma|vem a|passa a|deve|so pode|pode) (a )?(sendo|ser) /
            fica / ficam / is / are / es / son / eh / \\w{3,}-se( (por|com|pel[ao]|de))? / se (usa|faz|da|administra|
        indica|chama|trata) / uso / dou / daria / faria / usaria / prescrevo / indico / prescreveria / indicaria /
        pensaria( primeiro)? em /
        penso em / pensar em / apoia / apoiam / favorece / fala(m)? a favor d[aeo] / fecha( o diagnostico)? d[aeo]
        / diagnostico d[aeo] /
        classic[ao] d[aeo] / tipic[ao] d[aeo] / proprio d[aeo] / caracteristic[ao] d[aeo] / coisa d[aeo] /
        responsavel (é|sao) / quadro d[aeo] / deve-se a[o]? /
        olham para( [ao])? / so (pode|poderia) ser"""
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
    sempre nunca tambem ainda apenas porque pois quando im iv vo ev sc primeiro agora imediatamente
    associa mesmo claro sim entao portanto logo assim ja uso usar fala sobre fez culpa conta machucou acima
    abaixo maior maiores menor superior inferior define
    caracteriza sugere indica confirma mostra leva provoca gera quebra corre passa transporta carrega dispara rompe
    prepara mantem segura alto alta altos altas elevado elevada elevados elevadas aumentado aumentada aumentados
    aumentadas baixo baixa baixos baixas reduzido reduzida positivo positiva presente presentes"""
)
NO_AFTER = re.compile(r"\s*(?:\.{2,}|-)\s*(?:nao|no)\s*[,.!;]")
"""After an option that is taken back at once ('o deltoide... não, ele age depois')."""
BELONGS = re.compile(r"\s+(?:é|sao)\s+[ao]s?\s+d[aeo]s?\b")
"""After an option that is told to be something else's ('a trissomia do 18 é a de Edwards')."""
_CODE = re.compile(r"\s*[(\[]\s*[a-l]\s*[)\]]")  # the letter behind an option's text
_NOT_FOR = re.compile(
    r",\s*(?:(?:e|mas|and|but)\s+)?(?:(?:it\s+is|is)\s+)?(?:neither|(?:not|nao)\s+(?:for|in|to|para|n[ao]s?|em|é\s+(?:[ao]|"
    r"adequad|indicad)|the\s+(?:most|best|first)|necessary|needed))\b"
)
_HERE = re.compile(
    r"\b(?:aqui|here|n[ea]ss[ea]\s+(?:caso|situacao|quadro)|neste\s+(?:caso|quadro)|in\s+this\s+case|aca)\b"
)
_LIST_BEFORE = re.compile(
    r"(?:\w,\s*(?:[ao]s?\s+)?[\w-]+(?:\s[\w-]+)?|\d\s*,\s*\d+)\s+(?:e|and|y|ou|or)\s+(?:[ao]s?\s+)?\Z"
)
_ITEM_BEFORE = re.compile(r"\w\s*,\s*(?:[ao]s?\s+)?\Z")
_ITEM_AFTER = re.compile(r"\s*(?:,\s*[\w-]+(?:\s[\w-]+)?\s+)?(?:e|and|y|ou|or)\s+(?:[ao]s?\s+)?[\w-]+")
_EMPTY = word_set(
    "causada causado causadas causados tratada tratado tratadas tratados feita feito usada usado ocorre acontece"
)
_QUALIFIERS = word_set(
    """normal normais cronico cronica chronic agudo aguda acute grave severe alto alta baixo baixa high low visto vista
    seen"""
)
_COPULAS = word_set("é e foi era estava esteve ficou tinha is was were sao foram eram estavam tinham es fue")
_CARRIERS = word_set(
    """pico aumento excesso falta deficiencia carencia nivel efeito situacao caso quadro estado condicao processo sinal
    sinais momento exemplo questao tipo forma casos ideia"""
)
_CARRIED = re.compile(r"\b(?:pico|aumento|excesso|queda|falta|deficiencia|carencia|ausencia)\s+d[aeo]\s+\Z")
_TOUCHES = re.compile(r"\s+(?:(?:d[aeo]s?|of|del)\s+){0,2}")
_WITHIN = re.compile(r"\b(?:n[ao]s?|em|d[aeo]s?|com|para|in|of|en|del?)\s+(?:\w+\s)?\Z")
_JOINED = re.compile(
    r"\s*(?:,|/|\+)?\s*(?:\b(?:e|ou|and|or|y|nem|nor|ni|mais|com|associad[ao]s?\s+a[os]?|and/or|e/ou)\b)?\s*"
    r"(?:\b(?:de|da|do|com|por)\b\s*)?(?:\b(?:[ao]s?|the|el|la)\b\s*)?"
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
    spans = [(m.label, m.start, m.end) for m in case.named(start, end)]
    taken = [(s, e) for _, s, e in spans]
    words = [t for t in case.between(start, end) if t.end <= end]
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
        apposed = (
            found[index].label == found[index - 1].label
            and case.low[found[index - 1].end : found[index].start].strip() == "("
        )  # 'tiamina (B1)'
        if apposed or _JOINED.fullmatch(case.low, found[index - 1].end, found[index].start):
            found[index] = replace(found[index], stance=found[index - 1].stance, leading=found[index - 1].leading)
    return found


def joined(case: Case, one: Mention, other: Mention) -> bool:
    """Tell whether only a comma, 'e' or the like stands between the two."""
    return _JOINED.fullmatch(case.low, one.end, other.start) is not None


def _owner(case: Case, token: Token, before: Token | None, rest: Sequence[Token]) -> str | None:
    """Return the one option of which the word is a telling part, unless it begins another name."""
    asked = case.question.focus if case.question.why else case.question.keys
    named = case.text[token.start : token.end].isupper() and len(token.key) > 1
    if (len(token.key) < 4 and not named) or weight(token.key) < 1 or any(same_word(token.key, k) for k in asked):
        return None
    owners = [(o, w) for o in case.options.options if o.roman is None and (w := _own_word(case, o, token.key))]
    if len(owners) != 1:
        return None
    option, word = owners[0]
    if len(token.key) < 4 and len(option.words) > 3:
        return None
    light = word in _QUALIFIERS or word in _CARRIERS  # 'cada caso é um caso' names no case-control study
    if word in _EMPTY or (light and len(option.words) > 1) or subject_of(option, word):
        return None
    if option.negated or (word != _head(option) and before and _named_by(case, before, token)):
        return None
    germ = disease_of(word, token.key) if word else False  # its species may follow ('Trichomonas vaginalis')
    for following in rest:
        if germ or not any(same_word(following.key, w) for w in option.words):
            return None if not germ and _other_name(case, option, token, following) else option.label
        token = following
    return option.label


def _own_word(case: Case, option: Option, key: str) -> str | None:
    word = meant_word(option, key, case.options.known)
    own = [w for w in option.words if w in option.unique]
    if word is None:
        word = next((w for w in own if derived(w, key)), None)
    if word is None and len(key) > 4:  # 'amoxi'
        word = next((w for w in own if w.startswith(key) and len(w) > len(key) + 2), None)
    return word if word in option.unique and weight(word) == 1 else None


def subject_of(option: Option, word: str) -> bool:
    """Tell whether the word only is what the option speaks of: 'a chávena' in 'porque a chávena estava rachada'."""
    said = re.findall(r"\w+", option.low)
    at = said.index(word) if word in said else -1
    return 0 <= at < len(said) - 2 and said[at + 1] in _COPULAS


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
    code = _CODE.match(case.low, end, high)
    stop = code.end() if code else end
    for border in BORDER.finditer(case.low, low, high):
        if border.end() <= start:
            first, turned = border.end(), _TURNED.fullmatch(border[0]) is not None
        elif border.start() >= stop:
            last = border.start()
            break
    before, after = case.low[first:start], case.low[stop:last]
    limit = next((m.start for m in case.matches if stop <= m.start < high and m.label != label), high)
    turned = turned and not (case.low[:first].endswith("ja") and _on_topic(case, before))
    leading = bool(_LEADS.search(before) or _HERE.search(before) or _FIRST.search(before) or _FIRST.search(after))
    if (
        denied(case, start, end, low, high)
        or _AGAINST.search(before)
        or _AGAINST.search(after[:40])
        or _NOT_FOR.search(case.low, stop, limit)
        or NO_AFTER.match(case.low, stop)
    ):
        stance = AGAINST
    elif (
        turned
        or BELONGS.match(case.low, stop)
        or (not whole and not leading and _WITHIN.search(before) and not _CARRIED.search(before))
        or (
            (_ASIDE.search(before) or _ASIDE.match(after.lstrip()) or _SUPPOSED.match(after))
            and not _FIRST.search(before)
        )
    ):
        stance = ABOUT
    else:
        stance = FOR
    return Mention(label, start, end, stance, whole, leading and stance == FOR)


def _on_topic(case: Case, before: str) -> bool:
    """Tell whether a clause that turns away turns to what is asked about ('já o beribéri vem da falta de B1')."""
    said = tokens(before)
    return bool(said) and any(same_word(said[0].key, f) for f in case.question.focus)


def one_of_list(case: Case, start: int, end: int) -> bool:
    """Tell whether the text is one item among others that are no options ('células vermelhas, brancas e plaquetas')."""
    before, after = case.low[max(0, start - 60) : start], case.low[end : end + 60]
    return _LIST_BEFORE.search(before) is not None or (
        _ITEM_BEFORE.search(before) is not None and _ITEM_AFTER.match(after) is not None
    )
