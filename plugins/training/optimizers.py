"""The optimisers that a recipe may name, and what each keeps in memory."""

from __future__ import annotations

from collections.abc import Mapping

STATES: Mapping[str, float] = {
    **dict.fromkeys(("adamw_torch", "adamw_torch_fused", "paged_adamw_32bit"), 8),
    **dict.fromkeys(("adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit"), 2),
    **dict.fromkeys(("lion_32bit", "paged_lion_32bit", "rmsprop", "adagrad", "rmsprop_bnb", "rmsprop_bnb_32bit"), 4),
    **dict.fromkeys(("lion_8bit", "paged_lion_8bit", "rmsprop_bnb_8bit"), 1),
    **dict.fromkeys(("sgd", "adafactor"), 0),
}
"""Optimiser, by transformers' name -> bytes it keeps per trained parameter. Those are left out that need a package of
their own, or further settings. Adafactor's sums of rows and columns are few; 8-bit optimisers keep matrices of fewer
than 4096 entries in 32 bits, which is not counted."""
