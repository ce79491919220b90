"""``replay:FILE``: answers recorded elsewhere, by hand or last year, scored like any model's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from benchctl.data import Row, as_text, read_table
from benchctl.errors import BadConfig, BadData
from benchctl.fingerprints import digest
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs
from benchctl.types import Choose, Generate, Kind, Response, Sample

DEFAULTS = {"id": "id", "output": "", "name": ""}
OUTPUTS = ("output", "outputs", "answer", "response", "prediction")
"""Columns looked for, in this order, when none is named."""
_WRAPPED = {"generated_text": 0, "message": 1, "content": 2}
"""Names under which objects keep a text: a pipeline's, a server's choice, a message."""
ERROR = "error"
"""The column, and the name in an API's reply, that tells of an error."""
_OF_ERRORS = {ERROR, "error_type", "status", "status_code", "code", "request_id", "object", "type", "detail"}
"""Names in a reply that tells of nothing but an error."""
SAID = 200
"""Letters of a recorded error that are shown."""
SHOWN = 5
"""Lines of unknown ids shown at most."""


class Recorded(NamedTuple):
    """One row of the file."""

    output: str | None
    """None: the row says that there is no answer."""
    place: str
    fault: str = ""
    """The error that was recorded instead, where one was."""


class Replay(Model):
    """Recorded answers from a csv, json, jsonl or parquet file: replay:FILE,id=COLUMN,output=COLUMN,name=NAME."""

    capabilities: ClassVar[frozenset[Kind]] = frozenset({"choose", "generate"})

    def __init__(self, args: ModelArgs) -> None:
        options = args.take(DEFAULTS)
        if not args.target:
            raise BadConfig(
                "The backend 'replay' needs a file.", "Write --model replay:FILE[,id=COLUMN,output=COLUMN]."
            )
        self._path = Path(args.target)
        self._options = options
        self.name = options["name"] or self._path.name.removesuffix(".gz").rsplit(".", 1)[0]
        self.spec = (
            f"replay:{self.name}"  # the answers are in the fingerprint; where the file lies is nobody's business
        )
        self._rows, self._column, self._repeated = _read(self._path, options["id"], options["output"])
        self._owners: Sequence[Sample] = ()
        self._unknown: set[str] = set()
        self._known: set[str] = set()

    def fingerprint(self) -> str:
        """Every id and output; not where the file lies."""
        rows = [(key, row.output) for key, row in sorted(self._rows.items())]
        return digest(["replay", 1, rows])

    def manifest(self) -> Mapping[str, Any]:
        """Says that the answers were recorded, and how the file's ids fit the run's."""
        return {
            "recorded": True, "file": self._path.name, "id_column": self._options["id"], "output_column": self._column,
            "rows": len(self._rows), "unknown_ids": len(self._unknown), "repeated_ids": len(self._repeated),
        }  # fmt: skip

    def temperature(self, request: Generate) -> float | None:
        """Nobody wrote it down."""
        return None

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Learn which ids are asked for."""
        asked = {sample.id for sample in samples}
        counted = {str(number) for number in range(1, len(self._rows) + 1)}
        if "0" in asked and self._rows.keys() == counted and str(len(counted)) not in asked:
            raise BadData(
                f"{self._path}: its ids count the rows from 1, those of the questions from 0: each answer would stand "
                "beside the question after its own.",
                f"Take 1 from each id in column '{self._options['id']}'.",
            )
        self._owners = owners
        self._unknown = self._rows.keys() - asked
        self._known |= self._rows.keys() & asked

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """The recorded output of each sample; an id that is not there is an error."""
        for index, owner in enumerate(self._owners):
            yield index, self._answer(owner.id)

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """The recorded output, from which the scoring reads the choice; there are no log-likelihoods in a record.

        Raises:
            BadConfig: the options' texts are to be weighed.
        """
        for request, owner in zip(requests, self._owners, strict=True):
            if tuple(choice.strip() for choice in request.choices) != tuple(owner.choices):
                raise BadConfig(
                    "Recorded answers cannot be weighed: they hold no log-likelihoods.",
                    "Use --scoring generate or letter.",
                )
        for index, owner in enumerate(self._owners):
            yield index, self._answer(owner.id, {"choose_by": "recorded text"})

    def close(self) -> None:
        """Tell of the rows that no run of this command had a question for, and of repeated ones."""
        for line in self._repeated:
            print(f"note: {line}", file=sys.stderr)
        if not self._owners:  # nothing was asked: the runs were finished already
            return
        unknown = [(key, row.place) for key, row in self._rows.items() if key not in self._known]
        for key, place in unknown[:SHOWN]:
            print(f"note: {self._path}, {place}: unknown id '{key}': no question of this run has it.", file=sys.stderr)
        if len(unknown) > SHOWN:
            print(f"note: {self._path}: {len(unknown) - SHOWN} more unknown ids.", file=sys.stderr)

    def _answer(self, key: str, detail: Mapping[str, Any] | None = None) -> Response:
        row = self._rows.get(key)
        if row is None:
            return Response(error=f"no row of {self._path.name} has this id")
        if row.output is None:
            fault = f", but an error: {row.fault}" if row.fault else ""
            return Response(error=f"{self._path.name}, {row.place}: no output was recorded{fault}")
        return Response(text=row.output, detail=detail or {})


def _read(path: Path, key_column: str, column: str) -> tuple[dict[str, Recorded], str, list[str]]:
    """The rows by id, the column of the outputs, and a line for each repeated id.

    Raises:
        BadData: a column is missing, a row has no id, or one id has two different outputs.
    """
    table = read_table(path)
    names = sorted({name for row in table.rows for name in row.values})
    column = column or next((name for name in OUTPUTS if name in names), OUTPUTS[0])
    for name, option in ((key_column, "id"), (column, "output")):
        if name not in names:
            raise BadData(f"{path}: no column '{name}'.", f"Found: {', '.join(names)}. Name one with {option}=COLUMN.")
    found: dict[str, Recorded] = {}
    repeated: list[str] = []
    for row in table.rows:
        key = row.text(key_column).strip()
        if not key:
            raise BadData(f"{path}, {row.place}: no id in column '{key_column}'.", "Every row needs its sample's id.")
        recorded = _recorded(row, column)
        first = found.setdefault(key, recorded)
        if first is recorded:
            continue
        if first.output != recorded.output:
            raise BadData(
                f"{path}: id '{key}' stands twice with different outputs, in {first.place} and {recorded.place}.",
                "Keep one of them: which answer is meant cannot be guessed.",
            )
        repeated.append(f"{path}, {recorded.place}: id '{key}' stands in {first.place} already, with the same output.")
    return found, column, repeated


def _recorded(row: Row, column: str) -> Recorded:
    """What a row holds. An error is no answer: neither what an API sent in its place, nor what stands beside an empty
    output in a column of its own."""
    output = _output(row, column)
    fault = "" if (output or "").strip() else _said(row.values.get(ERROR))
    fault = fault or _error_sent(output or "")
    return Recorded(None if fault else output, row.place, fault)


def _error_sent(output: str) -> str:
    """The message of an API's reply that tells of nothing but an error; empty for any other text."""
    if not output.lstrip().startswith("{") or ERROR not in output:
        return ""
    try:
        reply = json.loads(output)
    except (ValueError, RecursionError):  # an answer that only begins like an object
        return ""
    told = reply.get(ERROR) if reply.keys() <= _OF_ERRORS else None
    return _said(told)


def _said(told: Any) -> str:
    """An error in words; empty for none."""
    told = told.get("message") or told if isinstance(told, Mapping) else told
    said = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False) if told and as_text(told) else ""
    return " ".join(said.split())[:SAID]


def _output(row: Row, column: str) -> str | None:
    """The recorded text: the first of a list, nothing for an empty one; an object as its JSON; None for null and NaN.

    lm-eval's ``resps`` is a list of lists: answers of each request, of each repeat. Of a conversation it is what the
    assistant says last, of an object of transformers' pipeline its ``generated_text``.
    """
    value = row.values.get(column)
    while isinstance(value, list) or (isinstance(value, Mapping) and value.keys() & _WRAPPED):
        if isinstance(value, Mapping):
            value = next(value[name] for name in _WRAPPED if name in value)
        elif value and all(isinstance(turn, Mapping) and turn.keys() >= {"role", "content"} for turn in value):
            said = [turn["content"] for turn in value if turn["role"] == "assistant"]
            value = said[-1] if said else None
        else:
            value = value[0] if value else ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if as_text(value) else None


@hookimpl
def benchctl_models() -> Mapping[str, type[Model]]:
    """The backend."""
    return {"replay": Replay}
