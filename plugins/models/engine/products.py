"""Products in float32 on AMD's processors: torch leaves them to MKL, which has no code for their wide registers.

oneDNN, which comes with torch as well, has: 1.2 to 1.6 times as fast for many tokens, up to 2 for a few (measured on a
Zen 4; benchmarks/README.md). torch calls it for shorter floats on its own. It also takes over what follows a product:
a gate's activation and its factor need no memory of their own, nor another way through it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .blocked import NAME, Blocks, parts
from .memory import spare

if TYPE_CHECKING:
    import torch

VENDOR = "AuthenticAMD"
"""What AMD's processors call themselves."""
SAME = 1e-5
"""Share of their size by which outputs may differ that are computed in another order; another activation is further off
also where weights are small."""


@cache
def wide_amd() -> bool:
    """Whether this is a processor of AMD with AVX-512 and a torch that has oneDNN."""
    import torch

    listed = Path("/proc/cpuinfo")
    named = listed.read_text(encoding="utf-8") if listed.is_file() else os.environ.get("PROCESSOR_IDENTIFIER", "")
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    return VENDOR in named and wide and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def hasten(model: Any) -> None:
    """Have the model's layers call :func:`linear`, where that is another library's product.

    Those whose call somebody else has replaced, as accelerate does to fetch weights from a disk, stay as they are.
    """
    import torch
    from transformers.pytorch_utils import Conv1D

    kinds = {torch.nn.Linear: _linear, Conv1D: _conv1d}
    gated: dict[tuple[type, type], bool] = {}
    for layer in model.modules() if wide_amd() else ():
        if "forward" in vars(layer):
            continue
        if type(layer) in kinds:
            layer.forward = partial(kinds[type(layer)], layer)
        elif _fits(layer):
            kind = type(layer), type(getattr(layer, "act_fn", None))
            if kind not in gated:
                gated[kind] = _is_gated(layer)
            if gated[kind]:
                layer.forward = partial(_gated, layer)


def block(model: Any, columns: int) -> None:
    """Keep the weights of hastened layers in oneDNN's blocks as well, where a quarter of the free memory holds them.

    Args:
        columns: of the output layer's pieces, in entries of the vocabulary.
    """
    if not hasattr(model, "get_output_embeddings"):  # no plain model: trained vectors stand in front of its text
        return
    head = model.get_output_embeddings()
    ours = [layer for layer in model.modules() if getattr(vars(layer).get("forward"), "func", None) is _linear]
    ours = [layer for layer in ours if _is_exact(layer.weight)]
    wanted = [layer for layer in ours if not (NAME in vars(layer) and vars(layer)[NAME].still(layer.weight))]
    for layer in wanted:
        vars(layer).pop(NAME, None)
    if not wanted or sum(layer.weight.nbytes for layer in wanted) > spare() / 4:
        return
    for layer in wanted:
        setattr(layer, NAME, Blocks.of(layer.weight, columns if layer is head else len(layer.weight)))


def unblock(model: Any) -> None:
    """Let the blocks go, as before weights are changed."""
    for layer in model.modules():
        vars(layer).pop(NAME, None)


def linear(states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """``states`` [..., in] times the transposed ``weight`` [out, in], plus ``bias`` [out]: [..., out]."""
    import torch

    if not _is_taken(states, weight):
        return torch.nn.functional.linear(states, weight, bias)
    return _product(states, weight, bias)


def pieces(layer: Any, states: torch.Tensor, columns: int) -> Iterator[tuple[int, torch.Tensor]]:
    """A linear layer's output some columns at a time: the first one's number, and [..., columns].

    Args:
        layer: one of torch's own.
        states: [..., in].
        columns: how many, unless its weights are held in blocks of other sizes.
    """
    import torch

    held, first = parts(layer, states) if _is_taken(states, layer.weight) else (), 0
    for weight in held or torch.split(layer.weight, columns):
        bias = None if layer.bias is None else layer.bias[first : first + len(weight)]
        yield first, _product(states, weight, bias) if held else linear(states, weight, bias)
        first += len(weight)


def _is_exact(weight: torch.Tensor) -> bool:
    import torch

    return weight.dtype == torch.float32 and weight.device.type == "cpu"


def _is_taken(states: torch.Tensor, weight: torch.Tensor) -> bool:
    import torch

    exact = _is_exact(states) and _is_exact(weight)
    return exact and states.numel() > 0 and wide_amd() and not torch.is_grad_enabled()


def _product(states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, then: str = "none") -> torch.Tensor:
    import torch

    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, then, [], "")
    return found


def _linear(layer: Any, states: torch.Tensor) -> torch.Tensor:
    import torch

    found = [part for _, part in pieces(layer, states, len(layer.weight))]
    return found[0] if len(found) == 1 else torch.cat(found, dim=-1)


def _conv1d(layer: Any, states: torch.Tensor) -> torch.Tensor:
    """GPT-2's layers hold their weights [in, out], which torch's own product reads faster for a single token."""
    if states.numel() == states.shape[-1]:
        found: torch.Tensor = type(layer).forward(layer, states)
        return found
    return linear(states, layer.weight.t(), layer.bias)


def _is_gated(layer: Any) -> bool:
    """Whether it is the feed-forward layer of Llama and its many kin: down(silu(gate(x)) * up(x))."""
    import torch

    states = torch.randn(4, layer.gate_proj.in_features, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        own = type(layer).forward(layer, states)
        return bool((own - _gated(layer, states)).norm() < SAME * own.norm())


def _fits(layer: Any) -> bool:
    """Whether its three products are plain ones that oneDNN takes; asked at each call, since adapters come and go."""
    import torch

    found = [getattr(layer, name, None) for name in ("gate_proj", "up_proj", "down_proj")]
    return all(
        type(part) is torch.nn.Linear and _is_exact(part.weight)
        and not part._forward_hooks and not part._forward_pre_hooks
        for part in found
    )  # fmt: skip


def _gated(layer: Any, states: torch.Tensor) -> torch.Tensor:
    import torch

    if not (_fits(layer) and _is_taken(states, layer.gate_proj.weight)):
        found: torch.Tensor = type(layer).forward(layer, states)
        return found
    (gate,), (up,) = (parts(part, states) or (part.weight,) for part in (layer.gate_proj, layer.up_proj))
    inner = _product(states, gate, layer.gate_proj.bias, "swish")
    inner = torch.ops.mkldnn._linear_pointwise.binary(states, inner, up, layer.up_proj.bias, "mul")
    outer: torch.Tensor = layer.down_proj(inner)
    return outer
