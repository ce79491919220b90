"""One call, made until it succeeds, is refused, or all hope is lost."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from benchctl.errors import BadConfig
from benchctl.types import Usage

from .costs import Budget, added
from .pacing import Pacer, retry_after
from .secrets import Redactor
from .settings import Settings, is_loopback
from .wire import Body, Malformed, read_usage

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

T = TypeVar("T")

RETRIED = (408, 409, 425, 429)
"""Statuses below 500 after which the same request may succeed."""
HOPELESS = (401, 402, 403)
"""Statuses after which no request will succeed."""
_CONTENT = re.compile(r"moderation|flagged|content.{0,3}(?:filter|polic|management)", re.I)
"""How services say that this question, and not the next, is not to their taste."""
_THIS_ONE = re.compile(rf"{_CONTENT.pattern}|logprobs", re.I)
"""What a 403 is about when other requests may pass: the question's words, or log-probabilities."""
_TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.I | re.S)
POOL = 16
"""Connections per client: the HTTP library looks at every connection of a pool at every call."""


class CallFailed(Exception):
    """No answer, for good. ``param`` is the request's field that the server objects to, where it says so."""

    def __init__(self, reason: str, param: str = "", refused: bool = False, asked: bool = True) -> None:
        super().__init__(reason)
        self.asked = asked
        """False: no attempt was made."""
        self.reason = reason
        self.param = param
        self.refused = refused
        """The server understood and will not: asking again as it is does not help."""
        self.about_content = refused and bool(_CONTENT.search(reason))
        """It is the question's words that it objects to."""


class Answered(NamedTuple):
    """A reply and what it took."""

    value: Any
    reply: Mapping[str, Any]
    usage: Usage
    """Of all attempts: a reply that cannot be used is paid as well, where it tells its tokens."""
    seconds: float
    """Of the attempt that succeeded."""
    attempts: int


@dataclass(slots=True)
class Tally:
    """What happened on the wire, for the manifest; only one run's, and only this sitting's."""

    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class _Again(Exception):
    """This attempt failed; ``wait`` is what the server asked for, ``throttled`` that it said 'too many', ``paid`` what
    the useless reply tells to have taken."""

    def __init__(
        self, reason: str, kind: str, wait: float | None = None, throttled: bool = False, paid: Usage | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.kind, self.wait, self.throttled, self.paid = reason, kind, wait, throttled, paid


class Caller:
    """Makes calls for one stream of requests."""

    def __init__(
        self, settings: Settings, clients: list[AsyncOpenAI], redactor: Redactor, budget: Budget, tally: Tally
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._next = 0
        self._redactor = redactor
        self._budget = budget
        self._tally = tally
        self._in_flight = 0
        self.pacer = Pacer(settings.connections, settings.rpm, settings.patience)

    async def call(self, path: str, body: Body, read: Callable[[Mapping[str, Any]], T]) -> Answered:
        """Post the body until ``read`` accepts the reply.

        Raises:
            CallFailed: refused, tried too often, or nothing more is asked of this server.
        """
        reason, wasted = "", Usage()
        for attempt in range(self._settings.retries + 1):
            await self.pacer.enter()
            try:
                self._check(attempt)
                started = time.perf_counter()
                reply = await self._post(path, body)
                value = self._read(reply, read)
                self.pacer.succeeded()
                usage = added(wasted, self._budget.charge(read_usage(reply)))
                return Answered(value, reply, usage, round(time.perf_counter() - started, 6), attempt + 1)
            except _Again as fault:
                reason, wasted = fault.reason, added(wasted, fault.paid)
                self._note(fault)
            finally:
                self.pacer.leave()
            if attempt < self._settings.retries:
                await self.pacer.sleep(back_off(attempt))
        self.pacer.lost(reason)
        raise CallFailed(f"{reason} ({self._settings.retries + 1} attempts)")

    def _check(self, attempt: int) -> None:
        stopped = self.pacer.reason or self._budget.used_up(self._in_flight)
        if stopped:
            raise CallFailed(stopped, asked=attempt > 0)

    def _note(self, fault: _Again) -> None:
        self._tally.faults[fault.kind] += 1
        self.pacer.failed(fault.reason)
        if fault.throttled:
            self.pacer.throttled(fault.wait)

    async def _post(self, path: str, body: Body) -> Mapping[str, Any]:
        """One attempt; the reply as a JSON object."""
        import httpx2
        import openai

        client = self._clients[self._next % len(self._clients)]
        self._next += 1
        self._tally.calls += 1
        self._in_flight += 1
        try:
            async with asyncio.timeout(self._settings.timeout):
                response = await client.post(path, cast_to=httpx2.Response, body=body)
        except (TimeoutError, openai.APITimeoutError):
            raise _Again(f"no answer within {self._settings.timeout:g} s", "timeout") from None
        except openai.APIStatusError as error:
            raise self._judge(error) from None
        except openai.APIConnectionError as error:
            cause = self._redactor.error(str(error.__cause__ or error)) or type(error.__cause__).__name__
            raise _Again(f"no connection ({cause})", "connection") from None
        finally:
            self._in_flight -= 1
        try:
            reply = whole(json.loads(response.content))
        except (ValueError, RecursionError):  # nested hundreds deep
            page = response.content.lstrip().startswith(b"<")
            hint = " but a web page: has base_url the path of the API, such as /v1?" if page else ""
            raise _Again(f"a reply that is no JSON{hint}", "reply") from None
        if not isinstance(reply, dict):
            raise _Again("a reply that is no JSON object", "reply")
        return reply

    def _read(self, reply: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> T:
        try:
            return read(reply)
        except Malformed as error:
            said = reply.get("error")
            text = f": {self._redactor.error(json.dumps(said, ensure_ascii=False))}" if said else ""
            told = read_usage(reply)
            paid = self._budget.charge(told) if told != Usage() else None
            raise _Again(f"{self._redactor.error(str(error))}{text}", "reply", paid=paid) from None

    def _judge(self, error: APIStatusError) -> Exception:
        """What an HTTP error means: try again, give this request up, or stop altogether."""
        status, body = error.status_code, error.body
        said = body if isinstance(body, Mapping) else {}
        message = said.get("message")
        if not isinstance(message, str):  # in a list, in a form of its own, or a proxy's web page
            message = _TAGS.sub(" ", error.response.text).strip() or error.message
        reason = f"HTTP {status}: {self._redactor.error(str(message)).rstrip('.')}"  # a sentence goes on after it
        if "chat template" in reason and self._settings.mode == "chat":
            reason = f"{reason}: mode=completions asks without one"
        wait = retry_after(error.response.headers)
        hopeless = (
            (status in HOPELESS and not (status == 403 and _THIS_ONE.search(reason)))
            or said.get("code") == "insufficient_quota"
            or (status == 404 and not self.pacer.any_success)
        )
        if wait is not None and wait > self._settings.max_wait:
            reason, hopeless = (
                f"{reason} (the server asks to wait {wait:.0f} s, max_wait is {self._settings.max_wait:g})",
                True,
            )
        if hopeless:
            self._tally.faults[f"http {status}"] += 1
            self.pacer.stop(reason)
            return CallFailed(reason)
        if status >= 500 or status in RETRIED:
            return _Again(reason, f"http {status}", wait, throttled=status == 429 or wait is not None)
        self._tally.faults[f"http {status}"] += 1
        param = str(said.get("param") or "")
        if "temperature" in (param or reason) and self._settings.send_temperature:
            reason = f"{reason}: temperature=default sends none"
        return CallFailed(reason, param=param, refused=True)


def whole(value: Any) -> Any:
    """JSON with every half of a character, which a server that cuts a text within an emoji sends, replaced: no file
    could hold it."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [whole(part) for part in value]
    return {whole(key): whole(part) for key, part in value.items()} if isinstance(value, dict) else value


def back_off(attempt: int) -> float:
    """Seconds to wait after an attempt, counted from 0: doubling to 20, with jitter so that calls come apart."""
    return float(min(20.0, 0.25 * 2.0**attempt) * random.uniform(0.5, 1.0))


@contextmanager
def proxies_checked() -> Iterator[None]:
    """What the HTTP library says of the proxies in the environment, which it takes up as a client is made.

    Raises:
        BadConfig: it cannot use one of them.
    """
    try:
        yield
    except (ImportError, ValueError) as error:
        raise BadConfig(
            "The proxy that the environment names (ALL_PROXY, HTTPS_PROXY, HTTP_PROXY) cannot be used.",
            "Name an http:// proxy there, or none; for socks5:// run: pip install socksio.",
        ) from error


@asynccontextmanager
async def open_clients(settings: Settings) -> AsyncIterator[list[AsyncOpenAI]]:
    """Clients enough for all connections, closed at the end. They do not retry: :class:`Caller` does."""
    import ssl

    import httpx2
    import openai

    context = ssl.create_default_context()
    limit = httpx2.Timeout(settings.timeout, connect=min(settings.timeout, 10.0))
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(-(-settings.connections // POOL)):
            with proxies_checked():
                http = openai.DefaultAsyncHttpxClient(
                    verify=context, timeout=limit, trust_env=not is_loopback(settings.base_url),
                    limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
                )  # fmt: skip
            client = openai.AsyncOpenAI(
                api_key=settings.key or "none",
                base_url=settings.base_url,
                max_retries=0,
                timeout=limit,
                http_client=http,
            )
            clients.append(await stack.enter_async_context(client))
        yield clients
