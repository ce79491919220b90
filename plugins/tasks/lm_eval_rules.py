"""What of an lm-eval task's YAML and code fixes its result: the same in every process and wherever its folder lies."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

PLACES = frozenset({"dataset_path", "dataset_name", "dataset_kwargs", "config_source"})
"""Keys that say where something lies. The documents count by their contents, the examples in the prompts."""


def of(task: Any) -> Any:
    """The task's configuration as plain values, code by the text of its file.

    lm-eval's own ``dump_config`` gives functions inside ``fewshot_config`` as addresses in memory, new in every
    process, and of the others only their own lines, not those of what they call.
    """
    return [_described(task.config), _code(type(task))]


def _described(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _described({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, Mapping):
        return {str(key): _described(v) for key, v in value.items() if key not in PLACES}
    if isinstance(value, list | tuple):
        return [_described(v) for v in value]
    if isinstance(value, functools.partial):
        return [_described(value.func), _described(value.args), _described(value.keywords)]
    return _code(value) if callable(value) else value


def _code(value: Any) -> list[str]:
    """A function's or class's name and the sha256 of the file it stands in; the file's place does not count."""
    named = value if hasattr(value, "__qualname__") else type(value)
    file = getattr(inspect.getmodule(named), "__file__", None)
    return [named.__qualname__, hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""]
