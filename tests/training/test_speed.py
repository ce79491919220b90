"""The training benchmark: it says when it cannot measure, measures the same work on both sides, and asks for 0.98."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "benchmarks/training.py"


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def measured(*options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_without_a_cuda_device_it_says_that_nothing_is_measured():
    if has_cuda():
        pytest.skip("there is a CUDA device here")
    assert "No CUDA device" in measured().stdout


@pytest.mark.slow
def test_on_a_cpu_both_sides_learn_the_same_from_the_same_rows(tmp_path):
    file = tmp_path / "figures.json"
    size = ("--size", "tiny", "--steps", 10, "--skip", 2, "--rounds", 1, "--length", 24, "--batch", 2)
    told = measured("--cpu", *size, "--cache", tmp_path / "cache", "--json", file)
    figures = json.loads(file.read_text("utf-8"))

    assert float(figures["largest difference of loss"]) < 1e-4, "both did the same work"
    assert figures["benchctl steps/s"] > 0 and figures["trl steps/s"] > 0
    assert f"| {figures['ratio']} |" in told.stdout


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(1800)
def test_on_a_gpu_qlora_is_as_fast_as_plain_trl(tmp_path):
    if not has_cuda():
        pytest.skip("needs a CUDA device, which is not here: the speed of QLoRA beside trl is not measured")
    file = tmp_path / "figures.json"
    measured("--cache", tmp_path / "cache", "--json", file)

    assert json.loads(file.read_text("utf-8"))["ratio"] >= 0.98
