"""Reading what a JSON key, an answer tag or a LaTeX box holds."""

from __future__ import annotations

import re
from dataclasses import replace

from benchctl.answers.fields import Field, find_fields
from benchctl.answers.lexicon import META
from benchctl.answers.matching import find_matches
from benchctl.answers.phrases import any_of
from benchctl.answers.reading import INVENTED, MULTIPLE, NONE, REFUSAL, Reading
from benchctl.answers.refusal import refusal_span
from benchctl.answers.values import Case, Value, outcome_of, read_as, value_at
from benchctl.answers.words import Token, tokens

_UNDETERMINED = re.compile(
    r"^n/?a\b|\b"
    + any_of(
        """insufficient / insuficiente / unable / cannot / not (enough|possible|provided|given|listed|applicable) /
        nao (é|e) possivel / nao (sei|ha|informad) / indetermin / unknown / undetermined / unclear /
        depend / inconclusiv / incomplet"""
    )
)


def structured_reading(case: Case) -> Reading | None:
    """Return what the reply's structured answer says, or None where it has none.

    An answer that calls itself final counts before others; several that differ, none of them final, are ``multiple``:
    which of them is meant would be a guess.
    """
    marked = case.folded.marked
    if not any(sign in marked for sign in ("{", "<", "boxed")):
        return None
    found = find_fields(marked)
    final = [f for f in found if f.final] or found
    readings = [_field_reading(case, f) for f in final]
    told = [r for r in readings if r.outcome != NONE] or readings
    refused = refusal_span(case.low) if told and told[-1].outcome == NONE else None
    if refused:  # an empty answer beside an 'error' that declines
        return outcome_of(case, REFUSAL, "refusal", *refused)
    if not told:
        return None
    if len({(r.outcome, r.label) for r in told}) > 1 and not final[0].final:
        return outcome_of(case, MULTIPLE, "structured", final[0].name_start, final[-1].end)
    return told[-1]


def _field_reading(case: Case, field: Field) -> Reading:
    start, end, name = field.start, field.end, field.name_start
    case = _narrowed(case, field)
    low = case.low[start:end].strip(" \n\"'.*")
    value = value_at(case, start, end)
    if not re.search(r"[^\W_]", low) or (value is None and all(t.key in META for t in tokens(low, keep_stop=True))):
        return outcome_of(case, NONE, "structured", name, end)
    if value:
        return read_as(case, value, "structured", name, max(end, value.end))
    if refusal_span(low):
        return outcome_of(case, REFUSAL, "structured", name, end)
    labels = {m.label for m in case.matches}
    if len(labels) == 1:
        return read_as(case, Value((labels.pop(),), False, "text", start, end), "structured", name, end)
    outcome = NONE if labels or _UNDETERMINED.search(low) else INVENTED
    return outcome_of(case, outcome, "structured", name, end)


def _narrowed(case: Case, field: Field) -> Case:
    """Return ``case`` with the words and option texts of one field only."""
    inside = tokens(case.text[field.start : field.end])
    words = [Token(t.key, t.start + field.start, t.end + field.start) for t in inside]
    return replace(case, words=words, matches=find_matches(case.options, words, [field.end], case.low, case.folded))
