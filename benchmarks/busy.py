#!/usr/bin/env python3
"""Scoring and writing on a machine that others use too: how long waiting threads should look before they sleep.

    python benchmarks/busy.py                    five lengths of the wait, idle and beside a program that never rests
    python benchmarks/busy.py --rounds 1 --spins 300000,10000

benchmarks/README.md says what is measured and holds the last table.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import small_llama
from scoring import DATA, HERE
from setting import Setting

if TYPE_CHECKING:
    from benchctl_plugins.models.hf import HFModel

QUESTIONS, PROMPTS, LENGTH, WRITTEN = 100, 8, 60, 40
"""Questions scored by letter; prompts, their tokens, and the tokens written after each."""
COLUMNS = ("scoring, idle", "writing, idle", "scoring, busy", "writing, busy")


def main() -> None:
    """Measure every length of the wait in turn, round by round, and print the medians as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spins", default="300000,100000,30000,10000,1000", help="values of GOMP_SPINCOUNT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", default=str(HERE / ".cache"), help="where the model goes")
    parser.add_argument("--once", action="store_true", help="measure in this process and print two numbers: seconds")
    asked = parser.parse_args()
    folder = small_llama.make(Path(asked.cache) / "llama58m", DATA)
    if asked.once:
        model = _loaded(folder)
        print(json.dumps([_scoring(model), _writing(model)]))
        return
    spins = asked.spins.split(",")
    found: dict[str, list[list[float]]] = {spin: [] for spin in spins}
    for _ in range(asked.rounds):
        idle = {spin: _once(spin, asked.cache) for spin in spins}
        with _neighbour():
            for spin in spins:
                found[spin].append([*idle[spin], *_once(spin, asked.cache)])
    print(f"| GOMP_SPINCOUNT | {' | '.join(COLUMNS)} |\n|{' --- |' * (len(COLUMNS) + 1)}")
    for spin, rounds in found.items():
        print(f"| {spin} | {' | '.join(f'{median(seconds):.2f}' for seconds in zip(*rounds, strict=True))} |")


@contextmanager
def _neighbour() -> Iterator[None]:
    """While open, another program keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _once(spin: str, cache: str) -> list[float]:
    """Seconds of scoring and of writing, in a process of its own, since the setting is read once."""
    done = subprocess.run(
        [sys.executable, __file__, "--once", "--cache", cache], capture_output=True, text=True, check=True,
        env={**os.environ, "GOMP_SPINCOUNT": spin},
    )  # fmt: skip
    seconds: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds


def _loaded(folder: Path) -> HFModel:
    from benchctl.creation import create_model
    from benchctl.plugins import get_plugins
    from benchctl_plugins.models.hf import HFModel

    model = create_model(get_plugins(), f"hf:{folder},dtype=float32,device=cpu")
    assert isinstance(model, HFModel)
    return model


def _scoring(model: HFModel) -> float:
    from benchctl import runner

    setting = Setting("letter", 0, QUESTIONS)
    job, _ = setting.job(model, setting.data(str(DATA))), model.engine  # loaded before the watch starts
    started = time.perf_counter()
    answered = sum(1 for _ in runner.ask(job, job.samples))
    assert answered == QUESTIONS, f"{answered} of {QUESTIONS} questions were answered"
    return time.perf_counter() - started


def _writing(model: HFModel) -> float:
    from benchctl_plugins.models.engine.items import Prompt

    draw = random.Random(1)
    texts = [tuple(draw.randrange(5, small_llama.VOCABULARY) for _ in range(LENGTH)) for _ in range(PROMPTS)]
    started = time.perf_counter()
    written = list(model.engine.generate([Prompt(text, (), WRITTEN, 0.0) for text in texts]))
    assert len(written) == PROMPTS, f"{len(written)} of {PROMPTS} prompts were continued"
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
