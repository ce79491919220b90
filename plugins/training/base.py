"""The base of a training as a benchctl model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchctl.errors import BadConfig, MissingExtra

from ..models.quantization import BITSANDBYTES
from .recipe import Recipe

if TYPE_CHECKING:
    from ..models.hf import HFModel

PACKAGES = ("torch", "transformers", "accelerate", "peft", "trl")


def require_packages(packages: Sequence[str] = PACKAGES, what: str = "Training") -> None:
    """Check that what trains is installed.

    Raises:
        MissingExtra: with the pip line.
    """
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, "train", what)


def options_of(recipe: Recipe) -> dict[str, str]:
    """How the base is held, as the backend's options: the same for training and for ``benchctl run`` afterwards.

    Only what is not so by itself, so that the base keeps its short name in tables.
    """
    model = recipe.model
    found = {}
    if model.quant in BITSANDBYTES:
        found["quant"] = str(model.quant)
        if not model.double_quant:
            found["double_quant"] = "false"
        if model.compute_dtype != "auto":
            found["compute_dtype"] = model.compute_dtype
    return found if model.dtype == "auto" else {**found, "dtype": model.dtype}


def base_model(recipe: Recipe, device: str) -> HFModel:
    """The base, not loaded yet.

    Raises:
        BadConfig: it is no model on this machine, or has an adapter already.
        BenchctlError: its files are not at hand, or quantised in another way.
    """
    from ..models.making import local_model

    if recipe.model.device not in ("auto", "cpu", "cuda", "mps"):
        raise BadConfig(
            f"model.device={recipe.model.device} cannot be trained on.",
            "Say cuda, and choose by CUDA_VISIBLE_DEVICES; 'accelerate launch' trains on several.",
        )
    kernel = {"gptq_kernel": "trainable"} if recipe.model.quant == "gptq" else {}  # the fastest give no gradients
    model = local_model(recipe.model.base, **options_of(recipe), **kernel, device=device)
    held = model.weights.scheme.name if model.weights.scheme else "none"
    problem = None
    if model.weights.adapter is not None:
        hint = "Merge it first: 'benchctl merge' makes a new base."
        problem = BadConfig(f"'{recipe.model.base}' has an adapter already.", hint)
    elif held != recipe.model.quant:
        what = f"'{recipe.model.base}' is held as {held}, and recipe '{recipe.name}' says quant={recipe.model.quant}."
        problem = BadConfig(what, f"Set model.quant={held}.")
    if problem is not None:
        model.close()
        raise problem
    return model
