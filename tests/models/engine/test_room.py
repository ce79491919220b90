"""Keys and values with room behind them: what transformers' own cache holds, whatever is done to it, without its copies."""

from __future__ import annotations

import copy

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DynamicCache

from benchctl_plugins.models.engine.room import make_room

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.integers(1, 5)),
        st.tuples(st.just("crop"), st.integers(0, 2)),
        st.tuples(st.just("repeat"), st.integers(1, 2)),
        st.tuples(st.just("select"), st.integers(0, 3)),
        st.tuples(st.just("deepcopy"), st.just(0)),
        st.tuples(st.just("make_room"), st.integers(0, 8)),
    ),
    max_size=12,
)


def grown(past, tokens, rows=2):
    for layer in range(2):
        keys, values = torch.randn(rows, 2, tokens, 4), torch.randn(rows, 2, tokens, 3)
        yield keys, values, [one.update(keys, values, layer) for one in past]


@settings(deadline=None)
@given(STEPS)
def test_it_holds_what_transformers_own_does(steps):
    caches = [DynamicCache(), DynamicCache()]
    list(grown(caches, 3))
    make_room(caches[1], 4)
    for step, number in steps:
        rows = caches[0].layers[0].keys.shape[0]
        if step == "update":
            for _, _, (own, roomy) in grown(caches, number, rows):
                assert all(torch.equal(a, b) for a, b in zip(own, roomy, strict=True))
        elif step == "make_room":
            make_room(caches[1], number)
        elif step == "deepcopy":
            caches[1] = copy.deepcopy(caches[1])
        for past in caches:
            if step == "crop":
                past.crop(-min(number, past.get_seq_length() - 1))
            elif step == "repeat" and rows < 9:
                past.batch_repeat_interleave(number)
            elif step == "select":
                past.batch_select_indices(torch.arange(rows)[max(0, min(number, rows - 1)) :])
        assert caches[0].get_seq_length() == caches[1].get_seq_length()
        for own, roomy in zip(caches[0].layers, caches[1].layers, strict=True):
            assert torch.equal(own.keys, roomy.keys) and torch.equal(own.values, roomy.values)


def test_what_is_held_is_copied_once_for_many_tokens():
    past = DynamicCache()
    list(grown([past], 3))
    make_room(past, 32)
    places = set()
    for _ in range(32):
        list(grown([past], 1))
        places.add(past.layers[0].keys.data_ptr())
    assert len(places) == 1 and past.get_seq_length() == 35
