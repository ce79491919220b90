"""Merging an adapter into its base by the route that changes the model least, and measuring how much it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchctl.errors import BadConfig, ModelCallError

from . import adapters, quantization
from .adapters import Adapter
from .engine.products import unblock
from .quantization import Scheme
from .quiet import quiet
from .settings import Settings

MAX_ERROR = 0.01
"""Largest relative difference of the logits a merge may make; the right route measured 0.0044, wrong ones 0.15."""
PROBES = (
    "Pergunta: Qual é o tratamento de primeira linha da hipertensão arterial sistêmica?\nResposta:",
    "A paciente, de 34 anos, procurou o pronto-socorro com febre alta, tosse produtiva e dor torácica há três dias.",
    "Era uma vez uma menina que morava perto do rio e gostava de conversar com os peixes.",
    "The most common cause of community-acquired pneumonia is Streptococcus pneumoniae.",
)
"""Texts whose logits are compared before and after."""


def route(scheme: Scheme | None) -> str:
    """How an adapter goes into a base of this kind: ``in place``, or ``dequantise, attach, merge``.

    A 4-bit base must not be merged in place: rounding the sum to 4 bits again changed the logits by 0.147, and merging
    on the unquantised base by 0.163, since the adapter has learnt to make up for the quantisation.
    """
    return "in place" if scheme is None else "dequantise, attach, merge"


def require_mergeable(adapter: Adapter, settings: Settings, scheme: Scheme | None) -> None:
    """Refuse what cannot be merged.

    Raises:
        BadConfig: the adapter has no weights to merge, or the base cannot be dequantised.
    """
    if adapter.prompts:
        raise BadConfig(
            f"The adapter '{adapter.name}' ({adapter.method}) works by vectors in front of the text: nothing to merge.",
            "Use it unmerged: leave out merge=true.",
        )
    if scheme is not None and adapter.changes_base:
        raise BadConfig(
            f"The adapter '{adapter.name}' split the base's weights before they were rounded to {scheme.name}: merging "
            "cannot take the same steps, and changes the logits by a tenth.",
            "Use it unmerged (leave out merge=true), or train with another init.",
        )
    if scheme is not None and scheme.name not in quantization.BITSANDBYTES:
        raise BadConfig(
            f"No adapter can be merged into '{settings.target}', which is quantised as {scheme.name}.",
            "Use the adapter unmerged (leave out merge=true), or train it on an nf4 or unquantised base.",
        )


def merge_in_memory(base: Any, adapter: Adapter, settings: Settings, scheme: Scheme | None, dtype: str) -> Any:
    """The base with the adapter in it: plain weights in ``dtype``, no quantisation left. The base itself is used up.

    Raises:
        BadConfig, ModelCallError: it cannot be merged, or does not fit.
    """
    require_mergeable(adapter, settings, scheme)
    unblock(base)
    attached = adapters.attach(dequantised(base, dtype) if scheme is not None else base, adapter, settings)
    require_biases(attached, adapter)
    part(attached.get_base_model())
    with quiet():
        return attached.merge_and_unload(safe_merge=True).eval()


def require_biases(attached: Any, adapter: Adapter) -> None:
    """Refuse a LoRA that adds biases (``lora_bias``) to layers of the base that have none to add them to.

    Raises:
        BadConfig: it does.
    """
    for name, module in attached.get_base_model().named_modules():
        biased = any(getattr(module, "lora_bias", {}).values())
        if biased and getattr(module.get_base_layer(), "bias", None) is None:
            raise BadConfig(
                f"The adapter '{adapter.name}' adds biases (lora_bias) to layers that have none, such as {name}: "
                "merged weights have no place for them.",
                "Use it unmerged: leave out merge=true.",
            )


def part(base: Any) -> None:
    """Give the output layer weights of its own where an adapter lies on it, or on the embeddings it shares them with.

    The adapter changes one of the two; merged into what both hold, it would change both.
    """
    import torch

    layers = base.get_input_embeddings(), base.get_output_embeddings()
    table, output = (getattr(layer, "base_layer", layer) for layer in layers)
    if (table, output) == layers or output is None or table.weight is not output.weight:
        return
    output.weight = torch.nn.Parameter(output.weight.detach().clone())
    for config in {id(one): one for one in (base.config, base.config.get_text_config())}.values():
        config.tie_word_embeddings = False


def dequantised(base: Any, dtype: str) -> Any:
    """The same weights without quantisation, and a configuration that says so.

    Raises:
        ModelCallError: the 4-bit weights are not exact any more.
    """
    import torch

    quantization.keep_exact(base)
    with quiet():
        plain = base.dequantize(getattr(torch, dtype))
    for name in ("is_loaded_in_4bit", "is_loaded_in_8bit"):
        if hasattr(plain, name):
            setattr(plain, name, False)
    return plain


def probe(model: Any, tokenizer: Any, device: str, texts: Sequence[str] = PROBES) -> list[Any]:
    """The logits of a few texts, one tensor [tokens, vocabulary] each, in float32 on the CPU."""
    import torch

    found = []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")["input_ids"].to(device)
        inputs = {"labels": ids} if getattr(model.config, "is_encoder_decoder", False) else {}
        with torch.inference_mode():
            found.append(model(input_ids=ids, **inputs).logits[0].float().cpu())
    return found


def relative_error(before: Sequence[Any], after: Sequence[Any]) -> float:
    """How far the logits moved: norm of the difference over norm of what they were."""
    difference = sum(float((a - b).double().square().sum()) for a, b in zip(after, before, strict=True))
    size = sum(float(b.double().square().sum()) for b in before)
    return float((difference / size) ** 0.5)


def require_close(error: float, limit: float, what: str) -> None:
    """Refuse a result that is not the model it was made from.

    Raises:
        ModelCallError: the error is above the limit, or not a number.
    """
    if not error <= limit:
        raise ModelCallError(
            f"{what} changes the logits by {error:.3g} (relative), more than {limit:g}: nothing was written.",
            "Check that the adapter was trained on this base and quantisation; --max-error sets the limit.",
        )
