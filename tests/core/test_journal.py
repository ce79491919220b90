"""Every answer is a whole line on the disk, or not there at all."""

from __future__ import annotations

import json
import subprocess

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


@pytest.mark.parametrize("line", ["[" * 100_000, "[1, 2]", "7", '{"id": '])
def test_a_damaged_line_is_named_with_its_file(tmp_path, line):
    file = tmp_path / "samples.jsonl"
    file.write_text(f'{{"id": "1"}}\n{line}\n', "utf-8")
    with pytest.raises(RecordError, match=r"samples\.jsonl, line 2: damaged"):
        read_lines(file)
