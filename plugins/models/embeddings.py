"""Weights of the base that an adapter's file holds whole: embeddings, which training with new tokens changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WRAPPING = "base_model.model."
"""What peft puts in front of the base's own names."""


def stored_whole(model: Any, folder: Path) -> dict[str, tuple[int, ...]]:
    """The base's own parameters that the adapter brings along, which peft writes over those of the base: name -> shape.

    Modules that peft keeps beside the base's (``modules_to_save``) are none of them.
    """
    own = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    shapes = {name.removeprefix(WRAPPING): shape for name, shape in _shapes(folder).items()}
    beside = tuple(_config(folder).get("modules_to_save") or ())
    return {
        name: shape for name, shape in shapes.items()
        if name in own and not any(part in beside for part in name.split("."))
    }  # fmt: skip


def make_room(model: Any, folder: Path) -> bool:
    """Give the base as many embeddings as the adapter was trained with, where it brings its own.

    Returns:
        Whether there were more or fewer before.
    """
    embeddings = model.get_input_embeddings()
    names = {name for name, module in model.named_modules(remove_duplicate=False) if module is embeddings}
    shapes = {name.removeprefix(WRAPPING): shape for name, shape in _shapes(folder).items()}
    rows = next((shapes[f"{name}.weight"][0] for name in sorted(names) if f"{name}.weight" in shapes), None)
    if rows is None or rows == embeddings.weight.shape[0]:
        return False
    model.resize_token_embeddings(rows, mean_resizing=False)  # what they hold comes with the adapter
    return True


def _shapes(folder: Path) -> Mapping[str, tuple[int, ...]]:
    """Name -> shape of every tensor of an adapter."""
    file = folder / "adapter_model.safetensors"
    if not file.is_file():  # pickled, and allowed
        from peft.utils import load_peft_weights

        return {name: tuple(tensor.shape) for name, tensor in load_peft_weights(str(folder), device="cpu").items()}
    from safetensors import safe_open

    with safe_open(file, "pt") as tensors:  # the head of the file; no tensor is read
        return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118


def _config(folder: Path) -> Mapping[str, Any]:
    found = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
