"""``benchctl.toml``: named models, data sources and plugin settings of a project, found from the working folder up.

Beside it, or in the working folder, ``benchctl-models.toml`` names the models that were trained here. benchctl writes
that file itself; what benchctl.toml says of the same name comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig, did_you_mean

FILE = "benchctl.toml"
MODELS_FILE = "benchctl-models.toml"
HERE = "{here}"
"""In benchctl-models.toml: the folder it lies in, so that a project can be moved as a whole."""
SECTIONS = ("data", "models", "prices")


@dataclass(frozen=True, slots=True)
class Config:
    """What benchctl.toml says."""

    path: Path | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    """Name of a source -> path, absolute or beside benchctl.toml; usable as ``--data NAME``."""
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name -> ``{spec = "hf:...", ...}``: usable as ``--model NAME``."""
    rest: Mapping[str, Any] = field(default_factory=dict)
    """The other sections, for those who know them."""
    trained: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Those of ``models`` that benchctl itself wrote down."""

    def data_path(self, given: str | None) -> str | None:
        """What ``--data`` stands for: a name in ``[data]`` becomes its path, all else stays."""
        if given is None or given not in self.data:
            return given
        base = self.path.parent if self.path else Path()
        return str(base / self.data[given])

    def origin(self, name: str) -> str:
        """In which file a named model stands."""
        return MODELS_FILE if name in self.trained else str(self.path)

    def model_spec(self, given: str) -> str:
        """What ``--model`` stands for: a name in ``[models]`` becomes its spec, options given beside it added.

        Raises:
            BadConfig: the entry has no ``spec``.
        """
        name, comma, options = given.partition(",")
        if name not in self.models:
            return given
        spec = self.models[name].get("spec")
        if not isinstance(spec, str) or not spec:
            raise BadConfig(
                f"{self.path or MODELS_FILE}: [models.{name}] has no spec.", 'Write spec = "hf:PATH,..." there.'
            )
        return f"{spec}{comma}{options}"


@cache
def load_config(start: Path | None = None) -> Config:
    """The nearest benchctl.toml from ``start`` (the working folder) upwards; an empty one when there is none.

    Raises:
        BadConfig: the file is no TOML, or has a section nobody knows.
    """
    import tomllib

    here = (start or Path.cwd()).resolve()
    path = next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), None)
    beside = path.parent if path else here
    trained = {name: _settled(entry, beside) for name, entry in read_models(beside / MODELS_FILE).items()}
    if path is None:
        return Config(models=trained, trained=trained)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows put a mark in front
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}.", "It must be a TOML file; see docs/reference/config.md.") from error
    for section in content:
        if section not in SECTIONS:
            raise BadConfig(
                f"{path}: unknown section '{section}'.", did_you_mean(section, SECTIONS, "docs/reference/config.md")
            )
        if not isinstance(content[section], dict):
            raise BadConfig(f"{path}: '{section}' is no section.", f"Write [{section}] on a line of its own.")
    _check_entries(path, content)
    rest = {k: v for k, v in content.items() if k not in ("data", "models")}
    own = content.get("models", {})
    left = {name: entry for name, entry in trained.items() if name not in own}
    return Config(path, content.get("data", {}), {**left, **own}, rest, left)


def _check_entries(path: Path, content: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a source that is no path, and a model that is no table of its own.

    Raises:
        BadConfig: naming the entry.
    """
    for name, source in content.get("data", {}).items():
        if not isinstance(source, str):
            raise BadConfig(f"{path}: [data] {name} is no path.", f'Write {name} = "PATH" there.')
    for name, entry in content.get("models", {}).items():
        if not isinstance(entry, dict):
            raise BadConfig(
                f"{path}: [models] {name} is no table.", f'Write [models.{name}] with spec = "..." below it.'
            )


def read_models(file: Path) -> Mapping[str, Mapping[str, Any]]:
    """What a benchctl-models.toml says, as it stands there; nothing where there is none.

    Raises:
        BadConfig: it was damaged.
    """
    import tomllib

    if not file.is_file():
        return {}
    try:
        found: Mapping[str, Mapping[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["models"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise BadConfig(
            f"{file} is damaged ({error}).", "Delete it; running the trainings again enters their models again."
        ) from error
    return found


def _settled(entry: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    return {**entry, "spec": str(entry.get("spec", "")).replace(HERE, str(folder))}
