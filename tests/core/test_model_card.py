"""``export run --format model-card``: figures into the head of a model's README.md, and nothing else touched."""

from __future__ import annotations

import csv
import json

import pytest
from huggingface_hub import ModelCard

CARD = """---
license: mit
base_model: org/base
language:
- pt
model-index:
- name: meu-modelo
  results:
  - task:
      type: text-generation
    dataset:
      name: Outro
      type: org/outro
    metrics:
    - type: rouge
      value: 0.5
---

# Meu modelo

Feito à mão: não mexa aqui.
"""


@pytest.fixture
def ran(benchctl, teste):
    def call(*arguments):
        fixed = ("run", "--task", "medmcqa-pt", "--data", teste, "--limit", "40", "--json")
        done = benchctl(*fixed, *(arguments or ("--model", "majority")))
        assert done.code == 0, done.err
        return json.loads(done.out)[0]

    return call


def results(folder):
    return {
        (r.task_name, r.dataset_config, r.metric_type): r
        for r in ModelCard.load(folder / "README.md").data.eval_results
    }


def test_a_card_is_made_with_figures_that_the_hub_can_read(ran, benchctl, tmp_path):
    run = ran()
    done = benchctl("export", "run", run["run"], "--format", "model-card", "--out", tmp_path / "model")
    assert done.code == 0 and done.out.strip().endswith("README.md")
    card = ModelCard.load(tmp_path / "model/README.md")
    (found,) = card.data.eval_results
    accuracy = run["metrics"]["accuracy"]
    assert card.data.model_name == "majority" and card.text.strip() == "# majority"
    assert found.metric_type == "accuracy" and found.metric_value == pytest.approx(100 * accuracy["value"], abs=1e-4)
    assert (found.task_type, found.task_name) == ("multiple-choice", "medmcqa-pt")
    assert found.dataset_config == "letter, 0-shot, 40 of 4183 questions"
    assert found.metric_name == (
        f"accuracy (%, 95% interval {100 * accuracy['low']:.4g} to {100 * accuracy['high']:.4g}, n 40)"
    )
    assert found.metric_args["run"] == run["run"]


def test_a_named_model_has_its_name_on_the_card(ran, benchctl, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[models.medico]\nspec = "majority"\n', "utf-8")
    run = ran("--model", "medico")
    assert benchctl("export", "run", run["run"], "--format", "model-card", "--out", tmp_path / "model").code == 0
    card = ModelCard.load(tmp_path / "model/README.md")
    assert card.data.model_name == "medico" and card.text.strip() == "# medico"


def test_what_a_card_says_already_stays_and_the_same_figure_is_replaced(ran, benchctl, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    first, other = ran("--model", "majority"), ran("--model", "random")
    for run in (first, other, first):
        assert benchctl("export", "run", run["run"], "--format", "model-card", "--out", folder).code == 0
    card = ModelCard.load(folder / "README.md")
    assert (card.data.license, card.data.base_model, card.data.language) == ("mit", "org/base", ["pt"])
    assert card.data.model_name == "meu-modelo" and card.text.lstrip().startswith("# Meu modelo\n\nFeito à mão")
    assert {r.metric_type for r in card.data.eval_results} == {"rouge", "accuracy"} and len(card.data.eval_results) == 2
    (found,) = (r for r in card.data.eval_results if r.metric_type == "accuracy")
    assert found.metric_value == pytest.approx(100 * first["metrics"]["accuracy"]["value"], abs=1e-4)


def test_other_settings_stand_beside(ran, benchctl, tmp_path):
    for shots in ("0", "2"):
        run = ran("--model", "majority", "--shots", shots)["run"]
        assert benchctl("export", "run", run, "--format", "model-card", "--out", tmp_path / "m").code == 0
    assert {config for _, config, _ in results(tmp_path / "m")} == {
        "letter, 0-shot, 40 of 4183 questions", "letter, 2-shot, 40 of 4183 questions",
    }  # fmt: skip


def test_other_wordings_and_other_questions_stand_beside_too(ran, benchctl, teste, tmp_path):
    (tmp_path / "t.j2").write_text("{{ question }}", encoding="utf-8")
    head, *rows = csv.reader(teste.read_text(encoding="utf-8").splitlines(keepends=True))
    with (tmp_path / "other.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *reversed(rows)])
    first = ("--model", "majority")
    others = (("--prompt-template", "t.j2"), ("--seed", "1"), ("--data", "other.csv"), ("--scoring", "generate"),
              ("--scoring", "generate", "--max-tokens", "9"))  # fmt: skip
    for more in ((), *others, ()):
        run = ran(*first, *more)["run"]
        assert benchctl("export", "run", run, "--format", "model-card", "--out", tmp_path / "m").code == 0
    found = ModelCard.load(tmp_path / "m/README.md").data.eval_results
    assert len([r for r in found if r.metric_type == "accuracy"]) == 1 + len(others)


def test_a_card_that_begins_with_windows_mark_keeps_its_head(ran, benchctl, tmp_path):
    (tmp_path / "README.md").write_text(CARD, encoding="utf-8-sig")
    assert benchctl("export", "run", ran()["run"], "--format", "model-card", "--out", tmp_path).code == 0
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.license == "mit" and len(card.data.eval_results) == 2 and "license" not in card.text


def test_what_is_no_figure_of_a_model_does_not_go_in(ran, benchctl, tmp_path):
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", "majority", "--json")
    builtin = json.loads(done.out)[0]["run"]
    done = benchctl("export", "run", builtin, "--format", "model-card", "--out", tmp_path / "m")
    assert done.code == 1 and "built-in sample" in done.err and not (tmp_path / "m").exists()
    run = ran()
    record = tmp_path / run["path"] / "run.json"
    record.write_text(record.read_text("utf-8").replace('"complete"', '"incomplete"'), "utf-8")
    done = benchctl("export", "run", run["run"], "--format", "model-card", "--out", tmp_path / "m")
    assert done.code == 1 and "is incomplete" in done.err and not (tmp_path / "m").exists()


@pytest.mark.parametrize("head", ["---\nlicense: [mit\n---\n", "---\nmodel-index: 3\n---\n", "---\n- a\n---\n"])
def test_a_card_that_cannot_be_read_is_told_and_left_alone(ran, benchctl, tmp_path, head):
    path = tmp_path / "README.md"
    path.write_text(head, encoding="utf-8")
    done = benchctl("export", "run", ran()["run"], "--format", "model-card", "--out", tmp_path)
    assert done.code == 1 and len(done.err.strip().splitlines()) == 2 and "cannot be read" in done.err
    assert path.read_text(encoding="utf-8") == head
