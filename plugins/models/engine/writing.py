"""Free answers in batches: what all prompts begin with is computed once, finished answers leave their batch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import header as headers
from .items import CannotShare, Prompt, Row, Written
from .numbers import Numbers
from .plain import PlainEngine
from .room import make_room
from .shared import refuse

if TYPE_CHECKING:
    import torch

STRETCH = 32
"""Tokens written before the finished answers are taken out of a batch."""
COUNTING = (
    "min_new_tokens",
    "begin_suppress_tokens",
    "forced_eos_token_id",
    "exponential_decay_length_penalty",
    "encoder_repetition_penalty",
    "encoder_no_repeat_ngram_size",
)
"""What ``generation_config`` may ask for by the place in the answer: a second stretch would count from its start."""


class Writer(PlainEngine):
    """Writes as :class:`PlainEngine` does, with transformers' own ``generate``, a stretch at a time.

    On CUDA transformers also has continuous batching (``generate_batch``); it is not used here.

    Raises:
        CannotShare: the model keeps no cache that rows can be taken out of; says why.
    """

    def __init__(self, plain: PlainEngine) -> None:
        refuse(plain.model)
        if hasattr(plain.model.base_model, "rope_deltas"):  # of the batch before, added to the positions of the next
            raise CannotShare("it carries positions from one call to the next")
        if (plain.model.generation_config.num_beams or 1) > 1:
            raise CannotShare("it searches with beams, which are more rows than prompts")
        super().__init__(plain.model, plain.tokenizer, plain.device, plain.budget.tokens)
        self.writing = plain.writing
        self._whole = any(getattr(self.model.generation_config, name, None) is not None for name in COUNTING)
        self._header: tuple[int, ...] = ()
        self._cache: Any = None

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Written]]:
        """For each prompt its index and what the model wrote."""
        longest = max((len(p.tokens) + p.max_tokens for p in prompts), default=0)
        window = getattr(self.model.config.get_text_config(), "sliding_window", None)
        apart = self.far(longest) or (window and longest > window)
        self._header = () if apart else headers.find([Row(p.tokens, (0,)) for p in prompts])
        self._cache = self._computed(self._header) if self._header else None
        yield from super().generate(prompts)

    def _computed(self, tokens: Sequence[int]) -> Any:
        """The keys and values of a beginning, as ``generate`` has them: some models count positions otherwise alone."""
        import torch

        ids = torch.tensor([tokens], device=self.device)
        with torch.inference_mode():
            return self.model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, do_sample=False, use_cache=True,
                pad_token_id=self._pad, return_dict_in_generate=True,
            ).past_key_values  # fmt: skip

    def _write_batch(self, prompts: Sequence[Prompt]) -> list[Written]:
        import torch

        size = len(self._header)
        shared = size if all(p.tokens[:size] == self._header and len(p.tokens) > size for p in prompts) else 0
        ids, mask = self._padded([p.tokens for p in prompts], shared)
        cache = None
        if shared:
            cache = copy.deepcopy(self._cache)
            self._make_room(cache)
            cache.batch_repeat_interleave(len(prompts))
        running, width = list(range(len(prompts))), ids.shape[1]
        answers: list[list[int]] = [[] for _ in prompts]
        missed = [False] * len(prompts)
        while running:
            left = prompts[0].max_tokens - (ids.shape[1] - width)
            numbers = Numbers()
            options = self._options([prompts[place] for place in running], numbers, width)
            count = left if self._whole else min(left, 1 if cache is None else STRETCH)
            ids, cache = self._stretch(ids, mask, cache, count, options)
            for i, (place, bad) in enumerate(zip(running, numbers.missed(len(running)), strict=True)):
                answers[place] = ids[i, width:].tolist()
                missed[place] |= bad
            ended = [left <= count or missed[place] or self._ended(answers[place], prompts[place]) for place in running]
            going = [i for i, over in enumerate(ended) if not over]
            running = [running[i] for i in going]
            mask = torch.nn.functional.pad(mask, (0, ids.shape[1] - mask.shape[1]), value=1)
            self._make_room(cache)
            if 0 < len(going) < len(ended):  # else nothing is to be copied
                chosen = torch.tensor(going, device=self.device)
                cache.batch_select_indices(chosen)
                ids, mask = ids[chosen], mask[chosen]
        return self._answers(answers, prompts, missed)

    def _make_room(self, past: Any) -> None:
        if self.device == "cpu":  # where it was measured
            make_room(past, STRETCH)

    def _padded(self, prompts: Sequence[Sequence[int]], shared: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask [prompts, longest]: the shared beginning, then padding, then what is each prompt's own."""
        import torch

        width = max(len(tokens) for tokens in prompts)
        ids = torch.empty((len(prompts), width), dtype=torch.long)
        mask = torch.zeros((len(prompts), width), dtype=torch.long)
        for i, tokens in enumerate(prompts):
            own = len(tokens) - shared
            ids[i] = tokens[0]  # masked, and no token that a penalty for repeating would not see without it
            ids[i, :shared], ids[i, width - own :] = torch.tensor(tokens[:shared]), torch.tensor(tokens[shared:])
            mask[i, :shared], mask[i, width - own :] = 1, 1
        return ids.to(self.device), mask.to(self.device)

    def _stretch(
        self, ids: torch.Tensor, mask: torch.Tensor, cache: Any, count: int, options: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        import torch

        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids, attention_mask=mask, past_key_values=cache, max_new_tokens=count, use_cache=True,
                pad_token_id=self._pad, return_dict_in_generate=True, **options,
            )  # fmt: skip
        return out.sequences, out.past_key_values

    def _ended(self, tokens: Sequence[int], prompt: Prompt) -> bool:
        return self._cut(list(tokens), prompt).finish_reason == "stop"
