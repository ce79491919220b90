"""Products that another library computes on processors where it is the faster one: the same numbers, the same gradients."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl_plugins.models.engine import products

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
