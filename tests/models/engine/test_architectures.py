"""Every architecture scores as on the plain path: with shared prompts, or by falling back and saying why."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

from benchctl_plugins.models.engine.engine import Engine
from benchctl_plugins.models.engine.items import Row
from benchctl_plugins.models.engine.plain import PlainEngine

from .makers import VOCABULARY, NoTokenizer, configs, layers, made, questions

TABLE = configs()


def plain(model, budget=512):
    return PlainEngine(model, NoTokenizer(), "cpu", budget)


@pytest.mark.parametrize("name", TABLE)
def test_scores_equal_the_plain_path(name):
    config, shareable = TABLE[name]
    model, items = made(config), questions()
    engine = Engine(plain(model))
    found = dict(engine.score(items))
    rows = [row for item in items for row in item]
    alone = dict(plain(model).score(rows))
    flat = [likelihood for i in range(len(items)) for likelihood in found[i]]
    assert max(abs(got.nats - alone[i].nats) for i, got in enumerate(flat)) < 1e-4
    assert [got.greedy for got in flat] == [alone[i].greedy for i in range(len(flat))]
    assert engine.path == ("shared" if shareable else "plain"), engine.path_reason
    assert engine.path_reason


@pytest.mark.parametrize("name", [name for name, (_, shareable) in TABLE.items() if shareable])
def test_the_last_layer_computes_the_scored_positions_alone_and_scores_the_same(name):
    model = made(TABLE[name][0])
    draw = random.Random(7)
    start = tuple(draw.randrange(2, VOCABULARY) for _ in range(12))
    contexts = [start + tuple(draw.randrange(2, VOCABULARY) for _ in range(draw.randrange(9, 40))) for _ in range(24)]
    letters = [[Row(context, (letter,)) for letter in (3, 4, 5)] for context in contexts]
    seen: list[tuple[int, int]] = []
    stack = layers(model)

    def count(place, out):
        states = out[0] if isinstance(out, tuple) else out  # a router gives several
        seen.append((place, states.numel() // states.shape[-1]))

    for place, layer in enumerate((stack[0], stack[-1])):
        matrices = [m for m in layer.modules() if getattr(m, "weight", None) is not None and m.weight.dim() == 2]
        matrices[-1].register_forward_hook(lambda _, args, out, place=place: count(place, out))
    engine = Engine(plain(model))
    found = dict(engine.score(letters))
    assert engine.path == "shared", engine.path_reason
    computed = [sum(n for where, n in seen if where == place) for place in (0, 1)]
    assert computed[1] < computed[0] / 2, "one position in ten or twenty is scored"
    alone = dict(plain(model).score([row for item in letters for row in item]))
    got = [likelihood.nats for i in range(len(letters)) for likelihood in found[i]]
    assert got == pytest.approx([alone[i].nats for i in range(len(got))], abs=1e-4)


def test_a_fallback_is_said_once_and_kept_for_the_manifest(caplog):
    engine = Engine(plain(made(TABLE["bloom"][0])))
    list(engine.score(questions()))
    list(engine.score(questions(seed=2)))
    assert [record.getMessage() for record in caplog.records] == [
        "prompts are not shared: positions cannot be given to it (ALiBi or state space)"
    ]
    assert engine.manifest()["path"] == "plain"
    assert "ALiBi" in engine.manifest()["path_reason"]


def test_a_model_whose_shared_scores_would_differ_is_found_out(monkeypatch):
    from benchctl_plugins.models.engine import attention

    real = attention._tree_mask
    monkeypatch.setattr(attention, "_tree_mask", lambda tree, window, like: 0 * real(tree, window, like))  # sees all
    engine, model = None, made(TABLE["llama"][0])
    engine = Engine(plain(model))
    found = dict(engine.score(questions()))
    assert engine.path == "plain"
    assert "differ from the plain path" in engine.path_reason
    rows = [row for item in questions() for row in item]
    alone = dict(plain(model).score(rows))
    assert [likelihood.nats for i in range(12) for likelihood in found[i]] == pytest.approx(
        [alone[i].nats for i in range(len(rows))], abs=1e-4
    )
