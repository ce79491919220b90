"""What a sweep may try, and what it draws from that."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl.errors import BadConfig, UnknownName
from benchctl_plugins.training.reading import find_recipe, recipes
from benchctl_plugins.training.sweep.drawing import SAMPLERS, Drawing
from benchctl_plugins.training.sweep.space import Dimension, Space, find_space, spaces
from tests.training.fake_train import FakeTrain, swept

pytest.importorskip("optuna", reason="needs the extra 'train'")


def space_file(folder: Path, text: str) -> str:
    file = folder / "own.toml"
    file.write_text(text, "utf-8")
    return str(file)


def test_the_spaces_that_ship_name_keys_of_recipes_they_are_meant_for():
    assert set(spaces()) == {"tiny", "s4-lora", "s4-qlora", "s4-ia3", "s4-full"}
    for name in spaces():
        recipe = "tiny-lora" if name == "tiny" else f"t5-tweetsumm-{name.removeprefix('s4-')}"
        draw = Drawing(find_space(name), "random", 0).next(find_recipe(recipe), [], [])
        assert draw.parameters is not None and set(draw.parameters) == {d.key for d in find_space(name).dimensions}
    assert recipes()


def test_the_space_of_study_s4_has_its_values():
    values = {d.key: d.choices for d in find_space("s4-lora").dimensions}
    assert values == {
        "training.learning_rate": (5e-4, 1e-4, 1e-3, 2e-5, 1e-5), "training.weight_decay": (0.01, 0.0),
        "adapter.r": (8, 16, 32), "adapter.alpha": (16, 32, 64),
        "adapter.targets": (["v", "q"], ["wi", "v", "wo", "lm_head", "k", "o", "q"]),
        "adapter.dropout": (0.0, 0.05, 0.1), "adapter.init": ("pissa", "olora"),
    }  # fmt: skip
    assert find_space("s4-lora").size == 5 * 2 * 3 * 3 * 2 * 3 * 2


def test_a_space_is_read_bare_dotted_or_in_sections(tmp_path):
    text = 'summary = "mine"\nr = [4, 8]\n"training.batch" = {low = 2, high = 8, step = 2}\n[training]\nlearning_rate = {low = 1e-4, high = 1e-2, log = true}\n'
    space = find_space(space_file(tmp_path, text))

    assert space.summary == "mine"
    assert [d.key for d in space.dimensions] == ["adapter.r", "training.batch", "training.learning_rate"]
    assert space.dimensions[1].values() == (2, 4, 6, 8)
    assert space.size is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat = [1e-4]", "learning_rate"),
        ("r = 8", "neither a list"),
        ("r = []", "neither a list"),
        ("r = [8, 8]", "twice"),
        ("r = [8]\n[adapter]\nr = [4]", "twice"),
        ("dropout = {low = 0.3, high = 0.1}", "low must be below high"),
        ("dropout = {low = 0.0, high = 0.1, log = true}", "above 0"),
        ("dropout = {low = 0, high = 0.1}", "both whole numbers"),
        ("dropout = {low = 0.0, high = 0.1, steps = 3}", "no 'steps'"),
        ("dropout = {low = 0.0}", "are numbers"),
        ("r = {low = 2, high = 8, step = 1.5}", "whole step"),
        ("summary = 'nothing'", "names no key"),
        ("name = ['a', 'b']", "no key 'name'"),
        ("max_length = [128, 256]", "data.max_length would give every trial other rows or another base"),
        ("[model]\nbase = ['tiny', 'gpt2']", "model.base would give every trial other rows or another base"),
        ("learning_rate = {low = 1e-5, high = inf, log = true}", "finite"),
        ("r = [2026-01-01, 8]", "a choice is a date"),
        ("r = [", "cannot be read"),
    ],
)
def test_a_space_that_cannot_be_meant_is_refused(tmp_path, text, said):
    with pytest.raises(BadConfig) as refused:
        find_space(space_file(tmp_path, text))
    assert said in f"{refused.value.message} {refused.value.hint}"


def test_an_unknown_space_names_those_near():
    with pytest.raises(UnknownName, match="no space called 'tyni'") as refused:
        find_space("tyni")
    assert "tiny" in refused.value.hint


def draws(drawing: Drawing, recipe: str, count: int) -> list[dict[str, Any]]:
    """What a sweep of undecided trials would try."""
    from optuna.trial import TrialState, create_trial

    history: list[Any] = []
    refused: list[Any] = []
    found = []
    for _ in range(count):
        draw = drawing.next(find_recipe(recipe), history, refused)
        if draw.parameters is None:
            break
        refused += draw.refused
        found.append(draw.parameters)
        history.append(create_trial(
            state=TrialState.PRUNED, params=drawing.encoded(draw.parameters), distributions=drawing.distributions()
        ))  # fmt: skip
    return found


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31), sampler=st.sampled_from(SAMPLERS),
    r=st.lists(st.integers(1, 64), min_size=1, max_size=4, unique=True),
    dropout=st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.2]), min_size=1, max_size=3, unique=True),
)  # fmt: skip
def test_a_countable_space_is_drawn_to_its_end_without_repeating(seed, sampler, r, dropout):
    space = Space("own", (Dimension("adapter.r", tuple(r)), Dimension("adapter.dropout", tuple(dropout))))
    found = draws(Drawing(space, sampler, seed), "tiny-lora", 100)

    assert Counter(map(str, found)) == Counter(str(one) for one in space.combinations())


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_ranges_are_kept_and_drawn_alike_for_the_same_seed_only(sampler):
    space = Space("own", (
        Dimension("training.learning_rate", low=1e-5, high=1e-2, log=True), Dimension("adapter.r", low=1, high=64),
        Dimension("adapter.dropout", low=0.0, high=0.3, step=0.05),
    ))  # fmt: skip
    found = draws(Drawing(space, sampler, 3), "tiny-lora", 12)

    assert found == draws(Drawing(space, sampler, 3), "tiny-lora", 12)
    assert found != draws(Drawing(space, sampler, 4), "tiny-lora", 12)
    for one in found:
        assert 1e-5 <= one["training.learning_rate"] <= 1e-2
        assert isinstance(one["adapter.r"], int) and 1 <= one["adapter.r"] <= 64
        assert one["adapter.dropout"] in [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    below = sum(one["training.learning_rate"] < 10**-3.5 for one in found)
    assert 2 <= below <= 10, "a log range is drawn evenly over orders of magnitude"


def test_combinations_that_cannot_work_are_drawn_again_and_counted(tmp_path):
    space = Space("own", (
        Dimension("adapter.init", ("pissa", "default", "gaussian")), Dimension("adapter.r", (4, 8)),
    ))  # fmt: skip
    for sampler in SAMPLERS:
        train = FakeTrain()
        sweep = swept(tmp_path / sampler, train, space, "tiny-qlora", trials=11, sampler=sampler, prune=False)

        assert sweep.status == "exhausted"
        assert sorted((r.parameters["adapter.init"], r.parameters["adapter.r"]) for r in sweep.rows) == [
            ("default", 4), ("default", 8), ("gaussian", 4), ("gaussian", 8)
        ]  # fmt: skip
        assert sorted(one.parameters["adapter.r"] for one in sweep.refused) == [4, 8]
        assert all("pissa" in one.reason for one in sweep.refused)
        assert len(train.trained) == 4


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_space_in_which_nothing_can_work_is_refused_with_the_reason(tmp_path, sampler):
    space = Space("own", (Dimension("adapter.init", ("pissa",)), Dimension("adapter.r", (4, 8))))
    with pytest.raises(BadConfig, match="pissa"):
        swept(tmp_path, FakeTrain(), space, "tiny-qlora", sampler=sampler)


def test_a_grid_needs_values_that_can_be_listed(tmp_path):
    with pytest.raises(BadConfig, match="without steps"):
        swept(tmp_path, FakeTrain(), sampler="grid")


def test_tpe_finds_better_values_than_chance(tmp_path):
    """Over three seeds, 20 trials each: the loss here has one clear valley."""

    def best(sampler: str, seed: int) -> float:
        return swept(
            tmp_path / f"{sampler}{seed}", FakeTrain(), trials=20, sampler=sampler, seed=seed, prune=False
        ).best.value

    assert sum(best("tpe", s) for s in range(3)) < sum(best("random", s) for s in range(3))
