"""The result of a training: its folder, and the summary that travels with it into every run's record."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.durable import sync, sync_tree

from . import checkpoints, metrics_file
from .folder import TrainingFolder
from .recipe import Recipe
from .refusals import LORA

if TYPE_CHECKING:
    from ..models.hf import HFModel


_KEPT = ("adapter_config.json", "adapter_model.safetensors", "config.json", "generation_config.json")
"""Of a checkpoint, besides a whole model's weights; the trainer's own files stay behind."""
_WEIGHTS = re.compile(r"model.*\.(safetensors|safetensors\.index\.json)")
_TRAVELS = ("recipe", "method", "objective", "base", "base_weights", "quant", "data", "parameters", "losses", "chosen",
            "steps", "epochs", "seconds", "peak_bytes", "tokens_per_second")  # fmt: skip


def losses(curves: Mapping[str, metrics_file.Curve], step: int) -> dict[str, float | None]:
    """Training loss at the end, validation loss of the weights that were chosen and before the first step."""
    train, validation = curves["train"], dict(curves["validation"])
    return {
        "train": train[-1][1] if train else None,
        "validation": validation.get(step),
        "validation_before": validation.get(0),
    }


def summary(facts: Mapping[str, Any], metrics: Path) -> dict[str, Any]:
    """What of training.json travels with the result: no path and no name of this machine."""
    found = {"schema": 1, **{name: facts[name] for name in _TRAVELS}, "settings": _settings(facts)}
    drawn = metrics_file.curves(metrics, metrics_file.POINTS)
    return {**found, "curves": {name: drawn[name] for name in drawn if name not in ("learning_rate", "score")}}


def _settings(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What of the recipe a reader of results asks for first; nothing of it names a place on this machine."""
    recipe: Mapping[str, Mapping[str, Any]] = facts["settings"]
    of_lora = facts["method"] in LORA
    adapter = ("r", "alpha", "dropout", "targets", "init") if of_lora else ()
    own = ("virtual_tokens",) if facts["method"] == "prompt" else ("targets",) if facts["method"] == "ia3" else ()
    training = ("learning_rate", "schedule", "warmup", "batch", "accumulation", "optimizer", "weight_decay",
                *(("beta",) if facts["objective"] == "dpo" else ()), "seed")  # fmt: skip
    return {
        **{name: recipe["adapter"][name] for name in (*adapter, *own)},
        **{name: recipe["training"][name] for name in training},
        **{name: recipe["data"][name] for name in ("max_length", "packing")},
    }


def write_result(folder: TrainingFolder, recipe: Recipe, model: HFModel, facts: Mapping[str, Any]) -> Path:
    """Put the chosen checkpoint's weights, the tokenizer and the cards together, under their name only when whole.

    Args:
        facts: those of training.json; ``chosen`` names the checkpoint.

    Returns:
        The result's folder.
    """
    from ..models import adapters

    place = folder.result(recipe.method)
    draft = place.with_name(f".{place.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    chosen = folder.checkpoints / f"{checkpoints.PREFIX}{facts['chosen']['step']}"
    for file in sorted(chosen.iterdir()):
        if file.name in _KEPT or _WEIGHTS.fullmatch(file.name):
            shutil.copyfile(file, draft / file.name)
    model.tokenizer.save_pretrained(draft)
    quant = None if recipe.model.quant == "none" else recipe.model.quant
    if recipe.method == "full":
        _rewrite(draft / "config.json", lambda content: content.pop("use_cache", None))  # off while training
    else:
        label = model.weights.label_of_base
        _rewrite(draft / "adapter_config.json", lambda content: _tidy(content, label))
        adapters.write_card(draft, label, model.folder, quant)
    _write(draft / adapters.SUMMARY, summary(facts, folder.metrics))
    sync_tree(draft)
    shutil.rmtree(place, ignore_errors=True)
    draft.rename(place)
    sync(folder.path)
    return place


def _tidy(content: dict[str, Any], base: str) -> None:
    """No path of this machine, and no order that changes from one process to the next: peft writes sets."""
    content["base_model_name_or_path"] = base
    for name in ("target_modules", "feedforward_modules", "exclude_modules", "modules_to_save"):
        if isinstance(content.get(name), list):
            content[name] = sorted(content[name])


def _rewrite(file: Path, change: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    _write(file, content)


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
