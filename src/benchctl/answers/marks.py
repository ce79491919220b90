"""Options marked in a list: a tick, a box, V/F beside each letter, '(correta)' at the end of a line."""

from __future__ import annotations

import re

from benchctl.answers.values import Case, Value

_TICK = r"(?:\[\s*[xX]\s*\]|\(\s*[xX]\s*\)|[✅✔✓☑])"
_TICKED = re.compile(rf"{_TICK}[^\S\n]*(?:(?:alternativa|letra|opcao|option)\s+)?\(?([A-Ja-j])(?![^\W_])", re.I)
_TRUE_FALSE = re.compile(
    r"(?<![^\W_])\(?([A-J])\s?[).:]*\s*[-=(\[:]*\s*(?:(V|T|C|certo|verdadeir[ao]|true|sim|yes|[✅✔✓☑])|(F|E|errado|fals[ao]|false|nao|no|[❌✗✘]))(?![^\W_])\s*[)\]]?\s*(?=$|[,;.\n]|\(?[A-J](?![^\W_]))",
    re.M,
)
_ITEM_LINE = re.compile(r"^[ \t]*\W{0,3}([A-Ja-j])\s*[).:-]+[^\n]*$", re.M)
_CALLED_RIGHT = re.compile(
    r"[(\[:>-]\s*(?:(?:resposta|alternativa|opcao|answer|option)\s+)?(?:corret[ao]|cert[ao]|verdadeir[ao]|correct[ao]?|right|gabarito|answer|resposta|true)\s*[)\].!*]*\s*$|[✅✔✓☑]\W*$|<\s*-+.*$",
    re.I,
)


def marked_value(case: Case) -> Value | None:
    """Return the option, or the options, that a list marks as right; None where nothing is marked, or everything."""
    for find in (_ticked, _true_false, _called_right):
        found = find(case)
        labels = {case.options.letters[n] for n, _, _ in found if n in case.options.letters}
        if found and labels and len(labels) < len(case.options.options):
            ordered = tuple(label for label in case.options.labels if label in labels)
            return Value(ordered, False, "letter", found[0][1], found[-1][2])
    return None


_Found = list[tuple[str, int, int]]


def _ticked(case: Case) -> _Found:
    return [(m[1].upper(), m.start(), m.end()) for m in _TICKED.finditer(case.text)]


def _true_false(case: Case) -> _Found:
    spelt = re.fullmatch(r"\W*(?:[VF]\W*){3,8}", case.text.strip())
    letters = [c for c in case.text if c in "VF"]
    if spelt and len(letters) == len(case.options.letters):
        at = case.text.index(letters[0])
        return [(n, at, at + 1) for n, c in zip(case.options.letters, letters, strict=True) if c == "V"]
    judged = list(_TRUE_FALSE.finditer(case.text))
    if len({m[1] for m in judged}) < max(3, len(case.options.letters) - 1):
        return []
    return [(m[1], m.start(), m.end()) for m in judged if m[2]]


def _called_right(case: Case) -> _Found:
    lines = list(_ITEM_LINE.finditer(case.text))
    if len(lines) < 2:
        return []
    return [(m[1].upper(), m.start(), m.end()) for m in lines if _CALLED_RIGHT.search(m[0])]
