"""Parallel coordinates: an upright axis per parameter and one for the result, a curve per trial across them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .record import Row, Sweep, short_keys, shown
from .space import Dimension

GAP, HEIGHT, TOP, SIDE = 132.0, 300.0, 44.0, 60.0
"""Between axes at least, of an axis, above it, and beside the outer ones at least; in the picture's own units, about a
pixel each."""
LETTER, BOLD = 6.6, 8.2
"""Width of a letter beside an axis and above it, generously."""
SPREAD = 14.0
"""Over which the curves through one choice are spread, so that each can be followed."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A value on an axis."""

    y: float
    value: Any


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis."""

    x: float
    name: str
    """A parameter's, as short as it may be, or what is measured."""
    key: str
    """Empty for the result's."""
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """One trial."""

    row: Row
    path: str
    """Of an SVG path."""
    rank: int
    """1 to 4, a quarter of the complete trials each, the best first; 0 for those that are not complete."""
    best: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it, in units of its own."""

    width: float
    height: float
    axes: tuple[Axis, ...]
    curves: tuple[Curve, ...]
    """The best last, on top of the others."""


def draw(sweep: Sweep, dimensions: Sequence[Dimension], measure: str) -> Picture:
    """The picture of a sweep; the better end of the result's axis is at the top.

    Args:
        measure: what is said above the result's axis.
    """
    names = short_keys([dimension.key for dimension in dimensions])
    scales = [_scale(dimension) for dimension in dimensions]
    scales.append(_Scale.of_results([row.value for row in sweep.rows if row.value is not None], sweep.maximise))
    titles = [*names.values(), measure]
    places, width = _places(
        titles, [[shown(tick.value).replace(",", ", ") for tick in scale.ticks] for scale in scales]
    )
    keys = [*names, ""]
    axes = [Axis(*one) for one in zip(places, titles, keys, (scale.ticks for scale in scales), strict=True)]
    ranks = _ranks(sweep)
    curves = []
    for row in sweep.rows:
        points = _points(row, dimensions, scales, places, len(sweep.rows))
        curves.append(Curve(row, _path(points), ranks.get(row.number, 0), row == sweep.best))
    ordered = sorted(curves, key=lambda c: (c.best, c.rank > 0, -c.rank, c.row.number))
    return Picture(width, TOP + HEIGHT + 20, tuple(axes), tuple(ordered))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Value -> height on an axis."""

    low: float
    high: float
    log: bool
    down: bool
    """Whether small values are at the top."""
    places: Mapping[str, float]
    """Shown choice -> height, for an axis of choices."""
    ticks: tuple[Tick, ...]

    @classmethod
    def of_choices(cls, choices: Sequence[Any]) -> _Scale:
        numbers = all(isinstance(c, int | float) and not isinstance(c, bool) for c in choices)
        ordered = sorted(choices) if numbers else list(choices)
        room = HEIGHT - 2 * SPREAD
        step = room / max(len(ordered) - 1, 1)
        first = TOP + HEIGHT - SPREAD if len(ordered) > 1 else TOP + HEIGHT / 2
        ticks = tuple(Tick(round(first - i * step, 1), choice) for i, choice in enumerate(ordered))
        return cls(0, 1, False, False, {shown(tick.value): tick.y for tick in ticks}, ticks)

    @classmethod
    def of_range(cls, low: float, high: float, log: bool, down: bool = False) -> _Scale:
        bare = cls(low, high, log, down, {}, ())
        values = _log_ticks(low, high) if log else _linear_ticks(low, high)
        return cls(low, high, log, down, {}, tuple(Tick(round(bare.y(value), 1), value) for value in values))

    @classmethod
    def of_results(cls, values: Sequence[float], maximise: bool) -> _Scale:
        low, high = min(values, default=0.0), max(values, default=1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        return cls.of_range(low, high, log=False, down=not maximise)

    def y(self, value: Any) -> float:
        if self.places:
            return self.places[shown(value)]
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        share = (at - low) / (high - low)
        return TOP + HEIGHT * (share if self.down else 1 - share)


def _scale(dimension: Dimension) -> _Scale:
    if dimension.choices:
        return _Scale.of_choices(dimension.choices)
    return _Scale.of_range(dimension.low, dimension.high, dimension.log)


def _places(titles: Sequence[str], ticks: Sequence[Sequence[str]]) -> tuple[list[float], float]:
    """Where the axes stand, far enough apart for what is written above and beside them, and the width of all."""
    halves = [len(title) * BOLD / 2 for title in titles]
    beside = [max((len(text) for text in texts), default=0) * LETTER + 16 for texts in ticks]
    places = [max(SIDE, halves[0] + 8)]
    for i in range(1, len(titles)):
        places.append(places[-1] + max(GAP, halves[i - 1] + halves[i] + 12, beside[i - 1]))
    return [round(x, 1) for x in places], round(places[-1] + max(SIDE, halves[-1] + 8, beside[-1]), 1)


def _points(
    row: Row, dimensions: Sequence[Dimension], scales: Sequence[_Scale], places: Sequence[float], rows: int
) -> list[tuple[float, float]]:
    """Where the trial crosses the axes; the last one only if it has a result."""
    aside = SPREAD * ((row.number - 0.5) / rows - 0.5) if rows > 1 else 0.0
    found = [
        (x, scale.y(row.parameters[d.key]) + (aside if d.choices else 0.0))
        for d, scale, x in zip(dimensions, scales, places, strict=False)
    ]
    if row.value is not None:
        found.append((places[-1], scales[-1].y(row.value)))
    return found


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A curve that crosses every axis level, so that two that meet there can be told apart."""
    (x, y), *rest = points
    pieces = [f"M{x:.1f},{y:.1f}"]
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        pieces.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}")
        x, y = to_x, to_y
    return "".join(pieces)


def _ranks(sweep: Sweep) -> dict[int, int]:
    done = [row for row in sweep.rows if row.state == "complete" and row.value is not None]
    done.sort(key=lambda row: row.value or 0.0, reverse=sweep.maximise)
    return {row.number: 1 + 4 * i // len(done) for i, row in enumerate(done)}


def _linear_ticks(low: float, high: float) -> list[float]:
    """About five round numbers between the ends."""
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough)
    digits = max(0, 1 - math.floor(math.log10(step)))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, digits) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between the ends; with 2 and 5 times them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for times in ((1,), (1, 3), (1, 2, 5)):
        found = [float(f"{m}e{e}") for e in range(first, last + 1) for m in times]
        inside = [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(inside) >= 4:
            return inside
    return sorted({low, high})
