"""Running a sweep: one training after the other, each written down before it begins and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchctl.errors import BadConfig, ModelCallError, OutOfReach, RecordError
from benchctl.fingerprints import digest
from benchctl.records import RunFolder, slug

from ..evaluating import NOT_TASKS, choosing_task
from ..folder import told
from ..wording import some
from .drawing import Draw, Drawing, Refused, Sampler
from .record import Row, Sweep, short_keys, shown
from .space import Space

if TYPE_CHECKING:
    from ..recipe import Recipe
    from ..running import Training, TrainOptions
    from .store import Store

TRIALS = "trials"
"""Folder of the trainings inside the sweep's."""
LOSS = "validation_loss"
SEED = "training.seed"


class Train(Protocol):
    """What trains: :func:`benchctl_plugins.training.running.train`."""

    def __call__(
        self, recipe: Recipe, options: TrainOptions, on_evaluation: Callable[[int, float], bool] | None = None
    ) -> Training:
        """One training, found again and gone on with where there is one."""


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """How to sweep."""

    trials: int = 11
    sampler: Sampler = "random"
    prune: bool = True
    seed: int = 0
    out: Path = Path("sweeps")


def run_sweep(
    recipe: Recipe,
    space: Space,
    options: SweepOptions,
    train_options: TrainOptions,
    train: Train,
    say: Callable[[str], None],
    show: Callable[[Sweep], object],
) -> Sweep:
    """Try combinations until there are as many trials as asked for; what earlier sittings did stays.

    The folder is named by recipe, space, sampler, seed and pruning, not by the number of trials: a greater number
    goes on with the same sweep.

    Args:
        train_options: of every trial; its folder, name and registration are the sweep's to decide.
        say: tells the person at the keyboard a line.
        show: draws the sweep; called after every trial.

    Raises:
        BadConfig: nothing in the space can work, or every trial failed.
        RecordError: another process sweeps here; or data or base have changed since an earlier trial.
        BenchctlError: a training cannot begin; as ``train``.
    """
    from .store import Store

    drawing = Drawing(space, options.sampler, options.seed)
    folder = RunFolder(options.out / slug(recipe.name) / _identity(recipe, space, options))
    with folder.lock():
        store = Store(folder.path, drawing)
        own = replace(train_options, name=None, register=False)
        sweep = _Sitting(recipe, space, options, folder.path, store, own, train, say, show, *_judged_by(recipe)).go_on()
        if sweep.status != "interrupted" and sweep.best is None:
            reason = next((row.reason for row in reversed(sweep.rows) if row.reason), "All were pruned.")
            raise BadConfig(
                f"Of {some(len(sweep.rows), 'trial')} none came to its end. {reason}", "Change the space or the recipe."
            )
        return sweep


@dataclass(frozen=True, slots=True)
class _Sitting:
    """One call of :func:`run_sweep`, the folder locked."""

    recipe: Recipe
    space: Space
    options: SweepOptions
    folder: Path
    store: Store
    train_options: TrainOptions
    train: Train
    say: Callable[[str], None]
    show: Callable[[Sweep], object]
    measure: str
    maximise: bool

    def go_on(self) -> Sweep:
        """Trials until there are enough, the space is exhausted, or somebody stops it."""
        status = "complete"
        late: Sequence[Refused] = ()
        while True:
            live = self.store.open_trial()
            if live is None:
                if len(self.store.trials()) >= self.options.trials:
                    break
                draw = self.store.drawing.next(self.recipe, self.store.trials(), self.store.refused())
                if draw.parameters is None:
                    status, late = "exhausted", draw.refused
                    break
                live = self._begun(draw)
            if not self._finish(live):
                status = "interrupted"
                break
            self._write("running", ())
        return self._write(status, late)

    def _begun(self, draw: Draw) -> Any:
        for one in draw.refused:
            self.say(f"Refused, not a trial: {_named(one.parameters)} ({one.reason})")
        return self.store.begin(draw)

    def _finish(self, live: Any) -> bool:
        """Train the open trial to its end; False when somebody stopped it."""
        from ..reading import changed

        parameters = self.store.drawing.decoded(live.params)
        self.say(f"Trial {live.number + 1} of {self.options.trials}: {_named(parameters)}")
        watch = _Watch(live, self.options.prune)
        place = self.folder / TRIALS / f"{live.number + 1:03}"
        if watch.hopeless:  # killed between the verdict and the end of the training: the verdict stands
            return self._ended(
                live, "pruned", watch.best, {"steps": watch.last_step, "folder": _inside(place, self.folder)}
            )
        try:
            training = self.train(changed(self.recipe, parameters), replace(self.train_options, out=place), watch)
        except OutOfReach:  # the base of all: the trial stays open, and the same command goes on with it
            raise
        except ModelCallError as error:  # this combination does not fit the machine; the others may
            return self._ended(live, "failed", None, {"reason": error.message})
        if training.status == "interrupted":
            return False
        self._check_same(live, training.facts)
        facts = {key: training.facts[key] for key in ("steps", "seconds")} | {
            "folder": str(training.folder.relative_to(self.folder))
        }
        if watch.hopeless:
            self._ended(live, "pruned", watch.best, facts)
        else:
            self._ended(live, "complete", _value(training.facts, self.recipe), facts)
        return not training.asked

    def _ended(self, live: Any, state: str, value: float | None, facts: Mapping[str, Any]) -> bool:
        """Write the trial's end down, and go on. A pruned one has the lowest loss it saw, and no score."""
        value = None if state == "pruned" and self.maximise else value
        less = -value if value is not None and self.maximise else value
        self.store.end(live, state, less, {**facts, "value": value})
        figure = f", {self.measure} {value:.4f}" if value is not None else ""
        after = f" after {facts['steps']} steps" if facts.get("steps") is not None else ""
        self.say(f"Trial {live.number + 1}: {state}{figure}{after}. {facts.get('reason', '')}".rstrip())
        return True

    def _check_same(self, live: Any, facts: Mapping[str, Any]) -> None:
        """What the losses rest on must be the same in all trials.

        Raises:
            BadConfig: the space itself makes it another.
            RecordError: it has changed.
        """
        rests_on = {"data": facts["data"]["hash"], "base": facts["base_weights"]}
        for trial in self.store.trials():
            earlier = trial.user_attrs.get("rests_on", rests_on)
            if earlier == rests_on:
                continue
            if earlier["base"] == rests_on["base"] and any(d.key == SEED for d in self.space.dimensions):
                raise BadConfig(
                    f"Space '{self.space.name}': {SEED} draws other rows, whose losses cannot be compared.",
                    "Take it out, or give the rows to validate on with data.validation (and all to train on).",
                )
            raise RecordError(
                f"Data or base have changed since trial {trial.number + 1} of {self.folder}.",
                "Their losses cannot be compared: delete that folder, or give another --out.",
            )
        live.set_user_attr("rests_on", rests_on)

    def _write(self, status: str, late: Sequence[Refused]) -> Sweep:
        rows = [_row(trial, self.store.drawing) for trial in self.store.trials()]
        sweep = Sweep(
            self.folder, self.recipe.name, self.space.name, self.options.sampler, self.options.seed,
            self.options.prune, self.measure, self.maximise, self.options.trials, status, rows,
            [*self.store.refused(), *late],
        )  # fmt: skip
        sweep.save()
        self.show(sweep)
        return sweep


class _Watch:
    """Sees every validation loss of one trial, and tells it when it is hopeless."""

    def __init__(self, live: Any, prune: bool) -> None:
        self._live, self._prune = live, prune
        frozen = live.study.trials[live.number]
        self._seen: dict[int, float] = dict(frozen.intermediate_values)
        self.hopeless = prune and bool(self._seen) and bool(live.should_prune())

    def __call__(self, step: int, loss: float) -> bool:
        """Whether to stop. A step seen by an earlier sitting is not counted again: its loss was the same."""
        if step not in self._seen:
            self._seen[step] = loss
            self._live.report(loss, step)
        self.hopeless = self.hopeless or (self._prune and bool(self._live.should_prune()))
        return self.hopeless

    @property
    def best(self) -> float | None:
        """The lowest loss seen."""
        return min(self._seen.values(), default=None)

    @property
    def last_step(self) -> int | None:
        """Of the last evaluation."""
        return max(self._seen, default=None)


def _identity(recipe: Recipe, space: Space, options: SweepOptions) -> str:
    how = {"sampler": options.sampler, "seed": options.seed, "prune": options.prune}
    return digest({"recipe": told(recipe), "space": space.as_json(), **how})[:12]


def _judged_by(recipe: Recipe) -> tuple[str, bool]:
    """What a trial is judged by, and whether more of it is better.

    Raises:
        UnknownName, BadConfig: there is no such task, or no single one.
    """
    from benchctl.creation import create_metrics
    from benchctl.plugins import get_plugins

    if recipe.training.best in NOT_TASKS:
        return LOSS, False
    task = choosing_task(recipe.training.best)
    return task.name, create_metrics(get_plugins(), task)[0].higher_is_better is not False


def _value(facts: Mapping[str, Any], recipe: Recipe) -> float:
    """The chosen checkpoint's loss or score; the last loss where the last is chosen.

    Raises:
        BadConfig: no validation rows, hence nothing to compare trials by.
    """
    found = facts["losses"]["validation"] if recipe.training.best == "last" else facts["chosen"]["value"]
    if found is None:
        raise BadConfig(
            f"Recipe '{recipe.name}' has no validation rows, and trials are compared by them.",
            "Set data.validation_share above 0.",
        )
    return float(found)


def _inside(place: Path, folder: Path) -> str:
    """The one training's folder under ``place``, as seen from the sweep's."""
    found = sorted(path for path in place.glob("*/*") if path.is_dir())
    return str((found[-1] if found else place).relative_to(folder))


def _row(trial: Any, drawing: Drawing) -> Row:
    facts = trial.user_attrs.get("facts", {})
    return Row(
        trial.number + 1, drawing.decoded(trial.params), facts.get("state", "running"), facts.get("value"),
        facts.get("steps"), facts.get("seconds"), facts.get("folder", ""), facts.get("reason", ""),
    )  # fmt: skip


def _named(parameters: Mapping[str, Any]) -> str:
    names = short_keys(list(parameters))
    return ", ".join(f"{names[key]}={shown(value)}" for key, value in parameters.items())
