"""Real run folders of real tasks whose answers a test decides; no weights are involved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchctl import runner
from benchctl.creation import create_metrics, create_task
from benchctl.model import Model
from benchctl.plugins import get_plugins
from benchctl.records import StoredRun
from benchctl.scoring import get_scoring
from benchctl.testing import ScriptedModel
from benchctl.types import ChoiceScore, Perplexity, Request, Response, RunSpec, Sample

Script = Callable[[Request, Sample], Response]


class Said(ScriptedModel):
    """A scripted model with a manifest of its own."""

    def __init__(self, name: str, script: Script, manifest: Mapping[str, Any]) -> None:
        super().__init__(script, name)
        self._manifest = manifest

    def manifest(self) -> Mapping[str, Any]:
        """As given."""
        return self._manifest


def run(
    out: Path, task: str, name: str, script: Script, manifest: Mapping[str, Any] | None = None, **spec: Any
) -> StoredRun:
    """Run a task's built-in sample and write the folder down as ``benchctl run`` does."""
    plugins = get_plugins()
    made = create_task(plugins, task)
    rule = get_scoring(made, spec.pop("scoring", None), 64)
    model: Model = Said(name, script, manifest or {})
    full = RunSpec(task, name, data="builtin", scoring=rule.name, **spec)
    job = runner.prepare(full, made, rule, create_metrics(plugins, made), model, made.load("builtin"))
    record, folder = runner.run(job, out)
    return StoredRun(record, folder.path)


def right_in(places: range | set[int], label: str = "") -> Script:
    """Right in the questions at these places of the sample (from 1, as its ids count), wrong in the others."""

    def script(request: Request, sample: Sample) -> Response:
        right = int(sample.id.rsplit("-", 1)[1]) in places
        taken = sample.target if right else next(k for k in sample.choices if k != sample.target)
        return Response(tuple(ChoiceScore(-1.0 if k == taken else -2.0, 1, 1) for k in sample.choices))

    return script


def surprised(bits: Callable[[Sample], float]) -> Script:
    """Gives every text so many bits per byte, at four bytes a token."""

    def script(request: Request, sample: Sample) -> Response:
        assert isinstance(request, Perplexity)
        size = len(request.text.encode())
        return Response(nats=-bits(sample) * size * 0.6931471805599453, tokens=-(-size // 4), bytes=size)

    return script
