"""What a sweep found, as data: a row per trial, what was refused, the best one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..folder import RESULTS
from .drawing import Refused

FILE = "sweep.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One trial."""

    number: int
    """From 1."""
    parameters: Mapping[str, Any]
    state: str
    """``complete``, ``pruned``, ``failed`` or ``running``; a running one goes on with the next sitting."""
    value: float | None
    """Best validation loss, or score, up to where it ended."""
    steps: int | None
    seconds: float | None
    """Over all sittings, loading included."""
    folder: str
    """Of its training, inside the sweep's."""
    reason: str = ""
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as it stands."""

    folder: Path
    recipe: str
    space: str
    sampler: str
    seed: int
    prune: bool
    measure: str
    """``validation_loss``, or the task whose score chooses."""
    maximise: bool
    """Whether more of it is better."""
    asked: int
    """Trials wanted."""
    status: str
    """``complete``, ``exhausted`` (the space holds no more) or ``interrupted``."""
    rows: Sequence[Row]
    refused: Sequence[Refused]
    """Draws that cannot work: no trials."""

    @property
    def best(self) -> Row | None:
        """The complete trial with the best value, the first of equals; None while there is none."""
        done = [row for row in self.rows if row.state == "complete" and row.value is not None]
        return min(done, key=lambda row: -self._value(row) if self.maximise else self._value(row), default=None)

    def result(self, row: Row) -> Path:
        """Where the trial's adapter or model is."""
        folder = self.folder / row.folder
        return next((folder / name for name in RESULTS if (folder / name).is_dir()), folder)

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and ``sweep.json``."""
        best = self.best
        return {
            "schema": 1, "folder": str(self.folder), "recipe": self.recipe, "space": self.space,
            "sampler": self.sampler, "seed": self.seed, "prune": self.prune, "measure": self.measure,
            "maximise": self.maximise, "asked": self.asked, "status": self.status,
            "trials": [asdict(row) for row in self.rows],
            "refused": [asdict(one) for one in self.refused],
            "best": None if best is None else {
                "trial": best.number, "value": best.value, "parameters": dict(best.parameters),
                "result": str(self.result(best)),
            },
        }  # fmt: skip

    def save(self) -> None:
        """Replace ``sweep.json``, atomically; its paths are those inside the sweep's folder."""
        from benchctl.records import replace_file

        content = self.as_json() | {"folder": self.folder.name}
        if self.best is not None:
            content["best"]["result"] = str(self.result(self.best).relative_to(self.folder))
        replace_file(self.folder / FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    @staticmethod
    def _value(row: Row) -> float:
        assert row.value is not None
        return row.value


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Dotted key -> the shortest name that says which one is meant."""
    bare = [key.rpartition(".")[2] for key in keys]
    return {key: name if bare.count(name) == 1 else key for key, name in zip(keys, bare, strict=True)}


def shown(value: Any) -> str:
    """A parameter's value in few characters: three digits of a float, a list with commas."""
    if isinstance(value, bool) or not isinstance(value, float):
        return ",".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
    return f"{value:.3g}"
