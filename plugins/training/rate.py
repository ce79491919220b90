"""How fast a recipe would train here: a few forward and backward passes, timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from .recipe import Recipe

if TYPE_CHECKING:
    from .prepare import Prepared

TIMED = 3
"""Passes that count, after one that does not."""


def step_seconds(recipe: Recipe, prepared: Prepared) -> float:
    """Seconds of one optimiser step: the middle one of a few passes, as many times as there are passes in a step.

    The optimiser's own step is left out: it is short beside them. Nothing is learnt: the weights are thrown away.

    Raises:
        BenchctlError: the base cannot be loaded, or does not take the adapter.
    """
    import torch
    from transformers import set_seed

    from ..models.hf_load import resolve_device
    from .base import base_model
    from .methods import attach
    from .trainers import batches

    set_seed(recipe.training.seed)
    model = base_model(recipe, resolve_device(recipe.model.device))
    try:
        rows = prepared.train
        network = attach(model.weights.take(), recipe, lambda: batches(rows, model.tokenizer, recipe))
        given = islice(cycle(batches(rows, model.tokenizer, recipe)), TIMED + 1)
        times = [_pass(network, batch, recipe, model.device) for batch in given]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return statistics.median(times[1:]) * recipe.training.accumulation
    finally:
        model.close()


def _pass(network: Any, batch: Mapping[str, Any], recipe: Recipe, device: str) -> float:
    """Seconds of one forward and backward pass; for preferences, of both answers, and the reference's forward."""
    import torch

    inputs = {key: value.to(device) for key, value in batch.items()}
    if recipe.objective == "dpo":
        inputs = {key: torch.cat((value, value)) for key, value in inputs.items()}
    began = time.perf_counter()
    if recipe.objective == "dpo":
        with torch.no_grad():
            network(**inputs)
    network(**{"labels": inputs["input_ids"], **inputs}).loss.backward()
    if device == "cuda":
        torch.cuda.synchronize()
    network.zero_grad(set_to_none=True)
    return time.perf_counter() - began
