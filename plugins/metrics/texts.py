"""What the text metrics share: whose text is compared with whose, and metrics that give several figures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from benchctl.errors import MissingExtra
from benchctl.metric import Metric, Scored, Sums
from benchctl.thinking import said
from benchctl.types import Estimate

if TYPE_CHECKING:
    from benchctl.bootstrap import Array

CACHED = 65_536
"""Answers whose figures are kept: a run asks for each twice, once for its estimate and once for the sample's score."""

_WORD = re.compile(r"[^\W_]+")


class Pair(NamedTuple):
    """An answer and what it is compared with."""

    reference: str
    text: str


def written(scored: Scored) -> str | None:
    """All that the model wrote, letters composed; None where it chose or scored a text instead."""
    text = scored.responses[0].text if scored.responses else None
    return None if text is None else composed(text)


def composed(text: str) -> str:
    """The text with each letter and its accent as one sign (NFC): macOS and many PDFs write two, which part a word."""
    return unicodedata.normalize("NFC", text)


def answer(scored: Scored) -> str | None:
    """What it said, without the thinking before."""
    text = written(scored)
    return None if text is None else said(text)


def pair(scored: Scored) -> Pair | None:
    """The reference and the text; None for multiple choice, whose target is a label, and where either is missing."""
    text = answer(scored)
    if text is None or scored.sample.choices or not scored.sample.target.strip():
        return None
    return Pair(composed(scored.sample.target), text)


def words(text: str) -> list[str]:
    """The words in lower case: runs of letters and digits of any script, so ``saúde`` stays one word."""
    return _WORD.findall(text.lower())


def cluster(scored: Scored) -> Hashable:
    """What is drawn together in a resample: the passage, or the sample itself."""
    return scored.sample.cluster or scored.sample.id


def imported(package: str, purpose: str, extra: str = "metrics") -> None:
    """Check that an optional package is there before it is used.

    Raises:
        MissingExtra: it is not.
    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise MissingExtra(package.replace("_", "-"), extra, purpose)


def remembered(function: Callable[[Pair], Mapping[str, float]]) -> Callable[[Pair], Mapping[str, float]]:
    """Keep the figures of the last answers."""
    return lru_cache(maxsize=CACHED)(function)


class Figures(Metric):
    """Base of metrics that give several figures per sample, each estimated by its mean."""

    def values(self, scored: Scored) -> Mapping[str, float]:
        """This sample's figures by name; empty where the metric does not apply."""
        raise NotImplementedError

    def estimates(self, scored: Sequence[Scored]) -> Mapping[str, Estimate]:
        """The mean of each figure with its interval."""
        rows = [(self.values(one), cluster(one)) for one in scored]
        rows = [(values, unit) for values, unit in rows if values]
        clusters = [unit for _, unit in rows]
        return {
            name: self.mean_of([values[name] for values, _ in rows], clusters, name)
            for name in (rows[0][0] if rows else ())
        }


class OfSums(Metric):
    """Base of metrics that are a function of sums over the run and no mean of samples, such as corpus BLEU."""

    def sums(self, scored: Scored) -> Sequence[float] | None:
        """What this sample adds; None where the metric does not apply."""
        raise NotImplementedError

    def figure(self, sums: Array) -> Array:
        """The figure for each row of sums."""
        raise NotImplementedError

    def value(self, scored: Scored) -> float | None:
        """The figure of this sample alone; None where it does not apply."""
        import numpy as np

        sums = self.sums(scored)
        return None if sums is None else float(self.figure(np.array([sums], dtype=float))[0])

    def as_sums(self, scored: Sequence[Scored], figure: str) -> Sums | None:
        """What each sample adds, and the figure."""
        return None if figure != self.name else Sums([self.sums(one) for one in scored], self.figure)

    def estimate(self, scored: Sequence[Scored]) -> Estimate | None:
        """The figure of the whole run, with a bootstrap interval; None where it applies to no sample."""
        from benchctl.bootstrap import of_sums

        rows = [(sums, cluster(one)) for one in scored if (sums := self.sums(one)) is not None]
        if not rows:
            return None
        return of_sums(
            [sums for sums, _ in rows],
            self.figure,
            [unit for _, unit in rows],
            higher_is_better=self.higher_is_better,
            percent=self.percent,
        )
