"""When a training logs, evaluates, saves and stops, and what is written down then."""

from __future__ import annotations

import contextlib
import math
import signal
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, Protocol

from benchctl.errors import ModelCallError
from benchctl.stopping import heed

from . import metrics_file
from .checkpoints import Checkpoint
from .evaluating import TaskScore
from .recipe import Recipe
from .watch import Watch

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_TIMES = ("runtime", "samples_per_second", "steps_per_second")


class Display(Protocol):
    """Where progress and notes go while a training runs."""

    def note(self, text: str) -> None:
        """Say something once."""

    def step(self, done: int, total: int, facts: str) -> None:
        """So many steps are done; ``facts`` is short: the loss."""


class Stop:
    """Whether somebody asked the training to end: Ctrl-C, SIGTERM, or a closed terminal."""

    def __init__(self) -> None:
        self.asked = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """The first such signal lets the step be finished and saved; a second one ends everything at once."""
        known = heed(*SIGNALS)
        before = {one: signal.getsignal(one) for one in known}

        def heard(number: int, frame: FrameType | None) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True

        for one in known:
            signal.signal(one, heard)
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


class Conductor:
    """The callback that decides. transformers' own flow is switched off: it cannot evaluate, save and log at steps that
    have nothing to do with each other and still choose the best checkpoint."""

    def __init__(
        self,
        recipe: Recipe,
        watch: Watch,
        stop: Stop,
        display: Display,
        picked: Checkpoint | None,
        score: Callable[[Any], TaskScore] | None,
        on_evaluation: Callable[[int, float], bool] | None,
    ) -> None:
        self.recipe, self.watch, self.stop, self.display = recipe, watch, stop, display
        self.picked, self.score, self.on_evaluation = picked, score, on_evaluation
        self.trainer: Any = None
        """Set when it is built: it needs this callback first."""
        self.ended = "complete"
        """``interrupted``: somebody asked; ``stopped``: whoever watches the evaluations did."""
        self.saved: Callable[[], None] = lambda: None
        """Called after each checkpoint and evaluation, in the main process."""
        self._loss = ""

    def over(self) -> bool:
        """Whether the checkpoint to go on from is the end already, and only the result was not written any more: the
        trainers would take one step more."""
        from transformers import TrainerState

        if self.picked is None:
            return False
        state = TrainerState.load_from_json(str(self.picked.path / "trainer_state.json"))
        self.watch.start(self.picked.state())
        if self.picked.step < state.max_steps and not self.watch.out_of_patience:
            return False
        self.trainer.state = state
        return True

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take up what the checkpoint carried."""
        carried = self.picked.state() if self.picked else None
        self.watch.start(carried)
        if carried is not None:
            self.trainer.carry(carried["carried"])
        if (warmup := self.recipe.training.warmup) > max(state.max_steps, 1):  # by epochs: no recipe can know
            self.display.note(
                f"warning: the warm-up of {warmup:g} steps is longer than the training of {state.max_steps}: the "
                "learning rate stays below the recipe's. Set training.warmup lower; below 1 it is a share of the steps."
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Say what is due after this step."""
        step, settings = state.global_step, self.recipe.training
        last = step >= state.max_steps
        control.should_log = step % settings.log_every == 0 or last
        control.should_evaluate = self.trainer.eval_dataset is not None and (
            step % settings.evaluate_every == 0 or last
        )
        control.should_save = step % settings.save_every == 0 or last
        if self._asked() and not last:
            control.should_save = control.should_training_stop = True
            self.ended = "interrupted"
        self.display.step(step, state.max_steps, self._loss)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Write the line down."""
        logs = logs or {}
        kind = "train" if "loss" in logs else "validation" if "eval_loss" in logs else ""
        if not kind:
            return
        found = {name.removeprefix("eval_"): float(value) for name, value in logs.items()}
        self._check(found["loss"], state.global_step)
        measured = {name: value for name, value in found.items() if not name.endswith(_TIMES)}
        if kind == "train":
            self._loss = f"loss {found['loss']:.3f}"
        if state.is_world_process_zero:
            line = {"step": state.global_step, "kind": kind, **measured, "seconds": self.watch.step_seconds}
            metrics_file.append(self.watch.folder.metrics, line)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Mapping[str, float], **kwargs: Any) -> None:
        """Judge the evaluation: is it the best, is patience over, does whoever watches want to stop?"""
        step, loss, settings = state.global_step, float(metrics["eval_loss"]), self.recipe.training
        value, higher = loss, False
        if self.score is not None:
            value, higher = self.score(self.trainer.model)
            if state.is_world_process_zero:
                metrics_file.append(self.watch.folder.metrics, {"step": step, "kind": "score", "score": value})
        self.display.note(self._line(step, state.max_steps, loss, value))
        if step == 0:
            return
        if settings.best != "last" and self.watch.judge(step, value, higher):
            control.should_save = True
        if self.watch.out_of_patience:
            control.should_save = control.should_training_stop = True
        if self.on_evaluation is not None and self.on_evaluation(step, loss):
            control.should_training_stop = True
            self.ended = "stopped"

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell whoever keeps training.json."""
        if state.is_world_process_zero:
            self.saved()

    def _asked(self) -> bool:
        """Whether any process was asked to end: all must leave after the same step."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return self.stop.asked
        if self.stop.asked:
            accelerator.set_trigger()
        return bool(accelerator.check_trigger())

    def _check(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise ModelCallError(
                f"The loss is {loss} at step {step}: the training has come apart.",
                "Set a lower learning_rate, a longer warmup, or compute_dtype=float32.",
            )

    def _line(self, step: int, steps: int, loss: float, value: float) -> str:
        score = f", {self.recipe.training.best} {value:.4f}" if self.score is not None else ""
        train = f", training {self._loss}" if self._loss else ""
        return f"step {step} of {steps}: validation loss {loss:.4f}{score}{train}"


def as_callback(conductor: Conductor) -> Any:
    """The conductor as transformers wants callbacks."""
    from transformers import TrainerCallback

    conductor.__class__ = type("Conducting", (Conductor, TrainerCallback), {})
    return conductor
