"""Merged and quantised models, written with a card that says what they were made from and how far they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.config import load_config
from benchctl.errors import BadConfig
from benchctl.manifest import versions

from .disk import writing

if TYPE_CHECKING:
    from .hf import HFModel
    from .weights import Weights

MERGE_CARD = "benchctl_merge.json"
QUANTIZATION_CARD = "benchctl_quantization.json"


def local_model(given: str, **options: str) -> HFModel:
    """The local model that a folder, hub id, named model or ``hf:`` spec stands for, not loaded yet.

    Raises:
        BadConfig: it is another kind of model.
        BenchctlError: as its factory.
    """
    from benchctl.config import load_config
    from benchctl.creation import create_model
    from benchctl.plugins import get_plugins

    from .hf import HFModel

    name = given.split(",")[0].partition(":")[0]
    known = name in get_plugins().offers("model") or name in load_config().models
    spec = given if known else f"hf:{given}"
    model = create_model(get_plugins(), "".join((spec, *(f",{key}={value}" for key, value in options.items()))))
    if not isinstance(model, HFModel):
        raise BadConfig(
            f"'{given}' is no model on this machine.", "Give a folder, a hub id or the name of a local model."
        )
    return model


def write_merged(base: str, adapter: str, out: Path, max_error: float, options: Mapping[str, Any]) -> dict[str, Any]:
    """Merge, compare with the unmerged model, and write weights, tokenizer and card.

    Args:
        options: ``quant``, ``dtype``, ``device``, ``any_base``, as the command takes them.

    Raises:
        BadConfig, ModelCallError: it cannot be merged, or the result is further off than ``max_error``.
    """
    from . import merge, quantization
    from .weights import Weights

    given = {"adapter": adapter, "dtype": options["dtype"], "device": options["device"], "merge": "true"}
    given |= {"quant": options["quant"]} if options["quant"] else {}
    given |= {"any_base": "true"} if options["any_base"] else {}
    model = local_model(base, **given)
    weights = Weights.of(replace(model.weights.settings, merge=False))
    try:
        if weights.adapter is None:
            raise BadConfig(f"'{adapter}' is no adapter.", "Name an adapter's folder or hub id.")
        merge.require_mergeable(weights.adapter, weights.settings, weights.scheme)
        before = merge.probe(weights.load(), model.tokenizer, model.device)
        merged = weights.merged()
        error = merge.relative_error(before, merge.probe(merged, model.tokenizer, model.device))
        merge.require_close(error, max_error, f"Merging '{weights.adapter.name}'")
        facts = {
            "base": weights.label_of_base, "base_weights": model.weights.base_hash, "adapter": weights.adapter.name,
            "adapter_hash": weights.adapter.hash, "method": weights.adapter.method,
            "quantisation": weights.scheme.name if weights.scheme else None, "route": merge.route(weights.scheme),
            "dtype": weights.dtype, "error": error, "max_error": max_error, "probes": len(merge.PROBES),
            **quantization.measure(merged), "versions": versions(),
        }  # fmt: skip
        _save(merged, model.tokenizer, out)
        _write_card(out / MERGE_CARD, facts)
        return facts
    finally:
        weights.close()
        model.close()


def write_quantized(given: str, method: str, out: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Quantise, measure how far the logits moved, and write weights, tokenizer and card.

    Args:
        options: those of the command.

    Raises:
        BadConfig: the model is quantised already, has an adapter, or is an encoder-decoder for GPTQ.
        BadData, MissingExtra, ModelCallError: calibration or quantisation failed.
    """
    from . import merge

    model = local_model(given, device=options["device"])
    try:
        if model.weights.scheme is not None or model.weights.adapter is not None:
            what = "has an adapter" if model.weights.adapter else "is quantised already"
            raise BadConfig(f"'{given}' {what}.", "Give plain weights; 'benchctl merge' makes them of an adapter's.")
        if method == "gptq" and model.weights.config.is_encoder_decoder:
            raise BadConfig(f"'{given}' is an encoder-decoder, which GPTQ does not take.", "Use --method nf4.")
        before = merge.probe(model.weights.load(), model.tokenizer, model.device)
        size = model.weights.measured["weights_mib"]
        facts: dict[str, Any] = {
            "base": model.weights.label_of_base, "base_weights": model.weights.base_hash, "method": method,
            "weights_mib_before": size, "versions": versions(),
        }  # fmt: skip
    finally:
        model.close()
    facts |= _to_gptq(model, out, options) if method == "gptq" else _to_nf4(model, out)
    made = _reloaded(model, out)
    try:
        after = merge.probe(made.load(), model.tokenizer, model.device)
        facts |= {"error": merge.relative_error(before, after), **made.measured}
    finally:
        made.close()
    _write_card(out / QUANTIZATION_CARD, facts)
    return facts


def _to_gptq(model: HFModel, out: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    from . import quantize

    group = quantize.group_size(model.weights.config, options["group_size"])
    named = load_config().data_path
    rows = quantize.calibration(
        options["tasks"], named(options["data"]) or "builtin", options["samples"], options["seed"],
        named(options["test_data"]),
    )  # fmt: skip
    quantize.to_gptq(model.folder, out, rows.texts, int(options["bits"]), group, model.device)
    source = rows.source if rows.source in ("builtin", "hub") else Path(rows.source).name
    return {
        "bits": int(options["bits"]), "group_size": group, "calibration": {
            "tasks": list(rows.tasks), "source": source, "texts": len(rows.texts), "hash": rows.hash,
            "seed": options["seed"],
        },
    }  # fmt: skip


def _to_nf4(model: HFModel, out: Path) -> dict[str, Any]:
    from .quantization import keep_exact
    from .weights import Weights

    weights = Weights.of(replace(model.settings, quant="nf4"))
    try:
        loaded = weights.load()
        keep_exact(loaded)
        _save(loaded, model.tokenizer, out)
    finally:
        weights.close()
    return {"bits": 4, "double_quant": model.settings.double_quant}


def _reloaded(model: HFModel, out: Path) -> Weights:
    from .weights import Weights

    return Weights.of(replace(model.settings, target=str(out), revision=None))


def _save(model: Any, tokenizer: Any, out: Path) -> None:
    from .quiet import quiet

    with quiet(), writing(out):
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)


def _write_card(file: Path, facts: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
