"""``benchctl export``: a task or a run in the format of another tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchctl.hookspecs import hookimpl

if TYPE_CHECKING:
    from benchctl.matrix import Matrix
    from benchctl.records import StoredRun


def _task_as_lm_eval(matrix: Matrix, out: Path) -> list[Path]:
    from .lm_eval_task import write

    return write(matrix, out)


def _run_as_lm_eval(run: StoredRun, out: Path) -> list[Path]:
    from .lm_eval_run import write

    return write(run, out)


def _run_as_model_card(run: StoredRun, out: Path) -> list[Path]:
    from .model_card import write

    return write(run, out)


TASK_FORMATS: Mapping[str, Callable[[Matrix, Path], list[Path]]] = {"lm-eval": _task_as_lm_eval}
"""Format -> writer of the tasks of a matrix; gives the files it wrote."""
RUN_FORMATS: Mapping[str, Callable[[StoredRun, Path], list[Path]]] = {
    "lm-eval": _run_as_lm_eval,
    "model-card": _run_as_model_card,
}
"""Format -> writer of one run; gives the files it wrote."""


@click.group()
def export() -> None:
    """Give a task or a run to other tools.

    \b
    Examples:
      benchctl export task medmcqa-pt --format lm-eval --out exported --scoring option --shots 3
      benchctl export run 3f2a91 --format lm-eval --out exported
    """


@export.command("task")
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@click.option("--format", "form", type=click.Choice(list(TASK_FORMATS)), required=True, help="For which tool.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder; made where it does not exist.")
@click.option("--data", metavar="SOURCE", help="As for 'benchctl run'.  [default: hub]")
@click.option("--scoring", metavar="RULE", help="letter or option.  [default: the task's own]")
@click.option(
    "--shots", type=click.IntRange(min=0), default=0, show_default=True, help="Examples before each question."
)
@click.option("--shots-data", default="builtin", show_default=True, metavar="SOURCE", help="As for 'benchctl run'.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of examples.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N samples of each task.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Only N samples of each, drawn with the seed.")
@click.option("--prompt-template", type=click.Path(path_type=Path), metavar="FILE", help="As for 'benchctl run'.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be used.")
def export_task(
    tasks: Sequence[str], form: str, out: Path, limit: int | None, sample: int | None, **options: object
) -> None:
    """Write tasks or groups, with the exact prompts of 'benchctl run', for another tool to run.

    \b
    Example:
      benchctl export task multimedqa-pt --format lm-eval --out exported --data teste.csv --shots 3
      lm-eval run --include_path exported --tasks multimedqa-pt --model hf --model_args pretrained=PATH
    """
    from benchctl.matrix import Matrix

    if limit is not None and sample is not None:
        raise click.UsageError("--limit and --sample exclude each other.")
    subset = {"limit": limit or sample, "drawn": sample is not None}
    matrix = Matrix.parse(tasks, (), out, {**options, **subset})
    _list(TASK_FORMATS[form](matrix, out))


@export.command("run")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(list(RUN_FORMATS)), required=True, help="For which tool.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder; made where it does not exist.")
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
def export_run(run: str, form: str, out: Path, folder: Path) -> None:
    """Write the results and samples of a run in another tool's layout, or its figures into a model's card.

    \b
    Examples:
      benchctl export run 3f2a91 --format lm-eval --out exported
      benchctl export run 3f2a91 --format model-card --out MODEL_FOLDER
    """
    from benchctl.records import find_run

    _list(RUN_FORMATS[form](find_run(folder, run), out))


def _list(files: Sequence[Path]) -> None:
    for file in files:
        click.echo(str(file))


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The command."""
    cli.add_command(export)
