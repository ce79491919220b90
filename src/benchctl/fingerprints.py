"""Hashes that say what a result rests on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any


def canonical(value: Any) -> str:
    """One JSON text per value: dataclasses as objects, no spaces, keys in their own order (that of labels matters)."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), default=str)


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses and mappings as objects. ``asdict`` copies, at ten times the price."""
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        held = ((name, getattr(value, name), default) for name, default in _told(type(value)))
        return {name: plain(one) for name, one, default in held if default is MISSING or one != default}
    return value


@cache
def field_names(kind: Any) -> tuple[str, ...]:
    """Names of a dataclass's fields, in order."""
    return tuple(field.name for field in fields(kind))


@cache
def _told(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Names of the fields that fingerprints have, each with the default at which it is left out, if any.

    See :data:`benchctl.types.LATER` and :data:`benchctl.types.BESIDE`.
    """
    told = (field for field in fields(kind) if not field.metadata.get("beside"))
    return tuple((field.name, field.default if field.metadata.get("later") else MISSING) for field in told)


def digest(value: Any) -> str:
    """sha256 of :func:`canonical`, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def digest_all(values: Iterable[Any]) -> str:
    """sha256 of a sequence of values, without holding their texts together."""
    sha = hashlib.sha256()
    for value in values:
        sha.update(canonical(value).encode())
        sha.update(b"\n")
    return sha.hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, remembered by path, size and times of change: 14 GB of weights are read only once.

    Two times: copies and archives set the one of the content (`cp -p`, `tar`, `zip`), so that other weights can come
    with the old one; the one of the file's entry is the system's own.
    The memory is ``file-hashes.json`` in benchctl's cache folder; without a writable one, every call reads the file.
    """
    stat = path.stat()
    key = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
    store = cache_dir() / "file-hashes.json"
    known = _load(store)
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        _store(store, {**_load(store), key: known[key]})
    return known[key]


def cache_dir() -> Path:
    """``$BENCHCTL_CACHE``, or ``benchctl`` in the user's cache folder."""
    if "BENCHCTL_CACHE" in os.environ:
        return Path(os.environ["BENCHCTL_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "benchctl"


def _load(store: Path) -> dict[str, str]:
    try:
        loaded = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or only what a crash has left of one
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _store(store: Path, known: Mapping[str, str]) -> None:
    draft = store.with_suffix(f".{os.getpid()}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(known), encoding="utf-8")
        draft.replace(store)
    except OSError:
        return  # a read-only home costs time, not correctness
