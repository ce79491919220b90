"""Several tasks times several models: each pair is one run; groups are pooled from their members' runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any, Protocol

from benchctl.config import load_config
from benchctl.errors import BadConfig
from benchctl.groups import pooled
from benchctl.metric import Metric
from benchctl.model import Model, parse_spec, split_specs
from benchctl.plugins import Plugins, get_plugins
from benchctl.records import RunFolder, StoredRun
from benchctl.runner import Job, Progress, prepare, run
from benchctl.scoring import get_scoring
from benchctl.subsets import lopsided
from benchctl.task import Task, TaskData, TaskGroup
from benchctl.types import Estimate, RunRecord, RunSpec


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
            UnknownName, BadConfig: before anything is loaded.
        """
        plugins = get_plugins()
        asked = [create_task(plugins, name) for name in dict.fromkeys(split_specs(tasks, "--task"))]
        singles: dict[str, Task] = {}
        for task in asked:
            for member in task.members if isinstance(task, TaskGroup) else (task.name,):
                created = create_task(plugins, member)
                if isinstance(created, Task):
                    singles[created.name] = created
        specs = list(dict.fromkeys(split_specs(models)))
        for spec in specs:
            plugins.find("model", parse_spec(load_config().model_spec(spec))[0])
        template = options.get("prompt_template")
        data = load_config().data_path(options.get("data"))
        values = {**options, "prompt_template": _read(template) if template else None, "data": data}
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
        fixed = {"scoring": scoring, "shots": task.default_shots if shots is None else shots}
        return RunSpec(task.name, model, **{**self.options, **fixed})


@dataclass(frozen=True, slots=True)
class Result:
    """What one task, or group, gave for one model."""

    task: str
    model: str
    status: str
    estimates: Mapping[str, Estimate]
    counts: Mapping[str, Any]
    seconds: float
    run: str | None = None
    """The run's id; None for a group."""
    path: Path | None = None
    members: Sequence[Result] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """The object ``--json`` prints."""
        found: dict[str, Any] = {
            "task": self.task, "model": self.model, "run": self.run, "status": self.status, "n": self.counts["n"],
            "metrics": {
                name: {
                    "value": e.value, "low": e.low, "high": e.high, "n": e.n, "stderr": e.stderr, "method": e.method,
                    "higher_is_better": e.higher_is_better,
                }
                for name, e in self.estimates.items()
            },
            "outcomes": self.counts["outcomes"], "seconds": self.seconds,
            "counts": {k: v for k, v in self.counts.items() if k not in ("n", "outcomes")},
            "path": str(self.path) if self.path else None,
        }  # fmt: skip
        return {**found, "members": [m.as_json() for m in self.members]} if self.members else found


def run_matrix(matrix: Matrix, display: Display) -> list[Result]:
    """Run every pair, each model loaded once, and pool the groups. Stops after the first interrupted run."""
    plugins = get_plugins()
    for problem in plugins.problems:
        display.note(f"warning: {problem}")
    loaded: dict[str, TaskData] = {}
    for name, task in matrix.members.items():
        loaded[name] = task.load(matrix.options["data"], skip_bad_rows=matrix.options["skip_bad_rows"])
        _note_data(display, name, loaded[name])
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


def create_task(plugins: Plugins, spec: str) -> Task | TaskGroup:
    """The task or group of that name, or of ``NAME:TARGET,key=value``.

    Raises:
        UnknownName: nobody offers it.
        BadConfig: arguments for a task that takes none.
    """
    task: Task | TaskGroup = _create(plugins, "task", spec)
    return task


def create_model(plugins: Plugins, spec: str, cluster: str = "") -> Model:
    """The model a spec stands for, weights not yet loaded; inside the backend ``cluster`` if that has options.

    Raises:
        UnknownName, BadConfig, MissingExtra, ModelCallError: with what to do.
    """
    text = load_config().model_spec(spec)
    backend, args = parse_spec(f"cluster:{text},{cluster}" if cluster else text)
    model: Model = plugins.create("model", backend, args)
    return model


def create_models(plugins: Plugins, specs: Sequence[str], cluster: str = "") -> dict[str, Model]:
    """All the models of a command, before the first is loaded: a mistake in the last spec is found at once, and models
    that differ only in their adapter know of each other and load their base once.

    Raises:
        UnknownName, BadConfig, MissingExtra, ModelCallError: as :func:`create_model`.
    """
    models: dict[str, Model] = {}
    try:
        for spec in specs:
            models[spec] = create_model(plugins, spec, cluster)
    except BaseException:
        for model in models.values():
            model.close()
        raise
    return models


def create_metrics(plugins: Plugins, task: Task, extra: Sequence[str] = ()) -> list[Metric]:
    """The metrics a task names, and others by spec; of two with one name the later stays.

    Args:
        extra: ``NAME`` or ``NAME:TARGET,key=value``; arguments go to the factory as :class:`benchctl.model.ModelArgs`.

    Raises:
        UnknownName: nobody offers one of them.
        BadConfig: arguments for a metric that takes none.
    """
    found: dict[str, Metric] = {metric.name: metric for metric in task.own_metrics}
    for spec in (*task.metrics, *(name for name in extra if name not in found)):
        metric: Metric = _create(plugins, "metric", spec)
        metric.spec = spec
        found[metric.name] = metric
    return list(found.values())


def _create(plugins: Plugins, kind: str, spec: str) -> Any:
    """What a spec stands for; its arguments go to the factory only where there are any."""
    name, args = parse_spec(spec, kind)
    given = (args,) if args.target or args.options else ()
    offers = plugins.offers(kind)
    if given and name in offers and not signature(offers[name].factory).parameters:
        raise BadConfig(f"{kind.capitalize()} '{name}' takes no arguments, '{spec}' was given.", f"Write {name}.")
    return plugins.create(kind, name, *given)


def _run_one(
    matrix: Matrix, plugins: Plugins, task: Task, data: TaskData, spec: str, model: Model, display: Display
) -> Result:
    scoring = get_scoring(task, matrix.options.get("scoring"), matrix.options["max_tokens"])
    called = spec if load_config().model_spec(spec) != spec else model.spec or spec
    metrics = create_metrics(plugins, task, matrix.metrics)
    job = prepare(matrix.spec(task, called), task, scoring, metrics, model, data)
    _note_subset(display, job)
    plugins.call("benchctl_run_started", spec=job.spec, run=str(matrix.out))
    record, folder = run(job, matrix.out, display.job(f"{task.name} · {model.name}"))
    if not set(matrix.metrics) <= set(record.metrics):  # found finished, without a metric that is asked for now
        from benchctl.rescoring import rescored  # which needs this module's create_metrics

        record = rescored(StoredRun(record, folder.path), matrix.metrics)
    plugins.call("benchctl_run_finished", record=record, run=str(folder.path))
    _note_run(display, job, record)
    return as_result(record, folder)


def as_result(record: RunRecord, folder: RunFolder) -> Result:
    """A run's record as a result."""
    return Result(record.spec.task, record.spec.model, record.status, record.estimates, record.counts,
                  float(record.timings["seconds"]), record.id, folder.path)  # fmt: skip


def _collect(matrix: Matrix, found: Mapping[tuple[str, str], Result]) -> list[Result]:
    """Results in the order asked; a group whose members did not all run yet is left out."""
    results = []
    for spec in matrix.models:
        for task in matrix.tasks:
            names = task.members if isinstance(task, TaskGroup) else (task.name,)
            members = [found[name, spec] for name in names if (name, spec) in found]
            if len(members) == len(names):
                results.append(pool(task.name, members) if isinstance(task, TaskGroup) else members[0])
    return results


def pool(name: str, members: Sequence[Result]) -> Result:
    """A group's result: each metric all members have, pooled; counts added up; complete when all are."""
    shared = [m for m in members[0].estimates if all(m in r.estimates for r in members)]
    statuses = {member.status for member in members}
    worst = next((s for s in ("interrupted", "running", "incomplete") if s in statuses), "complete")
    counts: dict[str, Any] = {"outcomes": {}}
    for member in members:
        for key, value in member.counts.items():
            if key == "outcomes":
                for outcome, count in value.items():
                    counts["outcomes"][outcome] = counts["outcomes"].get(outcome, 0) + count
            else:
                counts[key] = counts.get(key, 0) + value
    return Result(
        name, members[0].model, worst, {m: pooled([r.estimates[m] for r in members]) for m in shared}, counts,
        round(sum(r.seconds for r in members), 3), members=tuple(members),
    )  # fmt: skip


def _note_data(display: Display, name: str, data: TaskData) -> None:
    if data.builtin:
        display.note(f"note: {name}: the shipped sample, written to try benchctl; its score says nothing of a model.")
    if data.bad_rows:
        display.note(f"note: {name}: {len(data.bad_rows)} unusable rows left out, e.g. {data.bad_rows[0]}")


def _note_subset(display: Display, job: Job) -> None:
    label = lopsided(job.data.samples, job.samples)
    if label is not None and job.task.kind == "multiple_choice":
        display.note(
            f"warning: {job.task.name}: '{label}' is right in another share of the {len(job.samples)} samples asked "
            f"than of all {len(job.data.samples)}: the data is sorted. Use --sample N instead of --limit N."
        )


def _note_run(display: Display, job: Job, record: RunRecord) -> None:
    if record.counts["cut"]:
        display.note(
            f"note: {job.task.name} · {job.model.name}: {record.counts['cut']} prompts were cut on the left to fit."
        )
    if record.counts["errors"]:
        first = record.errors[0]
        display.note(
            f"warning: {job.task.name} · {job.model.name}: {record.counts['errors']} samples without an answer, "
            f"e.g. {first['id']}: {first['reason']}. The same command retries them."
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(
            f"The prompt template '{path}' cannot be read.", "Check the path; it must be UTF-8 text."
        ) from error
