"""Recipes: those of the studies have the studies' figures; files extend them; changes go on top."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl.errors import BadConfig, UnknownName
from benchctl_plugins.training.reading import KEYS, SECTIONS, changed, find_recipe, recipes
from benchctl_plugins.training.refusals import LORA
from benchctl_plugins.training.sweep.space import find_space
from tests.conftest import ROOT

V1 = {
    "method": "qlora", "model.quant": "nf4", "model.double_quant": True, "model.compute_dtype": "float16",
    "adapter.r": 16, "adapter.alpha": 16, "adapter.dropout": 0.1, "training.learning_rate": 2e-4,
    "training.schedule": "linear", "training.steps": 2000, "training.warmup": 200, "training.batch": 16,
    "training.accumulation": 2, "training.optimizer": "paged_adamw_8bit", "data.max_length": 512,
    "training.evaluate_every": 200, "training.save_every": 200, "training.log_every": 100,
    "data.train": "hub:luizlzg/drbyte_dataset", "training.best": "validation_loss",
}  # fmt: skip
V2 = {**V1, "adapter.r": 64, "adapter.dropout": 0.0, "training.schedule": "cosine"}
ZEPHYR = {
    "model.base": "zephyr-7b-beta",
    "adapter.targets": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj"),
}
LONG = {"adapter.targets": ("c_attn", "c_proj"), "training.steps": 100_000, "training.warmup": 10_000}
COSMOS = {
    "method": "qlora", "model.base": "zephyr-7b-beta", "model.quant": "nf4", "data.train": "task:cosmosqa-pt",
    "training.learning_rate": 4e-5, "training.warmup": 100, "training.batch": 16, "training.accumulation": 2,
    "data.max_length": 512,
}  # fmt: skip
T5 = {"model.base": "t5-base", "objective": "seq2seq", "data.train": "task:tweetsumm", "training.weight_decay": 0.01}
T5_LORA = {**T5, "adapter.r": 16, "adapter.alpha": 32, "adapter.dropout": 0.05, "adapter.targets": ("q", "v")}
STUDIES = {
    "zephyr-qlora-v1": {**V1, **ZEPHYR},
    "zephyr-qlora-v2": {**V2, **ZEPHYR, "training.steps": 3400, "training.warmup": 340},
    "zephyr-qlora": {**V2, **ZEPHYR, "training.steps": 3400, "training.warmup": 340},
    "gpt2-qlora-v1": {**V1, "model.base": "gpt2", "adapter.targets": ("c_attn", "c_proj")},
    "gpt2-qlora-v2": {**V2, **LONG, "model.base": "gpt2"},
    "distilgpt2-qlora-v1": {**V1, "model.base": "distilgpt2", "adapter.targets": ("c_attn", "c_proj")},
    "distilgpt2-qlora-v2": {**V2, **LONG, "model.base": "distilgpt2"},
    "zephyr-cosmosqa-v1": {
        **COSMOS, "adapter.r": 16, "training.schedule": "linear", "training.steps": 1000, "training.epochs": None,
    },
    "zephyr-cosmosqa-v2": {
        **COSMOS, "adapter.r": 32, "training.schedule": "cosine", "training.epochs": 3, "training.steps": None,
    },
    "zephyr-cosmosqa-v3": {
        **COSMOS, "adapter.r": 16, "training.schedule": "cosine", "training.epochs": 2, "training.steps": None,
    },
    "zephyr-gptq-cosmosqa": {
        "method": "lora", "model.base": "zephyr-gptq", "model.quant": "gptq", "adapter.r": 16, "adapter.alpha": 16,
        "adapter.dropout": 0.05, "adapter.targets": ("q_proj", "v_proj"), "training.steps": 1000, "training.batch": 8,
        "training.learning_rate": 2e-4, "training.schedule": "cosine", "data.max_length": 1024,
    },
    "llama2-gptq-dpo-medtext": {
        "objective": "dpo", "model.base": "llama2-7b-gptq", "model.quant": "gptq", "data.rejected": " ",
        "training.epochs": 10, "training.learning_rate": 5e-7, "training.batch": 2,
        "training.optimizer": "adamw_torch", "data.train": "hub:BI55/MedText",
    },
    "t5-tweetsumm-full": {**T5, "method": "full", "training.learning_rate": 2e-5},
    "t5-tweetsumm-lora": {**T5_LORA, "method": "lora", "training.learning_rate": 5e-4, "adapter.init": "olora"},
    "t5-tweetsumm-qlora": {**T5_LORA, "method": "qlora", "model.quant": "nf4", "adapter.init": "olora"},
    "t5-tweetsumm-ia3": {**T5, "method": "ia3", "training.learning_rate": 1e-3},
    "canarim-gpt2": {"model.base": "gpt2", "data.train": "hub:dominguesm/Canarim-Instruct-PTBR-Dataset"},
}  # fmt: skip
"""As facts/source_studies.md of the project has them."""


def at(recipe, key):
    for part in key.split("."):
        recipe = getattr(recipe, part)
    return recipe


@pytest.mark.parametrize("name", STUDIES)
def test_a_studys_recipe_has_the_studys_figures(name):
    recipe = find_recipe(name)
    assert {key: at(recipe, key) for key in STUDIES[name]} == STUDIES[name]


def test_every_recipe_can_be_found_and_says_what_it_is():
    assert set(STUDIES) < set(recipes())
    for name, summary in recipes().items():
        recipe = find_recipe(name)
        assert (recipe.name, recipe.summary) == (name, summary)
        assert recipe.study.startswith("None: it tries a path" if name.startswith("tiny-") else ("S", "Planned in S1"))
    tiny = [find_recipe(name) for name in recipes() if name.startswith("tiny-")]
    assert {r.method for r in tiny} == {"qlora", "lora", "dora", "ia3", "full", "prompt"}
    assert {r.objective for r in tiny} == {"sft", "dpo", "seq2seq"}


def test_a_gpt2_recipe_says_that_the_study_meant_another_model():
    assert "1.5 billion" in find_recipe("gpt2-qlora-v1").study and "124 million" in find_recipe("gpt2-qlora-v2").study


def test_a_misspelt_name_key_or_value_is_told_with_what_was_meant():
    with pytest.raises(UnknownName, match="zephyr-qlra") as unknown:
        find_recipe("zephyr-qlra")
    assert "Did you mean zephyr-qlora" in unknown.value.hint
    for change, message, hint in (
        ("stepz=3", "no key 'stepz'", "steps"),
        ("training.stepz=3", "no key 'training.stepz'", "training.steps"),
        ("steps", "has no value", "--set key=value"),
        ("steps=0", "training.steps = '0'", "recipes.md"),
        ("dropout=1", "adapter.dropout = '1'", "recipes.md"),
        ("method=qlorra", "method = 'qlorra'", "recipes.md"),
        ("base=", "says nothing about 'model'", "recipes.md"),
        ("name=../x", "name = '../x'", "recipes.md"),
        ("optimizer=adamw_8bits", "optimizer 'adamw_8bits' is not known", "adamw_8bit"),
    ):
        with pytest.raises(BadConfig) as bad:
            find_recipe("tiny-lora", [change])
        assert message in bad.value.message and hint in bad.value.hint, change


def test_changes_take_a_dotted_or_a_bare_key_and_an_empty_value_takes_back():
    recipe = find_recipe("tiny-lora", ["training.steps=7", "r=4", "targets=q_proj, v_proj", "warmup=", "packing=true"])
    assert (recipe.training.steps, recipe.adapter.r, recipe.training.warmup) == (7, 4, 0)
    assert recipe.adapter.targets == ("q_proj", "v_proj") and recipe.data.packing is True
    assert find_recipe("tiny-lora", ["targets=auto"]).adapter.targets == "auto"
    assert find_recipe("tiny-dpo", ["rejected= "]).data.rejected == " "
    assert find_recipe("tiny-ia3", []).adapter.model_fields_set == set()


@pytest.mark.parametrize(("one", "other"), [("steps", "epochs"), ("epochs", "steps")])
def test_steps_take_the_place_of_epochs_and_the_other_way_round(one, other):
    first = find_recipe("tiny-lora", [f"{other}=3"])
    recipe = changed(first, {one: 5})
    assert (getattr(recipe.training, one), getattr(recipe.training, other)) == (5, None)


@given(
    steps=st.integers(1, 10**6), rate=st.floats(1e-9, 1.0), batch=st.integers(1, 512), r=st.integers(1, 256),
    share=st.floats(0, 0.9),
)  # fmt: skip
def test_changes_by_value_are_those_by_words(steps, rate, batch, r, share):
    values = {
        "training.steps": steps, "learning_rate": rate, "batch": batch, "adapter.r": r, "validation_share": share,
    }  # fmt: skip
    words = find_recipe("tiny-lora", [f"{key}={value!r}" for key, value in values.items()])
    assert changed(find_recipe("tiny-lora"), values) == words
    assert changed(words, {}) == words


def test_a_file_saved_with_a_byte_order_mark_is_read_like_any(tmp_path: Path):
    (tmp_path / "own.toml").write_text('extends = "tiny-lora"\n[adapter]\nr = 4\n', encoding="utf-8-sig")
    assert find_recipe(str(tmp_path / "own.toml")).adapter.r == 4
    (tmp_path / "space.toml").write_text("r = [2, 4]\n", encoding="utf-8-sig")
    assert find_space(str(tmp_path / "space.toml")).size == 2


def test_a_file_extends_a_recipe_and_another_file(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        'extends = "zephyr-qlora-v1"\nsummary = "Mine"\n\n[training]\nepochs = 2\n\n[data]\ntrain = "rows.csv"\n'
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/other.toml").write_text('extends = "../mine.toml"\n\n[adapter]\nr = 8\n')
    mine, other = find_recipe(str(tmp_path / "mine.toml")), find_recipe(str(tmp_path / "deep/other.toml"), ["batch=1"])
    assert (mine.name, mine.summary, mine.study) == ("mine", "Mine", "")
    assert (mine.training.epochs, mine.training.steps, mine.adapter.r) == (2, None, 16)
    assert (other.name, other.adapter.r, other.data.train, other.training.batch) == ("other", 8, "rows.csv", 1)
    assert other.adapter.targets == find_recipe("zephyr-qlora-v1").adapter.targets


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('extends = "it.toml"', "extends itself"),
        ("extends = 3", "extends is no name"),
        ('extends = "tiny-lora"\n[trainng]\nsteps = 3', "no key 'trainng.steps'"),
        ('method = "lora"', "says nothing about 'model'"),
        ("method = ", "cannot be read"),
        ('extends = "tiny-lora"\n[training]\nsteps = 3\nepochs = 2', "both training.steps and training.epochs"),
    ],
)
def test_a_file_that_is_no_recipe_is_told_why(tmp_path: Path, content, message):
    file = tmp_path / "it.toml"
    file.write_text(content)
    with pytest.raises(BadConfig, match=message):
        find_recipe(str(file))
    with pytest.raises(BadConfig, match="no recipe file"):
        find_recipe(str(tmp_path / "absent.toml"))


def test_listing_and_reading_load_nothing_heavy():
    code = (
        "from benchctl_plugins.training.reading import find_recipe, recipes\n"
        "recipes(); find_recipe('tiny-lora', ['steps=30'])\n"
        "import sys; print({'torch', 'transformers', 'peft'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_the_reference_lists_every_recipe_and_every_key_with_its_default():
    page = (ROOT / "docs/reference/recipes.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    assert set(recipes()) | set(KEYS) == set(lines)
    for section, kind in SECTIONS.items():
        for key, field in kind.model_fields.items():
            default = "" if field.is_required() or field.default is None else str(field.default)
            said = lines[f"{section}.{key}"].split("|")[2].strip(" `")
            assert said.lower() == default.lower(), key
    for name, line in lines.items():
        if name in recipes():
            recipe = find_recipe(name)
            t = recipe.training
            length = f"{t.steps} steps" if t.steps else f"{t.epochs:g} epochs"
            assert f"| {recipe.model.base} | {recipe.method}, {recipe.objective} |" in line and f"| {length} |" in line
            assert f"| {t.batch} x {t.accumulation} | {recipe.data.max_length} |" in line
            assert f"{t.learning_rate:g}, {t.schedule}" in line
            a = recipe.adapter
            assert f"| {f'{a.r} / {a.alpha:g} / {a.dropout:g}' if recipe.method in LORA else ''} |" in line
