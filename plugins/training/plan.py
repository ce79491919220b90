"""What a recipe would do, said before anything is trained: ``benchctl train --dry-run``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import footprint
from .activations import Uncountable
from .architectures import Architecture, architecture
from .footprint import Memory, Parameters
from .recipe import Recipe
from .refusals import LORA
from .wording import some

if TYPE_CHECKING:
    from .prepare import Prepared

REPORTED: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(
        ("zephyr-qlora-v1", "gpt2-qlora-v1", "distilgpt2-qlora-v1"), (19_000, "19 thousand, as S1 reports")
    ),
    **dict.fromkeys(
        ("zephyr-qlora-v2", "zephyr-qlora", "gpt2-qlora-v2", "distilgpt2-qlora-v2"),
        (53_000, "53 thousand, as S1 reports"),
    ),
    **dict.fromkeys(
        ("zephyr-cosmosqa-v1", "zephyr-cosmosqa-v2", "zephyr-cosmosqa-v3", "zephyr-gptq-cosmosqa"),
        (35_600, "35.6 thousand with all splits, as S2 reports"),
    ),
    "llama2-gptq-dpo-medtext": (1_412, "1412, as S3 reports"),
    **dict.fromkeys(
        ("t5-tweetsumm-full", "t5-tweetsumm-lora", "t5-tweetsumm-qlora", "t5-tweetsumm-ia3"),
        (879, "879, as S4 reports"),
    ),
}
"""Recipe -> rows its study reports to have trained on, for when the data are not at hand; and how to say it."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long the training is. None where it hangs on data that are not at hand."""

    steps: int | None
    epochs: float | None
    rows: int | None
    rows_said: str
    exact: bool
    """Counted on the data; otherwise reckoned from what the study reports, or not known."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe with everything that can be known of it beforehand."""

    recipe: Recipe
    base: Architecture | None
    """None: neither its files nor its numbers are known here."""
    parameters: Parameters | None
    memory: Memory | None
    length: Length
    data: Mapping[str, Any]
    """What prepare.py counted; empty when the data are not at hand."""
    data_lines: tuple[str, ...]
    step_seconds: float | None
    """Of one optimiser step, measured here."""

    @property
    def seconds(self) -> float | None:
        """Of all steps at the measured rate, without evaluations."""
        return None if self.step_seconds is None or self.length.steps is None else self.step_seconds * self.length.steps

    def lines(self) -> list[str]:
        """For a person."""
        from .plan_text import lines

        return lines(self)

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        m, p, n = self.memory, self.parameters, self.length
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "base": None if self.base is None else {
                "name": self.base.name, "type": self.base.model_type, "at_hand": self.base.at_hand,
            },
            "parameters": None if p is None else {"all": p.all, "trainable": p.trainable, "share": p.share},
            "memory": None if m is None else {
                "estimate": True, "device": m.device, "total_bytes": m.total, "weights_bytes": m.weights,
                "gradients_bytes": m.gradients, "optimizer_bytes": m.optimizer, "activations_bytes": m.activations,
            },
            "steps": n.steps, "epochs": n.epochs, "rows": n.rows, "rows_said": n.rows_said, "exact": n.exact,
            "data": dict(self.data) or None,
            "step_seconds": self.step_seconds, "seconds": self.seconds,
        }  # fmt: skip


def make_plan(recipe: Recipe, prepared: Prepared | None = None, measure: bool = True) -> Plan:
    """What the recipe would do.

    Args:
        prepared: its data as tokens; None when they or the base are not at hand.
        measure: time a few steps where base and data are at hand.

    Raises:
        BadConfig: the base does not take the recipe.
        BenchctlError: the base is at hand and cannot be loaded.
    """
    found = architecture(recipe.model.base)
    report = prepared.report if prepared is not None else None
    model = footprint.adapted(recipe, found) if found else None
    seconds = None
    if measure and prepared is not None and found is not None and found.at_hand:
        from .rate import step_seconds

        seconds = step_seconds(recipe, prepared)
    return Plan(
        recipe=recipe,
        base=found,
        parameters=footprint.parameters(model) if found else None,
        memory=_memory(recipe, found, model) if found else None,
        length=length(recipe, prepared),
        data=report.as_json() if report else {},
        data_lines=tuple(report.lines()) if report else (),
        step_seconds=seconds,
    )


def length(recipe: Recipe, prepared: Prepared | None) -> Length:
    """Steps and epochs on one device, as transformers' trainer counts them: a last, smaller batch is a batch, and an
    epoch's last, smaller group of batches a step."""
    rows, said, exact = None, "not known: the data are not at hand", prepared is not None
    if prepared is not None:
        rows = len(prepared.train)
        said = str(rows)
    elif (counted := _counted(recipe)) is not None:
        rows, said = counted, f"{counted}; not tokenised, since the base is not at hand"
    elif (reported := _reported(recipe)) is not None:
        rows, said = reported[0], f"{reported[1]}; the data are not at hand"
    if prepared is not None and recipe.data.packing:  # trl joins rows when training begins; no better than this
        rows = math.ceil(prepared.report.tokens / recipe.data.max_length)
        said, exact = f"{prepared.report.rows}, packed into about {rows}", False
    if rows is None:
        return Length(recipe.training.steps, recipe.training.epochs, None, said, False)
    an_epoch = steps_per_epoch(rows, recipe.training.batch, recipe.training.accumulation)
    steps = recipe.training.steps or math.ceil((recipe.training.epochs or 0) * an_epoch)
    return Length(steps, recipe.training.epochs or steps / an_epoch, rows, said, exact)


def steps_per_epoch(rows: int, batch: int, accumulation: int) -> int:
    """Optimiser steps in which all rows are seen once."""
    return max(math.ceil(math.ceil(rows / batch) / accumulation), 1)


def _counted(recipe: Recipe) -> int | None:
    """Rows of data that are at hand; None when they are not."""
    from .prepare import read_parts
    from .sources import Unreachable

    try:
        return len(read_parts(recipe).train)
    except Unreachable:  # said in the plan, with what the study reports
        return None


def _reported(recipe: Recipe) -> tuple[int, str] | None:
    """What the study reports, where the recipe still trains on the study's data."""
    from .reading import find_recipe

    known = REPORTED.get(recipe.name)
    if known is None or find_recipe(recipe.name).data.train != recipe.data.train:
        return None
    return (min(known[0], recipe.data.rows), known[1]) if recipe.data.rows else known


def _memory(recipe: Recipe, found: Architecture, model: Any) -> Memory | None:
    """The estimate; None, which the plan says, for an architecture that cannot be walked through without weights."""
    try:
        return footprint.memory(recipe, found, model, _on_gpu(recipe, found))
    except Uncountable:
        return None


def _on_gpu(recipe: Recipe, found: Architecture) -> bool:
    """Where it would be trained: as the recipe says, else here; a base that is not here is for another machine."""
    if recipe.model.device != "auto":
        return recipe.model.device != "cpu"
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available() or not found.at_hand


def adapter_said(recipe: Recipe, found: Architecture | None) -> str:
    """What is learnt, with every figure."""
    from .methods import targets

    adapter = recipe.adapter
    if recipe.method == "full":
        return "none: every weight is trained"
    if recipe.method == "prompt":
        return f"{some(adapter.virtual_tokens, 'vector')} in front of the text"
    layers: Any = adapter.targets
    if layers == "auto" and found is not None:
        layers = targets(recipe, found.model_type)
    where = f"on {layers if isinstance(layers, str) else ', '.join(layers)}"
    if recipe.method not in LORA:
        return where
    scaled = ", rank-stabilised" if adapter.rslora else ""
    return f"r {adapter.r}, alpha {adapter.alpha:g}, dropout {adapter.dropout:g}, init {adapter.init}{scaled}, {where}"
