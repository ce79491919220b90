"""How threads that compute together wait for each other on a machine that others use too."""

from __future__ import annotations

import os

ROUNDS = "10000"
"""Some half a millisecond: longer than what lies between two operations of a model, shorter than a turn on a core."""


def share_cores() -> None:
    """Let waiting threads give their core up soon. Call it before PyTorch is imported, which reads this once.

    GNU OpenMP, in PyTorch's wheels for Linux, makes a thread that waits for the others look 300 000 times, some 16
    milliseconds, before it sleeps (libgomp's manual, GOMP_SPINCOUNT). On a core that something else wants as well, that
    wait takes the very time the others need, at each of the many thousand meetings of a run. A choice made in the
    environment stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", ROUNDS)
