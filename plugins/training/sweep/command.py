"""``benchctl sweep``: find the values that train best."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchctl.hookspecs import hookimpl

from ..trackers import PACKAGES as TRACKERS

if TYPE_CHECKING:
    from ..recipe import Recipe
    from ..running import Training, TrainOptions
    from .record import Sweep
    from .sweeping import Train

EXIT_INTERRUPTED = 130


@click.command("sweep")
@click.option("--recipe", metavar="NAME", help="A recipe or its TOML file, as 'benchctl train' takes it.")
@click.option("--space", metavar="NAME", help="What to try: a space that ships, or a TOML file.")
@click.option("--trials", type=click.IntRange(min=1), default=11, show_default=True, help="Trainings, in all sittings.")
@click.option("--sampler", type=click.Choice(["random", "grid", "tpe"]), default="random", show_default=True,
              help="How values are drawn.")  # fmt: skip
@click.option("--prune/--no-prune", default=True, show_default=True,
              help="Stop a trial whose best validation loss is above the median of those before it.")  # fmt: skip
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the recipe for all trials; repeatable."
)
@click.option("--data", metavar="SOURCE", help="Training rows, in place of the recipe's.")
@click.option(
    "--test-data", multiple=True, metavar="SOURCE", help="Test sets whose questions must not be trained on; repeatable."
)
@click.option("--allow-leaks", is_flag=True, help="Train although rows stand in a test set.")
@click.option("--tracker", "trackers", multiple=True, type=click.Choice(list(TRACKERS)),
              help="Send or write each trial's metrics there too.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draws; training has its own.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("sweeps"), show_default=True, metavar="DIR",
              help="Where sweeps are kept.")  # fmt: skip
@click.option("--register", metavar="NAME", help="Make the best trial's result a named model.")
@click.option("--lang", type=click.Choice(["pt", "en"]), default="pt", show_default=True, help="Of the picture.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object on standard output.")
def sweep_command(recipe: str | None, space: str | None, as_json: bool, **options: Any) -> None:
    """Train a recipe many times with other values and name the best; without options, list the spaces.

    Each trial is a training of its own. Started again by the same command after a kill, finished trials stay and the
    one that was running goes on; what is drawn is the same as without the kill. The folder has sweep.json and a
    picture, sweep.html.

    \b
    Example:
      benchctl sweep --recipe tiny-lora --space tiny --trials 11
      benchctl sweep --recipe t5-tweetsumm-lora --space s4-lora --sampler tpe --register resumos
    """
    if recipe is None and space is None:
        _list_spaces(as_json)
        return
    if recipe is None or space is None:
        raise click.UsageError(f"Missing option '{'--recipe' if recipe is None else '--space'}'.")
    found, settled = _run(recipe, space, options)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
    else:
        _print(found)
    if found.status == "interrupted":
        click.echo("Interrupted. The same command goes on where it stopped.", err=True)
        click.get_current_context().exit(EXIT_INTERRUPTED)
    if options["register"] and found.best is not None:
        _register(options["register"], settled, found)


def _run(name: str, space_name: str, options: Mapping[str, Any]) -> tuple[Sweep, Recipe]:
    from ..base import PACKAGES, require_packages
    from ..command import asked_recipe
    from ..registry import check_name
    from ..running import TrainOptions, train
    from .page import write
    from .space import find_space
    from .sweeping import SweepOptions, run_sweep

    require_packages((*PACKAGES, "optuna"), "A sweep")
    recipe = asked_recipe(name, options["changes"], options["data"])
    if options["register"]:
        check_name(options["register"], recipe)
    space = find_space(space_name)
    found = run_sweep(
        recipe,
        space,
        SweepOptions(options["trials"], options["sampler"], options["prune"], options["seed"], options["out"]),
        TrainOptions(
            allow_leaks=options["allow_leaks"], test_data=options["test_data"], trackers=options["trackers"],
        ),
        _shown(train),
        lambda line: click.echo(line, err=True),
        lambda sweep: write(sweep, space.dimensions, options["lang"]),
    )  # fmt: skip
    return found, recipe


def _shown(train: Callable[..., Training]) -> Train:
    """Training with its bar and notes; what all trials say alike, such as what the data are, is said once."""
    from ..display import TrainDisplay

    said: set[str] = set()

    class Once(TrainDisplay):
        def note(self, text: str) -> None:
            if text not in said:
                said.add(text)
                super().note(text)

    def shown(
        recipe: Recipe, options: TrainOptions, on_evaluation: Callable[[int, float], bool] | None = None
    ) -> Training:
        with Once(recipe.name) as display:
            return train(recipe, options, on_evaluation, display)

    return shown


def _list_spaces(as_json: bool) -> None:
    from .space import spaces

    found = spaces()
    if as_json:
        click.echo(json.dumps(dict(found), ensure_ascii=False, indent=1))
        return
    for name, summary in found.items():
        click.echo(f"{name:10} {summary}")
    click.echo("Run one with: benchctl sweep --recipe NAME --space NAME")


def _print(sweep: Sweep) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from benchctl.cli.tables import draw

    from ..wording import some
    from .page import FILE
    from .record import short_keys, shown

    names = short_keys(list(sweep.rows[0].parameters)) if sweep.rows else {}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("trial", *names.values(), sweep.measure.replace("_", " "), "steps", "seconds", "state"):
        figures = heading in ("trial", "steps", "seconds", sweep.measure.replace("_", " "))
        table.add_column(heading, justify="right" if figures else "left", overflow="fold")
    for row in sweep.rows:
        star = "*" if row == sweep.best else ""
        value = "-" if row.value is None else f"{row.value:.4f}{star}"
        seconds = "-" if row.seconds is None else f"{row.seconds:.1f}"
        cells: Sequence[str] = (
            str(row.number), *(shown(row.parameters[key]) for key in names), value,
            "-" if row.steps is None else str(row.steps), seconds, row.state,
        )  # fmt: skip
        table.add_row(*(Text(cell) for cell in cells))
    draw(table)
    if sweep.refused:
        click.echo(f"{some(len(sweep.refused), 'combination')} drawn that cannot work, refused: no trial.")
    if sweep.status == "exhausted":
        held = some(len(sweep.rows), "combination")
        click.echo(f"The space holds no more than {held} that can work; {sweep.asked} were asked for.")
    if sweep.best is not None:
        click.echo(f"Best: trial {sweep.best.number}, {sweep.measure.replace('_', ' ')} {sweep.best.value:.4f}")
        click.echo(f"Its result: {sweep.result(sweep.best)}")
    click.echo(f"Picture: {sweep.folder / FILE}")


def _register(name: str, recipe: Recipe, sweep: Sweep) -> None:
    from ..reading import changed
    from ..registry import register, told

    best = sweep.best
    assert best is not None
    result = sweep.result(best)
    file = register(name, changed(recipe, best.parameters), result, result.parent.name)
    click.echo(told(name, file, "--register"), err=True)


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The command."""
    cli.add_command(sweep_command)
