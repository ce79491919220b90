"""What the answers cost by the price table in benchctl.toml, and the stop at a sum."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from benchctl.config import load_config
from benchctl.errors import BadConfig
from benchctl.types import Usage

BATCH_SHARE = 0.5
"""What the batch interface costs beside the ordinary one, where the table does not say."""


@dataclass(frozen=True, slots=True)
class Price:
    """Per million tokens, in the user's currency."""

    prompt: float
    completion: float
    batch: float = BATCH_SHARE
    """Share of the price when asked through the batch interface."""

    def of(self, usage: Usage, batch: bool = False) -> float:
        """The price of one answer."""
        full = (usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6
        return full * self.batch if batch else full


def find_price(model: str) -> Price | None:
    """The price of a model: ``[prices."MODEL"]`` with ``prompt`` and ``completion`` in benchctl.toml; None without one.

    Raises:
        BadConfig: the entry is incomplete, or holds something else than prices and a share.
    """
    config = load_config()
    entry = config.rest.get("prices", {}).get(model)
    if entry is None:
        return None
    try:
        price = Price(float(entry["prompt"]), float(entry["completion"]), float(entry.get("batch", BATCH_SHARE)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadConfig(
            f'{config.path}: [prices."{model}"] needs the numbers prompt and completion.',
            "Both are prices of a million tokens; see docs/how-to/api-models.md.",
        ) from error
    if not (0 <= price.prompt < math.inf and 0 <= price.completion < math.inf and 0 <= price.batch <= 1):
        raise BadConfig(
            f'{config.path}: [prices."{model}"] holds a price below 0 or without end, or a batch that is no share.',
            "prompt and completion are prices of a million tokens; batch = 0.5 is half of them.",
        )
    return price


class Budget:
    """Adds up what was spent by this command, and says when the sum allowed is used up."""

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self.most: float | None = None
        """Sum at which no further call is made; None: no limit."""
        self.spent = 0.0
        self._answers = 0
        self._untold = False

    def check(self, model: str) -> None:
        """See that a limit can be kept.

        Raises:
            BadConfig: a limit without a price.
        """
        if self.most is not None and self._price is None:
            raise BadConfig(
                f"A cost limit needs the price of '{model}', which benchctl.toml does not have.",
                f'Add [prices."{model}"] with prompt = and completion =, per million tokens.',
            )

    def charge(self, usage: Usage, batch: bool = False) -> Usage:
        """The usage with its cost, where there is a price; no cost where the server says nothing of what it took.

        Args:
            usage: of one answer.
            batch: whether it came through the batch interface.
        """
        if self._price is None:
            return usage
        if not usage.prompt_tokens and not usage.completion_tokens:  # an answer to nothing, in no token: not told
            self._untold = True
            return usage
        cost = self._price.of(usage, batch)
        self.spent += cost
        self._answers += 1
        return replace(usage, cost=round(cost, 10))

    def used_up(self, in_flight: int) -> str:
        """Why no further call may be made, counting calls in flight at the mean cost so far; empty when one may."""
        if self.most is not None and self._untold:
            return "stopped: the server does not tell the tokens of an answer, so that no limit of cost can be kept"
        mean = self.spent / self._answers if self._answers else 0.0
        if self.most is None or self.spent + in_flight * mean < self.most:
            return ""
        waiting = f", {in_flight} calls under way" if in_flight else ""
        return f"stopped at the cost allowed: {self.spent:.4f} of {self.most:g} spent{waiting}"


def added(before: Usage, usage: Usage | None) -> Usage:
    """Two calls that made one answer, as one."""
    if usage is None:
        return before
    costs = [cost for cost in (before.cost, usage.cost) if cost is not None]
    prompt, completion = before.prompt_tokens + usage.prompt_tokens, before.completion_tokens + usage.completion_tokens
    return Usage(prompt, completion, round(sum(costs), 10) if costs else None)
