"""How surprised a model is by texts: perplexity per token and bits per byte, over the whole corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored
from benchctl.types import Response

from .texts import OfSums

if TYPE_CHECKING:
    from benchctl.bootstrap import Array


class Perplexity(OfSums):
    """exp of the mean surprise per token (Jelinek 1977): depends on the tokenizer, so compare it within one only."""

    name = "perplexity"
    higher_is_better = False

    def sums(self, scored: Scored) -> Sequence[float] | None:
        """Nats and tokens."""
        response = _text_response(scored)
        return None if response is None or not response.tokens else (response.nats or 0.0, response.tokens)

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
