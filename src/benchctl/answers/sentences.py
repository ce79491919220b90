"""Cutting a reply into sentences, and telling whether it loops, breaks off, asks or babbles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from benchctl.answers.words import Token

_BORDER = re.compile(r"\n+|(?<=[.!?;])[\"')\]]*[^\S\n]+")
_ABBREVIATION = re.compile(
    r"(?:^|[\W_])(?:dr|dra|sr|sra|ex|p\.ex|i\.e|e\.g|vs|resp|alt|op|opc|n|fig|prof|aprox|approx|etc|cf)\.$"
)
_LONE_LETTER = re.compile(r"\W*[A-Za-z][.)]$")
_GENUS = re.compile(r"(?:^|\s)[A-Z]\.$")
_DANGLES = re.compile(
    r"\w\s+(?:que|de|do|da|dos|das|o|a|os|as|é|um|uma|com|para|por|em|no|na|the|of|to|is|a|and|el|la|los|del|es|"
    r"aquele|aquela)$"
)
_TAG_QUESTION = re.compile(r"\b(?:ne|nao\s+[eé]|certo|right|verdade?|ok|correto|ta|sabe|viu|no)\s*\?+$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of folded ``text``; 'B. Plasmócitos' stays one, blank ones are left out."""
    spans: list[tuple[int, int]] = []
    start = 0
    for border in _BORDER.finditer(text):
        if border.start() < start:
            continue
        before = text[max(start, border.start() - 12) : border.start()].lower()
        whole = border.start() - start < 6 and _LONE_LETTER.match(text[start : border.start()])
        goes_on = (
            _GENUS.search(text[max(start, border.start() - 4) : border.start()])
            and text[border.end() : border.end() + 1].islower()
        )  # 'o S. pneumoniae'
        if "\n" not in border[0] and (whole or goes_on or _ABBREVIATION.search(before)):
            continue
        if text[start : border.start()].strip():
            spans.append((start, border.start()))
        start = border.end()
    if text[start:].strip():
        spans.append((start, len(text)))
    return spans


def asks(low: str) -> bool:
    """Tell whether the sentence is a real question ('né?' at its end makes none)."""
    low = low.rstrip(" \"')")
    return low.endswith("?") and not _TAG_QUESTION.search(low)


def breaks_off(low: str) -> bool:
    """Tell whether a text of some length ends without closing its sentence."""
    stripped = low.rstrip()
    if _DANGLES.search(stripped):
        return True
    return len(stripped.split()) >= 7 and re.search(r"[.!?)\]\"'}]$", stripped) is None


def loops(words: Sequence[Token]) -> bool:
    """Tell whether most of the text repeats itself."""
    keys = [part for w in words for part in w.key.split("+")]
    if len(keys) < 7:
        return False
    if len(set(keys)) <= 0.35 * len(keys) and len(keys) < 60:
        return True
    triples = Counter(zip(keys, keys[1:], keys[2:], strict=False))
    repeated = sum(n for n in triples.values() if n >= 3)
    return repeated >= 0.5 * (len(keys) - 2)


def begun_again(low: str, sentences: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the last sentence, broken off, only says over how an earlier one begins."""
    if len(sentences) < 2 or re.search(r"[.!?)\]\"'}]$", low.rstrip()):
        return False
    last, *earlier = [" ".join(low[s:e].split()) for s, e in reversed(sentences)]
    return len(last.split()) >= 4 and any(sentence.startswith(last) for sentence in earlier)


def babbles(low: str) -> bool:
    """Tell whether the text is no language: words without vowels, or hardly any letters."""
    letters = [c for c in low if c.isalpha()]
    visible = [c for c in low if not c.isspace()]
    if not visible or (len(letters) < 0.5 * len(visible) and not re.search(r"\d", low)):
        return True
    words = re.findall(r"[^\W\d_]{4,}", low)
    odd = [
        w
        for w in words
        if not re.search("[aeiouy]", w)
        or re.search(r"[bcdfghjklmnpqrstvwxz]{5}|(.)\1\1", w)
        or re.search(r"[jkqwx]{2}|[^aeiou\W]{2}[jqx][^aeiou\W]|[sdfgh]{3}", w)
    ]
    return bool(words) and len(odd) >= 0.5 * len(words)
