"""Counts in words."""

from __future__ import annotations


def some(count: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count} {noun}{'s' * (count != 1)}"


def stand(count: int) -> str:
    """The verb behind a count: one ``stands``, two ``stand``."""
    return "stands" if count == 1 else "stand"
