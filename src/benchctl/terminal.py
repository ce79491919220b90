"""What standard output and standard error take without harm, whatever is printed and wherever it goes."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchctl.errors import RecordError

_MOVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ESCAPED = "benchctl.escaped"


def ready_streams() -> None:
    """Let every character be printed, and nothing be printed into a file of ours. Call it first of all.

    A character that the encoding of a stream lacks (``LC_ALL=pt_BR.ISO-8859-1``), and half a character, which none
    has, is written as JSON escapes it: what ``--json`` prints stays JSON. Plain ASCII becomes UTF-8, as click has it
    too. A stream that was closed (``>&-``) goes to nowhere, since the next file to be opened would take its number, and
    with it all that is printed there.
    """
    codecs.register_error(_ESCAPED, _escape)
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="replace", closefd=False))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"  # nobody chose that: LC_ALL=C
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Characters as JSON escapes them: in UTF-16, so that one beyond it takes two."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)), error.end


def visible(text: str) -> str:
    """Text of others, safe to print: control characters, which could move the cursor, become their pictures; marks that
    turn the direction of writing, and could show a line as another one, become U+FFFD."""
    return _MOVING.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "\ufffd", text)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line that may hold names, questions and answers of others: on standard output, or with ``err`` error."""
    click.echo(visible(text), err=err)


def tell_left_out(path: Path, error: RecordError) -> None:
    """Say in two lines on standard error which run is left out, and why: for :func:`benchctl.records.read_runs`."""
    echo(f"warning: run {path.name} is left out: {error.message}", err=True)
    echo(f"hint: {error.hint}", err=True)
