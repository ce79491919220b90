"""How fast to ask: fewer calls at once when the server says 'too many', waits that it asks for, and when to give up."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

SLOWER = 0.7
"""What is left of the calls in flight after a 429."""
HOPELESS = 10
"""So many failures in a row, without a success between them, before giving up is thought of."""
NOTICE = 5.0
"""Seconds without a success after which the user is told why nothing happens."""


class Pacer:
    """Shared by all calls of one stream; lives in its event loop."""

    def __init__(self, connections: int, rpm: float, patience: float) -> None:
        self._most = connections
        self._limit = float(connections)
        self._slow_start_below = float(connections)
        self._gap = 60 / rpm if rpm else 0.0
        self._patience = patience
        self._active = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._resume_at = 0.0
        self._next_slot = 0.0
        self._slowed_at = 0.0
        self._streak = 0
        self._streak_began = 0.0
        self._excused = 0.0
        self._lost = 0
        self._told = False
        self._stopped = asyncio.Event()
        self.reason = ""
        """Why nothing more is asked; empty while there is hope."""
        self.any_success = False

    async def enter(self) -> None:
        """Wait for a place, for the server's pause to end and for the next slot; leave at once when all is stopped."""
        while self._active >= int(self._limit) and not self.reason:
            place = asyncio.get_running_loop().create_future()
            self._queue.append(place)
            await place
        self._active += 1
        if self._gap:
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + self._gap
            await self.sleep(slot - now)
        while (wait := self._resume_at - time.monotonic()) > 0 and not self.reason:
            await self.sleep(wait)

    def leave(self) -> None:
        """Give the place to the next."""
        self._active -= 1
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the moment when all is stopped."""
        if seconds > 0:
            try:
                await asyncio.wait_for(self._stopped.wait(), seconds)
            except TimeoutError:
                return

    def succeeded(self) -> None:
        """A call was answered: the streak of failures ends and, after a slow-down, one more may go at once."""
        self.any_success = True
        self._streak = self._lost = 0
        if self._limit < self._most:
            self._limit += 1 if self._limit < self._slow_start_below else 1 / self._limit
            self._limit = min(self._limit, self._most)
            self._wake()

    def throttled(self, wait: float | None) -> None:
        """The server said 'too many': fewer at once, and all wait for as long as it asks."""
        now = time.monotonic()
        if now - self._slowed_at > 1:  # one slow-down for all the calls that were under way together
            self._slowed_at = now
            self._limit = self._slow_start_below = max(1.0, self._limit * SLOWER)
        if wait:
            self._excused += max(0.0, now + wait - max(now, self._resume_at))
            self._resume_at = max(self._resume_at, now + wait)

    def failed(self, why: str) -> None:
        """An attempt failed; after ``patience`` seconds of nothing but failures nothing more is asked."""
        now = time.monotonic()
        if not self._streak:
            self._streak_began, self._excused = now, 0.0
        self._streak += 1
        silent = now - self._streak_began - self._excused
        if self._streak >= HOPELESS and silent >= self._patience:
            self.stop(f"nothing answered for {silent:.0f} s: {why}")
        elif silent > NOTICE and not self._told:
            self._told = True
            print(f"note: the API does not answer ({why}); trying for {self._patience:.0f} s.", file=sys.stderr)

    def lost(self, why: str) -> None:
        """A request failed for good although it was tried again; many in a row mean that the server is lost."""
        self._lost += 1
        if self._lost >= HOPELESS:
            self.stop(f"{self._lost} requests in a row failed: {why}")

    def stop(self, why: str) -> None:
        """Ask nothing more."""
        if not self.reason:
            self.reason = why
            self._stopped.set()
            self._wake()

    def _wake(self) -> None:
        free = len(self._queue) if self.reason else int(self._limit) - self._active
        while self._queue and free > 0:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait, said in milliseconds, seconds or as an HTTP date; None when it does not say.

    A date is taken by the server's own clock, where it tells that: this machine's may be hours off.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except (KeyError, ValueError):
            continue
    try:
        until = parsedate_to_datetime(headers["retry-after"]).timestamp()
        now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
        return max(0.0, until - now)
    except (KeyError, ValueError):
        return None
