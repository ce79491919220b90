"""Answers that no option has: a name, a dose, an event, the question completed with other words."""

from __future__ import annotations

import re

from benchctl.answers.asked import after_asked_noun, shared_words
from benchctl.answers.lexicon import META
from benchctl.answers.mentions import mentions, subject_of
from benchctl.answers.numerals import other_number
from benchctl.answers.sentences import asks, babbles, breaks_off, loops
from benchctl.answers.units import units_of
from benchctl.answers.values import Case, Value
from benchctl.answers.words import NEGATIONS, STOP, Token, same_word, tokens

_IS_CALLED = re.compile(r"\W*(?:o|a)\s+(?P<head>\w{4,})\s+d[aeo]s?\s+[^.,;:]{2,40}?\s+(?:é|seria|foi)\s+(?:a|o)\s")
_OTHER_KIND = re.compile(
    r"\W*(?:(?:isso|este|esse)\s+)?(?:trata-se\s+de|é\s+um\s+(?:caso|quadro)\s+de|o\s+quadro\s+é)\b"
)
_ASKS_FOR_ACT = r"\b(?:droga|conduta|tratamento|exame|medida|farmaco|medicamento|antidoto|medicacao|vacina)\b"
_IS_A = re.compile(
    r"\W*(?:o|a|os|as)\s+(?P<subject>[^.,;:]{3,40}?)\s+(?:é|sao|foi)\s+(?:um|uma|uns|umas)\s+(?P<noun>\w+)"
)
_NOT_LISTED = re.compile(
    r"\bnao\s+(?:esta|estao|consta|constam|aparece|aparecem|figura|figuram|foi|"
    r"se\s+encontra)\s+(?:\w+\s+)?(?:na\s+lista|entre|nas\s+(?:opcoes|alternativas)|listad|"
    r"contemplad|n[ao]s?\s+(?:opcoes|alternativas|enunciado)|oferecid|em\s+nenhuma)"
)
_DOSED = re.compile(
    r"\W*(?P<name>[a-z-]{5,}(?:\s+(?:de\s+)?[a-z-]{4,})?)\s*,?\s+(?:em\s+(?:dose|bolus|infusao|gotas)|por\s+via|"
    r"(?:via\s+)?(?:oral|endovenos|intravenos|intramuscular|"
    r"subcutane|ev\b|iv\b|im\b|vo\b|sc\b)|\d+(?:[.,]\d+)?\s*(?:mg|g|mcg|ml|ui|u|%|milh))"
)
_HAS = (
    r"(?:o|a)\s+(?:paciente|doente|crianca|homem|mulher|menino|menina|jovem|bebe|caso|quadro|idoso|idosa|gestante)\s+"
    r"(?:tem|apresenta|sofre\s+de|esta\s+com|é\s+de|tem\s+e)|o\s+(?:diagnostico|agente|tratamento|exame)\s+(?:é|seria)"
)
_FINDING = re.compile(
    r"\b(?:sinais|sinal|sintoma|quadro|febre|dor|histori|fator|risco|alterac|problema|doenca\b(?!\s+de)|algo|"
    r"alguma|todos|todas|criterio|indicac|necessidade|que)"
)
_SURELY = re.compile(
    rf"\W*(?:(?P<has>{_HAS})(?:\s+(?:o|a|um|uma))?\s+(?P<had>[^.,;:!?()\n]{{3,40}}?)\s*(?=[.!]\s*\Z|\Z)|"
    rf"(?:(?:sem\s+(?:sombra\s+de\s+)?duvidas?|com\s+(?:toda\s+a?\s*)?certeza|certamente|definitivamente|claramente|"
    r"obviamente|seguramente|sin\s+duda|no\s+doubt|surely|definitely|certainly|clearly)\s*,?\s+(?:é|e|it's|"
    r"it\s+is|es|foi|seria)"
    r")\s+(?:o|a|os|as|the|el|la)\s+(?!mais\b|menos\b|most\b|mas\b|que\b|unic|melhor|pior|primeir|segund|ultim|"
    r"mesm|caso\b|quadro\b)"
    r"(?P<name>[^.,;:!?()\n]{3,60}?)\s*(?=[.,;!(\n]|\Z))"
)
_TALKS = re.compile(
    r"\b(?:escolha\s+a|assinale|justifique|leia|marque\s+a|selecione|vou|vamos|iremos|irei|preciso|precisamos|"
    r"precisaria|analis\w+|avaliar|avaliando|pensar|pensando|considerar|i\s+will|"
    r"i'll|i\s+am\s+going|evaluat\w+|i'm\s+going|let\s+me|let's|let\s+us|i\s+need|we\s+need|voy\s+a|vamos\s+a|"
    r"necesito|posso\s+ajudar|raciocinio|reasoning|a\s+(?:questao|pergunta)|"
    r"the\s+question|la\s+pregunta|enunciado|(?:é|e)\s+(?:preciso|necessario|importante|fundamental|recomendavel)|"
    r"trata-se\s+de\s+uma?\s+(?:paciente|caso|quadro|homem|mulher|crianca|questao|pergunta|jovem)|hu?m+|(?:nao|"
    r"no)\s+(?:sei|se)|nao\s+(?:faco|tenho)\s+(?:\w+\s+)?(?:ideia|certeza)|"
    r"ainda|obrigad[ao]|desculp\w+|por\s+favor|please)\b"
)
_STATES = re.compile(
    r"\b(?:fica|ficam|pertence\w*|significa|refere|trata(?!-)|produz\w*|serve\w*|acontece\w*|ocorre\w*|vem|deve|"
    r"devem|pode|podem|tem|ter|apresenta|esta|estao|foi|foram|precisa|vai|ha|existe\w*|sera|recomend\w+|"
    r"consult\w+|procur\w+|should|must|can|may|has|have|is|are|was|will|needs|debe|puede|tiene|esta|hay|vamos|é|"
    r"sao|es|son)\b"
)
_DEPENDS = re.compile(r"\W*(?:isso\s+)?(?:it\s+|vai\s+)?depend")
_INFINITIVE = re.compile(r"\W*\w{3,}(?:ar|er|ir)\s+(?:[ao]s?|ao|para|com|por|se|um|uma|em|d[aeo])\b")
_APPENDED = re.compile(
    r",\s*(?:(?:d[aeo]s?|com|por|para|n[ao]s?)\s+)?(?:cuj[ao]s?|que|[ao]s?\s+qua(?:l|is)|which|whose|who|pois|porque|"
    r"ja\s+que|because|since)\b"
)
_PLURAL_VERB = re.compile(r"\w{3,}am|(?!homem|ontem|jovem|ordem|nuvem|alguem|porem)\w{3,}(?<![aiu]g)em")
_ADDED = re.compile(
    r",\s*(?:(?:d[aeo]s?|com|por)\s+)?(?:cuj[ao]s?\b|(?:que|which)\s+(?!é|e\b|sao|tambem|significa|corresponde|is\b|"
    r"nao|chama|se\s+chama|equivale)|whose\b|\w{3,}(?:ad|id)[ao]s?\s+(?:com|por|pel[ao]|em|n[ao]s?|junto)\b)"
)  # what is told of a name, not said to be it
_BECAUSE = re.compile(
    r"\b(?:porque|pois|because|since|ya\s+que|por\s+causa|devido|due\s+to|debido|para\s+(?:se\s+|"
    r"nao\s+)?\w{2,}(?:ar|er|ir)(?:-se)?)\b"
)
_DEFINES = re.compile(
    r"\b(?:é|foi|is|was|es|sao|are)\s+(?:uma?|an?|una?|uns|umas)\s+(?:\w+\s+)?(?:doenca|condicao|enfermidade|"
    r"problema|exame|droga|vacina|sindrome|disease|condition|disorder|enfermedad|tipo|grupo|forma|parte|questao|"
    r"arte|pratica|tecnica)\b"
)
_LINKS = re.compile(
    r"\b(?:é|e|sao|foi|foram|eram|era|seria|porque|pois|is|are|was|were|because|es|son|fue|produz\w*|chama-se|"
    r"deve-se|trata-se|ocorre|com|usa-se|consiste)\b"
)


def not_listed(case: Case) -> Value | None:
    """Return an alternative that is not there, where the reply itself says so ('que não está na lista')."""
    said = _NOT_LISTED.search(case.low)
    return Value((), True, "text", 0, said.end()) if said and "?" not in case.low else None


def made_up_text(case: Case, sentences: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the span of an answer that no option has: a few words, or the question completed with other words."""
    told = [(s, e) for s, e in sentences if not asks(case.low[s:e])]
    if len(case.low.split()) > 4 * len(case.words) + 6:
        return None  # hardly a word that means anything
    if not told or len(told) < len(sentences) or case.matches or babbles(case.low) or loops(case.words):
        return None
    if any(u.value.kind == "letter" and not u.value.beyond for s, e in told for u in units_of(case, s, e)):
        return None
    if len(told) == 1 and (span := _surely_another(case, *told[0])):
        return span
    number = other_number(case) if len(told) == 1 else None
    if _OTHER_KIND.match(case.low) and re.search(_ASKS_FOR_ACT, " ".join(case.question.focus)):
        return None  # the diagnosis, where a drug or a test is asked for
    if len(told) == 1 and (span := _event(case, *told[0]) or _dosed(case, *told[0])):
        return span
    if number or any(_TALKS.search(case.low, s, e) for s, e in told):
        return number
    for start, end in reversed(told):
        if _DEPENDS.match(case.low, start, end):
            return None
        said = [t for t in case.between(start, end) if t.key not in META and t.key not in NEGATIONS]
        own = [t for t in said if not any(same_word(t.key, k) for k in case.question.keys)]
        mixed = [t for t in said if not any(same_word(t.key, w) for o in case.options.options for w in o.words)]
        if (
            len(told) == 1
            and own
            and (mixed or _crossed(case, start, end, said))
            and (span := _named(case, start, end, said, own))
        ):
            return span
        if all(any(same_word(t.key, w) for o in case.options.options for w in o.words) for t in own):
            continue
        if own and not breaks_off(case.low) and not _defines(case, start, end) and _restates(case, start, end):
            return start, end
    return None


def _crossed(case: Case, start: int, end: int, said: list[Token]) -> bool:
    """Tell whether words of several options make one name that none of them is ('ligada ao X recessiva')."""
    listed = re.search(r"[,;]|\b(?:e|ou|nem|and|or|y)\b", case.low[start:end])
    return not listed and not any(
        all(any(same_word(t.key, w) for w in o.words) for t in said) for o in case.options.options
    )


def named_first(case: Case, sentences: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the span of a name that no option has, where an option only stands in what is added to it ('Amilina,
    secretada com a insulina')."""
    start, end = sentences[0]
    added = _ADDED.search(case.low, start, end) if len(sentences) == 1 and case.matches else None
    if added is None or case.options.polar or any(m.start < added.start() for m in case.matches):
        return None
    said = case.between(start, added.start())
    known = [*case.question.keys, *(w for o in case.options.options for w in o.words)]
    fresh = said and not any(t.key in META | NEGATIONS or any(same_word(t.key, k) for k in known) for t in said)
    if not fresh or len(said) > 3 or not _is_name(case.low[start : added.start()], said[0].key):
        return None
    return None if _TALKS.search(case.low, start, end) else (said[0].start, said[-1].end)


def _named(case: Case, start: int, end: int, said: list[Token], own: list[Token]) -> tuple[int, int] | None:
    """Return the span of a name in few words ('Atresia duodenal', 'Niacina, cuja falta dá pelagra'), or None."""
    if 5 * len(own) < 2 * len(said) and re.search(r"\w{3,}(?:ou|eu|iu|ava)\b", case.low[start:end]):
        return None  # hardly more than the question said over
    appended = _APPENDED.search(case.low, start, end)
    if appended and "," not in case.low[appended.end() : end]:
        end = appended.start()
        said = [t for t in said if t.start < end]
        if not any(t.start < end for t in own):
            return None
    phrase = any(word in STOP for word in re.findall(r"\w+", case.low[start:end]))
    if _INFINITIVE.match(case.low, start) and not re.search(_ASKS_FOR_ACT, " ".join(case.question.focus)):
        return None  # what to do, where something else is asked for
    spoken = [m for m in mentions(case, start, end) if m.stance > 0]
    joined = re.search(r"[,;]|\b(?:e|ou|and|or|y)\b", case.low[spoken[0].end : spoken[-1].start]) if spoken else None
    if len({m.label for m in spoken}) == 1 or joined:
        return None  # a word of one option's own; words of two, not joined, make an alternative of their own
    verbless = phrase and said[:1] == own[:1] and case.low[:start].strip() == "" and not breaks_off(case.low)
    if not 0 < len(said) <= (6 if verbless else 4) or not _is_name(case.low[start:end], own[0].key):
        return None
    return said[0].start, said[-1].end


def _dosed(case: Case, start: int, end: int) -> tuple[int, int] | None:
    """Return the span of a remedy that no option has, told by its dose or its way in ('Adenosina 6 mg em bolus')."""
    found = _DOSED.match(case.low, start, end)
    said = tokens(found["name"]) if found else ()
    known = [*case.question.keys, *(w for o in case.options.options for w in o.words)]
    fresh = said and not any(
        t.key in META or t.key in NEGATIONS or any(same_word(t.key, k) for k in known) for t in said
    )
    return (start, end) if fresh and not _STATES.search(re.sub(r"\be\b", " ", case.low[start:end])) else None


def _defines(case: Case, start: int, end: int) -> bool:
    """Tell whether the sentence says what a thing of the question is, rather than answers ('a Austrália é um país')."""
    if _DEFINES.search(case.low, start, end):
        return True
    found = _IS_A.match(case.low, start, end)
    subject = tokens(found["subject"]) if found else ()
    if found is None or not subject or any(same_word(found["noun"], k) for k in case.question.keys):
        return False
    asked = [a for a in case.question.asked if any(same_word(a, t.key) for t in subject)]
    return not asked and all(any(same_word(t.key, k) for k in case.question.keys) for t in subject)


def _event(case: Case, start: int, end: int) -> tuple[int, int] | None:
    """Return the span of a short statement of something else that happened, where the question asks what did."""
    asked = re.search(
        r"\b(?:aconteceu|acontecera|acontecido|happened|acontece|ocorreu|ocorrido|sucedeu)\b",
        " ".join(case.question.focus),
    )
    low = case.low[start:end]
    own = [t for t in case.between(start, end) if not any(same_word(t.key, k) for k in case.question.keys)]
    told_why = case.question.why and not _DEFINES.search(low) and not _shares_predicate(case, start, end)
    if told_why and asked is None:
        asked = re.search(r"\w{2,}(?:ou|eu|iu|ava|ia|aram|eram|iram|avam|iam)\b", low)
    said = len(case.between(start, end))
    asked = asked if 5 * len(own) >= 2 * said else None  # hardly more than the question said over
    short = 2 <= len(low.split()) <= 14 and re.search(r"[.!]\s*$", low)
    if not asked or not own or not short or case.question.copied(low) or NEGATIONS & set(re.findall(r"\w+", low)):
        return None
    return start, end


def _shares_predicate(case: Case, start: int, end: int) -> bool:
    """Tell whether a word that is an option's own is said: then it may be that option in other words."""
    said = [t.key for t in case.between(start, end)]
    own = [
        (o, w) for o in case.options.options for w in o.unique if not any(same_word(w, k) for k in case.question.keys)
    ]
    return any(same_word(w, s) and not subject_of(o, w) for o, w in own for s in said)


def _surely_another(case: Case, start: int, end: int) -> tuple[int, int] | None:
    """Return the span of the name in 'sem dúvida é o NAME', where no word of it is an option's or the question's."""
    named = _SURELY.match(case.low, start, end)
    name = ("had" if named["has"] else "name") if named else ""
    asked = re.search(r"\b(?:diagnos|doenca|suspeit|hipotese|patologia|enfermidade)", case.question.words)
    if named and named["has"] and (not asked or _FINDING.search(named["had"])):
        return None
    said = tokens(named[name]) if named else ()
    known = [*case.question.keys, *(w for o in case.options.options for w in o.words)]
    fresh = said and not any(t.key in META or t.key in NEGATIONS for t in said)
    if named is None or not fresh or len(said) > 4 or breaks_off(case.low):
        return None
    own = [t for t in said if not any(same_word(t.key, w) for w in known)]
    return named.span(name) if 2 * len(own) >= len(said) and _is_name(named[name], own[0].key) else None


def _is_name(low: str, key: str) -> bool:
    """Tell whether a short reply names something rather than states something."""
    bare = re.sub(r"^\W*(?:é|e|seria|is|it's|es|it\s+is)\b", "", low)
    words = [t.key for t in tokens(bare, keep_stop=True)]
    acts = any(_PLURAL_VERB.fullmatch(w) for w in words[1:])  # 'as vértebras sustentam ...'
    named = not acts and len(key) > 1 and any(w not in STOP for w in words)
    return named and not _STATES.search(re.sub(r"\be\b", " ", bare))


def _heads(case: Case, start: int, end: int) -> bool:
    """Tell whether the subject's first noun is what the question asks for ('o tratamento da PBE é ...')."""
    found = _IS_CALLED.match(case.low, start, end)
    return found is not None and bool(shared_words(case.question.asked[:1], [found["head"]]))


def _restates(case: Case, start: int, end: int) -> bool:
    focus = {w for w in case.question.focus if len(w) > 2}
    if _IS_CALLED.match(case.low, start, end) and _heads(case, start, end) and len(case.low[start:end].split()) < 25:
        return True
    if after_asked_noun(case, start, end) is not None or (case.question.why and _BECAUSE.search(case.low, start, end)):
        return True
    said = [t.key for t in case.between(start, end)]
    shared = shared_words(focus, said)
    linked = _LINKS.search(case.low, start, end)
    return len(focus) > 1 and linked is not None and len(shared) >= max(min(2, len(focus)), 0.7 * len(focus))
