"""Options marked in a list: a tick, a box, V/F beside each letter, '(correta)' at the end of a line."""

from __future__ import annotations

import re

from benchctl.answers.phrases import any_of
from benchctl.answers.values import Case, Value, combination

_TICK = r"(?:\[\s*[xX]\s*\]|\(\s*[xX]\s*\)|[✅✔✓☑])"
_TICKED = re.compile(rf"{_TICK}[^\S\n]*(?:(?:alternativa|letra|opcao|option)\s+)?\(?([A-Ja-j])(?![^\W_])", re.I)
_RIGHT = any_of(
    "cert[ao] / verdadeir[ao] / corret[ao] / correct[ao]? / permitid[ao] / segur[ao] / true / right / sim / yes / si"
)
_WRONG = any_of(
    "errad[ao] / fals[ao] / contraindicad[ao] / proibid[ao] / incorret[ao] / incorrect[ao]? / false / wrong / nao / no"
)
_SIGN = r"[✅✔✓☑❌✗✘✖]"
_JUDGED = re.compile(
    r"(?<![^\W_])(?:[(|][^\S\n]*)?([A-J](?![^\W_])|[a-j](?=[)]))[^\S\n]*\)*[^\S\n]*(?P<sign>[-.:=(\[|>]+)?[^\S\n]*"
    rf"(?:(?P<right>(?(sign)[VTC]|[VT])|(?i:{_RIGHT})|[✅✔✓☑])|(?P<wrong>(?(sign)[FE]|F)|(?i:{_WRONG})|[❌✗✘✖]))"
    r"(?![^\W_])[^\S\n]*[)\]|]*[^\S\n]*(?=$|[,;.:\n-]|(?i:e|pois|porque|because)\s|\(?[A-J](?![^\W_])|\(?[a-j][)])",
    re.M,
)
_SPELT = re.compile(r"\W*(?:[VF]\W*){3,8}")
_TRUTH = r"(?<![^\W_])(?:[VF]|[Vv]erdadeir[ao]|[Ff]als[ao])(?![^\W_])"
_SEQUENCE = re.compile(rf"(?:(?<![^\W_])[VF]{{3,8}}(?![^\W_])|{_TRUTH}(?:[\s,;/|().-]{{0,4}}(?:e\s+)?{_TRUTH}){{2,7}})")
_ITEM_LINE = re.compile(r"^[ \t]*\W{0,3}([A-Ja-j])\s*[).:-]+[^\n]*$", re.M)
_CALLED_RIGHT = re.compile(
    r"[(\[:>-]\s*(?:(?:resposta|alternativa|opcao|answer|option)\s+)?(?:corret[ao]|cert[ao]|verdadeir[ao]|correct[ao]?|"
    r"right|gabarito|answer|resposta|true)\s*[)\].!*]*\s*$|[✅✔✓☑]\W*$|<\s*-+.*$",
    re.I,
)
_ITEM = re.compile(r"(?:^|[\s;,.|])\(?([A-Ja-j])\s?[).:]\s*(?=\S)", re.M)
_DENIES = re.compile(rf"\b(?:{any_of('nao / not / no / nunca / nem / never')})\b|\b(?:incorre[ct]|errad|fals|wrong)")


def marked_value(case: Case) -> Value | None:
    """Return the option, or the options, that a list marks as right; None where nothing is marked, or everything.

    Where the question asks for the wrong one, the only option with the opposite verdict is the one.
    """
    for find in (_judged, _ticked, _called_right, _denied_items):
        right, wrong, start, end = find(case)
        labels = _decided(case, right & set(case.options.letters), wrong & set(case.options.letters))
        if labels and len(labels) < len(case.options.options):
            return Value(tuple(label for label in case.options.labels if label in labels), False, "letter", start, end)
    return None


_Found = tuple[set[str], set[str], int, int]  # letters called right, letters called wrong, the span
_NOTHING: _Found = (set(), set(), 0, 0)


def _decided(case: Case, right: set[str], wrong: set[str]) -> set[str]:
    """Return the labels that the verdicts settle on."""
    letters = case.options.letters
    if case.question.negative and wrong and len(right) != 1:
        return {letters[n] for n in wrong}
    if case.question.negative and not wrong and len(right) == len(letters) - 1 > 1:
        return {letters[n] for n in letters if n not in right}
    if not right and len(wrong) == len(letters) - 1 > 1:
        return {letters[n] for n in letters if n not in wrong}
    combined = combination(case.options, frozenset(right)) if len(right) > 1 else None
    return {combined} if combined else {letters[n] for n in right}


def sequence_value(case: Case) -> Value | None:
    """Return the option that is the only sequence of V and F said, in any separators, or an invented one.

    None where the options are no such sequences, where several differ, where it is cut short or denied.
    """
    wanted = {o.label: "".join(re.findall(r"[A-Za-z]+", o.text)).upper() for o in case.options.options}
    sizes = {len(w) for w in wanted.values()}
    if len(sizes) != 1 or not all(re.fullmatch("[VF]{3,8}", w) for w in wanted.values()):
        return None
    runs = [m for m in _SEQUENCE.finditer(case.text) if len(_truths(m[0])) >= min(sizes)]
    if len({_truths(m[0]) for m in runs}) != 1 or _DENIES.search(
        case.low[max(0, runs[0].start() - 20) : runs[0].start()]
    ):
        return None
    labels = tuple(label for label, said in wanted.items() if said == _truths(runs[0][0]))
    return Value(labels, not labels, "text", runs[-1].start(), runs[-1].end())


def _truths(run: str) -> str:
    return run if re.fullmatch("[VF]+", run) else "".join(m[0][0].upper() for m in re.finditer(_TRUTH, run))


def _judged(case: Case) -> _Found:
    if _SPELT.fullmatch(case.text.strip()):
        letters = [(m[0], m.start()) for m in re.finditer("[VF]", case.text)]
        if len(letters) != len(case.options.letters):
            return _NOTHING
        named = dict(zip(case.options.letters, (c for c, _ in letters), strict=True))
        right = {n for n, c in named.items() if c == "V"}
        return right, set(named) - right, letters[0][1], letters[-1][1] + 1
    judged = list(_JUDGED.finditer(case.text))
    if len({m[1].upper() for m in judged}) < max(3, len(case.options.letters) - 1) or _sign_first(case.text):
        return _NOTHING
    right = {m[1].upper() for m in judged if m["right"]}
    return right, {m[1].upper() for m in judged} - right, judged[0].start(), judged[-1].end()


def _sign_first(text: str) -> bool:
    """Tell whether each sign stands before its letter ('❌ A ✅ B')."""
    first = re.search(rf"{_SIGN}|(?<![^\W_])[A-J](?![^\W_])", text)
    return first is not None and re.fullmatch(_SIGN, first[0]) is not None


def _ticked(case: Case) -> _Found:
    if re.search("[❌✗✘✖]", case.text) and not _sign_first(case.text):
        return _NOTHING
    return _span(list(_TICKED.finditer(case.text)))


def _called_right(case: Case) -> _Found:
    lines = list(_ITEM_LINE.finditer(case.text))
    return _span([m for m in lines if _CALLED_RIGHT.search(m[0])]) if len(lines) > 1 else _NOTHING


def _span(found: list[re.Match[str]]) -> _Found:
    return ({m[1].upper() for m in found}, set(), found[0].start(), found[-1].end()) if found else _NOTHING


def _denied_items(case: Case) -> _Found:
    """Return the one item of a whole list that says 'não', or the one that does not, as the question wants it."""
    items = list(_ITEM.finditer(case.text))
    if [m[1].upper() for m in items] != list(case.options.letters) or len(items) < 3:
        return _NOTHING
    ends = [*(m.start() for m in items[1:]), len(case.text)]
    bodies = {m[1].upper(): case.low[m.end() : end] for m, end in zip(items, ends, strict=True)}
    denied = {n for n, body in bodies.items() if _DENIES.search(body)}
    negated = any(o.negated for o in case.options.options)
    short = all(len(body.split()) < 20 for body in bodies.values())
    wanted = len(denied) == 1 if case.question.negative else len(denied) == len(bodies) - 1
    if negated or not short or not wanted:
        return _NOTHING
    return set(bodies) - denied, denied, items[0].start(), ends[-1]
