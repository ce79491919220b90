"""What is learnt is the model's own loss, whatever trl takes its architecture for."""

from __future__ import annotations

import json
import math
import shutil

import pytest

from tests.models.test_seeing import build
from tests.training.conftest import lines

pytest.importorskip("trl", reason="needs the extra 'train'")

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256}
KINDS = {
    "Llama": {**SMALL, "intermediate_size": 64},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0},
    "ModernBertDecoder": {**SMALL, "intermediate_size": 64, "pad_token_id": 0},
    "RecurrentGemma": {**SMALL, "num_hidden_layers": 3, "intermediate_size": 64, "logits_soft_cap": 2.0,
                       "num_key_value_heads": 1, "head_dim": 8, "lru_width": 32, "attention_window_size": 64},
    "RemBert": {**SMALL, "intermediate_size": 64, "is_decoder": True, "input_embedding_size": 16,
                "output_embedding_size": 48, "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0},
}  # fmt: skip
ONCE = ("steps=1", "log_every=1", "warmup=0", "rows=6", "data.validation_share=0", "best=last")
SEEING = "Qwen3VL"
ENDING = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"


def base(kind, folder):
    """A small untrained model of that architecture with the tiny Llama's tokenizer."""
    import torch
    import transformers as t

    from benchctl_plugins.models.tiny import tiny_folder

    tokenizer = t.AutoTokenizer.from_pretrained(tiny_folder())
    config = getattr(t, f"{kind}Config")(vocab_size=len(tokenizer), bos_token_id=1, eos_token_id=2, **KINDS[kind])
    torch.manual_seed(0)
    model = t.AutoModelForCausalLM.from_config(config)
    return saved(model, tokenizer, folder)


def saved(model, tokenizer, folder):
    """The folder, with a model that is sure enough for each token to have a loss of its own."""
    import torch

    for weight in model.parameters():
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def mean_loss(folder, changes):
    """The loss of a learnt token over all rows, from the model's own logits."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    from benchctl_plugins.models.making import local_model
    from benchctl_plugins.training.prepare import prepare
    from benchctl_plugins.training.reading import find_recipe

    rows = prepare(find_recipe("tiny-full", changes), local_model(str(folder)).tokenizer).train
    family = AutoModelForImageTextToText if folder.name == SEEING else AutoModelForCausalLM
    model = family.from_pretrained(folder).eval()
    nats, learnt = 0.0, 0
    for row in rows:
        ids = torch.tensor([row["input_ids"]])
        with torch.inference_mode():
            told = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].log_softmax(dim=-1)
        places = [i for i, mask in enumerate(row["completion_mask"]) if mask and i]
        nats -= sum(float(told[i - 1, row["input_ids"][i]]) for i in places)
        learnt += len(places)
    return nats / learnt


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_a_step_is_that_of_the_models_own_logits(short, tmp_path, kind, caplog):
    folder = base(kind, tmp_path / kind)
    changes = (*ONCE, f"model.base={folder}", "max_length=128", "batch=6")
    found = lines(short("tiny-full", *changes).folder)[0]["loss"]
    assert found == pytest.approx(mean_loss(folder, changes), rel=1e-3)
    said = [record.getMessage() for record in caplog.records if "more memory" in record.getMessage()]
    assert bool(said) == (kind not in ("Llama", "GPT2"))


@pytest.mark.parametrize("kind", ["GPT2", SEEING])
def test_it_is_the_mean_over_all_learnt_tokens_of_accumulated_batches(short, tmp_path, kind, shared):
    """One count went by the whole text, first token included; the other was a mean of the batches' means."""
    folder = tmp_path / kind
    if kind == SEEING:
        from transformers import AutoTokenizer

        saved(build("qwen3_vl"), AutoTokenizer.from_pretrained(shared / "models/stories260K"), folder)
    else:
        base(kind, folder)
    changes = (*ONCE, f"model.base={folder}", "batch=1", "accumulation=6", "answer_only=false")
    changes += ("max_length=2000",) if kind == SEEING else ("max_length=500",)
    found = lines(short("tiny-full", *changes).folder)[0]["loss"]
    assert found == pytest.approx(mean_loss(folder, changes), rel=1e-4)


def test_preferences_are_learnt_by_own_logits_too(short, tmp_path):
    done = short("tiny-dpo", f"model.base={base('RemBert', tmp_path / 'b')}", "targets=query,value", "steps=2")
    assert done.facts["losses"]["validation_before"] == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize("recipe", ["tiny-dpo", "tiny-full"])
def test_a_tokenizer_that_ends_every_text_ends_an_answer_once(short, tmp_path, recipe):
    """One saved with add_eos_token=True, behind a template that ends each turn: two ends of text were learnt."""
    from benchctl_plugins.models.tiny import tiny_folder

    found = {}
    for name in ("plain", "ends"):
        folder = tmp_path / name
        shutil.copytree(tiny_folder(), folder)
        (folder / "chat_template.jinja").write_text(ENDING)
        if name == "ends":
            file = folder / "tokenizer.json"
            content = json.loads(file.read_text("utf-8"))
            processor = content["post_processor"]
            (bos,) = [part["SpecialToken"] for part in processor["single"] if "SpecialToken" in part]
            processor["single"].append({"SpecialToken": {**bos, "id": "</s>"}})
            processor["special_tokens"]["</s>"] = {"id": "</s>", "ids": [1], "tokens": ["</s>"]}
            file.write_text(json.dumps(content), "utf-8")
        done = short(recipe, *ONCE[1:], f"model.base={folder}", "steps=2", "max_length=500", out=name)
        found[name] = (lines(done.folder), done.facts["tokens"])
    assert found["ends"] == found["plain"]
