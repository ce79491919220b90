"""What a method puts on a base: how much it trains, in which dtype, from which weights, and what comes back from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchctl.errors import BadConfig
from benchctl_plugins.training.reading import find_recipe, recipes
from benchctl_plugins.training.recipe import Recipe
from tests.training.test_refusals import WORKS

torch = pytest.importorskip("torch", reason="needs the extra 'hf'")
pytest.importorskip("peft", reason="needs the extra 'hf'")

TINY = [name for name in recipes() if name.startswith("tiny-")]
ON_GPTQ = [name for name in TINY if "gptq" in name]
LINEAR = {"q_proj": (64, 64), "k_proj": (64, 32), "v_proj": (64, 32), "o_proj": (64, 64), "gate_proj": (64, 128),
          "up_proj": (64, 128), "down_proj": (128, 64)}  # fmt: skip
"""(inputs, outputs) of the tiny Llama's layers, of which it has two each."""


def base_of(recipe: Recipe) -> Any:
    """The recipe's base, loaded for it alone."""
    from benchctl_plugins.training.base import base_model

    return base_model(recipe, "cpu").weights.take()


def batches() -> Iterator[dict[str, Any]]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(6):
        ids = torch.randint(5, 1000, (4, 48), generator=generator)
        yield {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def attached(name: str, *changes: str) -> tuple[Recipe, Any]:
    from benchctl_plugins.training.methods import attach

    recipe = find_recipe(name, changes)
    return recipe, attach(base_of(recipe), recipe, batches)


def trained(model: Any) -> dict[str, Any]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def loss(model: Any) -> Any:
    ids = next(batches())["input_ids"]
    return model(input_ids=ids, labels=ids).loss


def count(model: Any) -> int:
    return sum(p.numel() for p in trained(model).values())


@pytest.mark.parametrize("targets", ["q_proj", "q_proj,v_proj", "gate_proj,down_proj", "all-linear"])
@pytest.mark.parametrize("r", [1, 8])
def test_lora_trains_r_times_inputs_plus_outputs_of_each_layer(targets, r):
    _, model = attached("tiny-lora", f"targets={targets}", f"r={r}")
    layers = LINEAR if targets == "all-linear" else targets.split(",")
    assert count(model) == 2 * sum(r * sum(LINEAR[layer]) for layer in layers)


def test_the_other_methods_train_what_their_papers_say():
    lora = 2 * sum(8 * sum(shape) for shape in LINEAR.values())
    assert count(attached("tiny-dora")[1]) == lora + 2 * sum(
        out for _, out in LINEAR.values()
    )  # a magnitude per output
    assert count(attached("tiny-ia3")[1]) == 2 * (32 + 32 + 128)  # keys, values, and what enters the down projection
    assert count(attached("tiny-prompt", "virtual_tokens=7")[1]) == 7 * 64
    assert count(attached("tiny-full")[1]) == 205_120


@pytest.mark.parametrize(("name", "changes"), [*((name, "") for name in TINY if name not in ON_GPTQ), *WORKS])
def test_every_trained_weight_is_in_float32_and_gets_a_gradient(name, changes):
    recipe, model = attached(name, *changes.split())
    assert model.training and not model.config.use_cache
    loss(model).backward()
    weights = trained(model)
    assert {p.dtype for p in weights.values()} == {torch.float32}
    assert all(p.grad is not None for p in weights.values())
    if recipe.method != "full":
        assert all(("lora_" in n or "ia3_" in n or "prompt_" in n) for n in weights)
    moved = [n for n, p in weights.items() if p.grad.abs().max() > 0]
    if recipe.adapter.init in ("default", "gaussian", "eva"):  # one of LoRA's two matrices begins as zero
        weights = {n: p for n, p in weights.items() if "lora_A" not in n and "lora_embedding_B" not in n}
    assert set(weights) <= set(moved)


@pytest.mark.parametrize("changes", ["", "init=gaussian", "init=pissa", "init=olora", "init=eva"])
def test_attaching_twice_gives_the_same_weights_and_another_seed_others(changes):
    (_, one), (_, two) = attached("tiny-lora", *changes.split()), attached("tiny-lora", *changes.split())
    first, second = dict(one.named_parameters()), dict(two.named_parameters())
    assert first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)
    if changes in ("", "init=gaussian"):
        other = dict(attached("tiny-lora", *changes.split(), "seed=1")[1].named_parameters())
        assert any(not torch.equal(first[n], other[n]) for n in first)


def test_eva_keeps_the_rank_that_the_recipe_gives_and_needs_rows():
    from benchctl_plugins.training.methods import attach

    recipe, model = attached("tiny-lora", "init=eva")
    assert count(model) == count(attached("tiny-lora")[1])
    assert any(
        not torch.equal(p, q)
        for p, q in zip(trained(model).values(), trained(attached("tiny-lora")[1]).values(), strict=True)
    )
    with pytest.raises(BadConfig, match="looks at training rows"):
        attach(base_of(recipe), recipe)


def test_an_unknown_architecture_needs_the_layers_named():
    from benchctl_plugins.training.methods import targets

    with pytest.raises(BadConfig, match="'mystery' model") as unknown:
        targets(find_recipe("tiny-ia3"), "mystery")
    assert "all-linear" in unknown.value.hint
    assert targets(find_recipe("tiny-lora", ["targets=q_proj,v_proj"]), "mystery") == ["q_proj", "v_proj"]


@pytest.fixture(scope="module")
def small_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of two layers with the tiny Llama's tokenizer: its layers are Conv1D."""
    import shutil

    from transformers import GPT2Config, GPT2LMHeadModel

    from benchctl_plugins.models.tiny import tiny_folder

    folder = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=1024, n_embd=64, n_layer=2, n_head=4, n_positions=512)).save_pretrained(
        folder
    )
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_folder() / file, folder)
    return folder


@pytest.mark.parametrize("changes", ["quant=none method=lora", "quant=nf4 method=qlora"])
def test_the_layers_of_gpt2_are_adapted_with_inputs_and_outputs_the_right_way_round(small_gpt2, changes):
    recipe = ("tiny-lora", f"base={small_gpt2}", "targets=c_attn,c_proj", *changes.split())
    _, model = attached(*recipe)
    per_block = (64 + 192) + (64 + 64) + (256 + 64)  # c_attn, the attention's c_proj, the MLP's c_proj
    assert count(model) == 2 * 8 * per_block
    loss(model).backward()


@pytest.mark.parametrize("changes", ["init=olora", "init=pissa", "init=eva", "method=qlora quant=nf4 init=olora"])
def test_an_adapter_comes_back_as_it_was_and_leaves_its_base_whole(changes, tmp_path):
    """PiSSA and OLoRA change the base's weights while they are on; a run of base and adapter shares the base."""
    from benchctl_plugins.models.adapters import write_card
    from benchctl_plugins.models.making import local_model
    from benchctl_plugins.models.tiny import tiny_folder

    recipe, model = attached("tiny-lora", *changes.split())
    with torch.no_grad():
        for p in trained(model).values():
            p.add_(0.01 * torch.randn(p.shape, generator=torch.Generator().manual_seed(3)))
    model.eval().save_pretrained(tmp_path)
    write_card(tmp_path, "tiny", tiny_folder(), recipe.model.quant)
    ids = next(batches())["input_ids"]
    base = local_model("tiny", quant=recipe.model.quant, device="cpu")
    adapted = local_model("tiny", quant=recipe.model.quant, device="cpu", adapter=str(tmp_path))
    with torch.no_grad():
        expected, plain = model(input_ids=ids).logits, base.weights.load()(input_ids=ids).logits.clone()
        assert torch.equal(adapted.weights.load()(input_ids=ids).logits, expected)
        adapted.close()
        assert torch.equal(base.weights.load()(input_ids=ids).logits, plain)
    assert (plain - expected).abs().max() > 0.01
    base.close()


def test_an_adapter_that_split_a_rounded_base_is_not_merged(tmp_path):
    from benchctl_plugins.models.adapters import write_card
    from benchctl_plugins.models.making import local_model
    from benchctl_plugins.models.tiny import tiny_folder

    _, model = attached("tiny-qlora", "init=olora")
    model.save_pretrained(tmp_path)
    write_card(tmp_path, "tiny", tiny_folder(), "nf4")
    with pytest.raises(BadConfig, match="split the base's weights"):
        local_model("tiny", quant="nf4", device="cpu", adapter=str(tmp_path), merge="true").weights.load()


@pytest.mark.slow
def test_a_gptq_layer_hands_gradients_back_also_after_an_evaluation():
    """gptqmodel's own layers would not: evaluated first, they stay with arithmetic that has no gradients."""
    from benchctl_plugins.models.making import local_model
    from benchctl_plugins.training.methods import attach

    recipe, model = attached("tiny-gptq-lora")
    with torch.no_grad():
        before = model.eval()(input_ids=next(batches())["input_ids"]).logits
        during = model.train()(input_ids=next(batches())["input_ids"]).logits
    loss(model).backward()
    learnt = [p for name, p in trained(model).items() if "lora_B" in name]
    assert learnt and all(p.grad.abs().max() > 0 for p in learnt)
    evaluated, fresh = (model.eval()(input_ids=next(batches())["input_ids"]).logits for _ in range(2))
    assert torch.equal(before, evaluated) and torch.equal(evaluated, fresh)
    assert before.shape == during.shape
    used = local_model("tiny-gptq", device="cpu").weights.take()
    with torch.no_grad():
        used(input_ids=next(batches())["input_ids"])
    with pytest.raises(BadConfig, match="gives no gradients"):
        attach(used, recipe)


@pytest.mark.slow
@pytest.mark.parametrize("changes", ["", "init=eva", "init=gaussian", "objective=dpo"])
def test_a_gptq_base_takes_lora_on_all_its_layers(changes):
    _, model = attached("tiny-gptq-lora", *changes.split())
    assert count(model) == 2 * sum(8 * sum(shape) for shape in LINEAR.values())
    loss(model).backward()
