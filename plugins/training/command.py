"""``benchctl train``: a recipe becomes an adapter."""

from __future__ import annotations

import click

from benchctl.hookspecs import hookimpl


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The training commands."""
