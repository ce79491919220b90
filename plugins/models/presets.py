"""Named models: those of the studies behind this project, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchctl.errors import BadConfig, ModelCallError
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs

ZEPHYR = "HuggingFaceH4/zephyr-7b-beta"


@dataclass(frozen=True, slots=True)
class Preset:
    """Factory of a named model. ``[models.NAME]`` in benchctl.toml takes its place."""

    name: str
    summary: str
    target: str
    parameters: int
    """Of the base, measured on its architecture."""
    licence: str
    needs: str
    options: Mapping[str, str]
    adapter: str = ""
    """What the adapter is, for a model that is nothing without one."""
    quantisation: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of ``benchctl list models``."""
        return {
            "base": self.target, "quantisation": self.quantisation, "adapter": self.adapter,
            "parameters": self.parameters, "licence": self.licence, "needs": self.needs,
        }  # fmt: skip

    def __call__(self, args: ModelArgs) -> Model:
        """The model; options given beside its name go over its own.

        Raises:
            BadConfig: a target was given.
            ModelCallError: its adapter is not at hand.
        """
        from .hf import HFModel

        if args.target:
            hint = f"Write --model {self.name}, or --model hf:{args.target} for another model."
            raise BadConfig(f"Model '{self.name}' takes no target, '{args.target}' was given.", hint)
        options = {**self.options, **args.options}
        if self.adapter and not options.get("adapter"):
            raise ModelCallError(
                f"'{self.name}' is {self.target} with an adapter that is made by training, and none is at hand.",
                "Train it: benchctl train --recipe zephyr-qlora; or name one: "
                f"--model {self.name},adapter=FOLDER_OR_HUB_ID.",
            )
        model = HFModel(replace(args, target=self.target, options=options))
        model.name = self.name
        return model


PRESETS = (
    Preset(
        "zephyr-7b-beta", "Zephyr 7B beta, as published: the base of the studies, not tuned for Portuguese.",
        ZEPHYR, 7_241_732_096, "MIT", "benchctl[hf]; 16 GiB on a GPU, or 30 GiB of memory", {},
    ),
    Preset(
        "zephyr-qlora", "Zephyr 7B beta in 4 bits with a QLoRA adapter trained here (studies S1, S2).",
        ZEPHYR, 7_241_732_096, "MIT", "benchctl[hf]; 6 GiB on a GPU; its adapter: benchctl train --recipe zephyr-qlora",
        {"quant": "nf4"}, adapter="LoRA, trained here", quantisation="nf4",
    ),
    Preset(
        "zephyr-gptq", "Zephyr 7B alpha, quantised with GPTQ by TheBloke (study S2).",
        "TheBloke/zephyr-7B-alpha-GPTQ", 7_241_732_096, "MIT", "benchctl[gptq]; 6 GiB on a GPU", {},
        quantisation="gptq",
    ),
    Preset(
        "zephyr-merged", "zephyr-qlora with its adapter merged in: plain 16-bit weights.",
        ZEPHYR, 7_241_732_096, "MIT", "benchctl[hf]; 16 GiB on a GPU; its adapter (zephyr-qlora)",
        {"quant": "nf4", "merge": "true"}, adapter="LoRA, merged",
    ),
    Preset(
        "gpt2", "GPT-2, the smallest: what study S1 ran where its text says 1.5 billion parameters.",
        "openai-community/gpt2", 124_439_808, "MIT", "benchctl[hf]", {},
    ),
    Preset(
        "gpt2-xl", "GPT-2 with 1.5 billion parameters.",
        "openai-community/gpt2-xl", 1_557_611_200, "MIT", "benchctl[hf]; 8 GiB of memory", {},
    ),
    Preset(
        "distilgpt2", "DistilGPT-2, half of GPT-2's layers (study S1).",
        "distilbert/distilgpt2", 81_912_576, "Apache-2.0", "benchctl[hf]", {},
    ),
    Preset(
        "llama2-7b-gptq", "Llama 2 7B, quantised with GPTQ by TheBloke (study S3).",
        "TheBloke/Llama-2-7B-GPTQ", 6_738_415_616, "Llama 2 Community License", "benchctl[gptq]; 6 GiB on a GPU", {},
        quantisation="gptq",
    ),
    Preset(
        "t5-base", "T5 base, encoder-decoder (study S4).",
        "google-t5/t5-base", 222_903_552, "Apache-2.0", "benchctl[hf]", {},
    ),
)  # fmt: skip


@hookimpl
def benchctl_models() -> Mapping[str, Callable[[ModelArgs], Model]]:
    """The named models."""
    return {preset.name: preset for preset in PRESETS}
