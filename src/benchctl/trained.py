"""How a model was trained, as its runs record it: ``RunRecord.model["training"]``, read with care."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchctl.types import RunRecord

Point = tuple[float, float]
"""Step and value."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training left in the records of its model. Everything may be missing: files are copied and edited."""

    recipe: str = ""
    method: str = ""
    objective: str = ""
    base: str = ""
    quant: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """``source``, ``rows``, ``validation_rows``, ``hash``."""
    leaks: Mapping[str, float] = field(default_factory=dict)
    """Task -> rows trained on that hold one of its test questions."""
    parameters: float | None = None
    """All parameters, the adapter's included."""
    trainable: float | None = None
    share: float | None = None
    """Trainable over all, from 0 to 1."""
    losses: Mapping[str, float] = field(default_factory=dict)
    """``train``, ``validation``, ``validation_before``."""
    chosen_step: float | None = None
    chosen_by: str = ""
    """``validation_loss``, ``last`` or the task whose score chose; empty in records before there was such an entry."""
    chosen_why: str = ""
    """The same in English words."""
    chosen_value: float | None = None
    steps: float | None = None
    epochs: float | None = None
    seconds: float | None = None
    peak_bytes: float | None = None
    tokens_per_second: float | None = None
    curves: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    """``train`` and ``validation`` losses, and DPO's ``margin`` and ``accuracy``; empty ones are left out."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The recipe's parameters, such as ``r`` and ``learning_rate``."""


def trained(model: Mapping[str, Any]) -> Trained | None:
    """How the model of a record was trained; None where its record says nothing of a training.

    Args:
        model: ``RunRecord.model``.
    """
    said = model.get("training")
    if not isinstance(said, Mapping) or not said:
        return None
    parameters, chosen = _table(said, "parameters"), _table(said, "chosen")
    curves = {name: _points(points) for name, points in _table(said, "curves").items()}
    return Trained(
        recipe=_text(said, "recipe"),
        method=_text(said, "method"),
        objective=_text(said, "objective"),
        base=_text(said, "base"),
        quant=_text(said, "quant"),
        data=_table(said, "data"),
        leaks=_numbers(_table(said, "data"), "leaks"),
        parameters=_number(parameters, "all"),
        trainable=_number(parameters, "trainable"),
        share=_number(parameters, "share"),
        losses=_numbers(said, "losses"),
        chosen_step=_number(chosen, "step"),
        chosen_by=_text(chosen, "by"),
        chosen_why=_text(chosen, "why"),
        chosen_value=_number(chosen, "value"),
        steps=_number(said, "steps"),
        epochs=_number(said, "epochs"),
        seconds=_number(said, "seconds"),
        peak_bytes=_number(said, "peak_bytes"),
        tokens_per_second=_number(said, "tokens_per_second"),
        curves={str(name): points for name, points in curves.items() if points},
        settings=_table(said, "settings"),
    )


def leaked(record: RunRecord) -> int:
    """Rows that hold test questions of the run's task among those its model was trained on, as far as is recorded."""
    said = trained(record.model)
    return max(0, int(said.leaks.get(record.spec.task, 0))) if said else 0


def label(record: RunRecord) -> str:
    """A model's name for tables: the one it was asked for by, such as one of ``benchctl.toml``; without one its own.

    What its folder is called does not do: of ``exp1/final`` and ``exp2/final`` both are ``final``, and a model trained
    here calls itself after its base, or lies in a folder called ``adapter`` or ``model``.
    """
    own, asked = str(record.model.get("name") or record.spec.model), record.spec.model
    said = trained(record.model)
    return called(asked, said.recipe or own if said is not None else own)


def called(asked: str, own: str) -> str:
    """A model's name for people: the one it was asked for by, or what it calls itself if that was BACKEND:TARGET."""
    return own if set(asked) & set(":,/") else asked


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    return "" if found is None else str(found)


def _number(said: Mapping[str, Any], name: str) -> float | None:
    found = said.get(name)
    known = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return found if known else None


def _numbers(said: Mapping[str, Any], name: str) -> Mapping[str, float]:
    """The entries of a table that are finite numbers."""
    found = _table(said, name)
    return {entry: number for entry in found if (number := _number(found, entry)) is not None}


def _points(said: Any) -> tuple[Point, ...]:
    """The points of a curve by step; what is no pair of finite numbers, such as a loss that was NaN, is left out."""
    if not isinstance(said, Sequence) or isinstance(said, str):
        return ()
    pairs = [point for point in said if isinstance(point, Sequence) and not isinstance(point, str) and len(point) == 2]
    whole = [dict(zip("xy", point, strict=True)) for point in pairs]
    found = [(_number(point, "x"), _number(point, "y")) for point in whole]
    return tuple(sorted((x, y) for x, y in found if x is not None and y is not None))
