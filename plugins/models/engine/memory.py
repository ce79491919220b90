"""Batch budgets, and going on with half a batch when memory runs out."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Names of settings in glibc's malloc.h; 32 MB is the most it takes for the second."""

Part = TypeVar("Part")
Result = TypeVar("Result")

CPU_TOKENS = 1024
"""Few enough that a layer's activations stay in the cache, many enough for the matrix products to run at full rate."""
GPU_TOKENS = 32768
WRITING_BYTES, WRITING_TOKENS = 1 << 30, 16384
"""Memory and tokens that the answers of a batch may take on a CPU, their prompts included. Each further token reads all
weights once, for however many answers: many together take hardly longer than one."""
SHARE = 0.4
"""Part of the free device memory that one batch's activations may take by our estimate, which is a rough one."""


def batch_budget(model: Any, device: str, wanted: int | None) -> int:
    """Tokens per batch: as asked; on a CPU what measured best; on CUDA what the free memory has room for."""
    import torch

    if wanted or not device.startswith("cuda"):
        return wanted or CPU_TOKENS
    free, _ = torch.cuda.mem_get_info(device)
    return max(256, min(GPU_TOKENS, int(SHARE * free / _activations(model))))


def writing_budget(model: Any, device: str, wanted: int | None) -> int:
    """Tokens per batch of free answers, prompts and the longest answers allowed: more than of scored ones on a CPU."""
    if wanted or device.startswith("cuda"):
        return batch_budget(model, device, wanted)
    per_token = max(_activations(model), _keys_and_values(model))
    return max(CPU_TOKENS, min(WRITING_TOKENS, WRITING_BYTES // per_token))


def _activations(model: Any) -> int:
    """Bytes a token takes while a layer works on it, about."""
    found = getattr(model.config.get_text_config(), "intermediate_size", None)
    inner = max(found) if isinstance(found, (list, tuple)) else found  # Gemma 3n has one a layer
    return int(model.dtype.itemsize * (16 * _hidden(model) + 4 * (inner or 4 * _hidden(model))))


def _keys_and_values(model: Any) -> int:
    """Bytes that are kept of a token in all layers, at most: as if each head had keys and values of its own."""
    named = getattr(model.config.get_text_config(), "num_hidden_layers", None)  # BLT has several stacks
    return int(model.dtype.itemsize * 2 * (named or len(list(model.modules()))) * _hidden(model))


def _hidden(model: Any) -> int:
    named = getattr(model.config.get_text_config(), "hidden_size", None)
    return int(named or model.get_input_embeddings().embedding_dim)


_GROUPS = {"": ("/sys/fs/cgroup", "memory.max", "memory.current"),
           "memory": ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")}  # fmt: skip
"""Where Linux says what a group of processes may take and has taken, by the controller's name in /proc/self/cgroup."""


def spare() -> int:
    """Bytes of memory that may still be taken, as Linux and its limits for groups of processes tell; elsewhere 0."""
    listed = Path("/proc/meminfo")
    if not listed.is_file():
        return 0
    told = dict(line.split(":") for line in listed.read_text(encoding="utf-8").splitlines())
    free = [int(told["MemAvailable"].split()[0]) * 1024]
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controller, group = line.split(":", 2)
        if controller in _GROUPS:
            root, limit, used = _GROUPS[controller]
            own = Path(root, group.strip("/"))
            folders = [folder for folder in (own, *own.parents) if (folder / limit).is_file()]
            held = [
                [(folder / name).read_text(encoding="utf-8").strip() for name in (limit, used)] for folder in folders
            ]
            free += [int(most) - int(taken) for most, taken in held if most.isdigit()]
    return max(0, min(free))


def keep_pages() -> None:
    """Have the C library keep what it freed (up to 256 MB) instead of giving it back to the system after each layer.

    Otherwise every large activation is mapped and zeroed page by page anew, a fifth of the time on a CPU. Linux with
    glibc only; nothing happens elsewhere.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device, or the machine, has no memory left."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in ("out of memory", "not enough memory", "can't allocate memory")
    )


@dataclass(slots=True)
class Budget:
    """Tokens a batch may hold; lowered for the rest of the run when one turns out too large."""

    tokens: int

    def fell_short(self, size: int) -> None:
        """A batch of that many tokens did not fit."""
        self.tokens = max(1, min(self.tokens, size) // 2)


def halving(
    work: Callable[[Sequence[Part]], Result], batch: Sequence[Part], size: Callable[[Part], int], budget: Budget
) -> Iterator[Result]:
    """The results of a batch: in one piece, or in halves, quarters and so on where memory does not suffice.

    Args:
        work: what is done with a batch or a part of it.
        batch: what is divided; in order, the results are too.
        size: tokens of one part.
        budget: lowered each time memory does not suffice.

    Raises:
        RuntimeError: not even a single part fits.
    """
    waiting = deque([batch])
    while waiting:
        parts = waiting.popleft()
        wanted = sum(size(part) for part in parts)
        if len(parts) == 1 or wanted <= budget.tokens:  # else the budget was lowered since the batch was made
            try:
                result = work(parts)
            except (RuntimeError, MemoryError) as error:
                if len(parts) == 1 or not is_out_of_memory(error):
                    raise
            else:
                yield result
                continue
            release()
            budget.fell_short(wanted)
        middle = len(parts) // 2
        waiting.extendleft([parts[middle:], parts[:middle]])


def release() -> None:
    """Give cached device memory back, outside the handler that still holds the failed batch's tensors."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
