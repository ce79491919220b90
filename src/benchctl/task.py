"""What a task is: where its rows are, how a row becomes a sample, how a sample is asked and what is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.data import Row, RowError, Table, read_table
from benchctl.errors import BadData
from benchctl.fingerprints import digest
from benchctl.hub import HubDataset, read_hub
from benchctl.types import Sample

if TYPE_CHECKING:
    from benchctl.metric import Metric
    from benchctl.scoring import Scoring


@dataclass(frozen=True, slots=True)
class TaskData:
    """The samples of a task and where they come from."""

    samples: tuple[Sample, ...]
    source: str
    """``builtin``, ``hub:REPOSITORY`` or a file's name."""
    revision: str | None = None
    builtin: bool = False
    bad_rows: tuple[str, ...] = ()
    """Place and reason of every row left out by ``--skip-bad-rows``."""
    normalised: Mapping[str, int] = field(default_factory=dict)
    """What was tidied: column -> number of cells whose case or spaces were changed to be understood."""


class Task:
    """Base of every task. A multiple-choice task overrides ``name``, ``title``, ``sample`` and says where its rows are.

    ``sample`` raises :class:`benchctl.data.RowError` with a reason for a row that cannot be used.
    """

    name: str = ""
    title: str = ""
    """For people: in tables and reports."""
    language: str = "pt"
    kind: str = "multiple_choice"
    """``multiple_choice``, ``text`` (free answers against a reference) or ``corpus`` (perplexity of texts)."""
    version: int = 1
    """Raised when a change to the task changes scores; part of the run's identity."""
    hub: HubDataset | None = None
    hub_shots: HubDataset | None = None
    """The split few-shot examples come from; never the test split."""
    builtin: Path | None = None
    """The shipped sample: JSON lines with ``split`` ``test`` or ``dev``."""
    columns: Sequence[str] = ()
    """Columns a file must have."""
    instructions: Mapping[str, str] = {}
    """Scoring -> the sentence in front of the question, in the task's language; see :mod:`benchctl.prompts`."""
    files: Sequence[str] = ()
    """Where the test rows lie when ``--data`` is a folder: relative paths, the first that exists is read."""
    shots_files: Sequence[str] = ()
    """The same for the examples, when ``--shots-data`` is a folder."""
    metrics: Sequence[str] = (
        "accuracy", "accuracy_answered", "accuracy_per_token", "accuracy_per_byte", "degenerate", "length",
    )  # fmt: skip
    """Names of metrics; those that do not apply to the answers of a run vanish from it."""
    scoring: str = "letter"
    """Used when the command line names none."""
    chance: float | None = None
    """Share of right answers a blind guess gets, for reports."""
    default_shots: int = 0
    """Examples before each question when the command line does not say."""

    @property
    def scorings(self) -> Mapping[str, Callable[[int], Scoring]]:
        """Scorings of its own, name -> factory that takes the length limit; empty for those of its kind."""
        return {}

    @property
    def own_metrics(self) -> Sequence[Metric]:
        """Metrics that only this task can compute, besides those :attr:`metrics` names."""
        return ()

    def sample(self, row: Row) -> Sample:
        """The sample a row of the hub dataset, or of a local copy of it, holds."""
        raise NotImplementedError

    def wanted(self, row: Row) -> bool:
        """Whether the row belongs to this task; files may hold several tasks."""
        return True

    def shot(self, row: Row) -> Sample | None:
        """The few-shot example a row of the training data holds; None when it is of another kind."""
        return self.sample(row)

    def tidied(self, row: Row) -> Sequence[str]:
        """Columns whose cell had to be changed in case or spaces to be understood."""
        return ()

    def read(self, path: Path) -> Table:
        """The rows of a local file; overridden where the originals have a layout of their own.

        Raises:
            BadData: with file, line and what was expected.
        """
        return read_table(path)

    def load(self, data: str | None, *, skip_bad_rows: bool = False) -> TaskData:
        """The test samples.

        Args:
            data: None for the hub, ``builtin``, or a path.
            skip_bad_rows: leave unusable rows out, with their place and reason, instead of stopping.

        Raises:
            BadData: with file, row and reason.
        """
        if data == "builtin":
            return TaskData(self._builtin("test"), "builtin", builtin=True)
        table = self._table(data)
        return self._samples(table, skip_bad_rows)

    def shots(self, source: str) -> tuple[Sample, ...]:
        """All the examples few-shot prompts may use: ``builtin``, ``hub`` or a path, never the test split."""
        if source == "builtin":
            return self._builtin("dev")
        if source == "hub":
            if self.hub_shots is None:
                raise BadData(f"{self.name} has no training split on the hub.", "Use --shots-data builtin or a file.")
            table = read_hub(self.hub_shots)
        else:
            table = self.read(_in_folder(Path(source), self.shots_files, self.name))
        found: list[Sample] = []
        for row in table.rows:
            try:
                example = self.shot(row)
            except RowError:
                continue  # training data need not be perfect: an unusable row is simply not an example
            if example is not None:
                found.append(example)
        if not found:
            raise BadData(f"{table.source}: no row can serve {self.name} as an example.", "Check --shots-data.")
        return tuple(found)

    def _table(self, data: str | None) -> Table:
        if data is not None:
            return self.read(_in_folder(Path(data), self.files, self.name))
        if self.hub is None:
            raise BadData(f"{self.name} has no dataset on the hub.", "Give --data FILE or --data builtin.")
        return read_hub(self.hub)

    def _samples(self, table: Table, skip_bad_rows: bool) -> TaskData:
        table.require(self.columns)
        rows = [row for row in table.rows if self.wanted(row)]
        samples: list[Sample] = []
        bad: list[str] = []
        tidied: dict[str, int] = {}
        for row in rows:
            try:
                samples.append(self.sample(row))
            except RowError as error:
                if not skip_bad_rows:
                    raise BadData(
                        f"{table.source}, {row.place}: {error}.",
                        "Mend the row, or leave such rows out with --skip-bad-rows (they are counted and shown).",
                    ) from error
                bad.append(f"{row.place}: {error}")
                continue
            for column in self.tidied(row):
                tidied[column] = tidied.get(column, 0) + 1
        if not samples:
            raise BadData(f"{table.source}: no usable row for {self.name}.", "Check that it is the right file.")
        _unique_ids(samples, table.source)
        return TaskData(tuple(samples), table.source, table.revision, False, tuple(bad), tidied)

    def _builtin(self, split: str) -> tuple[Sample, ...]:
        if self.builtin is None:
            raise BadData(f"{self.name} ships no sample of its own.", "Give --data FILE.")
        rows = (row for row in read_table(self.builtin).rows if row.text("split") == split)
        return tuple(builtin_sample(row) for row in rows)


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Several tasks under one name: each is run and shown, and their pooled estimate (mean weighted by size)."""

    name: str
    title: str
    members: tuple[str, ...]
    language: str = "pt"


def builtin_sample(row: Row) -> Sample:
    """A row of a shipped sample file (schema in plugins/tasks/data/README.md) as a sample."""
    values: Mapping[str, Any] = row.values
    context = row.text("context")
    cluster = digest(context)[:12] if context else None
    metadata = {"row": dict(values)}
    choices = dict(values.get("choices") or {})
    return Sample(str(values["id"]), row.text("question"), choices, row.text("answer"), context, cluster, metadata)


def _in_folder(path: Path, names: Sequence[str], task: str) -> Path:
    """The file itself; of a folder, the first of ``names`` that exists in it."""
    if not path.is_dir():
        return path
    found = next((path / name for name in names if (path / name).is_file()), None)
    if found is None:
        known = f"{task} looks there for {' or '.join(names)}." if names else f"Give {task} a file."
        raise BadData(f"The folder '{path}' has no file of {task}.", known)
    return found


def _unique_ids(samples: Sequence[Sample], source: str) -> None:
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise BadData(
                f"{source}: the id '{sample.id}' stands twice.", "Ids must be unique: answers are kept by id."
            )
        seen.add(sample.id)
