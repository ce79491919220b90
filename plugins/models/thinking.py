"""Whether a model is to think before it answers, told to it through its chat template."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

WANTED = ("auto", "on", "off")
"""``auto``: as the template does it by itself."""
SWITCHES = ("enable_thinking", "thinking")
"""Variables that templates ask: Qwen3, SmolLM3 and GLM the first, Granite and DeepSeek V3.1 the second."""
_OPENED = re.compile(r"(<think>)\s*\Z")


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a chat template can be told, and what it is to be told before a free answer.

    A choice is always scored as said without thinking: behind an open thought, or where the model would begin one, its
    letter is as unlikely as any other.
    """

    wanted: str = "auto"
    """One of :data:`WANTED`."""
    switches: tuple[str, ...] = ()
    """The variables that make a difference."""
    opened: bool = False
    """Whether the template begins the model's turn with ``<think>`` by itself."""
    begins: bool = False
    """Whether a free answer begins inside a thought, as told."""

    @classmethod
    def of(cls, tokenizer: Any, wanted: str) -> Thinking:
        """What the tokenizer's template can be told, found by trying."""
        from jinja2 import TemplateError

        def shown(**told: bool) -> str:
            turns = [{"role": "user", "content": "u"}]
            return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **told))

        try:
            switches = tuple(name for name in SWITCHES if shown(**{name: True}) != shown(**{name: False}))
            found = cls(wanted, switches, bool(_OPENED.search(shown())))
            asked = found.settled(shown(**found.told(free=True)), free=True)
            return replace(found, begins=bool(_OPENED.search(asked)))
        except TemplateError:  # told where a real conversation is filled in
            return cls(wanted)

    @property
    def known(self) -> bool:
        """Whether the template knows of thinking at all."""
        return bool(self.switches) or self.opened

    def told(self, free: bool) -> dict[str, bool]:
        """Values for the template's variables, before a free answer or a choice."""
        if free and self.wanted == "auto":
            return {}
        return dict.fromkeys(self.switches, free and self.wanted == "on")

    def settled(self, text: str, free: bool) -> str:
        """A filled template; a thought that it opened unasked is closed, empty as Qwen3's own template writes it."""
        if free and self.wanted != "off":
            return text
        return _OPENED.sub(r"\1\n\n</think>\n\n", text)

    def whole(self, text: str) -> str:
        """A free answer with the tag that the template wrote; without it a thought cut off would pass for an answer."""
        return f"<think>\n{text}" if self.begins else text


UNKNOWN = Thinking()
"""Of a model without a template, or whose template knows of none."""
