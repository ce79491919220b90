"""``benchctl doctor``: what this machine can do, and what to install for the rest."""

from __future__ import annotations

import json
from typing import Any

import click

EXTRAS = {
    "hf": ("torch", "transformers", "accelerate", "peft", "bitsandbytes", "safetensors"),
    "gptq": ("gptqmodel", "optimum"),
    "train": ("trl", "optuna"),
    "trackers": ("tensorboard", "wandb", "trackio"),
    "lm-eval": ("lm_eval",),
    "openai": ("openai",),
    "metrics": ("sacrebleu", "rouge_score", "bert_score", "krippendorff", "sklearn"),
    "ray": ("ray",),
}
"""Extra -> the packages it brings, by import name."""

MODEL_KINDS = {
    "local models": ("hf", ("torch", "transformers")),
    "4-bit and 8-bit": ("hf", ("torch", "transformers", "accelerate", "bitsandbytes")),
    "GPTQ": ("gptq", ("torch", "transformers", "gptqmodel", "optimum")),
    "adapters": ("hf", ("torch", "transformers", "peft")),
    "APIs": ("openai", ("openai",)),
    "lm-eval's backends": ("lm-eval", ("lm_eval",)),
    "a cluster": ("ray", ("ray",)),
}
"""Kind of model -> the extra to install for it, and the packages it cannot do without."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON object on standard output.")
def doctor(as_json: bool) -> None:
    """Say what this machine can do: versions, devices, missing extras, offline or not.

    \b
    Example:
      benchctl doctor
    """
    found = examine()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    click.echo("versions: " + ", ".join(f"{k} {v}" for k, v in found["versions"].items()))
    click.echo("hardware: " + ", ".join(f"{k} {v}" for k, v in found["hardware"].items()))
    click.echo("device for models: " + found["device"])
    for extra, state in found["extras"].items():
        click.echo(
            f"{extra}: "
            + ("ready" if not state["missing"] else f"missing {', '.join(state['missing'])}; {state['install']}")
        )
    for kind, needed in found["models"].items():
        click.echo(f"can run {kind}: {'yes' if not needed else 'no; ' + needed}")
    click.echo("hub: " + found["hub"])
    for problem in found["problems"]:
        click.echo(f"problem: {problem}")


def examine() -> dict[str, Any]:
    """What doctor prints, as plain values."""
    from benchctl import manifest
    from benchctl.plugins import get_plugins

    return {
        "versions": manifest.versions(),
        "hardware": manifest.hardware(),
        "device": _device(),
        "extras": {extra: _state(extra, packages) for extra, packages in EXTRAS.items()},
        "models": {kind: _state(extra, packages)["install"] for kind, (extra, packages) in MODEL_KINDS.items()},
        "hub": _hub(),
        "problems": get_plugins().problems,
    }


def _state(extra: str, packages: tuple[str, ...]) -> dict[str, Any]:
    from importlib.util import find_spec

    missing = [package for package in packages if find_spec(package) is None]
    return {"missing": missing, "install": f"pip install 'benchctl[{extra}]'" if missing else ""}


def _device() -> str:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return "none: local models need the extra 'hf'"
    import torch

    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name(0)})"
    return "cpu"


def _hub() -> str:
    import os

    if os.environ.get("HF_HUB_OFFLINE") == "1":
        return "offline by HF_HUB_OFFLINE"
    from huggingface_hub import HfApi

    try:
        HfApi().dataset_info("luizlzg/drbyte_test", timeout=5)
    except Exception as error:  # many kinds of refusal, one meaning: it cannot be reached from here
        return f"not reachable ({type(error).__name__}): use local copies with --data"
    return "reachable"
