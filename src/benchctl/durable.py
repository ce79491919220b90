"""What a power cut does not take: waiting until files, and folders' lists of names, are on the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NOT_OF_FOLDERS = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)
"""How file systems (shared and network folders of many kinds) say that a list of names cannot be waited for."""


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk.

    Raises:
        OSError: it cannot be put there. That a file system does not know the question for a folder is no error: it
            writes names down when it will.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NOT_OF_FOLDERS or not path.is_dir():
            raise
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait for all that lies below a folder, and for the folder itself."""
    for path in (*folder.rglob("*"), folder):
        if path.is_file() or path.is_dir():
            sync(path)
