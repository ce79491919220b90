"""What the prompts of a run begin with: found from the token ids alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .items import Row


def common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix, by halving: comparing slices is much faster than token by token."""
    low, high = 0, min(len(a), len(b))
    step = high
    while low < high:
        if a[low : low + step] == b[low : low + step]:
            low += step
        else:
            high = low + step - 1
        step = max(1, (high - low + 1) // 2)
    return low


def find(rows: Sequence[Row]) -> tuple[int, ...]:
    """The beginning whose sharing saves the most tokens; empty when there is none.

    The last token of a context is never part of it: what comes after it is scored, so it has to be computed. Rows whose
    context was cut on the left begin elsewhere and take no part.
    """
    contexts = sorted({row.context[:-1] for row in rows})
    alike = [common(a, b) for a, b in pairwise(contexts)]
    best, gain = (0, 0), 0
    for length in {n for n in alike if n}:
        run = 0
        for place, n in enumerate(alike):
            run = run + 1 if n >= length else 0
            if run * length > gain:
                best, gain = (place, length), run * length
    place, length = best
    return contexts[place][:length] if contexts else ()


def shorten(header: Sequence[int], rows: Sequence[Row]) -> int:
    """How much of a header found earlier to keep for these rows: what saves the most; 0 when most begin otherwise."""
    alike = sorted(common(row.context[:-1], header) for row in rows)
    gains = [(n * (len(alike) - i), n) for i, n in enumerate(alike)]
    gain, length = max(gains, default=(0, 0))
    return length if 2 * gain >= len(rows) * len(header) else 0
