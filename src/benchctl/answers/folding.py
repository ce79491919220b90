"""One plain spelling for every dress a letter can wear, with the way back to the raw text.

Full-width, circled and mathematical letters (Unicode compatibility forms), Cyrillic and Greek look-alikes, accents,
zero-width characters and typographic quotes all become plain ASCII where there is one, so that the rules need to know
one form only. Each folded character remembers the raw position it came from, so evidence is always a raw span.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Only letters that look the same in print: a Cyrillic В is read as B by people, whatever sound it stands for.
_LOOK_ALIKES = dict(zip("АВСЕНІЈКМОРЅТХУаеосрхуіѕ", "ABCEHIJKMOPSTXYaeocpxyis", strict=True))
_LOOK_ALIKES |= dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
_PUNCTUATION = {
    char: plain
    for plain, chars in {
        '"': "“”„«»‟″",
        "'": "‘’‚‹›′´",
        "-": "‐‑‒–—―−",
        "\n": "\u2028\u2029",
        "<": "◁",
        ">": "→⇒➡➔➜⟶▷",
        ":": "∶",
    }.items()
    for char in chars
}
_PUNCTUATION |= {"ª": "ª", "º": "º", "°": "º"}
_BOXED_LETTERS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # negative circled, negative squared, regional indicator


def _fold_character(char: str) -> str:
    """Return what ``char`` becomes: usually one character, nothing for marks, several for a few ligatures."""
    known = _LOOK_ALIKES.get(char) or _PUNCTUATION.get(char)
    if known is not None:
        return known
    code = ord(char)
    for first, count in _BOXED_LETTERS:
        if first <= code < first + count:
            return chr(ord("A") + code - first)
    kept = [c for c in unicodedata.normalize("NFKD", char) if unicodedata.category(c) not in ("Mn", "Me", "Cf")]
    return "".join(_LOOK_ALIKES.get(c, " " if c.isspace() and c != "\n" else c) for c in kept)


class _Table(dict[int, str]):
    """Folded form by code point, worked out once per character."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


_TABLE = _Table()
_EMPHASIS = re.compile(r"[*`$]|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])|^[ ]*[#>]+(?=[ ]|$)", re.M)
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~|<(del|s)>[^<\n]{1,200}</\1>")
_NO_WORD = re.compile(r"\W+")
_KEPT = 20
_RUN = re.compile(rf"\W{{{2 * _KEPT + 1},}}")  # what is no word never means more by being longer
_LONE_E = re.compile(r"(?<![^\W_])[eE](?![^\W_])")
_LATEX = re.compile(r"\\(?:(?:boxed|fbox|text\w*|math\w+|mbox|bf|rm)\b[ ]*\{?|[\[\]()!,;])")


def blank(text: str, pattern: re.Pattern[str]) -> str:
    """Return ``text`` with every match of ``pattern`` replaced by as many spaces, so that positions hold."""
    return pattern.sub(lambda found: " " * len(found[0]), text)


def lower(text: str) -> str:
    """Return ``text`` in lower case with its length unchanged (a few characters grow when lowered: they stay)."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def without_marks(low: str) -> str:
    """Return the words of folded lower-case ``low``, single spaces between them: what is left when two texts are
    compared whatever their punctuation."""
    return _NO_WORD.sub(" ", low).strip()


@dataclass(frozen=True, slots=True)
class Folded:
    """A reply in plain spelling. ``text`` has markdown and LaTeX blanked out, ``marked`` still has them."""

    raw: str
    marked: str
    text: str
    at: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the raw positions of folded characters ``start`` to ``end``, without white space at either side."""
        while start < end and self.text[start].isspace() and self.marked[start].isspace():
            start += 1
        while start < end and self.marked[end - 1].isspace():
            end -= 1
        return (self.at[start], self.at[end - 1] + 1) if start < end else (0, 0)


def fold(raw: str) -> Folded:
    """Return ``raw`` in plain spelling. Never fails, whatever the text holds."""
    if raw.isascii() or all(len(_TABLE[ord(c)]) == 1 for c in set(raw)):
        return _folded(raw, raw.translate(_TABLE), range(len(raw)))
    pieces: list[str] = []
    positions: list[int] = []
    for index, char in enumerate(raw):
        folded = _TABLE[ord(char)]
        pieces.append(folded)
        positions.extend([index] * len(folded))
    return _folded(raw, "".join(pieces), positions)


def _folded(raw: str, marked: str, at: Sequence[int]) -> Folded:
    """Finish folding. The word 'é' keeps its accent: it is a verb where 'e' is a conjunction."""
    if "é" in raw or "É" in raw or "\u0301" in raw:
        marked = _LONE_E.sub(lambda found: "é" if _accented(raw, at[found.start()]) else found[0], marked)
    if "~~" in marked or "<del>" in marked:
        marked = blank(marked, _STRUCK)
    folded = Folded(raw, marked, blank(blank(marked, _LATEX), _EMPHASIS), at)
    runs = [(m.start() + _KEPT, m.end() - _KEPT, "") for m in _RUN.finditer(marked)]
    return edited(folded, runs) if runs else folded


def _accented(raw: str, index: int) -> bool:
    return raw[index] in "éÉ" or raw[index + 1 : index + 2] == "\u0301"


def edited(folded: Folded, edits: list[tuple[int, int, str]]) -> Folded:
    """Return ``folded`` with each (start, end, new text) put in; ``edits`` are sorted, overlaps left out."""
    text, marked, at, position = "", "", [], 0
    for start, end, new in edits:
        if start < position:
            continue
        text += folded.text[position:start] + new
        marked += folded.marked[position:start] + new
        at += list(folded.at[position:start]) + [folded.at[min(start + i, end - 1)] for i in range(len(new))]
        if new:
            at[-1] = folded.at[end - 1]
        position = end
    at += list(folded.at[position:])
    return Folded(folded.raw, marked + folded.marked[position:], text + folded.text[position:], at)


def plain(text: str) -> str:
    """Return ``text`` folded, without markup, in lower case: the form in which texts are compared."""
    return lower(fold(text).text)
