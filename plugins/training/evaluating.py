"""Benchctl's tasks on what is trained: in the middle, to choose a checkpoint, and afterwards, beside its base."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchctl.config import load_config
from benchctl.errors import BadConfig, BadData
from benchctl.matrix import Display, Matrix, run_matrix
from benchctl.results import Result

from .recipe import Recipe

if TYPE_CHECKING:
    from benchctl.task import Task
    from benchctl.types import Sample

    from ..models.hf import HFModel

NOT_TASKS = ("validation_loss", "last")
"""What ``training.best`` may say besides a task's name."""


class TaskScore(NamedTuple):
    """The main metric of a task."""

    value: float
    higher_is_better: bool


def choosing_task(best: str) -> Task:
    """The task that ``training.best`` names, where it is none of :data:`NOT_TASKS`.

    Raises:
        UnknownName, BadConfig: no such task, or no single one.
    """
    from benchctl.creation import create_task
    from benchctl.plugins import get_plugins
    from benchctl.task import Task

    task = create_task(get_plugins(), best.partition(":")[0])
    if not isinstance(task, Task):
        raise BadConfig(
            f"'{task.name}' is a group, and one task must choose.", f"Set best to one of {task.members[0]}, ..."
        )
    return task


def check_choice(recipe: Recipe) -> None:
    """Refuse a ``training.best`` that names no task, before anything is read.

    Raises:
        UnknownName, BadConfig: no such task, or no single one.
    """
    if recipe.training.best not in NOT_TASKS:
        choosing_task(recipe.training.best)


def scorer(recipe: Recipe, live: HFModel) -> Callable[[Any], TaskScore]:
    """What scores the live model on the task that chooses the checkpoint.

    ``training.best = "medmcqa-pt"`` asks ``best_rows`` of the task's training rows on the hub, or its dev rows that
    ship where the hub has none; ``"medmcqa-pt:SOURCE"`` those of ``builtin``, ``hub`` or a file. Test rows are never
    asked. The samples are drawn with the recipe's seed and stay the same throughout.

    Args:
        live: the base as a model, which will be given the weights in training; its own are never loaded.

    Raises:
        UnknownName, BadConfig, BadData: no such task, no single task, or rows that are not at hand.
    """
    from benchctl.creation import create_metrics
    from benchctl.plugins import get_plugins
    from benchctl.runner import ask, estimate, prepare, read_answers
    from benchctl.scoring import get_scoring
    from benchctl.task import TaskData
    from benchctl.types import RunSpec

    task = choosing_task(recipe.training.best)
    source = recipe.training.best.partition(":")[2] or ("hub" if task.hub_shots else "builtin")
    scoring = get_scoring(task, None, 256)
    rows, seed = recipe.training.best_rows, recipe.training.seed
    data = TaskData(_choosing_rows(task, source), source)
    spec = RunSpec(task.name, live.name, scoring=scoring.name, shots=0, seed=seed, limit=rows, drawn=True)
    job = prepare(spec, task, scoring, create_metrics(get_plugins(), task), live, data)

    def score(trained: Any) -> TaskScore:
        use(live, trained)
        done = {sample.id: responses for sample, responses in ask(job, job.samples)}
        failed = next((r.error for responses in done.values() for r in responses if r.error), None)
        if failed:
            raise BadConfig(
                f"'{task.name}' cannot choose the checkpoint: {failed}.", "Set training.best=validation_loss."
            )
        found = estimate(job.metrics, read_answers(scoring, job.samples, done))
        first = next(iter(found.values()))
        return TaskScore(first.value, first.higher_is_better is not False)

    return score


def _choosing_rows(task: Task, source: str) -> tuple[Sample, ...]:
    try:
        return tuple(task.shots(source))
    except BadData as error:
        if source != "hub":
            raise
        raise BadData(  # its own hint speaks of --data, which here are the rows to train on
            error.message,
            f"Check the connection, or set best={task.name}:builtin (the rows that ship) or best={task.name}:FILE.",
        ) from error


def use(live: HFModel, trained: Any) -> None:
    """Let a benchctl model answer with weights in training, each text on its own: no cache of an earlier state."""
    from peft import PeftModel

    from ..models.engine.engine import Engine
    from ..models.engine.memory import batch_budget, writing_budget
    from ..models.engine.plain import PlainEngine
    from ..models.prompt_methods import PromptedModel
    from ..models.seq2seq import Seq2SeqEngine

    network = trained.eval()
    if isinstance(trained, PeftModel):
        network = PromptedModel(trained) if trained.active_peft_config.is_prompt_learning else trained.get_base_model()
    budgets = (budget(trained, live.device, live.settings.batch_tokens) for budget in (batch_budget, writing_budget))
    kind = Seq2SeqEngine if trained.config.is_encoder_decoder else PlainEngine
    live.__dict__["engine"] = Engine(kind(network, live.tokenizer, live.device, *budgets)).plainly("in training")


def run_both(
    models: Sequence[str], tasks: Sequence[str], out: Path, asked: Mapping[str, Any], display: Display
) -> list[Result]:
    """Run base and result on the tasks, as ``benchctl run`` does.

    Args:
        models: the specs.
        asked: ``data``, ``limit`` and ``drawn`` as fields of RunSpec.
    """
    return run_matrix(_matrix(models, tasks, out, asked), display)


def check_tasks(name: str, tasks: Sequence[str], out: Path, asked: Mapping[str, Any]) -> None:
    """Refuse before the training what :func:`run_both` could not do after it.

    Args:
        name: what the result will be called.

    Raises:
        UnknownName, BadConfig, BadData: no such task or data, or a name that stands for another model.
    """
    config = load_config()
    if name in config.models and name not in config.trained:
        raise BadConfig(
            f"'{name}' is a model in benchctl.toml: --evaluate would run that one, not what is trained.",
            "Give another --name.",
        )
    matrix = _matrix((), tasks, out, asked)
    for task in matrix.members.values():
        task.load(matrix.options["data"])


def _matrix(models: Sequence[str], tasks: Sequence[str], out: Path, asked: Mapping[str, Any]) -> Matrix:
    options = {
        "data": asked["data"], "scoring": None, "shots": None, "shots_data": "builtin", "seed": 0,
        "limit": asked["limit"], "drawn": asked["drawn"], "prompt_template": None, "max_tokens": 256,
        "skip_bad_rows": False,
    }  # fmt: skip
    return Matrix.parse(tasks, models, out, options)
