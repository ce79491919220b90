"""Rows that begin alike as one tree of tokens: what they share is in it once, each token sees its ancestors only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .header import common
from .items import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 4096
"""Tokens at which a tree is closed whatever it would share: its mask grows with their square."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A row and where its result belongs."""

    place: int
    """Index the caller knows the row by."""
    row: Row
    header: int
    """Tokens at its beginning that are not in the tree, because a header computed before stands for them."""
    tail: tuple[int, ...]
    """The tokens the model is given: all after the header but the last."""

    @classmethod
    def of(cls, place: int, row: Row, header: int) -> Asked:
        """A row behind a header of that many tokens."""
        return cls(place, row, header, row.context[header:] + row.continuation[:-1])


@dataclass(slots=True)
class Tree:
    """A tree of tokens, flattened: a parent stands before its children. Rows are added in lexicographic order."""

    header: int = 0
    """Tokens in front of the root, seen by every node."""
    tokens: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    """Position in the row, header included."""
    branches: list[tuple[int, int]] = field(default_factory=list)
    """(first node, its parent) of every run of tokens that follow each other; the parent is -1 at the root."""
    scored: list[tuple[int, int, int]] = field(default_factory=list)
    """(node, token, place): the token's log-likelihood after that node counts for the row at that place."""
    idle: list[int] = field(default_factory=list)
    """Nodes that are treated as the scored ones are, though nothing is asked of them."""
    _tail: tuple[int, ...] = ()
    _path: list[int] = field(default_factory=list)
    """The latest row's tokens and their nodes: of all rows before it, the next one shares the most with this one."""

    def __len__(self) -> int:
        return len(self.tokens)

    def gain(self, asked: Asked) -> int:
        """How many of the row's tokens are there already."""
        return common(self._tail, asked.tail)

    def add(self, asked: Asked, shared: int = 0) -> None:
        """Put a row in that begins with ``shared`` tokens of the latest one."""
        tail, first = asked.tail, len(self)
        if shared < len(tail):
            self.branches.append((first, self._path[shared - 1] if shared else -1))
            self.tokens += tail[shared:]
            self.depths += range(asked.header + shared, asked.header + len(tail))
        self._path = self._path[:shared] + list(range(first, first + len(tail) - shared))
        self._tail = tail
        before = len(asked.row.context) - asked.header - 1
        for node, token in zip(self._path[before:], asked.row.continuation, strict=True):
            self.scored.append((node, token, asked.place))

    def fill(self, tokens: int) -> None:
        """Add tokens that nothing is asked of, and that no other token sees."""
        first = len(self)
        self.branches.append((first, -1))
        self.tokens += self.tokens[:1] * tokens
        self.depths += range(self.header, self.header + tokens)

    def wanted(self) -> list[int]:
        """The nodes whose last hidden states are asked for, in order."""
        return sorted({node for node, _, _ in self.scored}.union(self.idle))

    def take_along(self, count: int) -> int:
        """Have the hidden states of that many other nodes computed as well, or of all there are; gives how many."""
        others = sorted(set(range(len(self))).difference(self.wanted()))[:count]
        self.idle += others
        return len(others)

    @property
    def places(self) -> set[int]:
        """Of its rows, as the caller knows them."""
        return {place for _, _, place in self.scored}

    @property
    def straight(self) -> bool:
        """Whether each of its tokens follows the one before, and the first follows none."""
        return not self.header and len(self.branches) == 1

    def visible(self) -> NDArray[np.bool_]:
        """[node, node]: whether the first sees the second, that is, whether it is the second or comes from it."""
        import numpy as np  # here, not above: the module is loaded for every --help

        seen = np.zeros((len(self), len(self)), dtype=np.bool_)
        ends = [first for first, _ in self.branches[1:]] + [len(self)]
        for (first, parent), end in zip(self.branches, ends, strict=True):
            if parent >= 0:
                seen[first:end, : parent + 1] = seen[parent, : parent + 1]
            seen[first:end, first:end] = np.tri(end - first, dtype=np.bool_)
        return seen


def grow(rows: Iterable[Asked], width: int, worth: int) -> Iterator[Tree]:
    """Trees of about ``width`` tokens from rows sorted by header and tail.

    Attention inside a tree is computed between all its tokens, so a tree grows past ``width`` only for rows that share
    enough with it.

    Args:
        rows: what to score; rows with different headers come in different trees.
        width: tokens a tree may always hold.
        worth: pairs of tokens that attention may compute in vain to save the computing of one token.
    """
    tree = Tree()
    for asked in rows:
        shared, before = tree.gain(asked), len(tree)
        added = len(asked.tail) - shared
        fits = before + added <= width or (before + added <= LARGEST and added * before <= worth * shared)
        if before and not (fits and asked.header == tree.header):
            yield tree
            shared, before = 0, 0
        if not before:
            tree = Tree(asked.header)
        tree.add(asked, shared)
    if len(tree):
        yield tree


def gather(trees: Sequence[Tree]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Of trees end to end the positions asked for, and per scored token its position's index, its id, its row's place.

    The tokens come in the order of their positions.
    """
    positions: list[int] = []
    scored: list[tuple[int, int, int]] = []
    begin = 0
    for tree in trees:
        slots = {node: len(positions) + i for i, node in enumerate(tree.wanted())}
        positions += [begin + node for node in slots]
        scored += [(slots[node], token, place) for node, token, place in sorted(tree.scored)]
        begin += len(tree)
    return positions, [s for s, _, _ in scored], [t for _, t, _ in scored], [p for _, _, p in scored]
