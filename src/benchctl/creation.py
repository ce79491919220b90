"""From what is written on the command line to tasks, models and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchctl.config import load_config
from benchctl.errors import BadConfig, PluginError, did_you_mean
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
    if task.name != offered and not (args.target or args.options):
        raise PluginError(
            f"The task offered as '{offered}' calls itself '{task.name}'.", "Its plugin must give it one name."
        )
    if isinstance(task, Task) and task.kind not in SCORINGS and not task.scorings:
        raise PluginError(f"The task {task.name} is of kind '{task.kind}'.", did_you_mean(task.kind, SCORINGS))
    return task


def create_model(plugins: Plugins, spec: str, cluster: str = "") -> Model:
    """The model a spec stands for, weights not yet loaded; inside the backend ``cluster`` if that has options.

    Raises:
        UnknownName, BadConfig, MissingExtra, ModelCallError: with what to do.
    """
    text = load_config().model_spec(spec)
    backend, args = parse_spec(f"cluster:{text},{cluster}" if cluster else text)
    model: Model = plugins.create("model", backend, args)
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
    found: dict[str, Metric] = {metric.name: metric for metric in task.own_metrics}
    for spec in (*task.metrics, *(name for name in extra if name not in found)):
        metric: Metric = _create(plugins, "metric", spec)
        metric.spec = spec
        found[metric.name] = metric
    return list(found.values())


def _create(plugins: Plugins, kind: str, spec: str) -> Any:
    """What a spec stands for; its arguments go to the factory only where there are any."""
    name, args = parse_spec(spec, kind)
    given = (args,) if args.target or args.options else ()
    offers = plugins.offers(kind)
    if given and name in offers and not offers[name].takes_arguments:
        raise BadConfig(f"{kind.capitalize()} '{name}' takes no arguments, '{spec}' was given.", f"Write {name}.")
    return plugins.create(kind, name, *given)
