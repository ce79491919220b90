"""The command line of ``benchctl judge``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchctl.records import StoredRun

    from .judging import Judgement

EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


@click.command()
@click.argument("run")
@click.option("--judge", "judges", multiple=True, required=True, metavar="M[,M2]",
              help="Any model that benchctl run takes; several make a panel.")  # fmt: skip
@click.option("--rubric", metavar="NAME|FILE.toml",
              help="long-answer-pt, agreement-pt, summary-pt, summary-en, pair-pt, or your own file.  "
                   "[default: long-answer-pt; with --against: pair-pt]")  # fmt: skip
@click.option("--against", metavar="RUN", help="Compare with another run's answers, each pair in both orders.")
@click.option(
    "--draws", type=click.IntRange(1, 50), default=1, show_default=True, help="Verdicts per answer and judge."
)
@click.option("--temperature", type=click.FloatRange(0), metavar="T", help="Of the judge.  [default: 0; with draws: 1]")
@click.option("--weighted/--no-weighted", default=None,
              help="Points weighted by the judge's probabilities.  [default: as the rubric says]")  # fmt: skip
@click.option("--control", is_flag=True, help="Judge the reference answers too: they should score near the top.")
@click.option("--control-mismatch", is_flag=True,
              help="Judge references of other questions too: they should score near the bottom.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N answers.")
@click.option("--max-tokens", type=click.IntRange(min=1), default=512, show_default=True, help="Of a verdict.")
@click.option("--max-cost", type=click.FloatRange(min=0, min_open=True), metavar="X",
              help="Stop asking a judge when it has cost so much; prices are in benchctl.toml.")  # fmt: skip
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON object on standard output.")
def judge(
    run: str, judges: Sequence[str], rubric: str | None, against: str | None, draws: int, temperature: float | None,
    weighted: bool | None, control: bool, control_mismatch: bool, limit: int | None, max_tokens: int,
    max_cost: float | None, folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Have a model judge the answers of a run by a rubric. The same command goes on where it stopped.

    \b
    Examples:
      benchctl judge 3f2a91 --judge openai:gpt-4o --control
      benchctl judge 3f2a91 --judge openai:gpt-4o,hf:PATH --draws 3
      benchctl judge 3f2a91 --judge hf:PATH --rubric summary-pt
      benchctl judge 3f2a91 --against 77bd02 --judge openai:gpt-4o

    Exit codes: 0 every verdict read, 1 error, 2 usage, 3 some verdicts are missing, 130 interrupted.
    """
    from benchctl.cli.display import RunDisplay
    from benchctl.model import split_specs
    from benchctl.records import find_run
    from benchctl.stopping import end_in_order

    from .judging import Plan, judge_run
    from .questions import MISMATCH, REFERENCE, read_answers
    from .report import conclude
    from .rubric import load_rubric
    from .show import print_report

    end_in_order()
    stored = find_run(folder, run)
    rival = _rival(stored, folder, against) if against else None
    chosen = load_rubric(rubric or ("pair-pt" if rival else "long-answer-pt"))
    _check(chosen.kind, rival is not None, control or control_mismatch)
    plan = Plan(
        stored, read_answers(stored, limit), chosen, draws, _temperature(temperature, draws), max_tokens, weighted,
        [*([REFERENCE] if control else []), *([MISMATCH] if control_mismatch else [])], rival,
        read_answers(rival) if rival else (), max_cost,
    )  # fmt: skip
    found: list[Judgement] = []
    with RunDisplay() as display:
        for spec in dict.fromkeys(split_specs(judges, "--judge")):
            found.append(judge_run(plan, spec, display.job(f"{chosen.name} · {spec}")))
            if found[-1].interrupted:
                break
    report = conclude(plan, found)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
    else:
        print_report(plan, report)
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    _exit(found)


def _rival(stored: StoredRun, folder: Path, against: str) -> StoredRun:
    from benchctl.records import find_run

    rival = find_run(folder, against)
    if rival.record.id == stored.record.id:
        raise click.UsageError("--against names the run itself; give another one.")
    return rival


def _check(kind: str, compared: bool, controlled: bool) -> None:
    if (kind == "pair") != compared:
        raise click.UsageError("A rubric of kind 'pair' and --against go together.")
    if compared and controlled:
        raise click.UsageError("Controls are for rubrics that give points, not for --against.")


def _temperature(given: float | None, draws: int) -> float:
    """Several draws at temperature 0 would all be the same verdict."""
    if given is not None:
        return given
    return 1.0 if draws > 1 else 0.0


def _exit(found: Sequence[Judgement]) -> None:
    statuses = {judgement.status() for judgement in found}
    if "interrupted" in statuses:
        sys.exit(EXIT_INTERRUPTED)
    if statuses != {"complete"}:
        sys.exit(EXIT_INCOMPLETE)
