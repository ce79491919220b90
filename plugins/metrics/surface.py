"""What can be seen of an answer at a glance: how long it is, how fast it came."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored

from .texts import OfSums, answer, words

if TYPE_CHECKING:
    from benchctl.bootstrap import Array
    from benchctl.types import Estimate


class _Amount(Metric):
    """A mean of what cannot be less than nothing, nor can its interval: Student's of few answers is symmetric."""

    def mean_of(self, values: Sequence[float], clusters: Sequence[Hashable], figure: str) -> Estimate:
        """As any metric's, from 0 up."""
        found = super().mean_of(values, clusters, figure)
        return found if found.low is None else replace(found, low=max(found.low, 0.0))


class Length(_Amount):
    """Words of the answer; neither more nor less is better, it says what else to look at."""

    name = "length"
    higher_is_better = None

    def value(self, scored: Scored) -> float | None:
        """Words; None where the model wrote none."""
        text = answer(scored)
        return None if text is None else float(len(words(text)))


class Latency(_Amount):
    """Seconds per sample: of its call, or its share of a batch. Calls at the same time each count in full."""

    name = "latency"
    higher_is_better = False

    def value(self, scored: Scored) -> float | None:
        """Seconds over all requests of the sample; None where nothing was timed, as in a replay."""
        return sum(response.seconds for response in scored.responses) or None


class TokensPerSecond(OfSums):
    """Generated tokens over seconds, of the run as a whole; calls at the same time each count in full."""

    name = "tokens_per_second"

    def sums(self, scored: Scored) -> Sequence[float] | None:
        """Tokens and seconds; None where the backend counts no tokens or nothing was timed."""
        tokens = sum(response.usage.completion_tokens for response in scored.responses if response.usage)
        seconds = sum(response.seconds for response in scored.responses)
        return (tokens, seconds) if tokens and seconds else None

    def figure(self, sums: Array) -> Array:
        """Tokens over seconds."""
        found: Array = sums[:, 0] / sums[:, 1]
        return found


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """The three."""
    return {m.name: m for m in (Length, Latency, TokensPerSecond)}
