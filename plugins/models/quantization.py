"""Quantised weights: the scheme a checkpoint or an option asks for, exact 4-bit arithmetic, and what it measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from benchctl.errors import BadConfig, MissingExtra, ModelCallError

from .settings import Settings

BITSANDBYTES = ("nf4", "fp4", "int8")
PACKAGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(BITSANDBYTES, ("hf", ("bitsandbytes", "accelerate"))),
    "gptq": ("gptq", ("gptqmodel", "optimum")),
}
"""Scheme -> the extra that brings its packages, and their import names."""

PACKED_ROWS, PACKED_BLOCK = 32, 64
"""bitsandbytes' repacking kernel takes layers of a multiple of so many outputs and inputs, and asserts otherwise."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the weights are quantised."""

    name: str
    """``nf4``, ``fp4``, ``int8``, ``gptq``, or what the checkpoint calls it."""
    source: str
    """``checkpoint``: its files are quantised. ``option``: plain files, quantised while loading."""


def settle(settings: Settings, config: Any) -> Scheme | None:
    """The scheme that the option and the checkpoint's configuration agree on; None for plain weights.

    Raises:
        BadConfig: they contradict each other.
        MissingExtra: its package is not installed.
    """
    stored, wanted = stored_scheme(config), settings.quant
    if wanted != "auto" and stored is not None and wanted != stored:
        raise BadConfig(
            f"'{settings.target}' is quantised as {stored} already, quant={wanted} is not possible.", "Leave out quant."
        )
    if wanted == "gptq" and stored is None:
        hint = f"Make one with: benchctl quantize {settings.target} --method gptq --out DIR"
        raise BadConfig(f"'{settings.target}' is no GPTQ checkpoint.", hint)
    plain = wanted in ("auto", "none")
    scheme = Scheme(stored, "checkpoint") if stored else None if plain else Scheme(wanted, "option")
    if scheme is not None and scheme.name in PACKAGES:
        extra, packages = PACKAGES[scheme.name]
        for package in packages:
            if find_spec(package) is None:
                raise MissingExtra(package, extra, f"A model quantised as {scheme.name}")
    return scheme


def stored_scheme(config: Any) -> str | None:
    """How a checkpoint says it is quantised; None for plain weights."""
    found = getattr(config, "quantization_config", None)
    if found is None:
        return None
    values = found if isinstance(found, Mapping) else found.to_dict()
    method = str(getattr(values.get("quant_method", "?"), "value", values.get("quant_method", "?")))
    if not method.startswith("bitsandbytes"):
        return method
    return "int8" if values.get("load_in_8bit") else str(values.get("bnb_4bit_quant_type", "fp4"))


def loading_options(scheme: Scheme | None, settings: Settings, dtype: str) -> dict[str, Any]:
    """What ``from_pretrained`` needs to quantise while loading, or to choose a kernel for what is quantised already."""
    if scheme is None:
        return {}
    import torch
    from transformers import BitsAndBytesConfig, GPTQConfig

    if scheme.source == "checkpoint":
        trainable = scheme.name == "gptq" and settings.gptq_kernel == "trainable"
        return {"quantization_config": GPTQConfig(bits=4, backend="auto_trainable")} if trainable else {}

    if scheme.name == "int8":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=scheme.name,
            bnb_4bit_use_double_quant=settings.double_quant,
            bnb_4bit_compute_dtype=getattr(torch, compute_dtype(settings, dtype)),
        )
    }


def compute_dtype(settings: Settings, dtype: str) -> str:
    """In which dtype 4-bit layers multiply: as asked, else the model's own."""
    return dtype if settings.compute_dtype == "auto" else settings.compute_dtype


def keep_exact(model: Any) -> int:
    """Keep the 4-bit layers of a model from being repacked on a CPU; call it right after loading.

    On a processor with AVX512-BF16, bitsandbytes repacks a layer's weights at its first forward in evaluation mode.
    After that, dequantising, merging, the backward pass and further training read the repacked bytes as if they were
    not, without any error. It also rounds to bfloat16, so that scores would differ between processors.

    Returns:
        How many 4-bit layers there are.

    Raises:
        ModelCallError: a layer was repacked already; its exact weights are gone.
    """
    layers = four_bit_layers(model)
    for layer in layers:
        if getattr(getattr(layer.weight, "quant_state", None), "packing_format_for_cpu", False):
            raise ModelCallError(
                "The 4-bit weights were repacked by an evaluation and are not exact any more.", "Load the model again."
            )
        layer.support_avx512bf16_for_cpu = False
    return len(layers)


def allow_fast(model: Any) -> int:
    """The opposite of :func:`keep_exact`, for evaluation only: let the layers that can be repacked be repacked.

    Returns:
        How many layers the processor's kernel will take.
    """
    taken = 0
    for layer in four_bit_layers(model):
        fits = layer.out_features % PACKED_ROWS == 0 and layer.in_features % PACKED_BLOCK == 0
        layer.support_avx512bf16_for_cpu = bool(layer.support_avx512bf16_for_cpu and fits)
        taken += layer.support_avx512bf16_for_cpu
    return taken


def set_compute_dtype(model: Any, dtype: str) -> None:
    """Make every 4-bit layer multiply in this dtype, also where the checkpoint recorded another."""
    import torch

    for layer in four_bit_layers(model):
        layer.compute_dtype, layer.compute_type_is_set = getattr(torch, dtype), True


def four_bit_layers(model: Any) -> list[Any]:
    """The 4-bit layers of bitsandbytes, found by name so that a plain model does not import the package."""
    return [module for module in model.modules() if _is(module, "Linear4bit")]


def measure(model: Any) -> dict[str, Any]:
    """Parameters (two 4-bit ones per byte counted as two), memory of all weights in MiB, and quantised layers."""
    layers = [(module, _bits(module)) for module in model.modules() if _bits(module)]
    quantised = [module for module, bits in layers if bits < 16]
    found: dict[str, Any] = {
        "parameters": count_parameters(model),
        "weights_mib": round(weight_bytes(model) / 2**20, 3),
    }
    if quantised:
        kernels = sorted({type(module).__name__ for module in quantised})
        found |= {"quantised_layers": len(quantised), "linear_layers": len(layers), "kernels": kernels}
    return found


def count_parameters(model: Any) -> int:
    """The model's real parameters, each shared one once."""
    total = 0
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        if state is not None:
            total += int(state.shape.numel())
        elif type(parameter).__name__ == "Params4bit":
            total += int(parameter.numel()) * 2 * parameter.element_size()
        else:
            total += int(parameter.numel())
    for module in model.modules():  # GPTQ layers keep their weights in buffers
        if _is(module, "BaseQuantLinear"):
            bias = getattr(module, "bias", None)
            total += int(module.in_features) * int(module.out_features) + (int(bias.numel()) if bias is not None else 0)
    return total


def weight_bytes(model: Any) -> int:
    """Bytes of all parameters and buffers and of the scales of 4-bit weights; shared memory counts once."""
    tensors: list[Any] = [*model.parameters(), *model.buffers()]
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        if state is not None:
            nested = getattr(state, "state2", None)
            tensors += [state.absmax, state.code, *((nested.absmax, nested.code) if nested is not None else ())]
    sizes = {(str(t.device), t.data_ptr()): t.numel() * t.element_size() for t in tensors if t.numel()}
    return sum(sizes.values())


def _bits(module: Any) -> int:
    """Bits per weight of a linear layer; 0 for everything else."""
    if _is(module, "Linear4bit"):
        return 4
    if _is(module, "Linear8bitLt"):
        return 8
    if _is(module, "BaseQuantLinear"):
        return int(module.bits)
    plain = _is(module, "Linear") or _is(module, "Conv1D")
    return 32 if plain and not hasattr(module, "base_layer") else 0


def _is(module: Any, name: str) -> bool:
    return any(cls.__name__ == name for cls in type(module).__mro__)
