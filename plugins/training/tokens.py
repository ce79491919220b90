"""From texts to token ids: the answer's own tokens marked, the end of text learnt, long rows cut and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from benchctl.errors import BadConfig

from ..models.encoding import Encoder
from .templates import Rendered

BATCH = 2000
"""Texts given to the tokenizer at once."""


class Row(NamedTuple):
    """One tokenised row."""

    columns: dict[str, Any]
    """What the trainer reads."""
    length: int
    """Tokens before cutting: prompt and answer; of a preference, with the longer answer; for an encoder-decoder the
    longer of the two, each of which may have ``max_length``."""
    tokens: int
    """Of prompt and answer after cutting; of a preference, with the longer answer."""
    learnt: int
    """Tokens of the answer that are left after cutting; 0: nothing to learn, the row is left out."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Turns rendered examples into what a trainer reads."""

    tokenizer: Any
    max_length: int
    answer_only: bool

    def __post_init__(self) -> None:
        if self.tokenizer.eos_token_id is None:
            raise BadConfig(
                "The base's tokenizer has no end-of-text token.", "Without one a model never learns to stop."
            )

    @property
    def _eos(self) -> int:
        return int(self.tokenizer.eos_token_id)

    def causal(self, texts: Sequence[Rendered]) -> list[Row]:
        """``input_ids`` and ``completion_mask`` (1 where the loss counts) of every row.

        Prompt and answer are tokenised together, as a run scores them; the answer begins where the tokens part from
        those of the prompt alone.
        """
        prompts = self._opened([text.prompt for text in texts])
        wholes = self._opened([text.prompt + text.answer for text in texts])
        return [self._causal(prompt, whole) for prompt, whole in zip(prompts, wholes, strict=True)]

    def _causal(self, prompt: list[int], whole: list[int]) -> Row:
        ids = self._ended(whole)
        begin = shared_start(prompt, ids) if self.answer_only else 0
        cut = ids[: self.max_length]
        mask = [0] * min(begin, len(cut)) + [1] * (len(cut) - begin)
        return Row({"input_ids": cut, "completion_mask": mask}, len(ids), len(cut), sum(mask))

    def seq2seq(self, texts: Sequence[Rendered]) -> list[Row]:
        """``input_ids`` for the encoder, ``labels`` for the decoder; each may have ``max_length`` tokens."""
        prompts = self._encode([text.prompt for text in texts])
        answers = self._encode([text.answer for text in texts], special=False)
        rows = []
        for prompt, answer in zip(prompts, answers, strict=True):
            labels = self._ended(answer)
            kept = prompt[: self.max_length]
            if len(prompt) > self.max_length and prompt[-1] == self._eos:
                kept[-1] = self._eos  # the encoder always sees the end, as the tokenizer's own cutting has it
            cut = labels[: self.max_length]
            rows.append(
                Row({"input_ids": kept, "labels": cut}, max(len(prompt), len(labels)), len(kept) + len(cut), len(cut))
            )
        return rows

    def preference(self, texts: Sequence[Rendered]) -> list[Row]:
        """``prompt``, ``chosen`` and ``rejected`` as texts: trl tokenises them itself, adds the end and cuts them."""
        prompts = [self._unbegun(text.prompt) for text in texts]
        alone = self._opened(prompts)
        chosen = self._opened([p + text.answer for p, text in zip(prompts, texts, strict=True)])
        rejected = self._opened([p + (text.rejected or "") for p, text in zip(prompts, texts, strict=True)])
        rows = []
        for prompt, text, before, good, bad in zip(prompts, texts, alone, chosen, rejected, strict=True):
            columns = {"prompt": prompt, "chosen": text.answer, "rejected": text.rejected}
            good, bad = self._ended(good), self._ended(bad)
            begin = min(shared_start(before, good), shared_start(before, bad))
            learnt = min(len(good), self.max_length) - begin
            longer = max(len(good), len(bad))
            rows.append(Row(columns, longer, min(longer, self.max_length), max(0, learnt)))
        return rows

    def _encode(self, texts: Sequence[str], special: bool = True) -> list[list[int]]:
        return _in_parts(texts, partial(Encoder(self.tokenizer, self.max_length).encode, special=special))

    def _opened(self, texts: Sequence[str]) -> list[list[int]]:
        """Without an end that the tokenizer adds by itself: behind one that the template wrote it would be a second."""
        return _in_parts(texts, Encoder(self.tokenizer, self.max_length).opened)

    def _ended(self, ids: list[int]) -> list[int]:
        return ids if ids and ids[-1] == self._eos else [*ids, self._eos]

    def _unbegun(self, prompt: str) -> str:
        """Without the beginning-of-text token that the tokenizer will put there again."""
        bos = self.tokenizer.bos_token
        if not bos or not prompt.startswith(bos):
            return prompt
        bare = prompt.removeprefix(bos)
        return bare if self.tokenizer(bare)["input_ids"][:1] == [self.tokenizer.bos_token_id] else prompt


def _in_parts(texts: Sequence[str], encode: Callable[[Sequence[str]], list[list[int]]]) -> list[list[int]]:
    found: list[list[int]] = []
    for start in range(0, len(texts), BATCH):
        found += encode(texts[start : start + BATCH])
    return found


def shared_start(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens the two have in common from the beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
