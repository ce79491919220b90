"""Adapters that bring embeddings of their own: those trained with new tokens, or with the vocabulary itself."""

from __future__ import annotations

import pytest

from .conftest import CHOICES, QUESTION, make, nats, read_runs


def trained_with_embeddings(tiny, folder, extra: int, beside: bool, seed: int):
    """An adapter on the base with ``extra`` new tokens, its embeddings changed and saved with it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    tokenizer.add_special_tokens({"additional_special_tokens": [f"<|novo{i}|>" for i in range(extra)]})
    if extra:
        model.resize_token_embeddings(len(model.get_input_embeddings().weight) + extra)
    saved = ["embed_tokens", "lm_head"] if beside else None
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], modules_to_save=saved))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.2)
            if ("modules_to_save" in name) if beside else ("embed_tokens" in name or "lm_head" in name):
                weight.add_(torch.randn_like(weight), alpha=0.3 * float(weight.std()))
    adapted.save_pretrained(folder, save_embedding_layers=not beside)
    tokenizer.save_pretrained(folder)
    return adapted.eval(), tokenizer


def directly(model, tokenizer) -> list[float]:
    """Summed log-likelihoods of the choices, by one forward pass each."""
    import torch

    found = []
    for choice in CHOICES:
        prompt, whole = (tokenizer(text)["input_ids"] for text in (QUESTION, QUESTION + choice))
        with torch.inference_mode():
            scores = model(input_ids=torch.tensor([whole])).logits[0].float().log_softmax(dim=-1)
        places = range(len(prompt), len(whole))
        found.append(sum(float(scores[i - 1, whole[i]]) for i in places))
    return found


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("extra", [0, 1, 3])
def test_an_adapter_answers_with_the_embeddings_that_it_was_trained_with(tiny, tmp_path, extra, beside):
    model, tokenizer = trained_with_embeddings(tiny, tmp_path / "ad", extra, beside, seed=extra)
    expected = directly(model, tokenizer)
    spec = f"hf:{tiny},adapter={tmp_path / 'ad'}"
    assert nats(spec) == pytest.approx(expected, abs=1e-4)
    assert nats(f"{spec},merge=true") == pytest.approx(expected, abs=1e-3)
    assert nats(f"hf:{tiny}") != pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("extra", "beside"), [(0, False), (2, False), (0, True)])
def test_the_base_behind_such_an_adapter_is_the_base(tiny, tmp_path, benchctl, extra, beside):
    """With modules_to_save, peft hands the base back with the adapter's output layer in it."""
    trained_with_embeddings(tiny, tmp_path / "ad", extra, beside, seed=7)
    asked = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 3)
    done = benchctl(*asked, "--model", f"hf:{tiny},adapter={tmp_path / 'ad'},hf:{tiny}")
    assert done.code == 0, done.err
    assert benchctl(*asked, "--model", f"hf:{tiny}", "--out", "alone").code == 0
    together, alone = read_runs(tmp_path / "runs"), read_runs(tmp_path / "alone")
    assert together[tiny.name].nats == alone[tiny.name].nats


def test_new_tokens_go_over_a_quantised_base_and_into_a_merged_folder(tiny, tmp_path, benchctl):
    trained_with_embeddings(tiny, tmp_path / "ad", 2, beside=False, seed=3)
    spec = f"hf:{tiny},adapter={tmp_path / 'ad'}"
    assert len(nats(f"{spec},quant=nf4")) == len(CHOICES)
    done = benchctl("merge", tiny, tmp_path / "ad", "--out", tmp_path / "merged")
    assert done.code == 0, done.err
    assert nats(f"hf:{tmp_path / 'merged'}") == pytest.approx(nats(spec), abs=1e-3)


@pytest.fixture(scope="module")
def gpt2(tiny, tmp_path_factory):
    """A small base with biases, whose output layer is its embeddings."""
    import torch
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    folder, tokenizer = tmp_path_factory.mktemp("gpt2"), AutoTokenizer.from_pretrained(tiny)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=256, bos_token_id=1,
                        eos_token_id=2)  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("bias", ["lora_only", "all"])
def test_the_base_behind_an_adapter_with_biases_is_the_base(gpt2, adapter_of, bias):
    from peft import LoraConfig

    trained = adapter_of(gpt2, LoraConfig(target_modules=["c_attn"], fan_in_fan_out=True, bias=bias))
    alone = nats(f"hf:{gpt2}")
    first, second = make(f"hf:{gpt2},adapter={trained}"), make(f"hf:{gpt2}")
    adapted = nats(first)
    first.close()
    assert adapted != pytest.approx(alone, abs=1e-2)
    assert nats(second) == pytest.approx(alone, abs=1e-5)
    second.close()


def test_an_adapter_on_embeddings_that_are_the_output_layer_too_is_merged_into_them_alone(
    gpt2, adapter_of, tmp_path, benchctl
):
    from peft import LoraConfig

    trained = adapter_of(gpt2, LoraConfig(target_modules=["c_attn", "wte"], fan_in_fan_out=True))
    unmerged = nats(f"hf:{gpt2},adapter={trained}")
    assert nats(f"hf:{gpt2},adapter={trained},merge=true") == pytest.approx(unmerged, abs=1e-3)
    done = benchctl("merge", gpt2, trained, "--out", tmp_path / "merged")
    assert done.code == 0, done.err
    assert nats(f"hf:{tmp_path / 'merged'}") == pytest.approx(unmerged, abs=1e-3)
