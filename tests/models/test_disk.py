"""What torch and safetensors say of a disk that takes no more, as Python would say it."""

from __future__ import annotations

import errno
import subprocess

import pytest

from benchctl_plugins.models import quantize, tiny
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


@pytest.mark.parametrize(
    "said", ["OSError: [Errno 28] No space left on device", "Exception: No space left on device (os error 28)"]
)
def test_the_process_that_quantises_says_so_with_its_last_words(tmp_path, monkeypatch, said):
    pytest.importorskip("gptqmodel", reason="needs the extra 'gptq'")
    full = subprocess.CompletedProcess([], 1, "", f"Traceback (most recent call last):\n  ...\n{said}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: full)
    with pytest.raises(OSError, match="No space left") as told:
        quantize.to_gptq(tmp_path, tmp_path / "out", ["a"], 4, 128, "cpu")
    assert told.value.filename == str(tmp_path / "out")


def test_a_tiny_model_that_the_cache_has_no_room_for_leaves_nothing_there(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHCTL_CACHE", str(tmp_path))

    def make(folder):
        folder.mkdir(parents=True)
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(OSError, match="No space left"):
        tiny.made("tiny", make)
    assert not list((tmp_path / "tiny").iterdir())
