"""Reading recipes: those that ship and files in the same form, with ``extends`` and with changes on top."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchctl.errors import BadConfig, UnknownName, did_you_mean

from .architectures import check_base
from .recipe import AdapterSection, DataSection, ModelSection, Recipe, Section, TrainingSection
from .refusals import check

FOLDER = Path(__file__).parent / "recipes"
REFERENCE = "docs/reference/recipes.md"
SECTIONS: Mapping[str, type[Section]] = {
    "model": ModelSection, "adapter": AdapterSection, "data": DataSection, "training": TrainingSection,
}  # fmt: skip
TOP = ("method", "objective", "name", "summary", "study")
KEYS = (*TOP, *(f"{section}.{key}" for section, kind in SECTIONS.items() for key in kind.model_fields))
"""Every key of a recipe, dotted."""
LENGTHS = ("training.steps", "training.epochs")
"""Two ways to say one thing: who sets one of them takes the other away."""

Flat = dict[str, Any]
"""What is set, by dotted key."""


def recipes() -> Mapping[str, str]:
    """Name -> summary of the recipes that ship."""
    return {name: str(_read(_file(name), name).get("summary", "")) for name in _names()}


def find_recipe(name_or_path: str, changes: Sequence[str] = ()) -> Recipe:
    """The recipe of that name or in that TOML file, checked.

    Args:
        changes: ``key=value`` on top of it; a key is dotted (``training.steps``) or bare (``steps``), an empty value
            takes back what the recipe says.

    Raises:
        UnknownName: no recipe has that name; with those that are near.
        BadConfig: a file that is no recipe, an unknown key, a value out of range, or a combination that cannot work.
    """
    content = _settled(name_or_path, ())
    return _made(_with(content, _parsed(changes)), f"Recipe '{content.get('name', name_or_path)}'")


def changed(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """The recipe with other values, checked again; None takes back what it says.

    Args:
        changes: by key, dotted or bare.

    Raises:
        BadConfig: an unknown key, a value out of range, or a combination that cannot work.
    """
    content = _flat(recipe.model_dump(exclude_unset=True))
    return _made(_with(content, {_key(key): value for key, value in changes.items()}), f"Recipe '{recipe.name}'")


def _names() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def _file(name: str) -> Path:
    return FOLDER / f"{name}.toml"


def _settled(given: str, before: tuple[str, ...], beside: Path = Path()) -> Flat:
    """What a recipe sets, what it extends included. Its name and, for a chain, where it came from are its own."""
    path = _place(given, beside)
    if str(path) in before:
        raise BadConfig(f"The recipe '{given}' extends itself.", "Take out one 'extends' of the circle.")
    content = _read(path, given)
    extended = content.pop("extends", None)
    content.setdefault("name", path.stem)
    if extended is None:
        return content
    if not isinstance(extended, str):
        raise BadConfig(f"Recipe '{given}': extends is no name.", 'Write extends = "NAME" or a path.')
    parent = _settled(extended, (*before, str(path)), path.parent)
    return _with({key: value for key, value in parent.items() if key not in ("summary", "study")}, content)


def _place(given: str, beside: Path) -> Path:
    """The file: of a name, or of a path as seen from ``beside``."""
    if not given.endswith(".toml"):
        if given not in _names():
            raise UnknownName("recipe", given, _names(), "benchctl train")
        return _file(given)
    path = beside / Path(given).expanduser()
    if not path.is_file():
        raise BadConfig(f"There is no recipe file '{given}'.", "Check the path; 'benchctl train' lists the names.")
    return path.resolve()


@cache
def _content(path: Path, stamp: int) -> Mapping[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _read(path: Path, given: str) -> Flat:
    """What one file sets, by dotted key."""
    try:
        return _flat(_content(path, path.stat().st_mtime_ns), f"Recipe '{given}'")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(
            f"The recipe '{given}' cannot be read: {error}.", f"It is a TOML file; see {REFERENCE}."
        ) from error


def _flat(content: Mapping[str, Any], where: str = "Recipe") -> Flat:
    """Sections as dotted keys."""
    found: Flat = {}
    for key, value in content.items():
        dotted = {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, Mapping) else {key: value}
        for one in dotted:
            if one not in KEYS and one != "extends":
                raise _unknown(where, one)
        found |= dotted
    return found


def _with(content: Flat, changes: Flat) -> Flat:
    """Both; the changes win, and None takes away."""
    found = dict(content)
    for one, other in (LENGTHS, LENGTHS[::-1]):
        if changes.get(one) is not None and other not in changes:
            found.pop(other, None)
    found |= changes
    return {key: value for key, value in found.items() if value is not None}


def _parsed(changes: Sequence[str]) -> Flat:
    found: Flat = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise BadConfig(f"--set {change} has no value.", "Write --set key=value, such as --set steps=60.")
        found[_key(key.strip())] = value or None
    return found


def _key(given: str) -> str:
    """The dotted key that is meant.

    Raises:
        BadConfig: there is none.
    """
    if given in KEYS:
        return given
    meant = [key for key in KEYS if key.endswith(f".{given}")]
    if len(meant) != 1:
        raise _unknown("A recipe", given)
    return meant[0]


def _unknown(where: str, key: str) -> BadConfig:
    known = KEYS if "." in key else (*KEYS, *(one.rpartition(".")[2] for one in KEYS))
    return BadConfig(f"{where} has no key '{key}'.", did_you_mean(key, dict.fromkeys(known), REFERENCE))


def _made(content: Flat, where: str) -> Recipe:
    """The recipe, its values and their combination checked."""
    nested: dict[str, Any] = {}
    for key, value in content.items():
        section, dot, name = key.partition(".")
        if dot:
            nested.setdefault(section, {})[name] = value
        else:
            nested[key] = value
    try:
        recipe = Recipe.model_validate(nested)
    except ValidationError as error:
        raise _invalid(where, error.errors()) from error
    check(recipe)
    check_base(recipe)
    return recipe


def _invalid(where: str, problems: Sequence[Any]) -> BadConfig:
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"][:2])
    if first["type"] == "missing":
        return BadConfig(f"{where} says nothing about '{key}'.", f"Every recipe needs it; see {REFERENCE}.")
    return BadConfig(f"{where}: {key} = {first['input']!r} is not possible: {first['msg']}.", f"See {REFERENCE}.")
