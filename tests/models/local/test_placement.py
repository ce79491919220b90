"""Where and how a model computes: attention implementation, device maps, offloading, dtype; odd tokenizers."""

from __future__ import annotations

import json
import shutil

import pytest

from benchctl.types import Choose, Generate, Perplexity

from .conftest import make, nats


def test_attention_implementations_agree_and_are_recorded(tiny):
    model = make(f"hf:{tiny},attn=eager")
    assert nats(model) == pytest.approx(nats(f"hf:{tiny},attn=sdpa"), abs=1e-4)
    assert model.manifest()["attention"] == "eager"
    model.close()


def test_a_device_map_and_offloading_to_disk_change_nothing(tiny, tmp_path):
    expected = nats(f"hf:{tiny}")
    assert nats(f"hf:{tiny},device_map=auto") == pytest.approx(expected, abs=1e-4)
    spilled = make(f"hf:{tiny},device_map=auto,max_memory=cpu:0.0004GiB,offload={tmp_path / 'spill'}")
    assert nats(spilled) == pytest.approx(expected, abs=1e-4)
    assert "disk" in spilled.weights._base.hf_device_map.values()
    spilled.close()


def test_a_shorter_dtype_is_another_model_with_half_the_memory(tiny):
    long, short = make(f"hf:{tiny}"), make(f"hf:{tiny},dtype=bfloat16")
    assert nats(short) == pytest.approx(nats(long), abs=0.1)
    assert short.manifest()["weights_mib"] == pytest.approx(long.manifest()["weights_mib"] / 2, rel=0.01)
    assert short.fingerprint() != long.fingerprint()
    long.close(), short.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("attn=fast", "attn=fast is not possible"),
        ("offload=x", "need a device map"),
        ("device_map=auto,max_memory=lots", "max_memory=lots cannot be read"),
        ("merge=true", "merge=true without an adapter"),
        ("quant=nf4,cpu_4bit=maybe", "cpu_4bit=maybe is not possible"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(benchctl, tiny, options, told):
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 1, "--model", f"hf:{tiny},{options}")
    assert done.code == 1
    assert told in done.err


@pytest.mark.parametrize(
    "missing", [("pad_token",), ("bos_token",), ("eos_token",), ("pad_token", "bos_token", "eos_token")]
)
def test_tokenizers_without_pad_bos_or_eos_answer_every_kind_of_question(tiny, tmp_path, missing):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    file = folder / "tokenizer_config.json"
    settings = {k: v for k, v in json.loads(file.read_text()).items() if k not in missing}
    file.write_text(json.dumps(settings))
    model = make(f"hf:{folder}")
    ((_, chosen),) = model.choose([Choose("", (" A", " B"))])
    assert all(choice.nats < 0 for choice in chosen.choices)
    ((_, measured),) = model.perplexity([Perplexity("A febre é um sintoma.")])
    assert measured.tokens > 0
    found = dict(model.generate([Generate("A febre", max_tokens=4), Generate("Uma dor muito forte", max_tokens=4)]))
    assert all(response.error is None for response in found.values())
    model.close()


def test_a_tokenizer_without_special_tokens_takes_the_configurations(tiny, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    file = folder / "tokenizer_config.json"
    settings = {k: v for k, v in json.loads(file.read_text()).items() if not k.endswith("_token")}
    file.write_text(json.dumps(settings))
    model = make(f"hf:{folder}")
    assert model.encoder.prefix == make(f"hf:{tiny}").encoder.prefix
