"""The output layer, at the scored positions alone and in blocks small enough to stay in a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .products import pieces

if TYPE_CHECKING:
    import torch

ROWS, COLUMNS = 512, 2048
"""Positions and vocabulary entries of a block on a CPU: 4 MB of logits; with half as many positions, or fewer, it has
as many times the entries. Elsewhere the whole vocabulary at once."""


class Head:
    """Log-likelihoods of tokens from a model's last hidden states."""

    def __init__(self, model: Any) -> None:
        self.layer = model.get_output_embeddings()
        text = model.config.get_text_config()
        self._cap = getattr(text, "final_logit_softcapping", None)
        self._scale = getattr(text, "logit_scale", None) or 1 / (getattr(text, "logits_scaling", None) or 1)

    def score(
        self, states: torch.Tensor, slots: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-likelihood of each token after a position, in nats, and whether it is the likeliest there.

        Args:
            states: last hidden states, [positions, hidden].
            slots: for each token to score the position it comes after, ascending.
            tokens: token ids, as many as ``slots``.
        """
        import torch

        found = []
        for first in range(0, len(states), ROWS):
            chosen = (slots >= first) & (slots < first + ROWS)
            found.append(self._block(states[first : first + ROWS], slots[chosen] - first, tokens[chosen]))
        nats, likeliest = zip(*found, strict=True)
        return torch.cat(nats), torch.cat(likeliest)

    def _block(
        self, states: torch.Tensor, slots: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """log softmax = logit - log(sum of exp), the sum gathered over blocks of the vocabulary."""
        import torch

        wanted = torch.empty(tokens.shape, device=states.device)
        peaks, sums = [], []
        for first, raw in self._logits(states):
            logits = self._finished(raw)
            here = (tokens >= first) & (tokens < first + logits.shape[1])
            wanted[here] = logits[slots[here], tokens[here] - first].float()
            peak = logits.amax(dim=1, keepdim=True)
            sums.append(logits.sub_(peak).exp_().sum(dim=1))
            peaks.append(peak[:, 0])
        parts = torch.stack(peaks)
        peak = parts.amax(dim=0)
        whole = (torch.stack(sums) * (parts - peak).exp()).sum(dim=0).log() + peak
        return wanted - whole[slots], wanted >= peak[slots]

    def _logits(self, states: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """Blocks of the vocabulary: the first token of each and its logits [positions, block]."""
        import torch

        plain = type(self.layer) is torch.nn.Linear and states.device.type == "cpu"
        if not plain:  # quantised or adapted layers only work as a whole
            yield 0, self.layer(states).float()
            return
        for first, logits in pieces(self.layer, states, COLUMNS * (ROWS // len(states))):
            yield first, logits.float()

    def _finished(self, logits: torch.Tensor) -> torch.Tensor:
        """What some models do to their logits: a factor (Cohere, Granite), a soft limit (Gemma)."""
        if self._scale != 1:
            logits *= self._scale
        if self._cap is not None:
            logits = (logits / self._cap).tanh_() * self._cap
        return logits
