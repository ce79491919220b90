"""Checkpoints that survive a power cut: written beside their place, put on the disk, sealed, and only then renamed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchctl.durable import sync, sync_tree

SEAL = "complete.json"
"""Size and sha256 of every other file of a checkpoint, written last: a checkpoint without it, or that differs from it,
was torn."""
STATE = "benchctl_state.json"
"""What benchctl keeps in a checkpoint besides the trainer's own files."""
DRAFTS = ".drafts"
PREFIX = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A sealed checkpoint."""

    path: Path
    step: int

    def state(self) -> dict[str, Any]:
        """What :func:`seal` was given."""
        found: dict[str, Any] = json.loads((self.path / STATE).read_text(encoding="utf-8"))
        return found


def draft_folder(folder: Path) -> Path:
    """Where the trainer writes checkpoints before they are sealed, on the same disk."""
    return folder / DRAFTS


def seal(draft: Path, folder: Path, state: dict[str, Any]) -> Path:
    """Make a written checkpoint one that may be trusted.

    The order matters: every file on the disk, then the list of them, then the name. Whenever the machine stops, either
    the old checkpoints are there or also this one, whole.

    Args:
        draft: as the trainer wrote it.
        folder: where the checkpoints are.
        state: what to keep with it.
    """
    (draft / STATE).write_text(json.dumps(state) + "\n", encoding="utf-8")
    files = {str(file.relative_to(draft)): _identity(file) for file in _files(draft)}
    (draft / SEAL).write_text(json.dumps(files, indent=1) + "\n", encoding="utf-8")
    sync_tree(draft)
    place = folder / draft.name
    if place.exists():  # the same step of an earlier sitting: what is written now is as good and newer
        shutil.rmtree(place)
    draft.rename(place)
    sync(folder)
    return place


def find(folder: Path) -> list[Checkpoint]:
    """The sealed checkpoints, oldest step first, not checked against their seals."""
    found = [
        Checkpoint(path, int(path.name.removeprefix(PREFIX)))
        for path in folder.glob(f"{PREFIX}*")
        if path.name.removeprefix(PREFIX).isdigit()
    ]
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def discard_torn(folder: Path) -> list[str]:
    """Throw away drafts and checkpoints that are not what their seal says; hold the lock.

    Returns:
        One line for each, naming it and the reason.
    """
    gone = []
    for draft in draft_folder(folder).glob("*"):
        gone.append(f"{draft.name} was not finished when the last sitting ended")
        _remove(draft)
    for checkpoint in find(folder):
        problem = _problem(checkpoint.path)
        if problem:
            gone.append(f"{checkpoint.path.name} is torn ({problem})")
            _remove(checkpoint.path)
    return gone


def rotate(folder: Path, keep: int, also: Collection[int]) -> None:
    """Remove all but the newest ``keep`` checkpoints and those of the steps in ``also``."""
    others = [checkpoint for checkpoint in find(folder) if checkpoint.step not in also]
    for checkpoint in others[: max(len(others) - keep, 0)]:
        _remove(checkpoint.path)


def drop_after(folder: Path, step: int) -> None:
    """Remove the checkpoints of later steps."""
    for checkpoint in find(folder):
        if checkpoint.step > step:
            _remove(checkpoint.path)


def _problem(path: Path) -> str:
    """What is wrong with a checkpoint; empty for a whole one."""
    try:
        expected = json.loads((path / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "it was never completed"
    for name, identity in expected.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if _identity(file) != identity:
            return f"{name} has changed"
    return ""


def _identity(file: Path) -> list[Any]:
    with file.open("rb") as opened:
        return [file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest()]


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _remove(path: Path) -> None:
    """A folder, renamed first: a checkpoint that is half removed must not look like one."""
    doomed = path.with_name(f".removed-{path.name}")
    shutil.rmtree(doomed, ignore_errors=True)
    path.rename(doomed)
    shutil.rmtree(doomed)
