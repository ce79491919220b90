"""Requests as the JSON the API takes, and replies read with suspicion: what is missing is a fault, never an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchctl.types import Message, Prompt, Usage

from ..thinking import SWITCHES
from .secrets import Redactor
from .settings import Settings

Body = dict[str, Any]
FORMAT = "response_format"
TOP = 20
"""Most likely tokens asked for; the most that OpenAI gives."""
ROUNDING = 0.01
"""How far above 0 half precision may put the log-probability of what is all but certain, in nats."""
MOST_TOKENS = 1e12
"""Of one call: a greater count is a server's slip, and no cost could be made of it."""

_NO_SYSTEM = re.compile(
    r"system role|role.{0,9}system|roles must alternate|only user\b.{0,30} roles|developer instruction|"
    r"system (?:messages?|instructions?) (?:is|are) not|not support.{0,20}system",
    re.I,
)
"""How servers and the templates they serve refuse a system turn."""


_MOST_TOP = re.compile(r"(?:less than or equal to|at most|<=|max\w*\b[^\d.]{0,20}|\[0, ?|between 0 and)\s*(\d+)", re.I)
"""How servers say how many of the most likely tokens they list."""


class Malformed(Exception):
    """A reply that does not hold what was asked for; asking again may help."""


class Written(NamedTuple):
    """A generated answer."""

    text: str
    finish_reason: str | None


class Likely(NamedTuple):
    """One of the most likely first tokens."""

    token: str
    nats: float


@dataclass(frozen=True, slots=True)
class Echo:
    """The tokens of a text that the server scored."""

    nats: tuple[float | None, ...]
    """None where the server has no figure: at the first token."""
    ends: tuple[int, ...]
    """Where each token ends in the text, in characters."""
    bos: bool
    """Whether the server put a beginning-of-text token in front."""

    def after(self, place: int, end: int) -> list[float | None]:
        """The figures of the tokens that reach beyond ``place`` and not beyond ``end``."""
        return [n for n, e in zip(self.nats, self.ends, strict=True) if place < e <= end]


class Wire:
    """Bodies and replies for one model; learns which name the server has for the length limit."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chat = settings.mode == "chat"
        self.path = "/chat/completions" if self._chat else "/completions"
        self._limit_name = "max_tokens"
        self._system = True
        self._top = TOP
        self._stops = True
        self.form: Mapping[str, Any] | None = None
        """The JSON schema that written answers are held to, where the server can."""

    def written(
        self, prompt: Prompt, max_tokens: int, temperature: float, stop: Sequence[str] = (), draw: int = 0
    ) -> Body:
        """Ask for a free answer; each draw has a seed of its own, where there is one."""
        stops = {"stop": list(stop)[:4]} if stop and self._stops else {}
        body = {**self._asked(prompt, max_tokens, temperature), **stops}
        if "seed" in body:
            body["seed"] += draw
        if self.form is None or not self._chat:
            return body
        form = {"name": "answer", "strict": True, "schema": dict(self.form)}
        return {**body, FORMAT: {"type": "json_schema", "json_schema": form}}

    def likely(self, prompt: Prompt) -> Body:
        """Ask for the most likely first tokens."""
        wanted: Body = {"logprobs": True, "top_logprobs": self._top} if self._chat else {"logprobs": self._top}
        return {**self._asked(prompt, 1, 0.0), **wanted}

    def echo(self, text: str) -> Body:
        """Ask how likely each token of a text is (completions only)."""
        return {**self._asked(text, 1, 0.0), "echo": True, "logprobs": 1}

    def learn(self, param: str, message: str) -> None:
        """Take a refusal to heart: newer models call the length limit ``max_completion_tokens``, some chat templates
        know no system turn, some servers hold no answer to a schema or list fewer of the likely tokens, and models that
        think take no stop strings."""
        if "max_completion_tokens" in message and param in ("max_tokens", ""):
            self._limit_name = "max_completion_tokens"
        if _NO_SYSTEM.search(message):
            self._system = False
        if param == FORMAT or FORMAT in message or "json_schema" in message:
            self.form = None
        if param == "stop" or "'stop'" in message:
            self._stops = False  # the answer is cut at them when it is read
        if "logprobs" in f"{param} {message}" and (most := _MOST_TOP.search(message)):
            self._top = min(self._top, int(most[1])) or self._top

    def _asked(self, prompt: Prompt, max_tokens: int, temperature: float) -> Body:
        settings = self._settings
        body: Body = {"model": settings.model, self._limit_name: max_tokens}
        if self._chat:
            turns = (Message("user", prompt),) if isinstance(prompt, str) else prompt
            if not self._system and turns[0].role == "system":
                turns = (Message("user", f"{turns[0].content}\n\n{turns[1].content}"), *turns[2:])
            body["messages"] = [{"role": turn.role, "content": turn.content} for turn in turns]
        else:
            body["prompt"] = prompt if isinstance(prompt, str) else "\n\n".join(m.content for m in prompt)
        if settings.send_temperature:
            body["temperature"] = temperature if settings.temperature is None else settings.temperature
        if settings.thinking is not None:
            body["chat_template_kwargs"] = dict.fromkeys(SWITCHES, settings.thinking)
        return body if settings.seed is None else {**body, "seed": settings.seed}

    def read_written(self, reply: Mapping[str, Any], stop: Sequence[str]) -> Written:
        """The text of a reply, without the stop string should the server have left it in.

        Raises:
            Malformed: no choices, or neither a text nor a reason why there is none.
        """
        choice = _choice(reply)
        reason = choice.get("finish_reason")
        thought = False
        if self._chat:
            message = _mapping(choice.get("message"), "message")
            text = _joined(message.get("content"))
            text = message.get("refusal") if text is None else text
            thought = bool(message.get("reasoning_content") or message.get("reasoning"))
        else:
            text = choice.get("text")
        if text is None and (reason in ("length", "content_filter") or (thought and reason == "stop")):
            text = ""  # all words went into hidden thinking, or the service kept the answer back: an answer of no words
        if not isinstance(text, str):
            raise Malformed("a reply without a text")
        ends = [place for s in stop if s and (place := text.find(s)) >= 0]
        if ends:
            return Written(text[: min(ends)], "stop")
        return Written(text, reason if isinstance(reason, str) else None)

    def read_likely(self, reply: Mapping[str, Any]) -> list[Likely] | None:
        """The most likely first tokens; None when the server gives no log-probabilities.

        Raises:
            Malformed: no choices, or a log-probability that is none.
        """
        found: Any = _choice(reply).get("logprobs")
        try:
            if self._chat:
                tops = found["content"][0]["top_logprobs"]
                return [Likely(str(t["token"]), _nats(t["logprob"])) for t in tops] or None
            return [Likely(str(t), _nats(n)) for t, n in found["top_logprobs"][0].items()] or None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
            return None

    def read_echo(self, reply: Mapping[str, Any], text: str) -> Echo | None:
        """The scored tokens of the text; None when the server does not echo with log-probabilities.

        Raises:
            Malformed: no choices, or a log-probability that is none.
        """
        found: Any = _choice(reply).get("logprobs")
        try:
            starts = [int(place) for place in found["text_offset"]]
            nats = tuple(None if n is None else _nats(n) for n in found["token_logprobs"])
            tokens = [str(token) for token in found.get("tokens") or ()]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None
        ends = spelt(tokens, text)
        if ends is None:
            if tokens and starts == [sum(map(len, tokens[:i])) for i in range(len(tokens))]:
                return None  # they only add up lengths of tokens that do not spell the text
            ends = (*starts[1:], max(len(text), starts[-1]) + (starts[-1] >= len(text))) if starts else ()
        if len(nats) != len(ends) or not ends or starts[0] != 0 or ends[-1] < len(text):
            return None
        return Echo(nats, ends, bos=len(ends) > 1 and ends[0] == 0)


def spelt(tokens: Sequence[str], text: str) -> tuple[int, ...] | None:
    """Where each token ends in a text, by the tokens themselves: vLLM's offsets count the letters of a
    beginning-of-text token, which the text does not have, and of each piece of a character.

    Returns:
        Places in characters; 0 for a beginning-of-text token, beyond the text for what was written after it. None where
        the tokens do not spell the text.
    """
    bos = bool(tokens) and (not tokens[0] or not (_piece(tokens[0]) or text.startswith(tokens[0])))
    ends = [0] if bos else []
    place = pieces = 0
    for token in tokens[len(ends) :]:
        if place < len(text) and _piece(token):
            pieces += 1
            continue
        found = text.find(token, place, place + pieces + len(token)) if place < len(text) else len(text)
        if found < 0 and len(text) - place <= pieces:
            found = len(text)  # the text ends in pieces, and this was written after it
        if found < 0:
            return None
        end = found + len(token) if found < len(text) else len(text) + 1
        ends += [found if found > place else end] * pieces + [end]
        place, pieces = end, 0
    if place < len(text) and not 0 < len(text) - place <= pieces:
        return None
    return (*ends, *[len(text)] * pieces)


def _piece(token: str) -> bool:
    """Whether a token is part of a character, whose letters are not known."""
    return not token or "\ufffd" in token or token.startswith("bytes:")


def read_usage(reply: Mapping[str, Any]) -> Usage:
    """What the reply says it cost; zeros where it says nothing."""
    found = reply.get("usage")
    counts = found if isinstance(found, Mapping) else {}
    return Usage(_count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens")))


def served_by(reply: Mapping[str, Any], redactor: Redactor) -> dict[str, str]:
    """What the server says it is, for the response's detail: kept with each answer, it outlives the sitting and shows
    which answers are whose when a provider puts another model behind the name."""
    names = {"served_model": reply.get("model"), "system_fingerprint": reply.get("system_fingerprint")}
    return {name: redactor.error(said) for name, said in names.items() if isinstance(said, str)}


def _choice(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Malformed("a reply without choices")
    choice = _mapping(choices[0], "choice")
    fault = choice.get("error")
    if fault or choice.get("finish_reason") == "error":  # a router says so of the provider behind it
        said = fault.get("message") if isinstance(fault, Mapping) else fault
        raise Malformed(f"a reply that failed on its way{f': {said}' if said else ''}")
    return choice


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Malformed(f"a reply without a {what}")
    return value


def _nats(value: Any) -> float:
    """A log-probability.

    Raises:
        Malformed: it is above 0, as probabilities in its place are: all labels would weigh the same.
    """
    nats = float(value)
    if nats > ROUNDING:
        raise Malformed(f"a reply with a log-probability above 0 ({nats:g})")
    return nats


def _joined(content: Any) -> Any:
    """Some servers give a text in parts."""
    if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        return "".join(str(part.get("text") or "") for part in content)
    return content


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < MOST_TOKENS else 0
