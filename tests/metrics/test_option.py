"""``--metric``: measures added on the command line, to new and to finished runs."""

import json

import pytest


@pytest.fixture
def answers(tmp_path):
    """Replies to the shipped health questions: one good, one that loops, one in English."""
    texts = ["Tome o comprimido e converse com o seu médico.", "a vacina de vacina de " * 9, "You should see a doctor."]
    rows = [{"id": f"long-answer-pt-builtin-{n:03d}", "output": text} for n, text in enumerate(texts, 1)]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ["--task", "long-answer-pt", "--data", "builtin", "--limit", 3, "--model", "replay:answers.jsonl", "--json"]


def test_a_finished_run_gets_another_metric_without_asking_again(benchctl, answers):
    first = json.loads(benchctl("run", *answers).out)[0]
    assert "exact_match" not in first["metrics"]
    again = json.loads(benchctl("run", *answers, "--metric", "exact_match,distinct_1").out)[0]
    assert again["run"] == first["run"]
    assert again["metrics"].keys() - first["metrics"].keys() == {"exact_match", "distinct_1"}
    # And keeps it, also when nobody asks for it.
    assert json.loads(benchctl("run", *answers).out)[0]["metrics"].keys() == again["metrics"].keys()
    rescored = json.loads(benchctl("rescore", first["run"], "--metric", "longest_loop", "--json").out)[0]
    assert rescored["metrics"].keys() - again["metrics"].keys() == {"longest_loop"}
    assert rescored["metrics"]["chrf"] == first["metrics"]["chrf"]


def test_a_looping_answer_is_flagged_and_its_share_is_a_figure_of_the_run(benchctl, answers, tmp_path):
    result = json.loads(benchctl("run", *answers).out)[0]
    assert result["metrics"]["degenerate"]["value"] == pytest.approx(1 / 3)
    scores = [json.loads(line) for line in (tmp_path / result["path"] / "scores.jsonl").read_text().splitlines()]
    assert [score["values"]["degenerate"] for score in scores] == [0, 1, 0]


def test_the_record_says_how_each_figure_was_made(benchctl, answers, tmp_path):
    result = json.loads(benchctl("run", *answers).out)[0]
    metrics = json.loads((tmp_path / result["path"] / "run.json").read_text())["metrics"]
    assert metrics["chrf"].startswith("nrefs:1|case:mixed")
    assert "words of any script" in metrics["rouge"]


@pytest.mark.parametrize(
    ("metric", "message", "hint"),
    [
        ("chrff", "There is no metric called 'chrff'.", "Did you mean chrf"),
        ("chrf:model", "Metric 'chrf' takes no arguments", "Write chrf."),
        ("layers=2", "--metric 'layers=2' begins with an option.", "NAME:TARGET,option=value"),
        ("bertscore:x,depth=2", "Metric 'bertscore:x,depth=2' has an unknown option 'depth'.", "Choose one of batch"),
    ],
)
def test_a_wrong_metric_is_said_before_the_model_is_asked(benchctl, answers, tmp_path, metric, message, hint):
    ran = benchctl("run", *answers, "--metric", metric)
    assert ran.code == 1
    assert message in ran.err and hint in ran.err
    assert not (tmp_path / "runs").exists()


def test_every_metric_has_a_summary():
    from benchctl.plugins import get_plugins

    assert [name for name, offer in get_plugins().offers("metric").items() if not offer.summary] == []


def test_metrics_load_without_heavy_packages():
    import subprocess
    import sys

    modules = [
        "answers",
        "classification",
        "corpus",
        "embedding",
        "language",
        "repetition",
        "rouge",
        "sacre",
        "surface",
    ]
    code = (
        f"import sys; from benchctl_plugins.metrics import {', '.join(modules)};"
        "heavy = {'torch', 'transformers', 'numpy', 'scipy', 'sacrebleu', 'rouge_score', 'bert_score'};"
        "print(*heavy & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == ""
