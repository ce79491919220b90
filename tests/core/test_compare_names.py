"""Which runs ``benchctl compare`` takes a model's name for, and how models of one name are told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchctl import records
from benchctl.comparing import against, compare
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


def trained(out, weights, day, task, right, **spec):
    """A run of ``medico`` as it was with these weights, on that day of May."""
    stored = run(out / weights, task, "medico", right_in(right), **spec)
    prints = {**stored.record.fingerprints, "model": weights}
    timings = {**stored.record.timings, "finished": f"2026-05-{day}T12:00:00+00:00"}
    return StoredRun(replace(stored.record, fingerprints=prints, timings=timings), stored.path)


def test_a_name_whose_weights_have_changed_is_the_latest_model(tmp_path):
    """The first training was asked more questions, which otherwise decides."""
    base = run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)))
    old = trained(tmp_path, "old", "01", "medmcqa-pt", range(1, 25))
    new = trained(tmp_path, "new", "02", "medmcqa-pt", range(1, 4), limit=6)
    (figure,) = (f for c, f in against([base, old, new], "base").rows[1].figures.items() if c.metric == "accuracy")
    assert figure.estimate.n == 6 and figure.difference is not None and figure.difference.value == -0.5


def test_a_task_that_only_the_old_weights_answered_is_told(tmp_path):
    """Figures of two trainings stood in one row, and were pooled, without a word."""
    base = [run(tmp_path / "runs", task, "base", right_in(range(1, 13))) for task in ("medmcqa-pt", "medqa-pt")]
    medico = [
        trained(tmp_path, "old", "01", "medqa-pt", range(1, 20)),
        trained(tmp_path, "new", "02", "medmcqa-pt", range(1, 20)),
    ]
    said = "medico was another model when this ran, before medmcqa-pt: run it again"
    warned = {one.task: [line for line in one.warnings if line == said] for one in compare(base, medico).tasks}
    assert warned == {"medmcqa-pt": [], "medqa-pt": [said]}
    for table in (against([*base, *medico], "base"), against([*base, *medico], "medico")):
        assert [line for line in table.warnings if said in line] == [f"medico, medqa-pt: {said}"]
    assert not any(said in line for line in against([*base, medico[1]], "base").warnings)
