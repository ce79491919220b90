"""Making quantised models, calibrated on a task's training rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchctl.data import read_table
from benchctl.errors import BadConfig, BadData, MissingExtra, ModelCallError
from benchctl.fingerprints import digest

from .disk import refused

GROUPS = (128, 64, 32, 16)
"""Group sizes of GPTQ, the usual one first; it must divide every layer's inputs."""
LARGE_GROUPS = (256, 512, 1024)
"""Others that gptqmodel takes when asked."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Texts that GPTQ measures activations on."""

    texts: tuple[str, ...]
    tasks: tuple[str, ...]
    source: str
    hash: str
    """sha256 of the texts."""


def calibration(tasks: Sequence[str], source: str, count: int, seed: int, test: str | None = None) -> Calibration:
    """Training rows of tasks as texts with their answers; rows that ask what a test row asks are left out.

    Args:
        tasks: names of tasks; all that are given take part equally.
        source: ``builtin``, ``hub`` (the training split) or a file of training rows.
        count: texts in all, at most.
        seed: of the choice.
        test: more test rows to keep out, besides the built-in ones.

    Raises:
        UnknownName: no such task.
        BadData: no usable row, or a file that may hold the test rows.
    """
    from benchctl.creation import create_task
    from benchctl.plugins import get_plugins
    from benchctl.prompts import PromptBuilder, choose_shots, delimiter, untested
    from benchctl.task import TaskGroup

    texts: list[str] = []
    names: list[str] = []
    for given in tasks:
        found = create_task(get_plugins(), given)
        names += found.members if isinstance(found, TaskGroup) else [found.name]
    for name in names:
        task = create_task(get_plugins(), name)
        if isinstance(task, TaskGroup):
            continue
        if test is None and source not in ("builtin", "hub"):
            _refuse_test_files(task.columns, source)
        rows = task.shots(source)
        tested = [*(task.load("builtin").samples if task.builtin else ()), *(task.load(test).samples if test else ())]
        fit = untested(rows, tested)
        builder = PromptBuilder(task, "letter")
        for row in choose_shots(fit, (), min(len(fit), -(-count // len(names))), seed, task.name):
            question = builder.question(row)
            texts.append(question + delimiter(question) + builder.answer(row))
    if not texts:
        raise BadData(f"No row of {', '.join(tasks)} to calibrate on.", "Check --task and --data.")
    return Calibration(tuple(texts[:count]), tuple(names), source, digest(texts[:count]))


def _refuse_test_files(columns: Sequence[str], source: str) -> None:
    """A file in the form of the test data may well be the test data."""
    if columns and set(columns) <= read_table(Path(source)).columns:
        raise BadData(
            f"{source} has the form of the test data: calibrating on test rows would spoil the test.",
            "Give a file of training rows, or say which rows are test rows with --test-data FILE.",
        )


def group_size(config: Any, wanted: int | None) -> int:
    """The largest usual group that divides the inputs of the model's layers, or the one asked for.

    Raises:
        BadConfig: some sizes are no multiples of 16: no kernel packs such layers, whatever the group; or none of the
            one asked for.
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    sizes = [getattr(text, name, None) for name in ("hidden_size", "intermediate_size", "n_embd")]
    known = [size for size in sizes if isinstance(size, int)]
    fits = next((group for group in GROUPS if all(size % group == 0 for size in known)), None)
    if fits is None:
        odd = " and ".join(str(size) for size in known if size % GROUPS[-1])
        raise BadConfig(
            f"GPTQ packs layers whose size is a multiple of {GROUPS[-1]}, and this model has some of {odd}.",
            "Use --method nf4.",
        )
    uneven = [str(size) for size in known if wanted and size % wanted]
    offered = (*GROUPS, *LARGE_GROUPS)
    if uneven or (wanted and wanted not in offered):
        why = f"does not divide the {' and '.join(uneven)} inputs of its layers" if uneven else "is none GPTQ knows"
        usable = [str(group) for group in sorted(offered) if all(size % group == 0 for size in known)]
        raise BadConfig(f"--group-size {wanted} {why}.", f"For this model: {', '.join(usable)}.")
    return wanted or fits


def to_gptq(source: Path, out: Path, texts: Sequence[str], bits: int, group: int, device: str) -> None:
    """Write a GPTQ checkpoint of the model in ``source`` to ``out``.

    Raises:
        MissingExtra: gptqmodel is not installed.
        ModelCallError: it failed; with its last words.
        OSError: the disk takes no more.
    """
    for package in ("gptqmodel", "optimum"):
        if find_spec(package) is None:
            raise MissingExtra(package, "gptq", "Quantising with GPTQ")
    job: dict[str, Any] = {"source": str(source.resolve()), "out": str(out.resolve()), "texts": list(texts)}
    job |= {"bits": bits, "group_size": group, "device": device}
    command = [sys.executable, "-m", "benchctl_plugins.models.gptq_worker"]
    with TemporaryDirectory() as elsewhere:  # gptqmodel leaves a folder of logs wherever it runs
        done = subprocess.run(  # noqa: S603 - the interpreter and a module of this package
            command, input=json.dumps(job), capture_output=True, text=True, check=False, cwd=elsewhere
        )
    if done.returncode or not (out / "config.json").is_file():
        words = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = words[-1][:200] if words else f"exit code {done.returncode}"
        if (number := refused(reason)) is not None:
            raise OSError(number, os.strerror(number), str(out))
        raise ModelCallError(f"gptqmodel could not quantise '{source.name}' ({reason}).", "See 'benchctl doctor'.")
