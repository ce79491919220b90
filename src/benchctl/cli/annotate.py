"""``benchctl annotate``: label answers by hand, and see what the labels say."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchctl.annotation.items import Item
    from benchctl.annotation.keyboard import Keyboard
    from benchctl.annotation.screen import Screen
    from benchctl.annotation.session import Session
    from benchctl.annotation.store import Draw
    from benchctl.records import StoredRun

# benchctl.annotation.items.FILTERS, written out so that --help imports nothing.
FILTERS = ("unread", "skipped", "choice", "invented", "multiple", "refusal", "none")

_GOES_WITH = {
    "--agreement": {"--json"},
    "--import": {"--annotator"},
    "--export": {"--annotator", "--only", "--sample", "--seed", "--in-order", "--blind"},
}
"""What is done instead of labelling -> options that have a say in it."""


@click.command()
@click.argument("run")
@click.option("--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the runs.")  # fmt: skip
@click.option("--annotator", metavar="NAME", help="Whose labels these are.  [default: your login name]")
@click.option("--only", "filters", multiple=True, type=click.Choice(FILTERS),
              help="Only answers read so; 'unread' is all but 'choice'; repeatable.")  # fmt: skip
@click.option("--sample", "count", type=click.IntRange(min=1), metavar="N", help="Only N answers, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random order.")
@click.option("--in-order", is_flag=True, help="The task's order; the labels are then no random sample.")
@click.option("--blind", is_flag=True, help="Hide the reading and the right option.")
@click.option("--export", "export_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv",
              help="Write the answers and everybody's labels, or with --annotator theirs alone, and stop.")  # fmt: skip
@click.option("--import", "import_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv",
              help="Take labels from a file and stop.")  # fmt: skip
@click.option("--agreement", is_flag=True, help="Say what the labels of all annotators show, and stop.")
@click.option("--json", "as_json", is_flag=True, help="With --agreement: a JSON object on standard output.")
def annotate(
    run: str, folder: Path, annotator: str | None, filters: Sequence[str], count: int | None, seed: int, in_order: bool,
    blind: bool, export_file: Path | None, import_file: Path | None, agreement: bool, as_json: bool,
) -> None:  # fmt: skip
    """Label the free answers of a run, one key each. Every key is kept at once; the same command goes on later.

    \b
    Examples:
      benchctl annotate 3f2a91 --sample 100 --blind
      benchctl annotate 3f2a91 --only unread --annotator ana
      benchctl annotate 3f2a91 --agreement
    """
    from benchctl.annotation.items import extent, outcomes_of, read_items, select
    from benchctl.annotation.store import Draw
    from benchctl.records import find_run

    _check_options(click.get_current_context())
    if in_order and count is not None:
        raise click.UsageError("--sample draws at random: it cannot be combined with --in-order.")
    stored = find_run(folder, run)
    items = read_items(stored)
    draw = Draw(not in_order and "skipped" not in filters, outcomes_of(filters), blind, seed, extent(items))
    if agreement:
        _agreement(stored, items, as_json)
    elif export_file is not None:
        chosen = select(items, filters, {}, seed=None if in_order else seed, count=count)
        _export(stored, chosen, export_file, draw if count is not None else Draw(blind=blind), annotator)
    elif import_file is not None:
        _import(stored, items, import_file, annotator)
    else:
        _label(stored, items, annotator or _login(), filters, count, draw)


def _check_options(context: click.Context) -> None:
    """Refuse options that would do nothing beside the one that says what is to be done.

    Raises:
        UsageError: such options.
    """
    source = click.core.ParameterSource.COMMANDLINE
    given = {p.opts[0] for p in context.command.params if context.get_parameter_source(p.name or "") is source}
    way = next((name for name in _GOES_WITH if name in given), None)
    if way is None and "--json" in given:
        raise click.UsageError("--json goes with --agreement.")
    if way is not None and (idle := given - {way, "run", "--runs"} - _GOES_WITH[way]):
        raise click.UsageError(f"{way} cannot be combined with {', '.join(sorted(idle))}.")


def _login() -> str:
    """The login name, made fit for a file name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # no such user in a bare container
        return "annotator"
    return re.sub(r"[^\w.-]", "-", name).strip(".") or "annotator"


def _label(
    stored: StoredRun, items: Sequence[Item], annotator: str, filters: Sequence[str], count: int | None, draw: Draw
) -> None:
    from rich.console import Console

    from benchctl.annotation.items import SKIPPED, select
    from benchctl.annotation.keyboard import open_keyboard
    from benchctl.annotation.screen import Screen
    from benchctl.annotation.session import Session
    from benchctl.annotation.store import open_store

    with open_keyboard() as keyboard, open_store(stored.path, annotator) as store:
        seed = draw.seed if draw.random else None
        chosen = select(items, filters, store.state.annotations, seed=seed, count=count)
        session = Session(chosen, store, revisit_skipped=SKIPPED in filters)
        store.begin(draw)
        screen = Screen(Console(), annotator, blind=draw.blind)
        _loop(session, screen, keyboard)
    click.echo(f"\n{session.done} of {session.total} done. 'benchctl annotate {stored.record.id} --agreement' sums up.")


def _loop(session: Session, screen: Screen, keyboard: Keyboard) -> None:
    from benchctl.annotation.keyboard import Echo

    message = ""
    while True:
        screen.show(session, message)
        key = keyboard.read()
        if key in ("q", "Q"):
            return
        if key == "?":
            screen.help()
            keyboard.read()
            message = ""
        elif key in ("t", "T"):
            text = keyboard.line(Echo("note: "))
            message = "" if text is None else session.note(text)
        else:
            message = session.press(key) or f"'{key}' is no key here; ? shows them all"


def _agreement(stored: StoredRun, items: Sequence[Item], as_json: bool) -> None:
    from benchctl.annotation.report import report
    from benchctl.annotation.store import read_annotators
    from benchctl.annotation.summary import lines

    found = report(items, read_annotators(stored.path))
    if as_json:
        click.echo(json.dumps({"run": stored.record.id, **found.as_json()}, ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(lines(found)))


def _export(stored: StoredRun, items: Sequence[Item], file: Path, draw: Draw, annotator: str | None) -> None:
    from benchctl.annotation.exchange import export_csv
    from benchctl.annotation.store import read_annotators

    labels = read_annotators(stored.path)
    if annotator is not None:  # what others said is not theirs to see, and what others labelled still waits for them
        labels = {name: state for name, state in labels.items() if name == annotator}
    count = export_csv(file, items, labels, draw)
    click.echo(f"{len(items)} answers with {count} labels written to {file}")


def _import(stored: StoredRun, items: Sequence[Item], file: Path, annotator: str | None) -> None:
    from benchctl.annotation.exchange import import_lines, read_csv
    from benchctl.annotation.store import open_store

    lines = read_csv(file, items, annotator)
    for name in dict.fromkeys(line.annotator or annotator or _login() for line in lines):
        theirs = [line for line in lines if (line.annotator or annotator or _login()) == name]
        with open_store(stored.path, name) as store:
            click.echo(f"{name}: {import_lines(store, theirs)} labels imported of {len(theirs)} in the file")
