"""Products that another library computes on processors where it is the faster one: the same numbers, the same gradients."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl_plugins.models.engine import blocked as blocks
from benchctl_plugins.models.engine import memory, products

from .makers import SMALL

needs_amd = pytest.mark.skipif(not products.wide_amd(), reason="needs a processor of AMD with AVX-512")
sizes = st.integers(1, 70)


@settings(deadline=None)
@given(st.lists(sizes, min_size=1, max_size=2), sizes, sizes, st.booleans(), st.booleans())
def test_a_product_is_torchs_own(rows, inner, outer, biased, transposed):
    states = torch.randn(*rows, inner)
    weight = torch.randn(inner, outer).t() if transposed else torch.randn(outer, inner)
    bias = torch.randn(outer) if biased else None
    exact = torch.nn.functional.linear(states.double(), weight.double(), None if bias is None else bias.double())
    with torch.inference_mode():
        found = products.linear(states, weight, bias)
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_floats_are_left_to_torch(dtype):
    states, weight = torch.randn(3, 8).to(dtype), torch.randn(5, 8).to(dtype)
    with torch.inference_mode():
        assert torch.equal(products.linear(states, weight), torch.nn.functional.linear(states, weight))


def model(kind="Llama"):
    own = {"intermediate_size": 64} if kind == "Llama" else {}
    return transformers.AutoModelForCausalLM.from_config(getattr(transformers, f"{kind}Config")(**SMALL, **own)).eval()


def hastened(of):
    return [layer for layer in of.modules() if "forward" in vars(layer)]


@pytest.mark.parametrize("shape", [(2, 9), (1, 1)])
@pytest.mark.parametrize("kind", ["Llama", "GPT2"])
def test_a_hastened_model_says_the_same(kind, shape):
    own, ids = model(kind), torch.randint(3, 60, shape)
    with torch.inference_mode():
        before = own(input_ids=ids).logits
        products.hasten(own)
        torch.testing.assert_close(own(input_ids=ids).logits, before, rtol=1e-5, atol=1e-5)
    assert bool(hastened(own)) == products.wide_amd()


def test_gradients_flow_through_a_hastened_model():
    own, ids = model(), torch.randint(3, 60, (1, 9))
    products.hasten(own)
    own(input_ids=ids, labels=ids).loss.backward()
    assert all(weight.grad is not None for weight in own.parameters())


def feed_forward(of):
    return [layer.mlp for layer in of.base_model.layers]


@needs_amd
@pytest.mark.parametrize("kind", ["Llama", "Mistral", "Qwen3", "Gemma"])
@pytest.mark.parametrize("size", [1, 1e-3, 0])
def test_a_feed_forward_layer_takes_its_gate_along_where_it_is_llamas(kind, size):
    """Gemma's has the same parts and another activation, hard to tell where weights are small."""
    own = {"intermediate_size": 64, "num_key_value_heads": 2, "head_dim": 8}
    made = transformers.AutoModelForCausalLM.from_config(getattr(transformers, f"{kind}Config")(**SMALL, **own)).eval()
    layers, states = feed_forward(made), torch.randn(1, 9, 32)
    with torch.inference_mode():
        for weight in made.parameters():
            weight *= size
        before = [layer(states) for layer in layers]
        drawn = torch.get_rng_state()
        products.hasten(made)
        assert torch.equal(drawn, torch.get_rng_state()), "what is drawn later does not depend on it"
        for layer, own in zip(layers, before, strict=True):
            assert (layer(states) - own).norm() <= 1e-5 * own.norm()
    assert all(("forward" in vars(layer)) == (kind != "Gemma" and size > 0) for layer in layers)


@needs_amd
def test_an_adapter_in_a_feed_forward_layer_counts():
    peft = pytest.importorskip("peft")
    own, ids = model(), torch.randint(3, 60, (1, 9))
    products.hasten(own)
    with torch.inference_mode():
        before = own(input_ids=ids).logits
    config = peft.LoraConfig(target_modules=["gate_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    adapted = peft.get_peft_model(own, config).eval()
    with torch.inference_mode():
        with_it = adapted(input_ids=ids).logits
        assert not torch.allclose(with_it, before)
        torch.testing.assert_close(adapted.merge_and_unload()(input_ids=ids).logits, with_it, rtol=1e-4, atol=1e-5)


@needs_amd
def test_who_listens_to_a_part_of_a_feed_forward_layer_is_told():
    own, heard = model(), []
    products.hasten(own)
    own.model.layers[0].mlp.gate_proj.register_forward_hook(lambda layer, given, found: heard.append(found))
    with torch.inference_mode():
        own(input_ids=torch.randint(3, 60, (1, 9)))
    assert len(heard) == 1


def blocked(of, columns=40):
    products.hasten(of)
    products.block(of, columns)
    return [layer for layer in of.modules() if blocks.NAME in vars(layer)]


@needs_amd
@pytest.mark.parametrize("shape", [(2, 9), (1, 1), (3, 1)])
@pytest.mark.parametrize("kind", ["Llama", "GPT2"])
def test_weights_in_blocks_say_the_same(kind, shape):
    """The output layer's are in several pieces: 40, 40 and 17 of its 97 entries."""
    own, ids = model(kind), torch.randint(3, 60, shape)
    with torch.inference_mode():
        before = own(input_ids=ids).logits
        layers = blocked(own)
        torch.testing.assert_close(own(input_ids=ids).logits, before, rtol=1e-5, atol=1e-5)
    assert own.lm_head in layers and len(vars(own.lm_head)[blocks.NAME].parts) == 3
    products.unblock(own)
    assert not [layer for layer in own.modules() if blocks.NAME in vars(layer)]


@needs_amd
@pytest.mark.parametrize("change", ["another", "moved", "written over"])
def test_blocks_of_weights_that_were_changed_are_not_used(change):
    own, ids = model(), torch.randint(3, 60, (1, 9))
    blocked(own)
    weight = own.lm_head.weight
    if change == "another":
        own.lm_head.weight = torch.nn.Parameter(torch.zeros_like(weight))
    elif change == "moved":
        weight.data = torch.zeros_like(weight)
    else:
        weight.data *= 0
        products.block(own, 40)  # as for the next model that takes this base
    with torch.inference_mode():
        assert not own(input_ids=ids).logits.any()


@needs_amd
def test_blocks_of_weights_that_were_written_over_go_also_where_there_is_no_memory_for_new_ones(monkeypatch):
    own, ids = model(), torch.randint(3, 60, (1, 9))
    blocked(own)
    own.lm_head.weight.data *= 0
    monkeypatch.setattr(products, "spare", lambda: 0)
    products.block(own, 40)
    with torch.inference_mode():
        assert not own(input_ids=ids).logits.any()


@needs_amd
def test_blocks_are_kept_where_there_is_plenty_of_memory(monkeypatch):
    own = model()
    need = sum(layer.weight.nbytes for layer in own.modules() if isinstance(layer, torch.nn.Linear))
    monkeypatch.setattr(products, "spare", lambda: 4 * need - 1)
    assert not blocked(own)
    monkeypatch.setattr(products, "spare", lambda: 4 * need)
    made = blocked(own)
    assert len(made) == 15
    held = [vars(layer)[blocks.NAME] for layer in made]
    assert [vars(layer)[blocks.NAME] for layer in blocked(own)] == held, "they are made once"


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells")
@pytest.mark.parametrize("taken", [400, 2000])
def test_memory_that_a_group_of_processes_is_denied_is_none_to_spare(monkeypatch, tmp_path, taken):
    assert 1 << 20 < memory.spare() < 1 << 50
    (tmp_path / "limit").write_text("1000\n")
    (tmp_path / "used").write_text(f"{taken}\n")
    monkeypatch.setattr(memory, "_GROUPS", dict.fromkeys(("", "memory"), (str(tmp_path), "limit", "used")))
    assert memory.spare() == max(0, 1000 - taken)
    (tmp_path / "limit").write_text("max\n")
    assert memory.spare() > 1 << 20


@needs_amd
def test_a_layer_whose_call_was_replaced_before_is_left_alone():
    own = model()
    layer = own.model.layers[0].mlp.up_proj
    layer.forward = theirs = lambda states: torch.zeros(*states.shape[:-1], 64)
    products.hasten(own)
    assert layer.forward is theirs
    assert hastened(own)


@needs_amd
def test_weights_that_change_afterwards_count():
    """As when an adapter is merged into a base that is loaded already."""
    own, ids = model(), torch.randint(3, 60, (1, 9))
    products.hasten(own)
    with torch.inference_mode():
        own.lm_head.weight = torch.nn.Parameter(torch.zeros_like(own.lm_head.weight), requires_grad=False)
        assert not own(input_ids=ids).logits.any()
