"""Work made ready in a thread: same pieces, same order, same errors, nothing left running, bounded memory."""

from __future__ import annotations

import threading
import time

import pytest

from benchctl_plugins.models.engine.ahead import ahead


def test_pieces_come_in_order():
    assert list(ahead(iter(range(100)), 3)) == list(range(100))
    assert list(ahead(iter([None, [], 0]), 3)) == [None, [], 0]


def test_an_error_comes_after_the_pieces_before_it():
    def source():
        yield 1
        raise ValueError("row 2")

    pieces = ahead(source(), 3)
    assert next(pieces) == 1
    with pytest.raises(ValueError, match="row 2"):
        next(pieces)


def test_no_more_is_made_than_allowed_and_the_thread_ends_with_its_user():
    made = []

    def source():
        for i in range(1000):
            made.append(i)
            yield i

    pieces = ahead(source(), 4)
    assert next(pieces) == 0
    time.sleep(0.3)
    assert len(made) <= 7
    pieces.close()
    deadline = time.monotonic() + 5
    while any(thread.name == "benchctl-ahead" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread is still there"
        time.sleep(0.05)
