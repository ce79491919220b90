"""'No' is a denial in English and Spanish and 'in the' in Portuguese: here it is told apart, once, for all rules."""

from __future__ import annotations

import re
from functools import lru_cache

_PORTUGUESE = re.compile(
    r"(?<![^\W_])(?:não|é|são|do|dos|da|das|em|um|uma|qual|quais|ao|pelo|pela|com|você|nas?|à|ou)(?![^\W_])|[ãõ]", re.I
)
_OTHER = re.compile(
    r"(?<![^\W_])(?:el|los|las|una|cuál|cuáles|del|con|the|of|is|which|what|with|and|was|were|are|this|it|not|found)(?![^\W_])|[¿ñ]",
    re.I,
)
_IN_THE = re.compile(
    r"(?<![^\W_])([Nn])[oó](?=\s+[^\W\d_]{2})(?!\s+(?:es|se|hay|hubo|is|way|puedo|puede|tiene|fue|doubt|estoy|soy|"
    r"tengo|me|lo|le|debo|voy|estan|puedes|existe)\b)"
)


@lru_cache(maxsize=4096)
def is_portuguese(text: str) -> bool:
    """Tell whether ``text`` holds more words that only Portuguese has than words that only English or Spanish have."""
    return len(_PORTUGUESE.findall(text)) > len(_OTHER.findall(text))


def is_foreign(text: str) -> bool:
    """Tell whether ``text``, a reply, is plainly English or Spanish, whatever the question's language."""
    return len(_OTHER.findall(text)) > len(_PORTUGUESE.findall(text))


def without_contraction(text: str) -> str:
    """Return Portuguese ``text`` with 'no' before a word written 'na', so that it cannot be read as a denial.

    So is 'nó', which is 'no' in a reply without its accents: options and replies must stay alike.
    """
    return _IN_THE.sub(r"\1a", text)
