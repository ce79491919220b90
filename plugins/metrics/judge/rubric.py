"""A rubric: what a judge is told to look at, and the points it can give. Rubrics are TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from benchctl.errors import BadConfig, did_you_mean
from benchctl.fingerprints import digest

from .wording import FILLED, WORDING

FOLDER = Path(__file__).parent / "rubrics"
"""The built-in rubrics, one file each, called by their file's name."""

_NAME = r"^[a-z][a-z0-9_]*$"


class Level(BaseModel):
    """One step of a criterion's scale."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    points: Annotated[float, Field(allow_inf_nan=False)]
    text: str
    """When to give them."""


def _distinct(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    if len({level.points for level in levels}) < max(2, len(levels)):
        raise ValueError("needs at least two levels, each with points of its own")
    return levels


class Criterion(BaseModel):
    """One thing that is judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(pattern=_NAME)]
    """In results: the estimate is called ``PREFIX_NAME``."""
    key: Annotated[str, Field(pattern=_NAME)]
    """In the judge's JSON, in the rubric's language."""
    question: str
    levels: Annotated[tuple[Level, ...], AfterValidator(_distinct)]

    @property
    def scale(self) -> tuple[float, ...]:
        """The points that can be given, as listed."""
        return tuple(level.points for level in self.levels)


class Rubric(BaseModel):
    """Criteria, wording and scale with points."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: int = 1
    """Raised when a change to the file changes verdicts, for people; the digest notices by itself."""
    title: str
    language: Literal["pt", "en"]
    kind: Literal["answer", "pair"] = "answer"
    """``pair``: two answers are compared; its one criterion has the points 1, 2 and 0 for a tie."""
    prefix: Annotated[str, Field(pattern=_NAME)] = "judge"
    total: Literal["sum", "mean", "none"] = "sum"
    """How a sample's criteria become ``PREFIX_total``."""
    reference: Literal["shown", "required", "hidden"] = "shown"
    """Whether the judge sees the reference answer: ``shown`` where there is one."""
    weighted: bool = False
    """Take the mean of the scale weighted by the judge's probabilities, where it gives them."""
    source: str = ""
    instruction: str
    """What the judge is told first."""
    wording: Mapping[str, str] = Field(default_factory=dict)
    """Replaces words of :data:`.wording.WORDING`."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Rubric:
        for field in ("name", "key"):
            if len({getattr(c, field) for c in self.criteria}) < len(self.criteria):
                raise ValueError(f"two criteria have the same {field}")
        if self.kind == "pair" and (len(self.criteria) > 1 or set(self.criteria[0].scale) != {0.0, 1.0, 2.0}):
            raise ValueError("a pair rubric has one criterion, with the points 1, 2 and 0")
        if self.total != "none" and any(c.name == "total" for c in self.criteria):
            raise ValueError("a criterion is called 'total', which is the figure of all; take another name")
        reason = self.wording.get("reason", WORDING[self.language]["reason"])
        if any(c.key == reason for c in self.criteria):
            raise ValueError(f"a criterion has the key '{reason}', which is that of the judge's reason")
        return self

    @field_validator("wording")
    @classmethod
    def _known_words(cls, wording: Mapping[str, str]) -> Mapping[str, str]:
        for word, text in wording.items():
            if word not in WORDING["en"]:
                raise ValueError(f"there is no word '{word}'; there are {', '.join(WORDING['en'])}")
            if slot := FILLED.get(word):
                try:
                    text.format(**{slot: ""})
                except (LookupError, ValueError, AttributeError) as error:
                    raise ValueError(f"in '{word}' nothing but {{{slot}}} can stand in braces") from error
        return wording

    @property
    def digest(self) -> str:
        """sha256 of all it says: another word is another rubric."""
        return digest(self.model_dump(mode="json"))

    def best(self) -> dict[str, float]:
        """Result name -> the most points it can reach."""
        return self._reached(max)

    def least(self) -> dict[str, float]:
        """Result name -> the fewest points it can have."""
        return self._reached(min)

    def _reached(self, end: Callable[[tuple[float, ...]], float]) -> dict[str, float]:
        found = {f"{self.prefix}_{c.name}": end(c.scale) for c in self.criteria}
        if self.total != "none":
            found[f"{self.prefix}_total"] = self.joined(list(found.values()))
        return found

    def joined(self, points: list[float]) -> float:
        """One sample's total from its criteria's points."""
        return sum(points) / (len(points) if self.total == "mean" else 1)


def built_in() -> list[str]:
    """The names of the rubrics that ship with benchctl."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def load_rubric(name: str) -> Rubric:
    """A built-in rubric by its name, or one's own by the path of its TOML file.

    Raises:
        BadConfig: there is none, or the file is no rubric; with the field and what was expected.
    """
    file = FOLDER / f"{name}.toml" if name in built_in() else Path(name)
    if not file.is_file():
        if file.suffix == ".toml":
            raise BadConfig(f"There is no rubric file '{name}'.", "Check the path; docs/how-to/judge.md has the names.")
        raise BadConfig(f"There is no rubric '{name}'.", did_you_mean(name, built_in()))
    try:
        return Rubric.model_validate(tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"The rubric '{file.name}' is no TOML: {error}.", "See docs/how-to/judge.md.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        said = first["msg"].removeprefix("Value error, ")
        raise BadConfig(f"The rubric '{file.name}', {place}: {said}.", "See docs/how-to/judge.md.") from error
