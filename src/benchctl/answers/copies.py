"""Options copied out word for word: such a copy is the option, whatever its words would mean in a sentence."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from benchctl.answers.claim import Claim
from benchctl.answers.matching import end_of_copy, exactly
from benchctl.answers.values import Case, Value

_ROOM = 60  # signs and spaces around a copy; with it no more of a reply is looked at than could be one
_CLOSED = re.compile(r"\W*(?:$|\n)|\s*[.,;:!?)]")


def copied_whole(case: Case, start: int) -> Value | None:
    """Return the option whose text all that follows ``start`` is, over as many sentences as it may have."""
    longest = max((len(option.low) for option in case.options.options), default=0)
    if len(case.low) - start > 2 * longest + _ROOM:
        return None
    stretch = case.low[start:]
    found = exactly(case.options, stretch)
    if len(found) != 1 or (len(found[0].bare) == 1 and found[0].bare.upper() in case.options.letters):
        return None  # of {"A": "c", "C": "ac"} a lone C is the letter
    end = len(case.low.rstrip())
    begin = end - len(stretch.strip())
    return Value((found[0].label,), False, "text", begin, end)


def copied_behind(case: Case, letter: Value) -> int | None:
    """Return where the copy of the letter's own option ends ('B) Não há cura'), None where there is none.

    Its words reject nothing, and name no other option.
    """
    if letter.kind != "letter" or len(letter.labels) != 1:
        return None
    option = case.options.by_label(letter.labels[0])
    reach = min(len(case.low), letter.end + 2 * len(option.low) + _ROOM)
    copy = end_of_copy(option, case.low, letter.end, reach)
    return copy if copy is not None and _CLOSED.match(case.low, copy) else None


def copied(case: Case, claim: Claim) -> bool:
    """Tell whether the claim is an option with its copy, or ends in nothing but that copy."""
    whole = copied_whole(case, claim.value.start)
    return copied_behind(case, claim.value) is not None or (whole is not None and whole.labels == claim.value.labels)


def outside_copies(case: Case, claims: list[Claim]) -> list[Claim]:
    """Leave out what the sentences of a copied option seem to claim ('B) Repetir em 28 dias. Nada mais é preciso')."""
    copies = sorted({(c.value.end, end) for c in claims if (end := copied_behind(case, c.value)) is not None})
    starts, reach = [start for start, _ in copies], list(accumulate((end for _, end in copies), max))

    def outside(place: int) -> bool:
        before = bisect_right(starts, place)
        return not before or reach[before - 1] <= place

    return [c for c in claims if outside(c.value.start)]
