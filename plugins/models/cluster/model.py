"""The Model that the runner sees: it is called, recorded and fingerprinted as the model inside."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchctl.config import load_config
from benchctl.errors import BadConfig
from benchctl.model import Model, ModelArgs, parse_spec
from benchctl.plugins import get_plugins
from benchctl.types import Choose, Generate, Kind, Perplexity, Request, Response, Sample

from .pool import Pool
from .resources import fit, read_nodes
from .session import SESSION, import_ray
from .worker import Setup

OPTIONS = {"workers": "", "ray": "", "gpus_per_worker": "", "cpus_per_worker": "", "restarts": "3"}
"""Of the cluster; all others are the inner model's."""


class ClusterModel(Model):
    """Any model on several workers: cluster:MODEL,workers=N,ray=ADDRESS,gpus_per_worker=1,restarts=3."""

    def __init__(self, args: ModelArgs) -> None:
        own = {name: args.options.get(name, default) for name, default in OPTIONS.items()}
        given = [args.target, *(f"{name}={value}" for name, value in args.options.items() if name not in OPTIONS)]
        called = ",".join(given)
        if not args.target or args.target.startswith("cluster:"):
            raise BadConfig(f"Model '{args.spec}' names no model.", "Write cluster:hf:PATH,workers=2, or --workers 2.")
        self._workers = _number(args.spec, "workers", own, least=1)
        self._gpus = _number(args.spec, "gpus_per_worker", own)
        self._cpus = _number(args.spec, "cpus_per_worker", own)
        self._restarts = int(_number(args.spec, "restarts", own) or 0)
        self._address = own["ray"]
        import_ray(self._address)  # missing? said before anything is read
        resolved = load_config().model_spec(called)
        backend, inner = parse_spec(resolved)
        self.inner: Model = get_plugins().create("model", backend, inner)
        self.name = self.inner.name
        self.spec = called if resolved != called else self.inner.spec or called
        self.max_cost = self.inner.max_cost
        self._setup = Setup.here(resolved)
        self._pool: Pool | None = None
        self._samples: Sequence[Sample] = ()
        self._owners: Sequence[int] = ()
        SESSION.join()

    @property
    def capabilities(self) -> frozenset[Kind]:  # type: ignore[override]
        """The inner model's."""
        return self.inner.capabilities

    @property
    def prompt_style(self) -> str:  # type: ignore[override]
        """The inner model's."""
        return self.inner.prompt_style

    def fingerprint(self) -> str:
        """The inner model's: who computes an answer does not change it. Every worker's copy is held against it."""
        return self.inner.fingerprint()

    def manifest(self) -> Mapping[str, Any]:
        """What a worker measured of its copy; ``cluster`` has workers, nodes, chunks and deaths."""
        return {**self.inner.manifest(), **(self._pool.manifest() if self._pool else {})}

    def reads(self, request: Choose | Generate) -> str:
        """As the inner model."""
        return self.inner.reads(request)

    def temperature(self, request: Generate) -> float | None:
        """As the inner model."""
        return self.inner.temperature(request)

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Remember what each request belongs to; every chunk takes it along."""
        self.inner.meet(samples, owners)
        numbers = {sample.id: number for number, sample in enumerate(samples)}
        self._samples, self._owners = samples, [numbers[owner.id] for owner in owners]

    def expect_json(self, schema: Mapping[str, Any]) -> None:
        """Tell every worker's copy when it is made."""
        self.inner.expect_json(schema)
        self._setup = replace(self._setup, schema=schema)

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """As the inner model."""
        return self._answer("choose", requests)

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """As the inner model."""
        return self._answer("generate", requests)

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """As the inner model."""
        return self._answer("perplexity", requests)

    def _answer(self, kind: Kind, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        if self.max_cost is not None:
            raise BadConfig(
                "A sum to stop at cannot be kept by several workers at once.",
                "Leave out --workers: an API model puts many questions at once by itself.",
            )
        met = len(self._owners) == len(requests)
        # Whoever scripts benchctl may ask without a run: each request is then its own sample.
        owners = self._owners if met else range(len(requests))
        if self._pool is None:
            ray = SESSION.connect(self._address)
            workers = int(self._workers) if self._workers else None
            share = fit(read_nodes(ray.nodes()), workers, self._gpus, self._cpus)
            self._pool = Pool(ray, share, self._restarts, self._setup, self.fingerprint())
        yield from self._pool.answer(kind, requests, self._samples if met else (), owners)

    def close(self) -> None:
        """End the workers, and the local Ray after the last model of the command."""
        try:
            self.inner.close()
            if self._pool is not None:
                self._pool.close()
                if self._pool.died:
                    died = f"workers that died: {self._pool.died}; others were given what they left"
                    print(f"note: {self.name}: {died}.", file=sys.stderr)
        finally:
            self._pool = None
            SESSION.leave()


def _number(spec: str, name: str, options: Mapping[str, str], least: float = 0) -> float | None:
    """An option's number; None where it is empty.

    Raises:
        BadConfig: it is none, or too small.
    """
    text = options[name]
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number < 10**6 or (name in ("workers", "restarts") and number != int(number)):
        raise BadConfig(f"Model '{spec}': {name}={text} cannot be used.", f"A number from {least:g} up is expected.")
    return number
