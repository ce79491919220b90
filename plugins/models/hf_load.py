"""Loading a transformers model: options, device, dtype, files and their hashes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig, MissingExtra, ModelCallError
from benchctl.fingerprints import digest_all, file_digest
from benchctl.model import ModelArgs

from .quiet import hush

OPTIONS: Mapping[str, str] = {
    "revision": "",
    "dtype": "auto",
    "device": "auto",
    "chat": "auto",
    "batch_tokens": "auto",
    "trust_remote_code": "false",
    "allow_pickle": "false",
    "max_length": "",
    "quant": "auto",
    "compute_dtype": "auto",
    "double_quant": "true",
    "cpu_4bit": "exact",
    "adapter": "",
    "adapter_revision": "",
    "merge": "false",
    "any_base": "false",
    "attn": "auto",
    "device_map": "",
    "max_memory": "",
    "offload": "",
}
"""Option -> default; docs/how-to/local-models.md says what each does. ``dtype`` auto: the checkpoint's on an
accelerator, float32 on a CPU. ``chat`` auto: with the model's own template where it has one. ``batch_tokens``: tokens
per batch. ``quant`` auto: as the checkpoint says. ``any_base``: take the adapter though it is another base's."""

DTYPES = ("auto", "float32", "bfloat16", "float16")
QUANTS = ("auto", "none", "nf4", "fp4", "int8", "gptq")
ATTENTION = ("auto", "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
DEVICE_MAPS = ("", "auto", "balanced", "balanced_low_0", "sequential")
WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json")
PICKLE_FILES = ("*.bin", "*.bin.index.json")
TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "chat_template*",
    "added_tokens.json",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of ``hf:TARGET``, read and checked."""

    target: str
    revision: str | None
    dtype: str
    device: str
    chat: str
    batch_tokens: int | None
    """None: found for the device."""
    trust_remote_code: bool
    allow_pickle: bool
    max_length: int | None
    quant: str = "auto"
    compute_dtype: str = "auto"
    double_quant: bool = True
    cpu_4bit: str = "exact"
    """``fast``: the repacking kernel of bitsandbytes on processors that have one; see quantize.keep_exact."""
    adapter: str | None = None
    """A folder or hub id."""
    adapter_revision: str | None = None
    merge: bool = False
    any_base: bool = False
    attn: str | None = None
    """None: what transformers chooses."""
    device_map: str | None = None
    max_memory: str | None = None
    """``0:20GiB;1:20GiB;cpu:60GiB``: the most each device may hold, with a device map."""
    offload: str | None = None
    """Folder for what fits neither the accelerators nor memory."""

    @classmethod
    def read(cls, args: ModelArgs) -> Settings:
        """From the command line.

        Raises:
            BadConfig: no target, an unknown option, or a value out of range.
        """
        if not args.target:
            raise BadConfig(f"Model '{args.spec}' names no folder or hub id.", "Write hf:PATH_OR_ID.")
        values = args.take(OPTIONS)
        return cls(
            target=args.target,
            revision=values["revision"] or None,
            dtype=one_of(args.spec, "dtype", values["dtype"], DTYPES),
            device=values["device"],
            chat=one_of(args.spec, "chat", values["chat"], ("auto", "on", "off")),
            batch_tokens=None if values["batch_tokens"] == "auto" else _number(args.spec, "batch_tokens", values),
            trust_remote_code=switch(args.spec, "trust_remote_code", values),
            allow_pickle=switch(args.spec, "allow_pickle", values),
            max_length=_number(args.spec, "max_length", values) if values["max_length"] else None,
            **_weights_options(args.spec, values),
        )


def _weights_options(spec: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Quantisation, adapter and placement, checked alone and against each other."""
    found: dict[str, Any] = {
        "quant": one_of(spec, "quant", values["quant"], QUANTS),
        "compute_dtype": one_of(spec, "compute_dtype", values["compute_dtype"], DTYPES),
        "double_quant": switch(spec, "double_quant", values),
        "cpu_4bit": one_of(spec, "cpu_4bit", values["cpu_4bit"], ("exact", "fast")),
        "merge": switch(spec, "merge", values),
        "any_base": switch(spec, "any_base", values),
        "attn": None if values["attn"] == "auto" else one_of(spec, "attn", values["attn"], ATTENTION),
        "device_map": one_of(spec, "device_map", values["device_map"], DEVICE_MAPS) or None,
        **{name: values[name] or None for name in ("adapter", "adapter_revision", "max_memory", "offload")},
    }
    if found["merge"] and not found["adapter"]:
        raise BadConfig(f"Model '{spec}': merge=true without an adapter.", "Add adapter=PATH_OR_ID.")
    if (found["max_memory"] or found["offload"]) and not found["device_map"]:
        raise BadConfig(f"Model '{spec}': max_memory and offload need a device map.", "Add device_map=auto.")
    return found


def memory_limits(text: str) -> dict[int | str, str]:
    """``0:20GiB;cpu:60GiB`` as accelerate wants it.

    Raises:
        BadConfig: not of that form.
    """
    found: dict[int | str, str] = {}
    for part in text.split(";"):
        device, colon, size = part.partition(":")
        if not colon or not re.fullmatch(r"\d+(\.\d+)?([KMGT]i?B)", size) or not (device.isdigit() or device == "cpu"):
            raise BadConfig(f"max_memory={text} cannot be read.", "Write max_memory=0:20GiB;cpu:60GiB.")
        found[int(device) if device.isdigit() else device] = size
    return found


def one_of(spec: str, name: str, value: str, known: tuple[str, ...]) -> str:
    """The value, if it is one of the known ones.

    Raises:
        BadConfig: it is not.
    """
    if value not in known:
        raise BadConfig(f"Model '{spec}': {name}={value} is not possible.", f"Choose one of {', '.join(known)}.")
    return value


def switch(spec: str, name: str, values: Mapping[str, str]) -> bool:
    """``true`` or ``false`` as a bool."""
    return one_of(spec, name, values[name].lower(), ("true", "false")) == "true"


def _number(spec: str, name: str, values: Mapping[str, str]) -> int:
    if not values[name].isdigit() or not int(values[name]):
        raise BadConfig(f"Model '{spec}': {name}={values[name]} is no positive whole number.", f"Write {name}=2048.")
    return int(values[name])


def require_hf() -> None:
    """Check that torch and transformers are installed.

    Raises:
        MissingExtra: with the pip line.
    """
    from importlib.util import find_spec

    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtra(package, "hf", "A local model")
    hush()


def find_files(settings: Settings) -> Path:
    """The folder with the model's files: the target itself, or its snapshot from the hub or the local cache.

    Raises:
        ModelCallError: no such folder, gated, or not to be had offline; with the reason and what to do.
    """
    folder = Path(settings.target).expanduser()
    if folder.is_dir():
        if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
            raise ModelCallError(
                f"The folder '{folder}' holds an adapter, not a model.", f"Write hf:BASE,adapter={folder}."
            )
        if not (folder / "config.json").is_file():
            raise ModelCallError(f"The folder '{folder}' holds no model: it has no config.json.", "Check the path.")
        return folder
    if settings.target.startswith((".", "/", "~")) or settings.target.count("/") != 1:
        raise ModelCallError(
            f"There is no model folder '{settings.target}'.", "Check the path, or give a hub id OWNER/NAME."
        )
    return _download(settings)


def _download(settings: Settings) -> Path:
    wanted = [*WEIGHT_FILES, *TOKENIZER_FILES, *(PICKLE_FILES if settings.allow_pickle else ()), "*.py", "*.jinja"]
    return fetch("model", settings.target, settings.revision, wanted)


def fetch(what: str, name: str, revision: str | None, wanted: list[str]) -> Path:
    """The folder of a hub repository's files, from the local cache or the hub.

    Raises:
        ModelCallError: gated, missing, or not to be had offline; with the reason and what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except GatedRepoError as error:
        hint = f"Accept its terms on its hub page, then set HF_TOKEN; see huggingface.co/{name}."
        raise ModelCallError(f"The {what} '{name}' is gated.", hint) from error
    except RepositoryNotFoundError as error:
        hint = "Check the spelling; a private one needs HF_TOKEN."
        raise ModelCallError(f"The hub has no {what} '{name}'.", hint) from error
    except LocalEntryNotFoundError as error:
        raise ModelCallError(
            f"The {what} '{name}' is not on this machine, and the hub cannot be reached (or HF_HUB_OFFLINE is set).",
            f"Fetch it where there is a connection (hf download {name}), or give a local folder instead.",
        ) from error
    except Exception as error:  # broken connection, full disk: many kinds, one meaning
        reason = " ".join(str(error).split())[:160]
        raise ModelCallError(
            f"The {what} '{name}' cannot be fetched ({type(error).__name__}: {reason}).",
            "Check the connection, or give a local folder instead.",
        ) from error


def weights_hash(folder: Path, allow_pickle: bool) -> str:
    """sha256 over the names and contents of the files that hold weights and configuration.

    Raises:
        ModelCallError: no safetensors, and pickled weights were not allowed.
    """
    patterns = [*WEIGHT_FILES, *(PICKLE_FILES if allow_pickle else ())]
    files = _matching(folder, patterns)
    if not any(f.suffix in (".safetensors", ".bin") for f in files):
        if _matching(folder, PICKLE_FILES):
            raise ModelCallError(
                f"'{folder.name}' has only pickled weights, which can run code when loaded.",
                "If you trust them, add the option allow_pickle=true.",
            )
        raise ModelCallError(f"'{folder.name}' has no weights (*.safetensors).", "Check that it was copied whole.")
    return digest_all([f.name, file_digest(f)] for f in files)


def tokenizer_hash(folder: Path) -> str:
    """sha256 over the names and contents of the tokenizer's files, chat template included."""
    return digest_all([f.name, file_digest(f)] for f in _matching(folder, TOKENIZER_FILES))


def _matching(folder: Path, patterns: tuple[str, ...] | list[str]) -> list[Path]:
    return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})


def load_config(folder: Path, settings: Settings) -> Any:
    """The model's configuration.

    Raises:
        ModelCallError: transformers does not know this kind of model.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=settings.trust_remote_code)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        hint = "Some need their own code: add trust_remote_code=true if you trust it."
        raise ModelCallError(f"'{settings.target}' is no model transformers can load ({reason}).", hint) from error


def load_tokenizer(folder: Path, settings: Settings, config: Any) -> Any:
    """The tokenizer in a folder, with a token for the beginning or end of a text where the configuration knows one.

    Raises:
        ModelCallError: there is none that transformers can load.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=settings.trust_remote_code)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelCallError(
            f"'{settings.target}' has no usable tokenizer ({reason}).", "Save one beside it."
        ) from error
    if tokenizer.bos_token_id is None and tokenizer.eos_token_id is None:
        text = config.get_text_config() if hasattr(config, "get_text_config") else config
        ids = (getattr(text, name, None) for name in ("bos_token_id", "eos_token_id", "pad_token_id"))
        known = next((i[0] if isinstance(i, list) else i for i in ids if i is not None), tokenizer.pad_token_id)
        if known is not None:
            tokenizer.eos_token = tokenizer.convert_ids_to_tokens(known)
    return tokenizer


def resolve_device(wanted: str) -> str:
    """``cuda``, ``mps`` or ``cpu`` for ``auto``; else what was asked.

    Raises:
        BadConfig: the device is not there.
    """
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise BadConfig(f"The device '{wanted}' is not usable here.", "'benchctl doctor' shows what is.") from error
    return wanted


def resolve_dtype(wanted: str, device: str, config: Any) -> str:
    """The dtype's name: on a CPU float32 unless asked otherwise, elsewhere what the checkpoint was saved in."""
    if wanted != "auto":
        return wanted
    if device == "cpu":
        return "float32"
    return str(getattr(config, "dtype", None) or "float32").removeprefix("torch.")
