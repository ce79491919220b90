"""The model the benchmarks run on: a Llama of 58 million weights and its tokenizer, made on the spot from a fixed seed.

Untrained: speed does not depend on what the weights say, and nothing has to be downloaded.
"""

from __future__ import annotations

from pathlib import Path

SEED, VOCABULARY, CONTEXT = 20240611, 32_000, 4096


def make(folder: Path, text: Path) -> Path:
    """The folder with the model and the tokenizer, made when it is not there yet (under a minute).

    Args:
        folder: where it goes.
        text: what the tokenizer is trained on: byte-level BPE, 32 000 pieces.
    """
    if (folder / "config.json").is_file():
        return folder
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(text), bos_token="<s>", eos_token="</s>", model_max_length=CONTEXT
    )
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=512, intermediate_size=1408, num_hidden_layers=8, num_attention_heads=8,
        num_key_value_heads=8, max_position_embeddings=CONTEXT, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    torch.manual_seed(SEED)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(text: Path) -> object:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train([str(text)], trainer)
    return tokenizer
