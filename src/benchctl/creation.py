"""From what is written on the command line to tasks, models and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchctl.config import load_config
from benchctl.errors import DEFECT, BadConfig, PluginError, did_you_mean
from benchctl.metric import Metric
from benchctl.model import Model, parse_spec
from benchctl.plugins import Plugins
from benchctl.scoring import SCORINGS
from benchctl.task import Task, TaskGroup


def create_task(plugins: Plugins, spec: str) -> Task | TaskGroup:
    """The task or group of that name, or of ``NAME:TARGET,key=value``.

    Raises:
        UnknownName: nobody offers it.
        BadConfig: arguments for a task that takes none.
        PluginError: it is offered under another name than its own, by which its runs are found again, or is of no kind.
    """
    task: Task | TaskGroup = _create(plugins, "task", spec)
    offered, args = parse_spec(spec, "task")
    if not isinstance(task, Task | TaskGroup):
        raise PluginError(f"The task '{offered}' is made as a {type(task).__name__}, no Task or TaskGroup.", DEFECT)
    if task.name != offered and not (args.target or args.options):
        raise PluginError(
            f"The task offered as '{offered}' calls itself '{task.name}'.", "Its plugin must give it one name."
        )
    if isinstance(task, TaskGroup):
        _check_list(task, "members")
        _check_list(task, "alike")
        if not task.members:
            raise PluginError(f"The group {task.name} has no members.", DEFECT)
    else:
        _check(task)
    return task


def _check(task: Task) -> None:
    """Refuse what would fail late, or change without a word what is asked.

    Raises:
        PluginError: naming the attribute.
    """
    if task.kind not in SCORINGS and not task.scorings:
        raise PluginError(f"The task {task.name} is of kind '{task.kind}'.", did_you_mean(task.kind, SCORINGS))
    offered = task.scorings or SCORINGS[task.kind]
    if len(offered) > 1 and task.scoring not in {*offered, Task.scoring}:
        raise PluginError(f"The task {task.name} is scored by '{task.scoring}'.", did_you_mean(task.scoring, offered))
    lost = next((name for name in task.instructions if name not in offered), None)
    if lost is not None:
        said = f"The task {task.name} has an instruction for '{lost}', which is no scoring of it."
        raise PluginError(said, did_you_mean(lost, offered))
    for name in ("columns", "metrics", "files", "shots_files"):
        _check_list(task, name)
    if task.chance is not None and not (isinstance(task.chance, int | float) and 0 <= task.chance <= 1):
        raise PluginError(f"The chance of the task {task.name} is {task.chance!r}.", "It is a share between 0 and 1.")


def _check_list(task: Task | TaskGroup, name: str) -> None:
    """Round brackets without a comma make text, whose letters would be taken one by one."""
    given = getattr(task, name)
    if isinstance(given, str):
        said = f"The {name} of the task {task.name} are the text '{given}' instead of a sequence."
        raise PluginError(said, f"Write ('{given}',), with a comma.")


def create_model(plugins: Plugins, spec: str, cluster: str = "") -> Model:
    """The model a spec stands for, weights not yet loaded; inside the backend ``cluster`` if that has options.

    Raises:
        UnknownName, BadConfig, MissingExtra, ModelCallError: with what to do.
    """
    text = load_config().model_spec(spec)
    backend, args = parse_spec(f"cluster:{text},{cluster}" if cluster else text)
    model: Model = plugins.create("model", backend, args)
    if not isinstance(model, Model):
        raise PluginError(f"The model '{backend}' is made as a {type(model).__name__}, no Model.", DEFECT)
    return model


def create_models(plugins: Plugins, specs: Sequence[str], cluster: str = "") -> dict[str, Model]:
    """All the models of a command, before the first is loaded: a mistake in the last spec is found at once, and models
    that differ only in their adapter know of each other and load their base once.

    Raises:
        UnknownName, BadConfig, MissingExtra, ModelCallError: as :func:`create_model`.
    """
    models: dict[str, Model] = {}
    try:
        for spec in specs:
            models[spec] = create_model(plugins, spec, cluster)
    except BaseException:
        for model in models.values():
            model.close()
        raise
    return models


def create_metrics(plugins: Plugins, task: Task, extra: Sequence[str] = ()) -> list[Metric]:
    """The metrics a task names, and others by spec; of two with one name the later stays.

    Args:
        extra: ``NAME`` or ``NAME:TARGET,key=value``; arguments go to the factory as :class:`benchctl.model.ModelArgs`.

    Raises:
        UnknownName: nobody offers one of them.
        BadConfig: arguments for a metric that takes none.
    """
    alien = next((one for one in task.own_metrics if not isinstance(one, Metric)), None)
    if alien is not None:
        raise PluginError(f"The task {task.name} has {alien!r} among its own metrics, no Metric.", DEFECT)
    found: dict[str, Metric] = {metric.name: metric for metric in task.own_metrics}
    for spec in (*task.metrics, *(name for name in extra if name not in found)):
        metric: Metric = _create(plugins, "metric", spec)
        if not isinstance(metric, Metric):
            raise PluginError(f"The metric '{spec}' is made as a {type(metric).__name__}, no Metric.", DEFECT)
        metric.spec = spec
        found[metric.name] = metric
    return list(found.values())


def _create(plugins: Plugins, kind: str, spec: str) -> Any:
    """What a spec stands for; its arguments go to the factory where there are any, or where it asks for them."""
    name, args = parse_spec(spec, kind)
    offer = plugins.find(kind, name)
    if (args.target or args.options) and not offer.takes_arguments:
        raise BadConfig(f"{kind.capitalize()} '{name}' takes no arguments, '{spec}' was given.", f"Write {name}.")
    given = args.target or args.options or offer.needs_arguments
    return plugins.create(kind, name, *((args,) if given else ()))
