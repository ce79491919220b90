"""Weights of the base that an adapter's file holds whole: embeddings of new tokens, biases, ``modules_to_save``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

WRAPPING = "base_model.model."
"""What peft puts in front of the base's own names."""


def stored_whole(model: Any, folder: Path) -> list[str]:
    """The base's own parameters that the adapter brings along: the base is left with them when it is taken off.

    peft writes biases and embeddings over the base's, and hands back its copies of ``modules_to_save``.
    """
    own = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    return [name for name in _shapes(folder) if name.replace(".base_layer.", ".") in own]


def make_room(model: Any, folder: Path) -> None:
    """Give the base as many embeddings as the adapter was trained with, where it brings its own."""
    table, shapes = model.get_input_embeddings(), _shapes(folder)
    names = sorted(f"{name}.weight" for name, module in model.named_modules(remove_duplicate=False) if module is table)
    rows = next((shapes[name][0] for name in names if name in shapes), None)
    if rows is not None and rows != table.weight.shape[0]:
        model.resize_token_embeddings(rows, mean_resizing=False)  # what they hold comes with the adapter


def _shapes(folder: Path) -> Mapping[str, tuple[int, ...]]:
    """Shape of every tensor of an adapter, by the name that the base has for it where it is the base's own."""
    file = folder / "adapter_model.safetensors"
    if not file.is_file():  # pickled, and allowed
        from peft.utils import load_peft_weights

        weights = load_peft_weights(str(folder), device="cpu")
        return {name.removeprefix(WRAPPING): tuple(tensor.shape) for name, tensor in weights.items()}
    from safetensors import safe_open

    with safe_open(file, "pt") as tensors:  # the head of the file; no tensor is read
        return {
            name.removeprefix(WRAPPING): tuple(tensors.get_slice(name).get_shape())
            for name in tensors.keys()  # noqa: SIM118
        }
