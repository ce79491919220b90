"""A choice by the log-probabilities of the first token, and of whole options where the server echoes a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchctl.errors import BadConfig
from benchctl.types import ChoiceScore, Choose, Sample

from .wire import Echo, Likely


@dataclass(frozen=True, slots=True)
class Weighed:
    """The labels' log-probabilities, in their order."""

    scores: tuple[ChoiceScore, ...]
    unseen: tuple[str, ...]
    """Labels that are not among the most likely tokens: their figure is an upper bound."""


def asks_for_labels(request: Choose, owner: Sample | None) -> bool:
    """Whether the choices are the labels themselves, which one token can tell apart, and not the options' texts."""
    choices = tuple(choice.strip() for choice in request.choices)
    return choices == tuple(owner.choices) if owner is not None else all(len(choice) == 1 for choice in choices)


def refuse_options(name: str) -> BadConfig:
    """What to say where option texts cannot be weighed."""
    return BadConfig(
        f"{name} cannot weigh the options' texts: it gives no log-probability of a text.",
        "Use --scoring letter or generate (of lm-eval's tasks, those that generate), or mode=completions with a server "
        "that echoes log-probabilities.",
    )


def weigh_labels(tops: Sequence[Likely], labels: Sequence[str]) -> Weighed | None:
    """Each label's share of the first token; None when no label is among the most likely tokens.

    A label of one letter is a token of that letter, case and all ('a' is an article in Portuguese), with or without a
    space before it. A longer one ('sim', 'talvez') is also its beginning, if no other label begins so.

    Returns:
        Sums in nats. A label that is not listed gets the most that it can have: no more than the least likely token
        listed, nor than what the listed ones leave over.
    """
    mass = dict.fromkeys(labels, 0.0)
    for token, nats in tops:
        label = _named(token.strip(), labels)
        if label is not None:
            mass[label] += math.exp(nats)
    unseen = tuple(label for label in labels if not mass[label])
    if len(unseen) == len(labels):
        return None
    left = max(1 - sum(math.exp(nats) for _, nats in tops), 1e-12)
    bound = math.nextafter(min(math.log(left), min(nats for _, nats in tops)), -math.inf)
    scores = (ChoiceScore(min(math.log(m), 0.0) if m else bound, 1, len(label.encode())) for label, m in mass.items())
    return Weighed(tuple(scores), unseen)


def _named(token: str, labels: Sequence[str]) -> str | None:
    if token in labels:
        return token
    if all(len(label) == 1 for label in labels) or not token:
        return None
    begun = [label for label in labels if label.casefold().startswith(token.casefold())]
    return begun[0] if len(begun) == 1 else None


def weigh_option(echo: Echo, prompt: str, choice: str) -> ChoiceScore | None:
    """Log-likelihood of the choice after the prompt; None when the server has no figure for some token of it.

    White space at the prompt's end goes to the choice, as for local models.
    """
    nats = echo.after(len(prompt.rstrip()), len(prompt) + len(choice))
    known = [n for n in nats if n is not None]
    if not known or len(known) != len(nats):
        return None
    return ChoiceScore(min(sum(known), 0.0), len(known), len(choice.lstrip().encode()))
