"""TensorBoard, Weights & Biases and trackio, when asked for; otherwise nothing is sent anywhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchctl.errors import MissingExtra

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "trackio": ("trackio",),
}  # fmt: skip
"""Tracker as transformers names it -> the packages of which one must be there."""


def check(trackers: Sequence[str]) -> None:
    """Refuse a tracker that is not installed, before anything loads.

    Raises:
        MissingExtra: with the pip line.
    """
    for tracker in trackers:
        packages = PACKAGES[tracker]
        if not any(find_spec(package) for package in packages):
            raise MissingExtra(packages[0], "trackers", f"--tracker {tracker}")


@contextlib.contextmanager
def settled(trackers: Sequence[str], folder: Path, identity: str) -> Iterator[None]:
    """Tell the trackers asked for where to write, in the variables they read; those already set stay.

    A training that goes on after a break goes on in the same run of Weights & Biases.
    """
    wanted = {
        "TENSORBOARD_LOGGING_DIR": str(folder / "tensorboard"), "WANDB_DIR": str(folder), "WANDB_PROJECT": "benchctl",
        "WANDB_RUN_ID": identity, "WANDB_RESUME": "allow", "WANDB_LOG_MODEL": "false",
    }  # fmt: skip
    added = {name: value for name, value in wanted.items() if trackers and name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        if "wandb" in trackers:
            import wandb

            wandb.finish()  # else the next training of this process would go on in this run, ...
            wandb.teardown()  # ... or have one of its own in this one's folder: the variables are read once
        for name in added:
            os.environ.pop(name, None)


def silence(trainer: Any, trackers: Sequence[str]) -> None:
    """Take out every integration nobody asked for: transformers adds some by itself, by the environment it runs in."""
    if not trackers:
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__module__.startswith("transformers.integrations"):
                trainer.remove_callback(callback)
