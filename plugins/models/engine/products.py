"""Products in float32 on AMD's processors: torch leaves them to MKL, which has no code for their wide registers.

oneDNN, which comes with torch as well, has: 1.2 to 1.6 times as fast for many tokens, up to 2 for a few (measured on a
Zen 4; benchmarks/README.md). torch calls it for shorter floats on its own.
"""

from __future__ import annotations

import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

VENDOR = "AuthenticAMD"
"""What AMD's processors call themselves."""


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
    for layer in model.modules() if wide_amd() else ():
        if type(layer) in kinds and "forward" not in vars(layer):
            layer.forward = partial(kinds[type(layer)], layer)


def linear(states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """``states`` [..., in] times the transposed ``weight`` [out, in], plus ``bias`` [out]: [..., out]."""
    import torch

    exact = states.dtype == weight.dtype == torch.float32 and states.device.type == weight.device.type == "cpu"
    if not (exact and states.numel() and wide_amd()) or torch.is_grad_enabled():
        return torch.nn.functional.linear(states, weight, bias)
    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
    return found


def _linear(layer: Any, states: torch.Tensor) -> torch.Tensor:
    return linear(states, layer.weight, layer.bias)


def _conv1d(layer: Any, states: torch.Tensor) -> torch.Tensor:
    """GPT-2's layers hold their weights [in, out], which torch's own product reads faster for a single token."""
    if states.numel() == states.shape[-1]:
        found: torch.Tensor = type(layer).forward(layer, states)
        return found
    return linear(states, layer.weight.t(), layer.bias)
