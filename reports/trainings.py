"""How the models on a leaderboard were trained: their curves as drawings, from the runs' records alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchctl.trained import Point, Trained, trained

from .board import Leaderboard

SIDE = 100.0
"""Width and height of a drawing in its own units; the page stretches it."""
_PLOTS = (("loss", ("train", "validation")), ("margin", ("margin",)), ("accuracy", ("accuracy",)))


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale with round numbers at equal distances, its ends among them."""

    ticks: tuple[float, ...]
    decimals: int

    @property
    def low(self) -> float:
        """Where it begins."""
        return self.ticks[0]

    @property
    def high(self) -> float:
        """Where it ends."""
        return self.ticks[-1]

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to :data:`SIDE`."""
        return (value - self.low) / (self.high - self.low) * SIDE


@dataclass(frozen=True, slots=True)
class Line:
    """One curve."""

    name: str
    points: tuple[Point, ...]
    """Step and value."""
    path: str
    """As SVG writes it."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves with one scale."""

    kind: str
    """``loss``, ``margin`` or ``accuracy``."""
    lines: tuple[Line, ...]
    x: Axis
    y: Axis
    chosen: tuple[float, float | None] | None
    """Where the chosen checkpoint stands: across, and up the last line where it has a point there."""


@dataclass(frozen=True, slots=True)
class Training:
    """One trained model of the leaderboard."""

    model: str
    said: Trained
    plots: tuple[Plot, ...]
    table: tuple[tuple[float, tuple[float | None, ...]], ...]
    """Step -> value of each curve there."""
    names: tuple[str, ...]
    """The curves, in the order of the table's columns."""


def trainings(board: Leaderboard) -> tuple[Training, ...]:
    """Every trained model once, in the order of the rows."""
    found: dict[str, Training] = {}
    for section in board.sections:
        for row in section.rows:
            said = next((t for record in row.records if (t := trained(record.model)) is not None), None)
            if said is not None and row.key.fingerprint not in found:
                found[row.key.fingerprint] = _training(row.model, said)
    return tuple(found.values())


def _training(model: str, said: Trained) -> Training:
    names = tuple(name for _, lines in _PLOTS for name in lines if name in said.curves)
    curves = [dict(said.curves[name]) for name in names]
    steps = sorted({step for curve in curves for step in curve})
    table = tuple((step, tuple(curve.get(step) for curve in curves)) for step in steps)
    return Training(model, said, tuple(_plots(said)), table, names)


def _plots(said: Trained) -> Iterator[Plot]:
    for kind, wanted in _PLOTS:
        curves = {name: said.curves[name] for name in wanted if name in said.curves}
        if not any(len(points) > 1 for points in curves.values()):
            continue
        steps, values = ([point[i] for points in curves.values() for point in points] for i in (0, 1))
        x = axis(0.0, max(steps))
        y = Axis((0.0, 0.25, 0.5, 0.75, 1.0), 2) if kind == "accuracy" else axis(min(values), max(values))
        lines = tuple(Line(name, points, _path(points, x, y)) for name, points in curves.items())
        yield Plot(kind, lines, x, y, _chosen(said, lines[-1], x, y))


def axis(low: float, high: float, about: int = 5) -> Axis:
    """A scale from ``low`` to ``high`` or a little beyond, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    if high <= low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (
        round(step / 10.0 ** math.floor(math.log10(step)), 1) == 2.5
    )
    return Axis(tuple(k * step for k in range(first, max(last, first + 1) + 1)), decimals)


def _path(points: Sequence[Point], x: Axis, y: Axis) -> str:
    spots = [f"{x.place(step):.2f} {SIDE - y.place(min(max(value, y.low), y.high)):.2f}" for step, value in points]
    return "M" + "L".join(spots) + ("h0" if len(spots) == 1 else "")


def _chosen(said: Trained, line: Line, x: Axis, y: Axis) -> tuple[float, float | None] | None:
    if said.chosen_step is None or not x.low <= said.chosen_step <= x.high:
        return None
    value = dict(line.points).get(said.chosen_step)
    return x.place(said.chosen_step), None if value is None else SIDE - y.place(min(max(value, y.low), y.high))
