"""What torch and safetensors say of a disk that takes no more, as Python would say it."""

from __future__ import annotations

import errno

import pytest

from benchctl_plugins.models.disk import writing


def test_a_full_disk_is_said_as_pythons_own_error(tmp_path):
    with pytest.raises(OSError, match="No space left") as told, writing(tmp_path):
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert (told.value.errno, told.value.filename) == (errno.ENOSPC, str(tmp_path))


@pytest.mark.parametrize(
    "said",
    [
        "No such file or directory (os error 2)",  # of a base that is gone, and not of this folder
        "Cannot allocate memory (os error 12)",
        "unexpected pos 128 vs 64",  # there is room in the folder: it was something else
        "mat1 and mat2 shapes cannot be multiplied",
    ],
)
def test_any_other_error_stays_what_it_is(tmp_path, said):
    with pytest.raises(RuntimeError) as told, writing(tmp_path):
        raise RuntimeError(said)
    assert str(told.value) == said
