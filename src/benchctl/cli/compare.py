"""``benchctl compare``: two runs question by question, or several models beside one base."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchctl.errors import RecordError
    from benchctl.records import StoredRun


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN_A RUN_B]")
@click.option("--against", "base", metavar="BASE", help="Set all models beside this one, instead of two runs.")
@click.option("--task", "tasks", metavar="T[,T2]", default="", help="Only these tasks or groups.")
@click.option(
    "--model", "models", metavar="M[,M2]", default="", help="With --against: only these models, in this order."
)
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
@click.option("--show", "count", type=click.IntRange(min=0), default=5, show_default=True,
              help="How many of the samples they disagree on to show.")  # fmt: skip
@click.option("--lang", type=click.Choice(["en", "pt"]), default="en", show_default=True,
              help="Words and decimal sign of the tables.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on standard output.")
@click.option("--csv", "as_csv", is_flag=True, help="With --against: the table as CSV on standard output.")
def compare(
    runs: tuple[str, ...], base: str | None, tasks: str, models: str, folder: Path, count: int, lang: str,
    as_json: bool, as_csv: bool,
) -> None:  # fmt: skip
    """Say whether a model got better: the paired difference over the questions both answered, with a 95 % interval
    and an exact test.

    A run is given by its id, the beginning of its id, its folder, or the name of its model.

    \b
    Examples:
      benchctl compare 3f2a91 77bd02 --show 10
      benchctl compare tiny tiny-qlora --task medmcqa-pt,cosmosqa-pt
      benchctl compare --against zephyr-7b-beta --lang pt
    """
    wanted = _split(tasks, "--task")
    if as_json and as_csv:
        raise click.UsageError("Give --json or --csv, not both.")
    if base is None:
        if len(runs) != 2 or models or as_csv:
            raise click.UsageError("Give two runs, or --against BASE; --model and --csv go with --against.")
        _two(folder, runs[0], runs[1], wanted, count, lang, as_json)
    elif runs:
        raise click.UsageError("Give two runs, or --against BASE, not both.")
    else:
        _several(folder, base, wanted, _split(models, "--model"), lang, "json" if as_json else "csv" if as_csv else "")


def _two(folder: Path, one: str, two: str, tasks: Sequence[str], count: int, lang: str, as_json: bool) -> None:
    from benchctl.comparing import compare as compare_models
    from benchctl.terminal import tell_left_out

    told: set[Path] = set()

    def left_out(path: Path, error: RecordError) -> None:
        if path not in told:
            told.add(path)
            tell_left_out(path, error)

    firsts, seconds = (find_runs(folder, name, left_out) for name in (one, two))
    there = {run.record.spec.task for run in (*firsts, *seconds)}
    found = compare_models(firsts, seconds, *_asked(tasks, there))
    if as_json:
        click.echo(json.dumps(found.as_json(count), ensure_ascii=False, indent=1))
        return
    from benchctl.cli.comparison import print_comparisons

    print_comparisons(found, count, lang)


def _several(folder: Path, base: str, tasks: Sequence[str], models: Sequence[str], lang: str, form: str) -> None:
    from benchctl.cli.standings import print_csv, print_standings
    from benchctl.cli.wording import say
    from benchctl.comparing import against
    from benchctl.records import read_runs
    from benchctl.terminal import tell_left_out

    runs = read_runs(folder, tell_left_out)
    members, _ = _asked(tasks, {run.record.spec.task for run in runs})
    table = against(runs, base, tasks=members, models=models)
    if form == "json":
        click.echo(json.dumps(table.as_json(), ensure_ascii=False, indent=1))
    elif form == "csv":
        print_csv(table, lang)
        for line in table.warnings:
            click.echo(f"{say('warning', lang)}: {say(line, lang)}", err=True)
    else:
        print_standings(table, lang)


def find_runs(folder: Path, name: str, left_out: Callable[[Path, RecordError], object]) -> list[StoredRun]:
    """The runs a word on the command line stands for: a folder, a model's name, or (the beginning of) an id.

    Args:
        folder: the folder of the runs.
        name: the word.
        left_out: told of each run that cannot be read and is not the one meant.

    Raises:
        RecordError: none, an id that is not the only one, or of a run that cannot be read.
    """
    from benchctl.errors import RecordError, did_you_mean
    from benchctl.records import find_run, read_runs
    from benchctl.standings import of_model

    if (Path(name) / "run.json").is_file():
        return [find_run(folder, name)]
    unread: dict[Path, RecordError] = {}
    stored = read_runs(folder, unread.__setitem__)
    found = of_model(stored, name)
    meant = [run.record.id for run in stored] + [path.name for path in unread]
    if not found and any(identity.startswith(name) for identity in meant):
        return [find_run(folder, name)]
    for path, error in unread.items():
        left_out(path, error)
    if found:
        return found
    known = {run.record.spec.model for run in stored}
    raise RecordError(f"No run and no model in {folder} is called '{name}'.",
                      did_you_mean(name, known, "benchctl list runs"))  # fmt: skip


def _asked(tasks: Sequence[str], there: set[str]) -> tuple[list[str], Collection[str]]:
    """Tasks with groups replaced by their members that were run; where what was asked for is one group, the metrics in
    whose mean its tasks count alike."""
    from benchctl.creation import create_task
    from benchctl.plugins import get_plugins
    from benchctl.task import TaskGroup

    found: dict[str, None] = {}
    alike: Collection[str] = ()
    for name in tasks:
        offered = None if name in there else create_task(get_plugins(), name)
        group = offered if isinstance(offered, TaskGroup) else None
        members = [m for m in group.members if m in there] if group else []
        found |= dict.fromkeys(members or [name])
        alike = group.alike if group and len(tasks) == 1 else ()
    return list(found), alike


def _split(names: str, option: str) -> list[str]:
    """As ``benchctl run`` reads them: ``lm-eval:a,include_path=x,lm-eval:b`` names two."""
    from benchctl.model import split_specs

    return split_specs([names], option) if names else []
