"""Scoring again what a run has written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from benchctl import additions, records, runner
from benchctl.creation import create_metrics, create_task
from benchctl.errors import RecordError
from benchctl.manifest import signatures
from benchctl.metric import Scored
from benchctl.plugins import get_plugins
from benchctl.scoring import get_scoring
from benchctl.task import Task
from benchctl.types import RunRecord


def rescored(stored: records.StoredRun, extra: Sequence[str] = ()) -> RunRecord:
    """Read the raw answers of a run again and replace its scores and estimates; what a judge added stays.

    Args:
        extra: specs of metrics to add to those the run has.

    Raises:
        RecordError: the run has no answers.
        UnknownName: the plugin of its task is no longer there.
    """
    plugins = get_plugins()
    spec = stored.record.spec
    task = create_task(plugins, spec.task)
    if not isinstance(task, Task):
        raise RecordError(f"{spec.task} is a group.", "Rescore its members.")
    scoring = get_scoring(task, spec.scoring, spec.max_tokens)
    metrics = create_metrics(plugins, task, [*stored.record.metrics, *extra])
    folder = records.RunFolder(stored.path)
    with folder.lock():
        scored = []
        for line in folder.answers():
            sample, responses = records.entry_sample(line), records.entry_responses(line)
            scored.append(Scored(sample, responses, scoring.read(sample, responses)))
        if not scored:
            raise RecordError(f"{stored.path} has no answers to score.", "Run it first.")
        places = {score.id: i for i, score in enumerate(folder.scores())}
        scored.sort(key=lambda one: places.get(one.sample.id, len(places)))
        outcomes = dict(sorted(Counter(one.answer.outcome for one in scored).items()))
        record = replace(
            stored.record,
            estimates={**runner.estimate(metrics, scored), **additions.added_estimates(stored.record)},
            metrics=signatures(metrics),
            counts={**stored.record.counts, "outcomes": outcomes},
        )
        folder.save(record, additions.with_added_values(record, folder.scores(), runner.score(metrics, scored)))
    return record
