"""Small pieces the core's tests are made of: a task in memory, and jobs for the runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchctl.metric import Metric
from benchctl.model import Model
from benchctl.plugins import get_plugins
from benchctl.runner import Job, prepare
from benchctl.scoring import get_scoring
from benchctl.task import Task, TaskData
from benchctl.types import RunSpec, Sample


def make_samples(count: int) -> tuple[Sample, ...]:
    """Questions whose right answers go round A, B, C, D."""
    choices = {letter: f"opção {letter.lower()}" for letter in "ABCD"}
    return tuple(Sample(str(i), f"Pergunta número {i}?", choices, "ABCD"[i % 4]) for i in range(count))


class MemoryTask(Task):
    """Samples given by the test."""

    name = "memory"
    title = "Memory"

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self.data = TaskData(samples, "memory")

    def shots(self, source: str) -> tuple[Sample, ...]:
        choices = {letter: f"exemplo {letter.lower()}" for letter in "ABCD"}
        return tuple(Sample(f"shot{i}", f"Exemplo {i}?", choices, "ABCD"[i % 4]) for i in range(8))


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """``job(model, samples=20, scoring="letter", **spec)``: a prepared run of a task in memory."""

    def make(model: Model, samples: int | tuple[Sample, ...] = 20, scoring: str = "letter", **spec: object) -> Job:
        task = MemoryTask(make_samples(samples) if isinstance(samples, int) else samples)
        metrics: list[Metric] = [get_plugins().create("metric", name) for name in task.metrics]
        rule = get_scoring(task, scoring, 64)
        full = RunSpec("memory", model.name, data="memory", scoring=scoring, **spec)
        return prepare(full, task, rule, metrics, model, task.data)

    return make
