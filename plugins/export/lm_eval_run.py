"""A run in lm-eval's layout: ``MODEL/results_DATE.json`` and ``MODEL/samples_TASK_DATE.jsonl``.

The keys are those of lm-eval 0.4.13 (``result_schema.py`` and ``loggers/evaluation_tracker.py`` there). lm-eval itself
is not needed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from benchctl import fingerprints
from benchctl.errors import BenchctlError, RecordError
from benchctl.metric import Scored
from benchctl.model import parse_spec
from benchctl.recorded import recorded_task
from benchctl.records import RunFolder, StoredRun, entry_responses, entry_sample, replace_file, slug
from benchctl.repeats import repeated
from benchctl.scoring import get_scoring
from benchctl.subsets import select
from benchctl.task import Task
from benchctl.types import Answer, Choose, Generate, Perplexity, Prompt, Request, Response, RunRecord, Score

from ..models.openai_api.settings import SERVERS_OWN
from ..tasks.lm_eval_bridge import LmEvalTask
from ..tasks.lm_eval_metric import LmEvalMetric

NAMES = {"accuracy": "acc", "accuracy_per_byte": "acc_bytes"}
"""benchctl's metric -> lm-eval's, where it is the same figure; others keep their name."""


def write(run: StoredRun, out: Path) -> list[Path]:
    """Write both files; the folder between is the model's name, as lm-eval has it.

    Raises:
        RecordError: the run has no answers, or none that was scored.
    """
    samples = list(_samples(run))
    if not samples:
        raise RecordError(f"{run.path} has no answers to export.", "Run it first.")
    # Times are kept in seconds, and small runs end within one: the fraction, by the run's id, tells their files apart.
    finished = datetime.fromisoformat(str(run.record.timings["finished"]))
    fraction = int(run.record.id, 16) % 1_000_000
    date = finished.replace(tzinfo=None, microsecond=fraction).isoformat(timespec="microseconds").replace(":", "-")
    folder = out / _safe(str(run.record.model["name"]))
    results = folder / f"results_{date}.json"
    lines = folder / f"samples_{slug(_task(run.record))}_{date}.jsonl"
    replace_file(results, json.dumps(_results(run.record, samples), ensure_ascii=False, indent=2) + "\n")
    replace_file(lines, "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples))
    return [results, lines]


def _results(record: RunRecord, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What ``simple_evaluate`` and the tracker put together."""
    task, spec, model = _task(record), record.spec, record.model
    metrics: dict[str, Any] = {"name": task, "alias": record.task["title"], "sample_len": record.counts["answered"]}
    for name, estimate in record.estimates.items():
        metric, kept = _metric(name)
        metrics[f"{metric},{kept}"] = estimate.value
        metrics[f"{metric}_stderr,{kept}"] = "N/A" if estimate.stderr is None else estimate.stderr
    config = {"task": task, "dataset_path": record.data["source"], "num_fewshot": spec.shots}
    asked = {s["doc"].get("repeat_of", s["doc"]["id"]) for s in samples}
    hashes = "".join(s["doc_hash"] + s["prompt_hash"] + s["target_hash"] for s in samples)
    source, arguments = parse_spec(spec.model)
    return {
        "results": {task: metrics},
        "group_subtasks": {},
        "configs": {task: {**config, "metadata": {"version": record.task["version"], "benchctl": asdict(spec)}}},
        "versions": {task: record.task["version"]},
        "n-shot": {task: spec.shots},
        "higher_is_better": {task: {_metric(n)[0]: e.higher_is_better for n, e in record.estimates.items()}},
        "n-samples": {task: {"original": record.data["total"], "effective": len(asked)}},
        "config": {
            "model": source,
            "model_args": ",".join([arguments.target, *(f"{k}={v}" for k, v in arguments.options.items())]).strip(","),
            "model_num_parameters": model.get("parameters"),
            "model_dtype": model.get("dtype"),
            "model_revision": model.get("revision"),
            "model_sha": model.get("weights_hash"),
            "batch_size": None,
            "batch_sizes": [],
            "device": model.get("device"),
            "limit": spec.limit,
            "bootstrap_iters": 0,
            "random_seed": spec.seed,
            "fewshot_seed": spec.seed,
        },
        "date": datetime.fromisoformat(str(record.timings["started"])).timestamp(),
        "pretty_env_info": "\n".join(f"{k}: {v}" for k, v in {**record.versions, **record.hardware}.items()),
        "transformers_version": record.versions.get("transformers"),
        "lm_eval_version": f"written by benchctl {record.versions.get('benchctl')}",
        "max_length": model.get("max_length"),
        "task_hashes": {task: _sha(hashes)},
        "model_source": source,
        "model_name": model["name"],
        "model_name_sanitized": _safe(str(model["name"])),
        "system_instruction": None,
        "system_instruction_sha": None,
        "fewshot_as_multiturn": model["prompt_style"] == "chat",
        "chat_template": None,
        "chat_template_sha": model.get("chat_template"),
        "total_evaluation_time_seconds": str(record.timings["seconds"]),
    }


class _Rebuilt(NamedTuple):
    """What a run keeps only a hash of, or not at all."""

    requests: Mapping[str, tuple[Request, ...]]
    """Sample id -> what was asked. Empty where the data or the plugin is gone."""
    bridged: LmEvalMetric | None = None
    """Of a task of lm-eval, what knows its repeats and filters."""


class _Replies(NamedTuple):
    """The answers to one sample as lm-eval has them; everything as text, so that every line has the same columns."""

    arguments: Sequence[tuple[Any, ...]]
    resps: Sequence[Sequence[Any]]
    """Per instance, a reply per repeat."""
    filtered: Mapping[str, Sequence[Any]]
    """Filter -> what it left of each instance."""


def _task(record: RunRecord) -> str:
    """Its name; of a task that came from lm-eval the one it has there, by which files are laid side by side."""
    return str(record.task["title"]) if record.spec.task.startswith("lm-eval:") else record.spec.task


def _samples(run: StoredRun) -> Iterator[dict[str, Any]]:
    """One object per answered sample and filter, in the task's order."""
    folder = RunFolder(run.path)
    lines = {str(line["id"]): line for line in folder.answers()}
    rebuilt = _rebuilt(run)
    lost = 0
    for place, score in enumerate(folder.settled_scores()):
        line = lines[score.id]
        requests = rebuilt.requests.get(score.id, ())
        if fingerprints.digest(requests) != line["prompt"]:
            lost += 1
            requests = ()
        yield from _sample(place, line, _replied(line, requests, rebuilt.bridged, run.record.model), score)
    if lost:
        click.echo(f"note: {lost} prompts cannot be built again as they were: their 'arguments' are empty.", err=True)


def _rebuilt(run: StoredRun) -> _Rebuilt:
    spec = run.record.spec
    try:
        task = recorded_task(run)
        if not isinstance(task, Task):
            return _Rebuilt({})
        samples = task.load(spec.data, skip_bad_rows=spec.skip_bad_rows).samples
        scoring = get_scoring(task, spec.scoring, spec.max_tokens)
        requests = scoring.ask(spec, task, samples, run.record.model["prompt_style"] == "chat")
        _, requests = repeated(spec, select(samples, spec), requests)
        return _Rebuilt(requests, LmEvalMetric(task) if isinstance(task, LmEvalTask) else None)
    except BenchctlError as error:
        click.echo(f"note: the prompts cannot be built again: {error.message}", err=True)
        return _Rebuilt({})


def _replied(
    line: Mapping[str, Any], requests: Sequence[Request], bridged: LmEvalMetric | None, model: Mapping[str, Any]
) -> _Replies:
    arguments = [argument for request in requests for argument in _arguments(request, model)]
    responses = entry_responses(line)
    if bridged is None or not requests:
        replies = [reply for response in responses for reply in _replies(response)]
        return _Replies(arguments, [[reply] for reply in replies], {"none": replies})
    instances = bridged.instances(Scored(entry_sample(line), responses, Answer(None, "text")))
    filtered = {name: [_written(i.filtered_resps[name]) for i in instances] for name in instances[0].filtered_resps}
    repeats = max(1, len(arguments) // len(instances))  # a request each, of one instance
    return _Replies(arguments[::repeats], [_written(i.resps) for i in instances], filtered)


def _sample(place: int, line: Mapping[str, Any], replied: _Replies, score: Score) -> Iterator[dict[str, Any]]:
    doc, sample = dict(line["sample"]), entry_sample(line)
    labels = list(sample.choices)
    target = str(labels.index(sample.target)) if sample.target in labels else sample.target
    arguments = {f"gen_args_{i}": {f"arg_{j}": a for j, a in enumerate(x)} for i, x in enumerate(replied.arguments)}
    first = str(replied.arguments[0][0]) if replied.arguments else ""
    by_filter: dict[str, dict[str, float]] = {}
    for name, value in score.values.items():
        metric, kept = _metric(name)
        by_filter.setdefault(kept, {})[metric] = value
    for kept in by_filter or replied.filtered:
        values = by_filter.get(kept, {})
        yield {
            "doc_id": place,
            "doc": doc,
            "target": target,
            "arguments": arguments,
            "resps": replied.resps,
            "filtered_resps": replied.filtered.get(kept, []),
            "filter": kept,
            "metrics": list(values),
            "doc_hash": _sha(json.dumps(doc, indent=2, ensure_ascii=False)),
            "prompt_hash": _sha(first),
            "target_hash": _sha(target),
            **values,
        }


def _written(reply: Any) -> Any:
    return [_written(part) for part in reply] if isinstance(reply, list | tuple) else str(reply)


def _arguments(request: Request, model: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """A request as lm-eval's instances have it.

    Args:
        request: as the task makes it.
        model: what the record says of the model: its option ``temperature=`` goes before the task's.
    """
    if isinstance(request, Choose):
        return [(_text(request.prompt), choice) for choice in request.choices]
    if isinstance(request, Generate):
        limits = {"until": list(request.stop), "max_gen_toks": request.max_tokens}
        return [(_text(request.prompt), {**limits, **_sampling(request.temperature, model.get("temperature"))})]
    assert isinstance(request, Perplexity)
    return [(request.text,)]


def _sampling(asked: float, own: object) -> dict[str, Any]:
    """How it was drawn; nothing where a server did so by its own default (``temperature=default``), which none tells.

    Args:
        asked: the task's temperature.
        own: what the model's manifest says: a number, a word, or None where it has no option of its own.
    """
    if own == SERVERS_OWN:
        return {}
    temperature = float(own) if isinstance(own, int | float) else asked
    return {"do_sample": temperature > 0, "temperature": temperature}


def _replies(response: Response) -> list[Any]:
    """A response as lm-eval writes it: everything as text, so that every line has the same columns."""
    if response.choices:
        return [[str(choice.nats), str(choice.greedy)] for choice in response.choices]
    return [str(response.nats) if response.text is None else response.text]


def _metric(name: str) -> tuple[str, str]:
    """lm-eval's metric and filter."""
    metric, _, kept = name.partition(",")
    return NAMES.get(metric, metric), kept or "none"


def _text(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else json.dumps([asdict(turn) for turn in prompt], ensure_ascii=False)


def _safe(name: str) -> str:
    name = re.sub(r'["<>:/|\\?*\[\]\x00-\x1f]+', "__", name)
    return name if name.strip(".") else "__"  # '..' would lead out of the folder


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
