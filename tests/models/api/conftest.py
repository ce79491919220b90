"""A local server in a process of its own, and the program in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran

KEY = "sk-do-not-tell-0123456789abcdef"


class Served:
    """A running server; ``url`` ends in ``/v1``."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as reply:
            return dict(json.load(reply))

    def post(self, path: str) -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", b"", timeout=10).close()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start the test server: ``serve(delay=0.05, faults=0.3)``; all are stopped at the end."""
    running: list[Served] = []

    def start(**options: object) -> Served:
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = [sys.executable, str(Path(__file__).with_name("server.py")), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        running.append(Served(process, int(process.stdout.readline())))
        return running[-1]

    yield start
    for served in running:
        served.stop()


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the program finds around it: a key, a cache of its own."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("BENCHCTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def words(model: str, *arguments: object, data: object = "builtin", limit: int = 10) -> list[str]:
    """The command line of a run of ten questions, or more, that prints its result."""
    fixed = ["run", "--task", "medmcqa-pt", "--data", str(data), "--limit", str(limit), "--json"]
    return [*fixed, "--model", model, *map(str, arguments)]


@pytest.fixture
def run(benchctl: Callable[..., Ran]) -> Callable[..., Ran]:
    """``benchctl run ... --json`` in this process, which saves its start."""
    return lambda *given, **named: benchctl(*words(*given, **named))


@pytest.fixture
def run_apart(program: list[str], tmp_path: Path) -> Callable[..., Ran]:
    """``benchctl run ... --json`` in a process of its own."""

    def call(*given: Any, **named: Any) -> Ran:
        command = [*program, *words(*given, **named)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=280)
        return Ran(done.returncode, done.stdout, done.stderr)

    return call


def result(ran: Ran) -> dict[str, Any]:
    """The one result of a run that printed it."""
    assert ran.out, ran.err
    return dict(json.loads(ran.out)[0])


def record(ran: Ran, tmp_path: Path) -> dict[str, Any]:
    """Its manifest."""
    return dict(json.loads((tmp_path / result(ran)["path"] / "run.json").read_text()))


def answers(ran: Ran, tmp_path: Path) -> list[dict[str, Any]]:
    """Its answers as written down."""
    text = (tmp_path / result(ran)["path"] / "samples.jsonl").read_text()
    return [json.loads(line) for line in text.split("\n")[:-1]]
