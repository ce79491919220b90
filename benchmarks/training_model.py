"""Models and rows for the training benchmark, made on the spot from fixed seeds: nothing has to be downloaded.

Untrained: speed does not depend on what the weights say.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

SEED, VOCABULARY, CONTEXT = 20240611, 32_000, 4096
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2, "num_attention_heads": 4},
    "58m": {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8, "num_attention_heads": 8},
    "1b": {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22, "num_attention_heads": 32,
           "num_key_value_heads": 4},
    "7b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8},
}  # fmt: skip
"""Shapes of a Llama: 4 million weights, mostly embeddings; that of scoring.py; TinyLlama's; Mistral's."""


def make_rows(file: Path, rows: int, length: int) -> Path:
    """Prompts and answers in made-up words, each pair a little under ``length`` tokens, so that none is cut off."""
    chance = random.Random(SEED)
    syllables = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "ão", "é")]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 3))) for _ in range(800)]
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as out:
        for _ in range(rows):
            text = chance.choices(words, k=int(length * 0.9))
            row = {"prompt": " ".join(text[: len(text) // 2]), "completion": " ".join(text[len(text) // 2 :])}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return file


def make_model(folder: Path, size: str, text: Path, dtype: str) -> Path:
    """The folder with model and tokenizer, made when it is not there yet.

    Args:
        folder: where it goes.
        size: one of :data:`SIZES`.
        text: what the tokenizer is trained on, so that a word is a token.
        dtype: of the weights.
    """
    if (folder / "config.json").is_file():
        return folder
    import torch
    from small_llama import _tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(text), bos_token="<s>", eos_token="</s>", pad_token="</s>", model_max_length=CONTEXT
    )
    config = LlamaConfig(
        vocab_size=VOCABULARY, max_position_embeddings=CONTEXT, bos_token_id=0, eos_token_id=1, dtype=dtype,
        **SIZES[size],
    )  # fmt: skip
    torch.manual_seed(SEED)
    LlamaForCausalLM(config).to(getattr(torch, dtype)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
