"""Whether a base keeps the rows apart that packing puts into one sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchctl.errors import BadConfig

if TYPE_CHECKING:
    from .recipe import Recipe

BEFORE, TRIED = 8, 4
"""Tokens at most of the row in front, and of the one that is tried: in models with a state, as Mamba, what came before
fades after a few."""


def require_apart(model: Any, rows: Any, recipe: Recipe) -> None:
    """Refuse to pack where a row would see the one before it: its loss and gradients would be others, without a word.

    Packed rows are told apart by their positions, which begin anew. Some architectures (BLOOM, OPT, Falcon, Mamba)
    take no notice of them.

    Args:
        model: with its adapter on.
        rows: to train on, with ``input_ids``.

    Raises:
        BadConfig: what the model says after a row's tokens depends on the row in front.
    """
    import torch

    from ..models.engine.probe import differ

    own = rows[len(rows) - 1]["input_ids"][:TRIED]
    before = rows[0]["input_ids"][:BEFORE]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            alone, beside = (_logits(model, parts)[-len(own) :] for parts in ([own], [before, own]))
    finally:
        model.train(training)
    if differ(model, alone, beside):
        raise BadConfig(
            f"Recipe '{recipe.name}': packed rows would see each other in a {model.config.model_type} model.",
            "Set data.packing=false.",
        )


def _logits(model: Any, parts: list[list[int]]) -> Any:
    """Of rows packed as trl packs them: without a mask, the positions of each counted from 0."""
    import torch

    device = next(model.parameters()).device
    ids = torch.tensor([[token for part in parts for token in part]], device=device)
    places = torch.tensor([[place for part in parts for place in range(len(part))]], device=device)
    return model(input_ids=ids, position_ids=places, use_cache=False).logits[0]
