"""Several tasks times several models: each pair is one run; groups are pooled from their members' runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchctl.config import load_config
from benchctl.creation import create_metrics, create_models, create_task
from benchctl.errors import DEFECT, BadConfig, PluginError, blamed
from benchctl.manifest import lopsided_in
from benchctl.model import Model, parse_spec, split_specs
from benchctl.plugins import Plugins, get_plugins
from benchctl.records import RunFolder, StoredRun, run_place
from benchctl.repeats import questions
from benchctl.rescoring import rescored
from benchctl.results import Result, as_result, pool
from benchctl.runner import Job, Progress, prepare, run
from benchctl.scoring import get_scoring
from benchctl.subsets import right_twice, standing_again
from benchctl.task import Task, TaskData, TaskGroup
from benchctl.trained import called
from benchctl.types import RunRecord, RunSpec
from benchctl.written import outdated

AGAIN = 0.01
"""Share of questions that stood in the data before from which on it is said: of fewer intervals show nothing."""
UNREAD = 0.2
"""Share of answers that name no option above which it is said: the rules of extraction miss some of any model's."""


class Display(Protocol):
    """Where progress and notes go while the matrix runs."""

    def note(self, text: str) -> None:
        """Say something once."""

    def job(self, title: str) -> Progress:
        """A new bar, and the function that moves it."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the command line asked for, with every task known to exist."""

    tasks: Sequence[Task | TaskGroup]
    members: Mapping[str, Task]
    """Every single task to run, by name, in order."""
    models: Sequence[str]
    out: Path
    options: Mapping[str, Any]
    """Fields of RunSpec."""
    metrics: Sequence[str] = ()
    """Specs of metrics besides the task's own."""
    max_cost: float | None = None
    """Sum at which each model that costs money stops asking."""
    cluster: str = ""
    """Options of the backend ``cluster``, such as ``workers=2``: every model runs inside it. No part of a result."""

    @classmethod
    def parse(
        cls,
        tasks: Sequence[str],
        models: Sequence[str],
        out: Path,
        options: Mapping[str, Any],
        metrics: Sequence[str] = (),
    ) -> Matrix:
        """Read the options of ``benchctl run``.

        Raises:
            UnknownName, BadConfig, PluginError: before anything is loaded.
        """
        plugins = get_plugins()
        asked = [create_task(plugins, name) for name in dict.fromkeys(split_specs(tasks, "--task"))]
        singles: dict[str, Task] = {}
        for task in asked:
            for member in task.members if isinstance(task, TaskGroup) else (task.name,):
                created = create_task(plugins, member)
                if isinstance(created, TaskGroup):
                    raise PluginError(f"The group {task.name} holds the group {member}.", "Name its tasks instead.")
                singles[created.name] = created
        specs = list(dict.fromkeys(split_specs(models)))
        for spec in specs:
            plugins.find("model", parse_spec(load_config().model_spec(spec))[0])
        template = options.get("prompt_template")
        data = load_config().data_path(options.get("data"))
        values = {**options, "prompt_template": _read(template) if template else None, "data": data}
        if "shots_data" in options:
            values["shots_data"] = load_config().data_path(options["shots_data"])
        max_cost = values.pop("max_cost", None)
        shared = {name: values.pop(name, None) for name in ("workers", "ray")}
        cluster = ",".join(f"{name}={value}" for name, value in shared.items() if value)
        if cluster:
            plugins.find("model", "cluster")
        extra = list(dict.fromkeys(split_specs(metrics, "--metric")))
        for single in singles.values():
            create_metrics(plugins, single, extra)
        return cls(asked, singles, specs, out, values, extra, max_cost, cluster)

    def spec(self, task: Task, model: str) -> RunSpec:
        """The spec of one pair."""
        scoring = get_scoring(task, self.options.get("scoring"), 1).name
        shots = self.options.get("shots")
        shots = 0 if self.stays_without_shots(task) else task.default_shots if shots is None else shots
        return RunSpec(task.name, model, **{**self.options, "scoring": scoring, "shots": shots})

    def stays_without_shots(self, task: Task) -> bool:
        """Whether ``--shots`` was meant for the others of a group. Asked for by its own name, a task may refuse it."""
        alone = any(isinstance(one, Task) and one.name == task.name for one in self.tasks)
        return bool(self.options.get("shots")) and not task.takes_shots and not alone


def run_matrix(matrix: Matrix, display: Display) -> list[Result]:
    """Run every pair, each model loaded once, and pool the groups. Stops after the first interrupted run."""
    plugins = get_plugins()
    for problem in plugins.problems:
        display.note(f"warning: {problem}")
    loaded: dict[str, TaskData] = {}
    for name, task in matrix.members.items():
        with blamed(f"Task {name} failed to load its data", DEFECT):
            loaded[name] = task.load(matrix.options["data"], skip_bad_rows=matrix.options["skip_bad_rows"])
        _note_data(display, name, loaded[name])
    if bare := [task.title for task in matrix.members.values() if matrix.stays_without_shots(task)]:
        display.note(f"note: made to be asked without examples, and so without --shots here: {', '.join(bare)}.")
    found: dict[tuple[str, str], Result] = {}
    models = create_models(plugins, matrix.models, matrix.cluster)
    try:
        for spec in matrix.models:
            model = models[spec]
            model.max_cost = model.max_cost if matrix.max_cost is None else matrix.max_cost
            for task in matrix.members.values():
                result = _run_one(matrix, plugins, task, loaded[task.name], spec, model, display)
                found[task.name, spec] = result
                if result.status == "interrupted":
                    return _collect(matrix, found)
            models.pop(spec).close()
    finally:
        for model in models.values():
            model.close()
    return _collect(matrix, found)


def _run_one(
    matrix: Matrix, plugins: Plugins, task: Task, data: TaskData, spec: str, model: Model, display: Display
) -> Result:
    scoring = get_scoring(task, matrix.options.get("scoring"), matrix.options["max_tokens"])
    asked = spec if load_config().model_spec(spec) != spec else model.spec or spec
    wanted = matrix.spec(task, asked)
    several = task.metrics_of_repeats if wanted.repeats > 1 and task.kind == "multiple_choice" else ()
    metrics = create_metrics(plugins, task, [*several, *matrix.metrics])
    job = prepare(wanted, task, scoring, metrics, model, data)
    _note_subset(display, job)
    place = run_place(matrix.out, job.spec, job.prints)
    before = place.record()
    _note_failed(display, plugins.tell("benchctl_run_started", spec=job.spec, run=str(place.path)))
    record, folder = run(job, matrix.out, display.job(_title(job)))
    if not set(matrix.metrics) <= set(record.metrics):  # found finished, without a metric that is asked for now
        record = rescored(StoredRun(record, folder.path), matrix.metrics, keep_read=True)
    _note_failed(display, plugins.tell("benchctl_run_finished", record=record, run=str(folder.path)))
    _note_changed(display, job, record, folder)
    _note_left_out(display, job, before, record)
    _note_run(display, job, record)
    return as_result(record, folder)


def _collect(matrix: Matrix, found: Mapping[tuple[str, str], Result]) -> list[Result]:
    """Results in the order asked; a group whose members did not all run yet is left out."""
    results = []
    for spec in matrix.models:
        for task in matrix.tasks:
            names = task.members if isinstance(task, TaskGroup) else (task.name,)
            members = [found[name, spec] for name in names if (name, spec) in found]
            if len(members) == len(names):
                results.append(_pooled(task, members))
    return results


def _pooled(task: Task | TaskGroup, members: Sequence[Result]) -> Result:
    return pool(task.name, members, task.alike) if isinstance(task, TaskGroup) else members[0]


def _title(job: Job) -> str:
    """Task and model, by the name that tables have."""
    return f"{job.task.name} · {called(job.spec.model, job.model.name)}"


def _note_data(display: Display, name: str, data: TaskData) -> None:
    if data.builtin:
        display.note(f"note: {name}: the shipped sample, written to try benchctl; its score says nothing of a model.")
    if data.bad_rows:
        display.note(f"note: {name}: {len(data.bad_rows)} unusable rows left out, e.g. {data.bad_rows[0]}")
    lost = [sample for sample in data.samples if sample.choices and sample.target not in sample.choices]
    if lost:  # lm-eval goes on with such documents, and so do its tasks here
        texts = ", ".join(lost[0].choices.values())
        display.note(
            f"warning: {name}: {len(lost)} of {len(data.samples)} questions have a right answer that is none of their "
            f"choices, e.g. '{lost[0].id}': {lost[0].target!r}, of {texts[:80]}: every answer to them counts as wrong. "
            "Mend the task."
        )
    if twice := right_twice(data.samples):
        right = twice[0].choices[twice[0].target].strip()
        alike = " and ".join(label for label, text in twice[0].choices.items() if text.strip() == right)
        display.note(
            f"warning: {name}: {len(twice)} of {len(data.samples)} questions have the text of their right option again "
            f"under another label, e.g. '{twice[0].id}': {alike}. Only one of them counts as right: by letter that is "
            "chance, by the text the first always wins. Mend or remove them."
        )
    again = standing_again(data.samples)
    if again and len(again) >= AGAIN * len(data.samples):
        display.note(
            f"warning: {name}: {len(again)} of {len(data.samples)} questions stand in the data before, with the same "
            f"options and answer, e.g. '{again[0].id}': each counts again, and intervals and p-values are too sure. "
            "Remove them."
        )


def _note_subset(display: Display, job: Job) -> None:
    if label := lopsided_in(job):
        asked = len(questions(job.samples))
        display.note(
            f"warning: {job.task.name}: '{label}' is right in another share of the {asked} samples asked "
            f"than of all {len(job.data.samples)}: the data is sorted. "
            "Draw them over all: --sample N, of 'train' --eval-sample N."
        )


def _note_failed(display: Display, failed: Sequence[str]) -> None:
    """Whoever only looks on, such as a notice sent over the net, keeps no run from going on."""
    for line in failed:
        display.note(f"warning: {line}")


def _note_changed(display: Display, job: Job, record: RunRecord, folder: RunFolder) -> None:
    """What the task's plugin says otherwise today than when the run was finished, which is only read here."""
    lacking = [spec for metric in job.metrics if (spec := metric.spec or metric.name) not in record.metrics]
    if lacking:
        display.note(
            f"note: {_title(job)}: was finished before the task had {', '.join(lacking)}; "
            f"'benchctl rescore {folder.path}' computes what applies."
        )
    if outdated(record):
        display.note(
            f"warning: {_title(job)}: these answers were written by an older benchctl, some perhaps otherwise than it "
            f"would now. To have them written again, delete {folder.path} and run the same command."
        )
    then = {score.id: score.cluster for score in folder.scores()}
    now = {sample.id: sample.cluster for sample in job.samples if sample.id in then}
    if _groups(then[one] for one in now) != _groups(now.values()):
        display.note(
            f"warning: {_title(job)}: the task groups its questions by passage otherwise than when they were answered: "
            f"these intervals are of the old groups. Raise its 'version' for a run with the new ones."
        )


def _note_left_out(display: Display, job: Job, before: RunRecord | None, record: RunRecord) -> None:
    """What was added to an unfinished run, by hand or by a judge, does not count the answers that came since."""
    had, has = ({*one.added, *one.metrics} if one else set() for one in (before, record))
    if gone := sorted(had - has):
        display.note(
            f"note: {_title(job)}: left out, since of the answers there were before: {', '.join(gone)}. "
            f"'rescore' and 'judge' add them again; nothing is asked twice."
        )


def _groups(clusters: Iterable[str | None]) -> list[int]:
    """For each question the place of the first that shares its passage: the same however passages are called."""
    first: dict[str, int] = {}
    return [place if one is None else first.setdefault(one, place) for place, one in enumerate(clusters)]


def _note_run(display: Display, job: Job, record: RunRecord) -> None:
    if record.counts["cut"]:
        were = "1 prompt was" if record.counts["cut"] == 1 else f"{record.counts['cut']} prompts were"
        display.note(f"note: {_title(job)}: {were} cut on the left to fit.")
    if record.counts.get("unfinished"):
        more = f"; {job.scoring.more_room}" if job.scoring.kind == "generate" else ""
        display.note(
            f"note: {_title(job)}: {record.counts['unfinished']} of {record.counts['answered']} answers were cut off "
            f"at their length limit{more}."
        )
    _note_unread(display, job, record)
    if len(served := record.model.get("served_model", ())) > 1:
        display.note(
            f"warning: {_title(job)}: the answers are of {len(served)} models, by what the server "
            f"says: {', '.join(served)}. samples.jsonl says which."
        )
    if len(ways := record.model.get("choose_by", {})) > 1:
        told = ", ".join(f"{count} by {way}" for way, count in ways.items())
        display.note(
            f"warning: {_title(job)}: the choices were made in different ways, {told}, since the server did not always "
            f"give log-probabilities: the figure is of neither. choose_by=generation makes all in one way."
        )
    if record.counts["errors"]:
        first = record.errors[0]
        display.note(
            f"warning: {_title(job)}: {record.counts['errors']} samples without an answer, "
            f"e.g. {first['id']}: {first['reason']}. The same command retries them."
        )
    if record.status == "interrupted":
        display.note(
            f"note: {_title(job)}: interrupted with {record.counts['answered']} of "
            f"{record.counts['n']} answered, all of them kept. The same command goes on there."
        )


def _note_unread(display: Display, job: Job, record: RunRecord) -> None:
    """An accuracy of answers that were not understood is no accuracy of the model's."""
    unread, answered = record.counts["outcomes"].get("none", 0), record.counts["answered"]
    if unread > UNREAD * answered:
        helps = "with --scoring generate and enough --max-tokens a model may think first"
        if job.scoring.name == "generate":
            helps = f"'rescore {record.id} --extract-with MODEL' has them read"
        display.note(
            f"warning: {_title(job)}: {unread} of {answered} answers name no option and count as wrong: "
            f"'benchctl show {record.id}' prints some, {helps}."
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # editors on Windows put a mark in front
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(
            f"The prompt template '{path}' cannot be read.", "Check the path; it must be UTF-8 text."
        ) from error
