"""The workers: each is given chunks, its answers are handed on as they come; what a dead one left goes to others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import benchctl
from benchctl.errors import ModelCallError
from benchctl.types import Kind, Request, Response, Sample

from .chunks import Chunk, Work
from .resources import Share
from .session import first_line
from .worker import Finished, Hello, Raised, Setup, Worker

PATIENCE = 300.0
"""Seconds without any living worker, while some are being started, before it is given up."""


@dataclass(slots=True)
class Slot:
    """One actor and what it is at: saying hello, or answering a chunk."""

    actor: Any
    hello: Any
    """Reference to its first words; None once they are there."""
    chunk: Chunk | None = None
    stream: Any = None


class Pool:
    """The workers of one model; ``died`` counts those that did.

    Args:
        ray: the connected module.
        restarts: how many new workers there may be for each one, over the life of the pool.
        fingerprint: what each worker's copy must have.
    """

    def __init__(self, ray: Any, share: Share, restarts: int, setup: Setup, fingerprint: str) -> None:
        self._ray, self._share, self._setup, self._fingerprint = ray, share, setup, fingerprint
        self._most = share.workers * (1 + restarts)
        self._slots: list[Slot] = []
        self._nodes: set[str] = set()
        self._started = self._chunks = self._runs = self._deaths = 0
        self.died = 0
        self._last_death = ""
        self._alone_since: float | None = None
        self._manifest: Mapping[str, Any] = {}
        resources = {"num_cpus": share.cpus, "num_gpus": share.gpus, "scheduling_strategy": "SPREAD"}
        # Workers that die are replaced here and not by Ray, which would put a whole chunk again to the new one.
        self._actor = ray.remote(Worker).options(max_restarts=0, max_task_retries=0, **resources)

    def answer(
        self, kind: Kind, requests: Sequence[Request], samples: Sequence[Sample], owners: Sequence[int]
    ) -> Iterator[tuple[int, Response]]:
        """Every request's answer, once, as soon as it is there.

        Raises:
            ModelCallError: no worker is left and none can be started; what a model raises is raised as it is.
        """
        self._runs += 1
        self._chunks = self._deaths = 0
        about = (self._runs, [self._ray.put(list(samples))])
        work = Work(requests, owners, self._share.workers)
        try:
            while work.open:
                if not self._assign(work, kind, requests, about, owners):
                    return  # the model left some without an answer; the runner says so
                busy = {waitable: slot for slot in self._slots if (waitable := slot.hello or slot.stream) is not None}
                ready, _ = self._ray.wait(list(busy), num_returns=1, timeout=1.0)
                self._check_alone()
                for waitable in ready:
                    yield from self._hear(busy[waitable], work)
        finally:
            for slot in [slot for slot in self._slots if slot.stream is not None]:
                self._dismiss(slot)  # interrupted: nobody waits for its answers

    def _assign(
        self, work: Work, kind: Kind, requests: Sequence[Request], about: tuple[int, list[Any]], owners: Sequence[int]
    ) -> bool:
        """Start missing workers and give a chunk to each idle one; False when nothing is left to wait for."""
        while len(self._slots) < self._share.workers and self._started < self._most:
            self._start()
        if not self._slots:
            raise ModelCallError(
                f"All workers died, {self.died} of them: {self._last_death}",
                "The answers so far are kept; the same command goes on. Is there memory enough for each?",
            )
        for slot in self._slots:
            if slot.hello is None and slot.stream is None and (chunk := work.take()) is not None:
                put = [requests[place] for place in chunk.places]
                method = slot.actor.answer.options(num_returns="streaming")
                slot.stream = method.remote(kind, put, *about, [owners[place] for place in chunk.places])
                slot.chunk = chunk
                self._chunks += 1
        return any(slot.stream is not None or slot.hello is not None for slot in self._slots)

    def _start(self) -> None:
        actor = self._actor.remote(self._setup)
        self._slots.append(Slot(actor, actor.hello.remote()))
        self._started += 1

    def _hear(self, slot: Slot, work: Work) -> Iterator[tuple[int, Response]]:
        """What came from one worker."""
        errors = self._ray.exceptions
        try:
            if slot.hello is not None:
                self._greet(slot, self._ray.get(slot.hello))
            else:
                yield from self._drain(slot, work)
        except errors.RayTaskError as error:
            # The model's own exceptions come as values; this one is between Ray and the worker.
            raise ModelCallError(
                f"A worker cannot work: {first_line(error.cause or error)}",
                "Is the same benchctl, with the same plugins, installed on every node?",
            ) from error
        except errors.RayError as error:  # the actor, its node or its memory is gone
            yield from self._bury(slot, work, error)

    def _drain(self, slot: Slot, work: Work) -> Iterator[tuple[int, Response]]:
        """The answers that are ready, and not more."""
        assert slot.chunk is not None
        while True:
            try:
                item = self._ray.get(next(slot.stream))
            except StopIteration:
                slot.stream = slot.chunk = None
                return
            if isinstance(item, Raised):
                raise item.error()
            if isinstance(item, Finished):
                self._manifest = item.manifest
            else:
                index, response = item
                place = slot.chunk.places[index]
                if work.answered(place):
                    yield place, response
            if not slot.stream.next_ready():
                return

    def _greet(self, slot: Slot, said: Hello | Raised) -> None:
        """Take a worker that is like all others.

        Raises:
            ModelCallError: it has another benchctl, or would answer with another model.
        """
        if isinstance(said, Raised):
            raise said.error()
        if said.version != benchctl.__version__:
            raise ModelCallError(
                f"A worker has benchctl {said.version}, this is {benchctl.__version__}.",
                "Install the same version on every node.",
            )
        if said.fingerprint != self._fingerprint:
            raise ModelCallError(
                f"A worker's copy of '{self._setup.spec}' differs from what this machine finds under that name.",
                "Weights, tokenizer and dtype must be the same on every node; give dtype=... and revision=....",
            )
        slot.hello = None
        self._nodes.add(said.node)
        self._alone_since = None

    def _bury(self, slot: Slot, work: Work, error: Exception) -> Iterator[tuple[int, Response]]:
        """Put up for others what a dead worker left; a sample that kills every worker is given up."""
        self._deaths += 1
        self.died += 1
        self._last_death = first_line(error)
        chunk = slot.chunk
        self._dismiss(slot)
        for place in work.give_back(chunk) if chunk is not None else ():
            if work.answered(place):
                yield place, Response(error=f"the worker died of it, every time: {self._last_death}")

    def _dismiss(self, slot: Slot) -> None:
        self._slots.remove(slot)
        self._ray.kill(slot.actor)

    def _check_alone(self) -> None:
        """Give up when no worker has lived for long.

        Raises:
            ModelCallError: none could be started.
        """
        if any(slot.hello is None for slot in self._slots):
            self._alone_since = None
            return
        now = time.monotonic()
        self._alone_since = self._alone_since or now
        if now - self._alone_since > PATIENCE:
            raise ModelCallError(
                f"No worker could be started within {PATIENCE:g} seconds.",
                f"Each needs {self._share}; 'ray status' shows what is free. The same command goes on.",
            )

    def manifest(self) -> dict[str, Any]:
        """What a worker says of its model, and how the work of the last run was shared."""
        return {
            **self._manifest,
            "cluster": {
                "workers": self._share.workers, "cpus_per_worker": self._share.cpus,
                "gpus_per_worker": self._share.gpus, "nodes": len(self._nodes), "started": self._started,
                "deaths": self._deaths, "chunks": self._chunks,
            },
        }  # fmt: skip

    def close(self) -> None:
        """End all workers."""
        for slot in list(self._slots):
            self._dismiss(slot)
