"""Writing patterns as lists of phrases, so that they read as what they are."""

from __future__ import annotations

import re


def any_of(listing: str) -> str:
    """Return a group that matches any phrase of ``listing``; phrases are separated by ' / ', spaces match any space.

    Within a phrase brackets group without capturing, and ``?`` ``*`` ``|`` ``{m,n}`` mean what they mean in a regular
    expression: ``any_of("fico com / vou (de|com)")``.
    """
    listing = re.sub(r"\|\s*\n\s*", "|", f" {listing} ")  # a line may break behind a '|'
    phrases = [" ".join(p.split()) for p in re.split(r"\s/\s", listing)]
    return "(?:" + "|".join(_spaced(p) for p in phrases if p) + ")"


def _spaced(phrase: str) -> str:
    return re.sub(r"\((?!\?)", "(?:", phrase).replace(" ", r"\s+")


WORD_START = r"(?<![^\W_])"
WORD_END = r"(?![^\W_])"
SENTENCE_START = r"(?:^|(?<=[.!?;]\s))"
"""Where a sentence begins; patterns that use it need ``re.M``."""
