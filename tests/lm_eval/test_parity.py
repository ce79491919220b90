"""The scores themselves: on all ten tasks equal to those lm-eval gets from the exported YAML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import evaluate
from .test_export import TEN

QUESTIONS = 50
NATS = 1e-3


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("task", TEN)
def test_log_likelihoods_and_predictions_equal_lm_evals(task, benchctl, stories, teste, harness_lm, tmp_path):
    # No local copy of Cosmos QA in Portuguese exists: the shipped sample has 24 questions.
    data = "builtin" if task == "cosmosqa-pt" else teste
    measured = {}
    for scoring in ("letter", "option"):
        for shots in (0, 3):
            common = ["--data", data, "--scoring", scoring, "--shots", shots, "--limit", QUESTIONS]
            out = tmp_path / f"{scoring}{shots}"
            assert benchctl("export", "task", task, "--format", "lm-eval", "--out", out, *common).code == 0
            done = benchctl("run", "--task", task, "--model", f"{stories},dtype=float32,device=cpu", "--json", *common)
            assert done.code == 0, done.err
            (run,) = json.loads(done.out)
            figures, samples = evaluate(harness_lm, out, task)
            ours = nats_of(run)
            ids = [json.loads(line)["id"] for line in (out / f"{task}.jsonl").read_text("utf-8").split("\n") if line]
            assert len(ids) == run["n"] == min(QUESTIONS, 24 if data == "builtin" else QUESTIONS)
            largest = 0.0
            for identity, sample in zip(ids, samples[task], strict=True):
                theirs = [float(reply[0][0]) for reply in sample["resps"]]
                pairs = list(zip(ours[identity], theirs, strict=True))
                largest = max(largest, *(abs(a - b) for a, b in pairs))
                assert ours[identity].index(max(ours[identity])) == theirs.index(max(theirs))
            measured[scoring, shots] = f"{largest:.1e} ({run['counts']['cut']} cut)"
            assert largest <= NATS
            assert run["metrics"]["accuracy"]["value"] == pytest.approx(figures[task]["acc"])
            if scoring == "option":
                assert run["metrics"]["accuracy_per_byte"]["value"] == pytest.approx(figures[task]["acc_bytes"])
    print(f"{task}: largest differences in nats {measured}")


def nats_of(run):
    lines = (Path(run["path"]) / "samples.jsonl").read_text("utf-8").splitlines()
    return {one["id"]: [c["nats"] for c in one["responses"][0]["choices"]] for one in map(json.loads, lines)}
