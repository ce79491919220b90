"""Putting what is to be learnt onto a base: an adapter by the recipe's method, or all weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchctl.errors import BadConfig

from .recipe import Recipe
from .refusals import LORA

Batches = Callable[[], Iterable[dict[str, Any]]]
"""Gives tokenised batches, ``input_ids`` and ``attention_mask`` [rows, tokens] each, from the beginning every time."""

INITS: dict[str, Any] = {"default": True, "gaussian": "gaussian", "pissa": "pissa", "olora": "olora", "eva": "eva"}
"""A recipe's name for how LoRA begins -> peft's."""


def attach(model: Any, recipe: Recipe, batches: Batches | None = None) -> Any:
    """The model to train: the base frozen with an adapter over it, or, for ``full``, the base itself.

    What is trained is held in float32 whatever the base is held in: an optimiser's small steps vanish in 16 bits, and
    resuming from a checkpoint, which is float32, would not be exact. Two calls with the same base and recipe give the
    same weights.

    Args:
        model: as :meth:`Weights.load` gives it, 4-bit layers exact.
        batches: rows to look at first, for the init ``eva``; others need none.

    Raises:
        BadConfig: the base has no layer of the names given, or ``eva`` without batches.
    """
    import torch

    torch.manual_seed(recipe.training.seed)
    model = model.train()
    model.config.use_cache = False  # of no use in training, and at odds with recomputing activations
    if recipe.method == "full":
        return _all_trainable(model)
    if recipe.model.quant == "gptq":
        keep_differentiable(model, recipe)
    # What bitsandbytes leaves in 16 bits stays so, as with trl's trainers: norms and softmax reckon in 32 bits anyway,
    # and peft's prepare_model_for_kbit_training would have all activations between the layers in 32 bits too.
    layers = _packed_layers(model, recipe)
    attached = put_on(model, peft_config(recipe, model.config, layers), recipe)
    if recipe.adapter.init == "eva" and recipe.method in LORA:
        _begin_with_eva(attached, recipe, batches)
    return _in_float32(attached)


def peft_config(recipe: Recipe, model_config: Any, layers: list[str] | str | None = None) -> Any:
    """The recipe's adapter as peft says it.

    Args:
        model_config: the base's, of transformers: it says what the layers are called.
        layers: the names of those to adapt; None: as :func:`targets` finds them.

    Raises:
        BadConfig: ``full`` has no adapter, or nobody knows the layers of this architecture.
    """
    from peft import EvaConfig, IA3Config, LoraConfig, PromptTuningConfig, TaskType

    adapter = recipe.adapter
    task = TaskType.SEQ_2_SEQ_LM if getattr(model_config, "is_encoder_decoder", False) else TaskType.CAUSAL_LM
    if recipe.method == "prompt":
        return PromptTuningConfig(task_type=task, num_virtual_tokens=adapter.virtual_tokens)
    if recipe.method == "full":
        raise BadConfig(f"Recipe '{recipe.name}': full has no adapter.", "Take another method.")
    conv1d = str(model_config.model_type) in _CONV1D and recipe.model.quant == "none"
    layers = layers or targets(recipe, str(model_config.model_type))
    if recipe.method == "ia3":
        inner = _feedforward(layers, str(model_config.model_type))
        return IA3Config(task_type=task, target_modules=layers, feedforward_modules=inner, fan_in_fan_out=conv1d)
    return LoraConfig(
        task_type=task, r=adapter.r, lora_alpha=adapter.alpha, lora_dropout=adapter.dropout, target_modules=layers,
        init_lora_weights=INITS[adapter.init], use_rslora=adapter.rslora, use_dora=recipe.method == "dora",
        fan_in_fan_out=conv1d, eva_config=EvaConfig(rho=1.0) if adapter.init == "eva" else None,
    )  # fmt: skip


_CONV1D = frozenset({"gpt2"})
"""Architectures of transformers' Conv1D layers, inputs and outputs the other way round; quantising turns them about."""


def targets(recipe: Recipe, model_type: str) -> list[str] | str:
    """The layers that get an adapter: those given, or those peft knows for the architecture.

    Raises:
        BadConfig: nobody knows them.
    """
    from peft.utils import constants

    if recipe.adapter.targets != "auto":
        return recipe.adapter.targets if isinstance(recipe.adapter.targets, str) else list(recipe.adapter.targets)
    known = (
        constants.TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING
        if recipe.method == "ia3"
        else constants.TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
    )
    if model_type not in known:
        raise BadConfig(
            f"Recipe '{recipe.name}': which layers of a '{model_type}' model should be adapted is not known.",
            "Name them: --set targets=q_proj,v_proj, or all-linear.",
        )
    return list(known[model_type])


def _feedforward(layers: list[str] | str, model_type: str) -> list[str]:
    """Of these layers the ones whose input IA3 scales, not their output: the second of a feed-forward block."""
    from peft.utils import constants

    inner = constants.TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING.get(model_type, [])
    return [name for name in inner if name in layers] if isinstance(layers, list) else []


def _all_trainable(model: Any) -> Any:
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return _in_float32(model)


def keep_differentiable(model: Any, recipe: Recipe) -> None:
    """Keep GPTQ layers from changing to arithmetic without gradients; to be called before the first forward.

    On a CPU, gptqmodel's layers decide at their first forward: in evaluation mode they repack themselves for a fused
    kernel, which rounds to bfloat16 and hands no gradient back, and stay so in training. Everything below such a layer
    would then learn nothing, without an error. The fast kernels for accelerators cannot hand gradients back at all.

    Raises:
        BadConfig: the base was loaded with such a kernel, or has been evaluated already.
    """
    for module in model.modules():
        if not _is_packed(module):
            continue
        if not module.SUPPORTS_TRAINING or getattr(module, "linear_mode", None) == "inference":
            kernel = f"GPTQ kernel {type(module).__name__} of '{recipe.model.base}'"
            raise BadConfig(
                f"Recipe '{recipe.name}': the {kernel} gives no gradients.",
                "Load the base with gptq_kernel=trainable, before anything is evaluated with it.",
            )  # fmt: skip
        if hasattr(module, "linear_mode"):
            module.linear_mode = "train"


def put_on(model: Any, config: Any, recipe: Recipe) -> Any:
    """The model with an adapter of that :func:`peft_config`.

    Raises:
        BadConfig: peft does not take it.
    """
    from peft import get_peft_model

    from ..models.quiet import quiet

    try:
        with quiet():
            return get_peft_model(model, config)
    except (ValueError, TypeError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadConfig(
            f"Recipe '{recipe.name}': the adapter does not fit '{recipe.model.base}' ({reason}).",
            "Check the adapter's keys, adapter.targets first.",
        ) from error


def _packed_layers(model: Any, recipe: Recipe) -> list[str] | None:
    """For ``all-linear`` on a GPTQ base, whose layers peft does not count as linear: their names. None: as written."""
    if recipe.model.quant != "gptq" or recipe.adapter.targets != "all-linear" or recipe.method not in LORA:
        return None
    packed = (name for name, module in model.named_modules() if _is_packed(module))
    return sorted({name.rpartition(".")[2] for name in packed})


def _is_packed(module: Any) -> bool:
    return any(cls.__name__ == "BaseQuantLinear" for cls in type(module).__mro__)


def _begin_with_eva(model: Any, recipe: Recipe, batches: Batches | None) -> None:
    """Begin along the directions in which the layers' inputs vary most over the training rows."""
    from peft import initialize_lora_eva_weights

    from ..models.quiet import quiet

    if batches is None:
        raise BadConfig(f"Recipe '{recipe.name}': init 'eva' looks at training rows, and none are given.", "Give data.")
    with quiet():
        initialize_lora_eva_weights(model, list(batches()), show_progress_bar=False)
    model.train()


def _in_float32(model: Any) -> Any:
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    return model
