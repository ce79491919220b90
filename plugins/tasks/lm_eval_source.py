"""Finding and loading lm-eval's tasks, without reading its index of 14 thousand unless a name is not found before."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchctl.errors import BadConfig, BadData, UnknownName

from .. import harness


class Found(NamedTuple):
    """A name that lm-eval knows."""

    asked: str
    """As given: a name, or the path of a YAML file."""
    name: str
    kind: str
    """``task``, ``group`` or ``tag``."""
    manager: Any
    children: tuple[str, ...] = ()
    """Tasks under a tag."""


def find(name: str, include: str) -> Found:
    """The task, group or tag of that name, or in that YAML file.

    Args:
        name: a name, or the path of a YAML file.
        include: a folder with YAML files of one's own, searched first; empty for none.

    Raises:
        BadConfig: the folder does not exist.
        BadData: no such file, or one that cannot be read.
        UnknownName: no such name, in the folder or among lm-eval's own tasks.
    """
    if include and not Path(include).is_dir():
        raise BadConfig(f"There is no folder '{include}' with lm-eval tasks.", "Check include_path.")
    manager = _manager(include, False)
    entry = manager.task_index.get(name) or _in_file(name)
    if entry is None and include:
        _refuse_unreadable(name, Path(include))
    if entry is None:  # only now the long list: 9 seconds, once per process
        manager = _manager(include, True)
        entry = manager.task_index.get(name)
    if entry is None:
        raise UnknownName("lm-eval task", name, manager.all_tasks, "lm-eval ls tasks")
    kind = {"GROUP": "group", "TAG": "tag"}.get(entry.kind.name, "task")
    return Found(name, entry.name, kind, manager, tuple(sorted(entry.tags)) if kind == "tag" else ())


class Loaded(NamedTuple):
    """What stands behind a name."""

    tasks: dict[str, Any]
    """lm-eval's task objects by name, with their datasets; several for a group."""
    alike: frozenset[str]
    """Of a group the figures, by benchctl's names, whose mean takes each task alike: ``weight_by_size: false``."""


@cache  # each member of a group asks for the whole group, whose data sets may lie on the hub
def load(found: Found) -> Loaded:
    """The task, or the group's tasks.

    Raises:
        BadData: the YAML or the dataset cannot be read.
    """
    import random

    import datasets
    import numpy as np

    datasets.disable_progress_bars()
    # Some tasks shuffle when they load: with lm-eval's own seeds they come out as lm-eval has them.
    random.seed(0)
    np.random.seed(harness.SEED)
    try:
        loaded = found.manager.load([found.asked])
    except Exception as error:  # a task is somebody's YAML and code: whatever it raises means it cannot be loaded
        raise BadData(
            f"lm-eval cannot load the task '{found.name}' ({_reason(error)}).",
            "Check its YAML file and that its dataset can be reached.",
        ) from error
    group = loaded["groups"].get(found.name)
    return Loaded(loaded["tasks"], frozenset() if group is None else _alike(group))


def figure_name(metric: str, filter_name: str) -> str:
    """benchctl's name of a figure: without lm-eval's filter ``none``."""
    return metric if filter_name == "none" else f"{metric},{filter_name}"


def _alike(group: Any) -> frozenset[str]:
    filters = {ensemble.name for task in group.get_all_tasks() for ensemble in task._filters}
    by_size: dict[str, bool] = {}
    for asked in group.aggregate_metric_list or ():  # of two on one figure lm-eval keeps the last
        names = filters if asked.filter_list is None else asked.filter_list
        by_size |= {figure_name(asked.metric, name): asked.weight_by_size for name in names}
    return frozenset(name for name, weighted in by_size.items() if not weighted)


@cache
def _manager(include: str, defaults: bool) -> Any:
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=include or None, include_defaults=defaults)


def _in_file(name: str) -> Any:
    from lm_eval.tasks._index import TaskIndex

    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        return None
    if not path.is_file():
        raise BadData(f"There is no task file '{name}'.", "Check the path after lm-eval:.")
    try:
        entry = TaskIndex.entry_from_path(path)
    except Exception as error:  # YAML of any shape: whatever the reading of it raises
        raise _unreadable(path, error) from error
    if entry is None:
        raise BadData(f"The file '{name}' names no task.", "It needs a line 'task: NAME', or 'group: NAME' and a list.")
    return entry


def _refuse_unreadable(name: str, folder: Path) -> None:
    """lm-eval passes over files it cannot read, so that what stands in them seems not to exist.

    Raises:
        BadData: one of them is called like the task or names it.
    """
    from lm_eval.tasks._yaml_loader import load_yaml

    named = re.compile(rf"^\s*(?:task|group)\s*:\s*[\"']?{re.escape(name)}[\"']?\s*$", re.MULTILINE)
    for path in sorted(folder.rglob("*.yaml")):
        if path.stem != name and not named.search(path.read_text(encoding="utf-8", errors="replace")):
            continue
        try:
            load_yaml(path, resolve_func=False)
        except Exception as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> BadData:
    return BadData(f"lm-eval cannot read '{path}' ({_reason(error)}).", "Mend the YAML file, or what it includes.")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
