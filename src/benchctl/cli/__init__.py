"""The command line: one file per command; errors are caught here, once."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from benchctl import __version__
from benchctl.cli.annotate import annotate
from benchctl.cli.compare import compare
from benchctl.cli.doctor import doctor
from benchctl.cli.extract import extract
from benchctl.cli.listing import list_command, plugins_command
from benchctl.cli.rescore import rescore
from benchctl.cli.run import run
from benchctl.cli.show import show
from benchctl.errors import BenchctlError
from benchctl.plugins import get_plugins
from benchctl.terminal import ready_streams, visible
from benchctl.threads import share_cores

USAGE_EXIT = 2
INTERRUPTED_EXIT = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="benchctl")
def cli() -> None:
    """Evaluate language models in Portuguese, health first: the right number, how sure it is, and nothing lost.

    \b
    Example:
      benchctl run --task medmcqa-pt --model hf:PATH --data builtin
      benchctl report
    """


for _command in (run, list_command, show, compare, rescore, annotate, extract, plugins_command, doctor):
    cli.add_command(_command)
_OWN = dict(cli.commands)


_ELSEWHERE = "Check its permissions, or give another place (--out, --runs; BENCHCTL_CACHE for the cache)."
_FULL = "Make room; the same command goes on where it stopped."
_FAILED = "Check the disk, or the network folder's connection; the same command goes on where it stopped."
_UNLOCKED = "This file system keeps no locks: give a folder on a disk of this machine (--out)."
_OF_THE_DISK = {
    errno.EACCES: _ELSEWHERE, errno.EPERM: _ELSEWHERE, errno.EROFS: _ELSEWHERE,
    errno.EEXIST: "A file stands where a folder is needed: give another place.",
    errno.ENOTDIR: "A file stands where a folder is needed: give another place.",
    errno.EISDIR: "A folder stands where a file is needed: give another place.",
    errno.ENOENT: "Check that the folder exists and can be written to.",
    errno.ENAMETOOLONG: "Give a shorter name or another place.",
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL,
    errno.ELOOP: "A link stands where a file of benchctl's own belongs, or leads in circles: delete it.",
    errno.EIO: _FAILED, errno.ESTALE: _FAILED,
    errno.ENOLCK: _UNLOCKED, errno.EOPNOTSUPP: _UNLOCKED,
    errno.EFBIG: "The file system, or a limit (ulimit -f), takes no larger file: give another place.",
}  # fmt: skip
"""What the file system refused -> what to do. Other errors of the system are shown whole, as what they are: bugs."""


_UNDECODED = re.compile('[^"]*[\udc80-\udcff][^"]*')
"""A name of the system's with bytes that are no UTF-8, as Python holds it."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The ``benchctl`` program: runs a command, turns what went wrong into two plain lines and an exit code."""
    debug = os.environ.get("BENCHCTL_DEBUG") == "1"
    ready_streams()
    share_cores()
    try:
        if sys.platform == "win32":  # its folders cannot be waited for until they are on the disk (durable.py)
            raise BenchctlError("benchctl runs on Linux and macOS.", "On Windows install and run it inside WSL.")
        cli.commands = dict(_OWN)
        get_plugins().add_commands(cli)
        code = cli.main(args=arguments, prog_name="benchctl", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "benchctl"
        _say(error.format_message(), f"'{command} --help' shows how it is used.")
        code = USAGE_EXIT
    except click.ClickException as error:
        _say(error.format_message(), "")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted.", "Run the same command again: what it had written down is kept.")
        code = INTERRUPTED_EXIT
    except BrokenPipeError:  # the reader of a pipe has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except BenchctlError as error:
        if debug:
            raise
        _say(error.message, error.hint)
        code = error.exit_code
    except UnicodeEncodeError as error:
        name = _UNDECODED.search(error.object)
        if debug or name is None:
            raise
        shown = name[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        _say(f"The name '{shown}' is no UTF-8 text, and no record can hold it.", "Rename the file or folder.")
        code = BenchctlError.exit_code
    except OSError as error:
        if debug or error.errno not in _OF_THE_DISK:
            raise
        where = f"'{error.filename}'" if error.filename else "A file"
        _say(f"{where} cannot be read or written: {error.strerror}.", _OF_THE_DISK[error.errno])
        code = BenchctlError.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str, hint: str) -> None:
    for label, text in (("error", message), ("hint", hint)):
        if text:
            print(f"{label}: {visible(' '.join(text.split()))}", file=sys.stderr)
