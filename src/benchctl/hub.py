"""Datasets on the Hugging Face hub: the only module that talks to it for data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchctl.data import Row, Table, common_columns
from benchctl.errors import BadData


class HubDataset(NamedTuple):
    """Where a task's rows are on the hub."""

    repository: str
    split: str
    config: str | None = None
    revision: str | None = None
    """None: the newest, and the record says which commit that was."""


def read_hub(where: HubDataset) -> Table:
    """All rows of a split, from the network or the local cache.

    Raises:
        BadData: no network and not in the cache, or no such dataset; the hint says what to do.
    """
    import datasets

    revision = _newest_revision(where)
    datasets.disable_progress_bars()
    try:
        with nullcontext() if revision else _cache_only():
            split = datasets.load_dataset(
                where.repository, where.config, split=where.split, revision=revision or where.revision
            )
    except Exception as error:  # datasets raises many kinds for one thing: the rows are not to be had
        raise _unreadable(
            where, error,
            "Check the connection, or use a local copy with --data FILE, or the shipped sample with --data builtin.",
        ) from error  # fmt: skip
    return _table(where, split, revision or where.revision or "unknown (offline)")


def read_cached(where: HubDataset) -> Table | None:
    """All rows of a split from the local cache, without asking the network; None when they are not there."""
    import datasets
    from datasets.naming import camelcase_to_snakecase

    *owner, name = where.repository.split("/")  # 'BI55/MedText' is kept as 'BI55___med_text'
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "___".join([*owner, camelcase_to_snakecase(name)])
    if not folder.is_dir():
        return None
    loudness = datasets.logging.get_verbosity()
    datasets.logging.set_verbosity_error()  # that the cache was read is what was asked for
    try:
        with _cache_only():
            split = datasets.load_dataset(where.repository, where.config, split=where.split)
    except Exception:  # as in read_hub; another split or config may be all that was ever loaded
        return None
    finally:
        datasets.logging.set_verbosity(loudness)
    return _table(where, split, "from the cache") if len(split) else None


def hub_splits(where: HubDataset) -> tuple[str, ...]:
    """Names of the dataset's splits, from the network or the local cache; ``where.split`` is not looked at.

    Raises:
        BadData: no network and not in the cache, or no such dataset.
    """
    import datasets

    revision = _newest_revision(where)
    try:
        with nullcontext() if revision else _cache_only():
            return tuple(datasets.get_dataset_split_names(where.repository, where.config, revision=revision))
    except Exception as error:  # as in read_hub: many kinds for one thing
        raise _unreadable(where, error, "Check the connection, or use a local copy.") from error


def _table(where: HubDataset, split: Iterable[Mapping[str, Any]], revision: str) -> Table:
    rows = tuple(Row(number, record) for number, record in enumerate(split, 1))
    return Table(rows, common_columns(rows), f"hub:{where.repository}", revision)


def _unreadable(where: HubDataset, error: Exception, hint: str) -> BadData:
    reason = " ".join(str(error).split())[:160]
    return BadData(
        f"The dataset '{where.repository}' cannot be read from the hub ({type(error).__name__}: {reason}).", hint
    )


def _newest_revision(where: HubDataset) -> str | None:
    """The commit the hub would give now; None when it does not answer."""
    from huggingface_hub import HfApi

    with suppress(Exception):  # offline, blocked, gated, gone: load_dataset finds out which, and the cache may serve
        return HfApi().dataset_info(where.repository, revision=where.revision, timeout=10).sha
    return None


@contextmanager
def _cache_only() -> Iterator[None]:
    """While open, the hub's libraries do not try again: they would for half a minute, and print each try.

    What is fetched later, a model or another dataset, has its own chance: this one may only be gated, or gone.
    """
    import datasets.config
    import huggingface_hub.constants

    modules: tuple[Any, ...] = (datasets.config, huggingface_hub.constants)
    before = [module.HF_HUB_OFFLINE for module in modules]
    for module in modules:
        module.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for module, offline in zip(modules, before, strict=True):
            module.HF_HUB_OFFLINE = offline
