"""The last layer for the scored positions alone: of all others it needs no more than their keys and values.

Nothing comes after the last layer but the output layer, which is asked at scored positions only. So the layer is
entered twice: with all positions, up to where it calls its attention with their keys and values; then with the scored
positions, whose queries meet the keys and values of the first time. transformers' layers need no change for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from .attention import Pass
    from .tree import Tree

PER_POSITION = frozenset({"position_ids", "position_embeddings", "cache_position"})
"""Arguments of a layer that hold something for every position, besides its hidden states."""
WORTH = 0.5
"""Share of the positions up to which the layer is entered twice: it saves what follows the attention, and costs the
projections before it again."""


class Collected(Exception):
    """The attention of the last layer has been called: its keys and values are there, the rest is not wanted."""


class LastLayer:
    """A model's last layer, where it can be found among its modules."""

    def __init__(self, model: Any) -> None:
        import torch

        count = model.config.get_text_config().num_hidden_layers
        stacks = [m for m in model.base_model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == count]
        self._layer: Any = stacks[0][-1] if len(stacks) == 1 else None
        parts = self._layer.named_modules() if self._layer is not None else ()
        named = {name: part for name, part in parts if hasattr(part, "out_features")}
        self._queries = [m for name, m in named.items() if name.endswith(".q_proj")]
        self._others = [m for name, m in named.items() if name.endswith((".k_proj", ".v_proj"))]

    def wanted(self, trees: Sequence[Tree]) -> list[list[int]]:
        """For each tree the nodes asked for; empty where to cut the layer down to them would not pay, or not work."""
        found = [tree.wanted() for tree in trees]
        pays = sum(map(len, found)) <= WORTH * sum(map(len, trees))
        return found if self._layer is not None and pays else []

    @contextmanager
    def cut(self, run: Pass) -> Iterator[None]:
        """While open, the layer computes the wanted positions of ``run`` only; at all others it gives zeros."""
        if not run.wanted:
            yield
            return
        import torch

        places, resting = run.positions(), ExitStack()

        def narrow(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if not _known(args, kwargs):  # a layer that is given more than we can cut stays whole
                self._layer, run.wanted = None, ()
                return None
            run.collecting = True
            try:
                with _at_rest(self._queries):
                    layer.forward(*args, **kwargs)
            except Collected:
                resting.enter_context(_at_rest(self._others))
                at = torch.tensor(places, device=args[0].device)
                kept = {name: _at(value, at) if name in PER_POSITION else value for name, value in kwargs.items()}
                return (_at(args[0], at), *args[1:]), kept
            finally:
                run.collecting = False
            raise RuntimeError("the last layer did not call its attention")

        def spread(layer: Any, args: Any, output: Any) -> Any:
            resting.close()
            if not run.wanted:
                return None
            states = output[0] if isinstance(output, tuple) else output
            whole = states.new_zeros((1, sum(map(len, run.trees)), states.shape[2]))
            whole[:, places] = states
            return (whole, *output[1:]) if isinstance(output, tuple) else whole

        hooks = [
            self._layer.register_forward_pre_hook(narrow, with_kwargs=True), self._layer.register_forward_hook(spread)
        ]  # fmt: skip
        try:
            with resting:
                yield
        finally:
            for hook in hooks:
                hook.remove()


@contextmanager
def _at_rest(projections: Sequence[Any]) -> Iterator[None]:
    """While open, they give zeros."""
    before = [vars(projection).get("forward") for projection in projections]
    for projection in projections:
        projection.forward = partial(_zeros, projection)
    try:
        yield
    finally:
        for projection, forward in zip(projections, before, strict=True):
            if forward is None:
                del projection.forward
            else:
                projection.forward = forward


def _zeros(projection: Any, states: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    return states.new_zeros((*states.shape[:-1], projection.out_features))


def _known(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    import torch

    others = [*args[1:], *(value for name, value in kwargs.items() if name not in PER_POSITION)]
    return bool(args) and not any(isinstance(value, torch.Tensor | tuple | list | dict) for value in others)


def _at(value: Any, at: torch.Tensor) -> Any:
    """The wanted positions of [1, tokens, ...] or [tokens], or of each of several such."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(_at(part, at) for part in value)
    return value[:, at] if value.dim() > 1 else value[at]
