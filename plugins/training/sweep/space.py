"""A space: which values of a recipe a sweep tries. Read from TOML; see spaces/ for those that ship."""

from __future__ import annotations

import datetime
import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig, UnknownName, did_you_mean

from ..folder import DESCRIPTIVE
from ..reading import KEYS

FOLDER = Path(__file__).parents[1] / "spaces"
RANGE = frozenset({"low", "high", "log", "step"})
OTHER_ROWS = frozenset(key for key in KEYS if key.startswith("data.") and key != "data.packing") | {"model.base"}
"""Keys on which hangs what a trial's loss is measured on."""
DECIMALS = 12
"""Of the values of a range with steps."""
HELP = "docs/how-to/sweep.md"

Parameters = dict[str, Any]
"""One combination: dotted key of a recipe -> value."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """The values of one key: a list of choices, or a range."""

    key: str
    """Of a recipe, dotted."""
    choices: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False
    """Drawn evenly over the orders of magnitude."""
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether a range is one of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def size(self) -> int | None:
        """How many values there are; None for those without number."""
        if self.choices:
            return len(self.choices)
        step = self.step or (1 if self.whole else None)
        return None if step is None else int((self.high - self.low) / step + 1e-9) + 1

    def values(self) -> tuple[Any, ...]:
        """All values, in order; for a dimension that has a :attr:`size`."""
        if self.choices:
            return self.choices
        step = self.step or 1
        return tuple(round(self.low + i * step, DECIMALS) for i in range(self.size or 0))

    def distribution(self) -> Any:
        """The dimension as optuna knows it; choices as their JSON text, since a choice may be a list."""
        from optuna import distributions

        if self.choices:
            return distributions.CategoricalDistribution([self.encoded(choice) for choice in self.choices])
        if self.whole:
            step = int(self.step or 1)
            return distributions.IntDistribution(int(self.low), int(self.high), log=self.log, step=step)
        return distributions.FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def encoded(self, value: Any) -> Any:
        """What stands for the value in optuna."""
        return json.dumps(value) if self.choices else value

    def decoded(self, drawn: Any) -> Any:
        """The value that stands for what optuna drew."""
        if self.choices:
            return json.loads(drawn)
        return drawn if self.step is None else round(drawn, DECIMALS)  # 0.15, not 0.15000000000000002


@dataclass(frozen=True, slots=True)
class Space:
    """What a sweep may change."""

    name: str
    dimensions: tuple[Dimension, ...]
    summary: str = ""

    @property
    def size(self) -> int | None:
        """How many combinations there are, those that cannot work included; None for without number."""
        sizes = [dimension.size for dimension in self.dimensions]
        return None if None in sizes else prod(size for size in sizes if size is not None)

    def combinations(self) -> Iterator[Parameters]:
        """Every combination, the last key changing fastest.

        Raises:
            BadConfig: a dimension has values without number.
        """
        for dimension in self.dimensions:
            if dimension.size is None:
                raise BadConfig(
                    f"Space '{self.name}': {dimension.key} is a range without steps, and a grid needs every value.",
                    "Give it a step or a list of choices, or take --sampler random.",
                )
        for values in product(*(dimension.values() for dimension in self.dimensions)):
            yield dict(zip((dimension.key for dimension in self.dimensions), values, strict=True))

    def as_json(self) -> dict[str, Any]:
        """What fixes the draws."""
        return {
            dimension.key: {k: v for k, v in asdict(dimension).items() if k != "key"} for dimension in self.dimensions
        }


def spaces() -> Mapping[str, str]:
    """Name -> summary of the spaces that ship."""
    return {file.stem: find_space(file.stem).summary for file in sorted(FOLDER.glob("*.toml"))}


def find_space(name_or_path: str) -> Space:
    """The space of that name or in that TOML file.

    Raises:
        UnknownName: no space has that name.
        BadConfig: the file is no space.
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            raise BadConfig(
                f"There is no space file '{name_or_path}'.", "Check the path; 'benchctl sweep' lists names."
            )
    else:
        names = [file.stem for file in sorted(FOLDER.glob("*.toml"))]
        if name_or_path not in names:
            raise UnknownName("space", name_or_path, names, "benchctl sweep")
        path = FOLDER / f"{name_or_path}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(
            f"The space '{name_or_path}' cannot be read: {error}.", f"It is a TOML file; see {HELP}."
        ) from error
    summary = str(content.pop("summary", ""))
    dimensions = tuple(_dimension(path.stem, key, given) for key, given in _leaves(content))
    if not dimensions:
        raise BadConfig(f"The space '{name_or_path}' names no key of a recipe.", f"Write r = [8, 16]; see {HELP}.")
    keys = [dimension.key for dimension in dimensions]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise BadConfig(f"Space '{path.stem}' names {' and '.join(sorted(twice))} twice.", "Leave one of them out.")
    return Space(path.stem, dimensions, summary)


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Key and choices or range, out of any sections."""
    for key, value in content.items():
        if isinstance(value, Mapping) and not RANGE & value.keys():
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _dimension(space: str, given: str, value: Any) -> Dimension:
    key = _dotted(space, given)
    if key in OTHER_ROWS:
        raise BadConfig(
            f"Space '{space}': {key} would give every trial other rows or another base: losses cannot be compared.",
            "Take it out; --set changes it for a whole sweep.",
        )
    if isinstance(value, list) and value:
        if any(isinstance(choice, datetime.date | datetime.time) for choice in value):
            raise _bad(space, key, "a choice is a date or a time, which no key takes")
        texts = [json.dumps(choice) for choice in value]
        if len(set(texts)) < len(texts):
            raise _bad(space, key, "a choice stands there twice")
        return Dimension(key, tuple(value))
    if not isinstance(value, Mapping):
        raise _bad(space, key, "it is neither a list of choices nor a range")
    if unknown := value.keys() - RANGE:
        raise _bad(space, key, f"a range has no '{min(unknown)}'")
    numbers = [value.get("low"), value.get("high"), value.get("step", 1)]
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise _bad(space, key, "low, high and step are numbers, and a range has the first two")
    if not all(math.isfinite(number) for number in numbers):
        raise _bad(space, key, "low, high and step are finite")
    if type(value["low"]) is not type(value["high"]):
        raise _bad(space, key, "low and high are both whole numbers, or both not")
    found = Dimension(key, (), value["low"], value["high"], bool(value.get("log", False)), value.get("step"))
    if not found.low < found.high or (found.step is not None and found.step <= 0):
        raise _bad(space, key, "low must be below high, and step above 0")
    if found.log and (found.low <= 0 or found.step is not None):
        raise _bad(space, key, "a log range begins above 0 and has no step")
    if found.whole and found.step is not None and not isinstance(found.step, int):
        raise _bad(space, key, "a range of whole numbers has a whole step")
    return found


def _dotted(space: str, given: str) -> str:
    """The recipe's key that is meant, written bare or dotted."""
    known = [key for key in KEYS if key not in DESCRIPTIVE]
    meant = [given] if given in known else [key for key in known if key.endswith(f".{given}")]
    if len(meant) != 1:
        names = known if "." in given else [key.rpartition(".")[2] for key in known]
        raise BadConfig(f"Space '{space}': a recipe has no key '{given}'.", did_you_mean(given, names, HELP))
    return meant[0]


def _bad(space: str, key: str, reason: str) -> BadConfig:
    return BadConfig(
        f"Space '{space}', {key}: {reason}.", f"Write {key} = [1, 2] or {key} = {{low = 1, high = 9}}; see {HELP}."
    )
