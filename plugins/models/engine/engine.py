"""The engine a backend holds: shared prompts where they are proven to give the same scores, plain rows elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice

from .items import CannotShare, Likelihood, Prompt, Row, Written
from .memory import is_out_of_memory
from .plain import PlainEngine
from .shared import SharedScorer
from .writing import Writer

FIRST, WAVE = 8, 128
"""Items of which one or two rows are scored both ways, to choose one; items taken up at a time, where sharing pays."""

TOLERANCE = 1e-3
"""Nats by which shared and plain computation may differ on a row in float32."""
HALF_TOLERANCE = 0.05
"""The same per scored token for shorter floats, whose rounding depends on the order of the sums."""

CHECKED = 64
"""Tokens up to which the self-check computes two rows instead of one: what it computes is computed again."""

Score = Callable[[Sequence[Row]], Iterator[tuple[int, Likelihood]]]
Trial = tuple[SharedScorer, dict[int, Likelihood]]
"""The shared path, and what the plain one says of some rows."""


class Engine:
    """Scores items (rows that belong together) and writes answers with one loaded model.

    Which way the scoring goes is settled on the first batch: ``path`` and ``path_reason`` say which and why.
    """

    def __init__(self, plain: PlainEngine) -> None:
        self.plain = plain
        self.path: str | None = None
        self.path_reason: str | None = None
        self._score: Score | None = None
        self._writer: PlainEngine | None = None

    def score(self, items: Iterable[Sequence[Row]]) -> Iterator[tuple[int, list[Likelihood]]]:
        """For each item its index and the likelihoods of its rows, as each is ready.

        Items are taken up as they are needed, so that a long run needs no more memory than a short one.

        Raises:
            ModelCallError: the model is none that can be scored.
        """
        source = enumerate(items)
        while wave := list(islice(source, WAVE if self._score else FIRST)):
            rows, trial = _rows(wave), None
            if rows and self._score is None:
                trial = self._tried(rows)
                wave += islice(source, WAVE - FIRST)  # made ready meanwhile
                rows = _rows(wave)
            owners = [(place, i) for place, (_, item) in enumerate(wave) for i in range(len(item))]
            found: list[dict[int, Likelihood]] = [{} for _ in wave]
            yield from ((index, []) for index, item in wave if not item)
            for number, likelihood in self._scored(rows, trial) if rows else ():
                place, i = owners[number]
                index, item = wave[place]
                found[place][i] = likelihood
                if len(found[place]) == len(item):
                    yield index, [found[place][j] for j in range(len(item))]

    def manifest(self) -> dict[str, str | None]:
        """Which way the scoring went, and why; None while nothing was scored."""
        writing = "shared" if isinstance(self._writer, Writer) else "plain"
        return {
            "path": self.path,
            "path_reason": self.path_reason,
            "writing_path": writing if self._writer else None,
        }

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Written]]:
        """For each prompt its index and what the model wrote."""
        if self._writer is None:
            try:
                self._writer = Writer(self.plain)
            except CannotShare:
                self._writer = self.plain
        return self._writer.generate(prompts)

    def _tried(self, rows: Sequence[Row]) -> Trial | None:
        """What the shared path will be held against, from the first rows; None where there is none to be tried."""
        if self.path is not None:
            return None
        try:
            shared = SharedScorer(self.plain.model, self.plain.device, self.plain.budget)
            return shared, self._plainly_scored(rows, shared)
        except Exception as error:  # whatever a model unknown to us raises: the plain path serves every model
            self._cannot_share(error)
            return None

    def _scored(self, rows: Sequence[Row], trial: Trial | None) -> Iterator[tuple[int, Likelihood]]:
        """By the way that was chosen; a trial's first batch chooses it.

        Raises:
            ModelCallError: the model reads ahead. Such a one cannot equal its shared path, in which no token sees a
                later one: models that share need not be tried.
        """
        if self._score is not None:
            return self._score(rows)
        if trial is not None:
            try:
                return self._proven(rows, *trial)
            except Exception as error:  # as above
                self._cannot_share(error)
        self.plain.require_causal(max(rows, key=lambda row: row.size))
        self._score = self.plain.score
        return self.plain.score(rows)

    def _cannot_share(self, error: Exception) -> None:
        """Settle on the plain path and say why; where memory ran out, that is raised again."""
        if is_out_of_memory(error):
            raise error
        reason = str(error) if isinstance(error, CannotShare) else f"{type(error).__name__}: {error}"
        self.plainly(" ".join(reason.split())[:200])
        logging.getLogger(__name__).warning("prompts are not shared: %s", self.path_reason)

    def _proven(
        self, rows: Sequence[Row], shared: SharedScorer, expected: dict[int, Likelihood]
    ) -> Iterator[tuple[int, Likelihood]]:
        """Score by the shared path, if it agrees with what is expected of some rows.

        Raises:
            CannotShare: it does not, or cannot be known to. Whatever else a model may raise.
        """
        scored = self._mixed(shared, rows, expected)
        found: dict[int, Likelihood] = {}
        while not expected.keys() <= found.keys():
            place, likelihood = next(scored)
            found[place] = likelihood
        self._compare(rows, expected, found)
        self.path, self.path_reason = "shared", "equal to the plain path on the first questions"
        self._score = partial(self._mixed, shared)
        return chain(found.items(), scored)

    def _mixed(
        self, shared: SharedScorer, rows: Sequence[Row], first: Collection[int] = ()
    ) -> Iterator[tuple[int, Likelihood]]:
        """By the shared path all rows but those that encode their positions otherwise than what is shared."""
        near = [i for i, row in enumerate(rows) if not self.plain.far(row.size)]
        far = [i for i, row in enumerate(rows) if self.plain.far(row.size)]
        if near:
            begin = [place for place, i in enumerate(near) if i in first]
            yield from ((near[i], found) for i, found in shared.score([rows[i] for i in near], begin))
        if far:
            yield from ((far[i], found) for i, found in self.plain.score([rows[i] for i in far]))

    def plainly(self, reason: str) -> Engine:
        """Do not try to share: the caller knows that this model cannot, and why."""
        self.path, self.path_reason = "plain", reason
        return self

    def _plainly_scored(self, rows: Sequence[Row], shared: SharedScorer) -> dict[int, Likelihood]:
        """By the plain path the row that stands behind all others in its tree, and the longest if cheap.

        The shared path is lent what these passes computed of the beginning of all rows.

        Raises:
            CannotShare: none of the rows would be shared.
        """
        near = [i for i, row in enumerate(rows) if not self.plain.far(row.size)]
        if not near:
            raise CannotShare("the first questions are so long that their positions are encoded in another way")
        last = max(near, key=lambda i: (rows[i].context, rows[i].continuation))
        longest = max(near, key=lambda i: rows[i].size)
        cheap = rows[last].size + rows[longest].size <= CHECKED
        places = list(dict.fromkeys([longest, last])) if cheap else [last]
        self.plain.kept = []
        scored: dict[int, Likelihood] = {}
        try:
            for place in places:  # one by one: together they would be padded, and read at every position of the shorter
                scored[place] = dict(self.plain.score([rows[place]]))[0]
            shared.lend(rows, rows[places[0]], self.plain.kept[0])
        finally:
            self.plain.kept = None
        return scored

    def _compare(self, rows: Sequence[Row], expected: dict[int, Likelihood], found: dict[int, Likelihood]) -> None:
        """Hold the shared path's results against the plain one's.

        Raises:
            CannotShare: they differ.
        """
        exact = str(self.plain.model.dtype) == "torch.float32"
        for place, plain in expected.items():
            allowed = TOLERANCE if exact else HALF_TOLERANCE * len(rows[place].continuation)
            apart = abs(plain.nats - found[place].nats)
            if not apart <= allowed:  # also when it is no number
                raise CannotShare(f"scores differ from the plain path by {apart:.2g} nats")


def _rows(wave: Sequence[tuple[int, Sequence[Row]]]) -> list[Row]:
    return [row for _, item in wave for row in item]
