"""Yes/no answers that report a finding: 'reduziu as internações', 'ficou igual', 'os dados apoiam o benefício'.

A question such as 'a vacina diminui as hospitalizações?' asks for an effect in a direction; a clause that reports the
same direction says yes, one that reports the other direction or no effect at all says no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchctl.answers.phrases import any_of
from benchctl.answers.question import Question

_GROUPS = {
    "up": "aument\\w* / elev(a|am|ou|aram|ad|"
    "ac)\\w* / sobe(m)? / subi\\w* / cresc\\w+ / acresc\\w+ / maior(es)? / increas\\w+ / rais\\w+",
    "down": """reduz\\w* / reduc\\w* / redu(ced|ces)? / diminu\\w* / baix(a|ou|aram|ar) / cai / cair / caem /
        caiu / cairam / queda(s)? /
        menor(es)? / (?<!pelo\\s)(?<!ao\\s)menos / derrub\\w+ / decresc\\w+ / declin\\w+ / decreas\\w+ / reduct\\w+ /
        lower(s|ed)?""",
    "better": """melhor(a|ar|ou|aram|as|am|ia) / benefi\\w+ / eficaz\\w* / eficacia / efetiv\\w+ / funciona\\w* /
        funcionou / ajuda(m|ou|r|ram)? /
        util / uteis / vantag\\w+ / improv\\w+ / effective\\w* / works / helps""",
    "worse": "pior(a|ar|ou|aram|am|es)? / prejudic\\w+ / worse\\w* / harm\\w*",
    "prevent": "alivi\\w+ / atenu\\w+ / ameniz\\w+ / previn\\w+ / preven\\w+ / preveni\\w+ / proteg\\w+ / "
    "protec\\w+ / proteto\\w+ / protej\\w+ / evit(a|am|ou|aram|ar) / prevent\\w* / protect\\w*",
    "link": "associ\\w+ / relacion\\w+ / relac\\w+ / ligad[ao]s? / ligac\\w+ / correlac\\w+ / vincul\\w+ / "
    "associat\\w+ / link\\w*",
    "cause": "causa(m|r|ou|ram|dor\\w*)? / provoc\\w+ / desencadei\\w+ / desencade\\w+ / induz\\w* / gera(m|"
    "r)? / caus(e|es|ed)",
}
_WORDS = re.compile(
    r"\b(?:" + "|".join(f"(?P<{name}>{any_of(listing)})" for name, listing in _GROUPS.items()) + r")(?![^\W_])"
)
_OPPOSITE = {
    "up": {"down", "prevent"},
    "down": {"up"},
    "better": {"worse"},
    "worse": {"better"},
    "prevent": {"up", "cause"},
}
_AS_GOOD = {"down": {"prevent"}, "prevent": {"down"}, "cause": {"link"}, "better": {"prevent"}}
_CLAUSE = re.compile(r"[;,:]|\b(?:mas|porem|contudo|but|pero|e(?=\s+nao\b))\b")
_DENIES = re.compile(
    r"\b(?:"
    + any_of(
        """nao / nem / nunca / sem / nenhum(a)? / nada / tampouco / not / no
            (evidence|effect|difference|significant|benefit|association|hubo|se|hay|reduce|mejora|aumenta|
        improvement|reduction) / never / without / none / didn't / doesn't / ausencia d[aeo] /
        falta d[aeo] / deixou de / falhou / failed / refut\\w+ / rejeit\\w+ / desment\\w+ / contradi\\w+ /
        descart\\w+ / afast\\w+ /
        zero / nul[ao]s? / inexistente / desprezivel / irrelevante / infundad[ao] / pouc[ao]"""
    )
    + r")\b"
)
_NULL = re.compile(
    r"\b(?:efeito|impacto|diferenca|resultado|beneficio|associacao|influencia|relacao|effect|"
    r"difference)s?\b[^.;]{0,40}?"
    r"\b(?:nul[ao]s?|zero|inexistentes?|despreziveis|desprezivel|irrelevantes?|ausentes?|null)\b"
    r"|\b(?:fic\w+|permanec\w+|mant\w+(?:-se)?|continu\w+|foi|foram|era|eram|estava|seguiu|remained|"
    r"stayed)\s+(?:praticamente\s+|basicamente\s+)?(?:a\s+|o\s+|as\s+|os\s+)?"
    r"(?:igua(?:l|is)|inalterad[ao]s?|estave(?:l|is)|mesm[ao]s?|identic[ao]s?|unchanged|semelhantes?|"
    r"parecid[ao]s?|equivalentes?)\b"
    r"|\bnao\s+(?:mex|mud|alter|interfer|influ|impact|afet|modific|fez|faz|teve|houve\s+(?:efeito|diferenca|"
    r"mudanca))\w*"
    r"|\bna(?:da|o\s+ha\s+nada\s+que)\s+(?:indi|suger|mostr|aponta|prova|comprova)\w*"
    r"|\b(?:o|a)\s+mesm[ao]\s+(?:numero|quantidade|taxa|proporcao|frequencia|incidencia|risco|nivel)\b"
    r"|\b(?:tanto\s+faz|fez\s+diferenca\s+nenhuma|deu\s+na\s+mesma|da\s+na\s+mesma)\b"
)
_INSIGNIFICANT = re.compile(r"\b(?:nao\s+(?:\w+\s+)?|sem\s+)(?:significa|estatistic)|\bnot\s+(?:\w+\s+)?significant")
_OPEN = re.compile(
    r"\b(?:"
    + any_of(
        """nao (da|daria|deu) (para|pra) (\\w+
            ){0,2}(cravar|afirmar|concluir|saber|dizer|garantir|bater|ter|fechar|determinar|decidir) /
        (nao|nem) (\\w+ )?(permite\\w*|possibilita\\w*|autoriza\\w*|bastam?|basta\\w*|suficientes?|garante\\w*) /
        insuficient\\w+ /
        conclus\\w+ (definitiv|firm|segur|clar)\\w+ / (é|sao|e|ainda é) pouco(s)?(?=\\W) /
        (mais|novos|outros|maiores) (estudos|ensaios|dados|pesquisas|trabalhos|investigacao) /
        (estudo|ensaio|amostra|grupo|seguimento|acompanhamento)s? (maior(es)?|mais (long|ampl|robust)\\w+) /
        (amostra|estudo|ensaio) (é |e |foi |muito |demasiado |tao )*(pequen|reduzid|limitad)\\w+
        / preliminar\\w* / inconclusiv\\w+ /
        (evidenc|prova|resultado|dado)\\w* (é |sao |ainda |muito |e
        )*(frac|limitad|escass|conflit|mist|contradit|diverg|inconsist|discordan)\\w+ /
        em aberto / bater o martelo / nem (que )?sim,? nem (que )?nao / sem (mais|maiores) \\w+ / ha controversias?
        / (é|e) controvers\\w+ /
        sem conclus\\w+ / fica(m)? (a|as|uma) duvidas? / diverg\\w+ / metade [^.;]{1,60} metade / incert\\w+ /
        a (questao|duvida) (permanece|persiste|continua) / so com (mais|outros|novos) / ninguem sabe /
        jury is still out /
        more (research|studies|data|trials) / (too|very) small / not enough"""
    )
    + r")"
)
_SAYS_SO = re.compile(
    r"\b(?P<thing>hipotese|ideia|tese|afirmacao|afirmativa|suposicao|crenca)\b[^.;]{0,80}?\b"
    r"(?:(?P<up>confirm|comprov|sustent|verdadeir|corret|proced)|(?P<down>refut|rejeit|desment|descart|derrub|"
    r"fals|incorret))"
)
_LIMITS = re.compile(r"\b(?:mas|porem|but|pero|so|apenas|somente|only|solo|exceto|embora|except|salvo)\b")
_CUT = re.compile(r"\W*(?:\w+\s+){0,4}\w+\s*")  # a few words without a stop may go on
_IN_FAVOUR = re.compile(
    r"\b(?:diferenca|resultado|efeito)s?\b[^.;]{0,40}\ba\s+favor\b|\bsignifica\w+\s+a\s+favor\b|\bsignificant\w*\s+in\s+favou?r\b"
)
_HEDGED = re.compile(r"\b(?:pode|podem|poderia\w*|talvez|possivelmente|might|may|could|se\s+\w+sse|seria)\b")

# 'na inicio': see language.without_contraction
_AT_START = re.compile(
    r"\b(?:"
    + any_of(
        """n[ao] (inicio|comeco|momento basal|baseline|linha de base|entrada|admissao) / basa(l|is) / inicialmente /
        de partida / (at|in) (the )?(baseline|start|entry|beginning) / baseline (characteristics|values) /
        antes d[aeo]s? (tratamento|intervencao|estudo|ensaio|inicio|randomizacao|sorteio|cirurgia|treino) /
        caracteristicas (iniciais|demograficas|basais|clinicas) / quanto (a|ao|à) (idade|sexo) /
        (em|na) (idade|sexo)"""
    )
    + r")\b"
)


def finding(low: str, question: Question) -> str | None:
    """Return "yes", "no" or "maybe" as the sentence ``low`` (folded, lower case) reports it, else None."""
    if _OPEN.search(low):
        return "maybe"
    if _INSIGNIFICANT.search(low) or _HEDGED.search(low):
        return None  # what an effect that may be chance amounts to is for the writer to say
    wanted = {g for word in question.focus for g in groups(word)}
    if _IN_FAVOUR.search(low) and not _DENIES.search(low):
        return "yes"
    kinds = [kind for clause in _clauses(low) if not question.copied(clause) and (kind := _kind(clause, wanted))]
    if len(set(kinds)) != 1 or (kinds[0] == "yes" and (_LIMITS.search(low) or _CUT.fullmatch(low))):
        return None
    return kinds[0]


def verdict_on_claim(low: str) -> str | None:
    """Return what the sentence says of the hypothesis that the question holds ('a hipótese foi refutada')."""
    believed = _SAYS_SO.search(low)
    if believed is None:
        return None
    return "no" if believed["down"] or _DENIES.search(low, believed.end("thing")) else "yes"


def groups(text: str) -> set[str]:
    """Return the directions of effect that ``text`` names."""
    return {found.lastgroup or "" for found in _WORDS.finditer(text)}


def _clauses(low: str) -> Iterator[str]:
    position = 0
    for border in _CLAUSE.finditer(low):
        yield low[position : border.start()]
        position = border.end()
    yield low[position:]


def _kind(clause: str, wanted: set[str]) -> str | None:
    if _NULL.search(clause):  # groups that are alike before anything is done to them tell nothing of what it does
        return None if _AT_START.search(clause) else "no"
    said = groups(clause)
    same = said & wanted or any(said & _AS_GOOD.get(w, set()) for w in wanted)
    good = "better" in said and wanted & {"down", "prevent"}
    other = not same and any(said & _OPPOSITE.get(w, set()) for w in wanted)
    denied = _DENIES.search(clause) is not None
    if same or good:
        return "no" if denied else "yes"
    return "no" if other and not denied else None
