"""Loading a transformers model: options, device, dtype, files and their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig, MissingExtra, ModelCallError
from benchctl.fingerprints import digest_all, file_digest
from benchctl.model import ModelArgs

OPTIONS: Mapping[str, str] = {
    "revision": "",
    "dtype": "auto",
    "device": "auto",
    "chat": "auto",
    "batch_tokens": "auto",
    "trust_remote_code": "false",
    "allow_pickle": "false",
    "max_length": "",
}
"""Option -> default. ``dtype`` auto: the checkpoint's on an accelerator, float32 on a CPU. ``chat`` auto: with the
model's own template where it has one. ``batch_tokens``: tokens per batch."""

DTYPES = ("auto", "float32", "bfloat16", "float16")
WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json")
PICKLE_FILES = ("*.bin", "*.bin.index.json")
TOKENIZER_FILES = ("tokenizer*", "special_tokens_map.json", "vocab*", "merges.txt", "*.model", "chat_template*", "added_tokens.json")


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
        )


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


def find_files(settings: Settings) -> Path:
    """The folder with the model's files: the target itself, or its snapshot from the hub or the local cache.

    Raises:
        ModelCallError: no such folder, gated, or not to be had offline; with the reason and what to do.
    """
    folder = Path(settings.target).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelCallError(f"The folder '{folder}' holds no model: it has no config.json.", "Check the path.")
        return folder
    if settings.target.startswith((".", "/", "~")) or settings.target.count("/") != 1:
        raise ModelCallError(f"There is no model folder '{settings.target}'.", "Check the path, or give a hub id OWNER/NAME.")
    return _download(settings)


def _download(settings: Settings) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    wanted = [*WEIGHT_FILES, *TOKENIZER_FILES, *(PICKLE_FILES if settings.allow_pickle else ()), "*.py", "*.jinja"]
    try:
        return Path(snapshot_download(settings.target, revision=settings.revision, allow_patterns=wanted))
    except GatedRepoError as error:
        hint = f"Accept its terms on its hub page, then set HF_TOKEN; see huggingface.co/{settings.target}."
        raise ModelCallError(f"The model '{settings.target}' is gated.", hint) from error
    except RepositoryNotFoundError as error:
        hint = "Check the spelling; a private one needs HF_TOKEN."
        raise ModelCallError(f"The hub has no model '{settings.target}'.", hint) from error
    except Exception as error:  # no network, offline mode, full disk: many kinds, one meaning
        reason = " ".join(str(error).split())[:160]
        raise ModelCallError(
            f"The model '{settings.target}' cannot be fetched ({type(error).__name__}: {reason}).",
            "Check the connection, or give a local folder: hf:PATH.",
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
