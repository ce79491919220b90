"""Adapters: finding them, making sure that they belong to the base, putting them on and taking them off again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchctl.errors import MissingExtra, ModelCallError
from benchctl.fingerprints import digest_all, file_digest

from . import embeddings
from .hf_load import PICKLE_FILES, TOKENIZER_FILES, fetch
from .quiet import quiet
from .settings import Settings

CARD = "benchctl_adapter.json"
"""Beside an adapter's own files: which base it was made for, by name and by the hash of its weights."""
SUMMARY = "benchctl_training.json"
"""Beside an adapter or a model that benchctl trained: how, on what, and its losses."""
FILES = ("adapter_config.json", "adapter_model.safetensors", CARD, SUMMARY)
PICKLED = "adapter_model.bin"
SPLITTING = ("pissa", "olora", "corda")
"""Inits of LoRA that split the base's weights: peft does it again whenever the adapter is put on."""
PROMPT_METHODS = frozenset({"PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "CARTRIDGE"})
"""Methods that put trained vectors in front of the text and leave the weights alone."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's files and what they say."""

    folder: Path
    name: str
    """As in tables: the hub id, or the folder's name."""
    method: str
    """peft's name for it, such as ``LORA`` or ``IA3``."""
    base: str | None
    """Name or path of the base it was trained on, as it recorded it."""
    base_weights: str | None
    """Hash of that base's weight files, when whoever trained it wrote it down."""
    hash: str
    virtual_tokens: int = 0
    """Vectors in front of the text."""
    quant: str | None = None
    """How the base was quantised when the adapter was trained, or ``none``; None when nobody wrote it down."""
    changes_base: bool = False
    """Whether attaching it takes something away from the base's weights (PiSSA, OLoRA), which taking it off does not
    give back."""

    @property
    def prompts(self) -> bool:
        """Whether it works by vectors in front of the text."""
        return self.method in PROMPT_METHODS


def find(settings: Settings) -> Adapter | None:
    """The adapter that the settings name, fetched from the hub where needed; None when they name none.

    Raises:
        MissingExtra: peft is not installed.
        ModelCallError: it is not there, cannot be fetched, or is no adapter.
    """
    if settings.adapter is None:
        return None
    if find_spec("peft") is None:
        raise MissingExtra("peft", "hf", "A model with an adapter")
    folder, named = Path(settings.adapter).expanduser(), settings.adapter
    if not folder.is_dir():
        if named.startswith((".", "/", "~")) or named.count("/") != 1:
            raise ModelCallError(
                f"There is no adapter folder '{named}'.", "Check the path, or give a hub id OWNER/NAME."
            )
        wanted = [*FILES, *TOKENIZER_FILES, *([PICKLED] if settings.allow_pickle else ())]
        folder = fetch("adapter", named, settings.adapter_revision, wanted)
    else:
        named = folder.resolve().name
    return read(folder, named, settings.allow_pickle)


def read(folder: Path, name: str, allow_pickle: bool = False) -> Adapter:
    """What an adapter's folder says of itself.

    Raises:
        ModelCallError: no adapter, or only pickled weights that were not allowed.
    """
    config = _json(folder / "adapter_config.json")
    if not config:
        raise ModelCallError(f"'{name}' is no adapter: it has no readable adapter_config.json.", "Check the path.")
    if not (folder / "adapter_model.safetensors").is_file() and not (allow_pickle and (folder / PICKLED).is_file()):
        pickled = (folder / PICKLED).is_file()
        what = "only pickled weights, which can run code when loaded" if pickled else "no weights"
        hint = "If you trust them, add allow_pickle=true." if pickled else "Check that it was copied whole."
        raise ModelCallError(f"The adapter '{name}' has {what}.", hint)
    card = _json(folder / CARD)
    files = [folder / file for file in (*FILES[:2], PICKLED) if (folder / file).is_file()]
    return Adapter(
        folder=folder,
        name=name,
        method=str(config.get("peft_type", "?")).rsplit(".", 1)[-1].upper(),
        base=card.get("base") or config.get("base_model_name_or_path") or None,
        base_weights=card.get("base_weights"),
        hash=digest_all([file.name, file_digest(file)] for file in files),
        virtual_tokens=int(config.get("num_virtual_tokens") or 0),
        quant=card.get("quant"),
        changes_base=str(config.get("init_lora_weights")).startswith(SPLITTING),
    )


def base_hash(folder: Path) -> str:
    """sha256 over a base's weight files alone: its configuration may change without making it another model."""
    patterns = ("*.safetensors", *PICKLE_FILES[:1])
    files = sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
    return digest_all([file.name, file_digest(file)] for file in files)


def write_card(folder: Path, base: str, base_folder: Path, quant: str | None = None) -> None:
    """Write down beside an adapter what it was made for, so that a wrong base is noticed.

    Args:
        folder: the adapter's.
        base: name of the base: a hub id, or a local folder's last part; never a whole path.
        base_folder: where the base's files are.
        quant: how the base was quantised while training, such as ``nf4``; None when it was not.
    """
    card = {"base": base, "base_weights": base_hash(base_folder), "quant": quant or "none"}
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def training_summary(folder: Path) -> Mapping[str, Any]:
    """What stands beside weights that benchctl trained about their training; nothing for others."""
    return _json(folder / SUMMARY)


def check_base(adapter: Adapter, settings: Settings, base_folder: Path) -> str:
    """Whether the adapter belongs to the base, by hash, else by name.

    Returns:
        What it rests on: ``hash``, ``name``, ``shapes`` (nothing else was recorded), or ``any`` (not wanted).

    Raises:
        ModelCallError: it does not; naming both.
    """
    if settings.any_base:
        return "any"
    recorded = Path(adapter.base).expanduser() if adapter.base else None
    expected = adapter.base_weights
    if expected is None and recorded is not None and recorded.is_dir():
        expected = base_hash(recorded)
    if expected is not None:
        if expected != base_hash(base_folder):
            raise _wrong_base(adapter, settings, "the hashes of the weights differ")
        return "hash"
    if adapter.base and _hub_id(adapter.base) and _hub_id(settings.target) and not Path(settings.target).is_dir():
        if adapter.base.lower() != settings.target.lower():
            raise _wrong_base(adapter, settings, "the names differ")
        return "name"
    return "shapes"


def attach(model: Any, adapter: Adapter, settings: Settings) -> Any:
    """The model with the adapter over it, unmerged; a ``PeftModel`` in evaluation mode.

    Embeddings that the adapter brings along take the place of the base's own: see :func:`writes_over`.

    Raises:
        ModelCallError: its layers or shapes are not the base's.
    """
    from peft import PeftModel

    try:
        with quiet():
            embeddings.make_room(model, adapter.folder)
            attached = PeftModel.from_pretrained(model, adapter.folder).eval()
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong_base(adapter, settings, " ".join(str(error).split())[:160]) from error
    _check_complete(attached, adapter, settings)
    return attached


def writes_over(base: Any, adapter: Adapter) -> bool:
    """Whether attaching the adapter changes the base for good: what taking it off leaves is another model."""
    return adapter.changes_base or bool(embeddings.stored_whole(base, adapter.folder))


def detach(attached: Any, adapter: Adapter) -> Any:
    """The base as it was before :func:`attach`, unless that :func:`writes_over` it."""
    base = attached.get_base_model()
    if adapter.prompts:
        return base
    flags = {name: vars(base)[name] for name in ("is_loaded_in_4bit", "is_loaded_in_8bit") if name in vars(base)}
    vars(base).update(dict.fromkeys(flags, False))  # peft's IA3 takes unloading for merging and refuses it on 4 bits
    try:
        return attached.unload()
    finally:
        vars(base).update(flags)


def adapter_parameters(attached: Any, base_parameters: int) -> int:
    """How many parameters an attached adapter brings."""
    from .quantization import count_parameters

    return count_parameters(attached) - base_parameters


def _check_complete(attached: Any, adapter: Adapter, settings: Settings) -> None:
    """peft says nothing when an adapter has more or fewer layers than the base: they would be left out."""
    if adapter.prompts:
        return
    from peft import get_peft_model_state_dict
    from peft.utils import load_peft_weights

    stored = set(load_peft_weights(str(adapter.folder), device="cpu"))
    expected = set(get_peft_model_state_dict(attached, save_embedding_layers=False))
    embeddings = {key for key in stored - expected if ".lora_" not in key}  # saved beside the adapter when resized
    if missing := (expected - stored) or (stored - expected - embeddings):
        example = sorted(missing)[0].removeprefix("base_model.model.")
        raise _wrong_base(adapter, settings, f"{len(missing)} of its layers do not match, e.g. {example}")


def _wrong_base(adapter: Adapter, settings: Settings, reason: str) -> ModelCallError:
    made = f"'{adapter.base}'" if adapter.base else "another model"
    return ModelCallError(
        f"The adapter '{adapter.name}', made for {made}, does not fit '{settings.target}': {reason}.",
        "Name its own base; if you know that this one is the same, add any_base=true ('benchctl merge': --any-base).",
    )


def _hub_id(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "/", "~"))


def _json(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
