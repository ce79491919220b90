"""Rows that begin alike as one tree of tokens: what they share is in it once, each token sees its ancestors only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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

    @property
    def tail(self) -> tuple[int, ...]:
        """The tokens the model is given: all after the header but the last."""
        return self.row.context[self.header :] + self.row.continuation[:-1]


@dataclass(slots=True)
class Tree:
    """A tree of tokens, flattened: a parent stands before its children."""

    header: int = 0
    """Tokens in front of the root, seen by every node."""
    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    """-1 for a child of the root."""
    depths: list[int] = field(default_factory=list)
    """Position in the row, header included."""
    scored: list[tuple[int, int, int]] = field(default_factory=list)
    """(node, token, place): the token's log-likelihood after that node counts for the row at that place."""
    _children: dict[tuple[int, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def chain(self) -> bool:
        """Whether every token follows the one before it."""
        return self.parents == list(range(-1, len(self) - 1))

    def add(self, asked: Asked) -> int:
        """Put a row in and return how many of its tokens were there already."""
        node, before = -1, len(self)
        path: list[int] = []
        for token in asked.tail:
            child = self._children.get((node, token))
            if child is None:
                child = self._children[node, token] = len(self.tokens)
                self.tokens.append(token)
                self.parents.append(node)
                self.depths.append(self.header + len(path))
            node = child
            path.append(node)
        first = len(asked.row.context) - asked.header - 1
        self.scored += [(n, t, asked.place) for n, t in zip(path[first:], asked.row.continuation, strict=True)]
        return len(path) - (len(self) - before)

    def cut(self, nodes: int, scored: int) -> None:
        """Take the latest rows out again: keep that many nodes and scored tokens."""
        for node in range(nodes, len(self)):
            del self._children[self.parents[node], self.tokens[node]]
        del self.tokens[nodes:], self.parents[nodes:], self.depths[nodes:], self.scored[scored:]

    def visible(self) -> NDArray[np.bool_]:
        """[node, node]: whether the first sees the second, that is, whether it is the second or comes from it."""
        import numpy as np

        seen = np.zeros((len(self), len(self)), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node, :parent] = seen[parent, :parent]
                seen[node, parent] = True
            seen[node, node] = True
        return seen


def grow(rows: Iterable[Asked], width: int, worth: int) -> Iterator[Tree]:
    """Trees of about ``width`` tokens from rows in an order that puts shared beginnings side by side.

    Attention inside a tree is computed between all its tokens, so a tree grows past ``width`` only for rows that share
    enough with it.

    Args:
        rows: what to score; rows with different headers come in different trees.
        width: tokens a tree may always hold.
        worth: pairs of tokens that attention may compute in vain to save the computing of one token.
    """
    tree = Tree()
    for asked in rows:
        if len(tree) and asked.header == tree.header:
            nodes, scored = len(tree), len(tree.scored)
            shared = tree.add(asked)
            added = len(tree) - nodes
            if len(tree) <= width or (len(tree) <= LARGEST and added * nodes <= worth * shared):
                continue
            tree.cut(nodes, scored)
        if len(tree):
            yield tree
        tree = Tree(asked.header)
        tree.add(asked)
    if len(tree):
        yield tree
