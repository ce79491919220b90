"""The base of a training as a benchctl model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchctl.errors import BadConfig, MissingExtra

from .recipe import Recipe

if TYPE_CHECKING:
    from ..models.hf import HFModel

PACKAGES = ("torch", "transformers", "accelerate", "peft", "trl")


def require_packages() -> None:
    """Check that what trains is installed.

    Raises:
        MissingExtra: with the pip line.
    """
    from importlib.util import find_spec

    for package in PACKAGES:
        if find_spec(package) is None:
            raise MissingExtra(package, "train", "Training")


def options_of(recipe: Recipe) -> dict[str, str]:
    """How the base is held, as the backend's options: the same for training and for ``benchctl run`` afterwards."""
    model = recipe.model
    found: dict[str, str] = {"quant": model.quant}
    if model.quant in ("nf4", "fp4"):
        found |= {"double_quant": str(model.double_quant).lower(), "compute_dtype": model.compute_dtype}
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
    if model.weights.adapter is not None:
        model.close()
        raise BadConfig(
            f"'{recipe.model.base}' has an adapter already.", "Merge it first: 'benchctl merge' makes a new base."
        )
    return model
