"""A stand-in for training that takes no time, and sweeps of it."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchctl.errors import ModelCallError
from benchctl.fingerprints import digest
from benchctl_plugins.training.reading import find_recipe
from benchctl_plugins.training.running import Training, TrainOptions
from benchctl_plugins.training.sweep.record import Sweep
from benchctl_plugins.training.sweep.space import Dimension, Space, find_space
from benchctl_plugins.training.sweep.sweeping import SweepOptions, run_sweep

EVALUATIONS = (10, 20, 30)
TINY = find_space("tiny")
PISSA = Dimension("adapter.init", ("pissa", "default"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@dataclass
class FakeTrain:
    """Trains in no time: the loss falls with the steps to a value that the parameters decide.

    Like the real one it finds its folder again, says nothing of steps that a checkpoint covers, and tells the losses
    of the others in the same order.
    """

    kill_at: int | None = None
    """Which evaluation, counted over all trainings, is the last thing this process does."""
    asked_at: int | None = None
    """Which evaluation Ctrl-C comes at: the training ends there, unless it is its last one or the trial is pruned."""
    data: str = "d1"
    base: str = "w1"
    fail: Any = None
    trained: list[str] = field(default_factory=list)
    evaluations: int = 0

    def __call__(self, recipe, options, on_evaluation=None):
        assert options.register is False and options.name is None
        folder = options.out / recipe.name / digest(recipe.model_dump(mode="json"))[:12]
        (folder / "adapter").mkdir(parents=True, exist_ok=True)
        self.trained.append(folder.name)
        if self.fail and self.fail(recipe):
            raise ModelCallError("Out of memory.", "Take a smaller batch.")
        done = folder / "done"
        begin = int(done.read_text()) if done.exists() else -1
        steps, stopped, asked = begin, False, False
        for step in EVALUATIONS:
            if step <= begin:
                continue
            steps = step
            self.evaluations += 1
            if self.evaluations == self.kill_at:
                raise Killed
            stopped = on_evaluation(step, self.loss(recipe, step))
            done.write_text(str(step))
            if stopped:
                asked = self.evaluations == self.asked_at
                break
            asked = self.evaluations == self.asked_at
            if asked and step < EVALUATIONS[-1]:
                return Training(folder, "interrupted", {}, asked)
        value = self.loss(recipe, steps)
        facts = {
            "status": "stopped" if stopped else "complete", "steps": steps, "seconds": 1.5, "base_weights": self.base, "data": {"hash": self.data},
            "losses": {"validation": value}, "chosen": {"step": steps, "by": "validation_loss", "why": "validation loss", "value": value},
        }  # fmt: skip
        return Training(folder, facts["status"], facts, asked)

    @staticmethod
    def loss(recipe, step):
        a, t = recipe.adapter, recipe.training
        best = (
            3 + abs(math.log10(t.learning_rate) + 2.4) + a.dropout + 1 / a.r + (a.init == "olora") * 0.1 + a.alpha / 100
        )
        return best + (10 - best) * math.exp(-step / 10)


def swept(out: Path, train: FakeTrain, space: Space = TINY, recipe: str = "tiny-lora", **options: Any) -> Sweep:
    return run_sweep(
        find_recipe(recipe), space, SweepOptions(out=out, **options), TrainOptions(), train, lambda line: None, lambda s: None
    )  # fmt: skip


def table(sweep: Sweep) -> list[tuple[Any, ...]]:
    """All that must not depend on a kill."""
    return [(r.number, dict(r.parameters), r.state, r.value, r.steps, r.folder) for r in sweep.rows]
