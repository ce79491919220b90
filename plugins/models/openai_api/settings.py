"""The options of ``openai:MODEL,...``: which fix the answers, and which only say how they are fetched."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from benchctl.errors import BadConfig, MissingExtra
from benchctl.model import ModelArgs

from .secrets import refuse_secrets

ANSWERS = {"base_url": "", "mode": "chat", "choose_by": "auto", "temperature": "", "seed": "", "thinking": ""}
"""Options that can change an answer: part of the run's identity."""
FETCHING = {
    "connections": "64", "timeout": "60", "retries": "10", "rpm": "0", "max_wait": "120", "patience": "60",
    "key_env": "OPENAI_API_KEY", "max_cost": "", "batch": "false", "poll": "30",
}  # fmt: skip
"""Options that cannot: another value goes on with the same run."""
DEFAULT_URL = "https://api.openai.com/v1"
MODES = ("chat", "completions")
CHOOSE_BY = ("auto", "logprobs", "generation")
SERVERS_OWN = "server's default"
"""What the manifest says of the temperature where none is sent."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options, checked."""

    model: str
    spec: str
    """The spec as the record has it: only what fixes the answers, nothing secret."""
    base_url: str
    mode: str
    choose_by: str
    temperature: float | None
    """Sent instead of the request's; None: the request's."""
    send_temperature: bool
    seed: int | None
    thinking: bool | None
    """What a chat template is told; None: nothing."""
    connections: int
    timeout: float
    """Seconds one call may take, from connecting to the last byte."""
    retries: int
    """Attempts after the first."""
    rpm: float
    """Calls started per minute at most; 0: no limit."""
    max_wait: float
    """Longest wait, in seconds, that a server may ask for."""
    patience: float
    """Seconds without a single success after which nothing more is asked."""
    max_cost: float | None
    batch: bool
    poll: float
    """Seconds between two looks at a batch."""
    key: str = field(repr=False)

    @classmethod
    def read(cls, args: ModelArgs) -> Self:
        """Check what stands on the command line.

        Raises:
            BadConfig: an unknown option or value, a secret on the command line, or no key where one is needed.
            MissingExtra: the package openai is not there.
        """
        refuse_secrets(args, "Put it in OPENAI_API_KEY, or in another variable that you name with key_env=NAME.")
        taken = args.take({**ANSWERS, **FETCHING})
        if not args.target:
            raise BadConfig("The backend 'openai' needs a model.", "Write --model openai:MODEL[,base_url=URL].")
        url = _checked_url(taken["base_url"] or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL)
        given = [f"{k}={url if k == 'base_url' else v}" for k, v in args.options.items() if k in ANSWERS]
        temperature = taken["temperature"]
        return cls(
            model=args.target, spec=",".join([f"openai:{args.target}", *sorted(given)]), base_url=url,
            mode=_one_of("mode", taken["mode"], MODES), choose_by=_one_of("choose_by", taken["choose_by"], CHOOSE_BY),
            temperature=_number("temperature", temperature, 0) if temperature not in ("", "default") else None,
            send_temperature=temperature != "default",
            seed=_whole("seed", taken["seed"], 0) if taken["seed"] else None,
            thinking=_thinking(taken["thinking"], taken["mode"]),
            connections=_whole("connections", taken["connections"], 1),
            timeout=_number("timeout", taken["timeout"], 0.01), retries=_whole("retries", taken["retries"], 0),
            rpm=_number("rpm", taken["rpm"], 0), max_wait=_number("max_wait", taken["max_wait"], 0),
            patience=_number("patience", taken["patience"], 0),
            max_cost=_number("max_cost", taken["max_cost"], 0) if taken["max_cost"] else None,
            batch=_one_of("batch", taken["batch"], ("true", "false")) == "true",
            poll=_number("poll", taken["poll"], 0.01),
            key=_find_key(taken["key_env"], url),
        )  # fmt: skip


def _thinking(value: str, mode: str) -> bool | None:
    if value and mode == "completions":
        raise BadConfig(
            "thinking= needs a chat template, which mode=completions does without.", "Leave one of them out."
        )
    return _one_of("thinking", value, ("on", "off")) == "on" if value else None


def require_openai() -> None:
    """See that the client is installed.

    Raises:
        MissingExtra: it is not.
    """
    from importlib.util import find_spec

    if find_spec("openai") is None:
        raise MissingExtra("openai", "openai", "Asking an OpenAI-compatible API")


def is_loopback(url: str) -> bool:
    """Whether the URL means this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_url(url: str) -> str:
    """The URL without a slash at its end.

    Raises:
        BadConfig: no http URL, or one with a user, password or query, which might be secret.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises where it is no number
    except ValueError:
        known = False
    if not known:
        raise BadConfig("The base_url is no http or https address.", "Write base_url=https://HOST[:PORT]/v1.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadConfig(
            "The base_url holds a user, a password, a query or a fragment, which would be written into the record.",
            "Write base_url=https://HOST[:PORT]/v1; the key goes into OPENAI_API_KEY.",
        )
    return url.rstrip("/")


def _find_key(name: str, url: str) -> str:
    key = os.environ.get(name, "").strip()
    if not key and not is_loopback(url):
        raise BadConfig(
            f"There is no API key in the environment variable {name}.",
            f"Set {name}, or name another one with key_env=NAME; any text will do for a server that asks for none.",
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise BadConfig(
            f"The API key in {name} holds a character that no key has, such as a curly quote or a line end.",
            f"Copy it again: {name} must hold the key alone.",
        )
    return key


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise BadConfig(f"{name}={value} is not known.", f"Write {name}={'|'.join(allowed)}.")
    return value


def _number(name: str, value: str, least: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not number >= least:
        raise BadConfig(
            f"{name}={value} is no number of at least {least:g}.", f"Write, for example, {name}={max(least, 1):g}."
        )
    return number


def _whole(name: str, value: str, least: int) -> int:
    number = _number(name, value, least)
    if not number.is_integer():
        raise BadConfig(f"{name}={value} is no whole number.", f"Write, for example, {name}={max(least, 1)}.")
    return int(number)
