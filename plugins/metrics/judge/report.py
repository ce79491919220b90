"""What all judges of a command say together: figures written into the run, agreement, controls, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchctl.additions import add_figures
from benchctl.records import RunFolder
from benchctl.types import Estimate

from .judging import Judgement, Plan, answer_tables, figures, usage
from .pairs import PairReport, compare
from .questions import ANSWER, MISMATCH, REFERENCE
from .results import Agreement, agreements, merged

NEAR_TOP, NEAR_BOTTOM = 0.8, 0.4
"""Share of the most points that references should reach at least, and mismatched ones at most."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a judgement says."""

    run: str
    rubric: str
    judgements: Sequence[Judgement]
    best: Mapping[str, float]
    """Figure's name -> the most it can be."""
    results: Mapping[str, Mapping[str, Estimate]]
    """Subject -> figure's name -> estimate; ``answer`` is the contestant."""
    agreement: Mapping[str, Agreement]
    pairs: Mapping[str, PairReport]
    """Judge -> comparison, for a pair rubric."""
    warnings: Sequence[str] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """The object ``--json`` prints."""
        return {
            "run": self.run, "rubric": self.rubric,
            "judges": [
                {"judge": j.judge, "id": j.id, "path": str(j.path), "status": j.status(), **j.counts(),
                 "problems": j.problems(), "usage": usage(j.purse), "kin": list(j.kin)}
                for j in self.judgements
            ],
            "results": {s: {n: asdict(e) for n, e in found.items()} for s, found in self.results.items()},
            "best": dict(self.best), "agreement": {n: asdict(a) for n, a in self.agreement.items()},
            "pairs": {judge: asdict(found) for judge, found in self.pairs.items()}, "warnings": list(self.warnings),
        }  # fmt: skip


def conclude(plan: Plan, found: Sequence[Judgement]) -> Report:
    """Put the judges together; the contestant's figures go into the run's record and scores.

    Raises:
        RecordError: another process is writing the run; the verdicts are kept.
    """
    if plan.rubric.kind == "pair":
        pairs = {j.judge: compare(j.questions, j.replies) for j in found}
        warnings = [*_general(plan, found), *(w for judge, p in pairs.items() for w in _position(judge, p))]
        return Report(plan.run.record.id, plan.rubric.name, found, {}, {}, {}, pairs, warnings)
    table = merged(list(answer_tables(found)))
    answers, values = figures(plan, table)
    results = {ANSWER: answers}
    for control in plan.controls:
        results[control] = figures(plan, merged([j.table(control, i) for i, j in enumerate(found)]))[0]
    agreement = agreements(plan.rubric, table)
    if answers:
        source = {
            "by": "judge", "rubric": plan.rubric.name, "rubric_digest": plan.rubric.digest,
            "judges": [j.facts["spec"] for j in found], "judgements": [j.id for j in found], "draws": plan.draws,
            "weighted": [bool(j.facts["manner"]["weighted"]) for j in found],
        }  # fmt: skip
        add_figures(RunFolder(plan.run.path), plan.rubric.prefix, source, answers, values)
    warnings = [*_general(plan, found), *_controls(plan, results), *_draws(plan, agreement)]
    return Report(plan.run.record.id, plan.rubric.name, found, plan.rubric.best(), results, agreement, {}, warnings)


def _general(plan: Plan, found: Sequence[Judgement]) -> Iterator[str]:
    for j in found:
        for why in j.kin:
            yield f"{j.judge} on {why}; a judge favours its kin, so add one of another family."
        yield from j.notes
        if cut := sum(bool(reply.get("cut")) for reply in j.replies.values()):
            prompts = f"{cut} prompt{'s' * (cut != 1)} did not fit its context and lost the beginning"
            yield f"{j.judge}: {prompts}, where the rubric stands. Take a judge with more room."
        if j.problems():
            listed = ", ".join(f"{count} {problem}" for problem, count in j.problems().items())
            yield f"{j.judge}: verdicts that cannot be read, left out of every mean: {listed}."
        if (waiting := j.counts()["waiting"]) and j.stopped:
            were = "1 question was" if waiting == 1 else f"{waiting} questions were"
            yield f"{j.judge}: {were} not asked: {j.stopped}. The same command goes on with what is left."
        if j.failed:
            example = next(iter(j.failed.values()))
            yield f"{j.judge}: {len(j.failed)} calls failed, e.g. {example}. The same command retries them."
    if plan.run.record.status != "complete":
        yield f"run {plan.run.record.id} is {plan.run.record.status}: only its answered samples are judged."


def _controls(plan: Plan, results: Mapping[str, Mapping[str, Estimate]]) -> Iterator[str]:
    best = plan.rubric.best()
    for name, e in results.get(REFERENCE, {}).items():
        if e.value < NEAR_TOP * best[name]:
            yield f"control: the reference answers reach only {e.value:.2f} of {best[name]:g} in {name}."
    for name, e in results.get(MISMATCH, {}).items():
        if e.value > NEAR_BOTTOM * best[name] and not name.endswith("_coherence"):
            yield f"control: answers to other questions still reach {e.value:.2f} of {best[name]:g} in {name}."


def _draws(plan: Plan, agreement: Mapping[str, Agreement]) -> Iterator[str]:
    if plan.draws > 1 and plan.temperature > 0 and agreement and all(a.identical == 1 for a in agreement.values()):
        yield "all draws are identical: the judge seems to ignore the temperature, so they say nothing of reliability."


def _position(judge: str, pair: PairReport) -> Iterator[str]:
    if pair.position_p is not None and pair.position_p < 0.05:
        place = "first" if pair.flips_first > pair.flips_second else "second"
        yield f"{judge} prefers the answer shown {place} (exact McNemar p {pair.position_p:.3f}); both orders count."
