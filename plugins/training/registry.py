"""Results as named models: ``benchctl-models.toml``, which benchctl writes itself and reads below benchctl.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchctl.config import HERE, MODELS_FILE, load_config, read_models
from benchctl.errors import BadConfig
from benchctl.fingerprints import cache_dir, digest
from benchctl.model import parse_spec
from benchctl.plugins import get_plugins
from benchctl.records import replace_file

from .base import options_of
from .recipe import Recipe

_HEAD = """\
# Models that were trained here. benchctl writes this file; your own entries belong in benchctl.toml and come first.
# {here} stands for the folder of this file.
"""


def register(name: str, recipe: Recipe, result: Path, training: str) -> Path:
    """Make the result a named model, in place of an earlier one of that name.

    Args:
        result: folder of the adapter or the model.
        training: the training's id.

    Returns:
        The file it stands in.

    Raises:
        BadConfig: the file there is damaged, or a path cannot stand in a spec.
    """
    import filelock

    file = models_file()
    locks = cache_dir() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(locks / digest(str(file))[:16], timeout=30):
        entries = dict(read_models(file))
        spec = spec_of(recipe, result, file.parent)
        entries[name] = {"spec": spec, "recipe": recipe.name, "training": training}
        replace_file(file, _HEAD + "".join(_entry(key, entries[key]) for key in sorted(entries)))
    load_config.cache_clear()
    return file


def registered(name: str) -> str | None:
    """The id of the training whose result has this name; None where the name is free."""
    found = read_models(models_file()).get(name, {}).get("training")
    return None if found is None else str(found)


def told(name: str, file: Path, option: str) -> str:
    """What became of the name, for a person; ``option`` is the one that gives another."""
    if name not in load_config().trained:
        return f"warning: '{name}' stays what benchctl.toml says it is; {option} gives another name."
    return f"note: '{name}' is now a named model: it stands in {file.name}."


def models_file() -> Path:
    """Beside benchctl.toml, or in the working folder where there is none."""
    found = load_config().path
    return (found.parent if found else Path.cwd()) / MODELS_FILE


def check_name(name: str, recipe: Recipe) -> None:
    """Refuse a name that would make a training depend on its own result, or hide a backend or baseline.

    Raises:
        BadConfig: with what to give instead.
    """
    if name == recipe.model.base.split(",")[0]:
        raise BadConfig(f"The result cannot be called '{name}': that is what it is trained on.", "Give another --name.")
    if not name or any(mark in name for mark in ',:="\n'):
        raise BadConfig(f"'{name}' cannot be a model's name.", "Use letters, digits, dots and dashes.")
    offer = get_plugins().offers("model").get(name)
    if offer is not None and not hasattr(offer.factory, "facts"):  # only a preset is meant to be replaced
        raise BadConfig(f"'{name}' is what benchctl calls a kind of model.", "Give another --name.")


def base_spec(recipe: Recipe) -> str:
    """The base as it is trained on, quantised or not, as ``--model`` takes it."""
    given = recipe.model.base
    name = given.split(",")[0].partition(":")[0]
    known = name in get_plugins().offers("model") or name in load_config().models
    options = (f"{key}={value}" for key, value in options_of(recipe).items())
    return ",".join((given if known else f"hf:{given}", *options))


def spec_of(recipe: Recipe, result: Path, beside: Path) -> str:
    """The trained model as a spec; a path on this disk is told from the folder ``beside``, which may move with them.

    Raises:
        BadConfig: a comma in a path would end the spec.
    """
    place = _told(result, beside)
    if recipe.method == "full":
        return f"hf:{place}"
    spec = load_config().model_spec(base_spec(recipe))
    backend, args = parse_spec(spec)
    if args.target and Path(args.target).expanduser().is_dir():
        spec = f"{backend}:{_told(Path(args.target).expanduser(), beside)}" + spec[len(f"{backend}:{args.target}") :]
    return f"{spec},adapter={place}"


def _told(path: Path, beside: Path) -> str:
    """A path from ``{here}`` where it lies below, or where it was given as seen from the working folder; one given from
    the root that lies elsewhere stays so, since a project that is moved does not take it along."""
    import os

    place, here = path.resolve(), beside.resolve()
    elsewhere = path.is_absolute() and not place.is_relative_to(here)
    found = str(path) if elsewhere else f"{HERE}/{os.path.relpath(place, here)}"
    if "," in found:
        raise BadConfig(f"'{path}' has a comma, which cannot stand in a model's spec.", "Train to another --out.")
    return found


def _entry(name: str, values: Mapping[str, Any]) -> str:
    """One table; a JSON string is a TOML string."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join((f"\n[models.{json.dumps(name, ensure_ascii=False)}]", *lines, ""))
