"""Rows as examples: instruction and output, prompt and completion, conversations, preferences, tasks' questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from benchctl.data import Row, RowError, Table
from benchctl.errors import BadConfig, BadData, did_you_mean
from benchctl.prompts import PromptBuilder
from benchctl.scoring import SCORINGS
from benchctl.task import Task, builtin_sample
from benchctl.types import Message, Sample

from .examples import Example, Examples

ROLES = ("system", "user", "assistant")


class Format(NamedTuple):
    """One way in which rows hold what is to be learnt."""

    columns: tuple[str, ...]
    """Needed; found whatever their case, and with spaces around them, which a spreadsheet does not show."""
    read: Callable[[Row, Mapping[str, str]], Example]
    """Row, and column -> its name in this table."""


def from_table(table: Table, wanted: str, skip: bool) -> Examples:
    """The rows of a table of no particular task.

    Args:
        wanted: a key of :data:`FORMATS`, or ``auto`` to tell by the columns.
        skip: leave out rows that cannot be used, named in ``bad_rows``.

    Raises:
        BadData: no known columns; or a row that lacks something, with its place and column.
    """
    there = {column.strip().lower(): column for row in reversed(table.rows) for column in row.values}
    name = wanted if wanted != "auto" else next((n for n, f in FORMATS.items() if set(f.columns) <= set(there)), None)
    if name is None or not set(FORMATS[name].columns) <= set(there):
        shapes = FORMATS.values() if name is None else [FORMATS[name]]
        raise BadData(
            f"{table.source}: its columns ({', '.join(sorted(there.values()))}) hold no training data that is known.",
            f"Expected {' or '.join('+'.join(f.columns) for f in shapes)}; see docs/how-to/training-data.md.",
        )
    read = FORMATS[name].read
    return collect(table, name, lambda row: read(row, there), skip)


def collect(table: Table, name: str, read: Callable[..., Example | None], skip: bool) -> Examples:
    """Every row through ``read``; rows it gives None for are counted as being of another kind.

    Raises:
        BadData: a row that cannot be used, unless ``skip``; or no row that can.
    """
    if table.broken and not skip:
        first = table.broken[0]
        raise BadData(f"{table.source}, {first.place}: {first.reason}.", first.hint)
    found, bad, other = [], [f"{row.place}: {row.reason}" for row in table.broken], 0
    for row in table.rows:
        try:
            example = read(row)
        except RowError as error:
            if not skip:
                raise BadData(
                    f"{table.source}, {row.place}: {error}.",
                    "Mend the row, or leave such rows out with --set data.skip_bad_rows=true (counted and named).",
                ) from error
            bad.append(f"{row.place}: {error}")
            continue
        if example is None:
            other += 1
        else:
            found.append(example)
    passed_over = {"of another kind": other} if other else {}
    return Examples(tuple(found), table.source, name, table.revision, tuple(bad), passed_over)


def ask(task: Task, sample: Sample, scoring: str, place: str) -> Example:
    """A task's question with its answer, worded as ``benchctl run`` puts it to a model.

    Args:
        scoring: for multiple choice; empty for the task's own.

    Raises:
        BadConfig: such a task cannot be trained on, or not with this scoring.
        RowError: the sample has no answer.
    """
    builder = PromptBuilder(task, _scoring(task, scoring))
    if not sample.target:
        raise RowError("there is no answer")
    others = [replace(sample, target=label) for label in sample.choices if label != sample.target]
    return Example(
        place, builder.question(sample), builder.answer(sample), system=builder.instruction, complete=True,
        wrong=tuple(builder.answer(other) for other in others), row=sample.metadata.get("row", {}),
    )  # fmt: skip


def _scoring(task: Task, wanted: str) -> str:
    if task.kind == "corpus" or task.scorings:
        raise BadConfig(
            f"{task.name} cannot be trained on as a task: it has no questions in words of our own.",
            "Give its rows as a file or hub:OWNER/NAME.",
        )
    if task.kind != "multiple_choice" or not wanted:
        return task.scoring
    offered = SCORINGS[task.kind]
    if wanted not in offered:
        raise BadConfig(f"data.scoring: there is no '{wanted}'.", did_you_mean(wanted, offered))
    return wanted


def _instruction(row: Row, names: Mapping[str, str]) -> Example:
    topic = names.get("input")
    about = "" if topic is None or row.values.get(topic) is None else _cell(row, topic).strip()
    return Example(
        row.place, _filled(row, names["instruction"]), _cell(row, names["output"]), about, row=dict(row.values)
    )


def _completion(row: Row, names: Mapping[str, str]) -> Example:
    question, answer = _cell(row, names["prompt"]), _cell(row, names["completion"])
    return Example(row.place, question, answer, complete=True, row=dict(row.values))


def _chat(row: Row, names: Mapping[str, str]) -> Example:
    turns = list(_turns(row.values.get(names["messages"]), names["messages"]))
    if not turns or turns[-1].role != "assistant":
        raise RowError(f"the last turn in column {names['messages']!r} is not the assistant's")
    return _conversation(row, turns[:-1], turns[-1].content, names["messages"])


def _preference(row: Row, names: Mapping[str, str]) -> Example:
    chosen, rejected = (_reply(row, names[column]) for column in ("chosen", "rejected"))
    if chosen == rejected:
        raise RowError(f"columns {names['chosen']!r} and {names['rejected']!r} hold the same answer")
    prompt = row.values.get(names["prompt"])
    if isinstance(prompt, Sequence) and not isinstance(prompt, str):
        made = _conversation(row, list(_turns(prompt, names["prompt"])), chosen, names["prompt"])
        return replace(made, rejected=rejected)
    return Example(row.place, _filled(row, names["prompt"]), chosen, rejected=rejected, row=dict(row.values))


def _choices(row: Row, names: Mapping[str, str]) -> Example:
    choices, answer = row.values.get(names["choices"]), _filled(row, names["answer"])
    if not isinstance(choices, Mapping) or answer not in choices:
        raise RowError(f"the answer {answer!r} is no label in column {names['choices']!r} (an object label -> text)")
    keys = {own: row.values.get(names.get(own, own)) for own in ("question", "choices", "answer", "context")}
    return ask(Task(), builtin_sample(Row(row.number, {**keys, "id": row.number}, row.line)), "", row.place)


def _conversation(row: Row, turns: list[Message], answer: str, column: str) -> Example:
    system = turns.pop(0).content if turns and turns[0].role == "system" else ""
    if not turns or turns[-1].role != "user":
        raise RowError(f"column {column!r} has no user's turn before the answer")
    return Example(row.place, turns[-1].content, answer, system=system, history=tuple(turns[:-1]), row=dict(row.values))


def _turns(value: Any, column: str) -> Iterator[Message]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise RowError(f"column {column!r} holds no list of turns")
    for number, turn in enumerate(value):
        known = isinstance(turn, Mapping) and turn.get("role") in ROLES and isinstance(turn.get("content"), str)
        if not known or (turn["role"] == "system" and number):
            raise RowError(f"turn {number + 1} in column {column!r} needs a role ({', '.join(ROLES)}) and a content")
        yield Message(turn["role"], turn["content"])


def _reply(row: Row, column: str) -> str:
    """An answer given as text, or as a conversation of one turn."""
    value = row.values.get(column)
    if isinstance(value, Sequence) and not isinstance(value, str):
        (*_, last) = [*_turns(value, column)] or [Message("assistant", "")]
        return last.content
    return _cell(row, column)


def _cell(row: Row, column: str) -> str:
    value = row.values.get(column)
    if value is None or value != value:  # pandas writes NaN where there is nothing
        raise RowError(f"column {column!r} is missing")
    if isinstance(value, Mapping | list | tuple):
        raise RowError(f"column {column!r} holds {'an object' if isinstance(value, Mapping) else 'a list'}, no text")
    return str(value)


def _filled(row: Row, column: str) -> str:
    text = _cell(row, column).strip()
    if not text:
        raise RowError(f"column {column!r} is empty")
    return text


FORMATS: Mapping[str, Format] = {
    "preference": Format(("prompt", "chosen", "rejected"), _preference),
    "chat": Format(("messages",), _chat),
    "instruction": Format(("instruction", "output"), _instruction),
    "completion": Format(("prompt", "completion"), _completion),
    "choices": Format(("question", "choices", "answer"), _choices),
}
"""In the order in which ``auto`` tries them."""
