"""What a model says once it has thought: the text of a reply that is meant for its reader."""

from __future__ import annotations

import re

_THINKING = re.compile(
    r"""
    \A(?:(?!<think).)*?</think(?:ing)?>\s*  # many chat templates write the opening tag themselves
    | (?:\A\s*)?(?:<think(?:ing)?>.*?</think(?:ing)?>|\[THINK\].*?\[/THINK\])\s*  # the second is Magistral's
    | \A\s*(?:<think(?:ing)?>|\[THINK\]).*  # cut off before its end
    # gpt-oss, as its tokenizer writes it with its special tokens and without
    | <\|channel\|>analysis<\|message\|>.*?(?:<\|channel\|>final<\|message\|>|\Z)
    | \Aanalysis(?=[^\W\d_a-z]).*?(?:assistantfinal|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)


def said(text: str) -> str:
    """A free answer without the thinking before it; empty where the thinking was cut off before its end.

    Only the marks that models are known to think between count, so that an answer may have a heading ``[Análise]``.
    """
    return _THINKING.sub("", text)
