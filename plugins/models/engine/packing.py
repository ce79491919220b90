"""Pieces of work in batches that are nearly alike in size.

A batch much smaller than the others uses a processor worse. And what a library makes ready for the shape of a product
(oneDNN writes code for each, and memory is cut to its results) serves the next batch where that has the same shape.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from .tree import Tree

TOKENS, SHARE = 16, 0.1
"""What a batch may lack of the largest one's tokens, and of its scored positions, to be filled up with idle ones."""


def divide(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Indices in as few groups as it takes for none to be larger than ``most``, unless a piece by itself is."""
    count = max(1, -(-sum(sizes) // most))
    while True:
        groups = _spread(sizes, min(count, len(sizes)))
        if count >= len(sizes) or max(_total(sizes, group) for group in groups) <= most:
            return groups
        count += 1


def level(batches: Sequence[Sequence[Tree]]) -> None:
    """Fill batches up to the tokens of the largest, and to the positions asked for in the one with most."""
    held = [token_count(batch) for batch in batches]
    for batch, count in zip(batches, held, strict=True):
        lacking = max(held) - count
        branched = next((tree for tree in batch if not tree.straight), None)  # the others need no mask, nor shall they
        if 0 < lacking <= TOKENS and branched is not None:
            branched.fill(lacking)
    asked = [sum(len(tree.wanted()) for tree in batch) for batch in batches]
    for batch, count in zip(batches, asked, strict=True):
        lacking = max(asked) - count
        if 0 < lacking <= max(TOKENS, SHARE * max(asked)):
            for tree in batch:
                lacking -= tree.take_along(lacking)


def token_count(batch: Sequence[Tree]) -> int:
    """How many a batch holds."""
    return sum(map(len, batch))


def _spread(sizes: Sequence[int], count: int) -> list[list[int]]:
    """The largest piece first, each to the group that holds least; then whatever evens out the two ends."""
    groups: list[list[int]] = [[] for _ in range(count)]
    held = [(0, number) for number in range(count)]
    for piece in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        total, number = held[0]
        groups[number].append(piece)
        heapq.heapreplace(held, (total + sizes[piece], number))
    while count > 1 and _evened(sizes, groups):
        pass
    return groups


def _evened(sizes: Sequence[int], groups: list[list[int]]) -> bool:
    """Exchange two pieces of the largest and the smallest group, or move one, so that they differ least.

    Returns:
        Whether that made a difference.
    """
    groups.sort(key=lambda group: _total(sizes, group))
    small, large = groups[0], groups[-1]
    gap = _total(sizes, large) - _total(sizes, small)
    pairs = [(large_one, small_one) for large_one in large for small_one in (*small, None)]
    moved = {pair: sizes[pair[0]] - (0 if pair[1] is None else sizes[pair[1]]) for pair in pairs}
    given, taken = min(pairs, key=lambda pair: abs(gap - 2 * moved[pair]))
    if not 0 < moved[given, taken] < gap:
        return False
    large.remove(given)
    small.append(given)
    if taken is not None:
        small.remove(taken)
        large.append(taken)
    return True


def _total(sizes: Sequence[int], group: Sequence[int]) -> int:
    return sum(sizes[piece] for piece in group)
