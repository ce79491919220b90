"""Part of a task's samples: the first of them, or a draw over all."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from benchctl.types import RunSpec, Sample

T = TypeVar("T")


def select(items: Sequence[T], spec: RunSpec) -> Sequence[T]:
    """The items a run is about: all, the first ``limit``, or ``limit`` of them drawn with the seed, in their order."""
    if spec.limit is None or spec.limit >= len(items):
        return items
    if not spec.drawn:
        return items[: spec.limit]
    places = random.Random(f"{spec.seed}:{spec.task}").sample(range(len(items)), spec.limit)
    return [items[place] for place in sorted(places)]


def standing_again(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples that ask what an earlier one asks, with the same options and answer, as of a file put together twice.

    Those that share a passage with it are left out: intervals count passages.
    """
    first: dict[tuple[object, ...], Sample] = {}
    found = []
    for sample in samples:
        asked = (sample.question, sample.context, *sample.choices.items(), sample.target)
        earlier = first.setdefault(asked, sample)
        if earlier is not sample and (sample.cluster is None or sample.cluster != earlier.cluster):
            found.append(sample)
    return found


def right_twice(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples in which another option reads as the right one does, so that nobody can tell them apart."""
    return [s for s in samples if [text.strip() for text in s.choices.values()].count(_right(s)) > 1]


def _right(sample: Sample) -> str:
    return sample.choices.get(sample.target, "").strip()


def lopsided(samples: Sequence[Sample], chosen: Sequence[Sample]) -> str | None:
    """The label whose share among the chosen is far from its share among all; None when chance can explain it.

    Files sorted by label are common: the first 200 rows of PubMedQA in Portuguese are all ``sim``. Far is more than
    four standard errors of a share drawn at random.
    """
    if len(chosen) == len(samples):
        return None
    total, part = Counter(s.target for s in samples), Counter(s.target for s in chosen)
    for label, count in total.most_common():
        share = count / len(samples)
        error = math.sqrt(share * (1 - share) / len(chosen))
        if abs(part[label] / len(chosen) - share) > 4 * error:
            return label
    return None
