"""The sweep as one HTML file: picture, table, what was refused; nothing fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from benchctl import __version__

from .picture import draw
from .record import Row, Sweep, short_keys, shown
from .space import Dimension

Lang = Literal["pt", "en"]
FILE = "sweep.html"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words and numbers, from strings/LANGUAGE.toml."""

    code: Lang
    strings: Mapping[str, str]

    def text(self, key: str, **values: object) -> str:
        """The words for a key."""
        return self.strings[key].format_map(values)

    def plural(self, key: str, n: int) -> str:
        """The words for a key, for one or for many."""
        return self.text(f"{key}_{'one' if n == 1 else 'many'}", n=n)

    def number(self, value: float, decimals: int) -> str:
        """With the language's separators."""
        text = f"{value:,.{decimals}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.code == "pt" else text

    def value(self, value: Any) -> str:
        """A parameter's value."""
        text = shown(value)
        if isinstance(value, float):
            return text.replace(".", ",") if self.code == "pt" else text
        return text.replace(",", ", ")


def render(sweep: Sweep, dimensions: Sequence[Dimension], lang: Lang = "pt") -> str:
    """The page. The same sweep always gives the same text; everything in it that is not ours is escaped.

    Args:
        dimensions: of the space, in the order of the axes.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = (_HERE / "templates" / "sweep.css").read_text(encoding="utf-8")
    keys = [dimension.key for dimension in dimensions]
    words = _words(lang)
    measure = words.strings.get(sweep.measure, sweep.measure)
    return env.get_template("sweep.html.j2").render(
        sweep=sweep, best=sweep.best, rows=_best_first(sweep), picture=draw(sweep, dimensions, measure), keys=keys,
        names=short_keys(keys), L=words, measure=measure, style=style, version=__version__,
        result=None if sweep.best is None else sweep.result(sweep.best).relative_to(sweep.folder).as_posix(),
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )  # fmt: skip


def write(sweep: Sweep, dimensions: Sequence[Dimension], lang: Lang) -> Path:
    """Replace the page in the sweep's folder."""
    from benchctl.records import replace_file

    file = sweep.folder / FILE
    replace_file(file, render(sweep, dimensions, lang))
    return file


def _best_first(sweep: Sweep) -> list[Row]:
    order = {"complete": 0, "running": 1, "pruned": 2, "failed": 3}

    def place(row: Row) -> tuple[int, float, int]:
        value = math.inf if row.value is None else -row.value if sweep.maximise else row.value
        return order[row.state], value, row.number

    return sorted(sweep.rows, key=place)


@cache
def _words(lang: Lang) -> Words:
    return Words(lang, tomllib.loads((_HERE / "strings" / f"{lang}.toml").read_text(encoding="utf-8")))
