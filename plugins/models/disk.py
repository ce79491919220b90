"""A disk that takes no more, said as Python says it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

_NUMBERED = re.compile(r"(?:\bos error |\[Errno )(\d+)\b")
"""The system's number, in what safetensors raises or another process says at its end."""
_TORCH = re.compile(r"unexpected pos \d+ vs \d+|file write failed")
"""What torch's archives raise, without the reason."""
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What the system says to a write alone: a file that safetensors cannot open to read is another one's."""


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Around whatever saves weights below a folder: torch and safetensors write past Python, and what they raise is no
    OSError, which would be told in two lines.

    Raises:
        OSError: the system's own reason; any other error goes through as it is.
    """
    try:
        yield
    except Exception as error:
        refused = None if isinstance(error, OSError) else _reason(error, folder)
        if refused is None:
            raise
        raise OSError(refused, os.strerror(refused), str(folder)) from error


def refused(said: str) -> int | None:
    """The system's number for a disk that takes no more, in an error's text; None where it says something else."""
    found = _NUMBERED.search(said)
    return number if found and (number := int(found[1])) in _REFUSALS else None


def _reason(error: Exception, folder: Path) -> int | None:
    """The system's number for a write that failed; None for another error."""
    if _NUMBERED.search(str(error)):
        return refused(str(error))
    if not _TORCH.search(str(error)):
        return None
    try:
        with tempfile.TemporaryFile(dir=folder) as file:  # the torn archive still lies there: the system says it again
            file.write(bytes(2**20))
    except OSError as again:
        return again.errno
    return None
