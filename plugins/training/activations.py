"""What a training step keeps in memory between forward and backward, counted on shapes alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .recipe import Recipe

POSITIONS, TILE = 4096, 32768
"""trl's losses hold logits for so many positions and columns of the vocabulary at a time; the buffer has that width
even where the vocabulary is smaller."""
TABLES = 7
"""Tables of the size of the logits that the same loss makes on a CPU, where no kernel does it in one step."""
COUNTING = "benchctl_counting"
"""Name under which attention that keeps no table of token pairs is known to transformers."""


class Uncountable(Exception):
    """An architecture that shapes alone do not get through."""


def held(recipe: Recipe, model: Any, recomputed: bool, width: int, gpu: bool) -> int:
    """Bytes of a batch of full-length rows: what is kept for the backward pass, and what the loss takes.

    Args:
        model: on the meta device, what is learnt trainable.
        recomputed: keep only what enters each block, and one block's activations while it is computed again.
        width: bytes of a number while computing.
        gpu: with an accelerator's fused kernels, or as a CPU does it.

    Raises:
        Uncountable: the model needs more than shapes.
    """
    config = model.config.get_text_config()
    rows, length = _shape(recipe)
    try:
        inside = kept(model, rows, length, width, gpu)
        layers, entering = int(config.num_hidden_layers), rows * length * int(config.hidden_size) * width
    except (RuntimeError, NotImplementedError, ValueError, TypeError, AttributeError) as error:
        raise Uncountable(" ".join(str(error).split())[:160]) from error
    if recomputed:  # of an encoder-decoder, one block of each half
        halves = 2 if model.config.is_encoder_decoder else 1
        inside = inside // layers + layers * halves * entering
    return inside + _loss(recipe, int(config.vocab_size), width, gpu)


def kept(model: Any, rows: int, length: int, width: int, gpu: bool) -> int:
    """Bytes that a forward pass over so many rows keeps for its backward pass; the loss is not among them."""
    import torch

    model.train()
    ids = torch.zeros(rows, length, dtype=torch.long, device="meta")
    inputs = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    own = {id(parameter) for parameter in model.parameters()}
    seen: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        base = tensor if tensor._base is None else tensor._base
        if id(base) not in own:
            seen[id(base)] = base  # held, so that no other tensor gets its id
        return tensor

    with _counting(model, gpu), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=ids, use_cache=False, **inputs)
    return sum(t.numel() * (width if t.is_floating_point() else t.element_size()) for t in seen.values())


def _shape(recipe: Recipe) -> tuple[int, int]:
    """Rows and tokens of one forward pass; for preferences chosen and rejected answer go through together."""
    return recipe.training.batch * (2 if recipe.objective == "dpo" else 1), recipe.data.max_length


def _loss(recipe: Recipe, vocabulary: int, width: int, gpu: bool) -> int:
    """Bytes that computing the loss takes for a moment: trl's works in tiles, transformers' on all logits at once."""
    rows, length = _shape(recipe)
    if recipe.objective in ("sft", "dpo"):
        positions = min(rows * length, POSITIONS)
        return positions * (TILE * width + (0 if gpu else TABLES * min(vocabulary, TILE) * 4))
    return rows * length * vocabulary * (width + 4 * 2)  # logits; in 32 bits their logarithm and their gradient


@contextmanager
def _counting(model: Any, gpu: bool) -> Iterator[None]:
    """Attention that keeps what the real kernels keep; the meta device's own keeps tables of all pairs of tokens."""
    import functools

    from transformers import AttentionInterface

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    before = base.config._attn_implementation
    if before != "sdpa":
        yield
        return
    AttentionInterface.register(COUNTING, functools.partial(_attention, gpu))
    base.set_attn_implementation(COUNTING)
    try:
        yield
    finally:
        base.set_attn_implementation(before)


def _attention(gpu: bool, module: Any, query: Any, key: Any, value: Any, mask: Any, **options: Any) -> tuple[Any, None]:
    """[rows, heads, tokens, size] of queries, keys and values -> [rows, tokens, heads, size].

    Fused kernels keep these and the output. On a CPU there is none with dropout: the weights of all pairs of tokens
    are kept, before and after it, and which of them were dropped.
    """
    import torch

    dropped = () if gpu or not options.get("dropout") else (query.dtype, query.dtype, torch.bool)

    class Kept(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, q: Any, k: Any, v: Any) -> Any:
            out = torch.empty_like(q)
            tables = [q.new_empty(*q.shape[:-1], k.shape[-2], dtype=dtype) for dtype in dropped]
            ctx.save_for_backward(q, k, v, out, *tables)
            return out

    function: Any = Kept
    return function.apply(query, key, value).transpose(1, 2).contiguous(), None
