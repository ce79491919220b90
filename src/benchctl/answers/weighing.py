"""The last look at a reply that announces nothing: which option alone its clauses speak for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from benchctl.answers.asked import shared_words
from benchctl.answers.mentions import AGAINST, BORDER, FOR, Mention, joined, mentions, one_of_list
from benchctl.answers.sentences import asks, breaks_off
from benchctl.answers.values import Case, Value

_TURN = re.compile(r"[,;.]\s*(?:mas|porem|contudo|todavia|entretanto|no\s+entanto|but|however|pero)\b")
_SERVES = re.compile(
    r"\s*,?\s*(?:(?:é|sao|is|are|serve\w*|fica\w*)\s+)?(?:para|for)\s+\w|\s+(?:é|sao|is|are)\s+(?:d[aeo]s?|of)\s+\w|\s+(?:trata|reverte|"
    r"antagoniza|da|dao|causa|cobre|treats|reverses)\w*\s+\w"
)  # what an option is for: 'naloxona é para opioide', 'flumazenil reverte benzodiazepínicos'
_CLOSES = re.compile(r"\W*(?:(?:sim|si|yes)\W*)?")  # nothing more, or 'a cistoscopia, sim'
_LIMITS = re.compile(
    r"\b(?:tambem|so|apenas|somente|only|also|solo|nao|not|outr[ao]s?|se\s+(?:for|o|a|houver|nao)|if|quando)\b"
)
NEW_CLAUSE = re.compile(r"\be\s+[ao]s?\s+\Z")
"""Before an option's text at the end of a reply: a text cut there has only begun to speak of the option."""


def weighed(case: Case, sentences: Sequence[tuple[int, int]], rejected: set[str]) -> Value | None:
    """Return the one option that the reply speaks for, or None where that is not plain.

    One option must be spoken for and no other, or one alone must be led up to ('a droga que salva é a adrenalina')
    in a sentence that names no other in the same way. ``rejected`` are options rejected by letter. A reply that
    breaks off, or asks, is left alone.
    """
    told = _told(case, sentences)
    named = [m for s, e in told for m in mentions(case, s, e)]
    if not named or _unfinished(case, named, told):
        return None
    if case.question.negative:
        return _stands_out(case, told, named)
    found = [m for m in named if m.stance == FOR]
    out = rejected | {m.label for m in named if m.stance == AGAINST}
    standing = [m for m in found if m.label not in out]
    labels = {m.label for m in standing}
    agreed = _all_or_one(case, found, out)
    if agreed:
        return Value((agreed,), False, "text", named[0].start, named[-1].end)
    if len(labels) > 1:
        led = [m for m in standing if m.leading]
        standing = led if len({m.label for m in led}) == 1 else _turned_to(case, standing) or led
        labels = {m.label for m in standing}
    if len(labels) != 1:
        beside = _beside_question(case, [m for m in found if m.label not in out], told)
        if labels:
            return None
        return _text(beside[-1]) if beside else _unsaid(case, named, told)
    if standing != found and _turned_to(case, [m for m in found if m.label not in out]) == standing:
        return _text(standing[-1])
    others = {m.label for m in named} - labels - out
    if (others or len(told) > 1) and not _answers(case, standing[-1], told):
        return None
    listed = len({m.label for m in named}) == 1 and not standing[-1].leading
    if listed and one_of_list(case, standing[-1].start, standing[-1].end):
        return None
    return _text(standing[-1])


def _told(case: Case, sentences: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the sentences, where all of them tell something and they are few; none in a yes/no task."""
    told = [(s, e) for s, e in sentences if not asks(case.low[s:e])]
    copied = all(case.question.copied(case.low[s:e]) for s, e in sentences)
    return [] if case.options.polar or copied or len(told) < len(sentences) or len(told) > 8 else told


def _unfinished(case: Case, named: Sequence[Mention], told: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the reply breaks off before it can be said what it means."""
    if not breaks_off(case.low):
        return False
    ends = not case.low[named[-1].end :].strip()
    several = len(told) > 1 or len({m.label for m in named}) > 1
    return (several and not (named[-1].leading and ends)) or (
        ends and NEW_CLAUSE.search(case.low, 0, named[-1].start) is not None
    )


def _all_or_one(case: Case, found: Sequence[Mention], out: set[str]) -> str | None:
    """Return 'all of the above' where every other is spoken for, or the one left where the others are denied."""
    every = {label for label in case.options.labels if label != case.options.all_label}
    if case.options.all_label and len(every) > 2 and {m.label for m in found} >= every and not out:
        return case.options.all_label
    left = [label for label in case.options.labels if label not in out]
    return left[0] if not found and len(left) == 1 and len(out) > 2 and not breaks_off(case.low) else None


def _unsaid(case: Case, named: Sequence[Mention], told: Sequence[tuple[int, int]]) -> Value | None:
    """Return the one option left unsaid, where every other, three at least, is told to be for something else."""
    said = {m.label for m in named}
    left = [label for label in case.options.labels if label not in said]
    elsewhere = sum(_SERVES.match(case.low, m.end) is not None for m in named)
    if len(left) != 1 or len(said) < 3 or elsewhere < len(said) or len(told) > 3 or breaks_off(case.low):
        return None
    return Value((left[0],), False, "text", told[0][0], told[-1][1])


def _turned_to(case: Case, standing: Sequence[Mention]) -> list[Mention]:
    """Return the last of two options where the sentence turns to it ('muitos pensam em A, mas a certa fica em B')."""
    if len(standing) < 2:
        return []
    before, last = standing[-2], standing[-1]
    turn = _TURN.search(case.low, before.end, last.start)
    weak = turn and _LIMITS.search(case.low, turn.end(), last.end + 40)
    return [last] if turn and not weak and len({m.label for m in standing}) == 2 else []


def _answers(case: Case, mention: Mention, told: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a mention among several sentences answers: led up to, or beside the words that ask."""
    start, end = next((s, e) for s, e in told if s <= mention.start < e)
    said = [t.key for t in case.between(start, end) if not mention.start <= t.start < mention.end]
    last = _CLOSES.fullmatch(case.low, mention.end) is not None and not breaks_off(case.low)
    rivals = [m for s, e in told for m in mentions(case, s, e) if m.label != mention.label]
    if last and rivals and all(m.stance != FOR for m in rivals):
        return True  # 'lactato seria em anaerobiose; com oxigênio, piruvato'
    return mention.leading or len(shared_words(case.question.focus, said)) >= 2


def _beside_question(case: Case, standing: Sequence[Mention], told: Sequence[tuple[int, int]]) -> list[Mention]:
    """Return, of several options, the one in whose clause alone words of the question stand ('na hemofilia A falta
    o VIII; ...')."""
    beside: list[Mention] = []
    listed = {
        place
        for one, other in itertools.pairwise(standing)
        if one.label != other.label and joined(case, one, other)
        for place in (one.start, other.start)
    }
    for mention in standing:
        if mention.start in listed:
            continue  # 'o diferencial inclui A, B e C'
        low, high = next((s, e) for s, e in told if s <= mention.start < e)
        first, last = low, high
        for border in BORDER.finditer(case.low, low, high):
            first = border.end() if border.end() <= mention.start else first
            last = border.start() if border.start() >= mention.end and last == high else last
        said = [t.key for t in case.between(first, last) if not mention.start <= t.start < mention.end]
        if shared_words((f for f in case.question.focus if f[:3] != "tod"), said) or set(said) & {
            w for w in case.question.keys if "+" in w
        }:
            beside.append(mention)
    return beside if len({m.label for m in beside}) == 1 else []


def _stands_out(case: Case, told: Sequence[tuple[int, int]], named: Sequence[Mention]) -> Value | None:
    """Return the option set apart where the question asks for the wrong one: alone denied, or alone left over."""
    denied_ones = {m.label for m in named if m.stance == AGAINST}
    if len(denied_ones) == 1:
        return _text(next(m for m in reversed(named) if m.label in denied_ones and m.stance == AGAINST))
    start, end = told[-1]
    last = [m for m in named if start <= m.start < end]
    earlier = {m.label for m in named if m.start < start}
    alone = {m.label for m in last} - earlier
    apart = len(told) < len(case.options.options)  # one sentence for each option sets none of them apart
    if apart and len(alone) == 1 and len(earlier) == len(case.options.options) - 1 and len(last) == 1:
        return _text(last[0])
    return _text(named[0]) if len({m.label for m in named}) == 1 and len(told) == 1 and not denied_ones else None


def _text(mention: Mention) -> Value:
    return Value((mention.label,), False, "text", mention.start, mention.end)
