"""``benchctl train``: a recipe becomes an adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from benchctl.hookspecs import hookimpl


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The training commands."""


@hookimpl
def benchctl_trainers() -> Mapping[str, Callable[..., Any]]:
    """The objectives."""
    from .trainers import TRAINERS

    return TRAINERS
