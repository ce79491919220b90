"""A task as YAML that lm-eval runs with the prompts of ``benchctl run``, word for word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchctl import __version__
from benchctl.errors import BadConfig, BadData
from benchctl.matrix import Matrix
from benchctl.prompts import PromptBuilder, choose_shots, delimiter
from benchctl.records import replace_file, slug
from benchctl.subsets import select
from benchctl.task import Task, TaskGroup
from benchctl.types import RunSpec, Sample

METRICS = {"letter": ("acc",), "option": ("acc", "acc_norm", "acc_bytes")}
"""Scoring -> lm-eval's metrics of it; ``acc_norm`` divides by characters, which benchctl does not offer."""
OURS = {"acc_bytes": "accuracy_per_byte"}
"""lm-eval's metric -> benchctl's of the same answers, where that is not ``accuracy``."""

LOADER = "benchctl_data.py"
LOADER_SOURCE = f'''\
"""Reads the files beside this one for lm-eval, wherever the folder lies. Written by benchctl {__version__}."""

import json
from pathlib import Path

import datasets


def load(test, shots=None, **_):
    """The splits of one task; lm-eval passes ``dataset_kwargs`` and more."""
    files = {{"test": test, **({{"shots": shots}} if shots else {{}})}}
    return datasets.DatasetDict({{split: datasets.Dataset.from_list(_rows(name)) for split, name in files.items()}})


def _rows(name):
    # Split at line feeds only: the texts may hold other characters that count as line ends elsewhere.
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\\n") if line]
'''


def write(matrix: Matrix, out: Path) -> list[Path]:
    """Write every task of the matrix, and its groups.

    Raises:
        BadConfig: a task or scoring that has no counterpart in lm-eval.
        BadData: the rows cannot be read.
    """
    files = {out / LOADER: LOADER_SOURCE}
    for task in matrix.members.values():
        files |= _task(matrix.spec(task, ""), task, out)
    for group in matrix.tasks:
        if isinstance(group, TaskGroup):
            metrics = METRICS[matrix.spec(matrix.members[group.members[0]], "").scoring]
            files[out / f"{slug(group.name)}.yaml"] = _group(group, metrics)
    for path, text in files.items():
        replace_file(path, text)
    return list(files)


def _task(spec: RunSpec, task: Task, out: Path) -> dict[Path, str]:
    if task.kind != "multiple_choice" or spec.scoring not in METRICS:
        raise BadConfig(
            f"{task.name} with scoring '{spec.scoring}' cannot be given to lm-eval.",
            "Multiple-choice tasks can, with --scoring letter or option.",
        )
    data = task.load(spec.data, skip_bad_rows=spec.skip_bad_rows)
    if data.bad_rows:
        click.echo(f"note: {task.name}: {len(data.bad_rows)} unusable rows left out, e.g. {data.bad_rows[0]}", err=True)
    samples = data.samples
    pool = task.shots(spec.shots_data) if spec.shots else ()
    shots = choose_shots(pool, samples, spec.shots, spec.seed, task.name)
    prompts = PromptBuilder(task, spec.scoring, spec.prompt_template, shots)
    rows = [_row(prompts, sample) for sample in select(samples, spec)]
    examples = [_row(prompts, shot) for shot in shots]
    spaces = {delimiter(row["question"]) for row in rows + examples}
    if len(spaces) > 1:
        raise BadData(
            f"{task.name}: some questions end in white space and some do not; lm-eval cannot tell them apart.",
            "Let the prompt template end in a fixed text.",
        )
    name = slug(task.name)
    found = {out / f"{name}.yaml": _yaml(task, spec, spaces.pop()), out / f"{name}.jsonl": _lines(rows)}
    return {**found, out / f"{name}.shots.jsonl": _lines(examples)} if examples else found


def _row(prompts: PromptBuilder, sample: Sample) -> dict[str, Any]:
    labels = list(sample.choices)
    return {
        "id": sample.id,
        "instruction": f"{prompts.instruction}\n\n" if prompts.instruction else "",
        "question": prompts.question(sample),
        "choices": labels if prompts.scoring == "letter" else [text.strip() for text in sample.choices.values()],
        "gold": labels.index(sample.target),
    }


def _yaml(task: Task, spec: RunSpec, space: str) -> str:
    """JSON values are YAML values; only the function's tag is not JSON."""
    name = slug(task.name)
    files = {"test": f"{name}.jsonl", **({"shots": f"{name}.shots.jsonl"} if spec.shots else {})}
    fields: dict[str, Any] = {
        "task": task.name,
        "task_alias": f"{task.title} ({spec.scoring})",
        "dataset_kwargs": files,
        "test_split": "test",
        # The examples were drawn by benchctl: they are taken in their order, and are no test rows.
        **({"fewshot_split": "shots", "fewshot_config": {"sampler": "first_n"}} if spec.shots else {}),
        "num_fewshot": spec.shots,
        "output_type": "multiple_choice",
        "description": "instruction",
        "doc_to_text": "question",
        "doc_to_choice": "choices",
        "doc_to_target": "gold",
        "target_delimiter": space,
        "fewshot_delimiter": "\n\n",
        "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in METRICS[spec.scoring]],
        "metadata": {"version": task.version},
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    head = [
        f"# {task.name}, scoring {spec.scoring}, {spec.shots} shots: written by benchctl {__version__}.",
        "# description, doc_to_text, doc_to_choice and doc_to_target name columns of the data file.",
    ]
    return "\n".join([*head, f"custom_dataset: !function {Path(LOADER).stem}.load", *lines]) + "\n"


def _group(group: TaskGroup, metrics: Sequence[str]) -> str:
    fields = {
        "group": group.name,
        "group_alias": group.title,
        "task": list(group.members),
        "aggregate_metric_list": [
            {"metric": m, "aggregation": "mean", "weight_by_size": OURS.get(m, "accuracy") not in group.alike}
            for m in metrics
        ],
        "metadata": {"version": 1},
    }
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items())


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
