"""Runs of long answers, and judges to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from benchctl import runner
from benchctl.creation import create_task
from benchctl.plugins import get_plugins
from benchctl.records import StoredRun, find_run
from benchctl.scoring import get_scoring
from benchctl.task import Task, TaskData
from benchctl.testing import ScriptedModel
from benchctl.types import Request, Response, RunSpec, Sample

from .server import JudgeServer, Script


def verdict(intent: float, usefulness: float, coherence: float) -> str:
    points = f'"intencao": {intent}, "utilidade": {usefulness}, "coerencia": {coherence}'
    return f'{{"justificativa": "porque sim", {points}}}'


@pytest.fixture
def long_run(tmp_path: Path) -> Callable[..., StoredRun]:
    """``long_run(count)``: a finished run of long answers by a scripted model."""

    def make(count: int, *, model: str = "contestante", texts: Mapping[str, str] | None = None) -> StoredRun:
        samples = tuple(
            Sample(str(i), f"Pergunta número {i}: o que fazer?", target=f"Referência {i}: procure um médico.")
            for i in range(count)
        )

        def script(request: Request, sample: Sample) -> Response:
            return Response(text=(texts or {}).get(sample.id, f"Resposta {sample.id}: descanse."), finish_reason="stop")

        plugins = get_plugins()
        task = create_task(plugins, "long-answer-pt")
        assert isinstance(task, Task)
        spec = RunSpec("long-answer-pt", model, data="longas.json", scoring="text")
        metrics = [plugins.create("metric", "rouge_l")] if "rouge_l" in plugins.offers("metric") else []
        data = TaskData(samples, "longas.json")
        job = runner.prepare(spec, task, get_scoring(task, "text", 256), metrics, ScriptedModel(script, model), data)
        _, folder = runner.run(job, tmp_path / "runs")
        return find_run(tmp_path / "runs", str(folder.path))

    return make


@pytest.fixture
def serve_judge() -> Iterator[Callable[..., JudgeServer]]:
    """``serve_judge(script, delay=0)``: a judge behind a local API."""
    pytest.importorskip("openai", reason="needs the extra 'openai'")
    running: list[JudgeServer] = []

    def start(script: Script, delay: float = 0.0) -> JudgeServer:
        running.append(JudgeServer(script, delay))
        return running[-1]

    yield start
    for server in running:
        server.close()
