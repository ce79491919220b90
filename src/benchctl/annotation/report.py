"""What the labels of a run say: how well its answers were read, how well people agree, what the score should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from benchctl import statistics
from benchctl.agreement import cohen_kappa, krippendorff_nominal
from benchctl.annotation.correction import Stratum, corrected
from benchctl.annotation.items import Item
from benchctl.annotation.labels import Label
from benchctl.annotation.store import Annotation, State
from benchctl.errors import RecordError
from benchctl.types import Estimate


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators on the answers both labelled."""

    annotators: tuple[str, str]
    n: int
    agreement: float
    """Share of equal labels."""
    kappa: float | None
    """Cohen's; None where it is undefined."""


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """The agreement of a run's readings with people, and of people among themselves."""

    annotators: Mapping[str, Mapping[str, int]]
    """Name -> ``labels``, ``skipped``, ``notes``, ``blind`` (labels given without seeing the reading)."""
    annotated: int
    unresolved: int
    """Answers with tied votes, beside ``annotated``. Each of the tied labels counts in part: these are the hard ones;
    to leave them out would flatter the readings. The confusion has none of them."""
    extraction: Estimate
    """Share of answers read as people read them, outcome and option, with Wilson's interval."""
    wrong_readings: int
    """Answers where the reading names an option and people do not name the same one."""
    confusion: Sequence[tuple[str, str, int]]
    """Reading, people, count, the most frequent first."""
    pairs: Sequence[Pair]
    alpha: float | None
    """Krippendorff's, over all annotators; None with fewer than two."""
    score: Estimate
    """Accuracy over all answers, as the run counted it."""
    corrected: Estimate | None
    """Accuracy as people would have counted it; None where the sample does not allow it."""
    reason: str
    """Why there is no corrected score; empty when there is."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def report(items: Sequence[Item], annotators: Mapping[str, State]) -> AgreementReport:
    """Compare a run's readings with everything people said about them.

    Raises:
        RecordError: nobody has labelled anything.
    """
    by_id = {item.sample.id: item for item in items}
    said = {name: _labelled(state, by_id) for name, state in annotators.items()}
    votes = {i: [labels[i] for labels in said.values() if i in labels] for i in by_id}
    votes = {i: given for i, given in votes.items() if given}
    if not votes:
        raise RecordError("Nobody has labelled an answer of this run.", "Label some: benchctl annotate RUN.")
    people = {i: _majority(given) for i, given in votes.items()}
    agreed = {i: labels[0] for i, labels in people.items() if len(labels) == 1}
    right = [float(by_id[i].right(by_id[i].reading)) for i in by_id]
    clusters = [item.sample.cluster or item.sample.id for item in items]
    equal = [labels.count(by_id[i].reading) / len(labels) for i, labels in people.items()]
    same = [by_id[i].sample.cluster or i for i in people]
    fixed, reason = _correct(items, people, votes)
    return AgreementReport(
        annotators={name: _counts(state, said[name]) for name, state in annotators.items()},
        annotated=len(agreed),
        unresolved=len(people) - len(agreed),
        extraction=statistics.proportion(equal, same),
        wrong_readings=sum(
            by_id[i].reading.label not in (None, *(label.label for label in labels)) for i, labels in people.items()
        ),
        confusion=_confusion(by_id, agreed),
        pairs=[_pair(a, b, said[a], said[b]) for a, b in combinations(said, 2)],
        alpha=krippendorff_nominal([[a.label.category for a in given if a.label] for given in votes.values()]),
        score=statistics.proportion(right, clusters),
        corrected=fixed,
        reason=reason,
    )


def _labelled(state: State, known: Mapping[str, Item]) -> dict[str, Annotation]:
    return {i: a for i, a in state.annotations.items() if a.label is not None and i in known}


def _majority(given: Sequence[Annotation]) -> tuple[Label, ...]:
    """The label most annotators gave; where several are tied, all of those."""
    ranked = Counter(a.label for a in given if a.label is not None).most_common()
    return tuple(label for label, count in ranked if count == ranked[0][1])


def _counts(state: State, labelled: Mapping[str, Annotation]) -> dict[str, int]:
    everything = state.annotations.values()
    return {
        "labels": len(labelled),
        "skipped": sum(a.skipped for a in everything),
        "notes": sum(bool(a.note) for a in everything),
        "blind": sum(a.draw.blind for a in labelled.values()),
    }


def _confusion(by_id: Mapping[str, Item], people: Mapping[str, Label]) -> list[tuple[str, str, int]]:
    counts = Counter((by_id[i].reading.category, label.category) for i, label in people.items())
    return [
        (reading, person, count) for (reading, person), count in sorted(counts.items(), key=lambda x: (-x[1], x[0]))
    ]


def _pair(one: str, other: str, mine: Mapping[str, Annotation], theirs: Mapping[str, Annotation]) -> Pair:
    shared = [i for i in mine if i in theirs]
    first, second = ([a.label.category for i in shared if (a := labels[i]).label] for labels in (mine, theirs))
    equal = sum(a == b for a, b in zip(first, second, strict=True))
    return Pair((one, other), len(shared), equal / len(shared) if shared else 0.0, cohen_kappa(first, second))


def _correct(
    items: Sequence[Item], people: Mapping[str, Sequence[Label]], votes: Mapping[str, Sequence[Annotation]]
) -> tuple[Estimate | None, str]:
    """The corrected score, or why there is none."""
    score = sum(item.right(item.reading) for item in items) / len(items)
    strata = []
    for name, members in _drawn_apart(items, people, votes).items():
        read = [item for item in members if item.sample.id in people]
        random = all(any(a.draw.random for a in votes[item.sample.id]) for item in read)
        if not read:
            return None, f"no answer {name} was annotated, of {len(members)}"
        if not random and len(read) < len(members):
            return None, "the annotated answers are no random sample (annotated in the task's order, or imported so)"
        said = [people[item.sample.id] for item in read]
        gains = [
            sum(map(item.right, labels)) / len(labels) - item.right(item.reading)
            for item, labels in zip(read, said, strict=True)
        ]
        strata.append(Stratum(len(members), gains))
    return corrected(score, strata), ""


def _drawn_apart(
    items: Sequence[Item], people: Mapping[str, Sequence[Label]], votes: Mapping[str, Sequence[Annotation]]
) -> dict[str, list[Item]]:
    """All answers in parts of which those annotated are a random sample each; keyed by what they are.

    The parts are the outcomes, where sittings were filtered by them, and what a continued run had at each draw: what
    it answered later could not be drawn. Annotated answers that were drawn for another outcome than they are read as
    now, as after a rescore, stand for themselves alone.
    """
    draws = [a.draw for i in people for a in votes[i]]
    filtered = any(draw.only for draw in draws)
    extents = sorted({draw.of for draw in draws if draw.random and draw.of})
    groups: dict[str, list[Item]] = {}
    for item in items:
        outcome, given = item.reading.outcome, votes.get(item.sample.id, ())
        name = f"read as '{outcome}'" if filtered else "of the run"
        if given and not any(not a.draw.only or outcome in a.draw.only for a in given):
            name = "read otherwise when it was drawn"
        elif layer := sum(extent <= item.place for extent in extents):
            name += f" after the first {extents[layer - 1]}"
        groups.setdefault(name, []).append(item)
    return groups
