"""How surprised a model is by texts: perplexity per token and bits per byte, over the whole corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored
from benchctl.types import Estimate, Response

from .texts import OfSums

if TYPE_CHECKING:
    from benchctl.bootstrap import Array


LARGEST = 700.0
"""Nats per token beyond which a perplexity is more than a number holds, which ends at e to the power of 709."""


class Perplexity(OfSums):
    """exp of the mean surprise per token (Jelinek 1977): depends on the tokenizer, so compare it within one only.

    There is none where a text's own is more than a number holds, as of weights that diverged; bits per byte has one.
    """

    name = "perplexity"
    higher_is_better = False

    def sums(self, scored: Scored) -> Sequence[float] | None:
        """Nats and tokens."""
        response = _text_response(scored)
        return None if response is None or not response.tokens else (response.nats or 0.0, response.tokens)

    def value(self, scored: Scored) -> float | None:
        """The figure of this text alone; None where it does not apply or no number holds it."""
        return super().value(scored) if self._held(scored) else None

    def estimate(self, scored: Sequence[Scored]) -> Estimate | None:
        """The figure over the run; None where it does not apply or no number holds that of a text."""
        return super().estimate(scored) if all(map(self._held, scored)) else None

    def _held(self, scored: Scored) -> bool:
        sums = self.sums(scored)
        return sums is None or -sums[0] <= LARGEST * sums[1]

    def figure(self, sums: Array) -> Array:
        """exp(-nats / tokens)."""
        import numpy as np

        found: Array = np.exp(-sums[:, 0] / sums[:, 1])
        return found


class BitsPerByte(OfSums):
    """Mean surprise in bits per UTF-8 byte: comparable between tokenizers (Gao et al. 2020, The Pile, section 3.1)."""

    name = "bits_per_byte"
    higher_is_better = False

    def sums(self, scored: Scored) -> Sequence[float] | None:
        """Nats and bytes."""
        response = _text_response(scored)
        return None if response is None or not response.bytes else (response.nats or 0.0, response.bytes)

    def figure(self, sums: Array) -> Array:
        """-nats / ln 2 / bytes."""
        found: Array = -sums[:, 0] / sums[:, 1] / math.log(2)
        return found


def _text_response(scored: Scored) -> Response | None:
    """The response of a corpus task; the rule that scores options by perplexity asks several and is none."""
    if len(scored.responses) != 1 or scored.sample.choices or scored.responses[0].nats is None:
        return None
    return scored.responses[0]


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """Both."""
    return {m.name: m for m in (Perplexity, BitsPerByte)}
