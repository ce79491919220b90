"""``benchctl run``: the main job."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from benchctl.results import Result

EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


@click.command()
@click.option(
    "--task",
    "tasks",
    multiple=True,
    required=True,
    metavar="T[,T2]",
    help="Tasks or groups; some are given as NAME:TARGET,option=value.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="M[,M2]",
    help="Named models, or BACKEND:TARGET,option=value.",
)
@click.option(
    "--data",
    metavar="SOURCE",
    help="'builtin', a file (.csv .json .jsonl .parquet), a folder or a name of benchctl.toml.  [default: hub]",
)
@click.option("--scoring", metavar="RULE", help="letter, option, perplexity or generate.  [default: the task's own]")
@click.option(
    "--shots", type=click.IntRange(min=0), help="Examples before each question.  [default: the task's own, mostly 0]"
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME[,NAME2]",
    help="Metrics besides the task's own; NAME:TARGET,option=value where one takes them.",
)
@click.option(
    "--shots-data",
    default="builtin",
    show_default=True,
    metavar="SOURCE",
    help="Source of examples: 'builtin', 'hub' (training split) or a file; never test rows.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random choice.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N samples of each task.")
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="Only N samples of each task, drawn with the seed."
)
@click.option(
    "--prompt-template",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Jinja template that replaces the task's wording; see docs/how-to/prompts.md.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Answers to each question, of a model that draws them (temperature above 0).",
)
@click.option("--max-tokens", type=click.IntRange(min=1), default=256, show_default=True, help="Of a generated answer.")
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="SUM",
    help="Stop asking a paid API once this is spent, by the prices in benchctl.toml.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Each model N times, on the actors of a Ray.")
@click.option(
    "--ray", metavar="ADDRESS", help="A Ray cluster: auto or HOST:PORT.  [default with --workers: a local one]"
)
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows that cannot be used; counted and shown.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of the runs."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON array on standard output, an object per task and model.")
def run(
    tasks: Sequence[str], models: Sequence[str], metrics: Sequence[str], out: Path, as_json: bool, **options: Any
) -> None:
    """Evaluate models on tasks. The same command finds a finished run again and goes on with an interrupted one.

    \b
    Examples:
      benchctl run --task medmcqa-pt --model zephyr-qlora
      benchctl run --task mmlu-medical-pt,medqa-pt --model hf:PATH,majority,random --limit 200
      benchctl run --task medmcqa-pt --model hf:PATH --data teste.csv --scoring option --shots 5

    Exit codes: 0 all answered, 1 error, 2 usage, 3 some model calls failed (run again to retry them), 130 interrupted.
    """
    from benchctl.cli.display import RunDisplay, print_json, print_table
    from benchctl.matrix import Matrix, run_matrix
    from benchctl.stopping import end_in_order

    end_in_order()
    options = _subset(**options)
    matrix = Matrix.parse(tasks, models, out, options, metrics)
    with RunDisplay() as display:
        results = run_matrix(matrix, display)
    if as_json:
        print_json(results)
    else:
        print_table(results)
    _exit(results)


def _subset(limit: int | None, sample: int | None, **options: object) -> dict[str, object]:
    """--limit and --sample as the fields of RunSpec."""
    if limit is not None and sample is not None:
        raise click.UsageError("--limit and --sample exclude each other.")
    return {**options, "limit": limit or sample, "drawn": sample is not None}


def _exit(results: Sequence[Result]) -> None:
    statuses = {result.status for result in results}
    if "interrupted" in statuses:
        sys.exit(EXIT_INTERRUPTED)
    if statuses - {"complete"}:
        sys.exit(EXIT_INCOMPLETE)
