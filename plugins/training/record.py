"""training.json: everything that says what a training was and how far it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.manifest import hardware, versions

from ..models.hf_load import weights_hash
from . import metrics_file
from .folder import TrainingFolder
from .recipe import Recipe
from .summary import losses
from .watch import Watch, peak_bytes

if TYPE_CHECKING:
    from ..models.hf import HFModel
    from .prepare import Prepared


class Record:
    """Writes training.json while a training runs, over all its sittings."""

    def __init__(self, folder: TrainingFolder, watch: Watch, fixed: Mapping[str, Any]) -> None:
        self.folder, self.watch, self._fixed = folder, watch, dict(fixed)
        self._earlier = folder.facts()
        self._began = time.perf_counter()

    def set(self, **facts: Any) -> None:
        """What is known by now: parameters, planned steps, ..."""
        self._fixed |= facts

    def save(self, status: str, step: int, epochs: float, **more: Any) -> dict[str, Any]:
        """Write down how it stands.

        Args:
            status: ``running``, ``complete``, ``stopped`` or ``interrupted``.
            step: optimiser steps done.
            epochs: passes over the training rows done.
        """
        earlier = self._earlier
        peak, measured = peak_bytes(self._fixed["device"])
        watched = self.watch.step_seconds
        tokens = self.watch.tokens * int(self._fixed["processes"])  # each process has batches of about the same size
        curves = metrics_file.curves(self.folder.metrics)
        chosen = more.get("chosen") or {"step": step}
        facts = {
            **self._fixed, "status": status, "steps": step, "epochs": round(epochs, 4),
            "losses": losses(curves, chosen["step"]),
            "started": earlier.get("started") or self._fixed["started"], "finished": now(),
            "seconds": round(float(earlier.get("seconds", 0)) + time.perf_counter() - self._began, 3),
            "sittings": int(earlier.get("sittings", 0)) + 1,
            "peak_bytes": max(peak, int(earlier.get("peak_bytes", 0))), "peak_measured_by": measured,
            "tokens": tokens, "step_seconds": watched,
            "tokens_per_second": round(tokens / watched, 1) if watched else None,
            **more, "curves": curves,
        }  # fmt: skip
        self.folder.save(facts)
        return facts


def fixed_facts(
    recipe: Recipe, identity: str, name: str, model: HFModel, prepared: Prepared, processes: int
) -> dict[str, Any]:
    """What does not change while it runs."""
    report, leaks = prepared.report.as_json(), prepared.report.guard.trained_on
    source = str(report["source"])
    return {
        "schema": 1, "id": identity, "name": name, "recipe": recipe.name, "method": recipe.method,
        "objective": recipe.objective, "settings": recipe.model_dump(mode="json"),
        "base": _named(recipe, model), "base_hash": model.weights.base_hash,
        "base_weights": weights_hash(model.folder, model.settings.allow_pickle), "quant": recipe.model.quant,
        "data": {
            "source": _nameless(source), "rows": report["rows"],
            "validation_rows": report["validation_rows"], "hash": prepared.hash,
            **({"leaks": dict(leaks)} if leaks else {}),
        },
        "data_report": report, "device": model.device, "dtype": model.dtype, "processes": processes,
        "versions": versions_here(), "hardware": hardware(), "started": now(),
    }  # fmt: skip


def _nameless(source: str) -> str:
    """Where rows came from; of a path from the root its last part, which says nothing of this machine."""
    kind, path = ("hub:", source.removeprefix("hub:")) if source.startswith("hub:") else ("", source)
    return kind + (Path(path).name if Path(path).is_absolute() else path)


def _named(recipe: Recipe, model: HFModel) -> str:
    """The base as the recipe calls it; of a folder its last part, which says less of the machine."""
    base = recipe.model.base
    given = base.startswith("hf:") or Path(base).expanduser().is_dir()
    return model.weights.label_of_base if given else base


def versions_here() -> dict[str, str]:
    """Of everything that can change a training: what can change a run, and trl."""
    return versions("trl")


def parameters(model: Any) -> dict[str, Any]:
    """All parameters, adapter included, those that are trained, and their share."""
    from ..models.quantization import count_parameters

    total = count_parameters(model)
    trainable = sum(int(one.numel()) for one in model.parameters() if one.requires_grad)
    return {"all": total, "trainable": trainable, "share": trainable / total}


def now() -> str:
    """UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
