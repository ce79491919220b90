"""Whether the logits a model writes from are numbers: damaged weights and overflow make a text as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ERROR = "its logits are no numbers: weights that are damaged, or too large for its dtype"


class Numbers:
    """Looks at the logits of every step, as a logits processor of transformers."""

    def __init__(self) -> None:
        self._missed: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores [rows, vocabulary]; zeros in rows that hold NaN or +inf, of which no token could be drawn."""
        import torch

        bad = ~(scores < torch.inf).all(dim=1)
        self._missed = bad if self._missed is None else self._missed | bad
        return torch.where(bad[:, None], 0.0, scores)

    def missed(self, prompts: int) -> list[bool]:
        """For each prompt whether some step had none; a model that searches with beams has several rows for each."""
        return [False] * prompts if self._missed is None else self._missed.view(prompts, -1).any(dim=1).tolist()
