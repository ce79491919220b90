"""Weights in the blocks that oneDNN computes with, ready beside those of the model.

Without them each product brings its weights into blocks first: a tenth of its time for many tokens, up to a third for a
few (Zen 4; benchmarks/README.md). They take as much memory again as the weights: only where there is plenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "benchctl_blocks"
"""Under which a layer holds them."""
TOKENS = 1024
"""For how many the blocks are laid out; they serve any number."""
SAMPLED = 64
"""Weights looked at to tell whether a layer still has those that its blocks were made of."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """A layer's weight [out, in] in oneDNN's own layout, in one piece or in several of so many rows."""

    weight: torch.Tensor
    """What they were made of."""
    at: int
    """Where that was in memory: an adapter that is merged in puts another there."""
    sample: torch.Tensor
    parts: tuple[torch.Tensor, ...]

    @classmethod
    def of(cls, weight: torch.Tensor, rows: int) -> Blocks:
        """Of a float32 weight on a CPU; in pieces of ``rows``."""
        import torch

        with torch.no_grad():
            pieces = torch.split(weight.detach(), rows)
            parts = tuple(torch.ops.mkldnn._reorder_linear_weight(piece, TOKENS) for piece in pieces)
            return cls(weight, weight.data_ptr(), _sample(weight).clone(), parts)

    def are_of(self, weight: torch.Tensor) -> bool:
        """Whether the weight is the one they were made of, and stands where it stood."""
        return weight is self.weight and weight.data_ptr() == self.at

    def still(self, weight: torch.Tensor) -> bool:
        """The same, and whether what it holds seems to be what it held."""
        return self.are_of(weight) and bool((_sample(weight) == self.sample).all())


def _sample(weight: torch.Tensor) -> torch.Tensor:
    return weight.detach().flatten()[:: max(1, weight.numel() // SAMPLED)]


def parts(layer: Any, states: torch.Tensor) -> Sequence[torch.Tensor]:
    """A layer's blocks for these states; none where it has none, or for a single token, which plain weights serve."""
    held: Blocks | None = vars(layer).get(NAME)
    if held is None or states.numel() == states.shape[-1] or not held.are_of(layer.weight):
        return ()
    return held.parts
