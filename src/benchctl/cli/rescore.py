"""``benchctl rescore``: read the raw answers again, without the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


@click.command()
@click.argument("run")
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--metric", "metrics", multiple=True, metavar="NAME[,NAME2]", help="Metrics to add to the run's own.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array on standard output, as 'benchctl run' prints.")
def rescore(run: str, folder: Path, metrics: Sequence[str], as_json: bool) -> None:
    """Score a run's recorded answers again, with today's rules and metrics; no model is loaded.

    \b
    Example:
      benchctl rescore 3f2a91 --metric chrf,bertscore:PATH,layers=9
    """
    from benchctl.cli.display import print_json, print_table
    from benchctl.model import split_specs
    from benchctl.records import RunFolder, find_run
    from benchctl.rescoring import rescored
    from benchctl.results import as_result

    stored = find_run(folder, run)
    record = rescored(stored, split_specs(metrics, "--metric"))
    results = [as_result(record, RunFolder(stored.path))]
    if as_json:
        print_json(results)
    else:
        print_table(results)
