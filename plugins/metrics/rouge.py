"""ROUGE-1, -2, -L and -Lsum (Lin 2004) by the library rouge-score, with a tokenizer that keeps Portuguese letters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored

from .texts import Figures, Pair, imported, pair, remembered, words

TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


class WordTokenizer:
    """Lower-case words of any script. The library's own drops every letter that is not a-z: ``saúde`` is ``sa de``.

    On ASCII text both give the same tokens.
    """

    def tokenize(self, text: str) -> list[str]:
        """The words."""
        return words(text)


class Rouge(Figures):
    """F1 of the overlap with the reference: words, word pairs, longest common subsequence of text and of lines."""

    name = "rouge"
    percent = True

    def values(self, scored: Scored) -> Mapping[str, float]:
        """The four figures."""
        compared = pair(scored)
        return {} if compared is None else _scores(compared)

    def signature(self) -> str:
        """Library version and settings."""
        from importlib.metadata import version

        return f"rouge-score {version('rouge-score')}, F1, words of any script in lower case, no stemming"


@remembered
def _scores(compared: Pair) -> Mapping[str, float]:
    found = _scorer().score(compared.reference, compared.text)
    return {name: float(found[name].fmeasure) for name in TYPES}


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(TYPES, tokenizer=WordTokenizer())


def rouge() -> Metric:
    """ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum (F1) against the reference.

    Raises:
        MissingExtra: rouge-score is not installed.
    """
    imported("rouge_score", "ROUGE")
    return Rouge()


@hookimpl
def benchctl_metrics() -> Mapping[str, Any]:
    """One metric with four figures."""
    return {Rouge.name: rouge}
