"""One side of one measurement of training speed, in a process of its own: prints one JSON line.

    training_side.py --side benchctl ...   what 'benchctl train' does
    training_side.py --side trl ...        trl's SFTTrainer by itself, told the same settings

Timed, on both sides by the same watch: from the start of step W to the start of the last one. Loading, preparing the
rows, the evaluations before the first and after the last step and the result's writing are outside, on both sides.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LOG_EVERY = 10


class StepWatch:
    """Takes the time at two optimiser steps, whoever trains: it sits in transformers' own training step."""

    def __init__(self, accumulation: int, first: int, last: int, device: str) -> None:
        from transformers import Trainer

        self.times: dict[int, tuple[float, float]] = {}
        """Step -> wall time and this process's processor time, in seconds."""
        self._calls = 0
        inner = Trainer.training_step

        def timed(trainer: Any, *args: Any, **kwargs: Any) -> Any:
            step, rest = divmod(self._calls, accumulation)
            self._calls += 1
            if rest == 0 and step in (first, last):
                self.times[step] = _now(device)
            return inner(trainer, *args, **kwargs)

        Trainer.training_step = timed

    def per_step(self) -> tuple[float, float]:
        """Seconds of a step: on the clock, and of processor time, which other work on the machine disturbs less."""
        (first, begun), (last, ended) = sorted(self.times.items())
        wall, cpu = ((b - a) / (last - first) for a, b in zip(begun, ended, strict=True))
        return wall, cpu


def _now(device: str) -> tuple[float, float]:
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def recipe_of(asked: argparse.Namespace) -> Any:
    """The settings of both sides, as a recipe."""
    from benchctl_plugins.training.reading import find_recipe

    settings = {
        "base": asked.model, "train": asked.data, "format": "completion", "template": "plain", "quant": "nf4",
        "double_quant": "true", "dtype": asked.dtype, "compute_dtype": asked.dtype, "device": asked.device,
        "r": 64, "alpha": 16, "dropout": 0.0, "targets": "auto", "validation_share": 0.05,
        "max_length": asked.length, "batch": asked.batch, "accumulation": asked.accumulation, "steps": asked.steps,
        "learning_rate": 2e-4, "schedule": "cosine", "warmup": 0.1, "optimizer": "paged_adamw_8bit",
        "evaluate_every": asked.steps, "save_every": asked.steps, "log_every": LOG_EVERY,
        "gradient_checkpointing": str(asked.device == "cuda").lower(),
    }  # fmt: skip
    return find_recipe("tiny-qlora", [f"{key}={value}" for key, value in settings.items()])


def ours(recipe: Any, asked: argparse.Namespace) -> list[float]:
    """``benchctl train``; the training losses as logged."""
    from benchctl_plugins.training.display import TrainDisplay
    from benchctl_plugins.training.running import TrainOptions, train

    with tempfile.TemporaryDirectory() as folder, TrainDisplay(recipe.name) as display:
        done = train(recipe, TrainOptions(out=Path(folder), register=False), None, display)
        return [loss for _, loss in done.facts["curves"]["train"]]


def theirs(recipe: Any, asked: argparse.Namespace) -> list[float]:
    """Plain trl on the same rows, as its own documentation shows it: a quantised model and a LoRA configuration."""
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    from benchctl_plugins.training.prepare import prepare

    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    rows = prepare(recipe, tokenizer).train
    dtype = getattr(torch, asked.dtype)
    quantised = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    model = AutoModelForCausalLM.from_pretrained(
        asked.model, quantization_config=quantised, dtype=dtype, device_map={"": asked.device}
    )
    t, a = recipe.training, recipe.adapter
    torch.manual_seed(t.seed)
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=model, processing_class=tokenizer, train_dataset=rows,
            peft_config=LoraConfig(
                task_type="CAUSAL_LM", r=a.r, lora_alpha=a.alpha, lora_dropout=a.dropout,
                target_modules=["q_proj", "v_proj"],
            ),
            args=SFTConfig(
                output_dir=folder, max_steps=t.steps, per_device_train_batch_size=t.batch,
                gradient_accumulation_steps=t.accumulation, gradient_checkpointing=t.gradient_checkpointing,
                learning_rate=t.learning_rate, lr_scheduler_type=t.schedule, warmup_steps=t.warmup, optim=t.optimizer,
                max_grad_norm=t.max_grad_norm, seed=t.seed, data_seed=t.seed, logging_steps=LOG_EVERY,
                max_length=asked.length, completion_only_loss=True, save_strategy="no", report_to="none",
                disable_tqdm=True, use_cpu=asked.device == "cpu", bf16=asked.device == "cuda",
            ),
        )  # fmt: skip
        trainer.train()
        return [float(line["loss"]) for line in trainer.state.log_history if "loss" in line]


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", choices=("benchctl", "trl"), required=True)
    for name in ("--model", "--data", "--device", "--dtype"):
        parser.add_argument(name, required=True)
    for name in ("--steps", "--skip", "--batch", "--accumulation", "--length"):
        parser.add_argument(name, type=int, required=True)
    asked = parser.parse_args()
    recipe = recipe_of(asked)
    watch = StepWatch(asked.accumulation, asked.skip, asked.steps - 1, asked.device)
    said, sys.stdout = sys.stdout, sys.stderr  # trl prints its log lines
    losses = (ours if asked.side == "benchctl" else theirs)(recipe, asked)
    sys.stdout = said
    import torch

    peak = torch.cuda.max_memory_allocated() >> 20 if asked.device == "cuda" else None
    wall, cpu = watch.per_step()
    print(json.dumps({
        "side": asked.side, "steps_per_s": 1 / wall, "step_cpu_s": cpu, "losses": losses,
        "peak_mib": peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
