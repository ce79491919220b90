"""The plan: what a recipe would do, said offline, with the study's figures; exact where base and data are at hand."""

from __future__ import annotations

import json
import re
import weakref
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl.errors import BadConfig
from benchctl_plugins.models.presets import PRESETS
from benchctl_plugins.models.tiny import TINIES
from benchctl_plugins.training import footprint
from benchctl_plugins.training.architectures import architecture, bones
from benchctl_plugins.training.optimizers import STATES
from benchctl_plugins.training.plan import make_plan, steps_per_epoch
from benchctl_plugins.training.plan_text import duration
from benchctl_plugins.training.reading import find_recipe, recipes
from benchctl_plugins.training.recipe import Recipe
from tests.training.test_methods import attached, count

torch = pytest.importorskip("torch", reason="needs the extra 'hf'")

STUDIES = [name for name in recipes() if not name.startswith("tiny-")]
ZEPHYR = {"q": 4096 + 4096, "k": 4096 + 1024, "v": 4096 + 1024, "o": 4096 + 4096, "gate": 4096 + 14336,
          "up": 4096 + 14336}  # fmt: skip
"""Inputs plus outputs of the layers that S1 adapts, of which there are 32 each."""


def memory(recipe: Recipe, gpu: bool) -> footprint.Memory:
    found = architecture(recipe.model.base)
    assert found is not None
    return footprint.memory(recipe, found, footprint.adapted(recipe, found), gpu)


def text(name: str, *changes: str) -> str:
    return "\n".join(make_plan(find_recipe(name, changes)).lines())


def test_one_of_a_kind_is_singular():
    said = text("tiny-prompt", "epochs=1", "virtual_tokens=1", "keep=1", "patience=1")
    assert "; 1 checkpoint kept" in said and "1 vector in front" in said and "after 1 evaluation without" in said
    assert " 1 epoch;" in said and not re.search(r"\b1 (epochs|steps)\b", said)


@pytest.mark.parametrize("name", STUDIES)
def test_a_studys_plan_says_its_figures_without_any_file_of_its_base(name):
    recipe, said = find_recipe(name), text(name)
    t, a = recipe.training, recipe.adapter
    assert f"batch {t.batch} x accumulation {t.accumulation}" in said and f"max length {recipe.data.max_length}" in said
    assert f"schedule {t.schedule}" in said and t.optimizer in said and recipe.data.train in said
    assert f"evaluate {t.evaluate_every} steps, save {t.save_every}, log {t.log_every}" in said
    assert (f"{t.steps} steps" if t.steps else f"{t.epochs:g} epochs") in said
    assert (f"warm-up {t.warmup:g} steps" if t.warmup else "no warm-up") in said
    if recipe.method in ("lora", "qlora"):
        assert f"r {a.r}, alpha {a.alpha:g}, dropout {a.dropout:g}, init {a.init}, on {', '.join(a.targets)}" in said
    assert "not at hand" in said and "trainable" in said and "GiB on a GPU" in said and "estimate" in said
    assert "not measured: the base is not at hand" in said


def test_what_a_study_reports_of_its_rows_is_said_to_be_reported():
    assert "19 thousand, as S1 reports; the data are not at hand" in text("zephyr-qlora-v1")
    assert "rate 2e-4" in text("zephyr-qlora-v1") and "rate 5e-7" in text("llama2-gptq-dpo-medtext")
    plan = make_plan(find_recipe("zephyr-qlora-v1"))
    assert plan.length.epochs == pytest.approx(2000 * 32 / 19_000, rel=0.01) and not plan.length.exact
    other = make_plan(find_recipe("zephyr-qlora-v1", ["train=hub:SOME/ONE"]))
    assert other.length.rows is None and "not known" in other.length.rows_said
    assert make_plan(find_recipe("zephyr-qlora-v1", ["train=hub:SOME/ONE", "epochs=2"])).length.steps is None


def test_data_at_hand_are_counted_also_when_the_base_is_not(tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text("instruction,output\n" + "".join(f"Pergunta {n}?,Resposta {n}.\n" for n in range(50)))
    assert "200 steps (longer than the training" in text("zephyr-qlora-v1", f"train={file}", "epochs=2")
    plan = make_plan(find_recipe("zephyr-qlora-v1", [f"train={file}", "epochs=2", "warmup="]))
    assert "longer than" not in "\n".join(plan.lines())
    assert (plan.length.rows, plan.length.steps, plan.length.exact) == (45, 4, False)  # a tenth is held out
    assert "45; not tokenised" in plan.length.rows_said


@pytest.mark.parametrize("named", [*PRESETS, *TINIES], ids=lambda named: named.name)
def test_the_architecture_of_a_named_model_has_its_parameters(named):
    found = architecture(named.name)
    assert found is not None
    assert sum(p.numel() for p in bones(found).parameters()) == named.facts["parameters"]


@pytest.mark.parametrize(
    ("name", "r"), [("zephyr-qlora-v1", 16), ("zephyr-qlora-v2", 64)],
)  # fmt: skip
def test_zephyrs_adapter_has_the_parameters_that_arithmetic_gives(name, r):
    plan = make_plan(find_recipe(name))
    assert plan.parameters is not None
    assert plan.parameters.trainable == 32 * r * sum(ZEPHYR.values())
    assert plan.parameters.all == 7_241_732_096 + plan.parameters.trainable
    assert f"({plan.parameters.share:.3%})" in "\n".join(plan.lines())


def test_ia3_and_lora_on_t5_base_have_the_parameters_that_arithmetic_gives():
    lora, ia3 = (make_plan(find_recipe(f"t5-tweetsumm-{method}")).parameters for method in ("lora", "ia3"))
    assert lora is not None and ia3 is not None
    attentions, blocks = 12 + 12 * 2, 24  # the decoder attends to itself and to the encoder
    assert lora.trainable == attentions * 2 * 16 * (768 + 768)
    assert ia3.trainable == attentions * 2 * 768 + blocks * 3072  # keys, values, and what enters wo


@pytest.mark.parametrize("name", [name for name in recipes() if name.startswith("tiny-") and "gptq" not in name])
def test_parameters_are_those_of_the_model_that_is_really_trained(name):
    from benchctl_plugins.models.quantization import count_parameters

    recipe, model = attached(name)
    found = architecture(recipe.model.base)
    assert found is not None
    counted = footprint.parameters(footprint.adapted(recipe, found))
    assert (counted.all, counted.trainable) == (count_parameters(model), count(model))
    if hasattr(model, "get_nb_trainable_parameters") and recipe.model.quant == "none" and recipe.method != "prompt":
        assert model.get_nb_trainable_parameters() == (counted.trainable, counted.all)


@pytest.mark.parametrize("changes", ["method=lora quant=none", "", "quant=fp4", "double_quant=false", "quant=int8"])
def test_the_weights_memory_is_what_the_loaded_weights_take(changes):
    from benchctl_plugins.models.quantization import weight_bytes

    for name in ("tiny-qlora", "tiny-t5-qlora"):
        recipe, model = attached(name, *changes.split())
        assert memory(recipe, gpu=False).weights == pytest.approx(weight_bytes(model), rel=0.02)


class Peak(torch.utils._python_dispatch.TorchDispatchMode):
    """The most bytes that tensors made inside take at one time."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[int, int] = {}
        self.bytes = self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.live:
                    self.live[storage._cdata] = storage.nbytes()
                    self.bytes += storage.nbytes()
                    self.most = max(self.most, self.bytes)
                    weakref.finalize(storage, self.gone, storage._cdata)
        return out

    def gone(self, key: int) -> None:
        self.bytes -= self.live.pop(key, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["tiny-lora", "tiny-qlora", "tiny-full", "tiny-ia3", "tiny-dora", "tiny-dpo", "tiny-t5-lora", "tiny-t5-full"],
)
def test_the_estimate_is_near_what_a_step_really_takes(name):
    """Forward and backward of a full batch on a CPU, every tensor counted; the estimate may be off by a quarter."""
    from trl.trainer.utils import add_fused_lm_head

    recipe, model = attached(name, "max_length=128")
    estimated = memory(recipe, gpu=False)
    rows = recipe.training.batch * (2 if recipe.objective == "dpo" else 1)
    inputs = {"input_ids": torch.full((rows, 128), 7), "attention_mask": torch.ones(rows, 128, dtype=torch.long)}
    if recipe.objective != "seq2seq":
        add_fused_lm_head(model.get_base_model() if recipe.method != "full" else model)
        inputs["fused_lm_head"] = True
    with Peak() as peak:
        model(**inputs, labels=inputs["input_ids"]).loss.backward()
    assert estimated.activations + estimated.gradients == pytest.approx(peak.most, rel=0.25)


def test_memory_moves_as_it_must():
    def total(name: str, *changes: str) -> footprint.Memory:
        return memory(find_recipe(name, changes), gpu=True)

    full = total("t5-tweetsumm-full")
    assert (full.gradients, full.optimizer) == (4 * 222_903_552, 8 * 222_903_552)
    assert total("t5-tweetsumm-full", "optimizer=paged_adamw_8bit").optimizer == 2 * 222_903_552
    qlora = total("zephyr-qlora-v1")
    assert qlora.weights < 7_241_732_096 * 0.7  # four bits, their scales, and embeddings, head and norms in 16
    assert total("zephyr-qlora-v1", "quant=int8", "double_quant=").weights > 1.5 * qlora.weights
    kept = total("zephyr-qlora-v1", "gradient_checkpointing=false")
    assert kept.activations > 3 * qlora.activations
    halves = [total("zephyr-qlora-v1", f"batch={n}", "gradient_checkpointing=false").activations for n in (4, 8)]
    assert halves[1] == pytest.approx(2 * halves[0], rel=0.01)


@given(rows=st.integers(1, 300), batch=st.integers(1, 40), accumulation=st.integers(1, 9))
def test_steps_of_an_epoch_are_those_of_walking_through_it(rows, batch, accumulation):
    steps, waiting = 0, 0
    for _ in range(0, rows, batch):
        waiting += 1
        if waiting == accumulation:
            steps, waiting = steps + 1, 0
    assert steps_per_epoch(rows, batch, accumulation) == steps + bool(waiting)


def test_with_base_and_data_at_hand_the_plan_is_exact():
    from benchctl_plugins.models.making import local_model
    from benchctl_plugins.training.prepare import prepare

    recipe = find_recipe("tiny-lora", ["epochs=3", "max_length=128", "batch=4", "targets=q_proj", "warmup="])
    tokenizer = local_model("tiny", device="cpu").tokenizer
    prepared = prepare(recipe, tokenizer)
    plan = make_plan(recipe, prepared)
    rows = len(prepared.train)
    assert (plan.length.rows, plan.length.exact, plan.length.epochs) == (rows, True, 3)
    assert plan.length.steps == 3 * -(-rows // 4)
    assert plan.step_seconds is not None and plan.seconds == plan.step_seconds * plan.length.steps
    said = "\n".join(plan.lines())
    assert f"rows: {rows} to train on" in said and "truncated:" in said and "s a step" in said
    found = json.loads(json.dumps(plan.as_json()))
    assert found["data"]["rows"] == rows and found["exact"] and found["steps"] == plan.length.steps
    assert found["memory"]["device"] in ("cpu", "gpu") and found["memory"]["estimate"] is True
    assert found["data"]["truncated"] == prepared.report.truncated > 0


def test_a_base_that_nobody_knows_is_said_to_be_unknown():
    said = text("tiny-lora", "base=SOME/ONE")
    assert "its architecture is not known" in said and "not known: the base is not at hand" in said
    assert make_plan(find_recipe("tiny-lora", ["base=SOME/ONE"])).as_json()["parameters"] is None


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}')
    with pytest.raises(BadConfig, match="no model transformers can build"):
        make_plan(find_recipe("tiny-lora", [f"base={tmp_path}"]))


@pytest.mark.parametrize(
    ("model_type", "said"),
    [("qwen3", "MiB on a"), ("bloom", "MiB on a"), ("gemma2", "not estimated: shapes alone do not tell")],
)
def test_other_architectures_are_counted_from_their_configuration(tmp_path: Path, model_type, said):
    """Gemma 2 reads a number out of a tensor on its way, which a tensor without contents does not have."""
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 500}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type, "intermediate_size": 64, **sizes}))
    plan = make_plan(find_recipe("tiny-lora", [f"base={tmp_path}"]))
    assert plan.parameters is not None and plan.parameters.trainable > 1000
    assert said in "\n".join(plan.lines())
    assert plan.base is not None and not plan.base.at_hand  # there are no weights


def test_what_peft_does_not_take_is_told_in_its_words(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2}')
    with pytest.raises(BadConfig, match="Mamba"):
        make_plan(find_recipe("tiny-lora", [f"base={tmp_path}"]))


def test_the_optimizers_are_transformers_own():
    from transformers.training_args import OptimizerNames

    assert set(STATES) <= {name.value for name in OptimizerNames}


@pytest.mark.parametrize("name", ["adamw_torch", "paged_adamw_8bit", "lion_32bit", "sgd", "rmsprop", "adagrad"])
def test_an_optimizer_keeps_the_bytes_that_are_reckoned_with(name, tmp_path):
    from transformers import Trainer, TrainingArguments

    weight = torch.nn.Parameter(torch.randn(256, 256))
    holder = torch.nn.Module()
    holder.weight = weight
    arguments = TrainingArguments(output_dir=str(tmp_path), optim=name, use_cpu=True, report_to="none")
    optimizer = Trainer(model=holder, args=arguments).create_optimizer()
    weight.grad = torch.randn(256, 256)
    optimizer.step()
    inside = getattr(optimizer, "optimizer", optimizer)
    tensors = [t for state in inside.state.values() for t in state.values() if torch.is_tensor(t) and t.numel() > 1024]
    kept = sum(t.numel() * t.element_size() for t in tensors)
    assert kept == pytest.approx(STATES[name] * weight.numel(), rel=0.07, abs=1)


@pytest.mark.parametrize(("seconds", "said"), [(0.5, "0.5 s"), (90, "1.5 min"), (7200, "2 h"), (3 * 86400, "3 days")])
def test_a_time_is_said_in_the_unit_that_fits(seconds, said):
    assert duration(seconds) == said
