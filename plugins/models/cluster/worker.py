"""One actor: a copy of the model, made on the spot from its spec, and answers that leave as they are ready."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import benchctl
from benchctl.errors import ModelCallError
from benchctl.model import Model, check_response, parse_spec
from benchctl.threads import share_cores
from benchctl.types import Kind, Request, Response, Sample

SETTINGS = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM")
"""Variables that a worker takes over from the command; never one that holds a secret or a path."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker must know to be like the process that started it."""

    spec: str
    """Of the model, names of benchctl.toml already looked up."""
    folder: str
    """Working folder of the command: paths in the spec may be relative to it."""
    environment: Mapping[str, str]
    schema: Mapping[str, Any] | None = None
    """Of the answers, where they are to be JSON."""

    @classmethod
    def here(cls, spec: str) -> Setup:
        """As in this process."""
        return cls(spec, str(Path.cwd()), {name: os.environ[name] for name in SETTINGS if name in os.environ})


@dataclass(frozen=True, slots=True)
class Hello:
    """What a worker says when it is there."""

    node: str
    version: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last thing that comes of a chunk."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception on its way to the process that asked; exceptions with an own ``__init__`` do not pickle."""

    kind: type[Exception]
    args: tuple[Any, ...]
    state: Mapping[str, Any]

    @classmethod
    def of(cls, error: Exception) -> Raised:
        """The exception itself where it can travel, else a :class:`ModelCallError` that quotes it."""
        try:
            # OSError hides its file's name from ``args``; what it would pickle has it.
            found = cls(type(error), tuple(error.__reduce__()[1]), dict(error.__dict__))
            copy = pickle.loads(pickle.dumps(found)).error()  # noqa: S301  # written one line above
            if str(copy) == str(error):
                return found
        except Exception as reason:  # whatever an exception of somebody else's does when it is copied
            error.add_note(f"It could not be copied: {reason}")
        told = ModelCallError(f"{type(error).__name__}: {error}", "It was raised by the model, in a worker.")
        return cls(type(told), told.args, dict(told.__dict__))

    def error(self) -> Exception:
        """The exception, made again without calling its ``__init__``."""
        made = self.kind.__new__(self.kind, *self.args)
        made.__dict__.update(self.state)
        return made


class Worker:
    """Becomes a Ray actor; knows nothing of Ray but how to look up what all chunks of a run share."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._samples: tuple[int, Sequence[Sample]] = (-1, ())

    @cached_property
    def model(self) -> Model:
        """The copy; its weights are loaded at the first request."""
        from benchctl.plugins import get_plugins

        os.environ.update(self._setup.environment)
        share_cores()  # a node that the command did not start does not have it from there
        if Path(self._setup.folder).is_dir():
            os.chdir(self._setup.folder)
        backend, args = parse_spec(self._setup.spec)
        model: Model = get_plugins().create("model", backend, args)
        if self._setup.schema is not None:
            model.expect_json(self._setup.schema)
        return model

    def hello(self) -> Hello | Raised:
        """Say what this worker would answer with."""
        import ray

        try:
            # A model may raise anything; it must arrive as what it was.
            print_ = self.model.fingerprint()
        except Exception as error:
            return Raised.of(error)
        return Hello(ray.get_runtime_context().get_node_id(), benchctl.__version__, print_)

    def answer(
        self, kind: Kind, requests: Sequence[Request], run: int, samples: Sequence[Any], owners: Sequence[int]
    ) -> Iterator[tuple[int, Response] | Finished | Raised]:
        """Put a chunk to the model.

        Args:
            run: number of the run the chunk belongs to.
            samples: a reference to all samples of that run, in a list, so that it is fetched once per run.
            owners: number of the sample of each request.
        """
        import ray

        if self._samples[0] != run:
            self._samples = (run, ray.get(samples[0]))
        known = self._samples[1]
        seen: set[int] = set()
        try:
            # As above.
            if known:  # a script may ask without having met
                self.model.meet(known, [known[owner] for owner in owners])
            for index, response in getattr(self.model, kind)(requests):
                yield index, check_response(index, response, requests, seen, self.model)
            yield Finished(dict(self.model.manifest()))
        except Exception as error:
            yield Raised.of(error)
