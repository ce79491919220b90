"""Attention over trees of tokens: the model's own attention function, called tree by tree behind a shared header.

The model runs on one row that holds many trees end to end, so no position is padding. transformers lets a model's
attention be replaced by name; the replacement below cuts the row into its trees again, puts the header's keys and
values in front, and leaves the arithmetic (scaling, capping, sinks) to the function that the model would have used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .items import CannotShare
from .last import Collected
from .tree import Tree

if TYPE_CHECKING:
    import torch

NAME = "benchctl_trees"
"""What the replacement is called in transformers' registry."""


class Memory:
    """Keys and values of a header for every attention layer."""

    def __init__(self, length: int) -> None:
        self.length = length
        """Tokens; may be lowered at any time, since what comes first does not depend on what follows."""
        self._kept: dict[tuple[int, str], torch.Tensor] = {}
        self._rooms: dict[tuple[Any, ...], torch.Tensor] = {}
        self._headed: dict[tuple[Any, ...], tuple[int, int]] = {}
        """The layer whose header stands in a room, and its length."""

    @classmethod
    def of(cls, cache: Any, layers: int, length: int) -> Memory | None:
        """The first ``length`` tokens of the first row in a cache of transformers.

        Returns:
            None where not each of the model's layers has kept all tokens from the first, as those with a window.
        """
        held = [layer for layer in getattr(cache, "layers", ()) if layer.keys is not None]
        if len(held) != layers or any(layer.keys.shape[2] < layer.get_seq_length() for layer in held):
            return None
        made = cls(length)
        for number, layer in enumerate(held):
            made.keep(number, "keys", layer.keys[:1, :, :length])
            made.keep(number, "values", layer.values[:1, :, :length])
        return made

    def keep(self, layer: int, part: str, states: torch.Tensor) -> None:
        """Remember ``states`` [1, heads, length, size], the keys or the values of a layer."""
        self._kept[layer, part] = states.clone()

    def extend(self, layer: int, part: str, states: torch.Tensor) -> torch.Tensor:
        """The header's states and behind them those given: [1, heads, length + tokens, size], until the next call."""
        end = self.length + states.shape[2]
        # One room for all layers, since each is done with in turn; those of another shape or device have their own.
        kind = part, states.shape[1], states.shape[3], states.dtype, states.device
        if kind not in self._rooms or self._rooms[kind].shape[2] < end:
            self._rooms[kind] = states.new_empty((1, states.shape[1], end + states.shape[2], states.shape[3]))
            self._headed.pop(kind, None)
        room = self._rooms[kind]
        if self._headed.get(kind) != (layer, self.length):
            room[:, :, : self.length] = self._kept[layer, part][:, :, : self.length]
            self._headed[kind] = layer, self.length
        room[:, :, self.length : end] = states
        return room[:, :, :end]


@dataclass(slots=True)
class Pass:
    """One run through the model: its trees, and what its attention layers need to know about them."""

    trees: Sequence[Tree]
    memory: Memory
    keeping: bool = False
    """Whether this is the run that computes the header."""
    causal: bool = False
    """Whether the model's attention function knows the plain causal pattern without being given a mask."""
    wanted: Sequence[Sequence[int]] = ()
    """For each tree the nodes, ascending, that the last layer is cut down to; empty: it stays whole."""
    collecting: bool = False
    """Whether the last layer is only asked for its keys and values."""
    layers: set[int] = field(default_factory=set)
    """Attention layers met so far."""
    _collected: tuple[torch.Tensor, torch.Tensor] | None = None
    _masks: dict[tuple[int, int | None], torch.Tensor] = field(default_factory=dict)

    def positions(self) -> list[int]:
        """Where the wanted nodes stand, over all trees end to end."""
        begin, found = 0, []
        for tree, nodes in zip(self.trees, self.wanted, strict=True):
            found += [begin + node for node in nodes]
            begin += len(tree)
        return found

    def attend(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
    ) -> tuple[torch.Tensor, None]:
        """Attention of every tree over itself and its header; [1, tokens, heads, size]."""
        import torch

        if self.collecting:
            self._collected = key, value
            raise Collected
        layer = _number(module)
        if not getattr(module, "is_causal", True):
            raise CannotShare("its attention looks at what comes later")
        self.layers.add(layer)
        whole = self._collected is None
        if self._collected is not None:
            key, value = self._collected
        if self.keeping:
            self.memory.keep(layer, "keys", key)
            self.memory.keep(layer, "values", value)
        own, parts, begin, met = _own_attention(module, self.causal), [], 0, 0
        for place, tree in enumerate(self.trees):
            k, v = (states[:, :, begin : begin + len(tree)] for states in (key, value))
            if tree.header:
                k = self.memory.extend(layer, "keys", k)
                v = self.memory.extend(layer, "values", v)
            mask = self._mask(place, options.get("sliding_window"), query, whole)
            asking = len(tree) if whole else len(self.wanted[place])
            parts.append(own(module, query[:, :, met : met + asking], k, v, mask, **options)[0])
            begin, met = begin + len(tree), met + asking
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1), None

    def _mask(self, place: int, window: int | None, like: torch.Tensor, whole: bool) -> torch.Tensor | None:
        """What is added to the attention weights: [1, 1, tokens, header + tokens], or None for a plain causal tree."""
        tree = self.trees[place]
        if window is not None and max(tree.depths) < window:
            window = None
        if whole and self.causal and window is None and tree.straight:
            return None
        if (place, window) not in self._masks:
            self._masks[place, window] = _tree_mask(tree, window, like)
        mask = self._masks[place, window]
        return mask if whole else mask[:, :, self.wanted[place]]


def _tree_mask(tree: Tree, window: int | None, like: torch.Tensor) -> torch.Tensor:
    import torch

    seen = torch.ones((len(tree), tree.header + len(tree)), dtype=torch.bool)
    seen[:, tree.header :] = torch.from_numpy(tree.visible())
    if window is not None:
        depths = torch.tensor(tree.depths)
        before = torch.cat([torch.arange(tree.header), depths])
        seen &= depths[:, None] - before[None, :] < window
    mask = torch.zeros(seen.shape, dtype=like.dtype).masked_fill_(~seen, torch.finfo(like.dtype).min)
    return mask[None, None].to(like.device)


def _number(module: Any) -> int:
    """Which layer's attention this is, as transformers counts them for its caches."""
    number = getattr(module, "layer_idx", None)
    if not isinstance(number, int):
        raise CannotShare(f"{type(module).__name__} does not say which layer it is of")
    return number


def _own_attention(module: Any, fused: bool) -> Any:
    """The attention function the model would have used: torch's fused one, or the one written beside the layer."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if fused:
        return ALL_ATTENTION_FUNCTIONS["sdpa"]
    try:
        return sys.modules[type(module).__module__].eager_attention_forward
    except AttributeError as error:
        raise CannotShare(f"{type(module).__name__} has no attention function to call") from error


_CURRENT: ContextVar[Pass] = ContextVar("benchctl_current_pass")


def _attend(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **options: Any) -> tuple[Any, None]:
    """What transformers calls; the mask it offers is empty, since it knows no pattern for this name."""
    return _CURRENT.get().attend(module, query, key, value, **options)


@contextmanager
def trees_attended(model: Any, run: Pass) -> Iterator[None]:
    """While open, the model's attention layers work on the trees of ``run``."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
    before = model.config._attn_implementation
    token = _CURRENT.set(run)
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = before
        _CURRENT.reset(token)
