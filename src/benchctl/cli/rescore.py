"""``benchctl rescore``: read the raw answers again, without the model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from benchctl.cli.run import EXIT_INCOMPLETE
from benchctl.terminal import echo


@click.command()
@click.argument("run")
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
@click.option("--metric", "metrics", multiple=True, metavar="NAME[,NAME2]", help="Metrics to add to the run's own.")
@click.option("--extract-with", "reader", metavar="MODEL", help="Let a model read the answers that the rules cannot.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array on standard output, as 'benchctl run' prints.")
def rescore(run: str, folder: Path, metrics: Sequence[str], reader: str | None, as_json: bool) -> None:
    """Score a run's recorded answers again, with today's rules and metrics; no model is loaded.

    With --extract-with, answers that the rules leave unread are put to a model, which says what they commit to (never
    what is right); its replies are kept beside the run with its fingerprint.

    \b
    Example:
      benchctl rescore 3f2a91 --metric chrf,bertscore:PATH,layers=9
    """
    from benchctl.cli.display import print_json, print_table
    from benchctl.creation import create_model
    from benchctl.model import split_specs
    from benchctl.plugins import get_plugins
    from benchctl.records import RunFolder, find_run
    from benchctl.rescoring import rescored
    from benchctl.results import as_result
    from benchctl.second_reader import ADDED, told

    stored = find_run(folder, run)
    model = create_model(get_plugins(), reader) if reader else None
    try:
        record = rescored(stored, split_specs(metrics, "--metric"), model)
    finally:
        if model is not None:
            model.close()
    if ADDED in record.added:
        echo(told(record.added[ADDED]), err=True)
    results = [as_result(record, RunFolder(stored.path))]
    if as_json:
        print_json(results)
    else:
        print_table(results)
    if record.added.get(ADDED, {}).get("failed"):
        echo("warning: what got no reply stays unread; the same command asks that again.", err=True)
        sys.exit(EXIT_INCOMPLETE)
