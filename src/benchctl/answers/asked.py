"""Answers that take up what the question asks for: 'O agente é ...' after 'Qual é o agente ...?'."""

from __future__ import annotations

import re
from collections.abc import Iterable

from benchctl.answers.values import Case
from benchctl.answers.words import same_word, tokens, word_set

_QUALITIES = word_set(
    """provavel correto correta adequado adequada principal melhor indicado indicada final likely most best
        correct common probable adecuado mejor comum frequente clinico clinica etiologico etiologica especifico
        especifica real questao envolvido envolvida acometido
        acometida lesado lesada causador causadora citado citada descrito descrita caso quadro responsavel mais
        procurado procurada
        verdadeiro verdadeira inicial initial primeiro primeira first ideal recomendado recomendada preconizado nome"""
)
_ADVISED = word_set("indicado indicada recomendado recomendada ideal adequado preconizado provavel nome")
_POINTING = re.compile(
    r"\s+(?:(?:(?:n|d|para\s+|com\s+)?(?:ess|est)[ae]s?|del[ae]s?|disso|aqui|here|(?:in|for|of)\s+this|"
    r"(?:en|para)\s+este)\b.*|mais\s+\w+)"
)  # 'o antídoto para esse envenenamento', 'the best test in this case', 'o nervo mais exposto'
_SUBJECT = re.compile(
    r"\W*(?:portanto|logo|assim|entao|therefore|so|(?:based|com\s+base|diante|dad[ao]s?|given|pelo|pela|segundo)\b"
    r"[^.;:,\n]{3,80},)?\W*(?:o|a|os|as|el|la|los|las|"
    r"the)\s+([^.;:,\n]{3,60}?)\s+(?:é|sao|seria|deve\s+ser|is|are|would\s+be|es|son)\s"
)


def after_asked_noun(case: Case, start: int, end: int) -> int | None:
    """Return where the answer begins if the sentence's subject is made of the question's words alone, else None."""
    subject = _SUBJECT.match(case.low, start, end)
    if subject is None:
        return None
    nouns = [t.key for t in tokens(_POINTING.sub("", subject[1]))]
    known = bool(nouns) and all(n in _QUALITIES or any(same_word(n, k) for k in case.question.keys) for n in nouns)
    heads = [a for a in case.question.asked if a not in _QUALITIES][:1] or case.question.asked[:1]
    if len(case.question.asked) > 1 and " ".join(case.question.asked[:2]) in case.question.words:
        heads = [*heads, case.question.asked[1]]  # 'o abortivo' for 'o tratamento abortivo'
    many = subject[1].split()[0].endswith("s") and not any(h.endswith("s") for h in heads)  # 'as vitaminas são ...'
    advised = bool(nouns) and set(nouns) <= _ADVISED and not case.question.negative  # 'o indicado é ...'
    return subject.end() if advised or (known and not many and shared_words(heads, nouns)) else None


def shared_words(asked: Iterable[str], said: list[str]) -> set[str]:
    """Return the words asked that are said again, in any form."""
    return {
        w for w in set(asked) if len(w) > 2 and any(same_word(w, s) or (len(w) > 5 and s[:5] == w[:5]) for s in said)
    }
