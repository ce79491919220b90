"""Small trainings for the tests of trainers, resuming and the command."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHORT = ("steps=6", "warmup=1", "evaluate_every=3", "save_every=2", "log_every=2", "rows=24", "max_length=128")
"""Changes that make a tiny recipe one of seconds."""


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A tiny recipe trained briefly in an empty working folder: ``short("tiny-lora", "steps=4", out="a")``."""
    pytest.importorskip("trl", reason="needs the extra 'train'")
    from benchctl.config import load_config
    from benchctl_plugins.training.reading import find_recipe
    from benchctl_plugins.training.running import TrainOptions, train

    monkeypatch.chdir(tmp_path)
    load_config.cache_clear()

    def call(
        name: str,
        /,
        *changes: str,
        out: str = "trainings",
        on_evaluation: Any = None,
        display: Any = None,
        **options: Any,
    ) -> Any:
        recipe = find_recipe(name, [*SHORT, *changes])
        asked = TrainOptions(out=Path(out), **{"register": False, **options})
        return train(recipe, asked, on_evaluation, display)

    return call


def lines(training: Path) -> list[dict[str, Any]]:
    """metrics.jsonl without what the clock says."""
    found = [json.loads(line) for line in (training / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in found]


def weights(training: Path) -> dict[str, str]:
    """Name -> sha256 of the result's weights and of what says how to put them on."""
    (result,) = (training / name for name in ("adapter", "model") if (training / name).is_dir())
    files = [*result.glob("*.safetensors"), *result.glob("adapter_config.json")]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}
