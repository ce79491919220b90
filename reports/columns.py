"""The columns of a leaderboard and their order: each group's mean, then the tasks that belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchctl.comparing import HEADLINES
from benchctl.task import TaskGroup
from benchctl.types import Estimate, RunRecord

from .board import Column

HEADLINE = "accuracy"
"""The metric a column shows wherever its task has it."""


def make_columns(records: Sequence[RunRecord], groups: Sequence[TaskGroup]) -> tuple[Column, ...]:
    """Columns for every task that was run, and for every group of which some model ran at least two members.

    Larger groups come first. A task stands after the smallest group it belongs to, tasks without a group at the end.
    """
    by_task: dict[str, list[RunRecord]] = {}
    for record in records:
        by_task.setdefault(record.spec.task, []).append(record)
    shown = sorted((g for g in groups if _partly_run(g, records)), key=lambda g: (-len(g.members), g.name))
    home: dict[str, str] = {}
    for group in shown:  # the smallest group comes last, and keeps its members
        home |= dict.fromkeys(group.members, group.name)
    singles = {task: _task_column(task, by_task[task], home.get(task)) for task in sorted(by_task)}
    columns: list[Column] = []
    for group in shown:
        members = [singles[t] for t in group.members if t in singles and home[t] == group.name]
        columns += [_group_column(group, by_task, singles), *members]
    return (*columns, *(column for task, column in singles.items() if task not in home))


def headline(records: Sequence[RunRecord]) -> str:
    """The metric to show for a task: the first of the headlines that some run has; else the first there is."""
    names = [name for record in records for name in record.estimates]
    return next((name for name in HEADLINES if name in names), names[0] if names else HEADLINE)


def _partly_run(group: TaskGroup, records: Sequence[RunRecord]) -> bool:
    run: dict[str, set[str]] = {}
    for record in records:
        if record.spec.task in group.members:
            run.setdefault(record.spec.model, set()).add(record.spec.task)
    return any(len(tasks) > 1 for tasks in run.values())


def _task_column(task: str, records: Sequence[RunRecord], group: str | None) -> Column:
    metric = headline(records)
    shape = _shape(records, metric)
    chances = {record.task.get("chance") for record in records}
    chance = chances.pop() if len(chances) == 1 and metric == HEADLINE else None
    title = str(records[-1].task.get("title") or task)
    return Column(task, title, metric, shape.percent, shape.higher_is_better is not False, chance, group=group)


def _group_column(group: TaskGroup, by_task: Mapping[str, Sequence[RunRecord]], known: Mapping[str, Column]) -> Column:
    records = [record for task in group.members for record in by_task.get(task, [])]
    metric = headline(records)
    shape = _shape(records, metric)
    chance = _group_chance([known.get(task) for task in group.members], by_task)
    higher = shape.higher_is_better is not False
    return Column(group.name, group.title, metric, shape.percent, higher, chance, group.members)


def _group_chance(members: Sequence[Column | None], by_task: Mapping[str, Sequence[RunRecord]]) -> float | None:
    """The members' chance weighted by the size of their data; None while one of them is unknown."""
    expected, total = 0.0, 0
    for member in members:
        if member is None or member.chance is None:
            return None
        size = max(int(record.data["total"]) for record in by_task[member.task])
        expected, total = expected + member.chance * size, total + size
    return expected / total if total else None


def _shape(records: Sequence[RunRecord], metric: str) -> Estimate:
    """Some run's estimate of the metric, to know how it is shown; an accuracy when no run got that far.

    Shares only where all are: a figure of any scale that was 0 throughout is taken for one.
    """
    found = [record.estimates[metric] for record in records if metric in record.estimates]
    if not found:
        return Estimate(0.0, 0, None, None, None, "", percent=metric == HEADLINE)
    return replace(found[0], percent=all(e.percent for e in found))
