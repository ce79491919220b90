"""Datasets on the Hugging Face hub: the only module that talks to it for data."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

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
    from huggingface_hub import HfApi

    revision = where.revision
    with suppress(Exception):  # offline or unreachable: the cache may have the rows, load_dataset decides just below
        revision = HfApi().dataset_info(where.repository, revision=revision, timeout=20).sha
    datasets.disable_progress_bars()
    try:
        split = datasets.load_dataset(where.repository, where.config, split=where.split, revision=revision)
    except Exception as error:  # datasets raises many kinds for one thing: the rows are not to be had
        reason = " ".join(str(error).split())[:160]
        raise BadData(
            f"The dataset '{where.repository}' cannot be read from the hub ({type(error).__name__}: {reason}).",
            "Check the connection, or use a local copy with --data FILE, or the shipped sample with --data builtin.",
        ) from error
    rows = tuple(Row(number, record) for number, record in enumerate(split, 1))
    return Table(rows, common_columns(rows), f"hub:{where.repository}", revision or "unknown (offline)")
