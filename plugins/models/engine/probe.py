"""What scoring and writing take for granted of a model, tried on a few tokens of the run's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

TRIED = 32
"""Tokens that are tried at most."""
AHEAD = 16
"""Tokens at most of which the first half is asked for what it knows of the second: every run pays for it."""
PADS = 7
"""Places of padding that are tried: an odd number, since some models count by fours."""
ORDERS = 5
"""Orders of the tokens that are tried where the first shows a difference."""
APART, APART_EXACTLY = 0.05, 1e-3
"""Share of their size by which logits differ when they say something else, and the same in float32. Rounding stays
below, unless it swaps experts."""


def reads_ahead(model: Any, tokens: Sequence[int], device: str) -> bool:
    """Whether what it says after a token depends on the tokens that come later."""
    import torch

    tried = list(tokens[:AHEAD])
    half = len(tried) // 2
    ids = torch.tensor([tried, tried[:half] + [tried[0]] * (len(tried) - half)], device=device)
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[:, :half]
    return differ(model, logits[0], logits[1])


def minds_company(model: Any, tokens: Sequence[int], pad: int, device: str) -> bool:
    """Whether what it writes after a prompt depends on a longer one in its batch, and the padding that this brings.

    It does where it does in all of several orders of the tokens: short floats swap experts here and there.
    """
    own = list(tokens[:TRIED])
    shifts = range(0, len(own), max(1, len(own) // ORDERS))
    return all(_differs_beside(model, own[shift:] + own[:shift], pad, device) for shift in shifts)


def _differs_beside(model: Any, own: list[int], pad: int, device: str) -> bool:
    """Whether the first two tokens after ``own`` come from other logits beside a longer row."""
    import torch

    beside = (own * PADS)[:PADS] + own

    def logits(rows: list[list[int]], padded: int) -> tuple[int, torch.Tensor]:
        """The first token written after the first row, and the logits [2, vocabulary] that it and the next are from."""
        ids = torch.tensor(rows, device=device)
        mask = torch.ones_like(ids)
        mask[0, :padded] = 0
        with torch.inference_mode():
            found = model.generate(
                input_ids=ids, attention_mask=mask, pad_token_id=pad, min_new_tokens=2, max_new_tokens=2,
                do_sample=False, num_beams=1, return_dict_in_generate=True, output_logits=True,
            )  # fmt: skip
        return int(found.sequences[0, -2]), torch.stack([step[0] for step in found.logits])

    token, alone = logits([own], 0)
    other, beside_it = logits([own[:1] * PADS + own, beside], PADS)
    return differ(model, alone[:1], beside_it[:1]) or (token == other and differ(model, alone[1:], beside_it[1:]))


def differ(model: Any, one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether logits [positions, vocabulary] are others at most positions."""
    apart = APART_EXACTLY if exact(model) else APART
    one, other = one.float(), other.float()
    return bool(((one - other).norm(dim=-1) > apart * one.norm(dim=-1)).float().mean() > 1 / 2)


def exact(model: Any) -> bool:
    """Whether it computes in float32 with weights that nothing has shortened: what differs then is not rounding."""
    return str(model.dtype) == "torch.float32" and not getattr(model, "is_quantized", False)
