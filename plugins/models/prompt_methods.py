"""Adapters that put trained vectors in front of the text: prompt tuning, p-tuning, prefix tuning."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class PromptedModel:
    """A ``PeftModel`` of such a method, to the engine an ordinary model: one logit per token of the text."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached
        self.config, self.generation_config = attached.config, attached.generation_config
        self.dtype = attached.get_base_model().dtype

    def forward(self, input_ids: Any, **inputs: Any) -> SimpleNamespace:
        """The logits of the text's own tokens; those of the vectors in front are cut off."""
        labels = inputs.get("labels")
        length = input_ids.shape[1] if labels is None else labels.shape[1]
        logits = self._attached(input_ids=input_ids, **inputs).logits
        return SimpleNamespace(logits=logits[:, logits.shape[1] - length :])

    __call__ = forward

    def generate(self, **inputs: Any) -> Any:
        """As the model's own."""
        return self._attached.generate(**inputs)
