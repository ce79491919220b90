"""Combinations that cannot work, refused before anything loads."""

from __future__ import annotations

from collections.abc import Mapping

from benchctl.errors import BadConfig, did_you_mean

from .optimizers import STATES
from .recipe import Recipe

BITS = ("nf4", "fp4", "int8")
"""Quantised while loading."""
LORA = ("qlora", "lora", "dora")
"""Methods of two small matrices beside a layer."""
_LORA_KEYS = frozenset({"r", "alpha", "dropout", "targets", "init", "rslora"})
USES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(LORA, _LORA_KEYS), "ia3": frozenset({"targets"}), "prompt": frozenset({"virtual_tokens"}),
    "full": frozenset(),
}  # fmt: skip
"""Method -> the adapter's keys that mean something to it."""


def check(recipe: Recipe) -> None:
    """Refuse what cannot work, or would quietly do something else than it says.

    Raises:
        BadConfig: with what to write instead.
    """
    _check_method(recipe)
    _check_adapter(recipe)
    _check_length(recipe)
    _check_data(recipe)


def _check_method(recipe: Recipe) -> None:
    method, quant = recipe.method, recipe.model.quant
    if method == "qlora" and quant not in BITS:
        hint = "Set model.quant=nf4, or method=lora."
        if quant == "gptq":
            hint = "LoRA on a GPTQ base is method=lora with model.quant=gptq."
        raise _refused(recipe, f"qlora is LoRA on a base rounded while loading, and model.quant is {quant}", hint)
    if method == "lora" and quant in BITS:
        raise _refused(recipe, f"lora with model.quant={quant} is what qlora means", "Set method=qlora.")
    if method == "full" and quant != "none":
        raise _refused(
            recipe, f"full trains every weight, and weights held as {quant} cannot be trained",
            "Set model.quant=none, or method=qlora.",
        )  # fmt: skip
    if method == "dora" and quant in ("int8", "gptq"):
        raise _refused(
            recipe, f"dora needs the base's weights themselves, which layers held as {quant} do not give",
            "Set model.quant=nf4 or none, or another method.",
        )  # fmt: skip
    if method == "ia3" and quant == "gptq":
        raise _refused(recipe, "peft has no IA3 for GPTQ layers", "Set method=lora, or another base.")


def _check_adapter(recipe: Recipe) -> None:
    given = recipe.adapter.model_fields_set - USES[recipe.method]
    if given:
        names = ", ".join(f"adapter.{name}" for name in sorted(given))
        raise _refused(recipe, f"{recipe.method} has no use for {names}", "Leave it out (--set KEY= takes it back).")
    if recipe.method in LORA:
        _check_init(recipe)


def _check_init(recipe: Recipe) -> None:
    """Each was tried with peft 0.21 and trl 1.16: what is refused fails there, or goes wrong without an error."""
    init, quant = recipe.adapter.init, recipe.model.quant
    if init == "pissa" and quant != "none":
        raise _refused(
            recipe, "pissa splits the base's weights, and quantised ones cannot be split",
            "Set adapter.init=default, or model.quant=none.",
        )  # fmt: skip
    if init == "olora" and quant == "gptq":
        raise _refused(
            recipe, "olora splits the base's weights, and GPTQ's cannot be split", "Set adapter.init=default."
        )
    if init in ("pissa", "olora") and recipe.objective == "dpo":
        # trl copies the adapter as its reference, and copying splits the base a second time.
        raise _refused(
            recipe, f"{init} changes the base, and dpo needs it unchanged beside what is trained",
            "Set adapter.init=default, gaussian or eva.",
        )  # fmt: skip
    if init == "eva" and recipe.objective == "seq2seq":
        raise _refused(
            recipe, "eva looks at one text at a time, and an encoder-decoder reads two",
            "Set adapter.init=default or olora.",
        )  # fmt: skip


def _check_length(recipe: Recipe) -> None:
    training = recipe.training
    if training.optimizer not in STATES:
        hint = did_you_mean(training.optimizer, STATES, "docs/reference/recipes.md")
        raise _refused(recipe, f"the optimizer '{training.optimizer}' is not known", hint)
    if (training.steps is None) == (training.epochs is None):
        what = "neither training.steps nor" if training.steps is None else "both training.steps and"
        raise _refused(recipe, f"it sets {what} training.epochs", "Set one of the two.")
    if training.patience is not None and training.best == "last":
        raise _refused(
            recipe, "training.best=last compares no evaluations, and training.patience waits for a better one",
            "Leave out patience, or set training.best=validation_loss.",
        )  # fmt: skip
    if "beta" in training.model_fields_set and recipe.objective in ("sft", "seq2seq"):
        raise _refused(
            recipe, f"{recipe.objective} has no use for training.beta", "Leave it out, or set objective=dpo."
        )
    if training.warmup >= 1:
        if training.warmup != int(training.warmup):
            raise _refused(
                recipe, f"training.warmup={training.warmup:g} is no number of steps",
                "Give whole steps, or a share below 1.",
            )  # fmt: skip
        if training.steps is not None and training.warmup > training.steps:
            raise _refused(
                recipe, f"the warm-up of {training.warmup:g} steps is longer than the training of {training.steps}",
                "Set training.warmup lower; below 1 it is a share of the steps.",
            )  # fmt: skip
    if training.schedule == "constant" and training.warmup:
        raise _refused(recipe, "the schedule 'constant' has no warm-up", "Set training.schedule=constant_with_warmup.")


def _check_data(recipe: Recipe) -> None:
    if recipe.objective in ("sft", "dpo") and "lm_head" in recipe.adapter.targets:
        # trl multiplies by lm_head's own weights, past an adapter.
        raise _refused(recipe, f"an adapter on lm_head is not trained by {recipe.objective}", "Leave out lm_head.")
    if recipe.data.packing and recipe.method == "prompt":
        # They stand before the first row of a sequence only, and the others would learn nothing from them.
        raise _refused(
            recipe, "prompt puts its vectors before a row, and packing joins rows", "Set data.packing=false."
        )
    if recipe.data.packing and recipe.objective in ("dpo", "seq2seq"):
        raise _refused(recipe, f"{recipe.objective} cannot pack rows", "Set data.packing=false.")
    if recipe.data.rejected is not None and recipe.objective != "dpo":
        raise _refused(recipe, f"{recipe.objective} has no rejected answers", "Leave out data.rejected.")
    if recipe.data.format == "preference" and recipe.objective in ("sft", "seq2seq"):
        raise _refused(recipe, f"{recipe.objective} learns from answers, not from preferences", "Set objective=dpo.")


def _refused(recipe: Recipe, reason: str, hint: str) -> BadConfig:
    return BadConfig(f"Recipe '{recipe.name}': {reason}.", hint)
