#!/usr/bin/env python3
"""Speed of 'benchctl train' beside trl's SFTTrainer: the same base, rows and settings, in turn, several rounds.

    python benchmarks/training.py                   QLoRA on a CUDA device; without one, says so and measures nothing
    python benchmarks/training.py --cpu             on the CPU with a small model

benchmarks/README.md says what is measured and holds the last table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")

import training_model

HERE = Path(__file__).resolve().parent
WANTED = 0.98
"""Steps per second of benchctl, of trl's."""
COLUMNS = (
    "model", "device", "trl steps/s", "benchctl steps/s", "ratio", "ratio by round", "CPU ratio",
    "largest difference of loss", "peak MiB trl", "peak MiB benchctl",
)  # fmt: skip

Figures = dict[str, Any]


def main() -> None:
    """Measure and print the table as Markdown."""
    asked = _arguments()
    if not asked.cpu and not _has_cuda():
        print("No CUDA device here: the speed of QLoRA beside trl is not measured (--cpu measures it on the CPU).")
        return
    device, dtype = ("cpu", "float32") if asked.cpu else ("cuda", "bfloat16")
    size = asked.size or ("58m" if asked.cpu else "1b")
    batch, length = asked.batch or (2 if asked.cpu else 8), asked.length or (64 if asked.cpu else 512)
    cache = Path(asked.cache)
    rows = training_model.make_rows(cache / f"rows{length}.jsonl", 640, length)
    model = training_model.make_model(cache / f"llama-{size}-{dtype}", size, rows, dtype)
    command = [
        str(HERE / "training_side.py"), "--model", str(model), "--data", str(rows), "--device", device,
        "--dtype", dtype, "--steps", str(asked.steps), "--skip", str(asked.skip), "--batch", str(batch),
        "--length", str(length), "--accumulation", str(asked.accumulation),
    ]  # fmt: skip
    ours, theirs = [], []
    for _ in range(asked.rounds):  # in turn, so that a slow minute of the machine falls on both
        theirs.append(_run([*command, "--side", "trl"]))
        ours.append(_run([*command, "--side", "benchctl"]))
    figures = {"model": size, "device": device, **compare(ours, theirs)}
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    print(f"| {' | '.join(str(figures[column]) for column in COLUMNS)} |", flush=True)
    if asked.json:
        Path(asked.json).write_text(json.dumps({**figures, "wanted": WANTED}, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--size", choices=tuple(training_model.SIZES), help="of the model; 1b on CUDA, 58m on the CPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--skip", type=int, default=5, help="first steps that are not timed")
    parser.add_argument("--batch", type=int, help="rows; 8 on CUDA, 2 on the CPU")
    parser.add_argument("--accumulation", type=int, default=1)
    parser.add_argument("--length", type=int, help="tokens of a row; 512 on CUDA, 64 on the CPU")
    parser.add_argument("--cache", default=str(HERE / ".cache"), help="where the model and the rows go")
    parser.add_argument("--json", help="also write the figures here")
    return parser.parse_args()


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _run(command: list[str]) -> Figures:
    """A Python program's last line of output, as JSON.

    Raises:
        SystemExit: it failed; with the end of what it said.
    """
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    found: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def compare(ours: list[Figures], theirs: list[Figures]) -> Figures:
    """One line of the table: medians over the rounds, the losses at their worst."""
    mine, peers = (median(one["steps_per_s"] for one in side) for side in (ours, theirs))
    mine_cpu, peers_cpu = (median(one["step_cpu_s"] for one in side) for side in (ours, theirs))
    by_round = [a["steps_per_s"] / b["steps_per_s"] for a, b in zip(ours, theirs, strict=True)]
    apart = [
        abs(a - b) for one, other in zip(ours, theirs, strict=True)
        for a, b in zip(one["losses"], other["losses"], strict=True)
    ]  # fmt: skip
    return {
        "trl steps/s": round(peers, 3), "benchctl steps/s": round(mine, 3), "ratio": round(mine / peers, 3),
        "ratio by round": " ".join(f"{ratio:.3f}" for ratio in by_round),
        "CPU ratio": round(peers_cpu / mine_cpu, 3),
        "largest difference of loss": f"{max(apart):.1e}",
        "peak MiB trl": min(one["peak_mib"] for one in theirs),
        "peak MiB benchctl": max(one["peak_mib"] for one in ours),
    }  # fmt: skip


if __name__ == "__main__":
    main()
