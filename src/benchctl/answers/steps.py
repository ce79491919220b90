"""The rules in the order in which they are asked. Each looks at the whole reply; the first that answers decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchctl.answers import rest
from benchctl.answers.claim import CONCLUDED, MADE_UP, SURE, Claim
from benchctl.answers.copies import copied_behind
from benchctl.answers.headed import headed_value
from benchctl.answers.inventions import made_up_text, named_first, not_listed
from benchctl.answers.marks import marked_value, sequence_value
from benchctl.answers.mentions import NO_AFTER, mentions
from benchctl.answers.numerals import in_range, number_asked_for, numbers_in_order
from benchctl.answers.polar import echoes_choices, last_word, predicate_value, reported_word
from benchctl.answers.reading import INVENTED, NONE, REFUSAL, Reading
from benchctl.answers.refusal import refusal_span
from benchctl.answers.sentences import asks, begun_again, breaks_off, loops
from benchctl.answers.statements import statements_value
from benchctl.answers.values import Case, Value, combination, outcome_of, read_as
from benchctl.answers.weighing import weighed

_PLACEHOLDER = re.compile(
    r"[\[<{]\s*(?:inserir|insira|coloque|sua|letra|alternativa|opcao|resposta|escolha|preench|insert|your|letter|"
    r"option|answer|x+)\b[^\]>}\n]{0,40}[\]>}]\W*\Z"
)
_BARE_LIST = re.compile(r"(?:\W*[A-La-l](?![^\W_])(?:\W+(?:e|ou|and|or)(?![^\W_]))?){3,12}\W*")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in scope with its sentences and what they claim, in order of position."""

    case: Case
    sentences: list[tuple[int, int]]
    claims: list[Claim]


def first_reading(reply: Reply) -> Reading:
    """Return what the first rule that applies says; ``none`` where no rule does."""
    for step in STEPS:
        reading = step(reply)
        if reading is not None:
            return reading
    return outcome_of(reply.case, NONE, "unread")


def _bare_list(reply: Reply) -> Reading | None:
    """The letters of all options and nothing else choose none of them."""
    case = reply.case
    if case.options.polar and echoes_choices(case.low):
        return outcome_of(case, NONE, "unread")
    named = set(re.findall(r"[A-L]", case.text.upper()))
    judged = re.search("[✅✓✔☑❌✗✘]", case.folded.marked)
    if _PLACEHOLDER.search(case.low):
        return outcome_of(case, NONE, "unread")
    listed = not judged and set(case.options.letters) <= named and _BARE_LIST.fullmatch(case.text.strip())
    if listed and case.options.all_label is None:
        return outcome_of(case, NONE, "unread")
    return None


def _marked(reply: Reply) -> Reading | None:
    value = marked_value(reply.case)
    if value is None or any(_settles(c) and c.start >= value.end for c in reply.claims):
        return None
    return read_as(reply.case, value, "verdict", value.start, value.end)


def _settles(claim: Claim) -> bool:
    """Tell whether the claim announces one option by its letter: it outdoes the list before it."""
    announced = claim.rank == SURE and not claim.negative and claim.rule in ("head", "choosing", "correction")
    return announced and claim.value.kind in ("letter", "ordinal") and not claim.value.beyond


def _headed(reply: Reply) -> Reading | None:
    value = headed_value(reply.case)
    return read_as(reply.case, value, "verdict", value.start, value.end) if value else None


def _shares(reply: Reply) -> Reading | None:
    value = rest.highest_share(reply.case)
    return read_as(reply.case, value, "probabilities", value.start, value.end) if value else None


def _announced(reply: Reply) -> Reading | None:
    """The last firm claim wins; a self-correction outdoes what stands before it."""
    sure = [c for c in reply.claims if c.rank == SURE and not c.negative and not _taken_back(reply.case, c)]
    corrections = [c for c in sure if c.rule == "correction"]
    if corrections:
        sure = [c for c in sure if c.start >= corrections[-1].start and c.rule != "verdict"]
    announced = [c for c in sure if c.rule != "verdict"]
    inner = _inside_others({(c.value.start, c.value.end) for c in announced if c.value.kind == "text"})
    announced = [c for c in announced if c.value.kind != "text" or (c.value.start, c.value.end) not in inner]
    last = announced[-1].value.start if announced else 0
    also = _also_right(reply, announced)
    if also:
        return also
    same = [c for c in announced if c.value.start == last]  # the one that begins first has the announcing words in it
    claim = same[0] if same else _verdicts(reply.case, sure)
    if claim and claim.value.kind == "all" and reply.case.question.negative and len(claim.value.labels) > 1:
        return outcome_of(reply.case, INVENTED, claim.rule, claim.start, claim.end)  # none is the exception
    return read_as(reply.case, claim.value, claim.rule, claim.start, claim.end) if claim else None


def _inside_others(spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the spans that lie in longer ones: '90°' in '45°, 90°'."""
    found, reach = set(), -1
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end <= reach:
            found.add((start, end))
        reach = max(reach, end)
    return found


def _taken_back(case: Case, claim: Claim) -> bool:
    """Tell whether a 'não' of its own follows the claim ('acho que é o deltoide... não, ele age depois')."""
    denies = not case.options.polar and NO_AFTER.match(case.low, claim.end) is not None
    return denies and copied_behind(case, claim.value) is None


def _also_right(reply: Reply, announced: list[Claim]) -> Reading | None:
    """Return both, where one option is announced and another is called right as well ('C, mas a A também está
    certa')."""
    case, labels = reply.case, {label for c in announced for label in c.value.labels}
    if len(labels) != 1 or case.options.polar:
        return None
    for claim in reply.claims:
        others = [label for label in claim.value.labels if label not in labels]
        if claim.rule == "verdict" and not claim.negative and others and claim.start > announced[-1].end:
            said = case.low[max(0, claim.start - 12) : claim.end + 30]
            if re.search(r"\b(?:tambem|also|igualmente)\b", said):
                start, end = announced[-1].start, claim.end
                return read_as(case, Value((*labels, *others), False, "letter", start, end), "both", start, end)
    return None


def _verdicts(case: Case, right: list[Claim]) -> Claim | None:
    """Options that are only called right side by side are several; where the wrong one is asked for, the rest is it."""
    labels = tuple(dict.fromkeys(label for c in right for label in c.value.labels))
    if not right or len(labels) < 2:
        return right[-1] if right else None
    start, end, rule = right[0].start, right[-1].end, "verdict"
    left = tuple(label for label in case.options.labels if label not in labels)
    combined = combination(case.options, frozenset(k for k, v in case.options.letters.items() if v in labels))
    if case.question.negative and len(left) == 1:
        labels, rule = left, "elimination"
    elif combined:
        labels = (combined,)
    return Claim(SURE, rule, Value(labels, False, "letter", start, end), start, end)


def _refused(reply: Reply) -> Reading | None:
    span = refusal_span(reply.case.low)
    if span and _only_disclaims(reply, span):
        return None
    return outcome_of(reply.case, REFUSAL, "refusal", *span) if span else None


def _only_disclaims(reply: Reply, span: tuple[int, int]) -> bool:
    """Tell whether it only says that it replaces no doctor, and goes on to name one option."""
    case, sentences = reply.case, reply.sentences
    start, end = next(((s, e) for s, e in sentences if s <= span[0] < e), span)
    if case.options.polar or not re.search(r"\bsubstitu", case.low[start:end]):
        return False
    later = [m for s, e in sentences if s >= end for m in mentions(case, s, e) if m.stance > 0]
    return len({m.label for m in later}) == 1


def _polar(reply: Reply) -> Reading | None:
    """Yes/no/maybe tasks end here: what is left has no option texts to be found."""
    case, sentences = reply.case, reply.sentences
    if not case.options.polar:
        return None
    for start, end in reversed(sentences):
        value = None if asks(case.low[start:end]) else last_word(case, start, end)
        if value:
            return read_as(case, value, "conclusion", start, end)
    value = None if loops(case.words) else predicate_value(case, sentences)
    if value:
        return read_as(case, value, "predicate", value.start, value.end)
    for start, end in reversed(sentences):
        value = None if asks(case.low[start:end]) else reported_word(case, start, end)
        if value:
            return read_as(case, value, "conclusion", start, end)
    span = made_up_text(case, sentences)
    if span and len(case.low.split()) <= 4 and re.search(r"\d", case.low):
        return outcome_of(case, INVENTED, "invented-text", *span)
    return outcome_of(case, NONE, "unread")


def _statements(reply: Reply) -> Reading | None:
    value = statements_value(reply.case, reply.sentences)
    return read_as(reply.case, value, "statements", value.start, value.end) if value else None


def _loop(reply: Reply) -> Reading | None:
    """A loop chooses nothing, unless it is one commitment over and over."""
    looping = loops(reply.case.words) or begun_again(reply.case.low, reply.sentences)
    return (_letter(reply) or outcome_of(reply.case, NONE, "unread")) if looping else None


def _both(reply: Reply) -> Reading | None:
    value = rest.both_texts(reply.case, reply.claims)
    return read_as(reply.case, value, "both", value.start, value.end) if value else None


def _concluded(reply: Reply) -> Reading | None:
    """The later of the last conclusion and the last announced text that no option has."""
    made_up, claim = rest.last_of(reply.claims, MADE_UP), rest.last_of(reply.claims, CONCLUDED)
    if made_up and (claim is None or claim.start <= made_up.start):
        claim = None if breaks_off(reply.case.low) else made_up
    return read_as(reply.case, claim.value, claim.rule, claim.start, claim.end) if claim else None


def _letter(reply: Reply) -> Reading | None:
    if reply.case.low.rstrip().endswith(":"):
        return None  # broken off at the head of an item
    claim = rest.marked_letter(reply.claims, len(reply.case.options.options))
    if claim and _in_passing(reply, claim):
        return None
    return read_as(reply.case, claim.value, claim.rule, claim.start, claim.end) if claim else None


def _in_passing(reply: Reply, claim: Claim) -> bool:
    """Tell whether the letter only labels a text ('o radial (A) dá mão caída') and another option is spoken for."""
    case, at = reply.case, claim.value.start
    if case.options.polar or at < 2 or case.text[at - 1] not in "([" or not case.text[: at - 1].rstrip()[-1:].isalnum():
        return False
    found = [m for s, e in reply.sentences if not asks(case.low[s:e]) for m in mentions(case, s, e)]
    own = [m for m in found if m.label in claim.value.labels]
    refused = {label for c in reply.claims if c.negative for label in c.value.labels}
    others = any(m.stance > 0 and m.label not in (*claim.value.labels, *refused) for m in found)
    return others or (bool(own) and all(m.stance < 0 for m in own))


def _eliminated(reply: Reply) -> Reading | None:
    case = reply.case
    if case.question.negative:
        none = rest.no_exception(case)
        if none:
            return read_as(case, none, "verdict", none.start, none.end)
        several = rest.several_wrong(reply.claims)
        if several:
            return read_as(case, several.value, "verdict", several.start, several.end)
        wrong = rest.called_wrong(case, reply.claims)
        if wrong:
            return read_as(case, wrong.value, "verdict", wrong.start, wrong.end)
        spared = rest.spared(case, reply.sentences)
        if spared:
            return read_as(case, spared, "elimination", spared.start, spared.end)
    value = rest.by_elimination(case, reply.claims)
    return read_as(case, value, "elimination", value.start, value.end) if value else None


def _named(reply: Reply) -> Reading | None:
    other = named_first(reply.case, reply.sentences)
    if other:
        return outcome_of(reply.case, INVENTED, "invented-text", *other)
    found = rest.affirmed_text(reply.case, reply.claims, reply.sentences)
    return read_as(reply.case, found.value, found.rule, found.start, found.end) if found else None


def _in_order(reply: Reply) -> Reading | None:
    value = numbers_in_order(reply.case) or number_asked_for(reply.case) or in_range(reply.case)
    return read_as(reply.case, value, "sole-text", value.start, value.end) if value else None


def _weighed(reply: Reply) -> Reading | None:
    rejected = {label for c in reply.claims if c.negative for label in c.value.labels}
    value = weighed(reply.case, reply.sentences, rejected)
    return read_as(reply.case, value, "weighed", value.start, value.end) if value else None


def _sequence(reply: Reply) -> Reading | None:
    """A sequence of true and false, where the options are such; a letter announced outdoes it."""
    if any(_settles(c) for c in reply.claims):
        return None
    value = sequence_value(reply.case)
    rule = "sole-text" if value and value.labels else "invented-text"
    return read_as(reply.case, value, rule, value.start, value.end) if value else None


def _made_up(reply: Reply) -> Reading | None:
    unlisted = None if reply.case.options.none_label else not_listed(reply.case)
    if unlisted:
        return read_as(reply.case, unlisted, "invented-text", unlisted.start, unlisted.end)
    span = made_up_text(reply.case, reply.sentences)
    return outcome_of(reply.case, INVENTED, "invented-text", *span) if span else None


STEPS: tuple[Callable[[Reply], Reading | None], ...] = (
    _bare_list,
    _sequence,
    _marked,
    _headed,
    _shares,
    _announced,
    _refused,
    _polar,
    _statements,
    _loop,
    _both,
    _concluded,
    _letter,
    _eliminated,
    _named,
    _in_order,
    _weighed,
    _made_up,
)
