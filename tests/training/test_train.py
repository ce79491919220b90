"""What a training does: it learns, measures, chooses, and its result is a model of benchctl."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from benchctl.errors import BadConfig, MissingExtra, ModelCallError, PluginError, UnknownName
from tests.training.conftest import lines, weights

TINY = sorted(file.stem for file in (Path(__file__).parents[2] / "plugins/training/recipes").glob("tiny-*.toml"))
PROMPT = "Pergunta: Qual é a capital do Brasil?\nResposta:"


def scores(spec: str) -> list[float]:
    """Log-likelihoods of a few choices, as 'benchctl run' gets them."""
    from benchctl.creation import create_model
    from benchctl.plugins import get_plugins
    from benchctl.types import Choose

    model = create_model(get_plugins(), spec)
    try:
        (_, response), *_ = model.choose([Choose(PROMPT, (" Brasília", " Lisboa", " A"))])
        return [choice.nats for choice in response.choices]
    finally:
        model.close()


def test_a_training_learns_and_writes_down_what_it_was(short):
    done = short("tiny-lora", register=True)
    facts = json.loads((done.folder / "training.json").read_text())
    assert done.status == facts["status"] == "complete"
    assert facts["losses"]["validation"] < facts["losses"]["validation_before"]
    assert [step for step, _ in facts["curves"]["train"]] == [2, 4, 6]
    assert [step for step, _ in facts["curves"]["validation"]] == [0, 3, 6]
    assert [step for step, _ in facts["curves"]["learning_rate"]] == [2, 4, 6]
    # LoRA of rank 8 on the seven matrices of each layer: 8 * (in + out), by hand from the tiny Llama's sizes.
    config = json.loads((done.folder / "adapter/adapter_config.json").read_text())
    assert config["r"] == 8 and config["base_model_name_or_path"].startswith("tiny")
    assert facts["parameters"]["trainable"] == 16_384 and facts["parameters"]["all"] == 205_120 + 16_384
    assert facts["parameters"]["share"] == pytest.approx(16_384 / 221_504)
    assert facts["peak_bytes"] > 2**20 and facts["tokens_per_second"] > 0 and facts["sittings"] == 1
    assert {"torch", "peft", "trl", "transformers"} <= set(facts["versions"])

    travels = json.loads((done.folder / "adapter/benchctl_training.json").read_text())
    assert travels["losses"] == facts["losses"] and travels["data"]["hash"] == facts["data"]["hash"]
    assert set(travels["curves"]) == {"train", "validation"} and str(Path.home()) not in json.dumps(travels)
    assert scores("tiny-lora") != scores("tiny")


@pytest.mark.parametrize(
    "recipe", ["tiny-lora", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tiny-prompt", "tiny-t5-lora"))]
)
def test_the_validation_loss_is_that_of_a_learnt_token_whatever_the_batch(short, tmp_path, recipe):
    texts = [
        "Sim.",
        "Não.",
        "Talvez.",
        "Depende do exame, da idade, da história e do que a paciente prefere.",
        "Sim, sim.",
    ]
    rows = [json.dumps({"prompt": f"Pergunta {n}:", "completion": f" {text}"}) for n, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    told = ("data.train=builtin", "data.validation=rows.jsonl", "data.answer_only=false", "steps=1", "warmup=0")
    two, five = (short(recipe, *told, f"batch={size}").facts["losses"]["validation_before"] for size in (2, 5))
    assert two == pytest.approx(five, rel=1e-5)
    if recipe == "tiny-lora":
        assert two == pytest.approx(_nats_of_a_token(texts), rel=1e-5)


def _nats_of_a_token(texts: list[str]) -> float:
    """What torch says of the tiny Llama: all tokens of all rows but each row's first, the end of text among them."""
    import torch
    from transformers import AutoModelForCausalLM

    from benchctl_plugins.models.tiny import tiny_folder
    from tests.training.makers import tokenizer

    model, tokens, losses = AutoModelForCausalLM.from_pretrained(tiny_folder()).float().eval(), tokenizer(), []
    for n, text in enumerate(texts):
        ids = [*tokens(f"Pergunta {n}: {text}")["input_ids"], tokens.eos_token_id]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, :-1]
        losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none"))
    return float(torch.cat(losses).mean())


@pytest.mark.slow
def test_leaks_that_were_trained_on_travel_with_the_result(short, tmp_path):
    from benchctl.creation import create_task
    from benchctl.plugins import get_plugins
    from benchctl_plugins.training.leakage import LeakedRows

    asked = create_task(get_plugins(), "medmcqa-pt").load("builtin").samples[0]
    options = "".join(f"\n{label}){text}" for label, text in asked.choices.items())
    questions = [asked.question + options, *(f"Quanto é {n} mais {n}?" for n in range(9))]
    rows = [json.dumps({"instruction": question, "output": "Alternativa A."}) for question in questions]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(LeakedRows):
        short("tiny-lora", "data.train=rows.jsonl")
    done = short("tiny-lora", "data.train=rows.jsonl", allow_leaks=True)
    travels = json.loads((done.folder / "adapter/benchctl_training.json").read_text())
    assert done.facts["data"]["leaks"] == travels["data"]["leaks"] == {"medmcqa-pt": 1}
    clean = short("tiny-lora", "data.train=rows.jsonl", "leaks=drop")
    assert "leaks" not in clean.facts["data"]
    assert [d["rows"] + d["validation_rows"] for d in (done.facts["data"], clean.facts["data"])] == [10, 9]


def test_the_summary_travels_into_the_record_of_a_run(short, benchctl):
    short("tiny-lora", register=True)
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "tiny-lora", "--data", "builtin", "--limit", 4, "--json")
    path = Path(json.loads(ran.out)[0]["path"])
    training = json.loads((path / "run.json").read_text())["model"]["training"]
    assert training["recipe"] == "tiny-lora" and training["curves"]["validation"][0][0] == 0


def test_the_chosen_checkpoint_is_the_one_with_the_lowest_validation_loss(short):
    done = short("tiny-lora", "learning_rate=0.3", "steps=8", "evaluate_every=2")  # too fast: it gets worse again
    curve = {step: loss for step, loss in done.facts["curves"]["validation"] if step}
    best = min(curve, key=curve.__getitem__)
    assert best < 8
    chosen = done.facts["chosen"]
    assert (chosen["step"], chosen["value"], chosen["by"]) == (best, curve[best], "validation_loss")
    assert done.facts["losses"]["validation"] == curve[best]
    kept = (done.folder / f"checkpoints/checkpoint-{best}/adapter_model.safetensors").read_bytes()
    assert (done.folder / "adapter/adapter_model.safetensors").read_bytes() == kept


def test_a_training_that_only_did_harm_is_not_called_the_lowest_of_all(short):
    done = short("tiny-full", "learning_rate=1", "steps=3", "evaluate_every=3", "save_every=3")
    before, after = (done.facts["losses"][name] for name in ("validation_before", "validation"))
    assert after > before
    assert done.facts["chosen"]["why"].startswith(
        "lowest validation loss of all evaluations but the base's own before the first step; "
    )


def test_a_warm_up_longer_than_the_epochs_is_told(short):
    class Told:
        notes: list[str] = []

        def note(self, text):
            self.notes.append(text)

        def step(self, done, total, facts):
            pass

    short("tiny-lora", "steps=", "epochs=1", "warmup=50", display=Told())
    assert any("warm-up of 50 steps is longer than the training of 2:" in note for note in Told.notes), Told.notes
    Told.notes.clear()
    short("tiny-lora", "steps=", "epochs=1", "warmup=2", display=Told())
    assert not any("warm-up" in note for note in Told.notes)


def test_patience_ends_a_training_that_gets_no_better(short):
    done = short("tiny-lora", "learning_rate=0.3", "steps=40", "evaluate_every=1", "patience=2", "save_every=40")
    losses = [loss for step, loss in done.facts["curves"]["validation"] if step]
    assert done.status == "complete" and done.facts["stopped_early"]
    assert done.facts["steps"] < 40 and min(losses) == losses[-3]


def test_an_evaluation_in_the_middle_changes_nothing(short):
    often = short("tiny-lora", "evaluate_every=1", "best=last", out="often")
    never = short("tiny-lora", "evaluate_every=100", "best=last", out="never")
    train = [[line for line in lines(one.folder) if line["kind"] == "train"] for one in (often, never)]
    assert train[0] == train[1] and weights(often.folder) == weights(never.folder)


@pytest.mark.slow
def test_a_task_may_choose_and_its_score_is_that_of_the_finished_model(short):
    from benchctl_plugins.training.evaluating import scorer
    from benchctl_plugins.training.reading import find_recipe

    done = short("tiny-lora", "best=medqa-pt:builtin", "best_rows=4", out="chosen")
    plain = short("tiny-lora", "best=last", out="plain")
    train = [[line for line in lines(one.folder) if line["kind"] == "train"] for one in (done, plain)]
    assert train[0] == train[1]
    curve = {step: value for step, value in done.facts["curves"]["score"] if step}
    assert done.facts["chosen"]["value"] == max(curve.values())
    assert done.facts["chosen"]["step"] == min(step for step, value in curve.items() if value == max(curve.values()))

    from benchctl_plugins.models.making import local_model

    model = local_model("tiny", adapter=str(done.folder / "adapter"))
    live = local_model("tiny")
    try:
        score = scorer(find_recipe("tiny-lora", ["best=medqa-pt:builtin", "best_rows=4"]), live)
        assert score(model.weights.load()).value == done.facts["chosen"]["value"]
    finally:
        model.close()
        live.close()


def test_whoever_watches_the_evaluations_may_stop_it(short):
    seen = []
    done = short("tiny-lora", on_evaluation=lambda step, loss: seen.append((step, loss)) or step == 3)
    assert done.status == "stopped" and not (done.folder / "adapter").exists()
    assert seen == [tuple(point) for point in done.facts["curves"]["validation"] if point[0]]


def test_a_loss_that_is_no_number_ends_it(short):
    with pytest.raises(ModelCallError, match="come apart"):
        short("tiny-full", "learning_rate=1e30", "evaluate_every=1", "schedule=constant", "warmup=0")


def test_too_little_memory_gets_a_plain_hint(short, monkeypatch):
    import torch

    from benchctl_plugins.training.exact import Exact

    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Exact, "training_step", full)
    with pytest.raises(ModelCallError, match="batch of 8") as error:
        short("tiny-lora")
    assert "batch=4 with accumulation=2" in error.value.hint and "qlora" in error.value.hint


def test_what_cannot_be_is_refused_before_anything_loads(short):
    with pytest.raises(UnknownName, match="trainer"):
        short("tiny-lora", "objective=sfft")
    with pytest.raises(BadConfig, match="no validation rows"):
        short("tiny-lora", "validation_share=0")
    with pytest.raises(BadConfig, match="no validation rows") as told:
        short("tiny-lora", "max_length=64")
    assert "data.max_length" in told.value.hint and "validation_share" not in told.value.hint
    Path("one.jsonl").write_text('{"instruction": "Febre?", "output": "Sim."}\n', encoding="utf-8")
    with pytest.raises(BadConfig, match="no validation rows") as told:
        short("tiny-lora", "train=one.jsonl")
    assert "more rows" in told.value.hint and "validation_share" not in told.value.hint
    with pytest.raises(BadConfig, match="held as nf4"):
        short("tiny-lora", "model.base=tiny-nf4")
    with pytest.raises(BadConfig, match="adapter already"):
        short("tiny-qlora", "model.base=tiny-qlora")
    with pytest.raises(BadConfig, match="trained on"):
        short("tiny-lora", register=True, name="tiny")


def test_a_tracker_that_is_missing_is_said(short, monkeypatch):
    monkeypatch.setattr("benchctl_plugins.training.trackers.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="wandb") as error:
        short("tiny-lora", trackers=("wandb",))
    assert "benchctl[trackers]" in error.value.hint


@pytest.mark.slow
def test_tensorboard_gets_what_the_metrics_say(short):
    pytest.importorskip("tensorboardX", reason="needs tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    done, plain = short("tiny-lora", trackers=("tensorboard",)), short("tiny-lora", out="plain")
    (file,) = (done.folder / "tensorboard").iterdir()
    content, events = file.read_bytes(), []
    while content:  # a record: its length in 8 bytes, a checksum of 4, itself, and another checksum
        size = int.from_bytes(content[:8], "little")
        events.append(Event.FromString(content[12 : 12 + size]))
        content = content[12 + size + 4 :]
    drawn = [(e.step, v.simple_value) for e in events for v in e.summary.value if v.tag == "train/loss"]
    assert drawn == [(step, pytest.approx(loss, rel=1e-6)) for step, loss in done.facts["curves"]["train"]]
    assert weights(done.folder) == weights(plain.folder)
    assert not (plain.folder / "tensorboard").exists() and "TENSORBOARD_LOGGING_DIR" not in os.environ


def test_each_training_of_a_process_is_a_run_of_its_own_in_wandb(short, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="needs wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    both = [short("tiny-lora", f"seed={seed}", trackers=("wandb",)) for seed in (1, 2)]
    assert wandb.run is None and "WANDB_RUN_ID" not in os.environ
    for done in both:
        (run,) = (done.folder / "wandb").glob(f"offline-run-*-{done.folder.name}")
        content = (run / f"run-{done.folder.name}.wandb").read_bytes()
        assert b"train/loss" in content and b"tiny-lora" in content


def test_a_plugin_may_bring_an_objective_of_its_own_as_the_page_has_it(short, monkeypatch):
    from benchctl.plugins import Offer, PluginInfo, get_plugins

    page = (Path(__file__).parents[2] / "docs/how-to/training.md").read_text(encoding="utf-8")
    _, _, code = page.partition("## An objective of your own\n")
    shown = [line.removeprefix("    ") for line in code.splitlines() if line.startswith("    ") or not line]
    names: dict[str, Any] = {}
    exec("\n".join(shown), names)
    offer = Offer("dynamic", names["benchctl_trainers"]()["dynamic"], PluginInfo("other", "other", "other", "1"))
    monkeypatch.setitem(get_plugins().offers("trainer"), "dynamic", offer)
    own, sft = short("tiny-lora", "objective=dynamic", "steps=2"), short("tiny-lora", "steps=2")
    assert own.status == "complete" and own.facts["curves"]["train"] != sft.facts["curves"]["train"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raises", "The objective 'odd' of plugin 'other' failed: KeyError: 'alpha'."),
        ("none", "The objective 'odd' of plugin 'other' gives NoneType, no class that parts.exact makes."),
        ("inexact", "The objective 'odd' of plugin 'other' gives SFTTrainer, no class that parts.exact makes."),
        ("breaks", "The objective 'odd' of plugin 'other' failed: ValueError: no such loss."),
    ],
)
def test_a_defect_in_the_objective_of_a_plugin_is_told_as_its_own(short, monkeypatch, fault, said):
    from benchctl.plugins import Offer, PluginInfo, get_plugins

    def odd(parts: Any) -> Any:
        from trl import SFTConfig, SFTTrainer

        class Broken(SFTTrainer):  # type: ignore[misc]
            def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
                raise ValueError("no such loss")

        if fault == "raises":
            raise KeyError("alpha")
        made = {"none": lambda **_: None, "inexact": SFTTrainer}.get(fault) or parts.exact(Broken)
        return made(args=SFTConfig(**parts.arguments), **parts.common)

    offer = Offer("odd", odd, PluginInfo("other", "other", "other", "1"))
    monkeypatch.setitem(get_plugins().offers("trainer"), "odd", offer)
    with pytest.raises(PluginError) as told:
        short("tiny-lora", "objective=odd", "steps=2")
    assert told.value.message == said


def test_a_folder_of_rows_is_told_without_its_place_on_this_machine(short, tmp_path):
    from datasets import Dataset

    (tmp_path / "linhas").mkdir()
    rows = [{"instruction": f"Pergunta {n}?", "output": f"Resposta {n}."} for n in range(20)]
    Dataset.from_list(rows).to_parquet(tmp_path / "linhas/train-00000-of-00001.parquet")
    done = short("tiny-lora", f"train={tmp_path / 'linhas'}", "steps=2", "save_every=2")
    summary = (done.folder / "adapter/benchctl_training.json").read_text(encoding="utf-8")
    assert json.loads(summary)["data"]["source"] == "hub:linhas" and str(tmp_path) not in summary


@pytest.mark.slow
@pytest.mark.parametrize("changes", [(), ("init=gaussian",), ("method=full", "r=", "alpha=", "dropout=", "targets=")])
def test_the_reference_of_preferences_is_the_base_before_training(short, changes):
    # Policy and reference agree before the first step, so that every pair has the loss ln 2 (Rafailov 2023, eq. 7).
    done = short("tiny-dpo", *changes, "steps=2", "max_length=256")
    assert done.facts["losses"]["validation_before"] == pytest.approx(math.log(2), abs=1e-3)
    assert not list((done.folder / "checkpoints").rglob("ref"))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", TINY)
def test_every_tiny_recipe_trains_and_its_result_runs(recipe, benchctl):
    if "gptq" in recipe:
        pytest.importorskip("gptqmodel", reason="needs the extra 'gptq'")
    ran = benchctl("train", "--recipe", recipe, "--name", "treinado", "--json")
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert facts["seconds"] < 90
    assert facts["losses"]["validation"] < facts["losses"]["validation_before"]
    if facts["objective"] == "dpo":
        assert {"margin", "accuracy"} <= set(facts["curves"])
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "treinado", "--data", "builtin", "--limit", 2, "--json")
    assert ran.code == 0, ran.err
    record = json.loads((Path(json.loads(ran.out)[0]["path"]) / "run.json").read_text())
    assert record["model"]["training"]["recipe"] == recipe
    from benchctl_plugins.training.reading import find_recipe
    from benchctl_plugins.training.registry import base_spec

    assert scores("treinado") != scores(base_spec(find_recipe(recipe)))


def test_a_step_of_an_encoder_decoder_learns_the_mean_of_its_tokens_however_it_is_cut_into_batches(short, tmp_path):
    """transformers added up the batches' own means: four of them were four times the loss, and a longer step."""
    import shutil

    from benchctl_plugins.models.tiny import tiny_t5_folder

    base = tmp_path / "t5"
    shutil.copytree(tiny_t5_folder(), base)
    config = json.loads((base / "config.json").read_text("utf-8"))
    (base / "config.json").write_text(json.dumps({**config, "dropout_rate": 0.0}), "utf-8")
    same = (
        "steps=3",
        "log_every=1",
        "optimizer=sgd",
        "learning_rate=0.5",
        "data.validation_share=0",
        "best=last",
        "dropout=0",
    )
    found = {}
    for batch, accumulation in ((8, 1), (4, 2), (1, 8)):
        cut = (f"batch={batch}", f"accumulation={accumulation}", f"model.base={base}")
        found[batch] = [line["loss"] for line in lines(short("tiny-t5-lora", *same, *cut).folder)]
    assert found[4] == pytest.approx(found[8], rel=1e-4)
    assert found[1] == pytest.approx(found[8], rel=1e-4)
    assert found[8][0] != pytest.approx(found[8][2], rel=1e-4)
