"""One claim about an option, and how firm it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchctl.answers import lexicon
from benchctl.answers.values import Case, Value

SURE = 3.0  # announced, chosen, called right
MADE_UP = 2.5  # announced, but with a text that no option has
CONCLUDED = 2.0  # named by a concluding sentence
LETTERED = 1.5  # a letter marked as such, in a sentence that does not reject it
MENTIONED = 1.0  # an option's text, not rejected

_ARTICLES = re.compile(r"(?:(?:a|o|as|os|the|la|el|de|da|do)\s+)*[\"'(]*")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim. ``rank`` says how firmly; ``negative`` that the option is rejected; the span is its evidence."""

    rank: float
    rule: str
    value: Value
    start: int
    end: int
    negative: bool = False


def denied(case: Case, value_start: int, value_end: int, start: int, end: int) -> bool:
    """Tell whether the option at the span is rejected by the words right before or right after it."""
    if lexicon.WRONG_AFTER.match(case.low, value_end, end):
        return True
    before = case.low[max(start, value_start - 40) : value_start]
    return any(_ARTICLES.fullmatch(before, mark.end()) for mark in lexicon.REJECT.finditer(before))
