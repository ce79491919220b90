"""Words and number formats of one language. Strings are in strings/LANGUAGE.toml, the same keys in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchctl.pairing import Difference, decimals_of
from benchctl.types import Estimate

LANGUAGES = ("pt", "en")
"""Languages a report can be written in; the first is the default."""

_STRINGS = Path(__file__).parent / "strings"


@dataclass(frozen=True, slots=True)
class Language:
    """One language's words and formats."""

    code: str
    strings: Mapping[str, str]
    """Dotted key -> text with ``{name}`` placeholders."""

    def text(self, key: str, **values: object) -> str:
        """The words for a key; whole numbers among the values get the language's separators.

        Raises:
            KeyError: no such key, or a placeholder without a value: a defect of the template, never of the data.
        """
        shown = {name: self.count(v) if isinstance(v, int) else v for name, v in values.items()}
        return self.strings[key].format_map(shown)

    def plural(self, key: str, count: int, /, **values: object) -> str:
        """The words for a key in singular or plural; ``n`` among them is the count unless another is given."""
        return self.text(f"{key}.{'one' if count == 1 else 'many'}", **{"n": count, **values})

    def name(self, kind: str, value: str) -> str:
        """The words for a name such as a scoring or an outcome; the name itself where there are none."""
        return self.strings.get(f"{kind}.{value}", value)

    def own(self, texts: Mapping[str, str]) -> str:
        """The text in this language, else in whichever there is; empty when there is none."""
        return texts.get(self.code) or next(iter(texts.values()), "")

    def number(self, value: float, decimals: int) -> str:
        """A number with the language's separators and a minus as wide as a plus: −4.183,5 or −4,183.5; no −0,0."""
        swap = str.maketrans({",": self.strings["number.thousands"], ".": self.strings["number.decimal"], "-": "−"})
        return f"{value:z,.{decimals}f}".translate(swap)

    def count(self, value: int) -> str:
        """A whole number: 4.183 or 4,183."""
        return self.number(value, 0)

    def value(self, value: float, percent: bool, decimals: int = 1) -> str:
        """A metric's value: a share as a percentage, anything else with two decimals more."""
        return f"{self.number(value * 100, decimals)}%" if percent else self.number(value, decimals + 2)

    def printed(self, percent: float) -> str:
        """A percentage that a source printed, with its own number of decimals (at least one)."""
        decimals = len(str(percent).partition(".")[2])
        return f"{self.number(percent, max(decimals, 1))}%"

    def setting(self, value: object) -> str:
        """A value that a record holds, such as a learning rate: 0,0002, sim, q_proj, v_proj."""
        if isinstance(value, bool):
            return self.strings["value.yes" if value else "value.no"]
        if isinstance(value, float):
            return f"{value:.6g}".replace(".", self.strings["number.decimal"])
        if isinstance(value, Mapping):
            shown = (f"{name} {self.setting(one)}" for name, one in value.items() if one is not None)
            return f"({', '.join(shown)})"
        if isinstance(value, list | tuple):
            return ", ".join(self.setting(one) for one in value)
        return str(value)

    def interval(self, estimate: Estimate, decimals: int = 1) -> str:
        """The bounds of an interval without unit; empty when there is none."""
        if estimate.low is None or estimate.high is None:
            return ""
        scale, places = (100, decimals) if estimate.percent else (1, decimals + 2)
        return f"{self.number(estimate.low * scale, places)}–{self.number(estimate.high * scale, places)}"

    def signed(self, value: float, percent: bool, decimals: int = 1) -> str:
        """A difference with its sign: of shares in percentage points, anything else with two decimals more."""
        scale, places = (100, decimals) if percent else (1, decimals + 2)
        shown = self.number(abs(value) * scale, places)
        if not any(digit in shown for digit in "123456789"):
            return shown
        return f"{'+' if value > 0 else '−'}{shown}"

    def points(self, difference: Difference, decimals: int = 1) -> str:
        """A paired difference with its interval: +4,2 [1,1; 7,3]."""
        value = self.signed(difference.value, difference.percent, decimals)
        if difference.low is None or difference.high is None:
            return value
        low, high = (
            self.signed(b, difference.percent, decimals).lstrip("+") for b in (difference.low, difference.high)
        )
        return f"{value} [{low}; {high}]"

    def probability(self, p: float) -> str:
        """A p-value: = 0,012, = 0,0498 (better, which 0,050 would belie) or < 0,001."""
        return f"< {self.number(0.001, 3)}" if p < 0.001 else f"= {self.number(p, decimals_of(p))}"

    def bytes(self, size: float) -> str:
        """A size of memory: 1,25 GiB or 310 MiB."""
        return f"{self.number(size / 2**30, 2)} GiB" if size >= 2**30 else f"{self.number(size / 2**20, 0)} MiB"

    def hits(self, estimate: Estimate) -> int | None:
        """How many right answers a share stands for; None for anything but a share of right and wrong ones."""
        return round(estimate.value * estimate.n) if estimate.percent and estimate.method.startswith("wilson") else None

    def duration(self, seconds: float) -> str:
        """A time in the two largest units that fit."""
        if seconds < 60:
            return f"{self.number(seconds, 1)} s"
        minutes, rest = divmod(round(seconds), 60)
        if minutes < 60:
            return f"{minutes} min {rest:02d} s"
        hours, minutes = divmod(minutes, 60)
        return f"{self.count(hours)} h {minutes:02d} min"

    def size(self, parameters: int) -> str:
        """A parameter count in short: 7,2 bi or 7.2B."""
        for unit, scale in (("giga", 1e9), ("mega", 1e6), ("kilo", 1e3)):
            if parameters >= scale:
                figure = self.number(parameters / scale, 1).removesuffix(f"{self.strings['number.decimal']}0")
                return f"{figure}{self.strings[f'number.{unit}']}"
        return self.count(parameters)

    def moment(self, iso: str) -> str:
        """A UTC time as date and time; what is no such time stays as it is."""
        from datetime import UTC, datetime

        try:
            return datetime.fromisoformat(iso).astimezone(UTC).strftime(self.strings["number.moment"])
        except ValueError:
            return iso


@cache
def load_language(code: str) -> Language:
    """A language of :data:`LANGUAGES`."""
    import tomllib

    tables = tomllib.loads((_STRINGS / f"{code}.toml").read_text(encoding="utf-8"))
    return Language(code, dict(_flat(tables)))


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        found += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", str(value))]
    return found
