"""What is left to do: samples in chunks, longest first, large at the start and small at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from benchctl.types import Choose, Generate, Prompt, Request

MOST_SAMPLES = 128
"""Of a chunk: what a backend that answers only at a chunk's end loses with its worker."""
LEAST_SAMPLES = 8
"""Of a chunk, while there are as many for every worker: fewer fill no batch."""
CHARACTERS_PER_TOKEN = 4
"""Roughly; only the balance of the chunks rests on it."""
ATTEMPTS = 2
"""Workers that may die with one sample alone in their hands, before that sample is given up."""


def cost(request: Request) -> int:
    """How much work a request is, in characters."""
    if isinstance(request, Choose):
        return _length(request.prompt) + sum(map(len, request.choices))
    if isinstance(request, Generate):
        return _length(request.prompt) + CHARACTERS_PER_TOKEN * request.max_tokens
    return len(request.text)


def _length(prompt: Prompt) -> int:
    return len(prompt) if isinstance(prompt, str) else sum(len(message.content) for message in prompt)


@dataclass(frozen=True, slots=True)
class Unit:
    """The requests of one sample: never torn apart, since some backends count them."""

    places: tuple[int, ...]
    cost: int


@dataclass(slots=True)
class Chunk:
    """What one worker is given at once."""

    units: Sequence[Unit]
    deaths: int = 0
    """Workers that died with it."""
    places: list[int] = field(init=False)
    """Of its requests among all, in the order they are put."""

    def __post_init__(self) -> None:
        self.places = [place for unit in self.units for place in unit.places]


class Work:
    """All requests of one call, and which of them are still open.

    Args:
        requests: as the runner gives them.
        owners: number of the sample of each request; a sample's requests stand beside each other.
        workers: how many there will be.
    """

    def __init__(self, requests: Sequence[Request], owners: Sequence[int], workers: int) -> None:
        self.open = set(range(len(requests)))
        groups = (tuple(group) for _, group in groupby(range(len(requests)), key=owners.__getitem__))
        units = (Unit(places, sum(cost(requests[place]) for place in places)) for places in groups)
        self._fresh = deque(sorted(units, key=lambda unit: -unit.cost))
        self._cost = sum(unit.cost for unit in self._fresh)
        self._returned: deque[Chunk] = deque()
        self._workers = workers

    def take(self) -> Chunk | None:
        """The next chunk: what a dead worker left over, else half of a worker's share of the rest."""
        if self._returned:
            return self._returned.popleft()
        if not self._fresh:
            return None
        share = self._cost / (2 * self._workers)
        least = min(LEAST_SAMPLES, -(-len(self._fresh) // self._workers))
        units: list[Unit] = []
        taken = 0
        while self._fresh and len(units) < MOST_SAMPLES and (taken < share or len(units) < least):
            units.append(self._fresh.popleft())
            taken += units[-1].cost
        self._cost -= taken
        return Chunk(units)

    def answered(self, place: int) -> bool:
        """Note an answer; False when it was there already, from a worker that died."""
        known = place not in self.open
        self.open.discard(place)
        return not known

    def give_back(self, chunk: Chunk) -> list[int]:
        """Put what a dead worker left open up for others, in halves, so that a sample that kills is soon alone.

        Returns:
            The places of a sample that killed :data:`ATTEMPTS` workers alone: nobody is asked again.
        """
        units = [unit for unit in chunk.units if not self.open.isdisjoint(unit.places)]
        if len(units) == 1:
            deaths = 1 + (chunk.deaths if len(chunk.units) == 1 else 0)
            if deaths >= ATTEMPTS:
                return [place for place in units[0].places if place in self.open]
            self._returned.append(Chunk(units, deaths))
        elif units:
            half = len(units) // 2
            self._returned.extend((Chunk(units[:half]), Chunk(units[half:])))
        return []
