"""The plain path: every row on its own, whole, in batches sorted by length. What the fast path must equal."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from benchctl.errors import ModelCallError

from .drawing import Drawing
from .items import Likelihood, Prompt, Row, Written
from .memory import Budget, halving
from .numbers import ERROR, Numbers
from .probe import minds_company, reads_ahead
from .rope import switch
from .stops import Stops, endings, until

if TYPE_CHECKING:
    import torch


def batches(sizes: Sequence[int], budget: Budget, apart: Callable[[int, int], bool]) -> Iterator[list[int]]:
    """Indices in batches of similar size, longest first, each at most the budget's tokens once padded.

    ``apart`` says of the longest in a batch and the next whether they may not share it.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    batch: list[int] = []
    for index in order:
        full = batch and (len(batch) + 1) * sizes[batch[0]] > budget.tokens
        if full or (batch and apart(sizes[batch[0]], sizes[index])):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


class PlainEngine:
    """Scores and writes with a causal model, one whole sequence per row."""

    name = "plain"

    def __init__(self, model: Any, tokenizer: Any, device: str, budget: int, writing: int | None = None) -> None:
        """Of scored texts a batch has ``budget`` tokens at most, of written ones ``writing``, or as many."""
        self.model, self.tokenizer, self.device = model, tokenizer, device
        self.budget, self.writing = Budget(budget), Budget(writing or budget)
        self.kept: list[Any] | None = None
        """Takes the keys and values of every batch that is scored, as transformers' caches; None: they are not kept."""
        self._switch = switch(model.config) if hasattr(model, "config") else None
        self._alone: bool | None = None
        self._keeps = "logits_to_keep" in inspect.signature(getattr(model, "forward", model)).parameters

    def far(self, size: int) -> bool:
        """Whether a text of that many tokens has its positions encoded in the way that is for long ones."""
        return self._switch is not None and size > self._switch

    def require_causal(self, row: Row) -> None:
        """Refuse a model whose scores would know what comes next, as BERT's do unless it says that it is a decoder.

        Raises:
            ModelCallError: it reads ahead in ``row``.
        """
        if reads_ahead(self.model, row.context + row.continuation, self.device):
            kind = self.model.config.model_type
            raise ModelCallError(
                f"This model ({kind}) reads texts in both directions: its scores would know what comes next.",
                "Take a causal or an encoder-decoder model; a decoder of this kind has is_decoder in its config.json.",
            )

    def score(self, rows: Sequence[Row]) -> Iterator[tuple[int, Likelihood]]:
        """For each row its index and how likely it is, as each batch is done."""

        def work(places: Sequence[int]) -> Iterator[tuple[int, Likelihood]]:
            return zip(places, self._score_batch([rows[place] for place in places]), strict=True)

        for batch in batches([row.size for row in rows], self.budget, lambda a, b: self.far(a) != self.far(b)):
            for found in halving(work, batch, lambda place: rows[place].size, self.budget):
                yield from found

    def _score_batch(self, rows: Sequence[Row]) -> list[Likelihood]:
        import torch

        width = max(row.size for row in rows)
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            tokens = (row.context + row.continuation)[:-1]
            ids[i, : row.size] = torch.tensor(tokens)
            mask[i, : row.size] = 1
        skipped = min(len(row.context) for row in rows) - 1 if self._keeps else 0
        keep = {"logits_to_keep": width - skipped} if self._keeps else {}
        with torch.inference_mode():
            found = self.model(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device),
                use_cache=self.kept is not None, **keep,
            )  # fmt: skip
            if self.kept is not None:
                self.kept.append(found.past_key_values)
            return [self._sum(found.logits[i], row, len(row.context) - 1 - skipped) for i, row in enumerate(rows)]

    def _sum(self, logits: torch.Tensor, row: Row, first: int) -> Likelihood:
        """Likelihood of the row's continuation; ``logits[first]`` is where its first token is predicted."""
        import torch

        scored = torch.log_softmax(logits[first : first + len(row.continuation)].float(), dim=-1)
        wanted = scored.gather(1, torch.tensor(row.continuation, device=scored.device).unsqueeze(1))[:, 0]
        return Likelihood(float(wanted.double().sum()), bool((wanted >= scored.amax(dim=1)).all()))

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Written]]:
        """For each prompt its index and what the model wrote; batches hold prompts with the same limits."""
        kinds = sorted({(p.stop, p.max_tokens, p.temperature) for p in prompts})
        for kind in kinds:
            places = [i for i, p in enumerate(prompts) if (p.stop, p.max_tokens, p.temperature) == kind]
            sizes = [len(prompts[i].tokens) + kind[1] for i in places]
            alone = len(places) > 1 and self._minds_company(prompts[places[0]])

            def work(chosen: Sequence[int], places: Sequence[int] = places) -> Iterator[tuple[int, Written]]:
                kept = [places[i] for i in chosen]
                return zip(kept, self._write_batch([prompts[i] for i in kept]), strict=True)

            apart = partial(lambda alone, longest, _: alone or self.far(longest), alone)
            for batch in batches(sizes, self.writing, apart):
                for written in halving(work, batch, lambda i, sizes=sizes: sizes[i], self.writing):  # type: ignore[misc]
                    yield from written

    def _write_batch(self, prompts: Sequence[Prompt]) -> list[Written]:
        import torch

        width = max(len(p.tokens) for p in prompts)
        ids = torch.empty((len(prompts), width), dtype=torch.long)
        mask = torch.zeros((len(prompts), width), dtype=torch.long)
        for i, prompt in enumerate(prompts):
            ids[i] = prompt.tokens[0]  # masked, and no token that a penalty for repeating would not see without it
            ids[i, width - len(prompt.tokens) :] = torch.tensor(prompt.tokens)
            mask[i, width - len(prompt.tokens) :] = 1
        numbers = Numbers()
        with torch.inference_mode():
            written = self.model.generate(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device), pad_token_id=self._pad,
                max_new_tokens=prompts[0].max_tokens, **self._options(prompts, numbers, width),
            )  # fmt: skip
        return self._answers([tokens[width:] for tokens in written.tolist()], prompts, numbers.missed(len(prompts)))

    def _minds_company(self, prompt: Prompt) -> bool:
        """Whether each prompt is to be written after alone, as where positions are counted from a batch's edge."""
        if self._alone is None:
            config = self.model.generation_config
            counted = config.min_length or config.no_repeat_ngram_size  # padding as part of the text
            self._alone = bool(counted) or minds_company(self.model, prompt.tokens, self._pad, self.device)
            if self._alone:
                logging.getLogger(__name__).warning("answers are written one by one: batches change what it writes")
        return self._alone

    @property
    def _pad(self) -> int:
        """What fills up the answers that are over."""
        return next(t for t in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0) if t is not None)

    def _options(self, prompts: Sequence[Prompt], numbers: Numbers, begin: int) -> dict[str, Any]:
        """How prompts of one kind are drawn, stopped and watched, in transformers' words.

        Args:
            begin: tokens that each row holds before its answer.
        """
        from transformers import LogitsProcessorList, StoppingCriteriaList

        kind, processors = prompts[0], LogitsProcessorList([numbers])
        options: dict[str, Any] = {"do_sample": False, "logits_processor": processors, "tokenizer": self.tokenizer}
        if kind.temperature:
            processors.append(Drawing(self.model, kind.temperature, [prompt.seed for prompt in prompts], begin))
            options["num_beams"] = 1  # a beam looks for what is likely, not for what was drawn
        if kind.stop:
            options["stopping_criteria"] = StoppingCriteriaList([Stops(self.tokenizer, kind.stop, begin)])
            options["eos_token_id"] = sorted(endings(self.model, self.tokenizer, kind.stop)) or None
        return options

    def _answers(self, tokens: Sequence[list[int]], prompts: Sequence[Prompt], missed: Sequence[bool]) -> list[Written]:
        """What was written after each prompt; an error where ``missed`` says that some logits were no numbers."""
        cut = [self._cut(own, prompt) for own, prompt in zip(tokens, prompts, strict=True)]
        return [replace(one, error=ERROR) if bad else one for one, bad in zip(cut, missed, strict=True)]

    def _cut(self, tokens: list[int], prompt: Prompt) -> Written:
        ends = endings(self.model, self.tokenizer, prompt.stop)
        end = next((i for i, token in enumerate(tokens) if token in ends), None)
        kept = tokens if end is None else tokens[:end]
        text = self.tokenizer.decode(kept, skip_special_tokens=True)
        places = [place for stop in prompt.stop if (place := text.find(stop)) >= 0]
        if places:
            return Written(text[: min(places)], "stop", until(self.tokenizer, kept, prompt.stop))
        return Written(text, "length" if end is None else "stop", len(kept))
