"""Local models made on the spot, and short ways to ask them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")
pytest.importorskip("peft", reason="needs the extra 'hf'")
pytest.importorskip("bitsandbytes", reason="needs the extra 'hf'")

from benchctl.creation import create_model
from benchctl.plugins import get_plugins
from benchctl.types import Choose

QUESTION = "Qual é o tratamento de primeira linha da hipertensão arterial?\nResposta:"
CHOICES = (" diurético tiazídico", " antibiótico", " A", " repouso")

logging.getLogger("torchao").setLevel(logging.ERROR)


def avx512_bf16() -> bool:
    """Whether the processor has the instructions that bitsandbytes repacks 4-bit weights for."""
    info = Path("/proc/cpuinfo")
    return info.is_file() and "avx512_bf16" in info.read_text(encoding="utf-8")


def nats(spec_or_model: Any, prompt: str = QUESTION, choices: Sequence[str] = CHOICES) -> list[float]:
    """Log-likelihoods of the choices; a spec's model is closed afterwards."""
    model = create_model(get_plugins(), spec_or_model) if isinstance(spec_or_model, str) else spec_or_model
    try:
        ((_, response),) = model.choose([Choose(prompt, tuple(choices))])
    finally:
        if isinstance(spec_or_model, str):
            model.close()
    return [choice.nats for choice in response.choices]


def make(spec: str) -> Any:
    """The model of a spec, not loaded yet."""
    return create_model(get_plugins(), spec)


class Run(NamedTuple):
    """What one model left in runs/."""

    manifest: dict[str, Any]
    nats: dict[str, list[float]]
    """Sample -> log-likelihoods of its choices."""


def read_runs(out: Path) -> dict[str, Run]:
    """The runs in a folder by model name."""
    found = {}
    for file in out.glob("*/*/*/run.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        lines = map(json.loads, (file.parent / "samples.jsonl").read_text(encoding="utf-8").splitlines())
        answers = {line["id"]: [c["nats"] for c in line["responses"][0]["choices"]] for line in lines}
        found[record["model"]["name"]] = Run(record["model"], answers)
    return found


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The tiny Llama's folder."""
    from benchctl_plugins.models.tiny import tiny_folder

    return tiny_folder()


@pytest.fixture(scope="session")
def lora() -> Path:
    """A LoRA adapter for it, trained on nothing."""
    from benchctl_plugins.models.tiny import tiny_adapter_folder

    return tiny_adapter_folder()


@pytest.fixture(scope="session")
def adapter_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``adapter_of(base, config, base_name="tiny")``: a folder with an adapter of random weights; no card beside it."""

    def save(base: Path, config: Any, base_name: str = "somewhere/tiny") -> Path:
        import torch
        from peft import get_peft_model
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

        encoder_decoder = AutoConfig.from_pretrained(base).is_encoder_decoder
        family = AutoModelForSeq2SeqLM if encoder_decoder else AutoModelForCausalLM
        folder = tmp_path_factory.mktemp("adapter")
        model = get_peft_model(family.from_pretrained(base), config)
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
        model.peft_config["default"].base_model_name_or_path = base_name
        model.save_pretrained(folder, save_embedding_layers=False)
        return folder

    return save
