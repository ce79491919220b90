"""A slow task for the cluster, and the program run on it while something is killed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Bench:
    """``slow`` on 120 questions, by subprocess: each asked question leaves a line ``pid id`` in a log."""

    def __init__(self, program: list[str], environment: dict[str, str], folder: Path, samples: int = 120) -> None:
        self.program, self.environment, self.folder, self.samples = program, environment, folder, samples
        rows = [{"estado": f"Estado {i}", "a": "x", "b": "y", "c": "z", "certa": "ABC"[i % 3]} for i in range(samples)]
        self.data = folder / "capitais.json"
        self.data.write_text(json.dumps(rows), "utf-8")
        self.log = folder / "asked.log"

    def command(self, out: str, *options: str) -> list[str]:
        model = f"slow,seconds=0.06,log={self.log}"
        common = ["--task", "capitals-pt", "--model", model, "--data", str(self.data), "--json", "--out", out]
        return [*self.program, "run", *common, *options]

    def start(self, out: str, *options: str) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            self.command(out, *options), env=self.environment, cwd=self.folder, start_new_session=True, **pipes
        )

    def whole(self) -> Path:
        """The run's folder of one process."""
        command = self.command("whole")
        subprocess.run(command, env=self.environment, cwd=self.folder, check=True, capture_output=True)
        return self.run_folder("whole")

    def run_folder(self, out: str) -> Path:
        (found,) = (self.folder / out).glob("*/*/*")
        return found

    def asked(self) -> list[tuple[int, str]]:
        lines = self.log.read_text("utf-8").splitlines() if self.log.is_file() else []
        return [(int(pid), identity) for pid, identity in (line.split() for line in lines)]

    def wait_until(self, met: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not met():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.05)


@pytest.fixture
def bench(program: list[str], environment: dict[str, str], tmp_path: Path) -> Bench:
    """The slow run."""
    pytest.importorskip("ray", reason="needs the extra 'ray'")
    return Bench(program, environment, tmp_path)


@pytest.fixture
def ended() -> Iterator[Callable[[subprocess.Popen[str]], subprocess.Popen[str]]]:
    """Processes of the test that must not outlive it, whatever fails."""
    started: list[subprocess.Popen[str]] = []

    def keep(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        started.append(process)
        return process

    yield keep
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
