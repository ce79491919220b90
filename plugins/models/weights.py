"""What a local model computes with: a base, quantised or not, with or without an adapter; loaded when first wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchctl.errors import ModelCallError
from benchctl.fingerprints import digest

from . import adapters, bases, hf_load, merge, quantization
from .adapters import Adapter
from .engine.products import hasten, unblock
from .prompt_methods import PromptedModel
from .quiet import quiet
from .settings import Settings, memory_limits


class Weights:
    """The weights of one :class:`HFModel`. Several that differ only in their adapter load their base once.

    Raises:
        BadConfig, MissingExtra, ModelCallError: the options contradict the files, or the adapter the base.
    """

    def __init__(self, settings: Settings, folder: Path, config: Any, device: str, dtype: str) -> None:
        self.adapter: Adapter | None = adapters.find(settings)
        if settings.merge and self.adapter:
            settings = replace(settings, quant=quant_to_merge(self.adapter, settings, config))
        self.settings, self.folder, self.config, self.device, self.dtype = settings, folder, config, device, dtype
        self.scheme = quantization.settle(settings, config)
        self.base_check = adapters.check_base(self.adapter, settings, folder) if self.adapter else None
        self.measured: dict[str, Any] = {}
        self._attached: Any = None
        self._base: Any = None
        self._spoils = False
        """Whether the base cannot be had back by taking the adapter off."""
        self._key: str | None = None
        splits = self.adapter is not None and self.adapter.changes_base
        if not settings.merge and not splits:  # both change the base, so nobody else may have it
            self._key = digest([str(folder), device, dtype, self.identity(adapter=False), self._placement()])
            bases.reserve(self._key)

    @classmethod
    def of(cls, settings: Settings) -> Weights:
        """From the settings alone: files found, device and dtype settled.

        Raises:
            BadConfig, MissingExtra, ModelCallError: as the class.
        """
        hf_load.require_hf()
        folder = hf_load.find_files(settings)
        config = hf_load.load_config(folder, settings)
        device = hf_load.resolve_device(settings.device)
        return cls(settings, folder, config, device, hf_load.resolve_dtype(settings.dtype, device, config))

    @property
    def shareable(self) -> bool:
        """Whether an engine may compute a shared prompt once; not with vectors in front of every text."""
        return self.adapter is None or not self.adapter.prompts

    @property
    def virtual_tokens(self) -> int:
        """Places of the context that the adapter's vectors take."""
        return self.adapter.virtual_tokens if self.adapter else 0

    @property
    def label(self) -> str:
        """What to add to the base's name, such as `` nf4 + my-adapter``."""
        scheme = f" {self.scheme.name}" if self.scheme and self.scheme.source == "option" else ""
        if self.adapter is None:
            return scheme
        return f"{scheme} + {self.adapter.name}{' (merged)' if self.settings.merge else ''}"

    @property
    def label_of_base(self) -> str:
        """The base's name as it may be written down: a hub id, or a folder's last part."""
        local = Path(self.settings.target).expanduser()
        return local.resolve().name if local.is_dir() else self.settings.target

    @property
    def base_hash(self) -> str:
        """sha256 of the base's weight files."""
        return adapters.base_hash(self.folder)

    def identity(self, adapter: bool = True) -> dict[str, Any]:
        """What, besides the files of the base, fixes the answers; for the fingerprint. Empty for plain weights."""
        found: dict[str, Any] = {}
        if self.scheme is not None:
            found = {"quant": self.scheme.name, "source": self.scheme.source}
            if self.scheme.name in ("nf4", "fp4"):
                found["compute_dtype"] = quantization.compute_dtype(self.settings, self.dtype)
                found["cpu_4bit"] = self.settings.cpu_4bit if self.device == "cpu" else "exact"
                if self.scheme.source == "option":
                    found["double_quant"] = self.settings.double_quant
        if adapter and self.adapter is not None:
            found |= {"adapter": self.adapter.hash, "merge": self.settings.merge}
        return found

    def manifest(self) -> dict[str, Any]:
        """What is worth keeping beside a result."""
        found = dict(self.measured)
        if self.scheme is not None:
            layers = {key: found.pop(key) for key in ("quantised_layers", "linear_layers", "kernels") if key in found}
            settled = self.identity(adapter=False)
            found["quantisation"] = {"scheme": settled.pop("quant"), **settled, **layers}
        if self.adapter is not None:
            found["adapter"] = {
                "name": self.adapter.name, "method": self.adapter.method, "hash": self.adapter.hash,
                "merged": self.settings.merge, "base_checked_by": self.base_check,
                "parameters": found.pop("adapter_parameters", None),
            }  # fmt: skip
        if self.settings.attn is not None:
            found["attention"] = self.settings.attn
        training = adapters.training_summary(self.adapter.folder if self.adapter else self.folder)
        return {**found, "training": training} if training else found

    def load(self) -> Any:
        """The model to compute with, in evaluation mode.

        Raises:
            ModelCallError: it cannot be loaded, or the adapter does not fit it.
        """
        base = bases.borrow(self._key, self._load) if self._key else self._load()
        self.measured = quantization.measure(base)
        if self.adapter is None:
            self._base = base
            return base
        if self.settings.merge:
            return merge.merge_in_memory(base, self.adapter, self.settings, self.scheme, self.dtype)
        self._spoils = adapters.writes_over(base, self.adapter)
        self._attached = adapters.attach(base, self.adapter, self.settings)
        self.measured["adapter_parameters"] = adapters.adapter_parameters(self._attached, self.measured["parameters"])
        return PromptedModel(self._attached) if self.adapter.prompts else self._attached.get_base_model()

    def take(self) -> Any:
        """As :meth:`load`, for whoever changes the weights: no other model gets this base afterwards."""
        loaded = self.load()
        self._base = None
        unblock(loaded)
        return loaded

    def merged(self) -> Any:
        """The base with the adapter that :meth:`load` attached merged in, as plain weights; the rest is used up.

        Raises:
            BadConfig, ModelCallError: it cannot be merged.
        """
        if self.adapter is None or self._attached is None:
            raise RuntimeError("merged() comes after load(), with an adapter and without merge=true")
        merge.require_mergeable(self.adapter, self.settings, self.scheme)
        attached, self._attached = self._attached, None
        base = adapters.detach(attached, self.adapter)
        return merge.merge_in_memory(base, self.adapter, self.settings, self.scheme, self.dtype)

    def close(self) -> None:
        """Take the adapter off and leave the base for the next model that reserved it, or drop it."""
        base = self._base
        if self._attached is not None and self.adapter is not None:
            base = adapters.detach(self._attached, self.adapter)
        self._attached = self._base = None
        key, self._key = self._key, None
        if key is not None:
            bases.give_back(key, None if self._spoils else base)
        del base
        bases.free_memory()

    def _placement(self) -> list[Any]:
        s = self.settings
        return [s.attn, s.gptq_kernel, s.device_map, s.max_memory, s.offload, s.trust_remote_code, s.allow_pickle]

    def _load(self) -> Any:
        try:
            with quiet():
                model = _family(self.config).from_pretrained(self.folder, **self._options())
                if self.settings.device_map is None and self.scheme is None:
                    model = model.to(self.device)
        except (OSError, ValueError, ImportError, RuntimeError, KeyError) as error:
            raise _cannot_load(self.settings.target, error) from error
        self._settle_arithmetic(model)
        hasten(model)
        _keep_keys_as_we_do(model)
        return model.eval()

    def _options(self) -> Mapping[str, Any]:
        import torch

        s = self.settings
        found: dict[str, Any] = {
            "dtype": getattr(torch, self.dtype), "trust_remote_code": s.trust_remote_code,
            "use_safetensors": None if s.allow_pickle else True,
            **quantization.loading_options(self.scheme, s, self.dtype),
        }  # fmt: skip
        if s.attn:
            found["attn_implementation"] = s.attn
        if s.device_map:
            found["device_map"] = s.device_map
        elif self.scheme is not None:
            found["device_map"] = {"": self.device}
        if s.max_memory:
            found["max_memory"] = memory_limits(s.max_memory)
        if s.offload:
            found["offload_folder"] = s.offload
        return found

    def _settle_arithmetic(self, model: Any) -> None:
        if self.scheme is None or self.scheme.name not in ("nf4", "fp4"):
            return
        quantization.set_compute_dtype(model, quantization.compute_dtype(self.settings, self.dtype))
        if self.settings.cpu_4bit == "exact" or self.settings.merge:
            quantization.keep_exact(model)
        else:
            quantization.allow_fast(model)


def quant_to_merge(adapter: Adapter, settings: Settings, config: Any) -> str:
    """The quantisation of a base that an adapter is to be merged into: as asked, else as it was trained with."""
    if settings.quant == "auto" and adapter.quant and quantization.stored_scheme(config) is None:
        return adapter.quant
    return settings.quant


def _keep_keys_as_we_do(model: Any) -> None:
    """Have generate make no other cache than those that shared beginnings and shrinking batches need.

    ``generation_config.json`` may ask for one of fixed size, for which transformers compiles the model, too.
    """
    if getattr(model, "generation_config", None) is not None:
        model.generation_config.cache_implementation = None


def _family(config: Any) -> Any:
    """The class of transformers that loads a model with its output layer; of one that also sees, the whole of it."""
    import transformers

    if getattr(config, "is_encoder_decoder", False):
        return transformers.AutoModelForSeq2SeqLM
    known, seeing = transformers.MODEL_FOR_CAUSAL_LM_MAPPING, transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    sees = type(config) not in known and type(config) in seeing
    return transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM


def _cannot_load(target: str, error: Exception) -> ModelCallError:
    reason = " ".join(str(error).split())[:200]
    if "out of memory" in reason.lower():
        hint = "Take fewer bits (quant=nf4), several devices (device_map=auto) or another device (device=cpu)."
        return ModelCallError(f"'{target}' does not fit the memory ({reason[:80]}).", hint)
    return ModelCallError(f"'{target}' cannot be loaded ({reason}).", "See 'benchctl doctor'.")
