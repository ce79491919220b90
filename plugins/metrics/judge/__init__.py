"""``benchctl judge``: a model reads answers by a rubric, and its own reliability is measured.

rubric.py      rubrics/*.toml: criteria, scale, points
wording.py     the words around them, by language
prompt.py      what the judge is asked
verdict.py     what its reply amounts to
asking.py      everything at once, durable, one repair
questions.py   a run's answers, controls, pairs
results.py     means with intervals, agreement of raters
pairs.py       two runs in both orders, position bias
kinship.py     judge and contestant of one family
judging.py     one judge in its folder
command.py     the command line
show.py        what it prints
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchctl.hookspecs import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The command."""
    from .command import judge

    cli.add_command(judge)
