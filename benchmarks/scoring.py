#!/usr/bin/env python3
"""Scoring speed beside lm-evaluation-harness: the same prompts, model and machine, in turn, several rounds.

    python benchmarks/scoring.py                    all four settings, 3 rounds, 100 questions
    python benchmarks/scoring.py --settings option_5 --rounds 1

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

import small_llama
from setting import Setting

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared"
DATA = SHARED / "data/drbyte_ptbr/drbyte_ptbr_teste.csv"
PEER = SHARED / "tools/peer_lm_eval.py"
WANTED = {"letter_0": 2.0, "option_0": 3.5, "letter_5": 8.0, "option_5": 20.0}
"""Settings and how many times faster benchctl has to be."""
COLUMNS = (
    "setting", "lm-eval s", "benchctl s", "ratio", "CPU ratio", "largest difference", "equal predictions",
    "peak MiB lm-eval", "peak MiB benchctl", "floor s", "over floor", "GFLOP/s", "products s", "over products",
)  # fmt: skip

Figures = dict[str, Any]


def main() -> None:
    """Measure the settings asked for and print the table as Markdown."""
    asked = _arguments()
    cache = Path(asked.cache)
    model = small_llama.make(cache / "llama58m", DATA) if asked.model is None else Path(asked.model)
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    kept = []
    for name in asked.settings.split(","):
        scoring, shots = name.split("_")
        setting = Setting(scoring, int(shots), asked.limit)
        _export(setting, model, cache)
        ours, theirs = [], []
        for _ in range(asked.rounds):  # in turn, so that a slow minute of the machine falls on both
            theirs.append(_theirs(setting, model, cache, asked))
            ours.append(_ours(setting, model, asked))
        figures = compare(ours, theirs)
        kept.append({"setting": name, **figures})
        print(f"| {name} | {' | '.join(str(figures[column]) for column in COLUMNS[1:])} |", flush=True)
    if asked.json:
        Path(asked.json).write_text(json.dumps(kept, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", default=",".join(WANTED), help="SCORING_SHOTS, comma-separated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=100, help="questions")
    parser.add_argument("--batch-size", default="8", help="lm-eval's")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--options", help="more options of benchctl's model, such as batch_tokens=512")
    parser.add_argument("--model", help="another model's folder instead of the one made here")
    parser.add_argument("--cache", default=str(HERE / ".cache"), help="where the model and the exported tasks go")
    parser.add_argument("--json", help="also write the figures here")
    return parser.parse_args()


def _export(setting: Setting, model: Path, cache: Path) -> None:
    from benchctl.creation import create_model
    from benchctl.plugins import get_plugins

    job = setting.job(create_model(get_plugins(), f"hf:{model}"), setting.data(str(DATA)))
    setting.export(job, cache / "tasks")


def _theirs(setting: Setting, model: Path, cache: Path, asked: argparse.Namespace) -> Figures:
    return _run([
        str(PEER), "--include", str(cache / "tasks"), "--task", setting.name, "--model", str(model), "--limit",
        str(setting.limit), "--batch-size", asked.batch_size, "--dtype", asked.dtype,
    ])  # fmt: skip


def _ours(setting: Setting, model: Path, asked: argparse.Namespace) -> Figures:
    return _run([
        str(HERE / "one_side.py"), "--model", str(model), "--data", str(DATA), "--scoring", setting.scoring, "--shots",
        str(setting.shots), "--limit", str(setting.limit), "--dtype", asked.dtype, "--device", asked.device,
        "--options", f",{asked.options}" if asked.options else "",
    ])  # fmt: skip


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
    """One line of the table: medians over the rounds, everything else at its worst."""
    pairs = [
        (a, b) for one, other in zip(ours, theirs, strict=True)
        for mine, peers in zip(one["loglikelihoods"], other["loglikelihoods"], strict=True)
        for a, b in zip(mine, peers, strict=True)
    ]  # fmt: skip
    equal = [
        mine.index(max(mine)) == peers.index(max(peers)) for one, other in zip(ours, theirs, strict=True)
        for mine, peers in zip(one["loglikelihoods"], other["loglikelihoods"], strict=True)
    ]  # fmt: skip
    mine, peers = (median(side["eval_s"] for side in sides) for sides in (ours, theirs))
    mine_cpu, peers_cpu = (median(side["eval_cpu_s"] for side in sides) for sides in (ours, theirs))
    return {
        "lm-eval s": round(peers, 2), "benchctl s": round(mine, 2), "ratio": round(peers / mine, 2),
        "CPU ratio": round(peers_cpu / mine_cpu, 2),
        "largest difference": f"{max(abs(a - b) for a, b in pairs):.1e}",
        "equal predictions": f"{sum(equal)}/{len(equal)}",
        "peak MiB lm-eval": min(side["peak_rss_mib"] for side in theirs),
        "peak MiB benchctl": max(side["peak_rss_mib"] for side in ours),
        "floor s": round(median(side["floor_s"] for side in ours), 3),
        "over floor": round(median(side["eval_s"] / side["floor_s"] for side in ours), 2),
        "GFLOP/s": round(median(side["gflop_per_s"] for side in ours)),
        "products s": round(median(side["products_s"] for side in ours), 3),
        "over products": round(median(side["eval_s"] / side["products_s"] for side in ours), 2),
    }  # fmt: skip


if __name__ == "__main__":
    main()
