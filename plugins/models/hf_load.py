"""Loading a transformers model: files and their hashes, tokenizer, device, dtype."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig, MissingExtra, ModelCallError, OutOfReach
from benchctl.fingerprints import digest_all, file_digest

from .quiet import hush
from .settings import Settings

WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json")
PICKLE_FILES = ("*.bin", "*.bin.index.json")
COPIES = ("*/*", "consolidated*")
"""What repositories hold once more for other programs (``original/``, Mistral's own files), as large again."""
TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "chat_template*",
    "added_tokens.json",
)


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
        raise OutOfReach(
            f"There is no model folder '{settings.target}'.", "Check the path, or give a hub id OWNER/NAME."
        )
    return _download(settings)


def _download(settings: Settings) -> Path:
    wanted = [*WEIGHT_FILES, *TOKENIZER_FILES, *(PICKLE_FILES if settings.allow_pickle else ()), "*.py", "*.jinja"]
    return fetch("model", settings.target, settings.revision, wanted)


def fetch(what: str, name: str, revision: str | None, wanted: list[str]) -> Path:
    """The folder of a hub repository's files, from the local cache or the hub.

    Raises:
        OutOfReach: gated, missing, or not to be had offline; with the reason and what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted, ignore_patterns=list(COPIES)))
    except GatedRepoError as error:
        hint = f"Accept its terms on its hub page, then set HF_TOKEN; see huggingface.co/{name}."
        raise OutOfReach(f"The {what} '{name}' is gated.", hint) from error
    except RepositoryNotFoundError as error:
        hint = "Check the spelling; a private one needs HF_TOKEN."
        raise OutOfReach(f"The hub has no {what} '{name}'.", hint) from error
    except LocalEntryNotFoundError as error:
        raise OutOfReach(
            f"The {what} '{name}' is not on this machine, and the hub cannot be reached (or HF_HUB_OFFLINE is set).",
            f"Fetch it where there is a connection (hf download {name}), or give a local folder instead.",
        ) from error
    except Exception as error:  # broken connection, full disk: many kinds, one meaning
        reason = " ".join(str(error).split())[:160]
        raise OutOfReach(
            f"The {what} '{name}' cannot be fetched ({type(error).__name__}: {reason}).",
            "Check the connection, or give a local folder instead.",
        ) from error


def weights_hash(folder: Path, allow_pickle: bool) -> str:
    """sha256 over the names and contents of the files that hold weights and configuration.

    Raises:
        ModelCallError: no safetensors, and pickled weights were not allowed.
    """
    patterns = [*WEIGHT_FILES, *(PICKLE_FILES if allow_pickle else ())]
    files = [file for file in _matching(folder, patterns) if not file.match(COPIES[-1])]
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
            f"'{settings.target}' has no usable tokenizer ({reason}).", "Save one beside it: tokenizer.json."
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
