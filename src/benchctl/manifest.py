"""The manifest of a run: everything that says what a number rests on."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from benchctl.errors import DEFECT, PluginError, blamed
from benchctl.metric import Metric, Scored
from benchctl.model import Model
from benchctl.repeats import questions
from benchctl.subsets import lopsided
from benchctl.types import Choose, Estimate, Perplexity, RunRecord

if TYPE_CHECKING:
    from benchctl.runner import Job

PACKAGES = ("benchctl", "torch", "transformers", "tokenizers", "peft", "bitsandbytes", "gptqmodel", "accelerate",
            "datasets", "lm_eval", "openai", "numpy", "scipy")  # fmt: skip
"""Packages whose version can change a result."""

ERRORS_KEPT = 20
NAMES_KEPT = 20


class Stopwatch:
    """Time spent on a run over all its sittings."""

    def __init__(self, earlier: RunRecord | None) -> None:
        timings = earlier.timings if earlier is not None else {}
        self._before = float(timings.get("seconds", 0.0))
        self._sittings = int(timings.get("sittings", 0))
        self._started = str(timings.get("started") or _now())
        self._start = time.perf_counter()

    def timings(self) -> dict[str, Any]:
        """What RunRecord.timings holds. Of a killed sitting the seconds are lost, not the answers."""
        seconds = round(self._before + time.perf_counter() - self._start, 3)
        return {"started": self._started, "finished": _now(), "seconds": seconds, "sittings": self._sittings + 1}


def build(
    job: Job,
    identity: str,
    status: str,
    scored: Sequence[Scored],
    estimates: Mapping[str, Estimate],
    errors: Mapping[str, str],
    watch: Stopwatch,
) -> RunRecord:
    """The record of a run as it stands."""
    return RunRecord(
        id=identity,
        spec=job.spec,
        status=status,
        fingerprints=job.prints,
        task={
            "title": job.task.title, "language": job.task.language, "kind": job.task.kind, "version": job.task.version,
            "chance": job.task.chance,
        },
        data={
            "source": job.data.source, "revision": job.data.revision, "builtin": job.data.builtin,
            "total": len(job.data.samples), "bad_rows": list(job.data.bad_rows),
            "normalised": dict(job.data.normalised),
            **({"lopsided": label} if (label := lopsided_in(job)) else {}),
        },
        model={
            "name": job.model.name, "prompt_style": job.model.prompt_style, **_told(job.model), **chosen_by(scored),
            **served_by(r.detail for one in scored for r in one.responses),
        },
        versions=versions(),
        hardware=hardware(),
        timings=watch.timings(),
        counts=counts(job, scored, errors),
        estimates=dict(estimates),
        errors=tuple({"id": i, "reason": r} for i, r in list(errors.items())[:ERRORS_KEPT]),
        metrics=signatures(job.metrics),
        prompt=first_prompt(job),
    )  # fmt: skip


def first_prompt(job: Job) -> dict[str, Any]:
    """What RunRecord.prompt holds."""
    if not job.samples:
        return {}
    sample = job.samples[0]
    request = job.requests[sample.id][0]
    if isinstance(request, Perplexity):
        return {"sample": sample.id, "text": request.text} if sample.choices else {}
    choices = {"choices": list(request.choices)} if isinstance(request, Choose) else {}
    with blamed(f"Model {job.model.name} cannot tell what it reads", DEFECT):
        text = job.model.reads(request)
    return {"sample": sample.id, "text": text, **choices}


def _told(model: Model) -> Mapping[str, Any]:
    """What the model says of itself.

    Raises:
        PluginError: it fails, or says what no JSON holds.
    """
    with blamed(f"Model {model.name} cannot tell its manifest", DEFECT):
        found = dict(model.manifest())
        json.dumps(found)
    return found


def lopsided_in(job: Job) -> str | None:
    """The label that is right in another share of the questions asked than of all: the first ones of sorted data."""
    several = job.task.kind == "multiple_choice"
    return lopsided(job.data.samples, questions(job.samples)) if several else None


def counts(job: Job, scored: Sequence[Scored], errors: Mapping[str, str]) -> dict[str, Any]:
    """What RunRecord.counts holds."""
    return {"n": len(job.samples), **counted(scored), "errors": len(errors), "bad_rows": len(job.data.bad_rows)}


def counted(scored: Sequence[Scored]) -> dict[str, Any]:
    """What of RunRecord.counts the answers alone tell."""
    outcomes = Counter(one.answer.outcome for one in scored)
    return {
        "answered": len(scored),
        "cut": sum(any(r.cut for r in one.responses) for one in scored),
        "outcomes": dict(sorted(outcomes.items())),
        **unfinished(scored),
        **used(scored),
    }


def unfinished(scored: Sequence[Scored]) -> dict[str, int]:
    """How many written answers end at their length limit; empty where nothing was written or nobody told how."""
    ends = [{r.finish_reason for r in one.responses} - {None} for one in scored]
    return {"unfinished": sum("length" in told for told in ends)} if any(ends) else {}


def used(scored: Sequence[Scored]) -> dict[str, float]:
    """Tokens and cost of all answers, in all sittings; empty for backends that do not count them. No cost where one
    has none, as its price was not in benchctl.toml yet or its tokens were not told: a part would pass for the sum."""
    usages = [r.usage for one in scored for r in one.responses if r.usage is not None]
    if not usages:
        return {}
    costs = [u.cost for u in usages if u.cost is not None]
    tokens = {
        "prompt_tokens": sum(u.prompt_tokens for u in usages),
        "completion_tokens": sum(u.completion_tokens for u in usages),
    }
    return {**tokens, **({"cost": round(sum(costs), 6)} if len(costs) == len(usages) else {})}


def chosen_by(scored: Sequence[Scored]) -> dict[str, Any]:
    """How many choices were read in which way, where the backend says: by ``logprobs``, ``generation``, ..."""
    ways = Counter(str(r.detail["choose_by"]) for one in scored for r in one.responses if "choose_by" in r.detail)
    return {"choose_by": dict(sorted(ways.items()))} if ways else {}


def served_by(details: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the server of an API said it was, over the answers of all sittings; empty for backends without one."""
    kept = list(details)
    names = {"served_model": "served_model", "system_fingerprints": "system_fingerprint"}
    found = {name: sorted({str(d[key]) for d in kept if key in d}) for name, key in names.items()}
    return {name: said[:NAMES_KEPT] for name, said in found.items() if said}


def signatures(metrics: Sequence[Metric]) -> dict[str, str]:
    """What RunRecord.metrics holds.

    Raises:
        PluginError: a metric cannot tell its signature, or gives something that is no text.
    """
    found: dict[str, str] = {}
    for metric in metrics:
        with blamed(f"Metric {metric.name} cannot tell its signature", DEFECT):
            said: object = metric.signature()
        if not isinstance(said, str):
            raise PluginError(f"The signature of the metric {metric.name} is no text but {said!r}.", "Give text.")
        found[metric.spec or metric.name] = said
    return found


@cache
def versions(*more: str) -> dict[str, str]:
    """Versions of Python and of the packages that can change a result, and of ``more``, where installed."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *more):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Processor, cores and memory, and the accelerators if torch is in use; nothing that names the machine."""
    found: dict[str, Any] = {"system": platform.system(), "machine": platform.machine(), "cores": os.cpu_count()}
    if hasattr(os, "sysconf"):
        found["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["gpus"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
