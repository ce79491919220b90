"""The answers of a run that can be labelled, and which of them are shown in what order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchctl.annotation.labels import Label
from benchctl.annotation.store import Annotation
from benchctl.errors import BadConfig, RecordError
from benchctl.records import RunFolder, StoredRun, entry_responses, entry_sample
from benchctl.types import OUTCOMES, Sample

UNREAD = "unread"
"""Filter: everything but ``choice``, what a person may still be able to read."""
SKIPPED = "skipped"
"""Filter: what this annotator passed over."""
FILTERS = (UNREAD, SKIPPED, *OUTCOMES)


@dataclass(frozen=True, slots=True)
class Item:
    """One answer and how the run read it."""

    sample: Sample
    text: str
    """The raw answer."""
    reading: Label
    """As the run's scores have it: the figure it is measured against."""
    explanation: str
    place: int
    """Of its line in samples.jsonl, from 0: what the run answered later has a higher one."""

    def right(self, label: Label) -> bool:
        """Whether the answer would count as right if it were read so."""
        return label.outcome == "choice" and label.label == self.sample.target


def read_items(stored: StoredRun) -> list[Item]:
    """Every answered sample of a run, in the task's order.

    Raises:
        RecordError: the run has no free answers to multiple-choice questions.
    """
    folder = RunFolder(stored.path)
    entries = {str(line["id"]): line for line in folder.answers()}
    places = {identity: place for place, identity in enumerate(entries)}
    items = []
    for score in folder.settled_scores():
        if score.id not in entries:
            continue
        sample, responses = entry_sample(entries[score.id]), entry_responses(entries[score.id])
        if sample.choices and responses[0].text is not None:
            reading = Label(score.outcome, score.answer if score.outcome == "choice" else None)
            items.append(Item(sample, responses[0].text, reading, score.explanation, places[score.id]))
    if not items:
        raise RecordError(
            f"Run {stored.record.id} has no free answers to multiple-choice questions.",
            "Run the task with --scoring generate; long answers are for 'benchctl judge'.",
        )
    return items


def extent(items: Sequence[Item]) -> int:
    """How far the run had come when these were all its answers: for :attr:`benchctl.annotation.store.Draw.of`."""
    return 1 + max(item.place for item in items)


def outcomes_of(filters: Sequence[str]) -> tuple[str, ...]:
    """The outcomes that filters name, :data:`UNREAD` written out; empty when they name none.

    Raises:
        BadConfig: SKIPPED beside others, since it says nothing of the reading.
    """
    if SKIPPED in filters and len(set(filters)) > 1:
        raise BadConfig(
            "--only skipped cannot be combined with another --only.", "Label the skipped ones by themselves."
        )
    named = {o for name in filters for o in (OUTCOMES[1:] if name == UNREAD else (name,)) if o in OUTCOMES}
    return tuple(o for o in OUTCOMES if o in named)


def select(
    items: Sequence[Item],
    filters: Sequence[str],
    earlier: Mapping[str, Annotation],
    *,
    seed: int | None,
    count: int | None,
) -> list[Item]:
    """The items to show, those already labelled included, so that the same call always gives the same list.

    Args:
        filters: of :data:`FILTERS`; empty for all.
        earlier: what the annotator has said so far; only :data:`SKIPPED` looks at it.
        seed: of the random order; None for the task's order.
        count: only so many, the first of that order.
    """
    outcomes = outcomes_of(filters)
    found = [item for item in items if not outcomes or item.reading.outcome in outcomes]
    if SKIPPED in filters:
        found = [item for item in found if item.sample.id in earlier and earlier[item.sample.id].skipped]
    if seed is not None:
        random.Random(seed).shuffle(found)
    return found[:count]
