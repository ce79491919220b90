"""What is learnt is the model's own loss, whatever trl takes its architecture for."""

from __future__ import annotations

import math

import pytest

from tests.training.conftest import lines

pytest.importorskip("trl", reason="needs the extra 'train'")

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256}
KINDS = {
    "Llama": {**SMALL, "intermediate_size": 64},
    "ModernBertDecoder": {**SMALL, "intermediate_size": 64, "pad_token_id": 0},
    "RecurrentGemma": {**SMALL, "num_hidden_layers": 3, "intermediate_size": 64, "logits_soft_cap": 2.0,
                       "num_key_value_heads": 1, "head_dim": 8, "lru_width": 32, "attention_window_size": 64},
    "RemBert": {**SMALL, "intermediate_size": 64, "is_decoder": True, "input_embedding_size": 16,
                "output_embedding_size": 48, "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0},
}  # fmt: skip
ONCE = ("steps=1", "log_every=1", "warmup=0", "rows=6", "batch=6", "data.validation_share=0", "best=last")


def base(kind, folder):
    """A small untrained model of that architecture with the tiny Llama's tokenizer, sure enough of what it says."""
    import torch
    import transformers as t

    from benchctl_plugins.models.tiny import tiny_folder

    tokenizer = t.AutoTokenizer.from_pretrained(tiny_folder())
    config = getattr(t, f"{kind}Config")(vocab_size=len(tokenizer), bos_token_id=1, eos_token_id=2, **KINDS[kind])
    torch.manual_seed(0)
    model = t.AutoModelForCausalLM.from_config(config)
    for weight in model.parameters():
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_a_step_is_that_of_the_models_own_logits(short, tmp_path, kind, caplog):
    import torch
    from transformers import AutoModelForCausalLM

    from benchctl_plugins.models.making import local_model
    from benchctl_plugins.training.prepare import prepare
    from benchctl_plugins.training.reading import find_recipe

    folder = base(kind, tmp_path / kind)
    changes = (*ONCE, f"model.base={folder}", "max_length=128")
    found = lines(short("tiny-full", *changes).folder)[0]["loss"]

    rows = prepare(find_recipe("tiny-full", changes), local_model(str(folder)).tokenizer).train
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    nats, learnt = 0.0, 0
    for row in rows:
        ids = torch.tensor([row["input_ids"]])
        with torch.inference_mode():
            told = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].log_softmax(dim=-1)
        places = [i for i, mask in enumerate(row["completion_mask"]) if mask and i]
        nats -= sum(float(told[i - 1, row["input_ids"][i]]) for i in places)
        learnt += len(places)
    assert found == pytest.approx(nats / learnt, rel=1e-3)
    said = [record.getMessage() for record in caplog.records if "more memory" in record.getMessage()]
    assert bool(said) == (kind != "Llama")


def test_preferences_are_learnt_by_own_logits_too(short, tmp_path):
    done = short("tiny-dpo", f"model.base={base('RemBert', tmp_path / 'b')}", "targets=query,value", "steps=2")
    assert done.facts["losses"]["validation_before"] == pytest.approx(math.log(2), abs=1e-3)
