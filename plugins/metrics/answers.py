"""Short answers against a reference: exact match and token F1, after SQuAD (Rajpurkar et al. 2016) for Portuguese."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric, Scored

from .texts import pair, words

ARTICLES = frozenset(["o", "a", "os", "as", "um", "uma", "uns", "umas", "the", "an"])
"""SQuAD drops articles; these are Portuguese's and English's. The A of ``vitamina A`` goes with them, as there."""


def content(text: str) -> list[str]:
    """Words in lower case without punctuation and articles; accents stay."""
    return [word for word in words(text) if word not in ARTICLES]


class ExactMatch(Metric):
    """Share of answers equal to the reference but for case, punctuation, spaces and articles."""

    name = "exact_match"
    percent = True

    def value(self, scored: Scored) -> float | None:
        """1 or 0; None without a reference."""
        compared = pair(scored)
        return None if compared is None else float(content(compared.text) == content(compared.reference))


class TokenF1(Metric):
    """Harmonic mean of the shares of the answer's words and of the reference's words that the other holds too."""

    name = "token_f1"
    percent = True

    def value(self, scored: Scored) -> float | None:
        """Between 0 and 1; two texts without words agree."""
        compared = pair(scored)
        if compared is None:
            return None
        given, wanted = Counter(content(compared.text)), Counter(content(compared.reference))
        if not given or not wanted:
            return float(given == wanted)
        return 2 * (given & wanted).total() / (given.total() + wanted.total())


@hookimpl
def benchctl_metrics() -> Mapping[str, type[Metric]]:
    """Both."""
    return {m.name: m for m in (ExactMatch, TokenF1)}
