"""Answers that stand by themselves: the whole reply, its opening, its last line."""

from __future__ import annotations

import re
from itertools import pairwise

from benchctl.answers import lexicon
from benchctl.answers.claim import SURE, Claim
from benchctl.answers.copies import copied_behind, copied_whole
from benchctl.answers.phrases import WORD_END, any_of
from benchctl.answers.polar import polar_value
from benchctl.answers.sentences import asks, loops
from benchctl.answers.truth import truth_value
from benchctl.answers.units import other_letter
from benchctl.answers.values import Case, Value, exact_text, value_at
from benchctl.answers.words import NEGATIONS, same_word, tokens

_NUMBERED = re.compile(r"(?<![\w.,])(\d{1,2})[.)]\s+(?=[^\W\d_])")
_ITEM = re.compile(r"\W*([A-Z])\s*[).:-]")
_NUMBER = re.compile(r"\W*\d{1,2}\s*[ºª]?[.):-]+\s*(?=[(\"'*]*[A-Ha-h](?:\W|$))")
_REASONS = any_of(
    """pois / porque / por / ja que / since / because / as / uma vez / visto / dado / ya que / e nao / and not /
        mas / but / porem / embora / apesar"""
)
_CLOSED = re.compile(rf"\s*(?:[().:\]!?\"'}}>|/,;\n]|-(?![^\W_])|$|{_REASONS}{WORD_END}|\s+de\s+\w+\W*$)")
_TAIL = (", entao", ", portanto", ", logo", " mesmo", ", claro", ", certo", ", ne", ", pronto", ", sem duvida")
_ITEM_NAMED = re.compile(r"\W*(?:a\s+|o\s+)?(?:alternativa|opcao|letra|item|option)\s+[a-h]\b")
_OPENS = re.compile(r"[\"'*\s]*(?:sim|nao|talvez|yes|no|maybe|si|quizas?)(?:[,;]|\s+[-–—])\s")
_MARKED = ("letter", "ordinal")
_LATE = 3  # sentences that are the end of a reply
_VERBS = any_of("é / sao / foi / esta / tem / causa / is / are / was / has / causes / es / son / tiene")
_STATES = re.compile(rf"\s+{_VERBS}{WORD_END}")
_GROUNDS = any_of(
    """pois / porque / ja que / uma vez que / visto que / dado que / since / because / ya que / e nao / and not / y no /
    seguid[ao]s? (d[aeo]s?|por|pel[ao]) / enquanto / ao passo que / whereas / while / mientras"""
)
_ADDED = re.compile(
    r"\s*,\s*(?:que|cuj[ao]s?|[ao]s?\s+qua(?:l|is)|which|whose|\w{3,}(?:ad|id)[ao]s?\s+(?:por|pel[ao]s?|com|em|n[ao]s?|d[ao]s?|a))"
    r"\s[^,;]*$"
)  # what is added to a name and ends the sentence: 'O supraespinhoso, inervado pelo supraescapular'
_NOR = re.compile(r"\s*[:,;.]\s*(?:nem|nor|ni)\b")  # 'nenhuma destas: nem primo, nem empregado'
_GROUNDED = re.compile(rf"\s*[,(]?\s*{_GROUNDS}{WORD_END}")
_HESITATES = re.compile(
    rf"\W*(?:{any_of('fico / estou / fiquei / em duvida / na duvida')}\s+)*{any_of('entre / between')}\s"
)
_INLINE = re.compile(r"(?:^|[\s;,])\(?([A-Z])\s?[):]")
_BRACKETS = re.compile(r"\s*\([^()]{1,80}\)")
_ASIDE = re.compile(r"\W*\([^)]*\)?")


def opening_claims(case: Case, sentences: list[tuple[int, int]]) -> list[Claim]:
    """Return the claims of the first and the last sentence taken as answers of their own."""
    found = [_lead(case, sentences)]
    if len(sentences) > 1:
        found += [_last_line(case, sentences), _at_the_end(case, sentences)]
    return [claim for claim in found if claim is not None]


def _lead(case: Case, sentences: list[tuple[int, int]]) -> Claim | None:
    start, end = sentences[0]
    number = _NUMBER.match(case.text, start, end)
    start = number.end() if number else start
    if _HESITATES.match(case.low, start, end):
        return None
    value = copied_whole(case, sentences[0][0]) or truth_value(case, sentences[0][0])
    if value:
        return Claim(SURE, "whole", value, value.start, value.end)
    value = value_at(case, start, end)
    single = len(sentences) == 1
    copied = value is not None and copied_behind(case, value) is not None
    if value is None or (asks(case.low[start:end]) and not copied and not (single and value.kind in _MARKED)):
        return None
    foreign = bool(case.options.polar) and value.beyond  # 'Alternativa B) não ...' where there are no letters
    neither = value.kind == "none" and _NOR.match(case.low, value.end)
    no = value.kind != "polar" and not foreign and not neither and not copied  # 'B) Não' is an option, no rejection
    if no and lexicon.WRONG_AFTER.match(case.low, value.end, end):
        return None
    if value.kind == "letter" and not _stands(case, sentences, value):
        return None
    if value.kind == "all" and case.question.negative:
        return None  # 'todas são fatores de risco': none stands out
    if value.kind in ("number", "ordinal") and len(set(_NUMBERED.findall(case.text))) > 2:
        return None  # a list of its own
    if value.kind == "statements" and not single:
        return None  # others are judged after it
    if value.kind == "text" and _qualified(case, value, start):
        return None
    if value.kind == "text" and other_letter(case, value, start, end):
        return None
    if value.kind in ("text", "all"):
        looping = loops(case.between(start, end))
        past = _past_aside(case, value.end)
        grounded = (_GROUNDED.match(case.low, past, end) or _ADDED.match(case.low, past, end)) and not tokens(
            case.text[start : value.start]
        )
        if (
            len(set(_INLINE.findall(case.text))) > 1
            or looping
            or not (grounded or covers(case, value, start, end))
            or _lists_all(case, value)
        ):
            return None
        value = _with_next(case, value, sentences)
    if value.kind == "statements":
        return Claim(SURE, "statements", value, value.start, value.end)
    rule = "whole" if single and covers(case, value, start, end) else "lead"
    return Claim(SURE, rule, value, value.start, value.end)


def _past_aside(case: Case, position: int) -> int:
    """Return where an aside in brackets ends that begins at ``position``, else ``position``."""
    aside = _BRACKETS.match(case.low, position)
    return aside.end() if aside else position


def _qualified(case: Case, value: Value, start: int) -> bool:
    """Tell whether words before the text deny it, or the reply says that it means two."""
    before = set(re.findall(r"\w+", case.low[start : value.start]))
    negated = any(case.options.by_label(label).negated for label in value.labels)
    return bool(before & NEGATIONS and not negated) or (
        len(value.labels) == 1 and lexicon.BOTH.search(case.low) is not None
    )


def _lists_all(case: Case, value: Value) -> bool:
    """Tell whether the value is only the list of every option's text, said over."""
    return value.kind == "text" and len(value.labels) == len(case.options.options) > 2


def _stands(case: Case, sentences: list[tuple[int, int]], value: Value) -> bool:
    """Tell whether an opening letter is an answer: closed by something, and not the first item of a list."""
    every = len(value.labels) == len(case.options.options) > 2
    spelled = value.dressed and len(sentences) == 1 and len(case.low.split()) < 7  # 'Letra E de elefante'
    return not every and not _lists(case, sentences, value) and (spelled or bool(_CLOSED.match(case.low, value.end)))


def _with_next(case: Case, value: Value, sentences: list[tuple[int, int]]) -> Value:
    """Add the option that the next sentence consists of: 'Digoxina; bisoprolol' names two."""
    if len(sentences) != 2 or len(value.labels) != 1:
        return value
    other = value_at(case, *sentences[1])
    if other is None or other.kind != "text" or other.labels == value.labels or not covers(case, other, *sentences[1]):
        return value
    return Value((*value.labels, *other.labels), False, "text", value.start, other.end)


def covers(case: Case, value: Value, start: int, end: int) -> bool:
    """Tell whether the stretch holds hardly anything but the value; an aside in brackets behind it does not count."""
    if value.kind == "text" and _STATES.match(case.low, value.end, end):
        return False  # 'O nervo vago é visceral' says something about the option
    said = case.between(start, end)
    aside = _ASIDE.match(case.low, value.end, end)
    stop = aside.end() if aside else value.end
    outside = [t for t in said if not value.start <= t.start < stop and t.key not in lexicon.META]
    inside = len(said) - len(outside)
    if len(value.labels) > 1:
        return not [t for t in outside if not any(same_word(t.key, k) for k in case.question.keys)]
    return len(outside) <= max(0, (inside + 1) // 2 - (inside <= 1))


def _lists(case: Case, sentences: list[tuple[int, int]], value: Value) -> bool:
    """Tell whether the reply goes through several alternatives, one item each, beginning with this one."""
    items = [m[1] for s, e in sentences if (m := _ITEM.match(case.text, s, e))]
    inline = _INLINE.findall(case.text)
    if value.beyond:
        return len(set(items)) > 1
    if len(set(items)) < 2 and len(set(inline)) < 3:
        return False
    first = (items or inline)[0]
    return first == min(case.options.letters, default="A") or len(set(items)) >= len(case.options.letters)


def _last_line(case: Case, sentences: list[tuple[int, int]]) -> Claim | None:
    (before, until), (start, end) = sentences[-2:]
    line = case.low[start:end].strip(" *_.\"'()[]")
    value = None if asks(case.low[start:end]) or len(line) > 60 else value_at(case, start, end)
    if value is None or _ITEM.match(case.text, before, until) or lexicon.WRONG_AFTER.match(case.low, value.end, end):
        return None
    rest = case.low[value.end : end].strip(" .)]\"'!*:")
    rest = "" if rest in _TAIL else rest
    listed = [s for s, e in sentences[:-1] if _ITEM_NAMED.match(case.low, s, e)]
    if value.kind == "letter" and len(listed) > 1 and case.low.rstrip()[-1:].isalnum():
        return None  # broken off at the head of the next item
    claim = Claim(SURE, "last-line", value, value.start, value.end)
    if value.kind == "polar" or (value.kind == "none" and not case.question.negative):
        return claim if rest == "" else None
    if value.kind == "letter":
        return claim if rest == "" or (value.dressed and _CLOSED.match(case.low, value.end)) else None
    cut = "\n" not in case.text[until : start + 1] and line == case.low[start:end].strip()  # broken off mid-sentence
    bare = exact_text(case, start, end) is not None and all(exact_text(case, s, e) is None for s, e in sentences[:-1])
    others = bare and not any(m.label in value.labels for m in case.matches if m.start < until)
    alone = others or not any(m.start < until for m in case.matches)
    return claim if value.kind == "text" and alone and not cut and covers(case, value, start, end) else None


def _at_the_end(case: Case, sentences: list[tuple[int, int]]) -> Claim | None:
    """Return the answer that a sentence near the end opens with ('Não, os dados não o sustentam. Faltam estudos.').

    Where several do and differ, as in a list of what each would mean, none is the answer; nor is a reply to a question
    that the writer puts.
    """
    said = sentences if case.options.polar else []
    opened = [
        value
        for (before, until), (start, end) in pairwise(said)
        if _OPENS.match(case.low, start, end)
        and not asks(case.low[before:until]) and not asks(case.low[start:end])
        and (value := polar_value(case, start, end))
    ]  # fmt: skip
    late = [value for value in opened if value.start >= sentences[-_LATE:][0][0]]
    if not late or len({value.labels for value in opened}) > 1:
        return None
    return Claim(SURE, "last-line", late[-1], late[-1].start, late[-1].end)
