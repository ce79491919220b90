"""From a recipe to the rows a trainer reads: found, guarded, split, worded, tokenised and counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchctl.errors import BadData

from .data_report import DataReport
from .examples import Example, Examples
from .leakage import Guard, LeakedRows, compare
from .preferences import paired
from .quality import Lengths, gist, warnings
from .recipe import Recipe
from .sources import read_source
from .templates import Template
from .tested import at_hand
from .tokens import Row, Tokens

if TYPE_CHECKING:
    from datasets import Dataset


class Prepared(NamedTuple):
    """What a training reads.

    Columns of both: ``input_ids``, ``completion_mask`` (sft); ``prompt``, ``chosen``, ``rejected`` (dpo);
    ``input_ids``, ``labels`` (seq2seq).
    """

    train: Dataset
    """In the order of the source."""
    validation: Dataset
    """No rows where ``validation_share`` is 0 and the source has no validation split."""
    hash: str
    """sha256 of all rows of both, in order."""
    report: DataReport


class Parts(NamedTuple):
    """The examples a recipe trains and validates on."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    validation_from: str
    source: Examples


def prepare(
    recipe: Recipe, tokenizer: Any, *, allow_leaks: bool = False, test_data: Sequence[str | Path] = ()
) -> Prepared:
    """The tokenised rows of a recipe and what is to be said of them.

    The same recipe and the same data give the same rows in the same order, and so the same hash. Nothing is cached.

    Args:
        tokenizer: the base's.
        allow_leaks: train although rows also stand in a test set; the report still names them.
        test_data: more test sets to compare with, each a file or a name of ``[data]``.

    Raises:
        Unreachable: hub data that is not at hand.
        LeakedRows: rows that also stand in a test set.
        BadData: rows that cannot be used; or none is left.
        BadConfig: a template, scoring or option that cannot be used.
    """
    parts, guard = guarded(recipe, read_parts(recipe), allow_leaks, test_data)
    template = Template(recipe.data.template, tokenizer)
    train, train_rows = _tokenised(recipe, tokenizer, template, parts.train)
    held_out, held_out_rows = _tokenised(recipe, tokenizer, template, parts.validation)
    if not train:
        raise BadData(
            f"{parts.source.source}: no answer fits into {recipe.data.max_length} tokens.", "Raise data.max_length."
        )
    report = _report(recipe, parts, template, train_rows, held_out_rows, guard)
    return Prepared(_dataset(train), _dataset(held_out, train), _hash(train, held_out), report)


def read_parts(recipe: Recipe) -> Parts:
    """The examples of a recipe, before wording and tokens.

    Raises:
        Unreachable, BadData, BadConfig: as :func:`prepare`.
    """
    data, seed = recipe.data, recipe.training.seed
    source = read_source(data.train, data)
    if recipe.objective == "dpo":
        source = paired(source, data.rejected, seed)
    train, held_out, origin = source.items, tuple(source.validation), f"validation split of {source.source}"
    if data.validation:
        other = read_source(data.validation, data)
        other = paired(other, data.rejected, seed) if recipe.objective == "dpo" else other
        held_out, origin = other.items, other.source
    elif not held_out:
        train, held_out = _split(train, data.validation_share, seed)
        origin = f"{data.validation_share:.0%} of the rows, drawn with seed {seed}"
    if data.rows is not None and data.rows < len(train):
        drawn = sorted(random.Random(f"{seed}:rows").sample(range(len(train)), data.rows))
        train = tuple(train[n] for n in drawn)
    return Parts(train, held_out, origin, source)


def guarded(recipe: Recipe, parts: Parts, allow_leaks: bool, test_data: Sequence[str | Path]) -> tuple[Parts, Guard]:
    """The examples that may be trained on, and what comparing them with the test sets at hand gave.

    Raises:
        LeakedRows: rows also stand in a test set, unless that is allowed, or the recipe leaves them out and some are
            left.
    """
    guard = compare(parts.train, parts.validation, at_hand(test_data))
    if not guard.leaks or allow_leaks:
        return parts, guard
    places = {leak.place for leak in guard.leaks}
    train = tuple(example for example in parts.train if example.place not in places)
    if recipe.data.leaks == "refuse" or not train:
        raise LeakedRows(guard, len(train))
    held_out = tuple(example for example in parts.validation if f"validation {example.place}" not in places)
    return parts._replace(train=train, validation=held_out), replace(guard, dropped=True)


def _split(items: tuple[Example, ...], share: float, seed: int) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Training and validation rows; rows that ask the same stay together, so that none is learnt and then tested."""
    wanted = max(1, round(share * len(items))) if share else 0
    asked = [gist(example) for example in items]
    order = sorted(set(asked))
    random.Random(f"{seed}:validation").shuffle(order)
    sizes = Counter(asked)
    held_out: set[str] = set()
    count = 0
    for key in order[:-1]:
        if count >= wanted:
            break
        held_out.add(key)
        count += sizes[key]
    train = tuple(e for e, key in zip(items, asked, strict=True) if key not in held_out)
    return train, tuple(e for e, key in zip(items, asked, strict=True) if key in held_out)


def _tokenised(
    recipe: Recipe, tokenizer: Any, template: Template, examples: Sequence[Example]
) -> tuple[list[dict[str, Any]], list[Row]]:
    """The rows a trainer reads, and all rows: an answer that is cut away entirely teaches nothing."""
    tokens = Tokens(tokenizer, recipe.data.max_length, recipe.data.answer_only)
    encode = {"dpo": tokens.preference, "seq2seq": tokens.seq2seq}.get(recipe.objective, tokens.causal)
    rows = encode([template.render(example) for example in examples])
    return [row.columns for row in rows if row.learnt], rows


def _report(
    recipe: Recipe, parts: Parts, template: Template, train: Sequence[Row], held_out: Sequence[Row], guard: Guard
) -> DataReport:
    limit = recipe.data.max_length
    kept = [row for row in train if row.learnt]
    return DataReport(
        source=parts.source.source, revision=parts.source.revision, format=parts.source.format, template=template.name,
        rows=len(kept), validation_rows=sum(row.learnt > 0 for row in held_out), validation_from=parts.validation_from,
        tokens=sum(row.tokens for row in kept), lengths=Lengths.of([row.length for row in train]),
        max_length=limit, truncated=sum(row.length > limit for row in train),
        lost=len(train) - len(kept), learnt=sum(row.learnt for row in kept),
        validation_lost=sum(not row.learnt for row in held_out),
        passed_over=dict(parts.source.passed_over), bad_rows=parts.source.bad_rows,
        warnings=warnings(parts.train, parts.validation), guard=guard,
    )  # fmt: skip


def _dataset(rows: Sequence[dict[str, Any]], like: Sequence[dict[str, Any]] = ()) -> Dataset:
    """A table of the rows; where there are none, an empty one with the columns of ``like``."""
    from datasets import Dataset

    return Dataset.from_list(list(rows)) if rows else Dataset.from_list(list(like[:1])).select(range(0))


def _hash(train: Sequence[dict[str, Any]], held_out: Sequence[dict[str, Any]]) -> str:
    """sha256 of every cell, each with its length in front, so that no two tables share one text."""
    import hashlib

    import numpy as np

    sha = hashlib.sha256()
    for part in (train, held_out):
        sha.update(f"{len(part)} rows\n".encode())
        for row in part:
            for name, cell in row.items():
                content = cell.encode() if isinstance(cell, str) else np.asarray(cell, "<i4").tobytes()
                sha.update(f"{name} {len(content)}\n".encode())
                sha.update(content)
    return sha.hexdigest()
