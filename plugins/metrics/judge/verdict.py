"""From what a judge wrote to points, or to what is wrong with it. A verdict that cannot be read is never a zero."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model

from benchctl.types import Response

from .prompt import points_text, words
from .rubric import Criterion, Rubric

PROBLEMS = ("prose", "broken", "cut", "several", "keys", "scale")
"""What can be wrong with a reply: no JSON; malformed; cut by the length limit; objects that do not agree; keys missing
or twice; points outside the scale."""

_THINKING = re.compile(
    r"""
    \A(?:(?!<think).)*?</think(?:ing)?>(?=[^"]*(?:\{|\Z))  # opened by the template; no tag quoted in the JSON itself
    | <think(?:ing)?>.*?</think(?:ing)?>
    | \A\s*<think(?:ing)?>.*  # cut off before its end
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reply amounts to."""

    points: Mapping[str, float] = field(default_factory=dict)
    """Criterion's name -> points; empty when there is a problem."""
    reason: str = ""
    problem: str = ""
    """One of :data:`PROBLEMS`, or empty."""
    detail: str = ""
    """Which key or points."""


class RepeatedKey(ValueError):
    """A JSON object has a key twice: which one counts is anybody's guess."""


def said(text: str) -> str:
    """A reply without its thinking: a draft in it is no verdict.

    Many chat templates write the opening tag themselves, so that a reply begins inside; one cut off never gets out.
    """
    return _THINKING.sub("", text)


class Reader:
    """Reads the replies to one rubric."""

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self._reason = words(rubric)["reason"]
        fields: dict[str, Any] = {
            c.key: (Annotated[float, BeforeValidator(partial(_on_scale, c))], ...) for c in rubric.criteria
        }
        self._form: type[BaseModel] = create_model("Reply", __config__=ConfigDict(extra="ignore"), **fields)

    def read(self, response: Response) -> Verdict:
        """The points of one reply, from the JSON object in it; fences, thinking and words around it do not matter."""
        text = said(response.text or "")
        try:
            objects = [found for found in _objects(text) if found]
        except RepeatedKey as error:
            return Verdict(problem="keys", detail=str(error))
        if not objects:
            return Verdict(problem=self._absence(text, response))
        verdicts = [self._validated(found) for found in objects]
        readable = [v for v in verdicts if not v.problem]
        if any(v.points != readable[0].points for v in readable):
            return Verdict(problem="several")
        return readable[0] if readable else verdicts[0]

    def explained(self, verdict: Verdict) -> str:
        """The problem in the rubric's language, for the judge."""
        return words(self.rubric)[verdict.problem].format(detail=verdict.detail)

    def _absence(self, text: str, response: Response) -> str:
        if response.finish_reason == "length" and ("{" in text or not text.strip()):
            return "cut"  # within the object, or within thinking, which an API may keep to itself
        return "broken" if "{" in text else "prose"

    def _validated(self, found: Mapping[str, Any]) -> Verdict:
        try:
            values = self._form.model_validate(dict(found)).model_dump()
        except ValidationError as error:
            missing = [str(e["loc"][0]) for e in error.errors() if e["type"] == "missing"]
            if missing:
                return Verdict(problem="keys", detail=", ".join(missing))
            return Verdict(problem="scale", detail="; ".join(_out_of_scale(e, self.rubric) for e in error.errors()))
        points = {c.name: float(values[c.key]) for c in self.rubric.criteria}
        return Verdict(points, str(found.get(self._reason, "")))


def weighted(criterion: Criterion, response: Response) -> tuple[Verdict, dict[str, float]]:
    """The mean of the scale weighted by the probabilities of its numbers (G-Eval), and these, which sum to 1."""
    if not response.choices:  # an API without log-probabilities was asked in words
        return _written(criterion, said(response.text or ""))
    nats = [choice.nats for choice in response.choices]
    top = max(nats, default=-math.inf)
    if not math.isfinite(top):
        return Verdict(problem="scale", detail=f"{criterion.key}: no probability"), {}
    masses = [math.exp(n - top) for n in nats]
    shares = [mass / math.fsum(masses) for mass in masses]
    points = math.fsum(share * p for share, p in zip(shares, criterion.scale, strict=True))
    return Verdict({criterion.name: points}), {points_text(p): s for p, s in zip(criterion.scale, shares, strict=True)}


def _written(criterion: Criterion, text: str) -> tuple[Verdict, dict[str, float]]:
    """Points that stand in a text by themselves, taken as certain."""
    # A minus, but no dash between words or numbers, as in "1-5".
    numbers = set(re.findall(r"(?:(?<![\w-])-)?\d+(?:\.\d+)?", text.replace("\N{MINUS SIGN}", "-")))
    if len(numbers) != 1:
        return Verdict(problem="several" if numbers else "prose", detail=criterion.key), {}
    (number,) = numbers
    shares = {points_text(p): float(points_text(p) == number) for p in criterion.scale}
    if number not in shares:
        return Verdict(problem="scale", detail=f"{criterion.key} = {number}"), {}
    return Verdict({criterion.name: float(number)}), shares


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The outermost JSON objects that stand in a text, in their order."""
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats)
    place = text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except RepeatedKey:
            raise
        except (ValueError, RecursionError):  # no JSON here, or a number or a nesting that nobody means
            end = place + 1
        else:
            yield found
        place = text.find("{", end)


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedKey(next(name for name in names if names.count(name) > 1))
    return found


def _on_scale(criterion: Criterion, value: object) -> float:
    """The points, from a number or a number in quotes.

    Raises:
        ValueError: anything else, or a number that is not on the scale.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no number")
    for points in criterion.scale:
        if value == points or (isinstance(value, str) and value.strip() == points_text(points)):
            return points
    raise ValueError("not on the scale")


def _out_of_scale(error: Any, rubric: Rubric) -> str:
    key = str(error["loc"][0])
    (criterion,) = (c for c in rubric.criteria if c.key == key)
    given = json.dumps(error["input"], ensure_ascii=False, default=str)[:60]
    return f"{key} = {given} ({' | '.join(points_text(p) for p in criterion.scale)})"
