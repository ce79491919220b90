"""Whether judge and contestant are kin: models rate text of their own kind higher (Panickssery et al. 2024)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BASES = {
    "GPT-2": "distilgpt2 gpt2 gpt-2",
    "OpenAI GPT": "gpt chatgpt davinci o1 o3 o4",
    "Mistral": "mistral mixtral ministral biomistral zephyr openhermes",
    "Llama": "llama tinyllama alpaca vicuna sabia cabrita canarim bode meditron gervasio",
    "Qwen": "qwen qwq",
    "Gemini and Gemma": "gemini gemma medgemma gemmaia",
    "BLOOM": "bloom bloomz",
    "T5": "t5 flan ptt5",
    **{name: name.lower() for name in (
        "Claude", "Phi", "DeepSeek", "Command", "Falcon", "Yi", "GLM", "Grok", "OLMo", "SmolLM", "Pythia", "Tucano",
        "Granite", "Tiny",
    )},
}  # fmt: skip
FAMILIES: Mapping[str, str] = {word: family for family, words in _BASES.items() for word in words.split()}
"""A word of a model's name -> the family whose base it has, as far as names tell."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a model."""

    names: tuple[str, ...]
    """Its spec, name, base and adapter, as far as recorded."""
    fingerprint: str
    weights: str | None = None
    """Hash of its weights, where they are here."""

    @classmethod
    def of(cls, spec: str, fingerprint: str, manifest: Mapping[str, Any]) -> Identity:
        """From a spec and what a model says of itself."""
        told = (manifest.get(key) for key in ("name", "base", "base_model", "adapter", "model"))
        names = (_target(spec), *(str(name) for name in told if name))
        weights = manifest.get("base_weights_hash") or manifest.get("weights_hash")
        return cls(names, fingerprint, str(weights) if weights else None)


def kinship(judge: Identity, contestant: Identity) -> str:
    """Why the two are kin, in words; empty where nothing says so."""
    if judge.fingerprint == contestant.fingerprint:
        return "the judge is the very model it judges"
    if judge.weights and judge.weights == contestant.weights:
        return "judge and contestant have the same base weights"
    shared = sorted(_families(judge) & _families(contestant))
    return f"judge and contestant are of one family ({', '.join(shared)})" if shared else ""


def _families(model: Identity) -> set[str]:
    """The families its names speak of; the words of a name end where letters do, versions apart."""
    found = set()
    for told in model.names:
        # Of a path only its end names the model; a folder called "llama-tests" further up says nothing.
        name = " ".join("/".join(part.rsplit("/", 2)[-2:]) for part in told.split())
        for word in re.findall(r"gpt-?2(?![\d.])|[a-z]+\d?(?![a-z])|[a-z]+", name.lower()):
            family = FAMILIES.get(word) or FAMILIES.get(word.rstrip("0123456789"))
            if family:
                found.add(family)
    return found


def _target(spec: str) -> str:
    """The part of a spec that names the model: its backend and the options that are no models left out."""
    head, *options = spec.split(",")
    named = [o.partition("=")[2] for o in options if o.startswith(("pretrained=", "adapter=", "base=", "peft="))]
    return " ".join([head.partition(":")[2] or head, *named])
