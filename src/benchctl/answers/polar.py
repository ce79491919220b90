"""Yes, no and maybe: where the word is an answer, and where it only denies something."""

from __future__ import annotations

import re

from benchctl.answers.effects import finding, groups, verdict_on_claim
from benchctl.answers.phrases import WORD_END, any_of
from benchctl.answers.sentences import asks
from benchctl.answers.values import Case, Value
from benchctl.answers.words import same_word, tokens, word_set

_KNOW = "(afirmar|concluir|determinar|dizer|saber|estabelecer|definir|responder com)"
_MAYBE = any_of(
    rf"""talvez / se calhar / indefinid[oa] / (ainda )?(é|e) cedo / rest(a|am) duvidas? / ha duvidas? /
        pode \w+ ou nao / quica / porventura / acaso / possivelmente / (é|e) possivel(?! {_KNOW}) /
        it (may|might|could)(?=\W*$) / hard to (say|tell|know) / dificil (dizer|saber|afirmar) /
        (fica|ficou|esta|permanece|continua) em aberto / nao sabemos / ainda nao se sabe / nao ha certezas? /
        (sao|seriam|ainda sao) necessari[oa]s (mais|novos|outros) \w+ /
        faltam (mais )?(dados|estudos|evidencias|provas) /
        more (research|studies|evidence|data|trials) (is|are) needed / depende / impossivel {_KNOW} /
        impossible to / imposible / incert[oa] /
        inconclusiv[ao]s? / indeterminad[ao] / ha incerteza /
        (?<!so\s)pode ser( que (sim|nao))? / nao (é|e|foi|seria) possivel {_KNOW} / nao se (pode|sabe|consegue) /
        nao (da|ha como|tem como|permite\w*|possibilita\w*|conseg\w+|autoriza\w*) (para )?(se )?{_KNOW} /
        nao (esta|é|e|ficou) clar[oa] / nao ha (evidencias?|dados|provas?|base|elementos|informac\w+)
        suficientes? / demais para (concluir|afirmar|dizer) /
        (evidencias?|dados) insuficientes? / (evidencia|evidencias) (é|sao|foi) insuficientes? /
        (os )?(dados|resultados) (sao|foram) (inconclusivos|conflitantes|insuficientes|contraditorios) / maybe /
        perhaps / possibly / (it )?depends / uncertain / unclear / inconclusive /
        cannot be (determined|concluded) / insufficient (evidence|data) /
        (it is |it's )?not (clear|certain|possible to) / quizas? / tal vez / a lo mejor / posiblemente /
        incierto / es posible / podria ser / could be / (can't|cannot) (say|tell) / no concluyente / puede (ser|que) /
        no (esta|es|queda) claro / no se (puede|sabe) /
        no es posible"""
)
_HEDGE = any_of(
    """muito / muy / provavelmente / certamente / claramente / definitivamente / aparentemente / obviamente /
        com certeza / sem duvida / infelizmente / felizmente / lamentavelmente / unfortunately /
        (segundo|conforme|pelo|de acordo com) o (texto|estudo|contexto|ensaio|resumo),? /
        (acredito|creio|acho|penso|parece|diria) que / ja que / eu / a / o / the / as / respostas / opcoes /
        alternativas /
        que / bem / bom / e / é / seria / entao / portanto / logo / resposta / minha / final / conclusao / well /
        ah / probably / likely / definitely / certainly / clearly / i think / i would say / i believe / is /
        answer / my / probablemente / creo que / es / la / el / entonces / respuesta"""
)
_CLOSED = r"(?=\s*(?:[.,;:!?)\]}\"'\n<|-]|$))"
_LETTERED = r"(?:\(?[a-e]\)?\s*[).:-]+\s*(?=[\"'(\[]*(?:sim|nao|talvez|yes|no|maybe|si|quizas?)\s*(?:[.,;:!)\n]|$)))?"
_TO_WORK = r"(?![.!,\s]*(?:vou|vamos|let|here|aqui|segue|i'll|i\s+will|voy|veamos|analis)\b)"  # 'Claro! Aqui vai ...'
_YES_IF_CLOSED = (
    any_of(
        """si / afirmativ[oa] / correto / verdadeiro / claro / positiv[oa] / true / y / s /
        (com )?(toda )?(a )?certeza /
        sem (sombra de )?duvidas? / sin duda / exat[oa](mente)? / exacto / exactamente / exactly / isso mesmo /
        of course /
        absolutely / definitely / certainly / indeed / certamente / pois (claro|é|e|sim) / evidentemente / obviamente /
        por supuesto / efetivamente / sure / verdade / absolutamente / seguramente / desde luego / i think so /
        it (seems|appears|looks) so /
        it( (probably|certainly|clearly|likely|definitely|really))? (does|did|is|has|was)"""
    )
    + rf"(?=\W*$|[.!,;:]){_TO_WORK}"
)
_YES = rf"(?:s+i+m+|yes|yep|yeah){WORD_END}|claro\s+que\s+sim|{_YES_IF_CLOSED}{_CLOSED}"
_AFTER_NO = any_of(
    "significant / evidence / difference / la / lo / se / hubo / hay / reduce / mejora / aumenta / disminuye"
)
_NOT_AT_ALL = any_of(
    """(de )?(modo|forma|maneira|jeito) (algum|nenhum)a? / (absolutely|certainly|probably|definitely) not /
    not (really|at all)"""
)
_NO = (
    rf"nao{WORD_END}|{any_of('no / nope / negativ[oa] / falso / incorreto / false / n')}{_CLOSED}"
    rf"|no(?=\s+{_AFTER_NO})|{_NOT_AT_ALL}|"
    + any_of(
        """(sem|nenhum|nenhuma) (qualquer )?(associacao|efeito|diferenca|beneficio|relacao)( significativ[oa])? /
        nem (pensar|um pouco|por sombras|por isso|de longe)? / jamais / nunca / nada disso / que nada / para nada /
        (em|en) absoluto / de (ninguna|nenhuma) (manera|forma) / ni hablar / never / no way / (hardly|unlikely) /
        i (do not|don't) think so / it (seems|appears) not / claro que no /
        it( (probably|certainly|clearly|likely|definitely|really))? (does|did|is|has|was)( not|n't)"""
    )
    + _CLOSED
)
_WORD = re.compile(
    rf"[\s\"'(\[{{<>=:*.,-]*(?:(?:alternativa|opcao|letra|option|opcion)\s*)?{_LETTERED}[\"'(\[]*"
    rf"(?:{_HEDGE}\b[\s,:]*){{0,5}}[\"'(]*"
    rf"(?:(?P<maybe>{_MAYBE}){WORD_END}|(?P<yes>{_YES})|(?P<no>{_NO}))",
    re.M,
)
_BOTH = re.compile(
    r"[\"']?\s*(?:\([^()\n]{1,60}\)\s*)?(?:,?\s*(?:e|and|y|ou|or|o)\s+|/\s*)(?:tambem\s+)?[\"']?"
    r"(?P<other>nao|no|not|sim|yes|si|talvez|maybe|quizas?)(?=[\"']?\s*(?:[.,;:!?()]|$|ao\s+mesmo|(?:estao|sao|"
    r"cabem|servem)\b))"
)
_AS_MUCH = re.compile(
    r"\W*(?:tanto|both|ambos:?|os\s+dois:?)\s+[\"']?(?P<one>sim|nao|talvez|yes|no|maybe|si|"
    r"quizas?)[\"']?\s+(?:quanto|como|e|and|y)\s+"
    r"[\"']?(?P<two>sim|nao|talvez|yes|no|maybe|si|quizas?)(?![^\W_])"
)
_NEITHER = re.compile(
    r"\bnem\s+(?:(?:que|para|pra|por|um|o)\s+)*[\"']?(?:sim|nao)[\"']?,?\s+nem\s+(?:(?:que|para|pra|por|um|o)\s+)*[\"']?"
    r"(?:sim|nao)\b"
)
_ALL_THREE = re.compile(r"(?:sim|yes|si)\W+(?:nao|no)\W+(?:(?:ou|or|o)\W+)?(?:talvez|maybe|quizas?)")
_NO_DOUBT = re.compile(
    any_of(
        """nao (ha|resta|restam|tenho|existe) (qualquer |nenhuma )?duvidas? / no hay duda / no doubt /
        nao ha como negar"""
    )
)
_NO_ANSWER = re.compile(
    r"nao\s+"
    + any_of(
        """sei / posso / consigo / darei / dou / vou / irei / cabe / compete / opino / responderei / opinarei /
            forneco / responder / opinar / dizer / escolher / comentar / indicar / recomendar / me pronunciar /
            emitir / tenho / estou / sou / me\\b / respond / quero / devo / gostaria / entendi /
        compreend / so\\b / apenas / somente / (é|e) (apropriado|recomendad)"""
    )
    + "|no\\s+"
    + any_of("se\\b(?!\\s+puede) / puedo / tengo / estoy / soy")
)
_OPENER = re.compile(r"(?:bem|bom|well|ah|ok|certo|claro|sure|entao)[\s,:.!-]+")
_BEFORE_LAST = any_of(
    "ser / é / e / is / es / seria / que / mas / but / pero / sea / be / resposta / answer / digo / diria"
)
_LAST = re.compile(
    rf"(?:[,:;]|\b{_BEFORE_LAST})"
    r"\s*[\"']?"
    r"(sim|nao|talvez|yes|no|maybe|si|quizas?)[\"']?\s*[.!]*\s*$"
)
_JOINED_BEFORE = re.compile(
    r"(?<![^\W_])(sim|nao|talvez|yes|no|maybe|si|quizas?)[\"']?\s*(?:,?\s(?:e|ou|and|or|y|o)\s+(?:tambem\s+)?|"
    r"/\s*)[\"']?\Z"
)
_LIMITS = re.compile(r"\b(?:mas|porem|but|pero|so|apenas|only|solo|exceto|embora|except|salvo)\b")
_OPENING_VERB = re.compile(r"\W*(\w{4,})(?=\s*[,.;!]|\s+(?:em|cerca|quase|bastante|muito|significativamente)\s)")
_OPEN = re.compile(rf"\b(?:{_MAYBE}|might|may|could|poderia|podria|pode|podem|puede|pueden)\b")
_HEADED = re.compile(r"\W*(?:pergunta|questao|contexto|question|context|pregunta|texto)\s*\d*\s*:")
_DENIES = word_set(
    """nao not no nunca never nem sem without sin failed fails falhou falha ausencia lack tampouco doesn didn
        don isn wasn neither jamais"""
)
_UNFIT = re.compile(
    r"\b(?:in(?:suficiente|adequad|eficaz|eficient|efetiv|apropriad|valid|compativ|viave|precis|fiave|exat|"
    r"sufficient|adequate|effective|accurate|appropriate|valid)|imprecis|irrelevant|desnecessari|desadequad|"
    r"unreliable|unnecessary|useless)\w*"
)
"""An adjective that denies the one it is made of: 'insuficiente', not the noun of 'insuficiência cardíaca'."""
_EFFECT = re.compile(
    r"\b(?:efeitos?|diferencas?|beneficios?|associ\w+|relac\w+|relat\w+|alter\w+|modific\w+|impacto|influenci\w+|"
    r"effects?|differences?|benefit)\b"
)
_NO_EFFECT = re.compile(
    r"\W*(?:sem|nenhuma?|no|nao\s+(?:houve|se\s+(?:observ|verific|encontr)\w+|teve|ha|mostrou|demonstrou)|without)\s+"
    rf"(?:\w+\s+){{0,2}}(?:{_EFFECT.pattern}|(?:reducao|melhora|aumento|mudanca|reduction|improvement)\b)"
)
_BUT_NOT = re.compile(r"\bmas\s+nao\s+(?:[ao]s?\s+)?(\w{4,})\W*\Z")
_NOUN_FIRST = re.compile(r"\W*(?:o|a|os|as|um|uma|the|el|la|los|las)\s")
_PASSED = word_set("parece ser mostrou pareceu sendo foi se la lo houve significantly")
_ASKED_FOR = word_set("responda responde answer com with apenas only escolha choose entre between opcoes options diga")
_SAID = word_set("sim yes si nao no talvez maybe quiza quizas")
_REPORTED = re.compile(r"\b(?:que|that)\s+(?:sim|nao|si|no|yes)(?=\s*(?:[.,;!:)]|$))")
_KINDS = {"sim": "yes", "yes": "yes", "si": "yes", "nao": "no", "no": "no", "not": "no"}


def polar_value(case: Case, start: int, end: int) -> Value | None:
    """Return yes, no or maybe if the stretch begins with it as an answer (hedges such as 'provavelmente' skipped)."""
    paired = _AS_MUCH.match(case.low, start, end)
    if paired:
        kinds = {_KINDS.get(w, "maybe") for w in (paired["one"], paired["two"])}
        labels = tuple(label for kind, label in case.options.polar.items() if kind in kinds)
        return Value(labels, False, "polar", paired.start(), paired.end()) if len(labels) == 2 else None
    opener = _OPENER.match(case.low, start, end)
    found = _WORD.match(case.low, opener.end() if opener else start, end) or _WORD.match(case.low, start, end)
    if not found:
        return None
    kind, polar = found.lastgroup or "", case.options.polar
    at = found.start(kind)
    undoubted = _NO_DOUBT.match(case.low, at, end)
    if undoubted:
        denied = re.search(r"\b(?:nao|not|no)\b", case.low[undoubted.end() : end])
        return Value((polar["no" if denied else "yes"],), False, "polar", at, end)
    if _ALL_THREE.match(case.low, at, end) or (kind == "no" and _NO_ANSWER.match(case.low, at, end)):
        return None
    both = _BOTH.match(case.low, found.end(), end)
    if both and kind in ("yes", "no") and _KINDS.get(both["other"], "maybe") != kind:
        return Value(tuple(polar.values())[:2], False, "polar", at, both.end())
    return Value((polar[kind],), False, "polar", at, found.end()) if kind in polar else None


def echoes_choices(low: str) -> bool:
    """Tell whether the reply is nothing but 'sim / não / talvez', in whatever order and with whatever between."""
    words = [w for w in re.findall(r"[^\W\d_]+", low) if w not in _ASKED_FOR]
    kinds = [_KINDS.get(w, "maybe") for w in words if w in _SAID]
    return len(kinds) == len(set(kinds)) == 3 and all(
        w in _SAID or w in ("ou", "or", "o", "e", "and", "y") for w in words
    )


def last_word(case: Case, start: int, end: int) -> Value | None:
    """Return yes, no or maybe when it closes the sentence as its answer ('a resposta só pode ser não')."""
    if len({_KINDS.get(w, "maybe") for w in re.findall(r"\w+", case.low[start:end]) if w in _SAID}) > 2:
        return None  # 'Opções: sim, não, talvez'
    neither = _NEITHER.search(case.low, start, end)
    if neither and "maybe" in case.options.polar:
        return Value((case.options.polar["maybe"],), False, "polar", *neither.span())
    found = _LAST.search(case.low[:end].rstrip(), max(start, end - 60))
    joined = _JOINED_BEFORE.search(case.low, max(start, found.start(1) - 30), found.start(1)) if found else None
    if found and joined and (kinds := {_KINDS.get(w, "maybe") for w in (joined[1], found[1])}):
        labels = tuple(label for kind, label in case.options.polar.items() if kind in kinds)
        listed = len({_KINDS.get(w, "maybe") for w in re.findall(r"\w+", case.low[start:end]) if w in _SAID}) > 2
        return None if listed else Value(labels, False, "polar", joined.start(1), found.end(1))
    return polar_value(case, found.start(1), found.end(1)) if found else None


def reported_word(case: Case, start: int, end: int) -> Value | None:
    """Return yes or no where the sentence says so in passing ('os dados apoiam que sim, embora ...')."""
    reported = list(_REPORTED.finditer(case.low, start, end))
    return polar_value(case, reported[-1].start(), reported[-1].end()) if reported else None


def predicate_value(case: Case, sentences: list[tuple[int, int]]) -> Value | None:
    """Return the answer that repeats what the question asks: affirmed, denied or left open.

    The last sentence that does decides. Without a part-of-speech tagger any word of the asking sentence may be its
    verb; so a denial must stand right before one of them, and an affirmation must repeat three quarters of them.
    """
    for start, end in reversed(sentences):
        kind = None
        if not asks(case.low[start:end]) and not _HEADED.match(case.low, start, end):
            low = case.low[start:end]
            kind = verdict_on_claim(low) or _judged(case, start, end) or finding(low, case.question)
        if kind in case.options.polar:
            return Value((case.options.polar[kind],), False, "polar", start, end)
    return None


def _judged(case: Case, start: int, end: int) -> str | None:
    low = case.low[start:end]
    said = [t.key for t in case.between(start, end)]
    focus = [w for w in dict.fromkeys(case.question.focus) if len(w) > 2]
    shared = [w for w in focus if any(_same_stem(w, s) for s in said)]
    denies = bool(_DENIES & {t.key for t in tokens(low, keep_stop=True)})
    if not focus:
        return None
    but_not = _BUT_NOT.search(low)
    if but_not and any(same_word(but_not[1], f) for f in focus):
        return "no"  # 'aumenta a ansiedade, mas não as arritmias'
    if shared and re.search(r"(?<!mas )(?<!e )\bsim\b", low) and not denies:
        return "yes"
    if len({_KINDS.get(w, "maybe") for w in re.findall(r"\w+", low) if w in _SAID}) > 2:
        return None  # 'As opções são sim, não e talvez'
    if re.search(_MAYBE, low):
        return "maybe"
    unfit = bool(_UNFIT.search(low)) and not _UNFIT.search(case.question.words)
    if _denies_predicate(low, focus) or _NO_EFFECT.match(low):
        return "yes" if unfit else "no"
    verbs = [v for v in case.question.verbs if groups(v)] or case.question.verbs
    acted = any(_same_stem(v, s) for v in verbs for s in said)
    if said and len(said) <= 2 and len(shared) == len(said) and acted and not denies and not _NOUN_FIRST.match(low):
        return "yes"
    opening = _OPENING_VERB.match(low)
    if (
        opening
        and not denies
        and not _LIMITS.search(low)
        and any(same_word(v, opening[1]) for v in case.question.verbs)
    ):
        return "yes"  # 'Reduzem, e em cerca de 40 %.'
    whole = len(shared) == len(focus) or re.search(r"[.!]\s*$", low)
    if denies and _EFFECT.search(low) and len(shared) >= max(2, 0.5 * len(focus)):
        return "no"
    if len(shared) < max(2, 0.75 * len(focus)) or not whole or not (acted or _EFFECT.search(low)):
        return None
    opened = _OPEN.search(low)
    if opened and opened[0] not in case.question.words:
        return "maybe"
    return "no" if denies != unfit else "yes"  # 'é insuficiente' where 'é adequada?' was asked


def _denies_predicate(low: str, focus: list[str]) -> bool:
    """Tell whether one of the question's words is denied on the spot ('não aumenta', 'did not improve')."""
    words = [t.key for t in tokens(low, keep_stop=True)]
    for index, word in enumerate(words):
        if word in ("nao", "not", "no"):
            following = [w for w in words[index + 1 : index + 5] if w not in _PASSED]
            if following and any(_same_stem(f, following[0]) for f in focus):
                return True
    return False


def _same_stem(one: str, other: str) -> bool:
    """Tell whether two words share a stem: looser than :func:`same_word`, for verbs in another tense."""
    if same_word(one, other):
        return True
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared >= 4 and shared >= 0.55 * max(len(one), len(other))
