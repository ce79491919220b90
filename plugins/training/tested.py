"""The test questions at hand, whatever they are asked from: what training rows are compared with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchctl.config import load_config
from benchctl.data import RowError, Table, read_table
from benchctl.errors import BadData, BenchctlError
from benchctl.hub import HubDataset, read_cached
from benchctl.plugins import get_plugins
from benchctl.task import Task
from benchctl.types import Sample

from ..tasks.drbyte import split_alternatives
from .formats import from_table
from .sources import all_tasks, task_blamed, task_of


@dataclass(frozen=True, slots=True)
class Question:
    """One test question as words."""

    task: str
    id: str
    stem: tuple[str, ...]
    """What is asked, without options and passage."""
    options: tuple[tuple[str, ...], ...] = ()
    """Empty where the options are no texts (sim, não, talvez) or there are none."""
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions from one place."""

    name: str
    """``builtin``, a name of ``[data]``, ``hub:REPOSITORY`` or a path."""
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class AtHand:
    """All test sets at hand, and what could not be compared."""

    sets: tuple[QuestionSet, ...]
    missing: tuple[str, ...]
    """``luizlzg/drbyte_test (medmcqa-pt, ...)`` for each test set on the hub that is not at hand; ``[data]`` entries
    that are in no task's layout or whose file is not there."""


def words(text: str) -> tuple[str, ...]:
    """The words of a text, without case, accents, spaces and punctuation."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    return tuple(re.findall(r"[^\W_]+", "".join(c for c in flat if not unicodedata.combining(c))))


def at_hand(test_data: Sequence[str | Path] = ()) -> AtHand:
    """The shipped test samples of every task, the test sets of ``[data]``, cached ones of the hub, and those given.

    Args:
        test_data: files, names of ``[data]``, or ``TASK=PATH`` for originals in a layout of their own.

    Raises:
        BadData: a file given that holds no questions.
        UnknownName: ``TASK=PATH`` with a task nobody offers.
    """
    tasks = all_tasks()
    sets = [QuestionSet("builtin", tuple(q for t in tasks if t.builtin is not None for q in _loaded(t, "builtin")))]
    missing = []
    for name in load_config().data:
        questions = _configured(Path(str(load_config().data_path(name))), tasks)
        if questions:
            sets.append(QuestionSet(name, questions))
        else:
            there = Path(str(load_config().data_path(name))).exists()
            why = "in no task's layout" if there else "its file is not there"
            missing.append(f"[data] {name} ({why})")
    sets += [_given(str(given)) for given in test_data]
    found = {question.task for one in sets[1:] for question in one.questions}
    for where, members in _on_hub(tasks, found).items():
        table = read_cached(where)
        questions = _of_tasks(members, table) if table is not None else ()
        if questions:
            sets.append(QuestionSet(f"hub:{where.repository}", questions))
        else:
            missing.append(f"{where.repository} ({', '.join(task.name for task in members)})")
    return AtHand(tuple(sets), tuple(missing))


def _on_hub(tasks: Sequence[Task], found: set[str]) -> dict[HubDataset, list[Task]]:
    """Where the test rows of the tasks that are not ``found`` are; several tasks may share a place."""
    places: dict[HubDataset, list[Task]] = {}
    for task in tasks:
        if task.hub is not None and task.name not in found:
            places.setdefault(task.hub, []).append(task)
    return places


def _loaded(task: Task, data: str) -> Iterator[Question]:
    for sample in task.load(data, skip_bad_rows=True).samples:
        yield _question(task.name, sample)


def _of_tasks(tasks: Sequence[Task], table: Table) -> tuple[Question, ...]:
    return tuple(question for task in tasks for question in _of_task(task, table))


def _of_task(task: Task, table: Table) -> Iterator[Question]:
    for row in table.rows:
        try:
            with task_blamed(task, table, row):
                sample = task.sample(row) if task.wanted(row) else None
            if sample is not None:
                yield _question(task.name, task.checked(sample, row, table.source))
        except RowError:
            continue  # a row that cannot be asked is no test question


def _configured(path: Path, tasks: Sequence[Task]) -> tuple[Question, ...]:
    """The test questions of an entry of ``[data]``: of a folder those of every task that has a file there."""
    if path.is_dir():
        at_home = [task for task in tasks if any((path / name).is_file() for name in task.files)]
        return tuple(question for task in at_home for question in _loaded(task, str(path)))
    try:
        table = read_table(path)
    except BadData:  # originals in a layout of their own: reported as not compared, and TASK=PATH reads them
        return ()
    return _of_tasks(task_of(table), table)


def _given(given: str) -> QuestionSet:
    task_name, equals, rest = given.partition("=")
    if equals and not Path(given).exists():
        task = get_plugins().create("task", task_name)
        return QuestionSet(given, tuple(_loaded(task, load_config().data_path(rest) or rest)))
    path = Path(load_config().data_path(given) or given)
    table = read_table(path)
    return QuestionSet(given, _of_tasks(task_of(table), table) or _of_rows(table, path.name))


def _of_rows(table: Table, name: str) -> tuple[Question, ...]:
    """Rows of a file in no task's layout: in one of the training formats, or with a column that holds a question."""
    column = next((c for c in ("question", "pergunta", "text", "texto") if c in table.columns), None)
    try:
        examples = from_table(table, "auto", skip=True).items
        texts = [(example.place, f"{example.question}\n{example.input}") for example in examples]
    except BenchctlError as error:
        if column is None:
            raise BadData(
                error.message, "Test data needs a task's columns, or a column 'question' or 'text'."
            ) from error
        texts = [(row.place, row.text(column)) for row in table.rows]
    found = []
    for place, text in texts:
        stem, choices = split_alternatives(text)
        options = tuple(words(option) for option in choices.values())
        found.append(Question(name, place, words(stem if choices else text), options))
    return tuple(found)


def _question(task: str, sample: Sample) -> Question:
    # Labels that are letters stand for options in a picture; sim, não and talvez are no options to recognise.
    named = any(label != text or len(label) == 1 for label, text in sample.choices.items())
    options = tuple(words(text) for text in sample.choices.values()) if named else ()
    return Question(task, sample.id, words(sample.question), options, words(sample.context))
