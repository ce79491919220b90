"""A recipe: everything that fixes a training, as data. Read from TOML; see recipes/ for those that ship."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Method = Literal["qlora", "lora", "dora", "ia3", "full", "prompt"]
Quant = Literal["none", "nf4", "fp4", "int8", "gptq"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Init = Literal["default", "gaussian", "pissa", "olora", "eva"]
Format = Literal["auto", "instruction", "completion", "chat", "preference"]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


def _names(value: object) -> object:
    """``q_proj,v_proj``, as it is written after ``--set``, as a tuple; ``auto`` and ``all-linear`` as they are."""
    if not isinstance(value, str) or value in ("auto", "all-linear"):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


class Section(BaseModel):
    """Part of a recipe: frozen, and a key nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSection(Section):
    """What is trained."""

    base: str
    """As ``--model`` takes it: a named model, ``hf:PATH_OR_ID``, or a bare folder or hub id."""
    quant: Quant = "none"
    """How the base is held while an adapter learns; ``gptq`` says that the base's files are quantised so."""
    double_quant: bool = True
    compute_dtype: Dtype = "auto"
    """In which 4-bit layers compute; auto: as ``benchctl run`` does."""
    dtype: Dtype = "auto"
    device: str = "auto"


class AdapterSection(Section):
    """What is learnt, for methods other than ``full``. A key that the method has no use for is refused."""

    r: Count = 16
    """Rank of LoRA, QLoRA, DoRA."""
    alpha: Annotated[float, Field(gt=0)] = 16
    dropout: Share = 0.0
    targets: Annotated[tuple[str, ...] | Literal["auto", "all-linear"], BeforeValidator(_names)] = "auto"
    """Layers by name; auto: the attention's, as peft knows them for the architecture."""
    init: Init = "default"
    rslora: bool = False
    virtual_tokens: Count = 20
    """Vectors in front of the text, for ``prompt``."""


class DataSection(Section):
    """What it is trained on."""

    train: str = "builtin"
    """``builtin`` (the dev rows that ship), ``hub:OWNER/NAME``, ``task:NAME`` (its training split) or a file."""
    validation: str = ""
    """Like ``train``; empty: the source's own validation split, or else ``validation_share`` of the rows."""
    validation_share: Share = 0.1
    format: Format = "auto"
    """auto: by the columns."""
    template: str = "auto"
    """How a row becomes a prompt: ``chat`` (the model's own), ``instruction``, ``plain``, a Jinja file; auto: chat
    where the model has a template, else instruction."""
    rejected: str | None = None
    """For ``dpo``: the rejected answer of rows without one of their own; study S3 took one space. None: a wrong option
    of a multiple-choice question, and rows that have neither are refused."""
    scoring: str = ""
    """How the rows of a multiple-choice task are asked and answered, by the name ``benchctl run --scoring`` takes
    (``letter``, ``option``, ``generate``); empty: the task's own."""
    skip_bad_rows: bool = False
    """Leave out rows that cannot be used, counted and named, instead of stopping."""
    leaks: Literal["refuse", "drop"] = "refuse"
    """What becomes of rows that also stand in a test set: stop, or leave them out, counted and named."""
    answer_only: bool = True
    """Loss over the answer alone, not over the prompt."""
    max_length: Count = 512
    """Tokens of prompt and answer; more are cut off, counted and said."""
    packing: bool = False
    """Several rows in one sequence."""
    rows: Count | None = None
    """Only so many training rows, drawn with the seed."""


class TrainingSection(Section):
    """How long and how fast."""

    steps: Count | None = None
    """Optimiser steps; exactly one of ``steps`` and ``epochs``."""
    epochs: Annotated[float, Field(gt=0)] | None = None
    batch: Count = 8
    """Rows per device and forward pass."""
    accumulation: Count = 1
    """Forward passes per step."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    warmup: Annotated[float, Field(ge=0)] = 0
    """Steps; below 1 a share of them."""
    optimizer: str = "adamw_torch"
    """By transformers' name."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    gradient_checkpointing: bool | None = None
    """None: on an accelerator yes, on a CPU no."""
    evaluate_every: Count = 100
    """Steps; the validation loss is also taken before the first and after the last."""
    save_every: Count = 100
    log_every: Count = 10
    keep: Count = 2
    """Checkpoints kept besides the best one."""
    best: str = "validation_loss"
    """What chooses the checkpoint: ``validation_loss``, ``last``, or a task's name (its main metric, on ``best_rows``
    of its dev or training rows, never the test rows)."""
    best_rows: Count = 100
    patience: Count | None = None
    """Stop after so many evaluations without a better one."""
    beta: Annotated[float, Field(gt=0)] = 0.1
    """Of DPO."""
    seed: int = 42


class Recipe(Section):
    """All that fixes a training besides the bytes of its base and data."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Letters, digits, dots and hyphens: it names a folder and a model."""
    summary: str = ""
    """One line, English, for lists."""
    study: str = ""
    """Which of the source studies its figures are from, and what was left to us."""
    method: Method
    objective: str = "sft"
    """Name of a trainer: ``sft``, ``dpo``, ``seq2seq``, or one that a plugin adds."""
    model: ModelSection
    adapter: AdapterSection = AdapterSection()
    data: DataSection = DataSection()
    training: TrainingSection = TrainingSection()
