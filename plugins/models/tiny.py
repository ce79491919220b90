"""``tiny`` and its kin: small models made on the spot from fixed seeds, so that every path runs anywhere, offline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig
from benchctl.fingerprints import cache_dir, digest
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs

from .disk import writing

VERSION = 3
"""Raised when a recipe in tiny_recipes.py changes: each version has its own folders in the cache."""


def tiny_folder() -> Path:
    """The folder of the tiny Llama and its tokenizer, made at the first call: about a second, 1 MB in the cache."""
    from .tiny_recipes import make_llama

    return made("tiny", make_llama)


def tiny_adapter_folder() -> Path:
    """The folder of a LoRA adapter for it."""
    from .tiny_recipes import make_adapter

    return made("tiny-lora", lambda folder: make_adapter(folder, tiny_folder()))


def tiny_gptq_folder() -> Path:
    """The folder of its GPTQ quantisation."""
    from .tiny_recipes import make_gptq

    return made("tiny-gptq", lambda folder: make_gptq(folder, tiny_folder()), _installed("gptqmodel"))


def tiny_merged_folder() -> Path:
    """The folder of its nf4 quantisation with the adapter merged in, as plain weights."""
    from .tiny_recipes import make_merged

    return made("tiny-merged", lambda folder: make_merged(folder, tiny_folder(), tiny_adapter_folder()))


def tiny_t5_folder() -> Path:
    """The folder of a tiny encoder-decoder model."""
    from .tiny_recipes import make_t5

    return made("tiny-t5", make_t5)


def made(name: str, make: Callable[[Path], None], *facts: str) -> Path:
    """The folder of that name in benchctl's cache, made when it is not there.

    Args:
        make: fills the folder it is given.
        facts: what else the content depends on.
    """
    folder = cache_dir() / "tiny" / f"{name}-{digest([VERSION, name, *facts])[:12]}"
    if not folder.is_dir():
        draft = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with writing(draft):
                make(draft)
            with suppress(OSError):  # another process was first: its copy is as good
                draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


@dataclass(frozen=True, slots=True)
class Tiny:
    """Factory of one of them."""

    name: str
    summary: str
    folder: Callable[[], Path]
    options: Mapping[str, str]
    facts: Mapping[str, Any]
    adapter: Callable[[], Path] | None = None

    def __call__(self, args: ModelArgs) -> Model:
        """The model, its files made where they are not there yet.

        Raises:
            BadConfig: a target was given.
            MissingExtra: a package it needs is not installed.
        """
        from .hf import HFModel
        from .hf_load import require_hf

        if args.target:
            raise BadConfig(
                f"Model '{self.name}' takes no target, '{args.target}' was given.", f"Write --model {self.name}."
            )
        require_hf()
        options = {**self.options, **args.options}
        if self.adapter is not None:
            options.setdefault("adapter", str(self.adapter()))
        model = HFModel(replace(args, target=str(self.folder()), options=options))
        model.name = self.name
        return model


def _facts(quantisation: str = "", adapter: str = "", needs: str = "hf", parameters: int = 205_120) -> dict[str, Any]:
    return {
        "base": "made here, untrained", "quantisation": quantisation, "adapter": adapter, "parameters": parameters,
        "licence": "MIT", "needs": f"benchctl[{needs}]",
    }  # fmt: skip


TINIES = (
    Tiny(
        "tiny", "A small Llama made here from a fixed seed, untrained: tries every path; its scores mean nothing.",
        tiny_folder, {}, _facts(),
    ),
    Tiny("tiny-nf4", "tiny, its layers rounded to 4 bits.", tiny_folder, {"quant": "nf4"}, _facts("nf4")),
    Tiny(
        "tiny-gptq", "tiny, quantised with GPTQ on the built-in dev rows.",
        tiny_gptq_folder, {}, _facts("gptq", needs="gptq"),
    ),
    Tiny(
        "tiny-qlora", "tiny-nf4 with a LoRA adapter of fixed random weights, untrained too.",
        tiny_folder, {"quant": "nf4"}, _facts("nf4", "random LoRA, r 8"), tiny_adapter_folder,
    ),
    Tiny("tiny-merged", "tiny-qlora, merged: plain weights.", tiny_merged_folder, {}, _facts(adapter="merged")),
    Tiny(
        "tiny-t5", "A small T5 (encoder-decoder) made here from a fixed seed, untrained.",
        tiny_t5_folder, {}, _facts(parameters=263_168),
    ),
)  # fmt: skip


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@hookimpl
def benchctl_models() -> Mapping[str, Callable[[ModelArgs], Model]]:
    """The models."""
    return {tiny.name: tiny for tiny in TINIES}
