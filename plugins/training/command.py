"""``benchctl train``: a recipe becomes an adapter or a model."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchctl.hookspecs import hookimpl

from .trackers import PACKAGES as TRACKERS

if TYPE_CHECKING:
    from .recipe import Recipe
    from .running import Training

EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


@click.command("train")
@click.option("--recipe", metavar="NAME", help="A recipe that ships, or a TOML file.  [default: list them]")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE",
              help="Change the recipe: steps=60, model.quant=nf4, ...; repeatable; see docs/reference/recipes.md"
              )  # fmt: skip
@click.option("--data", metavar="SOURCE",
              help="Training rows in place of the recipe's: builtin, hub:OWNER/NAME, task:NAME, a file or a name "
                   "of benchctl.toml.")  # fmt: skip
@click.option("--name", metavar="NAME", help="Of the model that comes out.  [default: the recipe's]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("trainings"), show_default=True, metavar="DIR",
              help="Folder of the trainings.")  # fmt: skip
@click.option(
    "--test-data", multiple=True, metavar="SOURCE", help="Test sets whose questions must not be trained on; repeatable."
)
@click.option("--allow-leaks", is_flag=True, help="Train although rows also stand in a test set.")
@click.option("--dry-run", is_flag=True, help="Print the full plan and train nothing.")
@click.option("--evaluate", "tasks", multiple=True, metavar="T[,T2]", help="Afterwards run base and result on these.")
@click.option("--eval-data", metavar="SOURCE", help="Their data, as 'benchctl run --data' takes it.")
@click.option("--eval-limit", type=click.IntRange(min=1), metavar="N", help="Only the first N samples of each.")
@click.option("--eval-sample", type=click.IntRange(min=1), metavar="N", help="Only N of each, drawn with the seed.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="DIR",
              help="Folder of those runs.")  # fmt: skip
@click.option("--tracker", "trackers", multiple=True, type=click.Choice(list(TRACKERS)),
              help="Send or write the metrics there too; nothing leaves this machine otherwise.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON object on standard output.")
def train_command(recipe: str | None, as_json: bool, dry_run: bool, **options: Any) -> None:
    """Train a model by a recipe. The same command finds a finished training again and goes on with an interrupted one.

    \b
    Examples:
      benchctl train
      benchctl train --recipe zephyr-qlora --dry-run
      benchctl train --recipe tiny-qlora --set steps=60 --evaluate medmcqa-pt --eval-data builtin

    Exit codes: 0 trained, 1 error, 2 usage, 3 some answers of --evaluate failed, 130 interrupted.
    """
    if recipe is None:
        if dry_run or any(options[key] for key in ("changes", "data", "name", "tasks", "test_data")):
            raise click.UsageError("Missing option '--recipe'.")
        _list_recipes(as_json)
        return
    if options["eval_limit"] and options["eval_sample"]:
        raise click.UsageError("--eval-limit and --eval-sample exclude each other.")
    if not options["tasks"] and any(options[key] for key in ("eval_data", "eval_limit", "eval_sample")):
        raise click.UsageError("--eval-data, --eval-limit and --eval-sample go with --evaluate, which is not given.")
    from benchctl.stopping import end_in_order

    end_in_order()
    settled = asked_recipe(recipe, options["changes"], options["data"])
    if options["tasks"]:
        from .evaluating import check_tasks

        check_tasks(options["name"] or settled.name, options["tasks"], options["runs"], _asked(options))
    if dry_run:
        _plan(settled, as_json, options)
        return
    training = _train(settled, options)
    if _is_main():
        if training.status == "complete" and options["tasks"]:
            _evaluate(settled, training, as_json, options)
        else:
            _tell(training, as_json, [])
    if training.status == "interrupted":
        click.echo("Interrupted; all steps so far are kept. The same command goes on where it stopped.", err=True)
        sys.exit(EXIT_INTERRUPTED)


def asked_recipe(name: str, changes: Sequence[str], data: str | None) -> Recipe:
    """The recipe as ``--recipe``, ``--set`` and ``--data`` ask for it."""
    from benchctl.config import load_config

    from .reading import find_recipe

    source = load_config().data_path(data)
    return find_recipe(name, [*changes, *([f"data.train={source}"] if source else [])])


def _train(recipe: Recipe, options: Mapping[str, Any]) -> Training:
    from .display import TrainDisplay
    from .running import TrainOptions, train

    asked = TrainOptions(
        options["out"], options["name"], options["allow_leaks"], options["test_data"], options["trackers"],
    )  # fmt: skip
    with TrainDisplay(recipe.name) as display:
        return train(recipe, asked, display=display)


def _evaluate(recipe: Recipe, training: Training, as_json: bool, options: Mapping[str, Any]) -> None:
    """Base and result side by side: each metric, its difference, and what the training cost."""
    from benchctl.cli.display import RunDisplay
    from benchctl.cli.standings import print_standings
    from benchctl.comparing import against
    from benchctl.records import read_runs
    from benchctl.terminal import tell_left_out

    from .evaluating import run_both
    from .registry import base_spec

    base, name = base_spec(recipe), str(training.facts["name"])
    with RunDisplay() as display:
        results = run_both((base, name), options["tasks"], options["runs"], _asked(options), display)
    _tell(training, as_json, [result.as_json() for result in results])
    statuses = {result.status for result in results}
    if not as_json and "interrupted" not in statuses:
        tasks = list(dict.fromkeys(m.task for result in results for m in (result.members or (result,))))
        print_standings(against(read_runs(options["runs"], tell_left_out), base, tasks=tasks, models=[name]))
    if statuses - {"complete"}:
        sys.exit(EXIT_INTERRUPTED if "interrupted" in statuses else EXIT_INCOMPLETE)


def _asked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    limit, sample = options["eval_limit"], options["eval_sample"]
    return {"data": options["eval_data"], "limit": limit or sample, "drawn": sample is not None}


def _tell(training: Training, as_json: bool, results: Sequence[Mapping[str, Any]]) -> None:
    """What came out."""
    if as_json:
        click.echo(json.dumps({"folder": str(training.folder), **training.facts, "results": list(results)},
                              ensure_ascii=False, indent=1))  # fmt: skip
        return
    facts = training.facts
    if training.status != "complete":
        click.echo(f"{training.folder}: {training.status} after step {facts['steps']}")
        return
    losses, parameters, chosen = facts["losses"], facts["parameters"], facts["chosen"]
    before, after = (_number(losses[key]) for key in ("validation_before", "validation"))
    click.echo(f"{training.folder / facts['result']}: validation loss {before} -> {after}, "
               f"training loss {_number(losses['train'])}")  # fmt: skip
    early = ", where patience ended it" if facts.get("stopped_early") else ""
    click.echo(f"step {chosen['step']} of {facts['steps']} chosen: {chosen['why']}{early}")
    click.echo(
        f"{parameters['trainable']:,} of {parameters['all']:,} parameters trained ({parameters['share']:.2%}), "
        f"{facts['seconds']:.0f} s in {facts['sittings']} sitting{'s' * (facts['sittings'] > 1)}, "
        f"{facts['tokens_per_second'] or 0:,.0f} tokens/s, "
        f"{facts['peak_bytes'] / 2**20:,.0f} MiB at most ({facts['peak_measured_by']})"
    )
    name = f'"{facts["name"]}"' if " " in facts["name"] else facts["name"]
    click.echo(f"benchctl run --model {name} runs it.")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _plan(recipe: Recipe, as_json: bool, options: Mapping[str, Any]) -> None:
    from .plan import make_plan
    from .running import at_hand

    plan = make_plan(recipe, at_hand(recipe, options["allow_leaks"], options["test_data"]))
    click.echo(json.dumps(plan.as_json(), ensure_ascii=False, indent=1) if as_json else "\n".join(plan.lines()))


def _list_recipes(as_json: bool) -> None:
    from .reading import recipes

    found = recipes()
    if as_json:
        click.echo(json.dumps(dict(found), ensure_ascii=False, indent=1))
        return
    width = max(len(name) for name in found)
    for name, summary in found.items():
        click.echo(f"{name:{width}} {summary}")
    click.echo("Run one with: benchctl train --recipe NAME; --dry-run shows its plan.")


def _is_main() -> bool:
    """Whether this is the process that speaks, where 'accelerate launch' started several."""
    import os

    return os.environ.get("RANK", "0") == "0"


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The training command."""
    cli.add_command(train_command)


@hookimpl
def benchctl_trainers() -> Mapping[str, Callable[..., Any]]:
    """The objectives."""
    from .trainers import TRAINERS

    return TRAINERS
