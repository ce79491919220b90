"""What a task is: where its rows are, how a row becomes a sample, how a sample is asked and what is measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchctl.data import BrokenRow, Row, RowError, Table, read_table, saved
from benchctl.errors import DEFECT, BadData, PluginError, blamed
from benchctl.fingerprints import digest
from benchctl.hub import HubDataset, read_hub
from benchctl.types import Sample

if TYPE_CHECKING:
    from benchctl.metric import Metric
    from benchctl.scoring import Scoring

T = TypeVar("T")


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
    metrics_of_repeats: Sequence[str] = ("accuracy_majority", "accuracy_any")
    """The same for runs that ask each question several times."""
    scoring: str = "letter"
    """Used when the command line names none."""
    chance: float | None = None
    """Share of right answers a blind guess gets, for reports."""
    default_shots: int = 0
    """Examples before each question when the command line does not say."""
    takes_shots: bool = True
    """False: made to be asked without examples; as one of a group it stays so, whatever ``--shots`` says. Read after
    :meth:`load`."""

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
        return read_table(path, keep_broken=True)

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
            return self._builtin("dev", "--shots-data")
        if source == "hub":
            if self.hub_shots is None:
                raise BadData(f"{self.name} has no training split on the hub.", "Use --shots-data builtin or a file.")
            table = read_hub(self.hub_shots)
        else:
            table = self._read(_in_folder(Path(source), self.shots_files, self.name))
        if table.broken:
            raise BadData(f"{table.source}, {table.broken[0].place}: {table.broken[0].reason}.", table.broken[0].hint)
        found: list[Sample] = []
        for row in table.rows:
            try:
                example = self._called(self.shot, row, table.source)
                if example is not None:
                    found.append(self.checked(example, row, table.source))
            except RowError:
                continue  # training data need not be perfect: an unusable row is simply not an example
        if not found:
            raise BadData(f"{table.source}: no row can serve {self.name} as an example.", "Check --shots-data.")
        return tuple(found)

    def _table(self, data: str | None) -> Table:
        if data is not None:
            return self._read(_in_folder(Path(data), self.files, self.name))
        if self.hub is None:
            others = "--data FILE" if self.builtin is None else "--data FILE or --data builtin"
            raise BadData(f"{self.name} has no dataset on the hub.", f"Give {others}.")
        return read_hub(self.hub)

    def _read(self, path: Path) -> Table:
        """What :meth:`read` gives. csv.DictReader calls a column None where a row has more cells than the header."""
        with blamed(f"Task {self.name} failed to read {path}", DEFECT):
            table = self.read(path)
            return replace(table, columns=frozenset(map(str, table.columns)))

    def _samples(self, table: Table, skip_bad_rows: bool) -> TaskData:
        lacking = [column for column in self.columns if column not in table.columns]
        if any(all(column not in row.values for row in table.rows) for column in lacking):
            table.require(self.columns)
        samples: list[Sample] = []
        bad: list[str] = []
        tidied: dict[str, int] = {}
        places: dict[str, str] = {}
        for row in sorted((*table.rows, *table.broken), key=lambda row: row.number):
            try:
                sample = self._wanted_sample(row, lacking, table.source)
                if sample is None:
                    continue
                if sample.id in places:
                    raise RowError(
                        f"the id '{sample.id}' stands already in {places[sample.id]}; answers are kept by id"
                    )
            except RowError as error:
                if not skip_bad_rows:
                    mend = f"{row.hint} Or" if isinstance(row, BrokenRow) else "Mend the row, or"
                    raise BadData(
                        f"{table.source}, {row.place}: {error}.",
                        f"{mend} leave such rows out with --skip-bad-rows (they are counted and shown).",
                    ) from error
                bad.append(f"{row.place}: {error}")
                continue
            places[sample.id] = row.place
            samples.append(sample)
            for column in self._called(self.tidied, row, table.source):
                tidied[column] = tidied.get(column, 0) + 1
        if not samples:
            first = f"; the first of {len(bad)} left out: {bad[0]}" if bad else ""
            raise BadData(f"{table.source}: no usable row for {self.name}{first}.", "Check that it is the right file.")
        return TaskData(tuple(samples), table.source, table.revision, False, tuple(bad), tidied)

    def _wanted_sample(self, row: Row, lacking: Sequence[str], source: str) -> Sample | None:
        """The row's sample; None for a row of another task.

        Raises:
            RowError: the row cannot be used.
        """
        if isinstance(row, BrokenRow):
            raise RowError(row.reason)
        if not self._called(self.wanted, row, source):
            return None
        absent = [column for column in lacking if column not in row.values]
        if absent:
            raise RowError(f"no column {', '.join(repr(column) for column in absent)}")
        return self.checked(self._called(self.sample, row, source), row, source)

    def _called(self, method: Callable[[Row], T], row: Row, source: str) -> T:
        """What a method of the plugin says of a row; a defect in it is told with the row that showed it."""
        with blamed(f"Task {self.name} failed at {source}, {row.place}", DEFECT, RowError):
            return method(row)

    def checked(self, made: Sample, row: Row, source: str) -> Sample:
        """The sample, with the row's columns for templates. An answer that is no option would be wrong for every model.

        Raises:
            RowError: the row cannot be used.
            PluginError: what the plugin made is no sample.
        """
        if not (isinstance(made, Sample) and _of_text(made)):
            raise PluginError(
                f"Task {self.name} made no Sample of {source}, {row.place}, or one whose id or target is no text, "
                f"whose question, context or cluster is none, or whose choices do not map text to text: {made!r}.",
                DEFECT,
            )
        if self.kind == "multiple_choice":
            if len(made.choices) == 1:
                raise RowError("has a single option, so that every answer would be right")
            empty = next((label for label, text in made.choices.items() if not text.strip()), None)
            if empty is not None:
                raise RowError(f"option {empty} is empty")
            if made.target not in made.choices:
                raise RowError(f"the right answer '{made.target}' is none of the options ({', '.join(made.choices)})")
        return made if "row" in made.metadata else replace(made, metadata={**made.metadata, "row": dict(row.values)})

    def _builtin(self, split: str, option: str = "--data") -> tuple[Sample, ...]:
        if self.builtin is None:
            raise BadData(f"{self.name} ships no {split} rows of its own.", f"Give {option} FILE.")
        rows = (row for row in read_table(self.builtin).rows if row.text("split") == split)
        return tuple(builtin_sample(row) for row in rows)


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Several tasks under one name: each is run and shown, and their pooled estimate."""

    name: str
    title: str
    members: tuple[str, ...]
    language: str = "pt"
    alike: Collection[str] = ()
    """Metrics whose mean takes each member alike; those of the others are weighted by size. Reports, which show all
    groups weighted by size, leave out a group with any."""


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
    if not path.is_dir() or saved(path):
        return path
    found = next((path / name for name in names if (path / name).is_file()), None)
    if found is None:
        known = f"{task} looks there for {' or '.join(names)}." if names else f"Give {task} a file."
        raise BadData(f"The folder '{path}' has no file of {task}.", known)
    return found


def _of_text(sample: Sample) -> bool:
    """Whether all that is asked and written down is text, as a plugin without types may forget."""
    parts: list[object] = [sample.id, sample.question, sample.context, sample.target, sample.cluster or ""]
    if not isinstance(sample.choices, Mapping):
        return False
    return all(isinstance(part, str) for part in (*parts, *sample.choices, *sample.choices.values()))
