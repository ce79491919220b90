"""The durable list of answers: one JSON line per answered sample, on disk within half a second."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchctl.errors import RecordError

SYNC_SECONDS = 0.5
"""Longest time a written line waits for fsync; a power cut loses no more than this."""


class Journal:
    """Appends lines to ``samples.jsonl``. Each line reaches the file at once and the disk within half a second.

    A thread does the fsync, since a model may be silent for a minute after its last answer. Where it fails, as it does
    where a network folder finds only then that it is full, the next :meth:`append` or the end raises that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = _drop_torn_line(path)
        self._file = path.open("ab", buffering=0)
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._failed: OSError | None = None
        self._thread = threading.Thread(target=self._sync_loop, name="journal", daemon=True)
        self._thread.start()

    def entries(self) -> Iterator[Mapping[str, Any]]:
        """Lines that were there when the journal was opened, in their order."""
        yield from self._lines

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one line.

        Raises:
            OSError: it cannot be written, or an earlier one did not reach the disk.
        """
        self._check()
        left = memoryview((json.dumps(entry, ensure_ascii=False) + "\n").encode())
        while left:  # a disk that is all but full takes a part, and says so only the next time
            left = left[self._file.write(left) :]
        self._dirty.set()

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        os.fsync(self._file.fileno())
        self._check()

    def _check(self) -> None:
        """The system says only once that it could not keep lines: who asks again hears that all is well."""
        if self._failed is not None:
            raise self._failed

    def _sync_loop(self) -> None:
        while not self._closed.wait(SYNC_SECONDS):
            if self._dirty.is_set():
                self._dirty.clear()
                try:
                    os.fsync(self._file.fileno())
                except OSError as error:
                    self._failed = error
                    return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()
        try:
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        if error is None:
            self._check()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal; a torn last one is left out.

    Raises:
        RecordError: a line that is no JSON object before the last one: the file was damaged.
    """
    if not path.exists():
        return []
    pieces = path.read_bytes().split(b"\n")
    lines = []
    for number, text in enumerate(pieces[:-1], 1):  # what follows the last line end is empty or torn
        try:
            line = json.loads(text)
            if not isinstance(line, dict):
                raise ValueError("no object")
        except (ValueError, RecursionError) as error:  # nested thousands deep
            raise RecordError(
                f"{path}, line {number}: damaged ({error}).", "Delete that line: its sample will be asked again."
            ) from error
        lines.append(line)
    return lines


def _drop_torn_line(path: Path) -> list[dict[str, Any]]:
    """Cut what a killed process left half written, and give the whole lines."""
    lines = read_lines(path)
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
    return lines
