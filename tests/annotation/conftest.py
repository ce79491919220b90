"""A run of 40 free answers of every kind, with what a careful person would say of each."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from benchctl import runner
from benchctl.annotation.items import Item, read_items
from benchctl.annotation.labels import Label
from benchctl.creation import create_task
from benchctl.plugins import get_plugins
from benchctl.records import StoredRun, find_run
from benchctl.scoring import get_scoring
from benchctl.task import Task, TaskData
from benchctl.testing import ScriptedModel
from benchctl.types import Request, Response, RunSpec, Sample

CHOICES = {"A": "Insulina", "B": "Glucagon", "C": "Cortisol", "D": "Adrenalina"}

ANSWERS = (
    ("Alternativa B", "choice B"),
    ("A resposta correta é a alternativa C.", "choice C"),
    ("Alternativa E) Somatostatina", "invented"),
    ("Não posso responder a essa pergunta.", "refusal"),
    ("Tanto a A quanto a B estão corretas.", "multiple"),
    ("O hormônio é produzido no corpo e regula funções.", "none"),
    ("Alternativa D", "choice D"),
    # What only a person reads: the rules must not guess it.
    ("Penso no pâncreas, na célula que baixa o açúcar no sangue: é esse hormônio aí.", "choice A"),
)


class FreeRun(NamedTuple):
    stored: StoredRun
    items: list[Item]
    people: dict[str, Label]
    """Sample id -> what a person says."""


def label(category: str) -> Label:
    outcome, _, option = category.partition(" ")
    return Label(outcome, option or None)


@pytest.fixture
def free_run(tmp_path: Path) -> FreeRun:
    samples = tuple(
        Sample(f"q{i}", f"Pergunta {i}: que hormônio baixa a glicemia?", CHOICES, "BCDA"[(i + i // 16) % 4])
        for i in range(40)
    )

    def script(request: Request, sample: Sample) -> Response:
        return Response(text=ANSWERS[int(sample.id[1:]) % len(ANSWERS)][0], finish_reason="stop")

    plugins = get_plugins()
    task = create_task(plugins, "medmcqa-pt")
    assert isinstance(task, Task)
    spec = RunSpec("medmcqa-pt", "scripted", data="forty.json", scoring="generate")
    scoring = get_scoring(task, "generate", 256)
    data = TaskData(samples, "forty.json")
    job = runner.prepare(spec, task, scoring, [plugins.create("metric", "accuracy")], ScriptedModel(script), data)
    _, folder = runner.run(job, tmp_path / "runs")
    stored = find_run(tmp_path / "runs", str(folder.path))
    people = {s.id: label(ANSWERS[int(s.id[1:]) % len(ANSWERS)][1]) for s in samples}
    return FreeRun(stored, read_items(stored), people)
