"""``tiny``: a small Llama made on the spot from a fixed seed, so that every path runs anywhere without a download."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from benchctl.errors import BadConfig
from benchctl.fingerprints import cache_dir, digest
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs

VERSION = 1
"""Raised when the recipe below changes: each version has its own folder in the cache."""
SEED, VOCABULARY, HIDDEN, LAYERS, HEADS, CONTEXT = 20240611, 1024, 64, 2, 4, 2048
SAMPLES = Path(__file__).parents[1] / "tasks" / "data"


def tiny_folder() -> Path:
    """The folder of the tiny Llama and its tokenizer, made at the first call: about a second, 1 MB in the cache."""
    recipe = digest([VERSION, SEED, VOCABULARY, HIDDEN, LAYERS, HEADS, CONTEXT])[:12]
    folder = cache_dir() / "tiny" / recipe
    if not folder.is_dir():
        draft = folder.with_name(f"{recipe}.{os.getpid()}")
        _make(draft)
        try:
            draft.rename(folder)
        except OSError:  # another process was first: its copy is as good
            shutil.rmtree(draft)
    return folder


def _make(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_train_tokenizer(), bos_token="<s>", eos_token="</s>", model_max_length=CONTEXT
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, intermediate_size=2 * HIDDEN, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS // 2, max_position_embeddings=CONTEXT,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, initializer_range=0.2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _train_tokenizer() -> object:
    """Byte-level BPE on the shipped samples: any text round-trips, Portuguese words take few tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train([str(file) for file in sorted(SAMPLES.glob("*.jsonl"))], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return tokenizer


def tiny(args: ModelArgs) -> Model:
    """A small Llama made here from a fixed seed, untrained: tries every path offline; its scores mean nothing."""
    from .hf import HFModel
    from .hf_load import require_hf

    if args.target:
        raise BadConfig(f"Model 'tiny' takes no target, '{args.target}' was given.", "Write --model tiny.")
    require_hf()
    model = HFModel(replace(args, target=str(tiny_folder())))
    model.name = "tiny"
    return model


@hookimpl
def benchctl_models() -> Mapping[str, Callable[[ModelArgs], Model]]:
    """The model."""
    return {"tiny": tiny}
