"""The straight line: samples -> requests -> model -> journal -> scores -> estimates -> run.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from benchctl import fingerprints, manifest, records, repeats, written
from benchctl.errors import DEFECT, BadConfig, PluginError, blamed
from benchctl.journal import Journal
from benchctl.metric import Metric, Scored
from benchctl.model import Model, check_response, told_fingerprint
from benchctl.scoring import Scoring
from benchctl.subsets import select
from benchctl.task import Task, TaskData
from benchctl.types import Estimate, Request, Response, RunRecord, RunSpec, Sample, Score


@dataclass(frozen=True, slots=True)
class Job:
    """Everything one run needs, loaded and checked before the model is asked anything."""

    spec: RunSpec
    task: Task
    data: TaskData
    scoring: Scoring
    metrics: Sequence[Metric]
    model: Model
    samples: Sequence[Sample]
    requests: Mapping[str, tuple[Request, ...]]
    """Sample id -> what the model is asked about it."""
    prints: Mapping[str, str]
    """The fingerprints of data, model and prompt."""


_UNWRITABLE = "What a plugin keeps beside a sample or an answer is text, numbers, lists and objects of those."

Progress = Callable[[int, int], None]
"""Called with samples answered and samples in all."""


def prepare(
    spec: RunSpec, task: Task, scoring: Scoring, metrics: Sequence[Metric], model: Model, data: TaskData
) -> Job:
    """Turn a spec into a job.

    Raises:
        BadConfig: the model cannot answer the kind of request the scoring asks, or not several times.
        BadData: too few examples for the shots wanted.
    """
    if scoring.kind not in model.capabilities:
        can = ", ".join(sorted(model.capabilities)) or "nothing"
        raise BadConfig(
            f"{model.name} cannot '{scoring.kind}', which scoring '{scoring.name}' needs.",
            f"It can {can}. Choose another --scoring or another model.",
        )
    questions = select(data.samples, spec)
    requests = scoring.ask(spec, task, data.samples, model.prompt_style == "chat")
    repeats.check(spec, scoring, model, requests)
    samples, requests = repeats.repeated(spec, questions, requests)
    prints = {
        "data": fingerprints.digest_all(_content(question) for question in questions),
        "model": told_fingerprint(model),
        "prompt": fingerprints.digest_all([task.version, scoring.name, scoring.version, *requests.values()]),
    }
    return Job(spec, task, data, scoring, metrics, model, samples, requests, prints)


def run(job: Job, out: Path, progress: Progress = lambda done, total: None) -> tuple[RunRecord, records.RunFolder]:
    """Run a job, or what is left of it, and write it down. A finished run is only read."""
    folder = records.run_place(out, job.spec, job.prints)
    identity = folder.path.name
    with folder.lock():
        earlier = folder.record()
        if earlier is not None and earlier.status == "complete" and not folder.lacks_answers(earlier):
            return earlier, folder
        watch = manifest.Stopwatch(earlier)
        begun = earlier or manifest.build(job, identity, "running", (), {}, {}, watch)
        folder.save_record(replace(begun, status="running", timings=watch.timings()))  # killed ones are listed too
        errors: dict[str, str] = {}
        interrupted = False
        with nullcontext() if earlier else folder.forgotten_if_refused(), folder.journal() as journal:
            done = {str(line["id"]): records.entry_responses(line) for line in journal.entries()}
            waiting = [sample for sample in job.samples if sample.id not in done]
            progress(len(done), len(job.samples))
            try:
                for sample, responses in ask(job, waiting):
                    failed = next((r.error for r in responses if r.error), None)
                    if failed is None:
                        _write_down(journal, job, sample, responses)
                        done[sample.id] = responses
                    else:
                        errors[sample.id] = failed
                    progress(len(done), len(job.samples))
            except KeyboardInterrupt:
                interrupted = True
        scored = read_answers(job.scoring, job.samples, done)
        status = "interrupted" if interrupted else "complete" if len(done) == len(job.samples) else "incomplete"
        record = manifest.build(job, identity, status, scored, estimate(job.metrics, scored), errors, watch)
        record = written.kept(record, earlier)
        folder.save(record, score(job.metrics, scored))
    return record, folder


def _write_down(journal: Journal, job: Job, sample: Sample, responses: Sequence[Response]) -> None:
    with blamed(f"The answer to '{sample.id}' cannot be written down", _UNWRITABLE):
        journal.append(records.entry(sample, fingerprints.digest(job.requests[sample.id]), responses))


def ask(job: Job, samples: Sequence[Sample]) -> Iterator[tuple[Sample, tuple[Response, ...]]]:
    """Put the samples to the model and yield each with its responses as soon as the last of them is there."""
    owners = [(sample, place) for sample in samples for place in range(len(job.requests[sample.id]))]
    requests = list(chain.from_iterable(job.requests[sample.id] for sample in samples))
    parts: dict[str, dict[int, Response]] = {sample.id: {} for sample in samples}
    seen: set[int] = set()
    job.model.meet(job.samples, [sample for sample, _ in owners])  # also for none: what it counts is of this run
    if not requests:
        return
    for pair in _answers(job, requests):
        if not (isinstance(pair, tuple) and len(pair) == 2):
            said = f"The model {job.model.name!r} yielded a {type(pair).__name__} instead of (index, Response)."
            raise PluginError(said, DEFECT)
        index, answered = pair
        response = check_response(index, answered, requests, seen, job.model)
        sample, place = owners[index]
        parts[sample.id][place] = response
        if len(parts[sample.id]) == len(job.requests[sample.id]):
            found = parts.pop(sample.id)
            yield sample, tuple(found[i] for i in range(len(found)))
    for identity in parts:
        sample = next(s for s in samples if s.id == identity)
        yield sample, (Response(error="the model gave no answer"),)


def _answers(job: Job, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
    with blamed(f"Model {job.model.name} failed", "The answers so far are kept: the same command goes on there."):
        yield from getattr(job.model, job.scoring.kind)(requests)


def read_answers(scoring: Scoring, samples: Sequence[Sample], done: Mapping[str, tuple[Response, ...]]) -> list[Scored]:
    """The answered samples, in the task's order, as the scoring reads them."""
    answered = [(sample, done[sample.id]) for sample in samples if sample.id in done]
    return [Scored(sample, responses, scoring.read(sample, responses)) for sample, responses in answered]


def estimate(metrics: Sequence[Metric], scored: Sequence[Scored]) -> dict[str, Estimate]:
    """Every metric that applies, over the answered samples."""
    if not scored:
        return {}
    found: dict[str, Estimate] = {}
    for metric in metrics:
        with _blamed(metric):
            found |= {name: _in_own_numbers(metric, one) for name, one in metric.estimates(scored).items()}
    return found


def _in_own_numbers(metric: Metric, found: object) -> Estimate:
    """An estimate with Python's numbers; a metric may have computed it with a library whose scalars no JSON holds.

    Raises:
        PluginError: it is no estimate.
    """
    if not isinstance(found, Estimate):
        said = f"The metric {metric.name} gave a {type(found).__name__} instead of an Estimate."
        raise PluginError(said, "benchctl.statistics and benchctl.bootstrap make estimates.")
    stderr, low, high = (None if part is None else float(part) for part in (found.stderr, found.low, found.high))
    return replace(found, value=float(found.value), n=int(found.n), stderr=stderr, low=low, high=high)


def score(metrics: Sequence[Metric], scored: Sequence[Scored]) -> Iterator[Score]:
    """One score per answered sample."""
    for one in scored:
        values: dict[str, float] = {}
        for metric in metrics:
            with _blamed(metric):
                values |= {n: v if type(v) in (int, float) else float(v) for n, v in metric.values(one).items()}
        yield Score(
            one.sample.id, values, one.answer.label, one.answer.outcome, one.answer.explanation, one.sample.cluster
        )


def _blamed(metric: Metric) -> AbstractContextManager[None]:
    return blamed(
        f"Metric {metric.name} failed", "The answers are kept: mend the metric's plugin and run the same command."
    )


def _content(sample: Sample) -> dict[str, Any]:
    """What of a sample fixes the result, whatever the file format it came in."""
    asked = {"id": sample.id, "question": sample.question, "context": sample.context}
    return {**asked, "choices": list(sample.choices.items()), "target": sample.target}
