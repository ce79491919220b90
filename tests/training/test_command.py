"""``benchctl train`` as a person uses it: lists, plans, trains, names, evaluates."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchctl.config import MODELS_FILE, load_config
from benchctl.errors import BadConfig
from benchctl_plugins.training import registry
from benchctl_plugins.training.reading import find_recipe, recipes
from tests.training.conftest import SHORT, weights

CHANGES = [part for change in SHORT for part in ("--set", change)]


def test_without_a_recipe_it_lists_them(benchctl):
    ran = benchctl("train")
    assert ran.code == 0 and all(name in ran.out for name in recipes())
    assert set(json.loads(benchctl("train", "--json").out)) == set(recipes())


def test_objectives_are_listed_with_where_they_come_from(benchctl):
    rows = {row["name"]: row for row in json.loads(benchctl("list", "trainers", "--json").out)}
    assert {"sft", "dpo", "seq2seq"} <= set(rows) and "SFTTrainer" in rows["sft"]["summary"]


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("--recipe", "tiny-lore"), 1, "Did you mean tiny-lora"),
        (("--recipe", "tiny-lora", "--set", "stepz=3"), 1, "no key 'stepz'"),
        (("--recipe", "tiny-lora", "--tracker", "mlflow"), 2, "not one of"),
        (("--recipe", "tiny-lora", "--name", "a,b"), 1, "cannot be a model's name"),
        (("--recipe", "tiny-lora", "--name", "majority"), 1, "a kind of model"),
        (("--recipe", "tiny-lora", "--evaluate", "medqa"), 1, "Did you mean medqa-pt"),
        (("--recipe", "tiny-lora", "--evaluate", "medqa-pt", "--eval-data", "nada.csv"), 1, "no data file 'nada.csv'"),
        (("--recipe", "tiny-lora", "--dry-run", "--evaluate", "medqa"), 1, "Did you mean medqa-pt"),
        (("--recipe", "tiny-lora", "--set", "best=medmcqa"), 1, "Did you mean medmcqa-pt"),
        (("--recipe", "tiny-lora", "--set", "best=medmcqa", "--dry-run"), 1, "Did you mean medmcqa-pt"),
        (("--set", "steps=3"), 2, "Missing option '--recipe'"),
        (("--dry-run",), 2, "Missing option '--recipe'"),
        (("--recipe", "tiny-lora", "--data", "nirgends.csv"), 1, "nirgends.csv"),
    ],
)
def test_what_cannot_be_is_said_in_two_lines_before_anything_is_trained(benchctl, tmp_path, arguments, code, said):
    ran = benchctl("train", *arguments)
    assert ran.code == code and said in ran.err and "Traceback" not in ran.err
    assert not (tmp_path / "trainings").exists()


def test_where_the_rows_that_choose_are_out_of_reach_the_hint_is_not_about_those_to_train_on(benchctl, monkeypatch):
    pytest.importorskip("trl", reason="needs the extra 'train'")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ran = benchctl("train", "--recipe", "tiny-lora", *CHANGES, "--set", "best=medmcqa-pt")
    assert ran.code == 1 and "best=medmcqa-pt:builtin" in ran.err and "--data" not in ran.err


def test_a_name_of_benchctl_toml_is_not_evaluated_in_place_of_the_result(benchctl, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[models.meu]\nspec = "random"\n', "utf-8")
    load_config.cache_clear()
    ran = benchctl(
        "train", "--recipe", "tiny-lora", "--name", "meu", "--evaluate", "medqa-pt", "--eval-data", "builtin"
    )
    assert ran.code == 1 and "Give another --name" in ran.err and not (tmp_path / "trainings").exists()


def test_options_of_evaluate_need_it(benchctl):
    for option in (("--eval-data", "builtin"), ("--eval-limit", "3"), ("--eval-sample", "3")):
        ran = benchctl("train", "--recipe", "tiny-lora", *option)
        assert ran.code == 2 and "--evaluate" in ran.err
    both = benchctl("train", "--recipe", "tiny-lora", "--evaluate", "medqa-pt", "--eval-limit", 3, "--eval-sample", 3)
    assert both.code == 2 and "exclude each other" in both.err


def test_a_plan_trains_nothing(benchctl, tmp_path):
    ran = benchctl("train", "--recipe", "tiny-lora", "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) and not (tmp_path / "trainings").exists() and not (tmp_path / MODELS_FILE).exists()


@pytest.mark.slow
def test_it_trains_names_the_result_and_sets_it_beside_its_base(benchctl, tmp_path):
    ran = benchctl("train", "--recipe", "tiny-lora", *CHANGES, "--name", "meu", "--evaluate", "medmcqa-pt",
                   "--eval-data", "builtin", "--eval-sample", 6)  # fmt: skip
    assert ran.code == 0, ran.err
    asked = [json.loads(path.read_text())["spec"] for path in tmp_path.glob("runs/medmcqa-pt/*/*/run.json")]
    assert [(spec["limit"], spec["drawn"]) for spec in asked] == [(6, True)] * 2
    assert "validation loss" in ran.out and "benchctl run --model meu" in ran.out and "meu" in load_config().models
    assert "tiny (base)" in ran.out and "16,384" in ran.out
    assert (tmp_path / MODELS_FILE).is_file() and len(list(tmp_path.glob("runs/medmcqa-pt/*/*/run.json"))) == 2
    again = benchctl("train", "--recipe", "tiny-lora", *CHANGES, "--name", "meu", "--json")
    assert again.code == 0 and json.loads(again.out)["sittings"] == 1 and "named model" not in again.err
    renamed = benchctl("train", "--recipe", "tiny-lora", *CHANGES, "--name", "mãe maria")
    assert renamed.code == 0 and 'benchctl run --model "mãe maria" runs it' in renamed.out


def test_a_training_that_patience_ended_says_so(benchctl):
    pytest.importorskip("trl", reason="needs the extra 'train'")
    ran = benchctl("train", "--recipe", "tiny-lora", *CHANGES, "--set", "evaluate_every=1", "--set", "patience=2",
                   "--set", "steps=40", "--set", "save_every=40", "--set", "learning_rate=0.3")  # fmt: skip
    assert ran.code == 0, ran.err
    assert re.search(r"of all evaluations; the last was step \d+, where patience ended it", ran.out)


def test_results_are_named_beside_the_config_and_the_users_own_come_first(tmp_path, monkeypatch):
    (tmp_path / "benchctl.toml").write_text('[models.meu]\nspec = "tiny"\n[data]\nx = "x.csv"\n')
    own = (tmp_path / "benchctl.toml").read_text()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    load_config.cache_clear()
    recipe = find_recipe("tiny-qlora")
    for name in ("meu", "outro", "terceiro.ção"):
        registry.register(name, recipe, tmp_path / "trainings/tiny-qlora/abc/adapter", "abc")
    adapter = tmp_path / "trainings/tiny-qlora/abc/adapter"
    assert load_config().model_spec("meu") == "tiny"
    assert load_config().model_spec("outro,chat=off") == f"tiny,quant=nf4,adapter={adapter},chat=off"
    assert "terceiro.ção" in load_config().models and registry.registered("outro") == "abc"
    assert (tmp_path / "benchctl.toml").read_text() == own

    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    found = load_config(moved).model_spec("outro")
    assert found == f"tiny,quant=nf4,adapter={moved}/trainings/tiny-qlora/abc/adapter"
    (moved / MODELS_FILE).write_text("[models")
    load_config.cache_clear()
    with pytest.raises(BadConfig, match="damaged"):
        load_config(moved)
    moved.rename(tmp_path)  # the working folder must be there when the fixtures leave it
    load_config.cache_clear()


def test_a_base_in_a_folder_is_told_from_where_the_file_lies(tmp_path, monkeypatch):
    (tmp_path / "modelos/base").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    load_config.cache_clear()
    recipe = find_recipe("tiny-lora", ["model.base=modelos/base"])
    registry.register("x", recipe, tmp_path / "t/adapter", "abc")
    assert str(tmp_path) not in (tmp_path / MODELS_FILE).read_text()
    assert load_config().model_spec("x") == f"hf:{tmp_path}/modelos/base,adapter={tmp_path}/t/adapter"


def test_a_base_outside_the_project_is_found_when_the_project_is_moved(tmp_path, monkeypatch):
    for folder in ("modelos/base", "projeto", "antigos/2026"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "projeto")
    load_config.cache_clear()
    base, near, out = tmp_path / "modelos/base", "../modelos/base", tmp_path / "saída"
    registry.register("x", find_recipe("tiny-lora", [f"model.base={base}"]), Path("t/adapter"), "abc")
    registry.register("y", find_recipe("tiny-full", [f"model.base={near}"]), out / "model", "abd")
    registry.register("z", find_recipe("tiny-lora", [f"model.base={near}"]), Path("t/adapter"), "abe")
    moved = tmp_path / "antigos/2026/projeto"
    (tmp_path / "projeto").rename(moved)
    monkeypatch.chdir(moved)
    load_config.cache_clear()
    assert load_config().model_spec("x") == f"hf:{base},adapter={moved}/t/adapter"
    assert load_config().model_spec("y") == f"hf:{out}/model"
    assert load_config().model_spec("z") == f"hf:{moved}/{near},adapter={moved}/t/adapter"  # moves with its neighbours


@pytest.mark.slow
def test_two_processes_share_one_training(tmp_path):
    # As 'accelerate launch' does on GPUs; on processors it would need MPI for more than one process.
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "benchctl"]
    command = [*launch, "train", "--recipe", "tiny-lora", *CHANGES, "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr[-2000:]
    facts = json.loads(ran.stdout)  # one process speaks
    (place,) = tmp_path.glob("trainings/*/*")
    assert facts["processes"] == 2 and facts["losses"]["validation"] < facts["losses"]["validation_before"]
    assert weights(place)
    steps = [json.loads(line)["step"] for line in (place / "metrics.jsonl").read_text().splitlines()]
    assert steps == [0, 2, 3, 4, 6, 6]


@pytest.mark.slow
def test_a_fine_tune_that_really_learns_stands_beside_its_base(benchctl, shared, tmp_path):
    """Bits per byte of held-out Portuguese fall by 30 % at least, measured by benchctl's own engine and task."""
    import csv

    with (shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["instruction"], row["output"]) for row in csv.DictReader(file)]
    write(tmp_path / "train.csv", ("instruction", "output"), rows[:1500])
    write(tmp_path / "held-out.csv", ("Prompt", "Completion"), rows[1500:1600])
    base, recipe = shared / "models/stories260K", Path(__file__).parent / "stories-pt.toml"
    ran = benchctl("train", "--recipe", recipe, "--set", f"model.base={base}", "--data", tmp_path / "train.csv",
                   "--evaluate", "medtext", "--eval-data", tmp_path / "held-out.csv", "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    before, after = (r["metrics"]["bits_per_byte"]["value"] for r in json.loads(ran.out)["results"])
    assert after < 0.7 * before
    table = json.loads(benchctl("compare", "--against", f"hf:{base}", "--json").out)
    (trained,) = [row for row in table["rows"] if row["model"] == "stories-pt"]
    difference = trained["metrics"]["medtext.bits_per_byte"]["difference"]
    assert difference["value"] == pytest.approx(after - before) and difference["high"] < -0.3 * before
    assert benchctl("report", "--out", tmp_path / "report.html").code == 0
    assert "stories-pt" in (tmp_path / "report.html").read_text(encoding="utf-8")


def write(path, columns, rows):
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
