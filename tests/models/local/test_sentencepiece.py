"""Tokenizers of older models come as a sentencepiece file and nothing else."""

from __future__ import annotations

import json
import shutil

import pytest

from benchctl.creation import create_model, create_task
from benchctl.plugins import get_plugins
from benchctl.types import Choose

WORDS = [
    f"{sample.question} {' '.join(sample.choices.values())}"
    for name in ("medmcqa-pt", "medqa-pt", "pubmedqa-pt")
    for sample in create_task(get_plugins(), name).load("builtin").samples
]


def train(path, kind: str, **ids: int):
    """A sentencepiece model of the built-in questions, and Google's own reader of it."""
    import sentencepiece

    text = path.parent / "words.txt"
    text.write_text("\n".join(WORDS), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(path.with_suffix("")), model_type=kind, vocab_size=500, minloglevel=2, **ids
    )
    made = path.with_suffix(".model")
    made.rename(path)
    path.with_suffix(".vocab").unlink()
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


@pytest.fixture
def llama(shared, tmp_path):
    """stories260K's weights with a tokenizer.model."""
    folder = tmp_path / "llama"
    folder.mkdir()
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        shutil.copy(shared / "models/stories260K" / name, folder)
    said: dict[str, object] = {
        "tokenizer_class": "LlamaTokenizer",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    said |= {"add_bos_token": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def test_a_tokenizer_model_alone_is_a_tokenizer(llama):
    reader = train(llama / "tokenizer.model", "bpe", byte_fallback=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    model = create_model(get_plugins(), f"hf:{llama}")
    question = "Qual é o tratamento da hipertensão arterial?"
    assert model.encoder.encode([question]) == [[reader.bos_id(), *reader.encode(question)]]
    ((_, response),) = model.choose([Choose(question, (" A", " B"))])
    assert all(score.nats < 0 for score in response.choices)


def test_a_spiece_model_alone_is_a_tokenizer(tmp_path):
    from transformers import T5Config, T5ForConditionalGeneration

    folder = tmp_path / "t5"
    made = T5Config(vocab_size=512, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, decoder_start_token_id=0)
    T5ForConditionalGeneration(made).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer", "extra_ids": 10}', "utf-8")
    reader = train(folder / "spiece.model", "unigram", unk_id=2, bos_id=-1, eos_id=1, pad_id=0)
    model = create_model(get_plugins(), f"hf:{folder}")
    assert model.encoder.encode(WORDS) == [[*reader.encode(text), reader.eos_id()] for text in WORDS]
