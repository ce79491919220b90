"""Keeps the API key out of everything that is written down or shown."""

from __future__ import annotations

import os
import re

from benchctl.errors import BadConfig
from benchctl.model import ModelArgs

MARK = "[key]"
PIECE = 8
"""A piece of the key this long, said back by a server, is taken out of error texts too."""

NAMED = ("api_key", "key", "auth_token", "token", "password", "secret", "authorization")
"""Options that can hold nothing else."""
_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;)]+")
_KEY_LIKE = re.compile(r"\bsk-[\w*.-]{3,}")


def refuse_secrets(args: ModelArgs, hint: str) -> None:
    """The command line is kept in records and shell histories: no key may stand there, and no message repeats it.

    Raises:
        BadConfig: one does.
    """
    secrets = [value for name, value in os.environ.items() if name.endswith(("_KEY", "_TOKEN")) and len(value) >= PIECE]
    if any(name in NAMED for name in args.options) or any(secret in args.spec for secret in secrets):
        raise BadConfig("A key stands in the model's options; it must come from the environment.", hint)


class Redactor:
    """Takes the key out of texts that came from outside."""

    def __init__(self, key: str) -> None:
        self._key = key

    def answer(self, text: str) -> str:
        """A model's own words: only the whole key is taken out. A placeholder such as ``EMPTY`` is no secret."""
        return text.replace(self._key, MARK) if len(self._key) >= PIECE else text

    def error(self, text: str) -> str:
        """What went wrong, on one line of at most 300 characters, without the key, its pieces or any like it."""
        if self._key:
            text = self._pieces(text.replace(self._key, MARK))
        text = _KEY_LIKE.sub(MARK, _HEADER.sub(rf"\1 {MARK}", text))
        return " ".join(text.split())[:300]

    def _pieces(self, text: str) -> str:
        found: list[str] = []
        place = 0
        while place < len(text):
            end = place + PIECE
            if len(text) >= end and text[place:end] in self._key:
                while end < len(text) and text[place : end + 1] in self._key:
                    end += 1
                found.append(MARK)
                place = end
            else:
                found.append(text[place])
                place += 1
        return "".join(found)
