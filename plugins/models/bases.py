"""Loaded base models, kept for the next model of the same command that differs only in its adapter."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from typing import Any

_reserved: Counter[str] = Counter()
"""Key of a base -> models created and not yet closed that will want it."""
_idle: dict[str, Any] = {}
"""At most one loaded base that nobody uses now and somebody has reserved."""


def reserve(key: str) -> None:
    """Say that a base will be wanted; its first user then leaves it for the next."""
    _reserved[key] += 1


def borrow(key: str, load: Callable[[], Any]) -> Any:
    """The base, as left by the model before, or loaded. A base in use is never shared: two users get two."""
    if key in _idle:
        return _idle.pop(key)
    forget()
    return load()


def give_back(key: str, model: Any | None) -> None:
    """End a reservation. ``model`` is the base, without any adapter, or None when it was changed or never loaded."""
    _reserved[key] -= 1
    if model is not None and _reserved[key] > 0:
        forget()
        _idle[key] = model
    elif _reserved[key] <= 0:
        del _reserved[key]
        _idle.pop(key, None)


def forget() -> None:
    """Drop what is kept: memory is for the model that comes."""
    if _idle:
        _idle.clear()
        free_memory()


def free_memory() -> None:
    """Give freed weights back to the machine and the accelerator."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
