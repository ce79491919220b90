"""The fast path: what is shared, what it must not depend on, what it does when memory runs out."""

from __future__ import annotations

import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="needs the extra 'hf'")

from benchctl_plugins.models.engine import header as headers
from benchctl_plugins.models.engine import packing, tree
from benchctl_plugins.models.engine.attention import Memory
from benchctl_plugins.models.engine.engine import Engine
from benchctl_plugins.models.engine.items import Likelihood, Row
from benchctl_plugins.models.engine.plain import PlainEngine
from benchctl_plugins.models.engine.shared import SharedScorer

from .makers import NoTokenizer, configs, layers, made, questions, scores


@pytest.fixture(scope="module")
def llama():
    return made(configs()["llama"][0])


def engine(model, budget=512):
    return Engine(PlainEngine(model, NoTokenizer(), "cpu", budget))


def closest(a, b):
    return max(abs(x - y) for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True))


def test_scores_do_not_depend_on_batch_size_order_or_company(llama):
    items = questions(40)
    expected = scores(engine(llama), items)
    for budget in (1, 60, 100_000):
        assert closest(scores(engine(llama, budget), items), expected) < 1e-4
    order = random.Random(3).sample(range(40), 40)
    shuffled = scores(engine(llama), [items[i] for i in order])
    assert closest(shuffled, [expected[i] for i in order]) < 1e-4
    alone = [scores(engine(llama), [item])[0] for item in items]
    assert closest(alone, expected) < 1e-4


def test_rows_cut_on_the_left_are_scored_as_they_are(llama):
    items = [[Row(row.context[i:], row.continuation) for i, row in enumerate(item)] for item in questions(20)]
    rows = [row for item in items for row in item]
    alone = dict(PlainEngine(llama, NoTokenizer(), "cpu", 512).score(rows))
    assert [n for item in scores(engine(llama), items) for n in item] == pytest.approx(
        [alone[i].nats for i in range(len(rows))], abs=1e-4
    )


def test_a_header_that_later_questions_do_not_share_is_shortened_or_found_anew(llama):
    items = questions(20, header=30, seed=1) + questions(20, header=30, seed=2) + questions(9, header=0, seed=3)
    first = items[0][0].context
    items += [[Row(first[:12] + row.context[12:], row.continuation) for row in item] for item in questions(30)]
    alone = dict(PlainEngine(llama, NoTokenizer(), "cpu", 512).score([row for item in items for row in item]))
    got = [n for item in scores(engine(llama), items) for n in item]
    assert got == pytest.approx([alone[i].nats for i in range(len(got))], abs=1e-4)


@pytest.mark.parametrize(("name", "passes"), [("llama", 0), ("gpt2", 0), ("phi", 0), ("mistral, short window", 1)])
@pytest.mark.parametrize("header", [20, 150])
def test_the_header_is_taken_from_the_self_check_unless_a_window_dropped_it(name, passes, header):
    model = made(configs()[name][0])
    items = questions(12, header=header)
    size = len(headers.find([row for item in items for row in item]))
    assert size >= header
    shapes = []
    model.get_input_embeddings().register_forward_hook(lambda module, args, out: shapes.append(tuple(args[0].shape)))
    got = scores(engine(model), items)
    assert shapes.count((1, size)) == passes
    alone = dict(PlainEngine(model, NoTokenizer(), "cpu", 512).score([row for item in items for row in item]))
    assert [n for item in got for n in item] == pytest.approx([alone[i].nats for i in range(len(alone))], abs=1e-4)


def test_the_header_is_what_saves_the_most_tokens():
    rows = [Row((1, 2, 3, 4, 5, 9), (1,)), Row((1, 2, 3, 4, 6, 9), (1,)), Row((1, 2, 3, 7, 5, 9), (1,))]
    assert headers.find(rows) == (1, 2, 3)
    assert headers.find([*rows, Row((8, 8, 8), (1,))]) == (1, 2, 3), "a row cut on the left does not spoil it"
    assert headers.find([Row((1, 2, 3), (4,))]) == ()
    assert headers.shorten((1, 2, 3, 4), rows) == 3


def test_what_rows_share_is_in_the_tree_once():
    rows = [Row((1, 2, 3), (4, 5)), Row((1, 2, 3), (4, 6, 7)), Row((1, 2, 3), (8,))]
    asked = sorted((tree.Asked.of(i, row, 0) for i, row in enumerate(rows)), key=lambda a: a.tail)
    (grown,) = tree.grow(asked, 100, 1)
    assert grown.tokens == [1, 2, 3, 4, 6]
    assert grown.depths == [0, 1, 2, 3, 4]
    assert sorted(grown.scored) == [(2, 4, 0), (2, 4, 1), (2, 8, 2), (3, 5, 0), (3, 6, 1), (4, 7, 1)]


def test_a_token_sees_its_ancestors_and_no_sibling():
    rows = [Row((1, 2), (3, 4, 5)), Row((1, 2), (6, 7))]
    (grown,) = tree.grow([tree.Asked.of(i, row, 0) for i, row in enumerate(rows)], 100, 1)
    assert grown.tokens == [1, 2, 3, 4, 6]
    assert grown.visible()[4].tolist() == [True, True, False, False, True]
    assert grown.visible()[3].tolist() == [True, True, True, True, False]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 2)), max_size=12))
def test_behind_a_header_stands_what_is_given_whatever_layer_came_before(calls):
    """Layers of one kind share the room for it; two here have other heads, or other floats (as on another device)."""
    import torch

    kinds = [(2, 4, torch.float32), (2, 4, torch.float32), (1, 8, torch.float32), (2, 4, torch.float64)]
    drawn = [torch.randn(1, heads, 6, size, dtype=dtype) for heads, size, dtype in kinds]
    memory = Memory(6)
    for layer, states in enumerate(drawn):
        memory.keep(layer, "keys", states)
    for layer, count, shorter in calls:
        memory.length = max(1, memory.length - shorter)
        heads, size, dtype = kinds[layer]
        given = torch.randn(1, heads, count, size, dtype=dtype)
        found = memory.extend(layer, "keys", given)
        assert found.dtype == dtype
        assert torch.equal(found, torch.cat([drawn[layer][:, :, : memory.length], given], dim=2))


def test_in_the_last_layer_projections_rest_where_nobody_looks_at_them():
    model, items, seen = made(configs()["llama"][0]), questions(12, header=60, choices=2), []
    ready = engine(model)
    expected = scores(ready, items)
    own = layers(model)[-1].self_attn
    for part in ("q_proj", "k_proj", "v_proj"):
        getattr(own, part).register_forward_hook(lambda _, given, out, part=part: seen.append((part, bool(out.any()))))
    assert closest(scores(ready, items), expected) < 1e-6
    assert set(seen[:3]) == {("q_proj", False), ("k_proj", True), ("v_proj", True)}, "of all positions"
    assert set(seen[3:6]) == {("q_proj", True), ("k_proj", False), ("v_proj", False)}, "of the scored ones"
    assert not any(isinstance(vars(getattr(own, p)).get("forward"), partial) for p in ("q_proj", "k_proj", "v_proj"))


@given(st.integers(0, 20), st.integers(0, 9), st.integers(0, 9))
def test_idle_tokens_and_positions_change_no_score(filled, more, others):
    rows = [Row((1, 2, 3), (4, 5)), Row((1, 2, 3), (4, 6, 7)), Row((9, 8), (7, 6))]
    trees = list(tree.grow([tree.Asked.of(i, row, 0) for i, row in enumerate(rows)], 6, 1))
    before = tree.gather(trees)[2:]
    bare = [len(one) for one in trees]
    trees[0].fill(filled)
    taken = trees[0].take_along(more), trees[-1].take_along(others)
    positions, slots, tokens, places = tree.gather(trees)
    assert (tokens, places) == before
    assert len(positions) == len(set(positions)) == len(set(slots)) + sum(taken)
    assert positions == sorted(positions) and slots == sorted(slots)
    seen = trees[0].visible()
    assert not seen[: bare[0], bare[0] :].any(), "no token sees an idle one"


def test_out_of_memory_halves_the_batch_and_the_run_ends_with_the_right_scores(llama, monkeypatch):
    import torch

    items = questions(40)
    expected, sizes = scores(engine(llama), items), []
    real = SharedScorer._forward

    def short_of_memory(self, run):
        sizes.append(sum(len(t) for t in run.trees))
        if sizes[-1] > 200:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(self, run)

    monkeypatch.setattr(SharedScorer, "_forward", short_of_memory)
    tight = engine(llama, 100_000)
    assert closest(scores(tight, items), expected) < 1e-4
    assert max(sizes) > 200, "the test has to run out of memory"
    assert tight.path == "shared"
    assert sum(size > 200 for size in sizes) < 6, "later batches are made smaller at once"


def test_batches_are_of_one_size_and_the_first_shows_for_all_what_memory_lacks(llama, monkeypatch):
    import torch

    ready, items = engine(llama, 400), questions(60)
    expected, sizes, room = scores(ready, items), [], 400
    real = SharedScorer._forward

    def short_of_memory(self, run):
        sizes.append(sum(len(t) for t in run.trees))
        if sizes[-1] > room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(self, run)

    monkeypatch.setattr(SharedScorer, "_forward", short_of_memory)
    assert closest(scores(ready, items), expected) < 1e-4
    assert len(sizes) > 2 and len(set(sizes)) == 1, "what was made ready for the first serves the others"
    room = sizes[0] - 100
    sizes.clear()
    assert closest(scores(ready, items), expected) < 1e-4
    assert sum(size > room for size in sizes) == 1, "batches that were made before are divided without being tried"


@pytest.mark.parametrize("begin", [0, 96])
def test_what_the_self_check_looked_at_is_in_the_first_batch(llama, monkeypatch, begin):
    """So that a model which shares wrongly costs one batch, wherever its row stands among the sorted ones."""
    later = [[Row((begin, *row.context), row.continuation) for row in item] for item in questions(90)]
    passes = []
    real = SharedScorer._run

    def counted(self, trees):
        passes.append({place for tree in trees for place in tree.places})
        return {place: Likelihood(one.nats + 1, one.greedy) for place, one in real(self, trees).items()}

    monkeypatch.setattr(SharedScorer, "_run", counted)
    items = questions(8) + later
    expected = dict(PlainEngine(llama, NoTokenizer(), "cpu", 512).score([row for item in items for row in item]))
    wrong = engine(llama, 400)
    got = [n for item in scores(wrong, items) for n in item]
    assert wrong.path == "plain" and len(passes) == 1
    assert got == pytest.approx([expected[i].nats for i in range(len(got))], abs=1e-4)


@given(sizes=st.lists(st.integers(1, 300), max_size=60), most=st.sampled_from([1, 64, 500, 5000]))
def test_pieces_are_divided_evenly_into_few_groups(sizes, most):
    groups = packing.divide(sizes, most)
    assert sorted(piece for group in groups for piece in group) == list(range(len(sizes)))
    totals = [sum(sizes[piece] for piece in group) for group in groups]
    assert all(total <= most or len(group) == 1 for total, group in zip(totals, groups, strict=True))
    if sizes and len(groups) < len(sizes):
        assert max(totals) - min(totals) <= max(sizes)
    assert len(groups) <= max(1, 2 * sum(sizes) // most + 1, sum(size > most / 2 for size in sizes) * 2)


def test_out_of_memory_on_the_plain_path_too(monkeypatch):
    model, items = made(configs()["bloom"][0]), questions(20)
    expected = scores(engine(model), items)
    real = PlainEngine._score_batch

    def short_of_memory(self, rows):
        if len(rows) > 3:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        return real(self, rows)

    monkeypatch.setattr(PlainEngine, "_score_batch", short_of_memory)
    assert closest(scores(engine(model), items), expected) < 1e-4


def test_an_error_that_is_not_about_memory_is_not_swallowed(llama, monkeypatch):
    ready = engine(llama)
    scores(ready, questions(2))

    def broken(self, run):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(SharedScorer, "_forward", broken)
    with pytest.raises(RuntimeError, match="disk on fire"):
        scores(ready, questions(2))


def test_items_are_taken_up_only_as_they_are_needed(llama):
    taken = []

    def source():
        for number, item in enumerate(questions(400)):
            taken.append(number)
            yield item

    running = engine(llama).score(source())
    next(running)
    assert len(taken) <= 128
    assert sorted(index for index, _ in running) == sorted(set(range(400)) - {0}) or len(taken) == 400


def test_items_without_rows_settle_nothing(llama):
    """As empty texts: a run may begin with many of them."""
    later, items = engine(llama), questions(20)
    empty = [[]] * 20
    found = dict(later.score([*empty, *items]))
    assert [found[i] for i in range(20)] == empty
    own = [[one.nats for one in found[20 + i]] for i in range(20)]
    assert closest(own, scores(engine(llama), items)) < 1e-4
    assert later.path == "shared"


def test_a_whole_text_is_scored_without_a_mask_and_equals_the_plain_path(llama):
    draw = random.Random(5)
    long = Row((3,), tuple(draw.randrange(2, 97) for _ in range(255)))
    (((_, (got,))),) = engine(llama).score([[long]])
    ((_, alone),) = PlainEngine(llama, NoTokenizer(), "cpu", 512).score([long])
    assert got.nats == pytest.approx(alone.nats, abs=2e-4)
