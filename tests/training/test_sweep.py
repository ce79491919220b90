"""Sweeps: what a kill leaves, what is pruned, and what comes out."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchctl.config import load_config
from benchctl.errors import BadConfig, OutOfReach, RecordError
from benchctl_plugins.models.hf_load import fetch
from benchctl_plugins.training.reading import find_recipe
from benchctl_plugins.training.running import TrainOptions
from benchctl_plugins.training.sweep.space import Dimension, Space, spaces
from benchctl_plugins.training.sweep.sweeping import SweepOptions, run_sweep
from tests.training.fake_train import EVALUATIONS, TINY, FakeTrain, Killed, swept, table

pytest.importorskip("optuna", reason="needs the extra 'train'")


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_sweep_killed_anywhere_gives_the_table_of_an_undisturbed_one(tmp_path, sampler):
    whole = swept(tmp_path / "whole", FakeTrain(), sampler=sampler)
    assert {row.state for row in whole.rows} == {"complete", "pruned"}
    total = sum(EVALUATIONS.index(row.steps) + 1 for row in whole.rows)
    for moment in range(1, total + 1, 7):
        out = tmp_path / f"killed{moment}"
        with pytest.raises(Killed):
            swept(out, FakeTrain(kill_at=moment), sampler=sampler)
        again = FakeTrain()
        resumed = swept(out, again, sampler=sampler)

        assert table(resumed) == table(whole)
        assert len(set(again.trained)) == len(again.trained), "no trial is trained twice in a sitting"


def test_a_kill_between_a_verdict_and_the_end_of_the_training_leaves_the_verdict(tmp_path, monkeypatch):
    from benchctl_plugins.training.sweep.store import Store

    whole = swept(tmp_path / "whole", FakeTrain())
    end = Store.end

    def killed(self, trial, state, value, facts):
        if state == "pruned":
            raise Killed
        end(self, trial, state, value, facts)

    monkeypatch.setattr(Store, "end", killed)
    with pytest.raises(Killed):
        swept(tmp_path / "killed", FakeTrain())
    monkeypatch.undo()

    assert table(swept(tmp_path / "killed", FakeTrain())) == table(whole)


@pytest.mark.parametrize("moment", range(1, 22, 2))
def test_ctrl_c_is_never_lost_not_even_at_the_end_of_a_trial(tmp_path, moment):
    stopped = FakeTrain(asked_at=moment)
    first = swept(tmp_path / "stopped", stopped)

    assert first.status == "interrupted" and stopped.evaluations == moment
    assert table(swept(tmp_path / "stopped", FakeTrain())) == table(swept(tmp_path / "whole", FakeTrain()))


def test_a_torn_line_of_the_journal_is_cut_and_the_sweep_goes_on(tmp_path):
    whole = swept(tmp_path / "whole", FakeTrain(), trials=6)
    first = swept(tmp_path / "torn", FakeTrain(), trials=3)
    with (first.folder / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code":4,"worker_id":"x","st')

    assert table(swept(tmp_path / "torn", FakeTrain(), trials=6)) == table(whole)


def test_two_commands_cannot_work_in_one_sweep(tmp_path):
    class Twice(FakeTrain):
        def __call__(self, recipe, options, on_evaluation=None):
            with pytest.raises(RecordError, match="in use by another"):
                swept(tmp_path, FakeTrain())
            return super().__call__(recipe, options, on_evaluation)

    assert len(swept(tmp_path, Twice(), trials=1).rows) == 1


def test_a_finished_sweep_trains_nothing_and_more_trials_go_on_with_it(tmp_path):
    first = swept(tmp_path, FakeTrain(), trials=4)
    again = FakeTrain()
    assert table(swept(tmp_path, again, trials=4)) == table(first)
    assert again.trained == []
    more = swept(tmp_path, again, trials=6)
    assert table(more)[:4] == table(first) and len(again.trained) == 2


def test_hopeless_trials_are_pruned_and_the_best_is_the_same(tmp_path):
    pruned = swept(tmp_path, FakeTrain(), trials=15)
    whole = swept(tmp_path, FakeTrain(), trials=15, prune=False)

    assert {row.state for row in whole.rows} == {"complete"}
    for one, other in zip(pruned.rows, whole.rows, strict=True):
        assert one.parameters == other.parameters
        if one.state == "pruned":
            assert one.steps < 30 and one.seconds is not None
            assert other.value > pruned.best.value
    assert sum(row.state == "pruned" for row in pruned.rows) >= 2
    assert pruned.best.number == whole.best.number == min(whole.rows, key=lambda row: row.value).number
    assert (pruned.result(pruned.best)).name == "adapter"


def test_a_trial_that_does_not_fit_is_told_and_the_others_go_on(tmp_path):
    sweep = swept(tmp_path, FakeTrain(fail=lambda recipe: recipe.adapter.r == 16), trials=11)

    failed = [row for row in sweep.rows if row.state == "failed"]
    assert failed and all(row.parameters["adapter.r"] == 16 and "Out of memory" in row.reason for row in failed)
    assert sweep.best is not None and len(sweep.rows) == 11


def test_a_base_out_of_reach_ends_the_sweep_and_costs_no_trial(tmp_path):
    """A lost connection is the same for every trial: failing them all would use up the sweep for good."""

    class Offline(FakeTrain):
        def __call__(self, recipe, options, on_evaluation=None):
            fetch("model", "owner/not-here", None, ["*.safetensors"])
            raise AssertionError("there is no such model")

    first = swept(tmp_path / "broken", FakeTrain(), trials=2)
    with pytest.raises(OutOfReach, match="owner/not-here"):
        swept(tmp_path / "broken", Offline(), trials=5)
    again = swept(tmp_path / "broken", FakeTrain(), trials=5)

    assert table(first) == table(again)[:2]
    assert table(again) == table(swept(tmp_path / "whole", FakeTrain(), trials=5))


def test_a_sweep_of_which_no_trial_ends_is_an_error(tmp_path):
    with pytest.raises(BadConfig, match="Out of memory"):
        swept(tmp_path, FakeTrain(fail=lambda recipe: True), trials=3)


def test_data_that_change_between_sittings_are_refused(tmp_path):
    swept(tmp_path, FakeTrain(), trials=2)
    with pytest.raises(RecordError, match="changed since trial 1"):
        swept(tmp_path, FakeTrain(data="d2"), trials=3)


def test_a_base_whose_weights_change_between_sittings_is_refused(tmp_path):
    swept(tmp_path, FakeTrain(), trials=2)
    with pytest.raises(RecordError, match="changed since trial 1"):
        swept(tmp_path, FakeTrain(base="w2"), trials=3)


def test_trials_that_the_seed_gives_other_rows_are_refused_as_what_they_are(tmp_path):
    seeds = Space("seeds", (Dimension("training.seed", (1, 2)),))
    train = FakeTrain()

    def drawn(recipe, options, on_evaluation=None):
        train.data = f"rows drawn with seed {recipe.training.seed}"
        return train(recipe, options, on_evaluation)

    with pytest.raises(BadConfig, match=r"training\.seed draws other rows") as refused:
        swept(tmp_path, drawn, seeds, trials=2)
    assert "data.validation" in refused.value.hint
    same = swept(tmp_path / "same", FakeTrain(), seeds, trials=2)  # rows to validate on of their own
    assert len(same.rows) == 2


def test_a_score_that_chooses_the_checkpoint_is_made_as_large_as_possible(tmp_path):
    recipe = find_recipe("tiny-lora", ["best=medmcqa-pt"])
    sweep = run_sweep(
        recipe,
        TINY,
        SweepOptions(trials=5, out=tmp_path),
        TrainOptions(),
        FakeTrain(),
        lambda line: None,
        lambda s: None,
    )
    assert sweep.measure == "medmcqa-pt" and sweep.maximise
    done = [row.value for row in sweep.rows if row.state == "complete"]
    assert sweep.best.value == max(done)


@pytest.mark.slow
def test_trials_with_an_8_bit_optimizer_leave_nothing_in_the_process(benchctl):
    pytest.importorskip("bitsandbytes", reason="needs the extra 'hf'")
    from bitsandbytes.optim import GlobalOptimManager

    steps = ("--set", "steps=2", "--set", "warmup=0", "--set", "evaluate_every=2", "--set", "rows=8")
    done = benchctl("sweep", "--recipe", "tiny-qlora", "--space", "tiny", "--trials", "1", *steps, "--json")

    assert json.loads(done.out)["best"]["trial"] == 1
    manager = GlobalOptimManager.get_instance()
    assert not manager.module_weight_config_triple and not manager.pid2config and not manager.index2config


def test_a_result_under_a_name_of_benchctl_toml_is_told_that_the_name_stays(benchctl, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[models.meu]\nspec = "random"\n', "utf-8")
    load_config.cache_clear()
    steps = ("steps=2", "warmup=0", "evaluate_every=2", "rows=8", "max_length=128")
    changes = [part for step in steps for part in ("--set", step)]
    done = benchctl("sweep", "--recipe", "tiny-lora", "--space", "tiny", "--trials", "1", *changes, "--register", "meu")
    assert done.code == 0 and "'meu' stays what benchctl.toml says it is; --register gives another name" in done.err


def test_without_options_the_spaces_are_listed(benchctl):
    done = benchctl("sweep", "--json")

    assert done.code == 0 and set(json.loads(done.out)) == set(spaces())
    assert benchctl("sweep", "--recipe", "tiny-lora").code == 2


def test_a_tracker_nobody_knows_is_a_wrong_option(benchctl):
    done = benchctl("sweep", "--recipe", "tiny-lora", "--space", "tiny", "--tracker", "mlflow")

    assert done.code == 2 and "not one of" in done.err


COMMAND = (
    "sweep", "--recipe", "tiny-lora", "--space", "tiny", "--trials", "11", "--set", "steps=8", "--set", "evaluate_every=4",
    "--set", "save_every=3", "--set", "rows=16", "--set", "batch=4", "--json",
)  # fmt: skip


def progressed(out: Path, trial: int, step: int) -> bool:
    """Whether the sweep's trial has come so far."""
    lines = [file.read_text("utf-8") for file in out.glob(f"*/*/trials/{trial:03}/*/*/metrics.jsonl")]
    return any(f'"step": {step}' in text for text in lines)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eleven_trials_killed_stopped_and_resumed_give_the_table_and_the_adapter_of_an_undisturbed_sweep(
    program, benchctl, tmp_path
):
    said = tmp_path / "said"
    for number, (trial, step, code) in enumerate([(4, 4, signal.SIGKILL), (7, 4, signal.SIGINT)]):
        with said.open("wb") as heard:
            process = subprocess.Popen(
                [*program, *COMMAND, "--out", "killed"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=heard
            )
        deadline = time.monotonic() + 200
        while not progressed(tmp_path / "killed", trial, step) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(code)
        assert process.wait(60) == (-9, 130)[number], said.read_text("utf-8")
    (state,) = (tmp_path / "killed").glob("*/*/sweep.json")
    assert json.loads(state.read_text("utf-8"))["status"] == "interrupted"

    resumed = json.loads(benchctl(*COMMAND, "--out", "killed", "--register", "melhor").out)
    whole = json.loads(benchctl(*COMMAND, "--out", "whole", "--lang", "en").out)

    def table(found):
        return [{key: value for key, value in row.items() if key != "seconds"} for row in found["trials"]]

    assert len(whole["trials"]) == 11 and {row["state"] for row in whole["trials"]} == {"complete", "pruned"}
    assert table(resumed) == table(whole)
    assert resumed["status"] == whole["status"] == "complete"
    assert resumed["best"]["trial"] == whole["best"]["trial"]
    assert resumed["best"]["value"] == min(r["value"] for r in whole["trials"] if r["state"] == "complete")
    ours, theirs = (Path(found["best"]["result"]) / "adapter_model.safetensors" for found in (resumed, whole))
    assert ours != theirs and ours.read_bytes() == theirs.read_bytes()
    assert "Melhor tentativa" in (ours.parents[5] / "sweep.html").read_text("utf-8")
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "melhor", "--data", "builtin", "--limit", "2", "--json")
    assert json.loads(ran.out)[0]["n"] == 2
