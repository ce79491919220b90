"""Adapters over a base: every method, several on one base loaded once, and never on a wrong base without a word."""

from __future__ import annotations

import json
import shutil

import pytest

from benchctl_plugins.models import bases, weights

from .conftest import make, nats, read_runs

MERGE_ERROR = 1e-4


def config(kind: str):
    import peft

    made = {
        "lora": lambda: peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"]),
        "dora": lambda: peft.LoraConfig(r=4, use_dora=True, target_modules=["q_proj", "down_proj"]),
        "ia3": lambda: peft.IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
        "prompt": lambda: peft.PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
        "prefix": lambda: peft.PrefixTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
    }
    return made[kind]()


@pytest.fixture
def loads(monkeypatch):
    """How often base weights were read from disk."""
    counted = []
    original = weights.Weights._load
    monkeypatch.setattr(weights.Weights, "_load", lambda self: (counted.append(self.label_of_base), original(self))[1])
    bases.forget()
    return counted


@pytest.mark.parametrize("kind", ["lora", "dora", "ia3"])
@pytest.mark.parametrize("quant", ["none", "nf4"])
def test_methods_that_change_weights_answer_the_same_merged_or_not(tiny, adapter_of, kind, quant):
    adapter = adapter_of(tiny, config(kind))
    bare, over = nats(f"hf:{tiny},quant={quant}"), nats(f"hf:{tiny},quant={quant},adapter={adapter}")
    assert max(abs(a - b) for a, b in zip(bare, over, strict=True)) > 0.01
    merged = nats(f"hf:{tiny},quant={quant},adapter={adapter},merge=true")
    assert merged == pytest.approx(over, abs=MERGE_ERROR)


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_methods_that_put_vectors_in_front_score_the_text_alone_and_cannot_be_merged(tiny, adapter_of, kind, benchctl):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from .conftest import CHOICES, QUESTION

    adapter = adapter_of(tiny, config(kind))
    model = make(f"hf:{tiny},adapter={adapter}")
    got = nats(model)
    assert model.manifest()["path"] == "plain"
    assert model.encoder.max_length == 2048 - 5
    attached = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), adapter).eval()
    for choice, found in zip(CHOICES, got, strict=True):
        context, whole = (model.tokenizer(t)["input_ids"] for t in (QUESTION, QUESTION + choice))
        with torch.inference_mode():
            logs = torch.log_softmax(attached(input_ids=torch.tensor([whole])).logits[0, -len(whole) :], -1)
        expected = sum(float(logs[i - 1, whole[i]]) for i in range(len(context), len(whole)))
        assert found == pytest.approx(expected, abs=1e-4)
    model.close()
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 1, "--model",
                    f"hf:{tiny},adapter={adapter},merge=true")  # fmt: skip
    assert done.code == 1
    assert "nothing to merge" in done.err


def test_a_prompt_method_can_generate(tiny, adapter_of):
    from benchctl.types import Generate

    model = make(f"hf:{tiny},adapter={adapter_of(tiny, config('prompt'))}")
    ((_, response),) = model.generate([Generate("A febre é", max_tokens=5)])
    model.close()
    assert response.text
    assert response.usage.completion_tokens <= 5


def test_several_adapters_of_one_base_load_it_once_and_leave_it_as_it_was(
    tiny, lora, adapter_of, benchctl, loads, tmp_path
):
    other = adapter_of(tiny, config("ia3"))
    models = (f"hf:{tiny},quant=nf4,adapter={lora}", f"hf:{tiny},quant=nf4,adapter={other}", f"hf:{tiny},quant=nf4")
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 3, "--model", ",".join(models))
    assert done.code == 0, done.err
    assert len(loads) == 1
    alone = benchctl(
        "run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 3, "--model", models[2], "--out", "alone"
    )
    assert alone.code == 0
    name = f"{tiny.name} nf4"
    assert read_runs(tmp_path / "runs")[name].nats == read_runs(tmp_path / "alone")[name].nats


@pytest.mark.parametrize("second", ["", ",merge=true"])
def test_a_base_that_was_used_before_answers_with_the_adapter_as_one_that_was_not(
    tiny, lora, benchctl, tmp_path, second
):
    """What was made ready of its weights for the model before is of weights that merging changes."""
    models = f"hf:{tiny}", f"hf:{tiny},adapter={lora}{second}"
    for out, asked in (("runs", ",".join(models)), ("alone", models[1])):
        done = benchctl(
            "run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 3, "--model", asked, "--out", out
        )
        assert done.code == 0, done.err
    both, alone = read_runs(tmp_path / "runs"), read_runs(tmp_path / "alone")
    (name,) = alone
    assert both[name].nats == alone[name].nats
    assert len(both) == 2


def test_a_base_is_given_up_after_its_last_model(tiny, lora, benchctl):
    benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 1, "--model",
             f"hf:{tiny},adapter={lora},hf:{tiny}")  # fmt: skip
    assert not bases._idle
    assert not bases._reserved


def test_two_models_in_use_at_once_never_share_their_weights(tiny, lora):
    bare, adapted = make(f"hf:{tiny}"), make(f"hf:{tiny},adapter={lora}")
    before = nats(bare)
    assert nats(adapted) != pytest.approx(before, abs=0.1)
    assert nats(bare) == before
    bare.close(), adapted.close()


def complains(benchctl, spec: str) -> str:
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 1, "--model", spec)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert [line.split(":")[0] for line in done.err.strip().splitlines()][-2:] == ["error", "hint"]
    return done.err


def test_another_base_of_the_same_shapes_is_found_by_the_hash_that_training_wrote_down(tiny, lora, benchctl, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    other = tmp_path / "other"
    model = AutoModelForCausalLM.from_pretrained(tiny)
    with torch.no_grad():
        model.lm_head.weight.mul_(2)
    model.save_pretrained(other)
    for file in tiny.glob("tokenizer*"):
        shutil.copy(file, other)
    told = complains(benchctl, f"hf:{other},adapter={lora}")
    assert "made for 'tiny', does not fit" in told
    assert "the hashes of the weights differ" in told
    assert "any_base=true" in told and "--any-base" in told
    assert nats(f"hf:{other},adapter={lora},any_base=true")


def test_another_base_is_found_by_its_shapes(tiny, benchctl, adapter_of, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    wide = tmp_path / "wide"
    sizes = {"vocab_size": 1024, "hidden_size": 128, "intermediate_size": 128, "num_attention_heads": 4}
    LlamaForCausalLM(LlamaConfig(num_hidden_layers=2, **sizes)).save_pretrained(wide)
    told = complains(benchctl, f"hf:{tiny},adapter={adapter_of(wide, config('lora'), 'someone/wide')}")
    assert "made for 'someone/wide', does not fit" in told
    assert "size mismatch" in told


def test_an_adapter_with_more_layers_than_the_base_is_not_half_loaded(tiny, benchctl, adapter_of, tmp_path):
    from transformers import LlamaForCausalLM

    deep = tmp_path / "deep"
    settings = LlamaForCausalLM.from_pretrained(tiny).config
    settings.num_hidden_layers, settings.layer_types = 3, None
    LlamaForCausalLM(settings).save_pretrained(deep)
    told = complains(benchctl, f"hf:{tiny},adapter={adapter_of(deep, config('lora'))}")
    assert "4 of its layers do not match, e.g. model.layers.2" in told


def test_another_base_is_found_by_its_name_when_both_are_on_the_hub(tiny, lora):
    from benchctl.errors import ModelCallError
    from benchctl.model import ModelArgs
    from benchctl_plugins.models import adapters
    from benchctl_plugins.models.settings import Settings

    adapter = adapters.Adapter(lora, "x", "LORA", "HuggingFaceH4/zephyr-7b-beta", None, "")
    other = Settings.read(ModelArgs("hf", "mistralai/Mistral-7B-v0.1"))
    with pytest.raises(ModelCallError, match=r"zephyr-7b-beta.*Mistral-7B-v0.1.*names differ"):
        adapters.check_base(adapter, other, tiny)
    assert adapters.check_base(adapter, Settings.read(ModelArgs("hf", "huggingfaceh4/Zephyr-7b-beta")), tiny) == "name"


def test_an_adapter_that_recorded_a_local_base_is_checked_against_it(tiny, adapter_of):
    adapter = adapter_of(tiny, config("lora"), str(tiny))
    model = make(f"hf:{tiny},adapter={adapter}")
    nats(model)
    assert model.manifest()["adapter"]["base_checked_by"] == "hash"
    model.close()


def test_merging_in_memory_takes_the_quantisation_the_adapter_was_trained_with(tiny, lora):
    assert json.loads((lora / "benchctl_adapter.json").read_text())["quant"] == "nf4"
    merged = nats(f"hf:{tiny},adapter={lora},merge=true")
    assert merged == pytest.approx(nats("tiny-merged"), abs=1e-5)
    assert merged != pytest.approx(nats(f"hf:{tiny},adapter={lora},merge=true,quant=none"), abs=1e-3)


def test_what_is_no_adapter_is_said(tiny, benchctl, tmp_path):
    assert "There is no adapter folder './nowhere'" in complains(benchctl, f"hf:{tiny},adapter=./nowhere")
    (tmp_path / "empty").mkdir()
    assert "is no adapter" in complains(benchctl, f"hf:{tiny},adapter={tmp_path / 'empty'}")
    assert "cannot be reached" in complains(benchctl, f"hf:{tiny},adapter=nobody/nothing")


def test_an_adapters_folder_is_no_model(lora, benchctl):
    told = complains(benchctl, f"hf:{lora}")
    assert "holds an adapter, not a model" in told
    assert f"hf:BASE,adapter={lora}" in told
