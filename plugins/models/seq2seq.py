"""Encoder-decoder models (T5, BART and kin): what goes to which half, and a plain engine for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchctl.errors import ModelCallError
from benchctl.types import Choose, Perplexity

from .encoding import DoesNotFit, Encoder
from .engine.items import Likelihood, Prompt, Row, Written
from .engine.numbers import Numbers
from .engine.plain import PlainEngine


@dataclass(frozen=True, slots=True)
class Seq2SeqEncoder(Encoder):
    """Text to rows whose context goes to the encoder and whose continuation goes to the decoder."""

    @property
    def ending(self) -> int:
        """None is left out: an encoder is given its texts as it was trained, with their ends."""
        return 0

    def choose(self, requests: Sequence[Choose]) -> list[tuple[list[Row], int]]:
        """As lm-eval does it: prompt and choice are tokenised apart, only the prompt with special tokens.

        Raises:
            DoesNotFit: a choice alone is longer than the decoder takes, or has no token.
        """
        found = []
        for request in requests:
            prompt = self.render(request.prompt, free=False)
            kept = prompt.rstrip()
            context = self._ids(kept, special=True) if kept else [self.prefix]
            cut = max(0, len(context) - self.max_length)
            rows = []
            for choice in request.choices:
                continuation = self._ids(prompt[len(kept) :] + choice, special=False)
                if not 0 < len(continuation) <= self.max_length:
                    size = len(continuation)
                    raise DoesNotFit(
                        f"the choice '{choice[:40]}' has {size} tokens, the model takes 1 to {self.max_length}"
                    )
                rows.append(Row(tuple(context[-self.max_length :]), tuple(continuation)))
            found.append((rows, cut))
        return found

    def perplexity(self, requests: Sequence[Perplexity]) -> list[list[Row]]:
        """The text goes to the decoder; the encoder gets one token: the prefix, or the text's first (``score_first``).

        ``rolling`` counts the tokenizer's own special tokens too, as lm-eval does.
        """
        found = []
        for request in requests:
            tokens = self._ids(request.text, special=request.rolling)
            whole = [self.prefix, *tokens] if request.score_first or request.rolling else tokens
            found.append(self.windows(whole))
        return found

    def windows(self, tokens: Sequence[int]) -> list[Row]:
        """Rows that score every token but the first; a text longer than the decoder goes on in the next window.

        The encoder gets what came just before a window: one token, and more in front of a short last window.
        """
        rows, done = [], 1
        while done < len(tokens):
            end = min(len(tokens), done + self.max_length)
            begin = max(0, min(done - 1, end - 1 - self.max_length))
            rows.append(Row(tuple(tokens[begin:done]), tuple(tokens[done:end])))
            done = end
        return rows

    def _ids(self, text: str, special: bool) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"])


class Seq2SeqEngine(PlainEngine):
    """Scores and writes with an encoder-decoder model, one row per choice, in batches of similar length."""

    name = "plain seq2seq"

    def require_causal(self, row: Row) -> None:
        """The encoder may read ahead; the decoder cannot."""

    def _score_batch(self, rows: Sequence[Row]) -> list[Likelihood]:
        import torch

        ids, mask = self._padded([row.context for row in rows])
        begun, _ = self._padded([(self._start, *row.continuation[:-1]) for row in rows])
        with torch.inference_mode():
            logits = self.model(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device),
                decoder_input_ids=begun.to(self.device), use_cache=False,  # with a cache FSMT reads ahead
            ).logits  # fmt: skip
        return [self._sum(logits[i], row, 0) for i, row in enumerate(rows)]

    def _write_batch(self, prompts: Sequence[Prompt]) -> list[Written]:
        import torch

        ids, mask = self._padded([prompt.tokens for prompt in prompts])
        numbers = Numbers()
        with torch.inference_mode():
            written = self.model.generate(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device),
                max_new_tokens=prompts[0].max_tokens, **self._options(prompts, numbers, 1),
            )  # fmt: skip
        return self._answers([tokens[1:] for tokens in written.tolist()], prompts, numbers.missed(len(prompts)))

    def _minds_company(self, prompt: Prompt) -> bool:
        """The encoder's padding stands behind what it reads, and the decoder has none."""
        return False

    @property
    def _start(self) -> int:
        """What the decoder begins with, as in writing.

        mBART and PLBart would begin ``labels`` with their last token: with the answer, where that is one token.

        Raises:
            ModelCallError: the model does not say.
        """
        generation, config = self.model.generation_config, self.model.config
        named = (generation.decoder_start_token_id, getattr(config, "decoder_start_token_id", None))
        found = next((token for token in (*named, generation.bos_token_id) if token is not None), None)
        if found is None:
            raise ModelCallError(
                f"This model ({config.model_type}) does not say what its decoder begins with.",
                "Add decoder_start_token_id to its generation_config.json.",
            )
        return int(found)

    def _padded(self, sequences: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """Token ids and mask, [sequences, longest], filled up on the right."""
        import torch

        width = max(len(tokens) for tokens in sequences)
        ids = torch.full((len(sequences), width), self.tokenizer.pad_token_id or 0, dtype=torch.long)
        mask = torch.zeros((len(sequences), width), dtype=torch.long)
        for i, tokens in enumerate(sequences):
            ids[i, : len(tokens)] = torch.tensor(tokens)
            mask[i, : len(tokens)] = 1
        return ids, mask
