"""From run records to leaderboard rows: what is one row, which run fills a cell, and what groups amount to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchctl.fingerprints import digest
from benchctl.groups import pooled
from benchctl.task import TaskGroup
from benchctl.trained import label, leaked, trained
from benchctl.types import RunRecord

from .board import Cell, Column, GroupCell, Leaderboard, Reference, Row, RowKey, Section
from .columns import HEADLINE, make_columns
from .comparison import marked
from .sources import families, from_here, labels, source_name

BASELINES = ("random", "majority", "longest")
"""Built-in models that read no question."""
UNTRAINED = ("tiny",)
"""Built-in models with random weights."""


def build_leaderboard(
    records: Sequence[RunRecord],
    references: Sequence[Reference] = (),
    groups: Sequence[TaskGroup] = (),
    *,
    title: str | None = None,
    generated: str | None = None,
) -> Leaderboard:
    """Arrange runs and reference scores.

    Args:
        records: runs in any order; a cell takes the complete one before others, a part of sorted data last, then the
            one with more questions, then the latest.
        references: shown where they have a score for a column; sections keep them apart from what was measured.
        groups: tasks that are also shown as their mean weighted by size, only where every member is there.
        generated: UTC time to print; None prints none.
    """
    columns = make_columns(records, groups)
    family_of = families(records)
    shown_as = labels(list(family_of))
    sections = []
    for family in dict.fromkeys(family_of.values()):
        inside = [record for record in records if family_of[source_name(record)] == family]
        rows = _rows(inside, columns)
        sections.append(Section({name: shown_as[name] for name in family.sources}, family.builtin, rows))
    lead = _fullest(columns, sections)
    ordered = tuple(replace(s, rows=tuple(sorted(s.rows, key=lambda row: _rank(row, lead)))) for s in sections)
    return Leaderboard(
        columns, ordered, _shown_references(references, columns), lead.task if lead else None, title, generated
    )


def row_key(record: RunRecord) -> RowKey:
    """The row a run belongs to; settings that cannot change its result are left out."""
    spec = record.spec
    return RowKey(
        model=label(record),
        fingerprint=record.fingerprints["model"],
        scoring=spec.scoring,
        shots=spec.shots,
        seed=spec.seed,
        shots_data=from_here(spec.shots_data) if spec.shots else "",
        prompt=digest(spec.prompt_template)[:12] if spec.prompt_template is not None else None,
        max_tokens=spec.max_tokens if spec.scoring in ("generate", "text") else None,
        repeats=spec.repeats,
    )


def _rows(records: Sequence[RunRecord], columns: Sequence[Column]) -> tuple[Row, ...]:
    by_row: dict[RowKey, dict[str, list[RunRecord]]] = {}
    for record in records:
        by_row.setdefault(row_key(record), {}).setdefault(record.spec.task, []).append(record)
    models: dict[str, set[str]] = {}
    for key in by_row:
        models.setdefault(key.model, set()).add(key.fingerprint)
    rows = [
        replace(_row(key, runs, columns), show_fingerprint=len(models[key.model]) > 1) for key, runs in by_row.items()
    ]
    return tuple(marked(rows, columns))


def _row(key: RowKey, runs: Mapping[str, Sequence[RunRecord]], columns: Sequence[Column]) -> Row:
    cells: dict[str, Cell | GroupCell] = {}
    singles: dict[str, Cell] = {}
    for column in columns:
        if column.task in runs:
            record = max(runs[column.task], key=_preference)
            singles[column.task] = Cell(record, record.estimates.get(column.metric), leaked=leaked(record))
    for column in columns:
        cell = _group_cell(column, singles) if column.members else singles.get(column.task)
        if cell is not None:
            cells[column.task] = cell
    manifest = next(iter(singles.values())).record.model
    parameters, name = manifest.get("parameters"), key.model.partition(",")[0]
    learned = trained(manifest) is not None or isinstance(manifest.get("adapter"), Mapping)
    return Row(
        key,
        parameters=int(parameters) if isinstance(parameters, int | float) else None,
        baseline=bool(manifest.get("baseline", name in BASELINES)),
        untrained=bool(manifest.get("untrained", name in UNTRAINED)) and not learned,
        cells=cells,
    )


def _preference(record: RunRecord) -> tuple[bool, bool, int, str]:
    """Complete before incomplete, a part of sorted data last, more questions before fewer, later before earlier."""
    finished = str(record.timings.get("finished", ""))
    return record.status == "complete", not record.data.get("lopsided"), Cell(record, None).n, finished


def _group_cell(column: Column, singles: Mapping[str, Cell]) -> GroupCell | None:
    there = {task: singles[task] for task in column.members if task in singles}
    estimates = [cell.record.estimates.get(column.metric) for cell in there.values()]
    found = [estimate for estimate in estimates if estimate is not None]
    if not there:
        return None
    whole = len(found) == len(column.members)
    return GroupCell(there, len(column.members), pooled(found) if whole else None)


def _fullest(columns: Sequence[Column], sections: Sequence[Section]) -> Column | None:
    """The column with most values: the one to sort by at first; of several, the leftmost."""
    rows = [row for section in sections for row in section.rows]
    if not columns:
        return None
    return max(columns, key=lambda c: sum(c.task in r.cells and r.cells[c.task].estimate is not None for r in rows))


def _rank(row: Row, lead: Column | None) -> tuple[bool, float, str, str, int, int]:
    """Best first in the leading column, rows without a value last, then by name and set-up."""
    cell = row.cells.get(lead.task) if lead else None
    estimate = cell.estimate if cell else None
    value = estimate.value if estimate else 0.0
    better = -value if lead is None or lead.higher_is_better else value
    return estimate is None, better, row.model, row.key.scoring, row.key.shots, row.key.seed


def _shown_references(references: Sequence[Reference], columns: Sequence[Column]) -> tuple[Reference, ...]:
    """Those with an accuracy for some column, kept together by source, the best first."""
    tasks = [column.task for column in columns if column.metric == HEADLINE]
    shown = [r for r in references if r.metric.startswith(HEADLINE) and any(task in r.scores for task in tasks)]

    def rank(reference: Reference) -> tuple[str, str, str, float]:
        first = next((reference.scores[task] for task in tasks if task in reference.scores), 0.0)
        return reference.kind, reference.source, reference.language, -first

    return tuple(sorted(shown, key=rank))
