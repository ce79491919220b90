"""The straight line of a training: base and rows -> folder -> trainer -> chosen checkpoint -> result, named model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.errors import BadConfig, ModelCallError

from ..models.disk import writing
from . import base, metrics_file, registry, summary, trackers
from .around import alone, charged, hushed, memory_hint
from .callbacks import Conductor, Display, Stop, as_callback
from .checkpoints import Checkpoint
from .crew import Crew, crew
from .evaluating import NOT_TASKS, check_choice, scorer
from .folder import TrainingFolder, identity, training_folder
from .recipe import Recipe
from .record import Record, fixed_facts, parameters, versions_here
from .trainers import Parts, arguments, batches, build
from .watch import Watch

if TYPE_CHECKING:
    from benchctl.plugins import Offer

    from ..models.hf import HFModel
    from .prepare import Prepared

OnEvaluation = Callable[[int, float], bool]
"""Called with step and validation loss; True ends the training."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What is asked of a training besides its recipe."""

    out: Path = Path("trainings")
    name: str | None = None
    """Of the model that comes out; None: the recipe's."""
    allow_leaks: bool = False
    test_data: Sequence[str | Path] = ()
    trackers: Sequence[str] = ()
    """``tensorboard``, ``wandb``, ``trackio``."""
    register: bool = True
    """Whether the result becomes a named model."""


@dataclass(frozen=True, slots=True)
class Training:
    """A training as it stands."""

    folder: Path
    status: str
    """``complete``; ``interrupted``: the same command goes on; ``stopped``: whoever watched the evaluations did."""
    facts: Mapping[str, Any]
    """training.json."""
    asked: bool = False
    """Whether somebody asked it to end, even where it was at its end by then."""


class Silent:
    """A display that shows nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def step(self, done: int, total: int, facts: str) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything one training needs, checked before anything is loaded."""

    recipe: Recipe
    options: TrainOptions
    name: str
    objective: Offer
    """Makes the trainer."""
    model: HFModel
    prepared: Prepared
    folder: TrainingFolder
    crew: Crew
    display: Display


def train(
    recipe: Recipe,
    options: TrainOptions | None = None,
    on_evaluation: OnEvaluation | None = None,
    display: Display | None = None,
) -> Training:
    """Train, or go on where an earlier sitting ended. A finished training is only read.

    Args:
        on_evaluation: asked after every evaluation of this sitting but the one before the first step.

    Raises:
        MissingExtra, BadConfig, BadData, UnknownName, RecordError: before anything is loaded.
        ModelCallError: out of memory, or the loss is no number any more.
        PluginError: a plugin's objective has a defect.
    """
    options = options or TrainOptions()
    members = crew(recipe.model.device)
    job = _job(recipe, options, members, display if display and members.main else Silent())
    try:
        with (
            alone(), memory_hint(recipe), writing(job.folder.path),
            job.folder.lock() if members.main else contextlib.nullcontext(),
        ):  # fmt: skip
            return _train(job, on_evaluation)
    finally:
        job.model.close()


def at_hand(recipe: Recipe, allow_leaks: bool = False, test_data: Sequence[str | Path] = ()) -> Prepared | None:
    """The rows as :func:`train` would read them; None where the base's files or the rows are not on this machine.

    Raises:
        UnknownName, BadConfig, BadData: as :func:`train`.
    """
    from .prepare import prepare
    from .sources import Unreachable

    check_choice(recipe)
    try:
        model = base.base_model(recipe, recipe.model.device)
    except ModelCallError:
        return None
    try:
        return prepare(recipe, model.tokenizer, allow_leaks=allow_leaks, test_data=test_data)
    except Unreachable:
        return None
    finally:
        model.close()


def _job(recipe: Recipe, options: TrainOptions, members: Crew, display: Display) -> Job:
    from benchctl.plugins import get_plugins

    from .prepare import prepare

    base.require_packages()
    trackers.check(options.trackers)
    name = options.name or recipe.name
    if options.register:
        registry.check_name(name, recipe)
    objective = get_plugins().find("trainer", recipe.objective)
    check_choice(recipe)
    model = base.base_model(recipe, members.device(recipe.model.device))
    try:
        prepared = prepare(recipe, model.tokenizer, allow_leaks=options.allow_leaks, test_data=options.test_data)
        if recipe.training.best != "last" and not len(prepared.validation):
            raise BadConfig(
                f"Recipe '{recipe.name}' chooses by {recipe.training.best}, and there are no validation rows.",
                f"Set best=last, or {_way_to_validate(recipe, prepared)}.",
            )
        found = identity(recipe, prepared.hash, model.weights.base_hash, members.size)
    except BaseException:
        model.close()
        raise
    folder = training_folder(options.out, recipe.name, found)
    return Job(recipe, options, name, objective, model, prepared, folder, members, display)


def _way_to_validate(recipe: Recipe, prepared: Prepared) -> str:
    """How there would be rows to validate on."""
    if prepared.report.validation_lost:
        return f"raise data.max_length: {recipe.data.max_length} tokens hold no answer of them"
    if recipe.data.validation_share == 0:
        return "data.validation_share above 0"
    return "give more rows: rows that ask the same stay together, and none is left to hold out"


def _train(job: Job, on_evaluation: OnEvaluation | None) -> Training:
    folder, earlier = job.folder, job.folder.facts()
    job.crew.wait()  # nobody writes before everybody has read
    if earlier.get("status") == "complete" and folder.result(job.recipe.method).is_dir():
        _register(job)
        return Training(folder.path, "complete", {**earlier, "name": job.name})
    for line in folder.clean() if job.crew.main else ():
        job.display.note(f"note: {line}: thrown away.")
    job.crew.wait()
    picked = folder.newest()
    if job.crew.main:
        folder.take_back(picked)
        _say_how(job, picked, earlier)
    with trackers.settled(job.options.trackers, folder.path, folder.path.name), hushed():
        return _sitting(job, picked, on_evaluation)


def _sitting(job: Job, picked: Checkpoint | None, on_evaluation: OnEvaluation | None) -> Training:
    """From building the trainer to the result, or to the interruption."""
    recipe, folder = job.recipe, job.folder
    stop, watch = Stop(), Watch(folder, recipe.training)
    with _scorer(job) as score:
        conductor = Conductor(recipe, watch, stop, job.display, picked, score, on_evaluation)
        trainer = _trainer(job, conductor, picked)
        record = Record(folder, watch, fixed_facts(
            recipe, folder.path.name, job.name, job.model, job.prepared, job.crew.size))  # fmt: skip
        record.set(parameters=parameters(trainer.model))

        def saved() -> None:
            record.save("running", trainer.state.global_step, trainer.state.epoch or 0.0)

        conductor.saved = saved
        if job.crew.main:
            saved()
        with stop.listening(), charged(job.objective, recipe):
            if not conductor.over():
                trainer.train(resume_from_checkpoint=str(picked.path) if picked else None)
    facts: Mapping[str, Any] = {}
    if job.crew.main:
        facts = _finish(job, conductor, record)
    job.crew.wait()
    return Training(folder.path, conductor.ended, facts or folder.facts(), stop.asked)


def _finish(job: Job, conductor: Conductor, record: Record) -> dict[str, Any]:
    """Write the result and what is to be said of it."""
    state, ended = conductor.trainer.state, conductor.ended
    done = (state.global_step, float(state.epoch or 0))
    if ended != "complete":
        return record.save(ended, *done)
    chosen = _chosen(job.recipe, conductor)
    early = state.global_step < state.max_steps
    facts = record.save("running", *done, chosen=chosen, stopped_early=early)
    place = summary.write_result(job.folder, job.recipe, job.model, facts)
    _register(job)
    return record.save("complete", *done, chosen=chosen, stopped_early=early, result=place.name)


def _chosen(recipe: Recipe, conductor: Conductor) -> dict[str, Any]:
    """Which checkpoint the result is, by what, and why in words."""
    by, best, last = recipe.training.best, conductor.watch.best, conductor.trainer.state.global_step
    if best is None:
        return {"step": last, "by": "last", "why": "the last step, as the recipe says", "value": None}
    what = "lowest validation loss" if by == "validation_loss" else f"best {by}"
    at = "also the last step" if best.step == last else f"the last was step {last}"
    own = dict(metrics_file.curves(conductor.watch.folder.metrics)["validation"]).get(0)
    but = " but the base's own before the first step" if by == "validation_loss" and own and own < best.value else ""
    return {"step": best.step, "by": by, "why": f"{what} of all evaluations{but}; {at}", "value": best.value}


def _trainer(job: Job, conductor: Conductor, picked: Checkpoint | None) -> Any:
    from transformers import set_seed

    from .methods import attach

    recipe, model, rows = job.recipe, job.model, job.prepared
    tokenizer = model.tokenizer
    told = arguments(
        recipe, job.folder.path, model.device, model.dtype, job.options.trackers,
        fresh=picked is None and len(rows.validation) > 0,
    )  # fmt: skip
    set_seed(recipe.training.seed)
    network = attach(model.weights.take(), recipe, lambda: batches(rows.train, tokenizer, recipe))
    parts = Parts(
        recipe, network, tokenizer, rows.train, rows.validation if len(rows.validation) else None, told,
        [as_callback(conductor)], conductor.watch,
    )  # fmt: skip
    with charged(job.objective, recipe):
        trainer = build(job.objective, parts)
    trackers.silence(trainer, job.options.trackers)
    conductor.trainer = trainer
    return trainer


@contextlib.contextmanager
def _scorer(job: Job) -> Iterator[Any]:
    """What scores the task that chooses, with a model of its own that is given the weights in training."""
    if job.recipe.training.best in NOT_TASKS:
        yield None
        return
    live = base.base_model(job.recipe, job.model.device)
    try:
        yield scorer(job.recipe, live)
    finally:
        live.close()


def _register(job: Job) -> None:
    if not (job.options.register and job.crew.main):
        return
    folder = job.folder
    known = registry.registered(job.name) == folder.path.name
    file = registry.register(job.name, job.recipe, folder.result(job.recipe.method), folder.path.name)
    said = registry.told(job.name, file, "--name")
    if not known or said.startswith("warning"):
        job.display.note(said)


def _say_how(job: Job, picked: Checkpoint | None, earlier: Mapping[str, Any]) -> None:
    for line in job.prepared.report.lines():
        job.display.note(line)
    if not earlier:
        return
    job.display.note(f"note: going on after step {picked.step}." if picked else "note: starting again from step 0.")
    changed = sorted(
        name for name, value in versions_here().items() if earlier.get("versions", {}).get(name, value) != value
    )
    if changed:
        job.display.note(
            f"warning: other versions than before ({', '.join(changed)}): the weights may differ slightly."
        )
