"""``metrics.jsonl``: what a training measured, a line per logged step, and the curves that are made from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchctl.journal import read_lines
from benchctl.records import replace_file

POINTS = 200
"""The most points a curve keeps where it travels with the result."""

Curve = list[tuple[int, float]]
"""Step and value."""


def append(file: Path, line: Mapping[str, Any]) -> None:
    """One line more."""
    with file.open("ab") as opened:
        opened.write((json.dumps(line, ensure_ascii=False) + "\n").encode())


def keep_until(file: Path, step: int | None) -> None:
    """Drop the lines after a step, and a torn last one; None drops all. They will be measured again."""
    kept = [line for line in read_lines(file) if step is not None and int(line["step"]) <= step]
    if file.exists() or kept:
        replace_file(file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))


def to_disk(file: Path) -> None:
    """Wait until what was written is on the disk."""
    if file.exists():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def curves(file: Path, most: int | None = None) -> dict[str, Curve]:
    """The curves of a training: ``train``, ``validation``, ``learning_rate``; for preferences ``margin`` and
    ``accuracy`` (how often the chosen answer wins), on the validation rows where there are any; ``score`` of the task
    that chooses.

    Args:
        most: points per curve, the first and last always among them; None for all.
    """
    lines = read_lines(file)
    train = [line for line in lines if line["kind"] == "train"]
    validation = [line for line in lines if line["kind"] == "validation"]
    judged = validation or train
    found = {
        "train": _curve(train, "loss"), "validation": _curve(validation, "loss"),
        "learning_rate": _curve(train, "learning_rate"), "margin": _curve(judged, "rewards/margins"),
        "accuracy": _curve(judged, "rewards/accuracies"), "score": _curve(lines, "score"),
    }  # fmt: skip
    return {name: thinned(curve, most) for name, curve in found.items() if curve or name in ("train", "validation")}


def thinned(curve: Curve, most: int | None) -> Curve:
    """At most so many points, evenly, the first and the last kept."""
    if most is None or len(curve) <= most:
        return curve
    places = {round(i * (len(curve) - 1) / (most - 1)) for i in range(most)}
    return [curve[place] for place in sorted(places)]


def _curve(lines: Sequence[Mapping[str, Any]], key: str) -> Curve:
    return [(int(line["step"]), float(line[key])) for line in lines if key in line]
