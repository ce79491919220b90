"""When an answer is over: at a token that ends texts, or where a text that it is to stop at stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Stops:
    """Ends the rows whose answer holds a stop string; a stopping criterion of transformers.

    transformers' own (``stop_strings``) reads on from the prompt: after one that ends in a line feed, an answer that
    begins with one was taken for an empty line, and over.

    Args:
        begin: tokens that a row holds before its answer, padding included.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str], begin: int) -> None:
        self._tokenizer, self._stop, self._begin = tokenizer, stop, begin
        self._reach = max(len(text.encode()) for text in stop) + 1  # a token is a byte at least

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Whether each row is over: [rows]."""
        import torch

        tails = input_ids[:, self._begin :][:, -self._reach :].tolist()
        texts = (self._tokenizer.decode(tail, skip_special_tokens=True) for tail in tails)
        over = [any(stop in text for stop in self._stop) for text in texts]
        return torch.tensor(over, device=input_ids.device)


def endings(model: Any, tokenizer: Any, stop: Sequence[str]) -> set[int]:
    """The tokens that end an answer: the model's own, and special ones that are to stop it, which no text shows."""
    own = model.generation_config.eos_token_id
    found = {own} if isinstance(own, int) else set(own or ())
    for text in stop:
        token = tokenizer.convert_tokens_to_ids(text)
        if token is None or tokenizer.convert_ids_to_tokens(token) != text:
            continue  # no token, or the unknown one
        if not tokenizer.decode([token], skip_special_tokens=True):
            found.add(token)
    return found


def until(tokenizer: Any, tokens: Sequence[int], stop: Sequence[str]) -> int:
    """How many of the tokens it takes for a stop string to stand in their text; all of them where none does."""
    low, high = 0, len(tokens)
    while low < high:
        half = (low + high) // 2
        text = tokenizer.decode(tokens[:half], skip_special_tokens=True)
        low, high = (low, half) if any(one in text for one in stop) else (half + 1, high)
    return low
