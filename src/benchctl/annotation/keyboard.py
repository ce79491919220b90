"""One key at a time from a terminal, over ssh as well as locally."""

from __future__ import annotations

import codecs
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchctl.errors import BadConfig

CTRL_C, CTRL_D, ESCAPE = "\x03", "\x04", "\x1b"


class Keyboard:
    """Reads keys while the terminal neither echoes nor waits for Enter. Arrows and the like are read and dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """The next character; Ctrl-C raises KeyboardInterrupt, a closed terminal counts as ``q``."""
        while True:
            byte = os.read(self._descriptor, 1)
            if not byte:
                return "q"
            key = self._decoder.decode(byte)
            if key == CTRL_C:
                raise KeyboardInterrupt
            if key == CTRL_D:
                return "q"
            if key == ESCAPE:
                self._drop_sequence()
            elif key:
                return key

    def line(self, echo: Echo) -> str | None:
        """A line of text, echoed as it is typed; Enter ends it, Escape or a closed terminal gives None."""
        text = ""
        while True:
            byte = os.read(self._descriptor, 1)
            if not byte:
                return None
            key = self._decoder.decode(byte)
            if key == CTRL_C:
                raise KeyboardInterrupt
            if key == ESCAPE:
                self._drop_sequence()
                return None
            if key in ("\r", "\n", CTRL_D):
                return text
            if key in ("\x7f", "\b"):
                text = text[:-1]
            elif key.isprintable():
                text += key
            echo(text)

    def _drop_sequence(self) -> None:
        """What a special key sends after Escape comes at once; a person's next key does not."""
        while select.select([self._descriptor], [], [], 0.02)[0]:
            byte = os.read(self._descriptor, 1)
            if not byte or byte.isalpha() or byte == b"~":
                return


class Echo:
    """Shows a line being typed."""

    def __init__(self, label: str) -> None:
        self._label = label
        self("")

    def __call__(self, text: str) -> None:
        """Draw it again."""
        sys.stdout.write(f"\r\x1b[K{self._label}{text}")
        sys.stdout.flush()


@contextmanager
def open_keyboard() -> Iterator[Keyboard]:
    """The keyboard of the terminal this process runs in, which gets its own ways back at the end.

    Raises:
        BadConfig: standard input is no terminal, or the system has none of this kind.
    """
    try:
        import termios
        import tty
    except ImportError as error:
        raise BadConfig(
            "'annotate' needs a POSIX terminal.", "On Windows use WSL, or label in a CSV and --import it."
        ) from error
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadConfig("'annotate' needs a terminal.", "Label in a spreadsheet instead: --export, then --import.")
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # not FLUSH: keys typed while the run was being read count
        yield Keyboard(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
