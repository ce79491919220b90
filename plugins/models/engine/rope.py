"""Positions that are encoded in another way once a text is long (LongRoPE: Phi 3 and 4 mini, MiniCPM3)."""

from __future__ import annotations

from typing import Any


def switch(config: Any) -> int | None:
    """Tokens up to which a text is encoded the one way; transformers goes by the longest text of a batch.

    None where there is one way only.
    """
    text = config.get_text_config()
    rope = getattr(text, "rope_parameters", None) or {}
    if rope.get("rope_type") != "longrope":
        return None
    found = rope.get("original_max_position_embeddings") or getattr(text, "original_max_position_embeddings", None)
    return int(found) if found else None
