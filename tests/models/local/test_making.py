"""``benchctl merge`` and ``benchctl quantize``: checked before anything is kept, with a card that says how it was made."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import time

import pytest
from filelock import FileLock

from benchctl import durable
from benchctl.config import load_config
from benchctl.errors import BadConfig

from .conftest import make, nats

needs_gptq = pytest.mark.skipif(importlib.util.find_spec("gptqmodel") is None, reason="needs the extra 'gptq'")


def test_merging_writes_plain_weights_that_answer_as_base_and_adapter_do(benchctl, tiny, lora, tmp_path):
    done = benchctl("merge", tiny, lora, "--out", "merged", "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["route"] == "dequantise, attach, merge"  # the adapter's card says nf4
    assert said["error"] < 1e-5 < said["max_error"] == 0.01
    card = json.loads((tmp_path / "merged/benchctl_merge.json").read_text())
    assert card["quantisation"] == "nf4"
    assert card["adapter_hash"] == said["adapter_hash"]
    assert str(tmp_path) not in (tmp_path / "merged/benchctl_merge.json").read_text()
    assert "quantization_config" not in json.loads((tmp_path / "merged/config.json").read_text())
    assert nats(f"hf:{tmp_path / 'merged'}") == pytest.approx(nats("tiny-qlora"), abs=1e-4)


def test_an_unquantised_base_is_merged_in_place(benchctl, tiny, lora):
    done = benchctl("merge", tiny, lora, "--quant", "none", "--out", "merged", "--json")
    assert json.loads(done.out)["route"] == "in place"
    assert json.loads(done.out)["error"] < 1e-5


def test_weights_are_on_the_disk_before_they_have_their_name(benchctl, tiny, lora, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(durable, "sync", lambda path: seen.append((path.name, (tmp_path / "merged").exists())))
    assert benchctl("merge", tiny, lora, "--quant", "none", "--out", "merged").code == 0
    assert {("model.safetensors", False), ("config.json", False), ("benchctl_merge.json", False)} <= set(seen)


def test_a_result_above_the_stated_error_is_refused_and_nothing_is_left(benchctl, tiny, lora, tmp_path):
    done = benchctl("merge", tiny, lora, "--quant", "int8", "--out", "merged")  # 8 bits round what goes in as well
    assert done.code == 1
    assert "more than 0.01" in done.err
    assert not list(tmp_path.iterdir())
    allowed = benchctl("merge", tiny, lora, "--quant", "int8", "--out", "merged", "--max-error", "0.2")
    assert allowed.code == 0, allowed.err


def test_what_a_killed_merge_left_is_removed_by_the_next_and_a_living_ones_draft_is_not(
    benchctl, program, tiny, lora, tmp_path
):
    command = [*program, "merge", str(tiny), str(lora), "--out", "merged"]
    killed = subprocess.Popen(command, cwd=tmp_path, stdout=-3, stderr=-3)
    deadline = time.monotonic() + 60
    while not (left := list(tmp_path.glob("merged.*.draft/.lock"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    assert left and left[0].exists()
    living, own = tmp_path / "merged.1.draft", tmp_path / "merged.old.draft"
    living.mkdir()
    own.mkdir()
    with FileLock(living / ".lock"):
        done = benchctl("merge", tiny, lora, "--out", "merged")
    assert done.code == 0, done.err
    assert {path.name for path in tmp_path.iterdir()} == {"merged", "merged.1.draft", "merged.old.draft"}
    assert not (tmp_path / "merged/.lock").exists()


def test_a_full_folder_is_not_overwritten(benchctl, tiny, lora, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("mine")
    assert benchctl("merge", tiny, lora, "--out", "full").code == 2
    assert (tmp_path / "full/thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("link", ["to-a-folder", "to-nothing-yet"])
def test_the_new_folder_may_be_a_link_to_a_larger_disk(benchctl, tiny, lora, tmp_path, link):
    disk = tmp_path / "disk"
    disk.mkdir()
    place = disk if link == "to-a-folder" else disk / "new"
    (tmp_path / link).symlink_to(place)
    ran = benchctl("merge", tiny, lora, "--out", link)
    assert ran.code == 0, ran.err
    assert (place / "model.safetensors").is_file() and (tmp_path / link).is_symlink()


def test_the_folder_the_command_runs_in_cannot_be_replaced_under_its_feet(benchctl, tiny, lora):
    ran = benchctl("merge", tiny, lora, "--out", ".")
    assert ran.code == 2 and "name a new folder" in ran.err


@pytest.mark.parametrize("command", [("merge",), ("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", "2")])
def test_biases_that_no_layer_of_the_base_can_take_are_told_before_anything_is_merged(
    benchctl, tiny, adapter_of, command, tmp_path
):
    from peft import LoraConfig

    biased = adapter_of(tiny, LoraConfig(r=2, target_modules=["q_proj"], lora_bias=True, task_type="CAUSAL_LM"))
    alone = (tiny, biased, "--out", "merged") if command == ("merge",) else ()
    done = benchctl(*command, *(alone or ("--model", f"hf:{tiny},adapter={biased},merge=true")))
    assert done.code == 1
    assert "adds biases (lora_bias)" in done.err and "Use it unmerged: leave out merge=true." in done.err
    assert "Traceback" not in done.err and not (tmp_path / "merged").exists()


def test_named_models_can_be_merged_and_quantised(benchctl, tmp_path, lora):
    (tmp_path / "benchctl.toml").write_text('[models.mine]\nspec = "tiny"\n')
    assert benchctl("merge", "mine", lora, "--out", "merged").code == 0
    assert benchctl("quantize", "tiny-merged", "--method", "nf4", "--out", "four").code == 0


def test_only_plain_local_models_are_quantised(benchctl):
    assert "is quantised already" in benchctl("quantize", "tiny-nf4", "--method", "nf4", "--out", "x").err
    unused = benchctl("quantize", "tiny-merged", "--method", "nf4", "--bits", "3", "--task", "medqa-pt", "--out", "x")
    assert unused.code == 2 and "--bits, --task: only for --method gptq" in unused.err


def test_quantising_to_4_bits_says_how_much_it_changed(benchctl, tiny, tmp_path):
    done = benchctl("quantize", tiny, "--method", "nf4", "--out", "four", "--json")
    said = json.loads(done.out)
    assert (said["quantised_layers"], said["linear_layers"], said["parameters"]) == (14, 15, 205_120)
    assert said["weights_mib"] < 0.75 * said["weights_mib_before"]
    assert 0.01 < said["error"] < 0.3


def test_layers_that_gptq_cannot_pack_are_refused_before_anything_is_quantised(benchctl, shared, tmp_path):
    done = benchctl("quantize", shared / "models/stories260K", "--method", "gptq", "--out", "g")
    assert done.code == 1 and "some of 172" in done.err and "--method nf4" in done.err
    assert not (tmp_path / "g").exists()


@pytest.mark.slow
def test_an_encoder_decoder_is_refused_for_gptq_with_what_works(benchctl, tmp_path):
    ran = benchctl("quantize", "tiny-t5", "--method", "gptq", "--out", "q")
    assert ran.code == 1 and "encoder-decoder" in ran.err and "--method nf4" in ran.err
    assert not list(tmp_path.glob("q*"))


@pytest.mark.slow
@needs_gptq
def test_gptq_is_calibrated_on_training_rows_and_the_same_each_time(benchctl, tiny, tmp_path):
    first = benchctl("quantize", tiny, "--method", "gptq", "--out", "a", "--json")
    assert first.code == 0, first.err
    said = json.loads(first.out)
    assert said["calibration"]["source"] == "builtin"
    assert 0.01 < said["error"] < 0.3
    benchctl("quantize", tiny, "--method", "gptq", "--out", "b")
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
    assert "/" not in str(
        json.loads((tmp_path / "a/config.json").read_text())["quantization_config"]["meta"].get(
            "offload_to_disk_path", ""
        )
    )
    model = make(f"hf:{tmp_path / 'a'},quant=gptq")
    assert nats(model)
    assert model.manifest()["quantisation"]["source"] == "checkpoint"
    model.close()


@pytest.mark.slow
@needs_gptq
def test_an_adapter_works_over_gptq_and_cannot_be_merged_into_it(benchctl, tmp_path, lora):
    benchctl("quantize", "tiny", "--method", "gptq", "--out", "gptq")
    over = nats(f"hf:{tmp_path / 'gptq'},adapter={lora},any_base=true")
    assert over == pytest.approx(nats("tiny-qlora"), rel=0.1)
    assert max(abs(a - b) for a, b in zip(over, nats(f"hf:{tmp_path / 'gptq'}"), strict=True)) > 0.5
    done = benchctl("merge", tmp_path / "gptq", lora, "--any-base", "--out", "merged")
    assert done.code == 1
    assert "No adapter can be merged into" in done.err


def test_calibration_texts_are_training_rows_and_never_test_rows(tmp_path):
    from benchctl.creation import create_task
    from benchctl.plugins import get_plugins
    from benchctl_plugins.models.quantize import calibration

    task = create_task(get_plugins(), "medmcqa-pt")
    tested, training = task.load("builtin").samples, task.shots("builtin")
    found = calibration(("medmcqa-pt",), "builtin", 100, 0)
    assert len(found.texts) == len(training)
    assert all(any(row.question in text for row in training) for text in found.texts)
    assert not any(row.question in text for row in tested for text in found.texts)


def test_a_file_in_the_form_of_the_test_data_needs_to_be_told_from_it(benchctl, teste, tmp_path):
    def quantise(*more):
        return benchctl(
            "quantize", "tiny", "--method", "gptq", "--task", "medmcqa-pt", "--data", teste, "--out", "x", *more
        )

    assert "would spoil the test" in quantise().err
    assert "No row of medmcqa-pt to calibrate on" in quantise("--test-data", teste).err
    (tmp_path / "benchctl.toml").write_text(f'[data]\nprova = "{teste}"\n', "utf-8")
    load_config.cache_clear()
    assert "No row of medmcqa-pt to calibrate on" in quantise("--test-data", "prova").err


def test_a_file_of_training_rows_calibrates(shared):
    from benchctl_plugins.models.quantize import calibration

    file = shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv"
    found = calibration(("medmcqa-pt",), str(file), 8, 0, str(file.with_name("drbyte_ptbr_teste.csv")))
    assert len(found.texts) == 8
    assert all("Resposta: " in text for text in found.texts)


def test_the_group_size_divides_every_layer():
    from types import SimpleNamespace

    from benchctl_plugins.models.quantize import group_size

    assert group_size(SimpleNamespace(hidden_size=4096, intermediate_size=11008), None) == 128
    assert group_size(SimpleNamespace(hidden_size=64, intermediate_size=96), None) == 32
    assert group_size(SimpleNamespace(hidden_size=64, intermediate_size=96), 16) == 16
    for wanted, why in ((64, "does not divide the 96 inputs"), (48, "does not divide the 64 inputs"), (8, "none GPTQ")):
        with pytest.raises(BadConfig, match=why) as refused:
            group_size(SimpleNamespace(hidden_size=64, intermediate_size=96), wanted)
        assert refused.value.hint == "For this model: 16, 32."
