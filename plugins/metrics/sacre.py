"""chrF and BLEU by the library sacrebleu: of each sample for the samples, of the corpus for the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored

from .texts import OfSums, imported, pair

if TYPE_CHECKING:
    from benchctl.bootstrap import Array


class _Sacre(OfSums):
    """Base of both. Figures run from 0 to 100, as the library gives them."""

    @cached_property
    def scorer(self) -> Any:
        """The library's metric for the corpus."""
        raise NotImplementedError

    @cached_property
    def sample_scorer(self) -> Any:
        """The library's metric for one sample."""
        return self.scorer

    def value(self, scored: Scored) -> float | None:
        """The library's sentence score."""
        compared = pair(scored)
        return None if compared is None else float(
            self.sample_scorer.sentence_score(compared.text, [compared.reference]).score
        )  # fmt: skip

    def sums(self, scored: Scored) -> Sequence[float] | None:
        """The library's counts for this sample, which it adds up for the corpus."""
        compared = pair(scored)
        if compared is None:
            return None
        counts: list[float] = self.scorer._extract_corpus_statistics([compared.text], [[compared.reference]])[0]
        return counts

    def figure(self, sums: Array) -> Array:
        """The library's corpus score for each row of counts."""
        import numpy as np

        # What the library itself calls on the sums of its own bootstrap, which gives no access to its resamples.
        return np.array([self.scorer._compute_score_from_stats([int(n) for n in row]).score for row in sums])

    def signature(self) -> str:
        """The library's own signature, which names its version and settings."""
        self.scorer.corpus_score(["a"], [["a"]])
        return str(self.scorer.get_signature())


class ChrF(_Sacre):
    """Overlap of character 6-grams with the reference, recall counted twice (Popović 2015); chrF2 of sacrebleu."""

    name = "chrf"

    @cached_property
    def scorer(self) -> Any:
        """chrF2, no word n-grams."""
        from sacrebleu.metrics.chrf import CHRF

        return CHRF()


class Bleu(_Sacre):
    """Overlap of word 1- to 4-grams with the reference, short answers punished (Papineni et al. 2002; Post 2018)."""

    name = "bleu"

    @cached_property
    def scorer(self) -> Any:
        """Tokenizer 13a, exponential smoothing."""
        from sacrebleu.metrics.bleu import BLEU

        return BLEU()

    @cached_property
    def sample_scorer(self) -> Any:
        """With the effective order, since one answer may hold no 4-gram."""
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(effective_order=True)


def _factory(metric: type[_Sacre]) -> Callable[[], Metric]:
    def create() -> Metric:
        imported("sacrebleu", metric.name)
        return metric()

    create.__doc__ = metric.__doc__
    return create


@hookimpl
def benchctl_metrics() -> Mapping[str, Callable[[], Metric]]:
    """Both."""
    return {m.name: _factory(m) for m in (ChrF, Bleu)}
