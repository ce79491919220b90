"""The least time a scoring run could take: the matrix products nobody can avoid, at the machine's present rate."""

from __future__ import annotations

import time
from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchctl_plugins.models.engine.items import Row


def matrix_rate(device: str, dtype: str, repeats: int = 20) -> float:
    """Floating-point operations per second of a square matrix product: the best of several.

    Of torch's own product and the one that benchctl takes where that is faster, whichever is.
    """
    import torch

    from benchctl_plugins.models.engine.products import linear

    size = 1024 if device == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device, dtype=getattr(torch, dtype)) for _ in range(2))
    best = float("inf")
    with torch.inference_mode():
        for product in (torch.mm, linear) * repeats:
            _wait(device)
            started = time.perf_counter()
            product(a, b)
            _wait(device)
            best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def product_rate(model: Any, device: str, tokens: int = 1024, repeats: int = 5) -> float:
    """Operations per second of the model's own matrix products, one after the other, and nothing between them.

    Unlike one square product repeated, whose operands never leave the cache, each weight is used once per pass as in
    the model itself: the median of several passes is what a program that did nothing else could keep up.
    """
    import torch

    from benchctl_plugins.models.engine.products import linear

    head = model.get_output_embeddings()
    weights = [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    inputs = {w.shape[1]: torch.randn(tokens, w.shape[1], device=device, dtype=w.dtype) for w in weights}
    spent = []
    with torch.inference_mode():
        for _ in range(repeats):
            _wait(device)
            started = time.perf_counter()
            for weight in weights:
                linear(inputs[weight.shape[1]], weight)
            _wait(device)
            spent.append(time.perf_counter() - started)
    return 2 * tokens * sum(w.numel() for w in weights) / median(spent)


def _wait(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize()


def operations(model: Any, rows: Iterable[Row]) -> float:
    """Floating-point operations of the matrix products that scoring these rows needs at least.

    Every token once that follows the same tokens from the beginning, times two operations per weight outside the
    embeddings; every position once after which something is scored, times two per weight of the output layer. What
    attention, norms and softmax cost is left out.
    """
    tokens, positions = unique(rows)
    head = model.get_output_embeddings().weight.numel()
    embeddings = {id(e.weight): e.weight.numel() for e in (model.get_input_embeddings(), model.get_output_embeddings())}
    weights = sum(p.numel() for p in model.parameters()) - sum(embeddings.values())
    return 2.0 * (tokens * weights + positions * head)


def unique(rows: Iterable[Row]) -> tuple[int, int]:
    """Tokens that differ in themselves or in what stands before them, and those among them that are scored after."""
    children: dict[tuple[int, int], int] = {}
    scored = set()
    for row in rows:
        node = -1
        for place, token in enumerate((row.context + row.continuation)[:-1]):
            node = children.setdefault((node, token), len(children))
            if place >= len(row.context) - 1:
                scored.add(node)
    return len(children), len(scored)
