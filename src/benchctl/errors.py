"""What can go wrong, in words for the person at the keyboard.

    BenchctlError            message + hint: two lines, exit 1
    |-- UnknownName          a task, model or metric that nobody offers; with did-you-mean
    |-- MissingExtra         an optional package that is not installed; with the pip line
    |-- PluginError          a plugin that broke its contract
    |-- BadConfig            benchctl.toml, an option's value or a template
    |-- BadData              a dataset or file; with file, row, column and what was expected
    |-- ModelCallError       a model that cannot be loaded or reached
    |   `-- OutOfReach       its files are not here and cannot be fetched; another time they may be
    `-- RecordError          a run folder that cannot be read or is in use

They are caught once, in :func:`benchctl.cli.main`. ``BENCHCTL_DEBUG=1`` shows the traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class BenchctlError(Exception):
    """Something the user can mend. ``message`` says what happened, ``hint`` what to do; each is one line."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownName(BenchctlError):
    """A name that no plugin offers."""

    def __init__(self, what: str, name: str, known: Iterable[str], command: str) -> None:
        super().__init__(f"There is no {what} called '{name}'.", did_you_mean(name, known, command))


class MissingExtra(BenchctlError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed.",
            f"Install it with: pip install 'benchctl[{extra}]'",
        )


class PluginError(BenchctlError):
    """A plugin broke its contract."""


DEFECT = "This is a defect of its plugin; tell its author."
"""What to do where a plugin broke its contract."""


@contextmanager
def blamed(what: str, hint: str, *passed: type[Exception]) -> Iterator[None]:
    """While open, a defect in a plugin's code is told as what failed and why, instead of by a traceback.

    Args:
        what: whose code it is and what it failed at.
        passed: errors that it may raise; those of benchctl and of the system always may.

    Raises:
        PluginError: in place of any other exception.
    """
    told: tuple[type[Exception], ...] = (BenchctlError, OSError, *passed)
    try:
        yield
    except told:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise PluginError(f"{what}: {said}.", f"{hint} BENCHCTL_DEBUG=1 shows where it failed.") from error


class BadConfig(BenchctlError):
    """A setting that cannot be used."""


class BadData(BenchctlError):
    """Data that cannot be used."""


class ModelCallError(BenchctlError):
    """A model cannot be loaded or reached."""


class OutOfReach(ModelCallError):
    """A model's files are not on this machine and cannot be fetched now; the same command may find them later."""


class RecordError(BenchctlError):
    """A run folder cannot be read or is in use."""


def did_you_mean(name: str, known: Iterable[str], command: str = "") -> str:
    """One line: the closest known names, then what lists them all (a command or a page), or else all of them."""
    import difflib

    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    suggestion = f"Did you mean {' or '.join(close)}? " if close else ""
    return suggestion + (f"'{command}' shows what there is." if command else f"Choose one of {', '.join(names)}.")
