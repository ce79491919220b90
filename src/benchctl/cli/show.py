"""``benchctl show``: one run, its figures, outcomes and worst samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchctl.errors import RecordError
from benchctl.terminal import echo

if TYPE_CHECKING:
    from benchctl.records import StoredRun
    from benchctl.types import RunRecord, Score


@click.command()
@click.argument("run")
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
@click.option("--samples", "count", type=click.IntRange(min=0), default=5, show_default=True,
              help="How many samples to show, the worst first.")  # fmt: skip
@click.option("--prompt", is_flag=True, help="Only what the model read for the first sample.")
@click.option("--json", "as_json", is_flag=True, help="The whole record as JSON on standard output.")
def show(run: str, folder: Path, count: int, prompt: bool, as_json: bool) -> None:
    """Show one run, given by its id, the beginning of its id or its folder.

    \b
    Example:
      benchctl show 3f2a91 --samples 10
    """
    from benchctl.records import find_run

    stored = find_run(folder, run)
    if as_json:
        click.echo(json.dumps({**asdict(stored.record), "path": str(stored.path)}, ensure_ascii=False, indent=1))
        return
    if prompt:
        _prompt(stored)
        return
    _facts(stored)
    _worst(stored, count)


def _prompt(stored: StoredRun) -> None:
    kept = stored.record.prompt
    if not kept:
        raise RecordError(
            f"The record of {stored.record.id} holds no prompt.",
            "A corpus has none, and earlier versions of benchctl did not keep it.",
        )
    echo(kept["text"])


def _facts(stored: StoredRun) -> None:
    from benchctl.cli.display import figures
    from benchctl.cli.wording import asked

    record = stored.record
    echo(f"{record.spec.task} · {record.spec.model} · {record.status}\n{stored.path}")
    for name, e in record.estimates.items():
        value, interval = figures(e)
        echo(f"  {name}: {value}  ({interval}; n {e.n}; {e.method})")
    questions = record.counts["n"] // record.spec.repeats
    facts = {
        "scoring": f"{asked(record.spec)}, seed {record.spec.seed}",
        "data": f"{record.data['source']} (revision {record.data['revision'] or '-'}), {questions} of "
                f"{record.data['total']} samples, {record.counts['bad_rows']} bad rows left out",
        "tidied": ", ".join(f"{count} in {column}" for column, count in record.data["normalised"].items()) or "nothing",
        "model": ", ".join(f"{k} {v}" for k, v in record.model.items() if v is not None and k != "training"),
        **_training(record.model),
        "counts": ", ".join(f"{k} {v}" for k, v in record.counts.items() if k != "outcomes"),
        "outcomes": ", ".join(f"{k} {v}" for k, v in record.counts["outcomes"].items()),
        "time": _time(record),
        "versions": ", ".join(f"{k} {v}" for k, v in record.versions.items()),
    }  # fmt: skip
    for name, text in facts.items():
        echo(f"  {name}: {text}")
    for error in record.errors:
        echo(f"  error: {error['id']}: {error['reason']}")


def _time(record: RunRecord) -> str:
    """How long the answers took; a run that goes on, or was killed, has only written down when it began."""
    timings, killed = record.timings, record.status == "interrupted" and not record.counts["outcomes"]
    if record.status == "running" or (killed and record.counts["answered"]):
        return f"begun {timings['started']}; how long it took was not written down"
    sittings = timings["sittings"]
    return f"{timings['seconds']} s in {sittings} sitting{'s' * (sittings != 1)}, until {timings['finished']}"


def _training(model: Mapping[str, Any]) -> dict[str, str]:
    """One line on how the model was trained, where it was; the curves are for the report."""
    from benchctl.trained import trained

    said = trained(model)
    if said is None:
        return {}
    losses = ", ".join(f"{name.replace('_', ' ')} {loss:.4g}" for name, loss in said.losses.items())
    return {"training": f"{said.recipe} ({said.method}, {said.objective}) on {said.base}; losses: {losses or '-'}"}


def _worst(stored: StoredRun, count: int) -> None:
    """The samples with the worst figures of the run's main metric; none that is wholly right."""
    from benchctl.comparing import HEADLINES
    from benchctl.records import RunFolder

    estimates, folder = stored.record.estimates, RunFolder(stored.path)
    metric = next((name for name in (*HEADLINES, *estimates) if name in estimates), None)
    if metric is None or (higher := estimates[metric].higher_is_better) is None:
        return
    right = 1.0 if estimates[metric].percent and higher else None
    below = [s for s in folder.scores() if metric in s.values and s.values[metric] != right]
    worst = sorted(below, key=lambda score: score.values[metric] * (1 if higher else -1))[:count]
    wanted = {score.id for score in worst}
    lines = {str(line["id"]): line for line in folder.answers() if str(line["id"]) in wanted}
    for score in worst:
        if score.id in lines:
            _print(lines[score.id], score, metric)


def _print(line: Mapping[str, Any], score: Score, metric: str) -> None:
    from benchctl.records import entry_sample

    sample = entry_sample(line)
    echo(f"\n  {sample.id}: {_short(sample.question)}")
    for label, text in sample.choices.items():
        marks = ("right " if label == sample.target else "") + ("taken" if label == score.answer else "")
        echo(f"    {label}) {text[:120]}" + (f"   <- {marks.strip()}" if marks else ""))
    if sample.choices:
        echo(f"    {score.outcome}: {score.explanation}")
        return
    for name, said in (("right", sample.target), ("said", score.answer)):
        if said:
            echo(f"    {name}: {_short(said)}")
    echo(f"    {metric}: {score.values[metric]:.4g}")


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
