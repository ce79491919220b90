"""The options of ``hf:PATH_OR_ID``, read and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchctl.errors import BadConfig
from benchctl.model import ModelArgs

from .thinking import WANTED

OPTIONS: Mapping[str, str] = {
    "revision": "",
    "dtype": "auto",
    "device": "auto",
    "chat": "auto",
    "thinking": "auto",
    "batch_tokens": "auto",
    "temperature": "",
    "seed": "0",
    "trust_remote_code": "false",
    "allow_pickle": "false",
    "max_length": "",
    "quant": "auto",
    "compute_dtype": "auto",
    "double_quant": "true",
    "cpu_4bit": "exact",
    "gptq_kernel": "auto",
    "adapter": "",
    "adapter_revision": "",
    "merge": "false",
    "any_base": "false",
    "attn": "auto",
    "device_map": "",
    "max_memory": "",
    "offload": "",
}
"""Option -> default; docs/how-to/local-models.md says what each does. ``dtype`` auto: the checkpoint's on an
accelerator, float32 on a CPU. ``chat`` auto: with the model's own template where it has one. ``thinking`` auto: in free
answers, as that template does. ``batch_tokens``: tokens per batch. ``temperature``: none is the task's, 0 in most.
``quant`` auto: as the checkpoint says. ``any_base``: take the adapter though it is another base's."""

DTYPES = ("auto", "float32", "bfloat16", "float16")
QUANTS = ("auto", "none", "nf4", "fp4", "int8", "gptq")
ATTENTION = ("auto", "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
DEVICE_MAPS = ("", "auto", "balanced", "balanced_low_0", "sequential")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of ``hf:TARGET``, read and checked."""

    target: str
    revision: str | None
    dtype: str
    device: str
    chat: str
    thinking: str
    """Before a free answer."""
    batch_tokens: int | None
    """None: found for the device."""
    trust_remote_code: bool
    allow_pickle: bool
    max_length: int | None
    temperature: float | None = None
    """Of every free answer; None: the request's."""
    seed: int = 0
    """Of what is drawn at a temperature above 0."""
    quant: str = "auto"
    compute_dtype: str = "auto"
    double_quant: bool = True
    cpu_4bit: str = "exact"
    """``fast``: the repacking kernel of bitsandbytes on processors that have one; see quantize.keep_exact."""
    gptq_kernel: str = "auto"
    """``trainable``: one that hands gradients back; the fastest do not."""
    adapter: str | None = None
    """A folder or hub id."""
    adapter_revision: str | None = None
    merge: bool = False
    any_base: bool = False
    attn: str | None = None
    """None: what transformers chooses."""
    device_map: str | None = None
    max_memory: str | None = None
    """``0:20GiB;1:20GiB;cpu:60GiB``: the most each device may hold, with a device map."""
    offload: str | None = None
    """Folder for what fits neither the accelerators nor memory."""

    @classmethod
    def read(cls, args: ModelArgs) -> Settings:
        """From the command line.

        Raises:
            BadConfig: no target, an unknown option, or a value out of range.
        """
        if not args.target:
            raise BadConfig(f"Model '{args.spec}' names no folder or hub id.", "Write hf:PATH_OR_ID.")
        values = args.take(OPTIONS)
        return cls(
            target=args.target,
            revision=values["revision"] or None,
            dtype=one_of(args.spec, "dtype", values["dtype"], DTYPES),
            device=values["device"],
            chat=one_of(args.spec, "chat", values["chat"], ("auto", "on", "off")),
            thinking=one_of(args.spec, "thinking", values["thinking"], WANTED),
            batch_tokens=None if values["batch_tokens"] == "auto" else _number(args.spec, "batch_tokens", values),
            trust_remote_code=switch(args.spec, "trust_remote_code", values),
            allow_pickle=switch(args.spec, "allow_pickle", values),
            max_length=_number(args.spec, "max_length", values) if values["max_length"] else None,
            temperature=_temperature(args.spec, values["temperature"]) if values["temperature"] else None,
            seed=_seed(args.spec, values["seed"]),
            **_weights_options(args.spec, values),
        )


def _weights_options(spec: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Quantisation, adapter and placement, checked alone and against each other."""
    found: dict[str, Any] = {
        "quant": one_of(spec, "quant", values["quant"], QUANTS),
        "compute_dtype": one_of(spec, "compute_dtype", values["compute_dtype"], DTYPES),
        "double_quant": switch(spec, "double_quant", values),
        "cpu_4bit": one_of(spec, "cpu_4bit", values["cpu_4bit"], ("exact", "fast")),
        "gptq_kernel": one_of(spec, "gptq_kernel", values["gptq_kernel"], ("auto", "trainable")),
        "merge": switch(spec, "merge", values),
        "any_base": switch(spec, "any_base", values),
        "attn": None if values["attn"] == "auto" else one_of(spec, "attn", values["attn"], ATTENTION),
        "device_map": one_of(spec, "device_map", values["device_map"], DEVICE_MAPS) or None,
        **{name: values[name] or None for name in ("adapter", "adapter_revision", "max_memory", "offload")},
    }
    if found["merge"] and not found["adapter"]:
        raise BadConfig(f"Model '{spec}': merge=true without an adapter.", "Add adapter=PATH_OR_ID.")
    if (found["max_memory"] or found["offload"]) and not found["device_map"]:
        raise BadConfig(f"Model '{spec}': max_memory and offload need a device map.", "Add device_map=auto.")
    return found


def _temperature(spec: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise BadConfig(f"Model '{spec}': temperature={value} is no number from 0 up.", "Write temperature=0.6.")
    return found


def _seed(spec: str, value: str) -> int:
    if not value.isdecimal():
        raise BadConfig(f"Model '{spec}': seed={value} is no whole number from 0 up.", "Write seed=1.")
    return int(value)


def memory_limits(text: str) -> dict[int | str, str]:
    """``0:20GiB;cpu:60GiB`` as accelerate wants it.

    Raises:
        BadConfig: not of that form.
    """
    found: dict[int | str, str] = {}
    for part in text.split(";"):
        device, colon, size = part.partition(":")
        if not colon or not re.fullmatch(r"\d+(\.\d+)?([KMGT]i?B)", size) or not (device.isdigit() or device == "cpu"):
            raise BadConfig(f"max_memory={text} cannot be read.", "Write max_memory=0:20GiB;cpu:60GiB.")
        found[int(device) if device.isdigit() else device] = size
    return found


def one_of(spec: str, name: str, value: str, known: tuple[str, ...]) -> str:
    """The value, if it is one of the known ones.

    Raises:
        BadConfig: it is not.
    """
    if value not in known:
        raise BadConfig(f"Model '{spec}': {name}={value} is not possible.", f"Choose one of {', '.join(known)}.")
    return value


def switch(spec: str, name: str, values: Mapping[str, str]) -> bool:
    """``true`` or ``false`` as a bool."""
    return one_of(spec, name, values[name].lower(), ("true", "false")) == "true"


def _number(spec: str, name: str, values: Mapping[str, str]) -> int:
    if not values[name].isdigit() or not int(values[name]):
        raise BadConfig(f"Model '{spec}': {name}={values[name]} is no positive whole number.", f"Write {name}=2048.")
    return int(values[name])
