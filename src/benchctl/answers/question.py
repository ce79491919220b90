"""The question, prepared once: what an echo of it looks like, and what it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from benchctl.answers.folding import lower, plain
from benchctl.answers.words import tokens, word_set

_WHY = re.compile(r"\bpor\s*que\b|\bwhy\b|\bqual\s+o\s+motivo\b")
_CLOSES = re.compile(r"[^\S\n]*[:.?]*[^\S\n]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Question:
    """The question's words. ``focus`` are those of the sentence that asks; ``keys`` all of them."""

    known: bool
    keys: tuple[str, ...]
    focus: tuple[str, ...]
    run: tuple[str, ...]  # the asking sentence, every word, as an echo would repeat it
    words: str = ""  # the whole question, its words joined by single spaces
    why: bool = False  # whether it asks for a reason
    asked: tuple[str, ...] = ()  # what it asks for: 'agente etiológico' in 'Qual é o agente etiológico ...?'
    negative: bool = False  # whether it asks for the wrong one, or the exception
    verbs: tuple[str, ...] = ()  # the words of the asking sentence that may be its verb
    open: bool = True  # whether it ends with a question mark, so that the same words without one are an answer

    def echoed_in(self, text: str) -> bool:
        """Tell whether ``text`` repeats most of the question."""
        if not self.known:
            return False
        said = {t.key for t in tokens(lower(text))}
        wanted = set(self.focus) or set(self.keys)
        return len(wanted & said) >= max(1, 0.7 * len(wanted))

    def copied(self, sentence: str) -> bool:
        """Tell whether ``sentence`` is copied from the question word by word (four words at least)."""
        said = re.findall(r"\w+", lower(sentence))
        return len(said) >= 4 and " ".join(said) in self.words

    def echoes(self, text: str) -> list[tuple[int, int]]:
        """Return the spans where ``text`` repeats the asking sentence word by word, from the start of its line."""
        spans: list[tuple[int, int]] = []
        low = lower(text)
        if len(self.run) < 4 or any(word not in low for word in self.run):
            return spans
        run = re.compile(r"(?<!\w)" + r"\W+".join(map(re.escape, self.run)) + r"(?!\w)")
        for found in run.finditer(low):
            if "?" in text[found.end() : found.end() + 3] or (not self.open and _CLOSES.match(text, found.end())):
                line = text.rfind("\n", 0, found.start()) + 1
                headed = found.start() - line < 25
                spans.append((line if headed else found.start(), found.end()))
        return spans


_ASKED = re.compile(
    r"\b(?:qual|quais|que|cual|cuales|what|which)\s+(?:(?:é|e|sao|seria|foi|is|are|was|es|son|dos|das|de|os|as|o|"
    r"a|la|el|los|las|the|of|following)\s+)*(?P<noun>[^?,;:]+)"
)
_EXCEPT = re.compile(
    r"\b(?:exceto|excepto|except|incorret[ao]s?|incorrect[ao]?|errad[ao]|fals[ao]|nao\s+(?:é|e|constitui|faz|"
    r"sao)|which\s+(?:is|are)\s+not|not\s+true)\b"
)


_FORBIDDEN = re.compile(r"\b(?:contra-?indicad|contraindicated|evitad[ao]|evitar\b|avoid|nao\s+deve)")


def _asked(last: str) -> tuple[str, ...]:
    """Return the first two words of what the asking sentence asks for."""
    found = _ASKED.search(last)
    nouns = tokens(found["noun"] if found else last if len(last.split()) < 5 else "")
    return tuple(t.key for t in nouns[:2])


_BEFORE_NOUNS = word_set(
    """o a os as um uma uns umas de do da dos das em no na nos nas ao aos por pelo pela com sem para entre sobre
    apos durante after during among seu sua
    the an of in on at to for with by from el la los las un una del al en y e ou or and"""
)


def _verbs(last: str) -> tuple[str, ...]:
    """Return the words that no article or preposition makes nouns: one of them is the verb."""
    words = tokens(last, keep_stop=True)
    before = ["", *(t.key for t in words)]
    found = [t.key for t, prior in zip(words, before, strict=False) if prior not in _BEFORE_NOUNS]
    meaning = {t.key for t in tokens(last)}
    return tuple(w for w in found if w in meaning)


@lru_cache(maxsize=512)
def prepare_question(question: str) -> Question:
    """Return ``question`` ready for matching; an empty one matches nothing."""
    low = plain(question)
    asking = [s for s in re.split(r"(?<=[?!:.])[\"')\]]*\s+|\n+", low) if s.strip()]
    last = next((s for s in reversed(asking) if "?" in s), asking[-1] if asking else "")
    keys = tuple(t.key for t in tokens(low))
    run = tuple(re.findall(r"\w+", last))
    return Question(
        bool(keys),
        keys,
        tuple(t.key for t in tokens(last) if t.key not in _BEFORE_NOUNS),
        run,
        " ".join(re.findall(r"\w+", low)),
        _WHY.search(last) is not None,
        _asked(last),
        _EXCEPT.search(low) is not None or _FORBIDDEN.search(last) is not None,
        _verbs(last),
        "?" in last,
    )
