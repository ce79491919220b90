"""What is said on the wire for each kind of request, and how the reply becomes a response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchctl.types import Choose, Generate, Perplexity, Response, Usage

from . import choosing
from .calling import Answered, Caller, CallFailed
from .costs import added
from .secrets import Redactor
from .wire import Body, Echo, Likely, Wire, Written, served_by

CHOICE_TOKENS = 256
"""Length limit of an answer from which a choice is read."""
NOTHING = Usage()
NO_ECHO = "the server does not echo a prompt with its log-probabilities"


class Ways:
    """How choices are answered: learnt from the first reply, then kept for the whole command."""

    def __init__(self, choose_by: str) -> None:
        self.choose_by = choose_by
        """``auto`` until it is known, then ``logprobs`` or ``generation``."""


class Asker:
    """Answers single requests of one stream; lives in its event loop."""

    def __init__(self, caller: Caller, wire: Wire, ways: Ways, redactor: Redactor) -> None:
        self._caller = caller
        self._wire = wire
        self._ways = ways
        self._redactor = redactor
        self._deciding = asyncio.Lock()

    async def generate(self, request: Generate) -> Response:
        """A free answer."""
        make = partial(
            self._wire.written, request.prompt, request.max_tokens, request.temperature, request.stop, request.draw
        )
        answered = await self._call(make, partial(self._wire.read_written, stop=request.stop))
        return self._written(answered, answered.usage, {})

    def _written(self, answered: Answered, usage: Usage, about: Mapping[str, Any]) -> Response:
        """The response that a generated answer is."""
        written: Written = answered.value
        return Response(
            text=self._redactor.answer(written.text), finish_reason=written.finish_reason, usage=usage,
            seconds=answered.seconds, detail={**about, **self._about(answered)},
        )  # fmt: skip

    async def label(self, request: Choose) -> Response:
        """One choice among labels; the first reply decides how all are answered, unless an option says so."""
        if self._ways.choose_by == "auto":
            async with self._deciding:
                if self._ways.choose_by == "auto":
                    return await self._decide(request)
        if self._ways.choose_by == "generation":
            return await self._by_generation(request)
        return await self._by_logprobs(request)

    async def _decide(self, request: Choose) -> Response:
        """Answer the first choice, and learn from it how the others are answered."""
        try:
            found = await self._by_logprobs(request)
        except CallFailed as failure:
            if not failure.refused or failure.about_content:
                raise  # it says nothing of how choices can be made: the next question may
            written = await self._by_generation(request)  # refused as well, as too long: it is the question's fault
            self._ways.choose_by = "generation"
            return written
        self._ways.choose_by = "generation" if found.error else "logprobs"
        return await self._by_generation(request, found.usage or NOTHING) if found.error else found

    async def _by_logprobs(self, request: Choose) -> Response:
        """By the first token's log-probabilities; an error when the server gives none."""
        answered = await self._call(partial(self._wire.likely, request.prompt), self._wire.read_likely)
        tops: list[Likely] | None = answered.value
        usage, seconds = answered.usage, answered.seconds
        if tops is None:
            return Response(error="the server gave no log-probabilities for this request", usage=usage)
        labels = [choice.strip() for choice in request.choices]
        weighed = choosing.weigh_labels(tops, labels)
        detail: dict[str, Any] = {"choose_by": "logprobs", **self._about(answered)}
        if weighed is None:  # no label is likely enough to be listed: the model says something else, so it names none
            detail["first"] = self._redactor.answer(max(tops, key=lambda top: top.nats).token)
            return Response(text="", usage=usage, seconds=seconds, detail={**detail, "unseen": labels})
        if weighed.unseen:
            detail["unseen"] = list(weighed.unseen)
        return Response(weighed.scores, usage=usage, seconds=seconds, detail=detail)

    async def _by_generation(self, request: Choose, before: Usage = NOTHING) -> Response:
        """By a written answer. ``before``: what asking for its log-probabilities has cost."""
        make = partial(self._wire.written, request.prompt, CHOICE_TOKENS, 0.0)
        answered = await self._call(make, partial(self._wire.read_written, stop=()))
        return self._written(answered, added(before, answered.usage), {"choose_by": "generation"})

    async def options(self, request: Choose) -> Response:
        """Whole options, by echo: a call per option."""
        prompt = str(request.prompt)
        scores, seconds, detail = [], 0.0, {"choose_by": "echo"}
        usage = NOTHING
        for choice in request.choices:
            answered = await self._echo(prompt + choice)
            usage = added(usage, answered.usage)
            score = choosing.weigh_option(answered.value, prompt, choice) if answered.value else None
            if score is None:
                return Response(error=NO_ECHO)
            scores.append(score)
            seconds += answered.seconds
            detail |= served_by(answered.reply, self._redactor)
        return Response(tuple(scores), usage=usage, seconds=round(seconds, 6), detail=detail)

    async def perplexity(self, request: Perplexity) -> Response:
        """A whole text, by echo."""
        if request.rolling:
            return Response(error="lm-eval's windows need the model's own tokenizer: use a local model")
        text = request.text
        answered = await self._echo(text)
        echo: Echo | None = answered.value
        if echo is None:
            return Response(error=NO_ECHO)
        scored = echo.after(0, len(text))  # a beginning-of-text token ends where the text begins, and is not among them
        nats = scored[0 if request.score_first else 1 :]
        if not nats or None in nats:
            return Response(error="the server gives no log-probability for the first token")
        known = [n for n in nats if n is not None]
        return Response(
            nats=sum(known), tokens=len(known), bytes=len(text.encode()), usage=answered.usage,
            seconds=answered.seconds,
            detail={**self._about(answered), **({"bos": True} if echo.bos else {})},
        )  # fmt: skip

    async def _echo(self, text: str) -> Answered:
        return await self._call(partial(self._wire.echo, text), partial(self._wire.read_echo, text=text))

    async def _call(self, make: Callable[[], Body], read: Callable[[Mapping[str, Any]], Any]) -> Answered:
        """A call, made again in the server's own terms for as long as it refuses ours and says what it wants."""
        while True:
            body = make()
            try:
                return await self._caller.call(self._wire.path, body, read)
            except CallFailed as failure:
                if failure.refused:
                    self._wire.learn(failure.param, failure.reason)
                if not failure.refused or make() == body:
                    raise

    def _about(self, answered: Answered) -> dict[str, Any]:
        """Who answered, and the attempts where there were several: for the response's detail."""
        attempts = {"attempts": answered.attempts} if answered.attempts > 1 else {}
        return {**served_by(answered.reply, self._redactor), **attempts}


def labels_asked(requests: Sequence[Choose], owners: Sequence[Any]) -> bool:
    """Whether all the requests choose among labels, and none among options' texts."""
    known = owners if len(owners) == len(requests) else [None] * len(requests)
    return all(choosing.asks_for_labels(request, owner) for request, owner in zip(requests, known, strict=True))
