"""How many parameters a recipe trains and about how much memory it takes, without any of the base's files.

Parameters are counted on the base's architecture, built without weights, with the recipe's adapter put on: exact.
Memory is an estimate of the peak, from the same: weights, gradients and optimiser states by arithmetic; activations
by a forward pass over shapes alone, in which every tensor kept for the backward pass is counted. What it leaves out:
the allocator's gaps, the libraries' own few hundred MiB, temporary copies. Expect a factor of 1.5 either way.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from . import activations
from .architectures import Architecture, bones
from .methods import peft_config, put_on
from .optimizers import STATES
from .recipe import Recipe

BLOCK, NESTED = 64, 256
"""Weights per scale, and scales per scale of scales, of bitsandbytes' 4-bit layers."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """As peft counts them: the base's and the adapter's, each shared one once."""

    all: int
    trainable: int

    @property
    def share(self) -> float:
        """Of all, 0 to 1."""
        return self.trainable / self.all


@dataclass(frozen=True, slots=True)
class Memory:
    """Estimated peak, in bytes."""

    weights: int
    """The base as it is held, and the adapter."""
    gradients: int
    optimizer: int
    activations: int
    """Kept from the forward for the backward pass, and the logits."""
    device: str
    """``gpu`` or ``cpu``: on which it is reckoned."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations


def adapted(recipe: Recipe, found: Architecture) -> Any:
    """The architecture on the meta device with the recipe's adapter on; a copy of its own.

    Raises:
        BadConfig: nobody knows which layers to adapt, or peft does not take them.
    """
    model = copy.deepcopy(bones(found))
    if recipe.method == "full":
        return model
    config = peft_config(recipe, model.config)
    if hasattr(config, "init_lora_weights"):
        config.init_lora_weights, config.eva_config = True, None  # shapes are the same, and there is nothing to split
    return put_on(model, config, recipe)


def parameters(model: Any) -> Parameters:
    """Of a model with what is learnt on it."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return Parameters(sum(n for n, _ in sizes), sum(n for n, learnt in sizes if learnt))


def memory(recipe: Recipe, found: Architecture, model: Any, gpu: bool) -> Memory:
    """The estimated peak on one device.

    Args:
        model: as :func:`adapted` gives it.
        gpu: reckon with an accelerator (16-bit base, activations computed again where the recipe leaves it open), or
            with a CPU (32 bits, activations kept).

    Raises:
        Uncountable: the architecture needs more than shapes.
    """
    trained = parameters(model).trainable
    half = gpu and _base_dtype(recipe, found, gpu) != "float32"
    return Memory(
        weights=base_bytes(recipe, found, gpu) + (0 if recipe.method == "full" else 4 * trained),
        gradients=4 * trained,
        optimizer=round(STATES[recipe.training.optimizer] * trained),
        activations=activations.held(recipe, model, recomputed(recipe, gpu), 2 if half else 4, gpu),
        device="gpu" if gpu else "cpu",
    )


def recomputed(recipe: Recipe, gpu: bool) -> bool:
    """Whether activations are computed again in the backward pass instead of kept."""
    asked = recipe.training.gradient_checkpointing
    return gpu if asked is None else asked


def base_bytes(recipe: Recipe, found: Architecture, gpu: bool) -> int:
    """Of the base as it is held while training.

    Trained weights are in 32 bits, all else as it was loaded.
    """
    quant = recipe.model.quant
    rest_bytes = 2 if _base_dtype(recipe, found, gpu) in ("float16", "bfloat16") else 4
    if recipe.method == "full":
        rest_bytes = 4
    packed = _quantised_shapes(found) if quant != "none" else []
    model = bones(found)
    rest = int(sum(p.numel() for p in model.parameters())) - sum(rows * columns for rows, columns in packed)
    return rest * rest_bytes + round(sum(_packed_bytes(recipe, found, *shape) for shape in packed))


def _base_dtype(recipe: Recipe, found: Architecture, gpu: bool) -> str:
    if recipe.model.dtype != "auto":
        return recipe.model.dtype
    return str(found.config.get("dtype") or found.config.get("torch_dtype") or "float32") if gpu else "float32"


def _quantised_shapes(found: Architecture) -> list[tuple[int, int]]:
    """(outputs, inputs) of every layer that is quantised: the linear ones, but not the head, nor those that
    transformers keeps exact."""
    import torch
    from transformers.pytorch_utils import Conv1D

    model = bones(found)
    head = model.get_output_embeddings()
    kept = tuple(getattr(model, "_keep_in_fp32_modules", None) or ())
    shapes = []
    for name, module in model.named_modules():
        if module is head or name.rpartition(".")[2] in kept:
            continue
        if isinstance(module, torch.nn.Linear):
            shapes.append((module.out_features, module.in_features))
        elif isinstance(module, Conv1D):
            shapes.append((module.weight.shape[1], module.weight.shape[0]))
    return shapes


def _packed_bytes(recipe: Recipe, found: Architecture, rows: int, columns: int) -> float:
    """Of one quantised layer with its scales."""
    size = rows * columns
    if recipe.model.quant == "int8":
        return size + 4 * rows
    if recipe.model.quant == "gptq":
        groups = columns / found.group_size
        return size / 2 + rows * groups * (2 + 0.5) + 4 * columns  # scales, zeros, and the group of every input
    scales = size / BLOCK
    per_scale = 1 + 4 / NESTED if recipe.model.double_quant else 4
    return size / 2 + scales * per_scale + 4 * (NESTED if recipe.model.double_quant else 16)
