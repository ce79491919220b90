"""Rows that are packed into one sequence: each learns as alone, or packing is refused."""

from __future__ import annotations

import pytest

from benchctl.errors import BadConfig
from tests.training.conftest import lines

pytest.importorskip("trl", reason="needs the extra 'train'")


def base(kind, folder):
    """A small untrained model of that architecture with the tiny Llama's tokenizer."""
    import torch
    import transformers as t

    from benchctl_plugins.models.tiny import tiny_folder

    tokenizer = t.AutoTokenizer.from_pretrained(tiny_folder())
    size = {"vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    options = {
        "GPT2": {"vocab_size": len(tokenizer), "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512,
                 "resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0},
        "Mistral": {**size, "intermediate_size": 64, "num_key_value_heads": 2, "max_position_embeddings": 512},
        "Bloom": {"vocab_size": len(tokenizer), "hidden_size": 32, "n_layer": 2, "n_head": 4},
        "OPT": {**size, "ffn_dim": 64, "word_embed_proj_dim": 32, "max_position_embeddings": 512},
        "Falcon": {**size, "alibi": False},
        "Mamba": {**{k: v for k, v in size.items() if k != "num_attention_heads"}, "state_size": 8},
    }[kind]  # fmt: skip
    torch.manual_seed(0)
    model = t.AutoModelForCausalLM.from_config(getattr(t, f"{kind}Config")(**options, bos_token_id=1, eos_token_id=2))
    for weight in model.parameters():
        if weight.dim() == 2 and kind != "Mamba":  # whose own first weights forget a row after a few tokens
            torch.nn.init.normal_(weight, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


PACKED = ("packing=true", "steps=1", "log_every=1", "warmup=0", "data.validation_share=0", "best=last", "rows=8")


@pytest.mark.parametrize("kind", ["GPT2", "Mistral"])
def test_packed_rows_are_learnt_as_alone(short, tmp_path, kind):
    changes = (*PACKED, f"model.base={base(kind, tmp_path / kind)}", "batch=8")
    packed = lines(short("tiny-full", *changes).folder)[0]["loss"]
    assert lines(short("tiny-full", *changes, "packing=false").folder)[0]["loss"] == pytest.approx(packed, rel=1e-4)


@pytest.mark.parametrize("kind", ["Bloom", "OPT", "Falcon", "Mamba"])
def test_packing_is_refused_where_rows_would_see_each_other(short, tmp_path, kind):
    with pytest.raises(BadConfig, match="see each other") as refused:
        short("tiny-full", *PACKED, f"model.base={base(kind, tmp_path / kind)}")
    assert refused.value.hint == "Set data.packing=false."
