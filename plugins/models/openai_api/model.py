"""The Model over the API, and what it says of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from benchctl.fingerprints import digest
from benchctl.model import Model, ModelArgs
from benchctl.types import Choose, Generate, Kind, Perplexity, Response, Sample

from . import batch, choosing, pump
from .asking import Asker, Ways, labels_asked
from .calling import Caller, CallFailed, Tally, open_clients
from .costs import Budget, find_price
from .secrets import Redactor
from .settings import SERVERS_OWN, Settings, require_openai
from .wire import Wire


class OpenAIModel(Model):
    """A model behind an OpenAI-compatible API."""

    keeps_cost = True

    def __init__(self, args: ModelArgs) -> None:
        self.settings = Settings.read(args)
        require_openai()
        self.name = self.settings.model
        self.spec = self.settings.spec
        self.prompt_style = "chat" if self.settings.mode == "chat" else "text"
        self.max_cost = self.settings.max_cost
        self.wire = Wire(self.settings)
        self.redactor = Redactor(self.settings.key)
        self.tally = Tally()
        self._price = find_price(self.name)
        self.budget = Budget(self._price)
        self._ways = Ways(self.settings.choose_by)
        self._samples: Sequence[Sample] = ()
        self._owners: Sequence[Sample] = ()
        self._spent_before = 0.0

    @property
    def capabilities(self) -> frozenset[Kind]:  # type: ignore[override]
        """Perplexity needs a server that scores the prompt itself, which only completions can."""
        both: frozenset[Kind] = frozenset({"choose", "generate"})
        return both | {"perplexity"} if self.settings.mode == "completions" else both

    def fingerprint(self) -> str:
        """Model name, address and what goes with every request; the weights behind the name are the provider's."""
        self._check_cost()
        s = self.settings
        address = urlsplit(s.base_url)
        place = f"{address.hostname}:{address.port or address.scheme}{address.path}"
        parts = ["openai", 1, s.model, place, s.mode, s.choose_by, s.temperature, s.send_temperature, s.seed]
        return digest(parts if s.thinking is None else [*parts, {"thinking": s.thinking}])

    def manifest(self) -> Mapping[str, Any]:
        """The address, and how the calls of this run went in this sitting; who answered stands in the answers."""
        s = self.settings
        sent: Any = s.temperature if s.temperature is not None else "as asked"
        return {
            "api": "openai", "base_url": s.base_url, "mode": s.mode, "batch": s.batch,
            "temperature": sent if s.send_temperature else SERVERS_OWN, "seed": s.seed,
            **({} if s.thinking is None else {"thinking": "on" if s.thinking else "off"}),
            "calls": self.tally.calls, "faults": dict(sorted(self.tally.faults.items())),
            "spent": round(self.budget.spent - self._spent_before, 6) if self._price else None,
        }  # fmt: skip

    def temperature(self, request: Generate) -> float | None:
        """The model's option, or the task's; None where the server has its own."""
        s = self.settings
        return None if not s.send_temperature else request.temperature if s.temperature is None else s.temperature

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Remember what the requests are about: it tells labels from options' texts. Other samples are another run,
        whose calls are counted anew; the sum that may be spent is the command's."""
        if samples is not self._samples:
            self.tally, self._spent_before = Tally(), self.budget.spent
        self._samples, self._owners = samples, owners

    def expect_json(self, schema: Mapping[str, Any]) -> None:
        """Send the schema as ``response_format`` with every chat; dropped where the server refuses it."""
        self.wire.form = schema

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """Free answers, as they come."""
        if self.settings.batch:
            batch.refuse_limit(self.max_cost)
            return batch.collect(self, requests)
        return self._stream(lambda asker, index: asker.generate(requests[index]), len(requests))

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """By log-probabilities of the first token where the server gives them, else by a written answer.

        Raises:
            BadConfig: the choices are options' texts and the mode is chat.
        """
        if labels_asked(requests, self._owners):
            return self._stream(lambda asker, index: asker.label(requests[index]), len(requests))
        if self.settings.mode == "chat":
            raise choosing.refuse_options(self.name)
        return self._stream(lambda asker, index: asker.options(requests[index]), len(requests))

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """Log-likelihoods of whole texts, from servers that echo a prompt with its log-probabilities."""
        return self._stream(lambda asker, index: asker.perplexity(requests[index]), len(requests))

    def _stream(self, ask: Callable[[Asker, int], Awaitable[Response]], count: int) -> Iterator[tuple[int, Response]]:
        """Put the requests to the server, ``connections`` at a time; a call that failed for good becomes an error."""
        self._check_cost()

        @asynccontextmanager
        async def session() -> AsyncIterator[pump.Ask]:
            async with open_clients(self.settings) as clients:
                caller = Caller(self.settings, clients, self.redactor, self.budget, self.tally)
                asker = Asker(caller, self.wire, self._ways, self.redactor)

                async def answer(index: int) -> Response:
                    try:
                        return await ask(asker, index)
                    except CallFailed as failure:
                        return Response(error=failure.reason, asked=failure.asked)

                yield answer

        return pump.stream(session, count, self.settings.connections)

    def _check_cost(self) -> None:
        """Take over a limit set from outside since, and see that it can be kept."""
        self.budget.most = self.max_cost
        self.budget.check(self.name)
