"""What the engine works on: token ids only; text, templates and cutting are done before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens to score and the tokens before them. Together they fit the model: at most ``max_length`` + 1 of them."""

    context: tuple[int, ...]
    """At least one token: it conditions and is not scored."""
    continuation: tuple[int, ...]
    """At least one token: the sum of their log-likelihoods is wanted."""

    @property
    def size(self) -> int:
        """Tokens that go into the model: all but the last."""
        return len(self.context) + len(self.continuation) - 1


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely the continuation of a row is."""

    nats: float
    """Sum of the log-likelihoods of its tokens."""
    greedy: bool
    """Whether each of its tokens is the likeliest one."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt to continue freely."""

    tokens: tuple[int, ...]
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    seed: int = 0
    """Of what is drawn after it; at temperature 0 nothing is."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written after a prompt."""

    text: str
    finish_reason: str
    """``stop`` (a stop string or token) or ``length``."""
    tokens: int
    error: str | None = None
    """Why there is no answer."""


class CannotShare(Exception):
    """The model cannot be scored with shared prompts; says why."""
