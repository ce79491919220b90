"""From text to the engine's token ids: joint tokenising, beginning-of-text tokens, chat templates, cutting to fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchctl.errors import BadConfig
from benchctl.types import Choose, Generate, Message, Perplexity
from benchctl.types import Prompt as AskedPrompt

from .engine.items import Prompt, Row
from .thinking import UNKNOWN, Thinking

_MARK = "zqsystemzq"
"""Stands for a system turn while looking whether a chat template shows one."""


class DoesNotFit(Exception):
    """A choice is longer than the model's context; says which."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Turns requests into rows and prompts for one tokenizer."""

    tokenizer: Any
    max_length: int
    """Tokens the model can take in at once."""
    thinking: Thinking = UNKNOWN

    @property
    def stride(self) -> int:
        """Tokens by which the windows of a long text advance: what each scores after the first."""
        return self.max_length - self.max_length // 2

    @property
    def prefix(self) -> int:
        """The token that stands for the beginning of a text: bos, or eos where there is none."""
        found = self.tokenizer.bos_token_id
        return int(found if found is not None else self.tokenizer.eos_token_id)

    def render(self, prompt: AskedPrompt, *, free: bool) -> str:
        """The prompt as the text the model sees: a conversation through the model's own template.

        Args:
            prompt: a text, which stays as it is, or a conversation.
            free: whether the model may answer as it likes, thinking included; else what follows is given.

        Raises:
            BadConfig: the template is broken, or refuses such a conversation.
        """
        from jinja2 import TemplateError

        if isinstance(prompt, str):
            return prompt
        turns = [{"role": message.role, "content": message.content} for message in self._fold_system(prompt)]
        try:
            filled = self._filled(turns, free)
        except TemplateError as error:
            said = str(error).rstrip(".")
            roles = ", ".join(turn["role"] for turn in turns)
            raise BadConfig(
                f"The model's chat template cannot be filled in with the turns {roles}: {said}.",
                "Mend chat_template.jinja or tokenizer_config.json of its folder, or leave the template out: chat=off.",
            ) from error
        return self.thinking.settled(filled, free)

    def _filled(self, turns: Sequence[Mapping[str, Any]], free: bool) -> str:
        """The model's template with these turns in it.

        Those of models that also see often take what is said in parts only, and leave out a plain text without a word.

        Raises:
            BadConfig: what the user says is in it neither way.
        """
        fill = partial(self.tokenizer.apply_chat_template, tokenize=False, add_generation_prompt=True,
                       **self.thinking.told(free))  # fmt: skip
        filled, asked = str(fill(turns)), str(turns[-1]["content"]).strip()
        if asked in filled or _MARK in str(fill([{"role": "user", "content": _MARK}])):
            return filled
        filled = str(fill([{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in turns]))
        if asked in filled:
            return filled
        raise BadConfig(
            "The model's chat template leaves out what the user says.",
            "Mend chat_template.jinja or tokenizer_config.json of its folder, or leave the template out: chat=off.",
        )

    def choose(self, requests: Sequence[Choose]) -> list[tuple[list[Row], int]]:
        """For each request a row per choice and how many prompt tokens were cut on the left.

        Prompt and choice are tokenised together and split after the prompt's own tokens; white space at the prompt's
        end goes to the choice (as lm-eval 0.4 does, so that scores compare).

        Raises:
            DoesNotFit: a choice alone is longer than the context.
        """
        texts: list[str] = []
        for request in requests:
            prompt = self.render(request.prompt, free=False)
            kept = prompt.rstrip()
            texts += [kept, *(prompt + choice for choice in request.choices)]
        encoded = iter(self.opened(texts))
        found = []
        for request in requests:
            context = next(encoded)  # of an empty prompt: its special tokens, if any
            rows, cut = [], 0
            for choice in request.choices:
                row, lost = self._fit(context or [self.prefix], next(encoded)[len(context) :], choice)
                rows.append(row)
                cut = max(cut, lost)
            found.append((rows, cut))
        return found

    def perplexity(self, requests: Sequence[Perplexity]) -> list[list[Row]]:
        """For each text its windows: each token is scored once, with at least half a window before it where it can."""
        encoded = self.encode([request.text for request in requests], special=False)
        return [
            self.rolling(request.text)
            if request.rolling
            else self.windows([self.prefix, *tokens] if request.score_first else tokens)
            for request, tokens in zip(requests, encoded, strict=True)
        ]

    def rolling(self, text: str) -> list[Row]:
        """Rows as lm-eval's ``loglikelihood_rolling`` makes them.

        The text is encoded with the tokenizer's own special tokens and all of them are scored, the first one after the
        prefix token. A window sees nothing of the one before but its last token; the last one is filled up on the left.
        """
        (tokens,) = self.encode([text])
        rows = []
        for start in range(0, len(tokens), self.max_length):
            end = min(start + self.max_length, len(tokens))
            before = tokens[max(0, end - self.max_length - 1) : start] if start else [self.prefix]
            rows.append(Row(tuple(before), tuple(tokens[start:end])))
        return rows

    def windows(self, tokens: Sequence[int]) -> list[Row]:
        """Rows that score every token but the first."""
        rows: list[Row] = []
        done = 1
        while done < len(tokens):
            end = min(len(tokens), done + (self.max_length if done == 1 else self.stride))
            begin = max(0, end - self.max_length - 1)
            rows.append(Row(tuple(tokens[begin:done]), tuple(tokens[done:end])))
            done = end
        return rows

    def generate(self, requests: Sequence[Generate]) -> list[tuple[Prompt, int]]:
        """For each request its prompt, cut on the left so that the answer fits too, and how many tokens that cost."""
        encoded = self.opened([self.render(request.prompt, free=True) for request in requests])
        found = []
        for request, tokens in zip(requests, encoded, strict=True):
            room = max(1, self.max_length - request.max_tokens)
            kept = tuple(tokens[-room:] or [self.prefix])
            limit = min(request.max_tokens, self.max_length - len(kept))
            found.append((Prompt(kept, request.stop, limit, request.temperature), max(0, len(tokens) - room)))
        return found

    def _fit(self, context: Sequence[int], continuation: Sequence[int], choice: str) -> tuple[Row, int]:
        if len(continuation) > self.max_length:
            size = len(continuation)
            raise DoesNotFit(f"the choice '{choice[:40]}...' has {size} tokens, the model takes {self.max_length}")
        if not continuation:
            raise DoesNotFit(f"the choice '{choice}' adds no token to the prompt")
        room = self.max_length + 1 - len(continuation)
        return Row(tuple(context[-room:]), tuple(continuation)), max(0, len(context) - room)

    @property
    def ending(self) -> int:
        """Special tokens that the tokenizer puts behind every text, as one does that was saved with add_eos_token."""
        whole, bare = (self.tokenizer("a", add_special_tokens=given)["input_ids"] for given in (True, False))
        more = len(whole) - len(bare)
        return more - next((n for n in range(more + 1) if whole[n : n + len(bare)] == bare), more)

    def opened(self, texts: Sequence[str]) -> list[list[int]]:
        """As :meth:`encode`, of texts that go on: the tokenizer's special tokens behind them are left out."""
        ending = self.ending
        if not ending:
            return self.encode(texts)
        with_special, bare = self.encode(texts), self.encode(texts, special=False)
        return [one[:-ending] if one != plain else one for one, plain in zip(with_special, bare, strict=True)]

    def encode(self, texts: Sequence[str], special: bool = True) -> list[list[int]]:
        """Token ids, with the tokenizer's own special tokens unless the text already begins with them."""
        bos = self.tokenizer.bos_token
        begun = [not special or bool(bos and text.startswith(bos)) for text in texts]
        found: dict[bool, list[list[int]]] = {}
        for bare in (True, False):
            chosen = [text for text, b in zip(texts, begun, strict=True) if b is bare]
            if chosen:
                found[bare] = self.tokenizer(chosen, add_special_tokens=not bare, verbose=False)["input_ids"]
        parts = {bare: iter(ids) for bare, ids in found.items()}
        return [list(next(parts[bare])) for bare in begun]

    def _fold_system(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Put a system turn in front of the first question, for templates that refuse one or leave it out."""
        if messages[0].role != "system" or self._takes_system():
            return messages
        first = messages[1]
        return (Message(first.role, f"{messages[0].content}\n\n{first.content}"), *messages[2:])

    def _takes_system(self) -> bool:
        from jinja2 import TemplateError

        try:
            turns = [{"role": "system", "content": _MARK}, {"role": "user", "content": "u"}]
            return _MARK in self.tokenizer.apply_chat_template(turns, tokenize=False)
        except TemplateError:
            return False
