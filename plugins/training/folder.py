"""A training is a folder, ``trainings/<recipe>/<id>/``: training.json, metrics.jsonl, checkpoints and the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchctl.errors import RecordError
from benchctl.fingerprints import digest
from benchctl.records import RunFolder, replace_file, slug

from . import checkpoints
from .checkpoints import Checkpoint
from .metrics_file import keep_until
from .recipe import Recipe

ADAPTER, MODEL = RESULTS = ("adapter", "model")
"""What may come out: an adapter's folder, or a whole model's."""
DESCRIPTIVE = ("name", "summary", "study")
"""Keys of a recipe that fix nothing of a training."""


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """Where one training is kept."""

    path: Path

    @property
    def metrics(self) -> Path:
        """One line per logged step."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where the sealed checkpoints are."""
        return self.path / "checkpoints"

    def result(self, method: str) -> Path:
        """Where the result goes."""
        return self.path / (MODEL if method == "full" else ADAPTER)

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes out; freed when this process ends, however it ends.

        Raises:
            RecordError: another process trains here.
        """
        return RunFolder(self.path).lock()

    def facts(self) -> dict[str, Any]:
        """What training.json says; empty before the first sitting.

        Raises:
            RecordError: the file is damaged.
        """
        file = self.path / "training.json"
        if not file.exists():
            return {}
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RecordError(f"{file} is damaged ({error}).", "Delete it: the checkpoints beside it count.") from error
        return found

    def save(self, facts: Mapping[str, Any]) -> None:
        """Replace training.json: a reader sees the old or the new, never half."""
        replace_file(self.path / "training.json", json.dumps(facts, ensure_ascii=False, indent=1) + "\n")

    def clean(self) -> list[str]:
        """Throw away what a killed sitting left torn, with a line for each; hold the lock."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        return checkpoints.discard_torn(self.checkpoints)

    def newest(self) -> Checkpoint | None:
        """The checkpoint to go on from; None for the beginning. One whose best checkpoint is gone will not do."""
        sealed = checkpoints.find(self.checkpoints)
        steps = {one.step for one in sealed}
        usable = [one for one in sealed if (one.state().get("best") or {}).get("step", one.step) in steps]
        return usable[-1] if usable else None

    def take_back(self, picked: Checkpoint | None) -> None:
        """Drop what was measured, and saved, after that checkpoint: it comes again."""
        step = picked.step if picked else -1
        checkpoints.drop_after(self.checkpoints, step)
        keep_until(self.metrics, step if picked else None)


def identity(recipe: Recipe, data: str, base: str, processes: int) -> str:
    """Twelve hexadecimal digits that name a training: all that fixes its result.

    Args:
        data: hash of the prepared rows, which stands for what names them.
        base: hash of the base's weights, likewise.
        processes: how many share each step: their batches add up.
    """
    said = told(recipe)
    said["model"].pop("base")
    for key in ("train", "validation"):
        said["data"].pop(key)
    return digest({"recipe": said, "data": data, "base": base, "processes": processes})[:12]


def told(recipe: Recipe) -> dict[str, Any]:
    """What the recipe fixes of a training: all but how it is called and described."""
    return recipe.model_dump(mode="json", exclude=set(DESCRIPTIVE))


def training_folder(out: Path, name: str, identity: str) -> TrainingFolder:
    """The folder of a training under ``out``."""
    return TrainingFolder(out / slug(name) / identity)
