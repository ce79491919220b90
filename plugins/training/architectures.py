"""What a base is built like, known without its files: enough to count parameters and to name its layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchctl.config import load_config
from benchctl.errors import BadConfig
from benchctl.model import parse_spec

from ..models.presets import PRESETS
from ..models.quantization import stored_scheme
from ..models.quiet import quiet
from ..models.tiny import TINIES
from ..models.tiny_recipes import CONTEXT, HEADS, HIDDEN, LAYERS, VOCABULARY
from .recipe import Recipe

_MISTRAL_7B = {
    "model_type": "mistral", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 32768,
    "dtype": "bfloat16",
}  # fmt: skip
_LLAMA2_7B = {
    "model_type": "llama", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 4096,
    "dtype": "float16",
}  # fmt: skip
_GPT2 = {
    "model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12,
    "dtype": "float32",
}  # fmt: skip
_T5_BASE = {
    "model_type": "t5", "vocab_size": 32128, "d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12,
    "num_heads": 12, "is_encoder_decoder": True, "dtype": "float32",
}  # fmt: skip
_GPTQ = {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}
_TINY = {
    "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": 2 * HIDDEN,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": HEADS // 2,
    "max_position_embeddings": CONTEXT, "dtype": "float32",
}  # fmt: skip
_TINY_T5 = {
    "model_type": "t5", "vocab_size": VOCABULARY, "d_model": HIDDEN, "d_kv": HIDDEN // HEADS, "d_ff": 2 * HIDDEN,
    "num_layers": LAYERS, "num_heads": HEADS, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False,
    "is_encoder_decoder": True, "n_positions": CONTEXT, "dtype": "float32",
}  # fmt: skip

KNOWN: Mapping[str, Mapping[str, Any]] = {
    "HuggingFaceH4/zephyr-7b-beta": _MISTRAL_7B,
    "TheBloke/zephyr-7B-alpha-GPTQ": {**_MISTRAL_7B, **_GPTQ},
    "TheBloke/Llama-2-7B-GPTQ": {**_LLAMA2_7B, **_GPTQ},
    "openai-community/gpt2": _GPT2,
    "openai-community/gpt2-xl": {**_GPT2, "n_embd": 1600, "n_layer": 48, "n_head": 25},
    "distilbert/distilgpt2": {**_GPT2, "n_layer": 6},
    "google-t5/t5-base": _T5_BASE,
}
"""Hub id -> the numbers of its config.json that fix its size, of the bases that recipes name."""
_TINY_CONFIGS = {
    "tiny-t5": _TINY_T5,
    "tiny-gptq": {**_TINY, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32}},
}

POSITIONS = ("wpe", "embed_positions", "position_embeddings")
"""What transformers' models call a table of learnt positions."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a base is built like."""

    name: str
    """As in lists: the hub id, the tiny model's name, or the folder's last part."""
    config: Mapping[str, Any]
    """As its config.json says it."""
    at_hand: bool
    """Whether its weights are on this machine (or can be made here)."""
    adapter: bool
    """Whether the named model has an adapter already."""

    @property
    def model_type(self) -> str:
        """As transformers calls the architecture."""
        return str(self.config.get("model_type", ""))

    @property
    def encoder_decoder(self) -> bool:
        """Whether it reads one text and writes another."""
        return bool(self.config.get("is_encoder_decoder"))

    @property
    def stored(self) -> str:
        """How its files are quantised; ``none`` for plain weights."""
        return stored_scheme(SimpleNamespace(**self.config)) or "none"

    @property
    def group_size(self) -> int:
        """Weights that share a scale, for GPTQ."""
        return int((self.config.get("quantization_config") or {}).get("group_size") or 128)


def architecture(base: str) -> Architecture | None:
    """Of a base as a recipe names it; None when neither its config.json is at hand nor its numbers are known.

    Raises:
        BadConfig: the named model is none of transformers, or its config.json cannot be read.
    """
    named, args = parse_spec(load_config().model_spec(base))
    adapter = bool(args.options.get("adapter"))
    tiny = next((one for one in TINIES if one.name == named), None)
    if tiny is not None:
        return Architecture(tiny.name, _TINY_CONFIGS.get(tiny.name, _TINY), True, adapter or tiny.adapter is not None)
    preset = next((one for one in PRESETS if one.name == named), None)
    target = preset.target if preset else args.target if named == "hf" else base.split(",")[0]
    adapter = adapter or bool(preset and preset.adapter)
    folder = Path(target).expanduser()
    here = folder if folder.is_dir() else _cached(target)
    if here is not None and (here / "config.json").is_file():
        at_hand = any(here.glob("*.safetensors"))
        name = folder.resolve().name if folder.is_dir() else target
        return Architecture(name, _config(here / "config.json"), at_hand, adapter)
    return Architecture(target, KNOWN[target], False, adapter) if target in KNOWN else None


@cache
def skeleton(config: str) -> Any:
    """The model without its weights, on the meta device.

    Args:
        config: as JSON, without its quantisation: the layers that a quantised one replaces have the same shapes.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    values = json.loads(config)
    family = AutoModelForSeq2SeqLM if values.get("is_encoder_decoder") else AutoModelForCausalLM
    with torch.device("meta"):
        return family.from_config(AutoConfig.for_model(values.pop("model_type"), **values))


def bones(found: Architecture) -> Any:
    """Its :func:`skeleton`; a shared one, not to be changed: take a copy to put an adapter on.

    Raises:
        BadConfig: transformers does not know this architecture.
    """
    plain = {key: value for key, value in found.config.items() if key != "quantization_config"}
    try:
        with quiet():
            return skeleton(json.dumps(plain, sort_keys=True))
    except (ValueError, KeyError, TypeError, ImportError) as error:
        reason = " ".join(str(error).split())[:160]
        raise BadConfig(f"'{found.name}' is no model transformers can build ({reason}).", "Check the base.") from error


def check_base(recipe: Recipe) -> None:
    """Refuse what the base, as far as it is known, cannot take.

    Raises:
        BadConfig: a decoder for seq2seq, an encoder-decoder for sft or dpo, files quantised in another way than the
            recipe says, an adapter on it already, rows longer than it has positions, or layers that it does not have.
    """
    found = architecture(recipe.model.base)
    if found is None:
        return
    where = f"Recipe '{recipe.name}': "
    if found.adapter:
        raise BadConfig(
            f"{where}'{recipe.model.base}' has an adapter already.",
            "Merge it first: 'benchctl merge' makes a new base.",
        )
    if recipe.objective == "seq2seq" and not found.encoder_decoder:
        raise BadConfig(
            f"{where}seq2seq needs an encoder-decoder, and '{found.name}' ({found.model_type}) is none.",
            "Set objective=sft, or another base such as t5-base.",
        )
    if recipe.objective in ("sft", "dpo") and found.encoder_decoder:
        raise BadConfig(
            f"{where}{recipe.objective} needs a decoder, '{found.name}' ({found.model_type}) is an encoder-decoder.",
            "Set objective=seq2seq, or another base.",
        )
    _check_stored(recipe, found, where)
    _check_positions(recipe, found, where)
    if isinstance(recipe.adapter.targets, tuple) and recipe.method not in ("full", "prompt"):
        _check_layers(recipe, found, where)


def _check_stored(recipe: Recipe, found: Architecture, where: str) -> None:
    if found.stored == "none" and recipe.model.quant == "gptq":
        raise BadConfig(f"{where}'{found.name}' is no GPTQ checkpoint.", "Make one: benchctl quantize BASE --out DIR")
    if found.stored != "none" and found.stored != recipe.model.quant:
        raise BadConfig(
            f"{where}'{found.name}' is quantised as {found.stored}, and model.quant says {recipe.model.quant}.",
            f"Set model.quant={found.stored}, or take another base.",
        )


def _check_positions(recipe: Recipe, found: Architecture, where: str) -> None:
    """Positions that are reckoned (rotary, relative) go on beyond the number; those learnt, in a table, end there, and
    the first longer row would end the training, on a GPU with a message that names nothing."""
    before = recipe.adapter.virtual_tokens if recipe.method == "prompt" else 0
    longest = recipe.data.max_length + before
    positions = found.config.get("n_positions") or found.config.get("max_position_embeddings")
    if not isinstance(positions, int) or longest <= positions:
        return
    import torch

    layers = bones(found).named_modules()
    if any(name.rpartition(".")[2] in POSITIONS and isinstance(module, torch.nn.Embedding) for name, module in layers):
        raise BadConfig(
            f"{where}'{found.name}' has {positions} positions, and rows may have {longest} tokens.",
            f"Set data.max_length={positions - before} or less.",
        )


def _check_layers(recipe: Recipe, found: Architecture, where: str) -> None:
    """peft takes what it finds and says nothing of the other names; a module that is no layer it refuses late."""
    import torch
    from transformers.pytorch_utils import Conv1D

    layers = {
        name
        for name, module in bones(found).named_modules()
        if isinstance(module, (torch.nn.Linear, torch.nn.Embedding, Conv1D))
    }
    missing = [t for t in recipe.adapter.targets if not any(n == t or n.endswith(f".{t}") for n in layers)]
    if missing:
        known = sorted({name.rpartition(".")[2] for name in layers})
        raise BadConfig(
            f"{where}'{found.name}' ({found.model_type}) has no layer called {', '.join(missing)}.",
            f"It has {', '.join(known)}.",
        )


def _cached(target: str) -> Path | None:
    """The newest snapshot of a hub repository in the local cache."""
    if target.count("/") != 1 or target.startswith((".", "/", "~")):
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(target, "config.json")
    return Path(found).parent if isinstance(found, str) else None


def _config(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfig(f"'{file}' cannot be read.", "It must be a model's config.json.") from error
    if not isinstance(found, dict):
        raise BadConfig(f"'{file}' is no model's config.json.", "Check the folder.")
    return found
