"""For tests of tasks, metrics and plugins: a model that answers what it is told to, and records what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from benchctl.fingerprints import digest
from benchctl.model import Model
from benchctl.types import ChoiceScore, Choose, Generate, Kind, Perplexity, Request, Response, Sample


class ScriptedModel(Model):
    """Answers every request with ``script(request, sample)``; ``asked`` lists the sample ids in the order asked.

    Args:
        script: gives the response; raising ``KeyboardInterrupt`` there is a Ctrl-C in mid-run.
        name: shown in tables; also the fingerprint.
        order: rearranges the indices, to answer out of order.
    """

    capabilities: ClassVar[frozenset[Kind]] = frozenset({"choose", "generate", "perplexity"})

    def __init__(
        self,
        script: Callable[[Request, Sample], Response],
        name: str = "scripted",
        order: Callable[[Sequence[int]], Sequence[int]] = lambda indices: indices,
    ) -> None:
        self.script, self.name, self.order = script, name, order
        self.asked: list[str] = []
        self._owners: Sequence[Sample] = ()

    def fingerprint(self) -> str:
        """The name."""
        return digest(self.name)

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Remember whose requests are coming."""
        self._owners = owners

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """As scripted."""
        return self._answer(requests)

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """As scripted."""
        return self._answer(requests)

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """As scripted."""
        return self._answer(requests)

    def _answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        for index in self.order(range(len(requests))):
            sample = self._owners[index]
            response = self.script(requests[index], sample)
            self.asked.append(sample.id)
            yield index, response


def prefers(label: str) -> Callable[[Request, Sample], Response]:
    """A script that takes one label of every multiple-choice sample, asked for choices or in words."""

    def script(request: Request, sample: Sample) -> Response:
        if isinstance(request, Generate):
            return Response(text=f"Alternativa {label}", finish_reason="stop")
        scores = (ChoiceScore(-1.0 if found == label else -2.0, 1, 1) for found in sample.choices)
        return Response(tuple(scores))

    return script
