"""The task of a recorded run, made again: the record, and the folder around it, may be another person's."""

from __future__ import annotations

from pathlib import Path

from benchctl.creation import create_task
from benchctl.errors import RecordError
from benchctl.model import parse_spec
from benchctl.plugins import get_plugins
from benchctl.records import StoredRun
from benchctl.task import Task, TaskGroup


def recorded_task(run: StoredRun) -> Task | TaskGroup:
    """The task or group that a run's record names.

    Raises:
        RecordError: its files lie among the runs, as `lm-eval:evil,include_path=runs/...` says. Such files can hold
            functions, and runs that are passed on would bring them along: looking at a run must execute nothing of it.
        UnknownName: its plugin is no longer there.
    """
    spec = run.record.spec.task
    args = parse_spec(spec, "task")[1]
    for text in (args.target, *args.options.values()):
        if text and Path(text).exists() and _among_runs(Path(text).resolve(), run.path.resolve()):
            raise RecordError(
                f"The task of run {run.record.id} is read from '{text}', where files lie among the runs: whoever gave "
                "you the runs could have their code executed.",
                "Read those files; if you trust them, move them out of the folder of runs and run the task anew.",
            )
    return create_task(get_plugins(), spec)


def _among_runs(file: Path, run: Path) -> bool:
    """Whether a file or folder lies in the folder of runs, ``runs/TASK/MODEL/ID``, or reaches tasks that do."""
    runs = run.parents[min(2, len(run.parents) - 1)]
    return file.is_relative_to(runs) or (runs.is_relative_to(file) and any(runs.rglob("*.y*ml")))
