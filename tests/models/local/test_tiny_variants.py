"""Every kind of local model in one command, on a CPU, offline: what the records say and how the answers relate."""

from __future__ import annotations

import importlib.util
import json

import pytest

from .conftest import Run, read_runs

TINY_PARAMETERS = 205_120
MERGE_ERROR = 1e-4
"""Nats by which a merged model's answers may differ from the unmerged one's."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """tiny and its kin on built-in questions."""
    from click.testing import CliRunner

    from benchctl.cli import cli

    out = tmp_path_factory.mktemp("runs")
    models = "tiny,tiny-nf4,tiny-qlora,tiny-merged,tiny-t5"
    done = CliRunner().invoke(
        cli, ["run", "--task", "medmcqa-pt", "--data", "builtin", "--model", models, "--out", str(out), "--json"]
    )
    assert done.exit_code == 0, done.output
    return read_runs(out)


def differences(a: Run, b: Run) -> list[float]:
    assert a.nats.keys() == b.nats.keys()
    return [abs(x - y) for i in a.nats for x, y in zip(a.nats[i], b.nats[i], strict=True)]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_a_plain_model_says_its_parameters_and_measured_memory(runs):
    manifest = runs["tiny"].manifest
    assert manifest["parameters"] == TINY_PARAMETERS
    assert manifest["weights_mib"] == pytest.approx(TINY_PARAMETERS * 4 / 2**20, abs=0.01)
    assert "quantisation" not in manifest


def test_a_4_bit_model_says_its_quantised_layers_its_real_parameters_and_less_memory(runs):
    manifest = runs["tiny-nf4"].manifest
    assert manifest["quantisation"]["scheme"] == "nf4"
    assert manifest["quantisation"]["double_quant"] is True
    assert (manifest["quantisation"]["quantised_layers"], manifest["quantisation"]["linear_layers"]) == (14, 15)
    assert manifest["parameters"] == TINY_PARAMETERS
    assert manifest["weights_mib"] < 0.75 * runs["tiny"].manifest["weights_mib"]


def test_4_bit_answers_are_close_to_the_plain_ones_but_not_equal(runs):
    found = differences(runs["tiny"], runs["tiny-nf4"])
    assert 0.001 < mean(found) < 0.2
    assert max(found) < 1


def test_the_adapter_changes_the_answers_a_lot_and_its_merge_not_at_all(runs):
    assert mean(differences(runs["tiny-nf4"], runs["tiny-qlora"])) > 1
    assert max(differences(runs["tiny-qlora"], runs["tiny-merged"])) < MERGE_ERROR


def test_the_adapter_is_named_with_its_parameters_and_how_its_base_was_checked(runs):
    adapter = runs["tiny-qlora"].manifest["adapter"]
    assert adapter["method"] == "LORA"
    assert adapter["parameters"] == 16_384
    assert adapter["base_checked_by"] == "hash"
    assert adapter["merged"] is False


def test_the_encoder_decoder_model_answers_every_question(runs):
    assert runs["tiny-t5"].manifest["architecture"] == "T5ForConditionalGeneration"
    assert all(n < 0 for answers in runs["tiny-t5"].nats.values() for n in answers)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gptqmodel") is None, reason="needs the extra 'gptq'")
def test_all_six_on_the_shared_test_set_with_clean_json(benchctl, teste, tmp_path):
    models = "tiny,tiny-nf4,tiny-gptq,tiny-qlora,tiny-merged,tiny-t5"
    done = benchctl("run", "--task", "medmcqa-pt", "--data", teste, "--limit", 50, "--model", models, "--json")
    assert done.code == 0, done.err
    results = json.loads(done.out)
    assert [r["model"] for r in results] == models.split(",")
    assert all(r["counts"]["answered"] == 50 for r in results)
    found = read_runs(tmp_path / "runs")
    gptq = found["tiny-gptq"].manifest
    assert gptq["quantisation"]["scheme"] == "gptq"
    assert (gptq["quantisation"]["quantised_layers"], gptq["parameters"]) == (14, TINY_PARAMETERS)
    assert gptq["weights_mib"] < 0.75 * found["tiny"].manifest["weights_mib"]
    for name in ("tiny-nf4", "tiny-gptq"):
        assert 0.001 < mean(differences(found["tiny"], found[name])) < 0.2
    assert max(differences(found["tiny-qlora"], found["tiny-merged"])) < MERGE_ERROR


def test_the_files_are_the_same_wherever_they_are_made(tmp_path, monkeypatch):
    from benchctl_plugins.models import tiny

    def made(folder):
        monkeypatch.setenv("BENCHCTL_CACHE", str(folder))
        folders = (tiny.tiny_folder(), tiny.tiny_adapter_folder(), tiny.tiny_merged_folder(), tiny.tiny_t5_folder())
        return {(f.name, file.name): file.read_bytes() for f in folders for file in f.iterdir()}

    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    assert first == second
    assert not any(str(tmp_path).encode() in content for content in first.values())
