"""A 4-bit model evaluated, then trained further, merged and saved in one process gives what separate processes give.

bitsandbytes repacks 4-bit weights at the first evaluation on a processor with AVX512-BF16; training and merging then
read them wrongly, without any error. benchctl keeps them from being repacked.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from .conftest import avx512_bf16

STORY = """
import sys, torch
from dataclasses import replace
from benchctl.model import ModelArgs
from benchctl.types import Choose
from benchctl_plugins.models import adapters, merge, quantization
from benchctl_plugins.models.hf import HFModel
from benchctl_plugins.models.tiny import tiny_adapter_folder, tiny_folder

evaluated, fixed, out = sys.argv[1] == "evaluated", sys.argv[2] == "fixed", sys.argv[3]
if not fixed:
    quantization.keep_exact = lambda model: 0
torch.manual_seed(0)
options = {"quant": "nf4", "adapter": str(tiny_adapter_folder()), "device": "cpu"}
model = HFModel(ModelArgs("hf", str(tiny_folder()), options))
tokenizer = model.tokenizer
texts = ("Pergunta: o que reduz a febre?\\nResposta: paracetamol", "O rim filtra o sangue e regula a pressao arterial.")
if evaluated:
    assert len(list(model.choose([Choose(text, (" A", " B")) for text in texts]))) == 2
else:
    model.weights.load()
attached = model.weights._attached
for name, parameter in attached.named_parameters():
    parameter.requires_grad_("lora_" in name)
attached.train()
optimizer = torch.optim.SGD([p for p in attached.parameters() if p.requires_grad], lr=0.05)
for step in range(6):
    ids = tokenizer(texts[step % 2], return_tensors="pt").input_ids
    loss = attached(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
attached.eval()
attached.save_pretrained(out + "-adapter", save_embedding_layers=False)
adapter = replace(adapters.read(adapters.Path(out + "-adapter"), "further"), base=None)
base = adapters.detach(attached, model.weights.adapter)
merged = merge.merge_in_memory(base, adapter, model.settings, model.weights.scheme, "float32")
merged.save_pretrained(out)
"""


def tell(tmp_path, *how: str):
    """Run the story in a process of its own and give the merged weights."""
    from safetensors.torch import load_file

    out = tmp_path / "-".join(how)
    done = subprocess.run([sys.executable, "-c", STORY, *how, str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return load_file(out / "model.safetensors"), hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.slow
def test_evaluating_first_changes_not_one_bit_of_the_trained_and_merged_weights(tmp_path):
    _, apart = tell(tmp_path, "fresh", "fixed")
    _, together = tell(tmp_path, "evaluated", "fixed")
    assert together == apart


@pytest.mark.slow
@pytest.mark.skipif(not avx512_bf16(), reason="this processor has no AVX512-BF16, so the fault cannot show itself here")
def test_without_the_fix_the_same_story_ends_in_other_weights(tmp_path):
    right, _ = tell(tmp_path, "fresh", "fixed")
    wrong, _ = tell(tmp_path, "evaluated", "unfixed")
    worst = max(float((right[name] - wrong[name]).norm() / right[name].norm()) for name in right)
    assert worst > 0.1, f"worst relative difference {worst:.2g}: bitsandbytes may have mended it; see keep_exact"


def test_an_evaluated_4_bit_model_dequantises_to_the_weights_it_was_loaded_with(tiny):
    import torch

    from benchctl_plugins.models.merge import dequantised

    from .conftest import make

    plain = []
    for evaluate in (False, True):
        model = make(f"hf:{tiny},quant=nf4")
        base = model.weights.load()
        if evaluate:
            with torch.inference_mode():
                base(torch.tensor([[1, 2, 3]]))
        plain.append(dequantised(base, "float32").state_dict())
        model.close()
    assert all(torch.equal(plain[0][name], plain[1][name]) for name in plain[0])
