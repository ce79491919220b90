"""Several answers to each question: every one a sample of its own, and those of one question a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchctl.errors import BadConfig
from benchctl.model import Model
from benchctl.scoring import Scoring
from benchctl.types import Generate, Request, RunSpec, Sample

Asked = dict[str, tuple[Request, ...]]
"""Sample id -> what the model is asked about it."""


def repeated(spec: RunSpec, samples: Sequence[Sample], requests: Asked) -> tuple[Sequence[Sample], Asked]:
    """Each sample as often as the spec says, its answers side by side.

    The first keeps its id, so that it pairs with the answer of a run that asks once; the others are ``ID#2``, ...

    Raises:
        BadConfig: a sample is called so already.
    """
    if spec.repeats == 1:
        return samples, requests
    found: dict[str, tuple[Request, ...]] = {}
    several = []
    for sample in samples:
        for draw in range(spec.repeats):
            identity = sample.id if draw == 0 else f"{sample.id}#{draw + 1}"
            if draw and identity in requests:
                raise BadConfig(
                    f"--repeats: {spec.task} has questions called '{sample.id}' and '{identity}'.",
                    "The second is what a repeat of the first is called: rename it in the data.",
                )
            several.append(replace(sample, id=identity, repeat_of=sample.id, cluster=sample.cluster or sample.id))
            found[identity] = tuple(_drawn(request, draw) for request in requests[sample.id])
    return several, found


def questions(samples: Sequence[Sample]) -> Sequence[Sample]:
    """One sample for each question, the first of its answers."""
    return [sample for sample in samples if sample.repeat_of in ("", sample.id)]


def check(spec: RunSpec, scoring: Scoring, model: Model, requests: Asked) -> None:
    """See that several answers to one question can differ.

    Raises:
        BadConfig: they cannot.
    """
    if spec.repeats == 1:
        return
    if not scoring.repeatable:
        raise BadConfig(
            f"--repeats {spec.repeats}: scoring '{scoring.name}' of {spec.task} asks each question once.",
            "Only free answers can differ: --scoring generate, or leave out --repeats.",
        )
    asked = (request for several in requests.values() for request in several if isinstance(request, Generate))
    if all(model.temperature(request) == 0 for request in asked):
        raise BadConfig(
            f"--repeats {spec.repeats}: {model.name} would answer alike each time, at temperature 0.",
            "Add a temperature to the model, as in hf:PATH,temperature=0.6, or leave out --repeats.",
        )


def _drawn(request: Request, draw: int) -> Request:
    return replace(request, draw=draw) if isinstance(request, Generate) else request
