"""Where training rows come from: the package, the hub, a task's training split, a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchctl.config import load_config
from benchctl.data import BrokenRow, Row, RowError, Table, read_table
from benchctl.errors import DEFECT, BadConfig, BadData, blamed
from benchctl.hub import HubDataset, hub_splits, read_hub
from benchctl.plugins import get_plugins
from benchctl.task import Task

from .examples import Example, Examples
from .formats import FORMATS, ask, collect, from_table
from .recipe import DataSection

SPLITS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "treino"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "validacao", "validação"), "validation"),
    **dict.fromkeys(("test", "teste"), "test"),
}
"""What a split's name says."""
SPLIT_COLUMNS = ("split", "data_split")


class Unreachable(BadData):
    """The rows are on the hub and can be had neither from there nor from the cache: no fault of the recipe's."""


def read_source(spec: str, data: DataSection) -> Examples:
    """The training examples of a source, and its own validation rows where it has some.

    Args:
        spec: as :attr:`DataSection.train` takes it.
        data: format, scoring and whether bad rows are skipped.

    Raises:
        Unreachable: hub data that is not at hand.
        BadData: rows that cannot be used, with their place.
        UnknownName: a task nobody offers.
    """
    kind, colon, rest = spec.partition(":")
    path = Path(load_config().data_path(spec) or spec)
    if spec == "builtin":
        found = _builtin(data)
    elif colon and kind == "task":
        found = _task(rest, data)
    elif colon and kind == "hub":
        found = _hub(_hub_dataset(rest), data)
    elif path.is_dir():
        found = _hub(HubDataset(str(path), "train"), data)
    else:
        found = _file(path, data)
    if not found.items:
        over = "".join(f"; {count} {reason}" for reason, count in found.passed_over.items())
        raise BadData(
            f"{found.source}: no row to train on ({len(found.bad_rows)} unusable{over}).",
            "Check that it is the right one.",
        )
    return found


def portuguese_tasks() -> list[Task]:
    """Every Portuguese task with questions that is offered under a name of its own."""
    return [task for task in all_tasks() if task.language == "pt" and task.kind != "corpus"]


def all_tasks() -> list[Task]:
    """Every task that is offered under a name of its own; groups and tasks named by an argument are none."""
    plugins = get_plugins()
    offers = [offer for offer in plugins.offers("task").values() if not offer.takes_arguments]
    made = [plugins.create("task", offer.name) for offer in offers]
    return [task for task in made if isinstance(task, Task)]


def task_of(table: Table) -> list[Task]:
    """The tasks in whose own schema the table is: those that need the most of its columns, and more than a format."""
    fitting = [t for t in all_tasks() if t.columns and set(t.columns) <= table.columns and t.kind != "corpus"]
    most = max((len(task.columns) for task in fitting), default=0)
    plain = max((len(f.columns) for f in FORMATS.values() if set(f.columns) <= table.columns), default=0)
    # 'instruction, input, output' is a format as much as a task's schema: the format has the say.
    plain += "input" in table.columns
    return [task for task in fitting if len(task.columns) == most > plain]


def _builtin(data: DataSection) -> Examples:
    items = []
    for task in portuguese_tasks():
        if task.builtin is not None:
            items += [ask(task, sample, data.scoring, sample.id) for sample in task.shots("builtin")]
    return Examples(tuple(items), "builtin", "task")


def _task(given: str, data: DataSection) -> Examples:
    name, options = _options(given, ("data",), "task:NAME,data=PATH")
    task = get_plugins().create("task", name)
    if not isinstance(task, Task):
        raise BadConfig(f"task:{name} is a group of tasks.", "Name one of its tasks.")
    source = load_config().data_path(options.get("data")) or "hub"
    if source == "builtin":
        shots = task.shots("builtin")
        return Examples(tuple(ask(task, s, data.scoring, s.id) for s in shots), f"builtin rows of {name}", "task")
    if source != "hub":
        return _of_tasks(task.read(in_folder(Path(source), task)), [task], data)
    if task.hub_shots is None:
        raise Unreachable(
            f"{name} has no training split on the hub.", f"Give its rows: --set data.train=task:{name},data=PATH."
        )
    return _hub(task.hub_shots, data, task)


def _hub(where: HubDataset, data: DataSection, task: Task | None = None) -> Examples:
    """A split, and the repository's own validation split where there is one that no task tests on."""
    try:
        splits = hub_splits(where)
        if where.split not in splits:
            raise BadConfig(f"{where.repository} has no split '{where.split}'.", f"It has {', '.join(splits)}.")
        table = read_hub(where)
        tested = {(t.hub.repository, t.hub.split) for t in all_tasks() if t.hub is not None}
        own = [s for s in splits if SPLITS.get(s.lower()) == "validation" and (where.repository, s) not in tested]
        held_out = read_hub(where._replace(split=own[0])) if own and where.split not in own else None
    except BadData as error:
        raise Unreachable(error.message, "Check the connection, or give a copy: --data FILE.") from error
    found = _rows(table, data, task)
    if held_out is None:
        return found
    return replace(found, validation=_rows(held_out, data, task).items)


def _rows(table: Table, data: DataSection, task: Task | None) -> Examples:
    return _of_tasks(table, [task], data) if task else _of_table(table, data)


def _file(path: Path, data: DataSection) -> Examples:
    table = read_table(path, keep_broken=data.skip_bad_rows)
    tasks = task_of(table) if data.format == "auto" else []
    return _of_tasks(table, tasks, data) if tasks else _of_table(table, data)


def _of_table(table: Table, data: DataSection) -> Examples:
    """The rows in one of the formats; a column that says which split a row is of is heeded."""
    parts, passed = _by_split(table, data.skip_bad_rows)
    if not parts["train"].rows:
        return Examples((), table.source, data.format, table.revision, (), passed)
    found = from_table(parts["train"], data.format, data.skip_bad_rows)
    if not parts["validation"].rows:
        return replace(found, passed_over={**found.passed_over, **passed})
    held_out = from_table(parts["validation"], data.format, data.skip_bad_rows)
    bad = (*found.bad_rows, *held_out.bad_rows)
    return replace(found, validation=held_out.items, bad_rows=bad, passed_over={**found.passed_over, **passed})


def _of_tasks(table: Table, tasks: Sequence[Task], data: DataSection) -> Examples:
    """The rows as the tasks ask them: each row by the first task that knows it."""
    parts, passed = _by_split(table, data.skip_bad_rows)

    def read(row: Row, held_out: bool = False) -> Example | None:
        for task in tasks:
            # A task with a rule of its own for training rows knows better than 'wanted', which is about test rows.
            plain = held_out or type(task).shot is Task.shot
            with task_blamed(task, table, row):
                sample = task.shot(row) if not plain else task.sample(row) if held_out or task.wanted(row) else None
            if sample is not None:
                return ask(task, task.checked(sample, row, table.source), data.scoring, row.place)
        return None

    found = collect(parts["train"], "task", read, data.skip_bad_rows)
    held_out = collect(parts["validation"], "task", lambda row: read(row, True), data.skip_bad_rows)
    bad = (*found.bad_rows, *held_out.bad_rows)
    return replace(found, validation=held_out.items, bad_rows=bad, passed_over={**found.passed_over, **passed})


def task_blamed(task: Task, table: Table, row: Row) -> AbstractContextManager[None]:
    """While open, a defect of a plugin's task is told with the row that showed it; RowError is none."""
    return blamed(f"Task {task.name} failed at {table.source}, {row.place}", DEFECT, RowError)


def _by_split(table: Table, skip: bool) -> tuple[dict[str, Table], dict[str, int]]:
    """Rows by what their split column says; all are training rows where none says anything that is known.

    A file whose rows are all test rows gives none to train on.

    Raises:
        BadData: a row of no known split among others, unless ``skip``: it may be one to test on.
    """
    column = next((c for c in SPLIT_COLUMNS if any(c in row.values for row in table.rows)), "")
    says = [SPLITS.get(row.text(column).strip().lower()) for row in table.rows]
    if not any(says):
        return {"train": table, "validation": replace(table, rows=(), broken=())}, {}
    train = "train" if "train" in says else "validation"
    rows: dict[str, list[Row]] = {"train": [], "validation": []}
    broken = list(table.broken)
    for row, said in zip(table.rows, says, strict=True):
        if said is None:
            broken.append(_of_no_split(row, column))
        elif said != "test":
            rows["train" if said == train else "validation"].append(row)
    if broken and not skip:
        raise BadData(f"{table.source}, {broken[0].place}: {broken[0].reason}.", broken[0].hint)
    passed = Counter(f"of the split '{said}'" for said in says if said == "test")
    parts = {part: replace(table, rows=tuple(found), broken=()) for part, found in rows.items()}
    return {**parts, "train": replace(parts["train"], broken=tuple(broken))}, dict(passed)


def _of_no_split(row: Row, column: str) -> BrokenRow:
    reason = f"column '{column}' says '{row.text(column)}', no split that is known, while other rows name one"
    hint = "Write train, validation or test there, or leave such rows out with --set data.skip_bad_rows=true."
    return BrokenRow(row.number, row.values, row.line, reason, hint)


def in_folder(path: Path, task: Task) -> Path:
    """The file itself; of a folder, the first of the task's training files that exists in it."""
    return next((path / name for name in task.shots_files if path.is_dir() and (path / name).is_file()), path)


def _hub_dataset(given: str) -> HubDataset:
    repository, options = _options(given, ("split", "config", "revision"), "hub:OWNER/NAME,split=train")
    return HubDataset(repository, options.get("split", "train"), options.get("config"), options.get("revision"))


def _options(given: str, known: Sequence[str], example: str) -> tuple[str, dict[str, Any]]:
    """``NAME,key=value`` as name and options.

    Raises:
        BadConfig: an option nobody knows.
    """
    name, *pairs = given.split(",")
    options = dict(pair.partition("=")[::2] for pair in pairs)
    if not name or not options.keys() <= set(known) or not all(options.values()):
        raise BadConfig(f"data.train: '{given}' cannot be read.", f"Write it like {example}.")
    return name, options
