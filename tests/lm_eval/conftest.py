"""A folder of small lm-eval tasks with their own data, and lm-eval itself to compare with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

STORIES = [
    (
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the",
        ["park", "moon", "soup"],
        0,
    ),
    ("Tom had a red ball. He kicked the ball and it went up, up into the", ["shoe", "sky", "spoon"], 1),
    ("The cat was hungry. She wanted to eat some", ["rocks", "doors", "fish with bread"], 2),
    ("Mom said it was time for bed. Tim was", ["tired", "a green tree", "loud"], 0),
    ("The sun was hot and Anna wanted a glass of", ["sand", "water", "paper"], 1),
    ("The dog ran and ran. Then he sat down and went to", ["sleep", "seven", "under"], 0),
]
TRAINING = [
    ("Ben saw a big bird in the", ["tree", "sock", "song"], 0),
    ("Sue was sad, so mom gave her a", ["hug", "wall", "no"], 0),
    ("The boy put on his hat and his", ["coat", "rain", "jump"], 0),
    ("It was cold and white outside: it was", ["snow", "noon", "fun"], 0),
]
LONG = "Once upon a time there was a little bear. " + "He walked to the river and saw a fish. " * 60

TASKS = {
    "pick": {
        "output_type": "multiple_choice",
        "training_split": "train",
        "fewshot_split": "train",
        "doc_to_text": "text",
        "doc_to_choice": "choices",
        "doc_to_target": "gold",
        "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in ("acc", "acc_norm")]
        + [{"metric": "acc_mutual_info"}, {"metric": "brier_score"}, {"metric": "exact_match"}],
        "tag": "stories_tag",
    },
    "fill": {  # the choices are in the question, as in Winogrande
        "output_type": "multiple_choice",
        "doc_to_text": "gold",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{' and then they went home.'}}",
        "metric_list": [{"metric": "acc"}],
    },
    "write": {
        "output_type": "generate_until",
        "fewshot_split": "train",
        "num_fewshot": 2,
        "description": "Stories. \n\n",
        "doc_to_text": "{{text}}",
        "doc_to_target": "{{choices[gold]}}",
        "generation_kwargs": {"until": ["\n\n", "."], "max_gen_toks": 12, "do_sample": False, "temperature": 0.0},
        "filter_list": [
            {"name": "first", "filter": [{"function": "regex", "regex_pattern": "(\\w+)"}, {"function": "take_first"}]},
            {"name": "none", "filter": [{"function": "take_first"}]},
        ],
        "metric_list": [{"metric": "exact_match", "ignore_case": True}, {"metric": "chrf"}],
        "tag": "stories_tag",
    },
    "roll": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "{{text}}",
        "metric_list": [{"metric": m} for m in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
    },
    "last": {  # as LAMBADA
        "output_type": "loglikelihood",
        "doc_to_text": "{{text}}",
        "doc_to_target": "{{' ' + choices[gold]}}",
        "metric_list": [{"metric": "perplexity"}, {"metric": "acc"}],
    },
}


def rows(stories):
    return [{"text": text, "choices": choices, "gold": gold} for text, choices, gold in stories]


def write_lines(path: Path, found) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")
    return str(path)


@pytest.fixture
def tasks(tmp_path, monkeypatch) -> Path:
    """The folder with the YAML files."""
    pytest.importorskip("lm_eval", reason="needs the extra 'lm-eval'")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    folder = tmp_path / "tasks"
    folder.mkdir()
    test = write_lines(folder / "test.jsonl", rows(STORIES))
    train = write_lines(folder / "train.jsonl", rows(TRAINING))
    long = write_lines(folder / "long.jsonl", [*rows(STORIES[:2]), {"text": LONG, "choices": ["a"], "gold": 0}])
    for name, fields in TASKS.items():
        files = {"test": long} if name == "roll" else {"test": test, "train": train}
        whole = {
            "task": name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": files},
            "test_split": "test",
            **fields,
        }
        (folder / f"{name}.yaml").write_text(json.dumps(whole), "utf-8")
    group = {"group": "stories", "task": ["pick", {"task": "last", "num_fewshot": 0}]}
    (folder / "stories.yaml").write_text(json.dumps(group), "utf-8")
    return folder


@pytest.fixture(scope="session")
def harness_lm():
    """lm-eval's own model class on the small trained model, in float32."""
    pytest.importorskip("lm_eval", reason="needs the extra 'lm-eval'")
    folder = Path(__file__).resolve().parents[2].parent / "shared/models/stories260K"
    if not folder.is_dir():
        pytest.skip("needs ../shared/models/stories260K, which is not here")
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=8)


def evaluate(lm, include, task, **settings):
    """What lm-eval says: its figures without the standard errors, and its samples in order."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(include), include_defaults=False)
    found = lm_eval.simple_evaluate(model=lm, tasks=[task], task_manager=manager, bootstrap_iters=0, **settings)
    figures = {
        name: {k.removesuffix(",none"): v for k, v in values.items() if "," in k and "_stderr" not in k}
        for name, values in found["results"].items()
    }
    samples = {name: sorted(s, key=lambda one: one["doc_id"]) for name, s in found["samples"].items()}
    return figures, samples
