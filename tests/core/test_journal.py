"""Every answer is a whole line on the disk, or not there at all."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import threading
import time

import pytest

from benchctl.errors import RecordError
from benchctl.journal import Journal, read_lines


def test_a_disk_that_fills_up_leaves_whole_lines_and_no_drafts(tmp_path, program):
    command = [*program, "run", "--task", "medmcqa-pt", "--model", "random", "--data", "builtin", "--json"]
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", *command]
    full = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True)
    assert full.returncode == 1
    error, _hint = [line for line in full.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert "File too large" in error
    assert "Traceback" not in full.stderr
    report = subprocess.run([*limited[:4], *program, "report"], cwd=tmp_path, capture_output=True, text=True)
    assert "'report.html' cannot be written: File too large." in report.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["runs"], "half a draft was left on the full disk"
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (result,) = json.loads(again.stdout)
    assert (result["status"], result["counts"]["answered"]) == ("complete", 24)
    (journal,) = tmp_path.rglob("samples.jsonl")
    assert len({json.loads(line)["id"] for line in journal.read_text("utf-8").splitlines()}) == 24


def test_a_line_that_the_disk_takes_in_parts_is_written_whole(tmp_path, monkeypatch):
    with Journal(tmp_path / "samples.jsonl") as journal:
        whole = journal._file
        monkeypatch.setattr(journal, "_file", InParts(whole))
        journal.append({"id": "1", "text": "coração" * 9})
        journal.append({"id": "2"})
        monkeypatch.setattr(journal, "_file", whole)
    assert [line["id"] for line in read_lines(tmp_path / "samples.jsonl")] == ["1", "2"]


class InParts:
    """A file that takes seven bytes at a time, as a disk that is nearly full may."""

    def __init__(self, file):
        self._file = file

    def write(self, data):
        return self._file.write(bytes(data[:7]))

    def fileno(self):
        return self._file.fileno()


@pytest.mark.parametrize("at", ["the next line", "the end"])
def test_lines_that_a_network_folder_could_not_keep_stop_the_run_although_it_says_so_only_once(
    tmp_path, monkeypatch, at
):
    told = threading.Event()

    def once(number):
        if threading.current_thread().name == "journal":
            told.set()
            raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr("os.fsync", once)
    with pytest.raises(OSError, match="quota"), Journal(tmp_path / "samples.jsonl") as journal:
        journal.append({"id": "1"})
        assert told.wait(10)
        if at == "the next line":
            while not journal._failed:
                time.sleep(0.01)
            journal.append({"id": "2"})
            pytest.fail("went on")


RUN = ("run", "--task", "cosmosqa-pt", "--model", "longest", "--data", "builtin")


def refusing(number, folders):
    real = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode) is folders:
            raise OSError(number, os.strerror(number))
        real(handle)

    return fsync


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_wait_for_names_of_files_takes_runs(benchctl, monkeypatch, number):
    monkeypatch.setattr("os.fsync", refusing(number, folders=True))
    assert benchctl(*RUN).code == 0


def test_a_failing_disk_or_network_folder_and_one_without_locks_are_told_in_two_lines(benchctl, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", refusing(errno.EIO, folders=False))
        failed = benchctl(*RUN)
    assert failed.code == 1 and "Input/output error" in failed.err and "the same command goes on" in failed.err
    with monkeypatch.context() as patched:
        patched.setattr("fcntl.flock", lambda handle, how: refusing(errno.ENOLCK, folders=False)(handle))
        failed = benchctl(*RUN)
    assert failed.code == 1 and "keeps no locks: give a folder on a disk of this machine" in failed.err
    assert benchctl(*RUN).code == 0


@pytest.mark.parametrize("line", ["[" * 100_000, "[1, 2]", "7", '{"id": '])
def test_a_damaged_line_is_named_with_its_file(tmp_path, line):
    file = tmp_path / "samples.jsonl"
    file.write_text(f'{{"id": "1"}}\n{line}\n', "utf-8")
    with pytest.raises(RecordError, match=r"samples\.jsonl, line 2: damaged"):
        read_lines(file)
