"""Several models beside one base: every metric with its difference, and what the training cost (the table of S4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from benchctl import comparing, pairing
from benchctl.answered import ANSWERED, WHOLE, with_answered
from benchctl.errors import BenchctlError, RecordError, did_you_mean
from benchctl.pairing import Difference
from benchctl.records import StoredRun
from benchctl.remarks import SAMPLE, Remark, outdated
from benchctl.shared_answers import Sides
from benchctl.trained import Trained, label, trained
from benchctl.types import Estimate


class Column(NamedTuple):
    """One metric of one task."""

    task: str
    metric: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What one model has for one column."""

    run: str
    """Id of the run it is from."""
    estimate: Estimate
    difference: Difference | None = None
    """To the base, over the questions both answered; None for the base itself and where ``unpaired`` says why."""
    unpaired: str = ""

    @property
    def relative(self) -> float | None:
        """Difference to the base in percent of the base's figure; None for the base, and where the base has 0."""
        return self.difference.relative if self.difference else None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        found = {"run": self.run, **asdict(self.estimate)}
        if self.difference is not None:
            found["difference"] = self.difference.as_json()
        return {**found, "unpaired": self.unpaired} if self.unpaired else found


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's row."""

    model: str
    figures: Mapping[Column, Figure]
    parameters: float | None
    """All of the model's, as its run measured them; None for a model nobody can count."""
    training: Trained | None = None
    """None where the model was not trained here."""
    asked: str = ""
    """The model as it was asked for, which tells it from another of the same name."""

    def costs(self) -> dict[str, float | None]:
        """Parameters, trainable ones and their share, epochs, seconds and bytes of the training, where known."""
        t = self.training or Trained()
        return {
            "parameters": t.parameters or self.parameters, "trainable": t.trainable, "share": t.share,
            "epochs": t.epochs, "seconds": t.seconds, "peak_bytes": t.peak_bytes,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Models beside a base, which is the first row."""

    columns: tuple[Column, ...]
    rows: tuple[Standing, ...]
    warnings: tuple[Remark, ...] = ()

    def shape(self, column: Column) -> Estimate:
        """How a column is shown: some row's estimate."""
        return next(row.figures[column].estimate for row in self.rows if column in row.figures)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        rows = [
            {
                "model": row.model, "base": place == 0, **row.costs(),
                "metrics": {f"{c.task}.{c.metric}": f.as_json() for c, f in row.figures.items()},
            }
            for place, row in enumerate(self.rows)
        ]  # fmt: skip
        return {"base": self.rows[0].model, "rows": rows, "warnings": list(self.warnings)}


def against(runs: Sequence[StoredRun], base: str, *, tasks: Sequence[str] = (), models: Sequence[str] = ()) -> Table:
    """Set models beside a base, on the tasks the base has run.

    Where a model or the base has several runs of a task, the two that go best together are compared (see
    :func:`benchctl.comparing.best_pair`). The p-values of a column are adjusted for being several (Holm).

    Args:
        runs: any; those of other tasks and models are left aside.
        base: the model the others are compared with, as it was run or as it is called in tables.
        tasks: only these; empty: all that the base has.
        models: only these, in this order; empty: all others.

    Raises:
        RecordError: the base or one of ``models`` has no run.
    """
    by_model = _by_model(runs)
    of_the_base = _of(by_model, base)
    wanted = list(tasks) or _tasks(of_the_base)
    own = [run for run in of_the_base if run.record.spec.task in wanted]
    if not own:
        raise RecordError(f"'{base}' has no run of {', '.join(wanted)}.", "Run it first.")
    names = [name for name in dict.fromkeys(models or by_model) if _of(by_model, name)[0] not in of_the_base]
    warnings = [_said_of(base, task, _NOT_OF_THE_BASE) for task in wanted if task not in _tasks(own)]
    rows: list[Standing] = []
    of_base: dict[str, StoredRun] = {}
    sides = Sides()
    for name in names:
        row = _row(own, _of(by_model, name), warnings, of_base, sides)
        if row is not None:
            rows.append(row)
        elif models:
            warnings.append(_said_of(name, ", ".join(_tasks(own)), _NOT_OF_THE_MODEL))
    shown = [of_base.get(t) or _latest(own, t) for t in _tasks(own)]
    warnings += _outdated(shown)
    first = _standing(shown, {}, {})
    first, *rows = _told_apart(_without_repetitions([first, *rows]))
    columns = list(dict.fromkeys(c for row in (first, *rows) for c in row.figures))
    return Table(tuple(sorted(columns, key=lambda c: wanted.index(c.task))), (first, *_adjusted(rows, columns)),
                 _told_once(warnings))  # fmt: skip


def _told_once(warnings: Sequence[Remark]) -> tuple[Remark, ...]:
    """Each warning once; that the questions are the sample in one line, since it is of tasks and not of models."""
    tasks = dict.fromkeys(str(line.values["task"]) for line in warnings if line.values["remark"] == SAMPLE)
    others = dict.fromkeys(line for line in warnings if line.values["remark"] != SAMPLE)
    told = [Remark("{task}: {remark}", task=", ".join(tasks), remark=SAMPLE)] if tasks else []
    return (*others, *told)


def _row(
    own: Sequence[StoredRun], others: Sequence[StoredRun], warnings: list[Remark], of_base: dict[str, StoredRun],
    sides: Sides,
) -> Standing | None:  # fmt: skip
    """One model's row; None where it shares no task with the base. Adds to the warnings and the base's runs used, whose
    answers ``sides`` keeps."""
    found: list[StoredRun] = []
    differences: dict[Column, Difference] = {}
    unpaired: dict[Column, str] = {}
    for task in _tasks(own):
        if task not in _tasks(others):
            continue
        one, two = comparing.best_pair(own, others, task)
        found.append(two)
        shown = of_base.setdefault(task, one).record.id
        if shown != one.record.id:
            warnings.append(_about(two, Remark(
                "compared with the base's run {run}, which goes with it; the base's row shows {shown}",
                run=one.record.id, shown=shown,
            )))  # fmt: skip
        try:
            comparison = comparing.compare_runs(one, two, sides)
        except BenchctlError as error:
            warnings.append(_about(two, error.message))
            unpaired |= {Column(task, metric): error.message for metric in two.record.estimates}
            continue
        warnings += [_about(two, line) for line in comparison.warnings]
        differences |= {Column(task, metric): d for metric, d in comparison.differences.items()}
        unpaired |= {Column(task, metric): why for metric, why in comparison.unpaired.items()}
    warnings += _outdated(found)
    return _standing(found, differences, unpaired) if found else None


def _outdated(runs: Sequence[StoredRun]) -> list[Remark]:
    old = outdated(run.record for run in runs)
    return [_about(run, old[run.record.id]) for run in runs if run.record.id in old]


_NOT_OF_THE_BASE = Remark("left out, since the base has no run of it")
_NOT_OF_THE_MODEL = Remark("left out, since this model has no run of it")


def _said_of(model: str, task: str, remark: str) -> Remark:
    return Remark("{model}, {task}: {remark}", model=model, task=task, remark=remark)


def _about(run: StoredRun, line: str) -> Remark:
    return _said_of(run.record.spec.model, run.record.spec.task, line)


def _standing(
    runs: Sequence[StoredRun], differences: Mapping[Column, Difference], unpaired: Mapping[Column, str]
) -> Standing:
    figures = {}
    for run in runs:
        for metric, estimate in with_answered(run.record).items():
            column = Column(run.record.spec.task, metric)
            why = unpaired.get(column, "")
            figures[column] = Figure(run.record.id, estimate, differences.get(column), why)
    manifest = runs[0].record.model
    size, record = manifest.get("parameters"), runs[0].record
    known = size if isinstance(size, int | float) else None
    return Standing(label(record), figures, known, trained(manifest), record.spec.model)


def _told_apart(rows: Sequence[Standing]) -> list[Standing]:
    """The rows, those of one name under what was asked for: ``exp1/final`` and ``exp2/final`` both are ``final``."""
    named = Counter(row.model for row in rows)
    return [replace(row, model=row.asked) if named[row.model] > 1 else row for row in rows]


def _without_repetitions(rows: Sequence[Standing]) -> list[Standing]:
    """The rows without columns that repeat ``accuracy`` in each of them.

    Where some row does not repeat it, those that do have its difference there too: the pairs are the same.
    """
    changed = [dict(row.figures) for row in rows]
    for column in dict.fromkeys(c for figures in changed for c in figures if c.metric == ANSWERED):
        whole = Column(column.task, WHOLE)
        same = [f for f in changed if column in f and whole in f and f[column].estimate is f[whole].estimate]
        everywhere = len(same) == sum(column in f for f in changed)
        for figures in same:
            if everywhere:
                del figures[column]
            elif figures[column].difference is None and not figures[column].unpaired:
                figures[column] = replace(figures[column], difference=figures[whole].difference)
    return [replace(row, figures=figures) for row, figures in zip(rows, changed, strict=True)]


def _adjusted(rows: Sequence[Standing], columns: Sequence[Column]) -> list[Standing]:
    """The rows with each column's p-values adjusted for the number of models compared."""
    changed = [dict(row.figures) for row in rows]
    for column in columns:
        family = {p: d for p, f in enumerate(changed) if column in f and (d := f[column].difference) is not None}
        for place, difference in pairing.with_holm(family).items():
            changed[place][column] = replace(changed[place][column], difference=difference)
    return [replace(row, figures=figures) for row, figures in zip(rows, changed, strict=True)]


def of_model(runs: Sequence[StoredRun], name: str) -> list[StoredRun]:
    """The runs of a model by the name it was asked for, else by what it is called in tables, else by what it calls
    itself: a base and its adapters may call themselves alike.

    Where the weights behind a name have changed, a task's runs are those of the latest.

    Raises:
        RecordError: several models that were asked for in other words have the name, and a task in common.
    """
    for called in (lambda r: r.spec.model, label, lambda r: r.model.get("name")):
        if found := [run for run in runs if called(run.record) == name]:
            return [run for task in _tasks(found) for run in _of_latest(found, task, name)]
    return []


def _of_latest(runs: Sequence[StoredRun], task: str, name: str) -> list[StoredRun]:
    found = [run for run in runs if run.record.spec.task == task]
    asked = sorted(set({run.record.fingerprints["model"]: run.record.spec.model for run in found}.values()))
    if len(asked) > 1:
        raise RecordError(f"'{name}' is the name of {len(asked)} models: {', '.join(asked)}.",
                          "Give the one you mean as it was asked for.")  # fmt: skip
    latest = max(found, key=lambda run: str(run.record.timings.get("finished", "")))
    return [run for run in found if run.record.fingerprints["model"] == latest.record.fingerprints["model"]]


def _by_model(runs: Sequence[StoredRun]) -> dict[str, list[StoredRun]]:
    """Runs by the model as it was asked for, in the order they first appear."""
    found: dict[str, list[StoredRun]] = {}
    for run in runs:
        found.setdefault(run.record.spec.model, []).append(run)
    return found


def _of(by_model: Mapping[str, Sequence[StoredRun]], name: str) -> list[StoredRun]:
    """A model's runs, by the name it was asked for or the name in tables.

    Raises:
        RecordError: none.
    """
    found = of_model([run for runs in by_model.values() for run in runs], name)
    if not found:
        raise RecordError(f"No run of the model '{name}'.", did_you_mean(name, by_model, "benchctl list runs"))
    return found


def _tasks(runs: Sequence[StoredRun]) -> list[str]:
    return list(dict.fromkeys(run.record.spec.task for run in runs))


def _latest(runs: Sequence[StoredRun], task: str) -> StoredRun:
    return comparing.best_pair(runs, runs, task)[1]
