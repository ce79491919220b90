"""From verdicts to figures: a mean per criterion and in total with its interval, and how far raters agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from benchctl import statistics
from benchctl.agreement import krippendorff_interval, quadratic_kappa
from benchctl.types import Estimate, Sample

from .asking import Question
from .rubric import Rubric

Points = dict[str, float]
"""Criterion's name -> points."""
Rater = tuple[int, int]
"""Judge's place on the command line, and draw."""
Table = dict[str, dict[Rater, Points]]
"""Sample id -> rater -> points."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters (several judges, or several draws of one) agree on one figure."""

    raters: int
    n: int
    """Samples that at least two rated."""
    alpha: float | None
    """Krippendorff's alpha, squared distance in points."""
    kappa: float | None
    """Cohen's kappa with quadratic weights, the mean over pairs of raters."""
    identical: float
    """Share of samples on which all raters gave the same points."""


def tabulate(
    subject: str, judge: int, questions: Sequence[Question], replies: Mapping[str, Mapping[str, Any]]
) -> Table:
    """The readable verdicts of one judge on one subject."""
    table: Table = {}
    for question in questions:
        reply = replies.get(question.key)
        if question.subject == subject and reply is not None and not reply["problem"]:
            points = table.setdefault(question.sample.id, {}).setdefault((judge, question.draw), {})
            points.update(reply["points"])
    return table


def merged(tables: Sequence[Table]) -> Table:
    """Several judges' tables as one."""
    found: Table = {}
    for table in tables:
        for identity, raters in table.items():
            found.setdefault(identity, {}).update(raters)
    return found


def sample_values(rubric: Rubric, table: Table) -> dict[str, dict[str, float]]:
    """Sample id -> figure's name -> mean over raters: over a judge's draws first, then over judges.

    A total only where every criterion has points.
    """
    return {identity: _named(rubric, _mean_points(rubric, raters)) for identity, raters in table.items()}


def estimates(
    rubric: Rubric, values: Mapping[str, Mapping[str, float]], samples: Mapping[str, Sample]
) -> dict[str, Estimate]:
    """The mean of each figure over the samples that have it; its 95 % interval ends where the scale does."""
    found = {}
    least, best = rubric.least(), rubric.best()
    for name in best:
        rated = [(i, figures[name]) for i, figures in values.items() if name in figures]
        if rated:
            clusters = [samples[i].cluster or i for i, _ in rated]
            given = [value for _, value in rated]
            found[name] = statistics.bounded(given, clusters, least=least[name], best=best[name])
    return found


def agreements(rubric: Rubric, table: Table) -> dict[str, Agreement]:
    """Figure's name -> agreement of its raters; empty when there is one rater only."""
    raters = sorted({rater for rated in table.values() for rater in rated})
    if len(raters) < 2:
        return {}
    single = {i: {rater: _named(rubric, points) for rater, points in rated.items()} for i, rated in table.items()}
    return {name: _agreement(name, raters, single) for name in rubric.best()}


def _agreement(name: str, raters: Sequence[Rater], single: Mapping[str, Mapping[Rater, Points]]) -> Agreement:
    rows = [{rater: figures[name] for rater, figures in rated.items() if name in figures} for rated in single.values()]
    rows = [row for row in rows if len(row) > 1]
    kappas = []
    for one, other in combinations(raters, 2):
        shared = [(row[one], row[other]) for row in rows if one in row and other in row]
        kappa = quadratic_kappa([a for a, _ in shared], [b for _, b in shared])
        if kappa is not None:
            kappas.append(kappa)
    return Agreement(
        len(raters), len(rows), krippendorff_interval([list(row.values()) for row in rows]),
        sum(kappas) / len(kappas) if kappas else None,
        sum(len(set(row.values())) == 1 for row in rows) / len(rows) if rows else 0.0,
    )  # fmt: skip


def _mean_points(rubric: Rubric, raters: Mapping[Rater, Points]) -> Points:
    """The mean over judges of the mean over each one's draws, so that a judge asked more often weighs no more."""
    found: Points = {}
    for criterion in rubric.criteria:
        judges: dict[int, list[float]] = {}
        for (judge, _), points in raters.items():
            if criterion.name in points:
                judges.setdefault(judge, []).append(points[criterion.name])
        if judges:
            found[criterion.name] = sum(sum(given) / len(given) for given in judges.values()) / len(judges)
    return found


def _named(rubric: Rubric, points: Points) -> dict[str, float]:
    """Points under the names they have in results, with their total where all are there."""
    found = {f"{rubric.prefix}_{name}": value for name, value in points.items()}
    if rubric.total != "none" and len(points) == len(rubric.criteria):
        found[f"{rubric.prefix}_total"] = rubric.joined(list(points.values()))
    return found
