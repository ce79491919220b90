"""A training that was killed, at whatever moment, and started again by the same command, is the one that never was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchctl.errors import RecordError
from tests.training.conftest import lines, weights

KILLED = """
import os, signal, sys
from benchctl import durable
from benchctl_plugins.training.exact import Exact

moment, step = sys.argv[1], int(sys.argv[2])
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
real_step, real_sync = Exact.training_step, durable.sync

def training_step(self, *args, **kwargs):
    if moment == "start" and self.state.global_step == step:
        die()
    loss = real_step(self, *args, **kwargs)
    if moment == "step" and self.state.global_step == step:
        die()  # the gradients are there, the optimiser has not moved yet
    return loss

def sync(path):
    if moment == "write" and path.parent.name == f"checkpoint-{step}" and path.name.startswith("optimizer"):
        path.write_bytes(path.read_bytes()[:100])  # as far as the disk got
        die()
    real_sync(path)

Exact.training_step, durable.sync = training_step, sync
from benchctl.cli import main
main(sys.argv[3:])
"""
"""The program, which kills itself at a moment of the training."""


def train(folder: Path, *arguments: str, kill: tuple[str, int] = ("never", 0)) -> subprocess.CompletedProcess[str]:
    """``benchctl train`` in a folder, in a process of its own."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", KILLED, kill[0], str(kill[1]), "train", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def only(folder: Path) -> Path:
    """The one training there is."""
    (found,) = folder.glob("trainings/*/*")
    return found


@pytest.mark.slow
def test_killed_three_times_it_is_bit_by_bit_the_undisturbed_one(tmp_path, shared):
    command = ("--recipe", "tiny-qlora", "--data", str(shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv"),
               "--set", "steps=60")  # fmt: skip
    whole = train(tmp_path / "whole", *command)
    assert whole.returncode == 0, whole.stderr

    killed = tmp_path / "killed"
    for moment in (("start", 0), ("step", 27), ("write", 40)):
        assert train(killed, *command, kill=moment).returncode == -signal.SIGKILL
    last = train(killed, *command)
    assert last.returncode == 0, last.stderr
    assert "checkpoint-40 was not finished" in last.stderr and "going on after step 30" in last.stderr

    one, other = only(tmp_path / "whole"), only(killed)
    assert one.name == other.name and weights(one) == weights(other)
    assert lines(one) == lines(other) and lines(one)[-1]["step"] == 60
    facts = [json.loads((place / "training.json").read_text()) for place in (one, other)]
    assert [fact["sittings"] for fact in facts] == [1, 4]
    for same in ("losses", "chosen", "tokens", "curves", "steps", "epochs"):
        assert facts[0][same] == facts[1][same]


class Asks:
    """A display at which somebody asks the training to end after a step, as Ctrl-C or a closed terminal would."""

    def __init__(self, at: int, how: signal.Signals) -> None:
        self.at, self.how, self.notes = at, how, []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, done: int, total: int, facts: str) -> None:
        if done == self.at:
            os.kill(os.getpid(), self.how)


def interrupted_and_whole(short, recipe, how, *changes):
    whole = short(recipe, *changes, out="whole")
    first = short(recipe, *changes, out="halves", display=Asks(2, how))
    assert first.status == "interrupted" and first.facts["steps"] == 3 and not (first.folder / "adapter").exists()
    second = short(recipe, *changes, out="halves")
    assert second.status == "complete" and second.facts["sittings"] == 2 and second.folder == first.folder
    assert weights(second.folder) == weights(whole.folder)
    assert lines(second.folder) == lines(whole.folder)
    assert second.facts["tokens"] == whole.facts["tokens"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_saves_the_step_and_goes_on_from_there(short, how):
    # Not on a multiple of anything: what was summed up for the next line of the log must be carried over too.
    interrupted_and_whole(short, "tiny-lora", how, "accumulation=2", "log_every=4", "save_every=50", "evaluate_every=5")


def test_with_nohup_it_outlives_its_terminal(short):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert short("tiny-lora", "steps=4", display=Asks(2, signal.SIGHUP)).status == "complete"
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe", ["tiny-qlora", "tiny-dora", "tiny-ia3", "tiny-full", "tiny-prompt", "tiny-dpo-qlora", "tiny-t5-lora"]
)
def test_every_method_goes_on_exactly(short, recipe):
    interrupted_and_whole(short, recipe, signal.SIGTERM, "log_every=4", "save_every=50", "evaluate_every=5")


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        ("best=last",),
        pytest.param(("learning_rate=0.3", "evaluate_every=1", "patience=2", "steps=30"), marks=pytest.mark.slow),
    ],
)
def test_stopped_while_the_result_is_written_it_takes_no_step_more(short, monkeypatch, how):
    from benchctl_plugins.training import summary

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    whole = short("tiny-lora", "rows=20", *how, out="whole")
    with monkeypatch.context() as disk, pytest.raises(OSError, match="No space"):
        disk.setattr(summary.shutil, "copyfile", full)
        short("tiny-lora", "rows=20", *how)
    again = short("tiny-lora", "rows=20", *how)
    assert again.status == "complete" and again.facts["chosen"] == whole.facts["chosen"]
    assert again.facts["steps"] == whole.facts["steps"] and again.facts["epochs"] == whole.facts["epochs"]
    assert weights(again.folder) == weights(whole.folder) and lines(again.folder) == lines(whole.folder)


@pytest.mark.slow
@pytest.mark.parametrize("bytes_at_most", [40_000, 100_000], ids=["the weights", "the optimizer"])
def test_where_no_more_can_be_written_it_says_so_in_two_lines_and_goes_on_later(tmp_path, bytes_at_most):
    from benchctl_plugins.models.tiny import tiny_folder

    tiny_folder()  # the base is there before the limit is
    command = ("train", "--recipe", "tiny-lora", "--set", "steps=2", "--set", "warmup=0", "--set", "save_every=1")
    limit = f"ulimit -f {bytes_at_most // 1000}; trap '' XFSZ; exec "  # in KiB; without the signal a write just fails
    ran = subprocess.run(
        ["bash", "-c", limit + '"$0" -m benchctl "$@"', sys.executable, *command],
        cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 1 and "Traceback" not in ran.stderr, ran.stderr
    assert "cannot be read or written: File too large" in ran.stderr and "\nhint: " in ran.stderr
    again = train(tmp_path, *command[1:])
    assert again.returncode == 0 and "step 2 of 2 chosen" in again.stdout, again.stderr


def test_a_finished_training_is_only_read(short):
    first = short("tiny-lora", "steps=2")
    before = {file: file.stat().st_mtime_ns for file in first.folder.rglob("*")}
    again = short("tiny-lora", "steps=2")
    assert again.facts == json.loads(json.dumps(first.facts)) and again.folder == first.folder
    assert {file: file.stat().st_mtime_ns for file in first.folder.rglob("*") if file.name != "lock"} == {
        file: stamp for file, stamp in before.items() if file.name != "lock"
    }


def test_another_value_is_another_training_and_another_name_is_not(short):
    one = short("tiny-lora", "steps=2")
    assert short("tiny-lora", "steps=2", "seed=7").folder != one.folder
    assert short("tiny-lora", "steps=2", "summary=anders").folder == one.folder


def test_two_processes_do_not_train_in_one_folder(short):
    from benchctl_plugins.training.folder import TrainingFolder

    place = short("tiny-lora", "steps=2").folder
    with TrainingFolder(place).lock(), pytest.raises(RecordError, match="in use by another benchctl"):
        short("tiny-lora", "steps=2")
