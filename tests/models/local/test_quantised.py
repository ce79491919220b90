"""Quantised weights: options, checkpoints that speak for themselves, contradictions, exact arithmetic."""

from __future__ import annotations

import pytest

from .conftest import avx512_bf16, make, nats

needs_repacking = pytest.mark.skipif(
    not avx512_bf16(),
    reason="bitsandbytes repacks 4-bit weights only on processors with AVX512-BF16; this one has none",
)


def manifest(spec):
    model = make(spec)
    nats(model)
    found = model.manifest()
    model.close()
    return found


@pytest.mark.parametrize(
    ("quant", "kernel", "furthest"),
    [("nf4", "Linear4bit", 1.0), ("fp4", "Linear4bit", 1.5), ("int8", "Linear8bitLt", 0.3)],
)
def test_each_scheme_is_loaded_named_and_near_the_plain_model(tiny, quant, kernel, furthest):
    found = manifest(f"hf:{tiny},quant={quant}")
    assert found["quantisation"]["scheme"] == quant
    assert found["quantisation"]["kernels"] == [kernel]
    gaps = [abs(a - b) for a, b in zip(nats("tiny"), nats(f"hf:{tiny},quant={quant}"), strict=True)]
    assert 0 < max(gaps) < furthest


def test_double_quantisation_takes_less_memory_and_is_another_model(tiny):
    single, double = (make(f"hf:{tiny},quant=nf4,double_quant={on}") for on in ("false", "true"))
    assert single.fingerprint() != double.fingerprint()
    assert manifest(f"hf:{tiny},quant=nf4,double_quant=false")["quantisation"]["double_quant"] is False


def test_the_compute_dtype_is_the_models_own_unless_another_is_asked_for(tiny):
    assert manifest(f"hf:{tiny},quant=nf4")["quantisation"]["compute_dtype"] == "float32"
    other = manifest(f"hf:{tiny},quant=nf4,compute_dtype=bfloat16")
    assert other["quantisation"]["compute_dtype"] == "bfloat16"


def test_a_checkpoint_that_says_how_it_is_quantised_needs_no_option(benchctl, tiny, tmp_path):
    assert benchctl("quantize", tiny, "--method", "nf4", "--out", tmp_path / "four").code == 0
    found = manifest(f"hf:{tmp_path / 'four'}")
    assert found["quantisation"] | {"kernels": None} == {
        "scheme": "nf4", "source": "checkpoint", "compute_dtype": "float32", "cpu_4bit": "exact",
        "quantised_layers": 14, "linear_layers": 15, "kernels": None,
    }  # fmt: skip
    assert nats(f"hf:{tmp_path / 'four'}") == pytest.approx(nats(f"hf:{tiny},quant=nf4"), abs=1e-4)


def test_an_option_that_contradicts_the_checkpoint_is_an_error(benchctl, tiny, tmp_path):
    benchctl("quantize", tiny, "--method", "nf4", "--out", tmp_path / "four")
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", f"hf:{tmp_path / 'four'},quant=int8")
    assert done.code == 1
    assert "is quantised as nf4 already" in done.err


def test_gptq_of_a_plain_checkpoint_names_the_command_that_makes_one(benchctl, tiny):
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", f"hf:{tiny},quant=gptq")
    assert done.code == 1
    assert "is no GPTQ checkpoint" in done.err
    assert f"benchctl quantize {tiny} --method gptq" in done.err


def test_a_missing_package_is_named_with_the_line_that_installs_it(benchctl, tiny, monkeypatch):
    from benchctl_plugins.models import quantization

    monkeypatch.setattr(quantization, "find_spec", lambda name: None if name == "bitsandbytes" else object())
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", f"hf:{tiny},quant=nf4")
    assert done.code == 1
    assert "bitsandbytes" in done.err
    assert "pip install 'benchctl[hf]'" in done.err


@needs_repacking
def test_scores_do_not_depend_on_the_processors_kernels_unless_that_is_asked_for(tiny):
    exact, fast = nats(f"hf:{tiny},quant=nf4"), nats(f"hf:{tiny},quant=nf4,cpu_4bit=fast")
    assert exact != fast
    assert fast == pytest.approx(exact, abs=0.2)
    assert make(f"hf:{tiny},quant=nf4").fingerprint() != make(f"hf:{tiny},quant=nf4,cpu_4bit=fast").fingerprint()


@needs_repacking
def test_repacked_weights_are_refused_where_they_would_have_to_be_exact(tiny):
    from benchctl.errors import ModelCallError
    from benchctl_plugins.models.merge import dequantised

    model = make(f"hf:{tiny},quant=nf4,cpu_4bit=fast")
    nats(model)
    with pytest.raises(ModelCallError, match="repacked"):
        dequantised(model.weights._base, "float32")
    model.close()


def test_unknown_schemes_and_options_are_refused_with_what_there_is(benchctl, tiny):
    done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--model", f"hf:{tiny},quant=nf5")
    assert done.code == 1
    assert "nf4, fp4, int8, gptq" in done.err
