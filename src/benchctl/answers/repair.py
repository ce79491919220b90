"""Mending the head words themselves: 'Resposa: C', 'Alternaitva B', 'alternativaA'. Option texts are never touched."""

from __future__ import annotations

import re
from functools import lru_cache

from benchctl.answers.folding import Folded, edited, lower

_HEADS = ("resposta", "alternativa", "gabarito", "respuesta", "answer", "opcion", "option", "opcao")
_WORD = re.compile(r"(?<![^\W\d_])[ragoRAGO][^\W\d_]{5,13}")
_GLUED = re.compile(r"\b(alternativa|opcao|letra|option|opcion|resposta)([A-Ha-h])\b", re.I)
_LETTER_NAME = re.compile(r"\W*(?:(?:a\s+)?(?:letra|alternativa|opcao)\s+)?(?P<name>[bcd]e)\W*", re.I)
_PLURALS = frozenset({"respostas", "alternativas", "respuestas", "answers", "options", "alternativo", "alternativos"})


def mend_heads(folded: Folded) -> Folded:
    """Return ``folded`` with misspelt or glued head words put right; positions still lead to the raw text."""
    edits: list[tuple[int, int, str]] = []
    spelt = _LETTER_NAME.fullmatch(folded.text)
    if spelt:  # 'bê', 'letra cê'
        edits.append((*spelt.span("name"), spelt["name"][0].upper()))
    for glued in _GLUED.finditer(folded.text):
        letter = glued[2]
        if letter.isupper() or letter not in "aes":
            edits.append((glued.start(), glued.end(), f"{glued[1]} {letter}"))
    for word in _WORD.finditer(folded.text):
        meant = _meant(word[0].lower())
        if meant and not any(start == word.start() for start, _, _ in edits):
            edits.append((word.start(), word.end(), meant))
    return edited(folded, sorted(edits)) if edits else folded


@lru_cache(maxsize=65536)
def _meant(word: str) -> str:
    """Return the head word that ``word`` is a slip of, or ''."""
    if word in _HEADS or word in _PLURALS or len(word) < 5 or lower(word) != word:
        return ""
    return next((h for h in _HEADS if len(h) >= 6 and abs(len(h) - len(word)) <= 1 and _one_edit(word, h)), "")


def _one_edit(word: str, head: str) -> bool:
    """Tell whether one letter was dropped, added, changed or swapped; the first letter must be right."""
    start = next((i for i in range(min(len(word), len(head))) if word[i] != head[i]), min(len(word), len(head)))
    if start == 0:
        return False
    a, b = word[start:], head[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (len(a) > 1 and a[1::-1] == b[:2] and a[2:] == b[2:])
    return a == b[1:] or a[1:] == b
