"""From an example to the text a model sees: its own chat template, our instruction layout, plain, or a Jinja file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchctl.errors import BadConfig
from benchctl.prompts import delimiter
from benchctl.thinking import said
from benchctl.types import Message

from ..models.encoding import Encoder
from ..models.thinking import UNKNOWN, Thinking
from .examples import Example

VARIABLES = ("instruction", "input", "system", "messages", "row")
"""What a template of one's own may use; ``messages`` are the turns before the answer, ``row`` the raw columns."""
_MARK = "zqanswerzq"
"""Stands for an answer while looking for what a chat template writes behind one."""

Layout = Callable[[Example], str]


class Rendered(NamedTuple):
    """An example as text."""

    prompt: str
    answer: str
    """Exactly as it follows the prompt, the space in front and the template's end of turn included."""
    rejected: str | None = None


class Template:
    """Renders every example of one training."""

    def __init__(self, name: str, tokenizer: Any) -> None:
        """As :attr:`DataSection.template` names it.

        Raises:
            BadConfig: no such template, or the model has none.
        """
        has_chat = bool(getattr(tokenizer, "chat_template", None))
        if name == "chat" and not has_chat:
            raise BadConfig("The base has no chat template.", "Set data.template=instruction, plain or a Jinja file.")
        self.name = name if name != "auto" else "chat" if has_chat else "as asked, or instruction"
        self._chat = has_chat and name in ("auto", "chat")
        self._encoder = Encoder(tokenizer, 0, Thinking.of(tokenizer, "on") if self._chat else UNKNOWN)
        self._tail = _tail(tokenizer) if self._chat else ""
        self._layout: Layout = {"plain": _plain, "instruction": _instruction, "auto": _auto, "chat": _auto}.get(
            name
        ) or _own(name)

    def render(self, example: Example) -> Rendered:
        """The example's prompt as a run would show it, and the answer as it follows.

        A model that can think is told not to, unless the answer holds its thinking.

        Raises:
            BadConfig: a template of one's own uses what is not there.
        """
        if self._chat:
            thinks = said(example.answer) != example.answer
            prompt = self._encoder.render(_messages(example), free=thinks)
        else:
            prompt = self._layout(example)
        rejected = None if example.rejected is None else self._answer(example.rejected, prompt)
        return Rendered(prompt, self._answer(example.answer, prompt), rejected)

    def _answer(self, text: str, prompt: str) -> str:
        if self._chat:
            begun = prompt.rstrip().endswith("<think>")  # by the template: the answer's own tag would be a second one
            return (text.strip().removeprefix("<think>").lstrip() if begun else text.strip()) + self._tail
        # An answer that begins with white space brings its own; a blank one stays as blank as it is.
        text = text.rstrip() if text.strip() else text
        return ("" if text[:1].isspace() else delimiter(prompt)) + text


def _messages(example: Example) -> tuple[Message, ...]:
    system = (Message("system", example.system),) if example.system else ()
    asked = "\n\n".join(part for part in (example.question, example.input) if part)
    return (*system, *example.history, Message("user", asked))


def _auto(example: Example) -> str:
    return _plain(example) if example.complete else _instruction(example)


def _plain(example: Example) -> str:
    turns = [message.content for message in example.history]
    return "\n\n".join(part for part in (example.system, *turns, example.question, example.input) if part)


def _instruction(example: Example) -> str:
    turns = [f"{'Resposta' if m.role == 'assistant' else 'Instrução'}:\n{m.content}" for m in example.history]
    topic = f"Contexto:\n{example.input}" if example.input else ""
    parts = (example.system, *turns, f"Instrução:\n{example.question}", topic, "Resposta:")
    return "\n\n".join(part for part in parts if part)


def _own(name: str) -> Layout:
    """A Jinja file, in a sandbox.

    Raises:
        BadConfig: no such file, or no template.
    """
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    if not Path(name).is_file():
        raise BadConfig(f"There is no template '{name}'.", "Use auto, chat, instruction, plain or a Jinja file.")
    try:
        source = Path(name).read_text(encoding="utf-8")
        compiled = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False).from_string(source)
    except (TemplateError, UnicodeDecodeError) as error:
        raise BadConfig(f"Template {name}: {error}.", "It must be a Jinja template in UTF-8.") from error

    def layout(example: Example) -> str:
        turns = [{"role": message.role, "content": message.content} for message in _messages(example)]
        values = {"input": example.input, "system": example.system, "messages": turns, "row": example.row}
        try:
            return compiled.render(instruction=example.question, **values)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            reason = f"{error} ({example.place})"
            raise BadConfig(f"Template {name}: {reason}.", f"It may use {', '.join(VARIABLES)}.") from error

    return layout


def _tail(tokenizer: Any) -> str:
    """What the chat template writes behind an answer: its end of turn, without white space after it."""
    turns = [{"role": "user", "content": "u"}, {"role": "assistant", "content": _MARK}]
    text = str(tokenizer.apply_chat_template(turns, tokenize=False))
    after = text.rpartition(_MARK)[2]
    if _MARK not in text:
        raise BadConfig("The base's chat template leaves out the answer.", "Set data.template=instruction or plain.")
    return after.rstrip()
