"""benchctl's side of one measurement, in a process of its own: prints one JSON line like peer_lm_eval.py's.

Timed: prompts built, tokenised, scored, self-check included, answers read, metrics estimated. Not timed: imports, the
weights' loading and hashing, the reading of the CSV, the writing of results; lm-eval's figures leave out the same.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any

from floor import matrix_rate, operations, product_rate, unique
from setting import Setting


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Times in seconds, peak resident memory in MiB, nats per choice and document, and the floor."""
    from benchctl.threads import share_cores

    share_cores()  # as the program does
    import torch

    from benchctl import runner
    from benchctl.creation import create_model
    from benchctl.plugins import get_plugins

    setting = Setting(arguments.scoring, arguments.shots, arguments.limit)
    model: Any = create_model(
        get_plugins(), f"hf:{arguments.model},dtype={arguments.dtype},device={arguments.device}{arguments.options}"
    )
    started = time.perf_counter()
    engine, _ = model.engine, model.fingerprint()
    loaded = time.perf_counter()
    data = setting.data(arguments.data)
    rate = matrix_rate(arguments.device, arguments.dtype)
    begun, cpu = time.perf_counter(), time.process_time()
    job = setting.job(model, data)
    answers = {sample.id: responses for sample, responses in runner.ask(job, job.samples)}
    runner.estimate(job.metrics, runner.read_answers(job.scoring, job.samples, answers))
    spent, cpu_spent = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rate = max(rate, matrix_rate(arguments.device, arguments.dtype))
    products = product_rate(engine.plain.model, arguments.device)
    rows = [row for requests in job.requests.values() for found, _ in model.encoder.choose(requests) for row in found]
    needed = operations(engine.plain.model, rows)
    nats = [[choice.nats for choice in answers[sample.id][0].choices] for sample in job.samples]
    return {
        "tool": "benchctl", "n": len(nats), "load_s": round(loaded - started, 2), "eval_s": round(spent, 3),
        "eval_cpu_s": round(cpu_spent, 3), "peak_rss_mib": peak, "path": model.manifest()["path"],
        "device_peak_mib": torch.cuda.max_memory_allocated() >> 20 if arguments.device.startswith("cuda") else None,
        "unique": unique(rows), "gflop": round(needed / 1e9, 1), "gflop_per_s": round(rate / 1e9, 1),
        "floor_s": round(needed / rate, 3), "products_s": round(needed / products, 3), "loglikelihoods": nats,
    }  # fmt: skip


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--model", "--data", "--scoring", "--dtype", "--device"):
        parser.add_argument(name, required=True)
    parser.add_argument("--options", default="")
    parser.add_argument("--shots", type=int, required=True)
    parser.add_argument("--limit", type=int, required=True)
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
