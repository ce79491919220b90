"""Recipes, tokenizers and files for the tests of training data."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

from benchctl_plugins.models.tiny import tiny_folder, tiny_t5_folder
from benchctl_plugins.training.recipe import DataSection, ModelSection, Recipe, TrainingSection

ZEPHYR = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""A chat template of the kind the studies used: an end-of-text token closes every turn, a line end follows."""
BEGINNING = "{{ bos_token }}" + ZEPHYR
"""One that writes the beginning-of-text token itself."""
UNTHINKING = "{% if add_generation_prompt and enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
"""Behind a template: one whose model thinks unless it is told not to."""
STRICT = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}{% endfor %}"
)
"""In front of a template: one that refuses a system turn, as some models' do."""

SHAPES: dict[str, dict[str, Any]] = {
    "instruction": {"instruction": "O que é febre?", "output": "Temperatura alta."},
    "with input": {"instruction": "Resuma.", "input": "A febre passou.", "output": "Passou."},
    "completion": {"prompt": "A febre é", "completion": " um sinal."},
    "capitals": {"Prompt": "A febre é", "Completion": "um sinal."},
    "chat": {
        "messages": [
            {"role": "system", "content": "Seja breve."},
            {"role": "user", "content": "Oi."},
            {"role": "assistant", "content": "Olá."},
            {"role": "user", "content": "Febre?"},
            {"role": "assistant", "content": "Sim."},
        ]
    },
    "choices": {"question": "Qual?", "choices": {"A": "um", "B": "dois"}, "answer": "B"},
}
"""A row of every shape that training reads."""


def recipe(objective: str = "sft", seed: int = 42, **data: Any) -> Recipe:
    """A small training on this data."""
    return Recipe(
        name="test", method="lora", objective=objective, model=ModelSection(base="tiny"),
        data=DataSection(**{"validation_share": 0, **data}), training=TrainingSection(steps=3, seed=seed),
    )  # fmt: skip


@cache
def tokenizer(chat: str | None = None, kind: str = "llama") -> Any:
    """A tokenizer of the tiny models, with a chat template where one is given."""
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(tiny_folder() if kind == "llama" else tiny_t5_folder())
    made.chat_template = chat
    return made


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    """Rows as a file of the kind its suffix says; its path."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        from datasets import Dataset

        Dataset.from_list(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def learnt(row: dict[str, Any], tokens: Any) -> str:
    """The text that the loss of a row counts."""
    return str(tokens.decode([i for i, m in zip(row["input_ids"], row["completion_mask"], strict=True) if m]))
