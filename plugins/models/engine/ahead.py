"""Getting the next pieces of work ready, in a thread, while the model is busy with the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 0.2
"""Seconds after which a blocked producer looks whether anyone still wants its pieces."""


def ahead(source: Iterator[T], depth: int) -> Iterator[T]:
    """What ``source`` yields, up to ``depth`` pieces of it made before they are asked for.

    An error in ``source`` is raised here, after the pieces before it.
    """
    pieces: Queue[tuple[T] | BaseException | None] = Queue(depth)
    stopped = Event()

    def put(piece: tuple[T] | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                pieces.put(piece, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            if all(put((piece,)) for piece in source):
                put(None)
        except BaseException as error:  # handed over whatever it is: the consumer's thread is where errors belong
            put(error)

    Thread(target=make, name="benchctl-ahead", daemon=True).start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece[0]
    finally:
        stopped.set()
