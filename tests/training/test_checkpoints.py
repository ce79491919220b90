"""A checkpoint counts only when it is whole: whatever is missing or changed, it is thrown away and said so."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from benchctl import durable
from benchctl_plugins.training import checkpoints, metrics_file
from benchctl_plugins.training.folder import TrainingFolder


def written(folder, step, best=None):
    """A sealed checkpoint of that step."""
    draft = checkpoints.draft_folder(folder) / f"checkpoint-{step}"
    (draft / "inner").mkdir(parents=True)
    (draft / "adapter_model.safetensors").write_bytes(b"w" * 100 * step)
    (draft / "inner/rng_state.pth").write_bytes(b"r" * 10)
    return checkpoints.seal(draft, folder, {"best": {"step": best, "value": 1.0} if best else None})


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 10 and 20."""
    found = tmp_path / "checkpoints"
    written(found, 10)
    written(found, 20, best=10)
    return found


def steps(folder):
    return [one.step for one in checkpoints.find(folder)]


def test_whole_ones_stay(folder):
    assert checkpoints.discard_torn(folder) == []
    assert steps(folder) == [10, 20]


@pytest.mark.parametrize(
    "tear, reason",
    [
        (lambda c: (c / "complete.json").unlink(), "never completed"),
        (lambda c: (c / "complete.json").write_text('{"adapter_'), "never completed"),
        (lambda c: (c / "inner/rng_state.pth").unlink(), "rng_state.pth is missing"),
        (lambda c: (c / "adapter_model.safetensors").write_bytes(b"w" * 7), "adapter_model.safetensors has changed"),
        # A power cut leaves blocks of zeros where the size was on the disk already and the content was not.
        (lambda c: (c / "adapter_model.safetensors").write_bytes(bytes(2000)), "adapter_model.safetensors has changed"),
        (lambda c: (c / "benchctl_state.json").write_text("{}"), "benchctl_state.json has changed"),
    ],
)
def test_a_torn_one_is_thrown_away_and_named(folder, tear, reason):
    tear(folder / "checkpoint-20")
    (line,) = checkpoints.discard_torn(folder)
    assert "checkpoint-20" in line and reason in line
    assert steps(folder) == [10]


def test_a_draft_is_no_checkpoint(folder):
    (checkpoints.draft_folder(folder) / "checkpoint-30").mkdir(parents=True)
    assert steps(folder) == [10, 20]
    (line,) = checkpoints.discard_torn(folder)
    assert "checkpoint-30" in line and not list(checkpoints.draft_folder(folder).iterdir())


def test_going_on_drops_what_comes_after(folder, tmp_path):
    training = TrainingFolder(tmp_path)
    for step in (5, 10, 15, 20, 25):
        metrics_file.append(training.metrics, {"step": step, "kind": "train", "loss": 1 / step})
    with training.metrics.open("ab") as file:
        file.write(b'{"step": 30, "ki')
    picked = training.newest()
    assert picked.step == 20
    training.take_back(picked)
    assert steps(folder) == [10, 20], "the one it goes on from stays"
    assert [json.loads(line)["step"] for line in training.metrics.read_text().splitlines()] == [5, 10, 15, 20]
    training.take_back(None)
    assert training.metrics.read_text() == "" and steps(folder) == []


def test_a_checkpoint_whose_best_one_is_gone_will_not_do(folder, tmp_path):
    written(folder, 30, best=15)
    assert TrainingFolder(tmp_path).newest().step == 20


def test_old_ones_go_and_the_best_stays(folder):
    for step in (30, 100):
        written(folder, step)
    checkpoints.rotate(folder, 2, {10})
    assert steps(folder) == [10, 30, 100]


def test_one_that_is_half_removed_is_none(folder, monkeypatch):
    def cut(path, **kwargs):
        if path.exists():
            (path / "inner/rng_state.pth").unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.shutil, "rmtree", cut)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.rotate(folder, 1, ())
    assert steps(folder) == [20] and checkpoints.discard_torn(folder) == []


def test_its_files_are_on_the_disk_before_it_has_its_name_and_the_name_after(folder, monkeypatch):
    seen = []
    place = folder / "checkpoint-30"
    for where in (durable, checkpoints):
        monkeypatch.setattr(where, "sync", lambda path: seen.append((path.name, place.exists())))
    written(folder, 30)
    files = {"adapter_model.safetensors", "rng_state.pth", "benchctl_state.json", "complete.json", "inner", place.name}
    assert {name for name, named in seen if not named} == files
    assert [name for name, named in seen if named] == [folder.name]


def test_a_curve_is_thinned_evenly_with_both_ends():
    curve = [(step, 1 / step) for step in range(1, 1001)]
    thin = metrics_file.thinned(curve, 200)
    assert len(thin) == 200 and thin[0] == curve[0] and thin[-1] == curve[-1]
    gaps = [b[0] - a[0] for a, b in pairwise(thin)]
    assert set(gaps) <= {5, 6}
    assert metrics_file.thinned(curve[:150], 200) == curve[:150]
