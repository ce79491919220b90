"""The labels of one annotator for one run: a file of events, each on disk before the next key is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchctl.annotation.labels import Label
from benchctl.errors import BadConfig, RecordError
from benchctl.journal import Journal, read_lines

FOLDER = "annotations"
"""In the run's folder: one ``NAME.jsonl`` per annotator."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How the answers shown in one sitting were chosen: it decides what may be concluded from their labels."""

    random: bool = False
    """Shown in random order, so that those labelled are a random sample wherever the annotator stopped."""
    only: tuple[str, ...] = ()
    """Outcomes of the reading it was limited to; empty for all."""
    blind: bool = False
    """The reading and the right option were hidden."""
    seed: int = 0
    of: int = 0
    """Answers the run had then: those that a continued run wrote later could not be drawn. 0 where nobody noted it."""
    source: str = "screen"
    """``screen``, or the name of the imported file."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator said about one answer."""

    id: str
    label: Label | None = None
    skipped: bool = False
    note: str = ""
    at: str = ""
    """UTC time, ISO 8601."""
    draw: Draw = field(default_factory=Draw)


class State:
    """The annotations after some events, and what undo would bring back."""

    def __init__(self) -> None:
        self.annotations: dict[str, Annotation] = {}
        """Sample id -> annotation, in the order of the first key pressed on it."""
        self._past: list[Annotation] = []
        self._draw = Draw()

    def apply(self, event: Mapping[str, Any]) -> str | None:
        """Take one event in; gives the id of the sample it was about.

        Raises:
            RecordError: nobody knows such an event.
        """
        kind, identity = event["event"], event.get("id")
        if kind == "sitting":
            self._draw = Draw(**{**event["draw"], "only": tuple(event["draw"]["only"])})
            return None
        if kind == "undo" and self._past:
            before = self._past.pop()
            self.annotations[before.id] = replace(before, note=self.annotations[before.id].note)
            return before.id
        now = self.annotations.get(str(identity), Annotation(str(identity)))
        if kind == "note":
            self.annotations[now.id] = replace(now, note=str(event["text"]))
            return now.id
        if kind not in ("label", "skip"):  # also an undo of nothing, which no screen writes
            raise RecordError(
                f"An annotation file has an unknown event '{kind}'.", "It was written by a newer benchctl."
            )
        self._past.append(now)
        label = Label(event["outcome"], event.get("label")) if kind == "label" else None
        draw = self._draw
        if now.draw.random and not draw.random:  # what was drawn stays drawn, as one skipped and taken up again
            draw = replace(now.draw, blind=draw.blind, source=draw.source)
        self.annotations[now.id] = replace(now, label=label, skipped=kind == "skip", at=event["at"], draw=draw)
        return now.id

    @property
    def can_undo(self) -> bool:
        """Whether there is a label or a skip to take back."""
        return bool(self._past)


class Store:
    """An annotator's file, open for more events."""

    def __init__(self, journal: Journal, state: State) -> None:
        self._journal = journal
        self.state = state

    def begin(self, draw: Draw) -> None:
        """A sitting begins; its labels are known to come from this draw."""
        self._write({"event": "sitting", "draw": asdict(draw)})

    def label(self, identity: str, label: Label) -> None:
        """The annotator says what an answer is; a label given before is replaced, undo brings it back."""
        self._write({"event": "label", "id": identity, "outcome": label.outcome, "label": label.label})

    def skip(self, identity: str) -> None:
        """The annotator passes over an answer."""
        self._write({"event": "skip", "id": identity})

    def note(self, identity: str, text: str) -> None:
        """The annotator writes a remark; an empty one removes it."""
        self._write({"event": "note", "id": identity, "text": text})

    def undo(self) -> str | None:
        """Take the last label or skip back, also one of an earlier sitting; gives its sample's id, None for nothing."""
        return self._write({"event": "undo"}) if self.state.can_undo else None

    def _write(self, event: Mapping[str, Any]) -> str | None:
        stamped = {**event, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        self._journal.append(stamped)
        self._journal.sync()
        return self.state.apply(stamped)


@contextmanager
def open_store(run: Path, annotator: str) -> Iterator[Store]:
    """The annotator's file of a run, made when there is none; a line torn by a crash is dropped.

    Raises:
        BadConfig: a name that is no file name.
        RecordError: the same annotator is at work in another terminal.
    """
    import filelock

    if not re.fullmatch(r"[\w-][\w.-]{0,63}", annotator):
        raise BadConfig(f"'{annotator}' cannot be an annotator's name.", "Letters, digits, dots and dashes, e.g. ana.")
    folder = run / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / f".{annotator}.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise RecordError(
            f"'{annotator}' is annotating this run elsewhere.", "Close that screen, or take another name."
        ) from error
    try:
        with Journal(folder / f"{annotator}.jsonl") as journal:
            yield Store(journal, _replay(journal.entries()))
    finally:
        lock.release()


def read_annotators(run: Path) -> dict[str, State]:
    """Annotator -> annotations, for everyone who labelled anything in the run."""
    found = {}
    for file in sorted((run / FOLDER).glob("*.jsonl")):
        found[file.stem] = _replay(iter(read_lines(file)))
    return found


def _replay(events: Iterator[Mapping[str, Any]]) -> State:
    state = State()
    for event in events:
        state.apply(event)
    return state
