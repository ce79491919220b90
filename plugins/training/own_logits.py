"""The loss of bases whose logits are not what trl takes them for."""

from __future__ import annotations

import logging
from types import MethodType
from typing import Any

TRIED = 16
"""Tokens of the vocabulary that are tried."""
APART, APART_EXACTLY = 0.05, 1e-3
"""Nats per token by which trl's log-probabilities may differ from the model's in short floats, and in float32."""


def by_own_logits(model: Any) -> None:
    """Have a model that a trainer of trl was given learn by its own logits, where trl reckons others.

    trl reckons them itself, part by part, to save memory: output layer times last hidden state, scaled and capped as
    far as it knows the configuration's words. BERT's, RoBERTa's and ModernBERT's decoders change the states before,
    and RecurrentGemma and xLSTM have other words for their cap: what was learnt, and the loss told, were another
    model's.

    Args:
        model: with its adapter on, or the reference of preferences; changed in place.
    """
    from peft import PeftModel

    base = model.get_base_model() if isinstance(model, PeftModel) else model
    reason = _difference(base)
    if reason is None:
        return
    logging.getLogger(__name__).warning("all logits are computed, which takes more memory: %s", reason)
    given = base.forward  # trl's: without fused_lm_head it is the model's own

    def forward(_: Any, *args: Any, fused_lm_head: bool = False, labels: Any = None, **kwargs: Any) -> Any:
        if fused_lm_head:
            return _output(given(*args, **kwargs), labels)
        return given(*args, **kwargs, **({} if labels is None else {"labels": labels}))

    base.forward = MethodType(forward, base)


def _difference(base: Any) -> str | None:
    """Why trl's log-probabilities of a few tokens are not the model's; None where they are."""
    import torch

    from ..models.engine.memory import is_out_of_memory
    from ..models.engine.probe import exact

    device = next(base.parameters()).device
    ids = torch.arange(min(TRIED, base.config.get_text_config().vocab_size), device=device)[None]
    asked = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "use_cache": False}
    training = base.training
    base.eval()
    try:
        with torch.no_grad():
            own = _output(base(**asked), ids).log_probs
            try:
                fused = base(**asked, labels=ids, fused_lm_head=True).log_probs
            except Exception as error:  # whatever a model unknown to trl raises: its own way serves every model
                if is_out_of_memory(error):
                    raise
                return f"trl's way fails ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
    finally:
        base.train(training)
    apart = float((own - fused.float()).abs().mean())
    return f"trl's are {apart:.2g} nats off" if not apart <= (APART_EXACTLY if exact(base) else APART) else None


def _output(found: Any, labels: Any) -> Any:
    """What trl's fused output layer gives, from all logits.

    Args:
        found: the model's output, with ``logits`` [rows, tokens, vocabulary].
        labels: ids [rows, tokens], -100 where nothing is learnt.
    """
    from trl.trainer.utils import FusedCausalLMOutput

    logits, labels = found.logits[:, :-1].float(), labels[:, 1:].to(found.logits.device)
    mask, nats = labels != -100, logits.log_softmax(dim=-1)
    each = {
        "log_probs": nats.gather(-1, labels.clamp(min=0)[..., None])[..., 0],
        "entropy": -(nats.exp() * nats).sum(dim=-1),
        "mean_logits": logits.detach().mean(dim=-1),
        "is_top1": logits.argmax(dim=-1) == labels,
    }
    kept = {name: value.masked_fill(~mask, 0) for name, value in each.items()}
    return FusedCausalLMOutput(**kept, label_mask=mask, aux_loss=getattr(found, "aux_loss", None))
