"""Putting questions to a judge: all at once, each reply on disk as it comes, one more try where it is unreadable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchctl import manifest
from benchctl.errors import BadConfig
from benchctl.fingerprints import digest
from benchctl.journal import Journal
from benchctl.model import Model, check_response
from benchctl.types import Choose, Generate, Response, Sample

from .prompt import repair_prompt
from .rubric import Criterion, Rubric
from .verdict import Reader, Verdict, weighted

ATTEMPTS = 2
"""A reply that cannot be read gets one more try, never more: a judge that cannot keep the form is a finding."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing asked of a judge."""

    subject: str
    """What is judged: ``answer``, a control (``reference``, ``mismatch``), or an order of two (``ab``, ``ba``)."""
    draw: int
    sample: Sample
    request: Generate | Choose
    criterion: Criterion | None = None
    """The one asked about, when its points are read from probabilities; None for all at once, as JSON."""

    @property
    def key(self) -> str:
        """Names the verdict in the journal; the prompt's hash beside it keeps it from standing for another question."""
        return "/".join(
            [self.subject, str(self.draw), self.criterion.name if self.criterion else "all", self.sample.id]
        )

    @property
    def owner(self) -> Sample:
        """What the judge's backend is told the question is about: a choice of points has these as its options."""
        if not isinstance(self.request, Choose):
            return self.sample
        return replace(self.sample, choices={choice.strip(): choice.strip() for choice in self.request.choices})

    @property
    def prompt_hash(self) -> str:
        """sha256 of the whole request."""
        return digest(self.request)


def owed_another_try(question: Question, reply: Mapping[str, Any], attempt: int = ATTEMPTS) -> bool:
    """Whether a reply that could not be read has not had its further try: one of probabilities never gets any."""
    return question.criterion is None and bool(reply["problem"]) and reply["attempt"] < attempt


@dataclass(slots=True)
class Purse:
    """What the judge has cost so far, in the currency of the price table, and how much this sitting may."""

    limit: float | None = None
    """Kept by the model where it can (``Model.keeps_cost``): only it knows of the calls under way, which are paid."""
    cost: float = 0.0
    """In all sittings."""
    spent: float = 0.0
    """In this one."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    replies: int = 0
    priced: bool = True
    """Whether every reply came with a price."""

    def add(self, usage: Mapping[str, Any] | None) -> None:
        """Count one reply of this sitting.

        Raises:
            BadConfig: there is a limit and the reply has no price, so that the limit could not be kept.
        """
        self.recall(usage)
        self.spent += float((usage or {}).get("cost") or 0.0)
        if self.limit is not None and (usage or {}).get("cost") is None:
            raise BadConfig(
                "--max-cost cannot be kept: the judge's replies have no price.",
                "Put its prices into [prices] in benchctl.toml (a server that tells no tokens has none); "
                "what was judged is kept.",
            )

    def used_up(self) -> str:
        """Why nothing more may be asked in this sitting; empty where it may."""
        if self.limit is None or self.spent < self.limit:
            return ""
        return f"stopped at the cost allowed: {self.spent:.4f} of {self.limit:g} spent"

    def recall(self, usage: Mapping[str, Any] | None) -> None:
        """Count one reply of an earlier sitting."""
        usage = usage or {}
        self.replies += 1
        self.prompt_tokens += int(usage.get("prompt_tokens", 0))
        self.completion_tokens += int(usage.get("completion_tokens", 0))
        self.priced = self.priced and usage.get("cost") is not None
        self.cost += float(usage.get("cost") or 0.0)


@dataclass(slots=True)
class Bench:
    """One judge at work on one rubric: what it has said, what it failed to say."""

    rubric: Rubric
    model: Model
    journal: Journal
    purse: Purse
    moved: Callable[[int, int], None] = lambda done, total: None
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Question's key -> its last line in the journal."""
    failed: dict[str, str] = field(default_factory=dict)
    """Question's key -> why the call failed for good in this sitting."""
    stopped: str = ""
    """Why not all was asked in this sitting; empty where all was."""
    owners: Sequence[Sample] = ()
    """Of all the questions asked: what the model is told that both rounds are about."""

    def recall(self, questions: Sequence[Question]) -> None:
        """Take up what the journal holds of these questions; lines of others stay where they are."""
        hashes = {q.key: q.prompt_hash for q in questions}
        for line in self.journal.entries():
            self.purse.recall(line.get("usage"))
            if hashes.get(str(line["key"])) == line["prompt"]:
                self.replies[str(line["key"])] = dict(line)

    def ask(self, questions: Sequence[Question]) -> None:
        """Ask all that has no verdict yet, then once more what could not be read."""
        reader = Reader(self.rubric)
        self.recall(questions)
        self.owners = [q.owner for q in questions]
        settled = self._settled(questions)
        self.moved(settled, len(questions))
        for attempt in range(1, ATTEMPTS + 1):
            due = [q for q in questions if self._due(q, attempt)]
            requests = [self._request(q, attempt, reader) for q in due]
            for question, response in self._answered(due, requests):
                if response.error is not None:
                    if response.asked:
                        self.failed[question.key] = response.error
                    else:
                        self.stopped = self.stopped or response.error
                    continue
                self._keep(question, attempt, response, reader)
                settled += not self._due(question, ATTEMPTS)
                self.moved(settled, len(questions))
                if not self.model.keeps_cost and settled < len(questions) and (why := self.purse.used_up()):
                    self.stopped = why
                    return

    def served_by(self) -> dict[str, Any]:
        """What the judge's server said it was, in all sittings."""
        return manifest.served_by(reply.get("backend") or {} for reply in self.replies.values())

    def _settled(self, questions: Iterable[Question]) -> int:
        return sum(q.key in self.replies and not self._due(q, ATTEMPTS) for q in questions)

    def _due(self, question: Question, attempt: int) -> bool:
        """Whether a question is to be asked in this round."""
        reply = self.replies.get(question.key)
        return reply is None if attempt == 1 else reply is not None and owed_another_try(question, reply, attempt)

    def _request(self, question: Question, attempt: int, reader: Reader) -> Generate | Choose:
        request = question.request
        if attempt == 1 or isinstance(request, Choose):
            return request
        reply = self.replies[question.key]
        problem = reader.explained(Verdict(problem=reply["problem"], detail=reply["detail"]))
        return replace(request, prompt=repair_prompt(self.rubric, request.prompt, str(reply["text"]), problem))

    def _answered(
        self, questions: Sequence[Question], requests: Sequence[Generate | Choose]
    ) -> Iterator[tuple[Question, Response]]:
        """The judge's replies as they come."""
        if not questions:
            return
        self.model.meet(self.owners, [q.owner for q in questions])
        seen: set[int] = set()
        for index, answered in self._stream(requests):
            yield questions[index], check_response(index, answered, requests, seen, self.model)
        for index in set(range(len(questions))) - seen:
            yield questions[index], Response(error="the judge gave no answer")

    def _stream(self, requests: Sequence[Generate | Choose]) -> Iterator[tuple[int, Response]]:
        chosen = [r for r in requests if isinstance(r, Choose)]
        written = [r for r in requests if isinstance(r, Generate)]
        return self.model.choose(chosen) if chosen else self.model.generate(written)

    def _keep(self, question: Question, attempt: int, response: Response, reader: Reader) -> None:
        """Write one reply down, and what it amounts to."""
        shares: dict[str, float] = {}
        if question.criterion is not None:
            verdict, shares = weighted(question.criterion, response)
        else:
            verdict = reader.read(response)
        line = {
            "key": question.key, "subject": question.subject, "draw": question.draw, "id": question.sample.id,
            "prompt": question.prompt_hash, "attempt": attempt, "points": dict(verdict.points),
            "reason": verdict.reason, "problem": verdict.problem, "detail": verdict.detail, "text": response.text,
            "probabilities": shares,
            "finish_reason": response.finish_reason, "usage": asdict(response.usage) if response.usage else None,
            "cut": response.cut, "seconds": response.seconds, "backend": dict(response.detail),
        }  # fmt: skip
        self.journal.append(line)
        self.replies[question.key] = line
        self.purse.add(asdict(response.usage) if response.usage else None)
