"""Which runs ``benchctl compare`` takes a model's name for, and how models of one name are told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchctl import records
from benchctl.comparing import against
from benchctl.records import StoredRun
from tests.scripted_runs import right_in, run

FOLDERS = {"hf:exp1/final": range(1, 13), "hf:exp2/final": range(3, 21)}


@pytest.fixture
def two_of_one_name(tmp_path):
    """``runs``: ``final`` of two folders, other models, beside a base."""
    out = tmp_path / "runs"
    run(out, "medmcqa-pt", "base", right_in(range(1, 7)))
    for asked, right in FOLDERS.items():
        run(out, "medmcqa-pt", asked, right_in(right), {"name": "final"})
    return out


@pytest.mark.parametrize(
    "words", [("final", "base"), ("base", "final"), ("--against", "final"), ("--against", "base", "--model", "final")]
)
def test_a_name_of_several_models_is_refused_with_what_to_give(two_of_one_name, benchctl, words):
    """Of each task the later run was taken, whichever model's it was, and all of them pooled."""
    ran = benchctl("compare", *words)
    assert ran.code == 1 and len(ran.err.splitlines()) == 2
    assert "'final' is the name of 2 models: hf:exp1/final, hf:exp2/final" in ran.err


def test_models_of_one_name_stand_under_what_they_were_asked_for_by(two_of_one_name, benchctl):
    table = against(records.read_runs(two_of_one_name), "base")
    assert [row.model for row in table.rows] == ["base", *FOLDERS]
    assert "hf:exp1/final," in benchctl("compare", "--against", "base", "--csv").out
    (one,) = against(records.read_runs(two_of_one_name), "base", models=["hf:exp2/final"]).rows[1:]
    assert one.model == "final", "no other row has this name"


def test_one_model_asked_for_in_two_ways_is_one(two_of_one_name, benchctl):
    runs = records.read_runs(two_of_one_name)
    twice = [
        StoredRun(replace(r.record, fingerprints={**r.record.fingerprints, "model": "w"}), r.path) for r in runs[1:]
    ]
    assert against([runs[0], *twice], "final").rows[1].model == "base"


def test_a_name_whose_weights_have_changed_is_the_latest_model(tmp_path, benchctl):
    """The first training was asked more questions, which otherwise decides."""
    base = run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)))
    runs = [base]
    for weights, day, right, n in (("old", "01", range(1, 25), None), ("new", "02", range(1, 4), 6)):
        stored = run(tmp_path / weights, "medmcqa-pt", "medico", right_in(right), limit=n)
        prints = {**stored.record.fingerprints, "model": weights}
        timings = {**stored.record.timings, "finished": f"2026-05-{day}T12:00:00+00:00"}
        runs.append(StoredRun(replace(stored.record, fingerprints=prints, timings=timings), stored.path))
    (figure,) = (f for c, f in against(runs, "base").rows[1].figures.items() if c.metric == "accuracy")
    assert figure.estimate.n == 6 and figure.difference is not None and figure.difference.value == -0.5
