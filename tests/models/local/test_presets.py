"""Named models: what the list says of each, and what happens when something is missing."""

from __future__ import annotations

import json

import pytest

from benchctl_plugins.models.presets import PRESETS

NAMES = {"zephyr-7b-beta", "zephyr-qlora", "zephyr-gptq", "zephyr-merged", "gpt2", "gpt2-xl", "distilgpt2",
         "llama2-7b-gptq", "t5-base", "tiny", "tiny-nf4", "tiny-gptq", "tiny-qlora", "tiny-merged", "tiny-t5"}  # fmt: skip


def test_the_list_has_every_named_model_with_what_it_is_and_needs(benchctl):
    rows = {row["name"]: row for row in json.loads(benchctl("list", "models", "--json").out)}
    assert rows.keys() >= NAMES
    for name in NAMES:
        assert rows[name]["base"], name
        assert rows[name]["licence"], name
        assert rows[name]["needs"].startswith("benchctl["), name
        assert rows[name]["parameters"] > 0, name
        assert rows[name]["summary"].endswith("."), name
    assert rows["zephyr-qlora"]["quantisation"] == "nf4"
    assert rows["zephyr-qlora"]["adapter"]


def shapes():
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        MistralConfig,
        MistralForCausalLM,
        T5Config,
        T5ForConditionalGeneration,
    )

    zephyr = (MistralForCausalLM, MistralConfig(vocab_size=32000))
    t5 = T5Config(vocab_size=32128, d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12)
    return {
        "zephyr-7b-beta": zephyr, "zephyr-qlora": zephyr, "zephyr-gptq": zephyr, "zephyr-merged": zephyr,
        "gpt2": (GPT2LMHeadModel, GPT2Config()), "distilgpt2": (GPT2LMHeadModel, GPT2Config(n_layer=6)),
        "gpt2-xl": (GPT2LMHeadModel, GPT2Config(n_layer=48, n_embd=1600, n_head=25)),
        "llama2-7b-gptq": (LlamaForCausalLM, LlamaConfig()), "t5-base": (T5ForConditionalGeneration, t5),
    }  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_parameters_listed_are_those_of_the_architecture(preset):
    import torch

    family, config = shapes()[preset.name]
    with torch.device("meta"):
        model = family(config)
    assert sum(p.numel() for p in model.parameters()) == preset.parameters


@pytest.mark.parametrize("name", ["zephyr-qlora", "zephyr-merged"])
def test_zephyr_without_its_adapter_says_how_to_get_one(benchctl, name):
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", name)
    assert done.code == 1
    error, hint = done.err.strip().splitlines()[-2:]
    assert "none is at hand" in error
    assert "benchctl train --recipe zephyr-qlora" in hint
    assert f"--model {name},adapter=" in hint


def test_a_model_that_is_not_here_and_cannot_be_fetched_says_so(benchctl):
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", "gpt2")
    assert done.code == 1
    assert "openai-community/gpt2' is not on this machine" in done.err
    assert "hf download openai-community/gpt2" in done.err


@pytest.mark.parametrize(
    ("kind", "told", "todo"),
    [("GatedRepoError", "is gated", "HF_TOKEN"), ("RepositoryNotFoundError", "The hub has no model", "spelling")],
)
def test_gated_and_missing_models_give_the_reason_and_what_to_do(benchctl, monkeypatch, kind, told, todo):
    import huggingface_hub
    from huggingface_hub import errors

    def refuse(*_args, **_options):
        raise getattr(errors, kind).__new__(getattr(errors, kind))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", "hf:someone/secret")
    assert done.code == 1
    assert told in done.err
    assert todo in done.err


def test_the_projects_file_takes_the_place_of_a_built_in_name(benchctl, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[models.zephyr-qlora]\nspec = "tiny-qlora"\n')
    done = benchctl(
        "run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 2, "--model", "zephyr-qlora", "--json"
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)[0]["model"] == "zephyr-qlora"


def test_options_beside_a_name_go_over_its_own(benchctl):
    done = benchctl(
        "run",
        "--task",
        "medmcqa-pt",
        "--data",
        "builtin",
        "--limit",
        1,
        "--model",
        "tiny-nf4,quant=int8,max_length=1024",
    )
    assert done.code == 0, done.err


def test_doctor_says_which_kinds_of_model_this_machine_can_run_and_what_to_install_for_the_rest(benchctl, monkeypatch):
    import importlib.util

    original = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "gptqmodel" else original(name, *a)
    )
    found = json.loads(benchctl("doctor", "--json").out)["models"]
    assert found["4-bit and 8-bit"] == found["adapters"] == ""
    assert found["GPTQ"] == "pip install 'benchctl[gptq]'"
