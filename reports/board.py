"""What a leaderboard is made of. Values stay numbers and names: words and number formats belong to the rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from benchctl import second_reader
from benchctl.answered import answered_of_group
from benchctl.fingerprints import digest
from benchctl.pairing import Difference
from benchctl.trained import trained
from benchctl.types import Estimate, RunRecord

from .sources import short_model, short_source

Mark = Literal["", "best", "tied"]
"""``best``: the highest measured value over the same questions. ``tied``: its interval overlaps the best one's."""


@dataclass(frozen=True, slots=True)
class Column:
    """One task, or one group of tasks."""

    task: str
    title: str
    metric: str
    """Name of the estimate shown, ``accuracy`` wherever the task has it."""
    percent: bool = True
    higher_is_better: bool = True
    chance: float | None = None
    """Share of right answers of a blind guess; None when unknown or not the same in all runs."""
    members: tuple[str, ...] = ()
    """Tasks of a group; empty for a single task."""
    group: str | None = None
    """The smallest group this task belongs to, for single tasks."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What training changed: a model beside the one it was trained from, over the same questions."""

    base: str
    """The base's name in its own row, and how its weights are held where that is not plain: ``zephyr (nf4)``."""
    difference: Difference
    """The trained model's figure minus the base's."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one row has for one task: one run."""

    record: RunRecord
    estimate: Estimate | None
    """None when no question was answered."""
    mark: Mark = ""
    data_differ: bool = False
    """Another row of this section was asked other questions, and not just fewer: the hash of the data is shown."""
    gain: Gain | None = None
    """Difference to the base's cell, for a model trained from one that stands in the same section."""
    leaked: int = 0
    """Rows the model was trained on that hold questions of this task's test, as far as its record tells."""

    @property
    def leaks(self) -> Mapping[str, int]:
        """The task -> rows trained on that hold its questions; empty where there are none."""
        return {self.record.spec.task: self.leaked} if self.leaked else {}

    @property
    def n(self) -> int:
        """Questions asked, answered or not; one that was asked several times counts once."""
        return int(self.record.counts["n"]) // self.record.spec.repeats

    @property
    def total(self) -> int:
        """Questions the data has."""
        return int(self.record.data["total"])

    @property
    def subset(self) -> bool:
        """Whether only some of the questions were asked."""
        return self.n < self.total

    @property
    def complete(self) -> bool:
        """Whether every question asked has an answer."""
        return self.record.status == "complete"

    @property
    def waiting(self) -> int:
        """Answers still to come in an interrupted run. A run that goes on has written no count yet."""
        if self.record.status != "interrupted":
            return 0
        counts = self.record.counts
        return int(counts["n"]) - int(counts["answered"]) - int(counts["errors"])

    @property
    def timed(self) -> bool:
        """Whether the record tells the time its answers took: one that goes on or was killed has that of its start."""
        return self.record.status in ("complete", "incomplete") or bool(self.record.estimates)

    @property
    def builtin(self) -> bool:
        """Whether the questions are the shipped sample, written to try the program."""
        return bool(self.record.data["builtin"])

    @property
    def source(self) -> str:
        """Where the questions come from; of a file only its name: folders tell of a person, not of a result."""
        return short_source(str(self.record.data["source"]))

    @property
    def questions(self) -> str:
        """Identity of the questions asked: only cells that share it can be compared."""
        return self.record.fingerprints["data"]

    @property
    def chance(self) -> float | None:
        """Share of right answers of a blind guess."""
        found = self.record.task.get("chance")
        return None if found is None else float(found)

    @property
    def near_chance(self) -> bool:
        """Whether the interval does not lie wholly above a blind guess."""
        return _near(self.estimate, self.chance)

    @property
    def answered(self) -> Estimate | None:
        """Accuracy among the answers that name an option, where some do not."""
        return self.record.estimates.get("accuracy_answered") if self.other_outcomes else None

    @property
    def degenerate(self) -> Estimate | None:
        """Share of the written answers that loop, where some do: a mean can hide them until someone reads them."""
        found = self.record.estimates.get("degenerate")
        return found if found is not None and found.value else None

    @property
    def added(self) -> Mapping[str, Any]:
        """What gave the figure shown where the run's own metrics did not, such as a judge; empty elsewhere."""
        name = next((name for name, e in self.record.estimates.items() if e is self.estimate), "")
        return self.record.added.get(name, {})

    @property
    def judges(self) -> tuple[str, ...]:
        """Who judged the figure shown; of a model in a folder only the name: folders tell of a person."""
        return tuple(sorted(short_model(str(judge)) for judge in self.added.get("judges", ())))

    @property
    def hands(self) -> str:
        """Identity of what gave the figure shown: only cells that share it can be compared."""
        facts = {key: sorted(map(str, v)) if isinstance(v, list | tuple) else v for key, v in self.added.items()}
        return digest(facts) if facts else ""

    @property
    def second_reader(self) -> Mapping[str, Any]:
        """The model that read answers which the rules could not, as ``model``, and how many: ``read`` of ``put``; empty
        where none did."""
        facts: Mapping[str, Any] = self.record.added.get(second_reader.ADDED, {})
        return facts if facts.get("put") else {}

    @property
    def other_outcomes(self) -> Mapping[str, int]:
        """Outcome -> answers, for outcomes other than naming one option."""
        outcomes: Mapping[str, int] = self.record.counts["outcomes"]
        return {name: count for name, count in outcomes.items() if name not in ("choice", "text") and count}


@dataclass(frozen=True, slots=True)
class GroupCell:
    """What one row has for a group: the pooled estimate when all members are there, else how many are."""

    members: Mapping[str, Cell]
    """Those that are there, in the group's order."""
    wanted: int
    """Members the group has."""
    estimate: Estimate | None
    """Mean weighted by size; None unless every member has an estimate."""
    mark: Mark = ""
    gain: Gain | None = None
    """Over the members' questions together."""

    @property
    def hands(self) -> str:
        """Identity of what gave the members' figures."""
        return " ".join(cell.hands for cell in self.members.values()).strip()

    @property
    def leaks(self) -> Mapping[str, int]:
        """Member -> rows trained on that hold its questions; those without are left out."""
        return {task: rows for cell in self.members.values() for task, rows in cell.leaks.items()}

    @property
    def leaked(self) -> int:
        """Rows trained on that hold questions of some member."""
        return sum(self.leaks.values())

    @property
    def answered(self) -> Estimate | None:
        """Accuracy among the answers that name an option, of all members together, where some do not."""
        members = [(cell.record.estimates, cell.record.counts) for cell in self.members.values()]
        return answered_of_group(members) if self.estimate is not None else None

    @property
    def present(self) -> int:
        """Members with an estimate."""
        return sum(cell.estimate is not None for cell in self.members.values())

    @property
    def n(self) -> int:
        """Questions asked."""
        return sum(cell.n for cell in self.members.values())

    @property
    def total(self) -> int:
        """Questions the members' data have."""
        return sum(cell.total for cell in self.members.values())

    @property
    def subset(self) -> bool:
        """Whether some member was asked only some of its questions."""
        return any(cell.subset for cell in self.members.values())

    @property
    def complete(self) -> bool:
        """Whether all members are there, every question answered."""
        return self.present == self.wanted and all(cell.complete for cell in self.members.values())

    @property
    def builtin(self) -> bool:
        """Whether the questions are the shipped samples."""
        return any(cell.builtin for cell in self.members.values())

    @property
    def questions(self) -> str:
        """Identity of the questions of all members."""
        return " ".join(cell.questions for cell in self.members.values())

    @property
    def chance(self) -> float | None:
        """Mean of the members' chance, weighted as the estimate is; None when one is unknown."""
        weights = [(cell.chance, cell.estimate.n) for cell in self.members.values() if cell.estimate is not None]
        if not weights or any(chance is None for chance, _ in weights):
            return None
        return sum((chance or 0.0) * n for chance, n in weights) / sum(n for _, n in weights)

    @property
    def near_chance(self) -> bool:
        """Whether the interval does not lie wholly above a blind guess."""
        return _near(self.estimate, self.chance)


class RowKey(NamedTuple):
    """All that must be equal for two runs to stand in one row."""

    model: str
    fingerprint: str
    scoring: str
    shots: int
    seed: int
    shots_data: str
    prompt: str | None
    """Hash of the prompt template given, or None for the tasks' own wording."""
    max_tokens: int | None
    """Length limit of generated answers; None for scorings that generate nothing."""
    repeats: int
    """Answers to each question."""

    @property
    def settings(self) -> tuple[object, ...]:
        """How the model was asked, whichever it is."""
        return self[2:]


@dataclass(frozen=True, slots=True)
class Row:
    """One model under one set-up: everything in it was asked and scored in the same way."""

    key: RowKey
    parameters: int | None
    baseline: bool
    """A rule that reads no question: random, majority, longest."""
    untrained: bool
    """Random weights, made to try the program: the number means nothing."""
    cells: Mapping[str, Cell | GroupCell] = field(default_factory=dict)
    """Column's task -> cell; a task without a run is not there."""
    show_fingerprint: bool = False
    """Another row has the same name for a different model."""

    @property
    def model(self) -> str:
        """The model's name."""
        return self.key.model

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The runs shown."""
        return tuple(cell.record for cell in self.cells.values() if isinstance(cell, Cell))

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the runs record of the model."""
        return self.records[0].model if self.records else {}

    @property
    def leaks(self) -> Mapping[str, int]:
        """Task the row is ranked in -> rows the model was trained on that hold its questions."""
        return {task: rows for c in self.cells.values() if isinstance(c, Cell) for task, rows in c.leaks.items()}

    @property
    def quantisation(self) -> str:
        """How the weights are held, such as ``nf4``; empty for plain ones. A model's name does not tell."""
        found = self.manifest.get("quantisation")
        return str(found.get("scheme", "")) if isinstance(found, Mapping) else ""

    @property
    def adapter(self) -> str:
        """Name of the adapter on a model that is named after its base; empty where the name tells them apart."""
        found = self.manifest.get("adapter")
        return str(found.get("name", "")) if isinstance(found, Mapping) and trained(self.manifest) is None else ""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows measured on the same data; numbers of different sections are never compared."""

    labels: Mapping[str, str]
    """Where the questions come from -> as it is shown: ``hub:REPOSITORY`` with its revision, or a file's name."""
    builtin: bool
    rows: tuple[Row, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the questions come from, as shown."""
        return tuple(self.labels.values())


@dataclass(frozen=True, slots=True)
class Reference:
    """Figures others published: never measured by benchctl."""

    model: str
    parameters: int | None
    kind: str
    """``reported``: quoted from the models' own papers. ``measured-by-source``: measured by the authors cited."""
    language: str
    """Of the test set: ``en`` means the originals, not the translation."""
    scoring: str
    source: str
    """Citation."""
    scores: Mapping[str, float]
    """Task -> percent, as printed in the source."""
    metric: str = "accuracy"
    note: Mapping[str, str] = field(default_factory=dict)
    """Language of the report -> remark."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Everything the report shows."""

    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    references: tuple[Reference, ...]
    sorted_by: str | None
    """Task of the column the rows are sorted by at first."""
    title: str | None = None
    generated: str | None = None
    """When, as UTC ISO 8601; left out of the page when None."""

    @property
    def rows(self) -> int:
        """Measured rows."""
        return sum(len(section.rows) for section in self.sections)

    @property
    def cells(self) -> int:
        """Runs shown."""
        return sum(len(row.records) for section in self.sections for row in section.rows)

    @property
    def gains(self) -> bool:
        """Whether some cell shows what training changed."""
        return any(cell.gain for s in self.sections for row in s.rows for cell in row.cells.values())

    @property
    def leaked(self) -> tuple[Row, ...]:
        """Rows of models that were trained on questions of a test they are ranked in."""
        return tuple(row for section in self.sections for row in section.rows if row.leaks)


def _near(estimate: Estimate | None, chance: float | None) -> bool:
    return estimate is not None and chance is not None and estimate.low is not None and estimate.low <= chance
