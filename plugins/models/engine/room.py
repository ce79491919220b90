"""Keys and values with room behind them: transformers' own cache is copied whole for every token that is written."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def make_room(past: Any, spare: int) -> None:
    """Have a cache of transformers write further tokens behind those it holds, in new room.

    Call it again before rows are taken out or repeated, so that the room for the others is let go.

    Args:
        past: a ``DynamicCache``; its layers with a window, a state or a shape of their own stay as they are.
        spare: tokens of room that are made at a time, where there is none left.
    """
    from transformers.cache_utils import DynamicLayer

    for layer in getattr(past, "layers", ()):
        if type(layer) is DynamicLayer:
            layer.spare, layer.rooms = spare, {}
            layer.update = MethodType(_update, layer)


def _update(
    layer: Any, keys: torch.Tensor, values: torch.Tensor, *args: Any, **kwargs: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Add tokens, [rows, heads, tokens, size] each; gives all there are."""
    if layer.get_seq_length() == 0:
        found: tuple[torch.Tensor, torch.Tensor] = type(layer).update(layer, keys, values, *args, **kwargs)
        return found
    layer.keys = _longer(layer, "keys", layer.keys, keys)
    layer.values = _longer(layer, "values", layer.values, values)
    return layer.keys, layer.values


def _longer(layer: Any, part: str, held: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """What is held and the new states, in the layer's room for them; a new one is made where there is none left."""
    length = held.shape[-2]
    end = length + states.shape[-2]
    room, given = layer.rooms.get(part, (held, None))
    if given is not held or room.shape[-2] < end:  # other tensors, as of a cache that was cut, are in no room
        room = held.new_empty((*held.shape[:-2], end + layer.spare, held.shape[-1]))
        room[..., :length, :] = held
    room[..., length:end, :] = states
    longer: torch.Tensor = room[..., :end, :]
    layer.rooms[part] = room, longer
    return longer
