"""CPUs and GPUs per worker: given, or such that all workers fit on the cluster's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from benchctl.errors import BadConfig


@dataclass(frozen=True, slots=True)
class Node:
    """What a machine of the cluster has."""

    cpus: float
    gpus: float


@dataclass(frozen=True, slots=True)
class Share:
    """How many workers there are, and what each of them gets."""

    workers: int
    cpus: float
    gpus: float

    def __str__(self) -> str:
        return f"{self.cpus:g} CPUs and {self.gpus:g} GPUs"


def read_nodes(described: Sequence[Mapping[str, Any]]) -> list[Node]:
    """The living ones of ``ray.nodes()``."""
    alive = (node["Resources"] for node in described if node["Alive"])
    return [Node(float(has.get("CPU", 0)), float(has.get("GPU", 0))) for has in alive]


def fit(nodes: Sequence[Node], workers: int | None, gpus: float | None, cpus: float | None) -> Share:
    """The share of each worker; 1 GPU where the cluster has any and nothing else is said.

    Args:
        workers: None for one per GPU, or one per node where no GPUs are used.

    Raises:
        BadConfig: so many do not fit.
    """
    if gpus is None:
        gpus = 1.0 if any(node.gpus for node in nodes) else 0.0
    if workers is None:
        workers = sum(_times(node.gpus, gpus) for node in nodes) if gpus else sum(node.cpus > 0 for node in nodes)
        workers = max(1, workers)
    if gpus and sum(_times(node.gpus, gpus) for node in nodes) < workers:
        raise BadConfig(
            f"{workers} workers with {gpus:g} GPUs each do not fit: the cluster has "
            f"{sum(node.gpus for node in nodes):g} GPUs on {len(nodes)} nodes.",
            "Give fewer --workers, or let them share: cluster:MODEL,workers=N,gpus_per_worker=0.5.",
        )
    if cpus is None:
        cpus = _cpus_each(nodes, workers, gpus)
    elif _room(nodes, cpus, gpus) < workers:
        raise BadConfig(
            f"{workers} workers with {cpus:g} CPUs each do not fit on the cluster's "
            f"{sum(node.cpus for node in nodes):g} CPUs.",
            "Give fewer --workers or a smaller cpus_per_worker.",
        )
    return Share(workers, cpus, gpus)


def _times(has: float, needs: float) -> int:
    return floor(has / needs + 1e-9)


def _room(nodes: Sequence[Node], cpus: float, gpus: float) -> int:
    """How many workers fit."""
    room = 0
    for node in nodes:
        by_gpus = _times(node.gpus, gpus) if gpus else 10**6
        room += min(by_gpus, _times(node.cpus, cpus) if cpus else 10**6)
    return room


def _cpus_each(nodes: Sequence[Node], workers: int, gpus: float) -> float:
    """The most CPUs with which all fit; Ray wants whole numbers above 1, and four decimals below."""
    shares = {node.cpus / part for node in nodes if node.cpus for part in range(1, workers + 1)}
    rounded = {float(floor(share)) if share >= 1 else floor(share * 10_000) / 10_000 for share in shares}
    return next((share for share in sorted(rounded, reverse=True) if _room(nodes, share, gpus) >= workers), 0.0)
