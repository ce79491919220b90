"""The hooks a plugin may implement. A plugin is a module named in the entry-point group ``benchctl``.

    from benchctl.hookspecs import hookimpl

    @hookimpl
    def benchctl_tasks():
        return {"my-task": MyTask}

Values are factories (a class will do), so that nothing heavy is imported when the plugin is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click
    import jinja2

    from benchctl.metric import Metric
    from benchctl.model import Model, ModelArgs
    from benchctl.task import Task, TaskGroup
    from benchctl.types import RunRecord, RunSpec

hookspec = pluggy.HookspecMarker("benchctl")
hookimpl = pluggy.HookimplMarker("benchctl")


@hookspec
def benchctl_tasks() -> Mapping[str, Callable[[], Task | TaskGroup]]:  # type: ignore[empty-body]
    """Task name -> factory without arguments."""


@hookspec
def benchctl_models() -> Mapping[str, Callable[[ModelArgs], Model]]:  # type: ignore[empty-body]
    """Backend or model name -> factory that takes what follows the name on the command line."""


@hookspec
def benchctl_metrics() -> Mapping[str, Callable[..., Metric]]:  # type: ignore[empty-body]
    """Metric name -> factory; one that has a parameter gets what follows the name on the command line, if anything."""


@hookspec
def benchctl_trainers() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Objective -> factory that takes the parts of a training and gives a trainer; docs/how-to/training.md."""


@hookspec
def benchctl_reference_scores() -> Mapping[str, Callable[[], list[Mapping[str, Any]]]]:  # type: ignore[empty-body]
    """Source name -> function that gives rows for the leaderboard: figures others reported."""


@hookspec
def benchctl_commands(cli: click.Group) -> None:
    """Add commands to the command line."""


@hookspec
def benchctl_run_started(spec: RunSpec, run: str) -> None:
    """A run begins or goes on; ``run`` is its folder."""


@hookspec
def benchctl_run_finished(record: RunRecord, run: str) -> None:
    """A run was written down, whatever its status."""


@hookspec
def benchctl_jinja(env: jinja2.Environment) -> None:
    """The environment of the reports, before templates are loaded: add filters, globals, template folders."""
