"""The trainers behind the objectives: trl's for answers and preferences, transformers' for encoder-decoders."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.errors import DEFECT, PluginError

from .around import described
from .exact import Exact, made_exact, vectors_first
from .own_logits import by_own_logits
from .packing import require_apart

if TYPE_CHECKING:
    from benchctl.plugins import Offer

    from .recipe import Recipe
    from .watch import Watch


@dataclass(frozen=True, slots=True)
class Parts:
    """What a trainer is made of. A plugin's own objective gets the same: see ``benchctl_trainers``."""

    recipe: Recipe
    model: Any
    """With its adapter on, or with all weights trainable."""
    tokenizer: Any
    train: Any
    """A ``datasets.Dataset``; see prepare.py for its columns."""
    validation: Any
    """Likewise; None without validation rows."""
    arguments: Mapping[str, Any]
    """For ``transformers.TrainingArguments`` or a subclass: all that the recipe says."""
    callbacks: Sequence[Any]
    watch: Watch

    def exact(self, trainer: type) -> type[Any]:
        """The trainer class made to resume exactly; whatever a plugin builds must be of such a class."""
        return made_exact(trainer, self.watch)

    @property
    def common(self) -> dict[str, Any]:
        """Arguments every trainer takes."""
        return {
            "model": self.model, "train_dataset": self.train, "eval_dataset": self.validation,
            "processing_class": self.tokenizer, "callbacks": list(self.callbacks),
        }  # fmt: skip


def sft(parts: Parts) -> Any:
    """Learn the answers: trl's SFTTrainer on rows that are tokens already."""
    from trl import SFTConfig, SFTTrainer

    data = parts.recipe.data
    if data.packing:
        require_apart(parts.model, parts.train, parts.recipe)
    arguments = SFTConfig(
        **parts.arguments, max_length=data.max_length, packing=data.packing, eval_packing=False,
        completion_only_loss="completion_mask" in parts.train.column_names,
    )  # fmt: skip
    trainer = parts.exact(SFTTrainer)(args=arguments, **parts.common)
    by_own_logits(parts.model)
    # The loss is trl's, over the tokens of all accumulated batches. transformers counts them by the loss of the model's
    # class: not at all for many that also see, and with each row's first, which nothing foretells, for GPT-2.
    trainer.model_accepts_loss_kwargs, trainer._loss_shifts_labels = True, not vectors_first(parts.model)
    return trainer


def dpo(parts: Parts) -> Any:
    """Prefer the chosen answer: trl's DPOTrainer; the reference is the base, its adapter switched off."""
    from peft import PeftModel
    from trl import DPOConfig, DPOTrainer

    arguments = DPOConfig(
        **parts.arguments, max_length=parts.recipe.data.max_length, beta=parts.recipe.training.beta,
    )  # fmt: skip
    adapted = isinstance(parts.model, PeftModel)
    reference = None if adapted else copy.deepcopy(parts.model)
    trainer = parts.exact(type("PairsTrainer", (EndedOnce, DPOTrainer), {}))(
        args=arguments, ref_model=reference, **parts.common
    )
    if adapted:
        # trl takes every adapter for one trained earlier and keeps a copy of it as the reference. This one is new and
        # changes nothing yet: switching it off gives the same, without the copy. (PiSSA and OLoRA, which change the
        # base, are refused with preferences.)
        parts.model.delete_adapter("ref")
    for model in (parts.model, *(() if reference is None else (reference,))):
        by_own_logits(model)
    return trainer


def seq2seq(parts: Parts) -> Any:
    """Learn the answers with an encoder-decoder: transformers' Seq2SeqTrainer."""
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments

    arguments = Seq2SeqTrainingArguments(**parts.arguments)
    if arguments.gradient_checkpointing and hasattr(parts.model, "enable_input_require_grads"):
        parts.model.enable_input_require_grads()  # trl's trainers do it themselves
    collator = DataCollatorForSeq2Seq(parts.tokenizer, model=parts.model)
    trainer = parts.exact(type("AnswersTrainer", (ByTokens, Seq2SeqTrainer), {}))
    return trainer(args=arguments, data_collator=collator, **parts.common)


class EndedOnce:
    """Goes in front of trl's DPOTrainer, which writes the end of text behind each answer: a tokenizer that adds one by
    itself made two of it."""

    def _prepare_dataset(self, dataset: Any, processing_class: Any, *args: Any, **kwargs: Any) -> Any:
        found = super()._prepare_dataset(dataset, processing_class, *args, **kwargs)  # type: ignore[misc]
        end = processing_class.eos_token_id

        def once(row: Mapping[str, list[int]]) -> dict[str, list[int]]:
            answers = {name: row[name] for name in ("chosen_ids", "rejected_ids")}
            return {name: ids[:-1] if ids[-2:] == [end, end] else ids for name, ids in answers.items()}

        return found.map(once)


class ByTokens:
    """Goes in front of a trainer of encoder-decoders: the loss of a step is the mean over its learnt tokens.

    transformers takes every model for one that divides by the tokens of all accumulated batches. Encoder-decoders do
    not: each batch gave its own mean, and a step their sum, as many times the loss as there are batches.
    """

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None, **kwargs: Any
    ) -> Any:
        """As the trainer's; in training weighed by the batch's share of the step's tokens."""
        trainer: Any = self
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **kwargs)  # type: ignore[misc]
        if num_items_in_batch is not None:  # of all processes, whose gradients will be averaged
            share = (inputs["labels"] != -100).sum() / num_items_in_batch
            loss = loss * share * trainer.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss


TRAINERS: Mapping[str, Callable[[Parts], Any]] = {"sft": sft, "dpo": dpo, "seq2seq": seq2seq}


def arguments(
    recipe: Recipe, out: Path, device: str, dtype: str, trackers: Sequence[str], fresh: bool
) -> dict[str, Any]:
    """What ``transformers.TrainingArguments`` is told.

    Args:
        out: the training's folder, whose name trackers show.
        device: as settled: ``cpu``, ``cuda``, ...
        dtype: in which the base computes; half precision on an accelerator means mixed precision.
        trackers: as transformers names them; none unless asked for.
        fresh: whether the validation loss is still to be taken before the first step.
    """
    t = recipe.training
    accelerated = device != "cpu"
    checkpointing = accelerated if t.gradient_checkpointing is None else t.gradient_checkpointing
    length = {"max_steps": t.steps} if t.steps is not None else {"num_train_epochs": t.epochs}
    # An adapter has no part that a step leaves out; looking for some at every step takes time.
    shared = {} if recipe.method == "full" else {"ddp_find_unused_parameters": False}
    return {
        **shared, "output_dir": str(out / "checkpoints"), **length,
        "per_device_train_batch_size": t.batch, "per_device_eval_batch_size": t.batch,
        "gradient_accumulation_steps": t.accumulation, "gradient_checkpointing": checkpointing,
        "learning_rate": t.learning_rate, "lr_scheduler_type": t.schedule, "warmup_steps": t.warmup,
        "optim": t.optimizer, "weight_decay": t.weight_decay, "max_grad_norm": t.max_grad_norm,
        "seed": t.seed, "data_seed": t.seed, "use_cpu": not accelerated,
        "bf16": accelerated and dtype == "bfloat16", "fp16": accelerated and dtype == "float16",
        "eval_strategy": "no", "save_strategy": "no", "logging_strategy": "no",  # the conductor decides
        "eval_on_start": fresh, "prediction_loss_only": True,
        "logging_nan_inf_filter": False,  # it would write the mean of earlier losses over one that is no number
        "report_to": list(trackers) or "none", "project": "benchctl",
        "run_name": f"{recipe.name}-{out.name}", "disable_tqdm": True, "dataloader_pin_memory": accelerated,
    }  # fmt: skip


def build(objective: Offer, parts: Parts) -> Any:
    """The trainer, its trainable weights in float32: trl rounds those of a 4-bit model to bfloat16, and resuming would
    give them back in float32, another training from there on.

    Raises:
        PluginError: a plugin's objective makes a trainer that would not resume exactly, or none.
    """
    import torch
    from transformers import PrinterCallback, ProgressCallback

    trainer: Any = objective.factory(parts)
    if Exact not in type(trainer).__mro__:
        raise PluginError(
            f"{described(objective)} gives {type(trainer).__name__}, no class that parts.exact makes.", DEFECT
        )
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    return trainer


def batches(rows: Any, tokenizer: Any, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Tokenised batches of the training rows in their order: for an adapter that is initialised from data (EVA), and to
    time a few. With ``labels`` where the answers stand apart, as an encoder-decoder's do."""
    import torch

    size, limit = recipe.training.batch, recipe.data.max_length
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        ids = part.get("input_ids") or [
            tokenizer(prompt + chosen)["input_ids"][:limit]
            for prompt, chosen in zip(part["prompt"], part["chosen"], strict=True)
        ]
        width = max(len(one) for one in ids)
        batch = {
            "input_ids": torch.tensor([one + [pad] * (width - len(one)) for one in ids]),
            "attention_mask": torch.tensor([[1] * len(one) + [0] * (width - len(one)) for one in ids]),
        }
        if answers := part.get("labels"):
            longest = max(len(one) for one in answers)
            batch["labels"] = torch.tensor([one + [-100] * (longest - len(one)) for one in answers])
        yield batch
