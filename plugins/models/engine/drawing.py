"""Answers drawn at a temperature: every prompt by numbers of its own, whatever else is asked beside it.

transformers draws all rows of a batch from one stream of random numbers, so that an answer depends on the batch it was
written in. Here each token is drawn by the number that belongs to its prompt and its place in the answer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

BELOW_ONE = 1 - 2.0**-24
"""The largest number below 1 in float32."""


class Drawing:
    """The last logits processor: leaves one token of each row, drawn with the probability that the scores give it.

    Args:
        model: whose ``generation_config`` says what may be drawn (``top_k``, ``top_p``, ...).
        temperature: above 0.
        seeds: one for each row.
        begin: tokens that a row holds before its answer, padding included.
    """

    def __init__(self, model: Any, temperature: float, seeds: Sequence[int], begin: int) -> None:
        self._warpers = warpers(model.generation_config, temperature, model.device)
        self._seeds, self._begin = seeds, begin

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """0 for the token drawn, -inf for all others: [rows, vocabulary]."""
        import torch

        for warper in self._warpers:
            scores = warper(input_ids, scores)
        chances = scores.float().softmax(dim=-1)
        up_to = chances.cumsum(dim=-1)
        numbers = torch.tensor(self._numbers(input_ids.shape[1] - self._begin), device=scores.device)[:, None]
        drawn = ((up_to > numbers * up_to[:, -1:]) & (chances > 0)).to(torch.uint8).argmax(dim=-1, keepdim=True)
        return torch.full_like(scores, -torch.inf).scatter_(1, drawn, 0.0)

    def _numbers(self, place: int) -> list[float]:
        """For each row a number from 0 up to 1 that only its seed and the place in its answer decide."""
        return [min(random.Random(f"{seed}:{place}").random(), BELOW_ONE) for seed in self._seeds]


def warpers(config: Any, temperature: float, device: Any) -> list[Any]:
    """What transformers would put in front of drawing: temperature, then what the model's configuration restricts.

    ``top_k`` is 50 where the configuration says nothing, as in transformers.
    """
    from transformers import (
        EpsilonLogitsWarper,
        EtaLogitsWarper,
        MinPLogitsWarper,
        TemperatureLogitsWarper,
        TopHLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
        TypicalLogitsWarper,
    )

    top_k = 50 if config.top_k is None else config.top_k
    found: list[Any] = [TemperatureLogitsWarper(float(temperature))]
    found += [TopHLogitsWarper(config.top_h)] if config.top_h is not None else []
    found += [TopKLogitsWarper(top_k)] if top_k else []
    shares = {
        "top_p": TopPLogitsWarper, "min_p": MinPLogitsWarper, "typical_p": TypicalLogitsWarper,
        "epsilon_cutoff": EpsilonLogitsWarper, "eta_cutoff": EtaLogitsWarper,
    }  # fmt: skip
    for name, warper in shares.items():
        if 0 < (getattr(config, name) or 0) < 1:
            found.append(warper(getattr(config, name), **({"device": device} if name == "eta_cutoff" else {})))
    return found
