"""``benchctl extract``: read free answers from a labelled file, and measure the reading against the labels."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchctl.cli.run import EXIT_INCOMPLETE
from benchctl.terminal import echo

if TYPE_CHECKING:
    from benchctl.answers import Reading
    from benchctl.types import Sample

_EXPECTED = (
    "Each line is a JSON object with id, options (label -> text), output and, if known, question and label "
    "(an option's, or invented, multiple, refusal, none)."
)
_COLUMNS = ("choice right", "choice wrong", "invented", "multiple", "refusal", "none")


@dataclass(frozen=True, slots=True)
class Example:
    """One free answer with its reading. ``label`` is what a careful reader says, '' where nobody has said."""

    id: str
    label: str
    output: str
    reading: Reading
    sample: Sample

    @property
    def read(self) -> str:
        """The reading in the vocabulary of the labels: an option's label, or INVENTED, MULTIPLE, REFUSAL, NONE."""
        return self.reading.label if self.reading.label is not None else self.reading.outcome.upper()


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--extract-with", "reader", metavar="MODEL", help="Let a model read the answers that the rules cannot.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per record on standard output.")
def extract(file: Path, reader: str | None, as_json: bool) -> None:
    """Read the free answers in FILE (JSON lines) and compare each reading with its label.

    \b
    Example:
      benchctl extract examples.jsonl
      benchctl extract examples.jsonl --extract-with hf:PATH
      benchctl extract examples.jsonl --json | jq -r 'select(.outcome == "none") | .id'
    """
    examples, failed = list(read_examples(file)), 0
    if reader:
        examples, failed = _read_again(examples, reader)
    _show(examples, as_json)
    if failed:
        echo("warning: what got no reply stays unread; the same command asks that again.", err=True)
        sys.exit(EXIT_INCOMPLETE)


def _show(examples: list[Example], as_json: bool) -> None:
    if as_json:
        for example in examples:
            row = {"id": example.id, "outcome": example.reading.outcome, "label": example.read}
            row |= {"rule": example.reading.rule, "evidence": example.reading.evidence}
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    labelled = [e for e in examples if e.label]
    if not labelled:
        click.echo(f"{len(examples)} answers read, none of them labelled; --json shows the readings.")
        return
    _accuracy(labelled)
    _confusion(labelled)
    _rules(examples)
    _wrong(labelled)


def read_examples(file: Path) -> Iterator[Example]:
    """Yield the records of ``file``, read. Raises BadData, with the line, where a record cannot be used."""
    from benchctl.answers import read_answer
    from benchctl.errors import BadData
    from benchctl.types import Sample

    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")  # an answer may hold other line separators
    except OSError as error:
        raise BadData(f"{file} cannot be read: {error.strerror or error}.", "Give a file of JSON lines.") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file} is not UTF-8 (byte {error.start}).", _EXPECTED) from error
    if not any(line.strip() for line in lines):
        raise BadData(f"{file} holds no records.", _EXPECTED)
    for number, line in enumerate(lines, 1):
        if line.strip():
            row = _row(file, number, line)
            reading = read_answer(row["output"], row["options"], row.get("question") or "")
            name, question = str(row.get("id", number)), row.get("question") or ""
            sample = Sample(name, question, choices=row["options"])
            yield Example(name, row.get("label") or "", row["output"], reading, sample)


def _read_again(examples: list[Example], spec: str) -> tuple[list[Example], int]:
    """Let the model read what the rules left unread; its readings have the rule ``model``.

    Its replies are kept in benchctl's cache, whatever file they are about: none is asked, or paid, twice.

    Returns:
        The examples, and how many got no reply.
    """
    from benchctl.answers import Reading
    from benchctl.creation import create_model
    from benchctl.fingerprints import cache_dir
    from benchctl.plugins import get_plugins
    from benchctl.records import locked
    from benchctl.second_reader import Unread, read_with, told

    numbered = [replace(e, sample=replace(e.sample, id=str(i))) for i, e in enumerate(examples)]
    unread = [Unread(e.sample, e.output) for e in numbered if e.reading.outcome == "none"]
    model = create_model(get_plugins(), spec)
    try:
        folder = cache_dir() / "readings" / model.fingerprint()
        with locked(folder):
            said = read_with(model, unread, folder / "extracted.jsonl")
    finally:
        model.close()
    echo(told(said.facts), err=True)
    answers = {int(name): answer for name, answer in said.answers.items()}
    read = [
        replace(e, reading=Reading(answers[i].outcome, answers[i].label, "model")) if i in answers else e
        for i, e in enumerate(examples)
    ]
    return read, said.failed


def _row(file: Path, number: int, line: str) -> dict[str, Any]:
    from benchctl.errors import BadData

    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadData(f"{file}, line {number}: no JSON ({error}).", _EXPECTED) from error
    if not isinstance(row, dict):
        raise BadData(f"{file}, line {number}: not an object.", _EXPECTED)
    options = row.get("options")
    if not isinstance(options, dict) or not options or not all(isinstance(text, str) for text in options.values()):
        raise BadData(f"{file}, line {number}: 'options' is no mapping of labels to texts.", _EXPECTED)
    for name, needed in (("output", True), ("question", False), ("label", False)):
        value = row.get(name)
        if not (isinstance(value, str) or (value is None and not needed)):
            raise BadData(f"{file}, line {number}: '{name}' is no text.", _EXPECTED)
    outcomes = ("INVENTED", "MULTIPLE", "REFUSAL", "NONE", "")
    label = row.get("label") or ""
    if label not in options and label.upper() in outcomes:  # an outcome in either case, unless an option is called so
        row["label"] = label.upper()
    elif label not in options:
        raise BadData(f"{file}, line {number}: label '{row['label']}' is neither an option nor an outcome.", _EXPECTED)
    return row


def _accuracy(examples: list[Example]) -> None:
    right = sum(e.read == e.label for e in examples)
    named = sum(_column(e) == "choice wrong" for e in examples)
    click.echo(f"accuracy {100 * right / len(examples):.1f} % ({right} of {len(examples)} read as labelled)")
    click.echo(f"names an option that is not the label: {named}\n")


def _column(example: Example) -> str:
    if example.reading.outcome != "choice":
        return example.reading.outcome
    return "choice right" if example.read == example.label else "choice wrong"


def _confusion(examples: list[Example]) -> None:
    table = Counter(("option" if e.label in e.sample.choices else e.label, _column(e)) for e in examples)
    click.echo("label \\ read " + "".join(f"{name:>14}" for name in _COLUMNS))
    for label in ("option", "INVENTED", "MULTIPLE", "REFUSAL", "NONE"):
        click.echo(f"{label:<13}" + "".join(f"{table[label, name]:>14}" for name in _COLUMNS))


def _rules(examples: list[Example]) -> None:
    from benchctl.answers import RULES

    counts = Counter(e.reading.rule for e in examples)
    click.echo("\nrule           count")
    for rule in (*RULES, "model"):
        if counts[rule]:
            click.echo(f"{rule:<15}{counts[rule]:>5}")


def _wrong(examples: list[Example]) -> None:
    for e in examples:
        if e.read != e.label:
            shown = " ".join(e.output.split())
            click.echo(f"\n{e.id}: labelled {e.label}, read {e.read} ({e.reading.rule}: {e.reading.evidence!r})")
            click.echo(f"  {shown[:200]}{'…' if len(shown) > 200 else ''}")
