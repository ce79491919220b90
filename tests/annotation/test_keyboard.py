"""Keys and lines as a terminal sends them, also one that has gone."""

from __future__ import annotations

import os
import sys

import pytest

from benchctl.annotation.keyboard import Keyboard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")


def keyboard(typed: str) -> Keyboard:
    """A keyboard on which this was typed before the terminal was closed."""
    reading, writing = os.pipe()
    os.write(writing, typed.encode())
    os.close(writing)
    return Keyboard(reading)


def test_a_line_that_the_terminal_closes_on_is_left_as_with_escape():
    drawn: list[str] = []

    def echo(text: str) -> None:
        drawn.append(text)
        assert len(drawn) < 100, "a closed terminal sends nothing for ever"

    keys = keyboard("dúvida")
    assert keys.line(echo) is None  # type: ignore[arg-type]
    assert drawn[-1] == "dúvida"
    assert keys.read() == "q"


def test_a_line_ends_with_enter_and_takes_a_letter_back():
    assert keyboard("nã\x7fao sei\r").line(lambda text: None) == "nao sei"  # type: ignore[arg-type]
