"""What training changed: each trained model beside the base it was trained from, where both stand in one section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from benchctl import pairing
from benchctl.errors import BenchctlError
from benchctl.pairing import Difference
from benchctl.records import StoredRun
from benchctl.shared_answers import Sides, share

from .board import Cell, Gain, GroupCell, Leaderboard, Row, Section


class Kin(NamedTuple):
    """A cell of a trained model, and the same column's cell of its base."""

    place: int
    """Of the trained model's row in its section."""
    task: str
    cell: Cell | GroupCell
    base: Row
    of_base: Cell | GroupCell


def with_gains(board: Leaderboard, folders: Mapping[str, Path]) -> tuple[Leaderboard, tuple[str, ...]]:
    """The board with the paired differences in the cells of trained models, and why some could not be had.

    Reads the answers of the runs concerned. The p-values of the trained models of one column of one section are
    adjusted for being several (Holm).

    Args:
        folders: run id -> where the run is.
    """
    problems: list[str] = []
    sections = []
    for section in board.sections:
        by_task: dict[str, list[Kin]] = {}
        for kin in _kin(section):
            by_task.setdefault(kin.task, []).append(kin)
        rows = [dict(row.cells) for row in section.rows]
        for task, family in by_task.items():
            for place, gain in _measured(family, folders, problems).items():
                rows[place][task] = replace(rows[place][task], gain=gain)
        changed = tuple(replace(row, cells=cells) for row, cells in zip(section.rows, rows, strict=True))
        sections.append(replace(section, rows=changed))
    return replace(board, sections=tuple(sections)), tuple(problems)


def base_of(row: Row, rows: Sequence[Row]) -> Row | None:
    """The row of the model that this one was trained from, asked in the same way; None where it is not there.

    A base is known by the hash of its weights, which a model with an adapter has in its own record, or by the name
    under which its training recorded it. Of several, the one quantised in the same way comes first, then the plain one.
    """
    mine = row.manifest
    if not isinstance(mine.get("adapter"), Mapping) and not isinstance(mine.get("training"), Mapping):
        return None
    fits = [r for r in rows if r is not row and r.key.settings == row.key.settings and _is_base(mine, r)]
    return min(fits, key=lambda r: (r.quantisation != row.quantisation, r.quantisation != "", r.model), default=None)


def _is_base(trained: Mapping[str, Any], candidate: Row) -> bool:
    """Whether a row's model, which has no adapter of its own, is the one that was trained."""
    base = candidate.manifest
    if isinstance(base.get("adapter"), Mapping):
        return False
    weights = base.get("weights_hash")
    training = trained.get("training")
    said: Mapping[str, Any] = training if isinstance(training, Mapping) else {}
    if isinstance(trained.get("adapter"), Mapping) and weights and weights == trained.get("weights_hash"):
        return True
    if said.get("base_weights") and weights:
        return bool(weights == said["base_weights"])
    named = str(said.get("base") or "")
    return bool(named) and _bare(named) in {_bare(name) for name in _names(candidate)}


def _names(row: Row) -> set[str]:
    asked = {record.spec.model for record in row.records}
    return asked | {name.partition(",")[0] for name in asked} | {row.model}


def _bare(name: str) -> str:
    """A model's name without the backend and, of a local path, without the folders: they differ between machines."""
    target = name.removeprefix("hf:")
    return PurePath(target).name if target.startswith((".", "/", "~")) else target


def _called(row: Row) -> str:
    return f"{row.model} ({row.quantisation})" if row.quantisation else row.model


def _kin(section: Section) -> Iterator[Kin]:
    """Cells to compare: of the same questions, every one answered, by the same judges where some judged."""
    for place, row in enumerate(section.rows):
        base = base_of(row, section.rows)
        for task, cell in row.cells.items() if base is not None else ():
            other = base.cells.get(task) if base is not None else None
            if base is None or other is None or not (cell.complete and other.complete):
                continue
            alike = (cell.questions, cell.hands) == (other.questions, other.hands)
            if cell.estimate is not None and other.estimate is not None and alike:
                yield Kin(place, task, cell, base, other)


def _measured(family: Sequence[Kin], folders: Mapping[str, Path], problems: list[str]) -> dict[int, Gain]:
    """Place of the row -> gain, for the trained models of one column."""
    found: dict[int, Difference] = {}
    sides = Sides()
    for kin in family:
        try:
            difference = _difference(kin, folders, sides)
        except BenchctlError as error:
            problems.append(f"no paired difference for {kin.task}: {error.message}")
            continue
        if difference is not None:
            found[kin.place] = difference
    bases = {kin.place: _called(kin.base) for kin in family}
    return {place: Gain(bases[place], one) for place, one in pairing.with_holm(found).items()}


def _difference(kin: Kin, folders: Mapping[str, Path], sides: Sides) -> Difference | None:
    """None for a group whose metric cannot be pooled question by question."""
    pairs = [
        share(_stored(b, folders), _stored(a, folders), sides).pairs(metric)
        for a, b in zip(_singles(kin.cell), _singles(kin.of_base), strict=True)
        if (metric := _metric(a))
    ]
    if len(pairs) == 1:
        return pairing.difference(pairs[0])
    whole = pairing.joined(pairs) if pairs else None
    return None if whole is None else pairing.difference(whole)


def _singles(cell: Cell | GroupCell) -> list[Cell]:
    return [cell] if isinstance(cell, Cell) else list(cell.members.values())


def _metric(cell: Cell) -> str:
    """Name of the estimate a cell shows."""
    return next((name for name, e in cell.record.estimates.items() if e is cell.estimate), "")


def _stored(cell: Cell, folders: Mapping[str, Path]) -> StoredRun:
    return StoredRun(cell.record, folders[cell.record.id])
