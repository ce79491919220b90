"""benchctl on a machine that others use too: its waiting threads give their core up."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="needs the extra 'hf'")


def said_by_openmp(**choices: str) -> str:
    """What GNU OpenMP says of its settings when the program has it loaded."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-m", "benchctl", "doctor"], capture_output=True, text=True, check=True,
        env={**kept, "OMP_DISPLAY_ENV": "verbose", **choices},
    )  # fmt: skip
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("this PyTorch does not use GNU OpenMP")
    return done.stderr


def test_waiting_threads_sleep_after_ten_thousand_looks():
    assert "GOMP_SPINCOUNT = '10000'" in said_by_openmp()


@pytest.mark.parametrize(
    ("choice", "value"), [("GOMP_SPINCOUNT", "77"), ("OMP_WAIT_POLICY", "ACTIVE")], ids=["rounds", "policy"]
)
def test_a_choice_in_the_environment_stays(choice, value):
    said = said_by_openmp(**{choice: value})
    assert f"{choice} = '{value}'" in said
    assert "GOMP_SPINCOUNT = '10000'" not in said
