"""``benchctl judge`` without the command line: each judge in its folder, then the figures of all of them together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchctl import manifest
from benchctl.config import load_config
from benchctl.creation import create_model
from benchctl.errors import BadConfig
from benchctl.fingerprints import digest, digest_all
from benchctl.journal import Journal
from benchctl.model import Model
from benchctl.plugins import get_plugins
from benchctl.records import StoredRun, locked, replace_file
from benchctl.types import Estimate

from .asking import ATTEMPTS, Bench, Purse, Question, owed_another_try
from .kinship import Identity, kinship
from .prompt import points_text, schema
from .questions import ANSWER, Answered, Manner, about_answers, about_pairs
from .results import Table, estimates, sample_values, tabulate
from .rubric import Rubric

FOLDER = "judgements"
"""In the run's folder: one folder per judge, rubric and way of asking, with verdicts.jsonl and judge.json."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line, the judges apart."""

    run: StoredRun
    answers: Sequence[Answered]
    rubric: Rubric
    draws: int = 1
    temperature: float = 0.0
    max_tokens: int = 512
    weighted: bool | None = None
    """None: as the rubric says, where the judge can."""
    controls: Sequence[str] = ()
    rival: StoredRun | None = None
    """The run it is compared with, for a pair rubric."""
    rival_answers: Sequence[Answered] = ()
    max_cost: float | None = None

    @property
    def contestants(self) -> list[StoredRun]:
        """The runs whose answers are judged."""
        return [self.run, *([self.rival] if self.rival else [])]


@dataclass(slots=True)
class Judgement:
    """What one judge said."""

    judge: str
    """Its spec."""
    id: str
    path: Path
    facts: Mapping[str, Any]
    """What judge.json says of the judge and of how it was asked."""
    questions: Sequence[Question]
    replies: Mapping[str, Mapping[str, Any]]
    failed: Mapping[str, str]
    purse: Purse
    kin: Sequence[str]
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    stopped: str = ""
    """Why not all was asked; empty where all was, or where it was interrupted."""

    def counts(self) -> dict[str, int]:
        """``asked``, ``read``, ``mended`` (read at the second try only), ``unreadable``, ``failed``, ``waiting`` (not
        asked, or not a second time)."""
        given = [self.replies[q.key] for q in self.questions if q.key in self.replies]
        read = [reply for reply in given if not reply["problem"]]
        failed = [q for q in self.questions if q.key in self.failed]
        unreadable = self._unreadable()
        return {
            "asked": len(self.questions),
            "read": len(read),
            "mended": sum(reply["attempt"] == ATTEMPTS for reply in read),
            "unreadable": len(unreadable),
            "failed": len(failed),
            "waiting": len(self.questions) - len(read) - len(unreadable) - len(failed),
        }

    def status(self) -> str:
        """``complete`` when every verdict could be read; else ``interrupted`` or ``incomplete``."""
        if self.interrupted:
            return "interrupted"
        counts = self.counts()
        return "complete" if counts["read"] == counts["asked"] else "incomplete"

    def problems(self) -> dict[str, int]:
        """Kind of problem -> how many verdicts are missing for it."""
        return dict(sorted(Counter(str(reply["problem"]) for reply in self._unreadable()).items()))

    def _unreadable(self) -> list[Mapping[str, Any]]:
        """Replies that are no verdict, each after its last try."""
        given = [(q, self.replies[q.key]) for q in self.questions if q.key in self.replies and q.key not in self.failed]
        return [reply for q, reply in given if reply["problem"] and not owed_another_try(q, reply)]

    def table(self, subject: str, place: int = 0) -> Table:
        """Its readable verdicts on one subject."""
        return tabulate(subject, place, self.questions, self.replies)


Mover = Callable[[int, int], None]


def judge_run(plan: Plan, spec: str, moved: Mover) -> Judgement:
    """Ask one judge everything the plan says, or what is left of it, and write it down.

    Raises:
        BadConfig: the judge cannot do what is asked of it.
        RecordError: the same judgement is under way elsewhere.
    """
    model = create_model(get_plugins(), spec)
    try:
        manner, notes = choose_manner(plan, model)
        questions = make_questions(plan, manner)
        fingerprint = model.fingerprint()
        identity = _identity(plan, manner, fingerprint)
        folder = plan.run.path / FOLDER / identity
        kin = _kin(plan, spec, fingerprint, model)
        with locked(folder), Journal(folder / "verdicts.jsonl") as journal:
            model.max_cost = plan.max_cost if plan.max_cost is not None else model.max_cost
            bench = Bench(plan.rubric, model, journal, Purse(plan.max_cost), moved)
            facts = {"spec": model.spec or spec, "fingerprint": fingerprint, "manner": asdict(manner)}
            found = Judgement(spec, identity, folder, facts, questions, bench.replies, bench.failed, bench.purse, kin)
            found.notes += notes
            if not manner.weighted:
                model.expect_json(schema(plan.rubric))
            try:
                bench.ask(questions)
            except KeyboardInterrupt:
                found.interrupted = True
            finally:
                found.stopped = bench.stopped
                found.facts = {**facts, "name": model.name, "model": {**model.manifest(), **bench.served_by()}}
                write_manifest(plan, found)
        return found
    finally:
        model.close()


def choose_manner(plan: Plan, model: Model) -> tuple[Manner, list[str]]:
    """How this judge is asked, with notes on what could not be had.

    Raises:
        BadConfig: probabilities are wanted and the judge has none, or it cannot write.
    """
    can_choose = "choose" in model.capabilities
    weighted = plan.weighted if plan.weighted is not None else plan.rubric.weighted and can_choose and plan.draws == 1
    if weighted and not can_choose:
        raise BadConfig(f"{model.name} gives no probabilities.", "Leave out --weighted; --draws N averages instead.")
    if weighted and plan.draws > 1:
        raise BadConfig("Probabilities are the same at every draw.", "Leave out --draws or --weighted.")
    if weighted and any(_ambiguous([points_text(p) for p in c.scale]) for c in plan.rubric.criteria):
        raise BadConfig(
            f"Rubric '{plan.rubric.name}' has points that begin alike, such as 0 and 0.5.", "Leave out --weighted."
        )
    if not weighted and "generate" not in model.capabilities:
        raise BadConfig(f"{model.name} cannot write a verdict.", "Take another judge, or --weighted.")
    notes = []
    if plan.rubric.weighted and not weighted and plan.weighted is None and plan.draws == 1:
        notes.append(f"{model.name} gives no probabilities: whole points instead of weighted ones.")
    chat = model.prompt_style == "chat"
    return Manner(chat, bool(weighted), plan.draws, plan.temperature, plan.max_tokens), notes


def _ambiguous(numbers: Sequence[str]) -> bool:
    """Whether the probability of one number holds that of another."""
    return any(one != other and other.startswith(one) for one in numbers for other in numbers)


def make_questions(plan: Plan, manner: Manner) -> list[Question]:
    """Everything to ask."""
    if plan.rubric.kind == "pair":
        return about_pairs(plan.rubric, plan.answers, plan.rival_answers, manner)
    return about_answers(plan.rubric, plan.answers, manner, plan.controls)


def figures(plan: Plan, table: Table) -> tuple[dict[str, Estimate], dict[str, dict[str, float]]]:
    """The estimates of one subject, and the values per sample they rest on."""
    values = sample_values(plan.rubric, table)
    samples = {a.sample.id: a.sample for a in plan.answers}
    return estimates(plan.rubric, values, samples), values


def write_manifest(plan: Plan, found: Judgement) -> None:
    """judge.json: who judged, how it was asked, what it cost and what came of it."""
    subjects = dict.fromkeys(q.subject for q in found.questions)
    is_pair = plan.rubric.kind == "pair"
    results = (
        {} if is_pair else {s: {n: asdict(e) for n, e in figures(plan, found.table(s))[0].items()} for s in subjects}
    )
    content = {
        "format": 1, "id": found.id, "status": found.status(), "runs": [run.record.id for run in plan.contestants],
        "rubric": {"digest": plan.rubric.digest, **plan.rubric.model_dump(mode="json")},
        "judge": found.facts, "prompts": digest_all(q.prompt_hash for q in found.questions),
        "kin": list(found.kin), "counts": found.counts(), "problems": found.problems(),
        "failed": dict(list(found.failed.items())[:20]), "usage": usage(found.purse), "results": results,
        "versions": manifest.versions(), "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    replace_file(found.path / "judge.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def usage(purse: Purse) -> dict[str, Any]:
    """Tokens, and the cost where every reply had a price."""
    cost = round(purse.cost, 6) if purse.priced and purse.replies else None
    return {"prompt_tokens": purse.prompt_tokens, "completion_tokens": purse.completion_tokens, "cost": cost}


def answer_tables(found: Sequence[Judgement]) -> Iterator[Table]:
    """Each judge's verdicts on the contestant's answers, with its place as part of the rater."""
    for place, judgement in enumerate(found):
        yield judgement.table(ANSWER, place)


def _identity(plan: Plan, manner: Manner, fingerprint: str) -> str:
    """Names the folder: all that fixes a verdict, but neither draws nor controls, which add to what is there."""
    fixed = {k: v for k, v in asdict(manner).items() if k != "draws"}
    rival = plan.rival.record.id if plan.rival else None
    return digest([plan.rubric.digest, fingerprint, fixed, rival])[:12]


def _kin(plan: Plan, spec: str, fingerprint: str, model: Model) -> list[str]:
    resolve = load_config().model_spec
    judge = Identity.of(resolve(spec), fingerprint, {"name": model.name})
    found = []
    for run in plan.contestants:
        record = run.record
        why = kinship(judge, Identity.of(resolve(record.spec.model), record.fingerprints["model"], record.model))
        if why:
            found.append(f"{record.spec.model}: {why}")
    return found
