"""What the judge is asked: the rubric, the material between marks it cannot forge, and the form of the reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchctl.fingerprints import digest
from benchctl.types import Message, Prompt

from .rubric import Criterion, Rubric
from .wording import WORDING


def words(rubric: Rubric) -> Mapping[str, str]:
    """The words around the rubric."""
    return {**WORDING[rubric.language], **rubric.wording}


def json_prompt(rubric: Rubric, parts: Mapping[str, str], *, chat: bool) -> Prompt:
    """Ask for all criteria at once, as JSON.

    Args:
        parts: of :data:`.wording.WORDING` ``context``, ``question``, ``reference``, ``answer``, ... -> text.
        chat: whether the judge wants a conversation.
    """
    said = words(rubric)
    criteria = [said["criteria"], *(_criterion(c, f"{c.key}: ", said) for c in rubric.criteria)]
    form = [said["json"], _form(rubric, said)]
    return _prompt(rubric, [*criteria, *form], _material(parts, said), chat=chat)


def choose_prompt(rubric: Rubric, criterion: Criterion, parts: Mapping[str, str], *, chat: bool) -> Prompt:
    """Ask for one criterion's points, of which the probabilities will be read."""
    said = words(rubric)
    rule = [said["criteria"], _criterion(criterion, "", said), said["choose"]]
    prompt = _prompt(rubric, rule, _material(parts, said), chat=chat)
    return prompt if chat or not isinstance(prompt, str) else f"{prompt}\n\n{said['cue']}"


def repair_prompt(rubric: Rubric, prompt: Prompt, reply: str, problem: str) -> Prompt:
    """Ask once more, with the reply that could not be read and why."""
    said = words(rubric)
    request = f"{said['repair'].format(problem=problem)} {said['json']}\n{_form(rubric, said)}"
    if isinstance(prompt, str):
        return f"{prompt}\n\n{reply.strip()}\n\n{request}"
    if not reply.strip():  # many servers refuse an empty turn
        *before, last = prompt
        return (*before, Message(last.role, f"{last.content}\n\n{request}"))
    return (*prompt, Message("assistant", reply), Message("user", request))


def schema(rubric: Rubric) -> dict[str, Any]:
    """The reply as a JSON schema, for judges that can be held to one."""
    reason = words(rubric)["reason"]
    properties: dict[str, Any] = {reason: {"type": "string"}}
    properties |= {c.key: {"type": "number", "enum": [_plain(p) for p in c.scale]} for c in rubric.criteria}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def points_text(points: float) -> str:
    """Points as they stand in prompts: without a decimal where they have none."""
    return str(_plain(points))


def _prompt(rubric: Rubric, rules: list[str], material: str, *, chat: bool) -> Prompt:
    system = "\n\n".join([rubric.instruction.strip().replace("\n", " "), *rules])
    if not chat:
        return f"{system}\n\n{material}"
    return (Message("system", system), Message("user", material))


def _material(parts: Mapping[str, str], said: Mapping[str, str]) -> str:
    """The texts between marks that hold a hash of them all, so that none of them can pretend to end or begin one."""
    seal = digest(dict(parts))[:8]
    blocks = [f"[{said[name]} {seal}]\n{text.strip()}\n[/{said[name]} {seal}]" for name, text in parts.items() if text]
    return "\n\n".join([said["data"], *blocks])


def _criterion(criterion: Criterion, lead: str, said: Mapping[str, str]) -> str:
    levels = [f"  {points_text(level.points)} {said['points']}: {level.text}" for level in criterion.levels]
    return "\n".join([f"{lead}{criterion.question}", *levels])


def _form(rubric: Rubric, said: Mapping[str, str]) -> str:
    lines = [f'  "{said["reason"]}": {said["reason_is"]}']
    for criterion in rubric.criteria:
        numbers = ", ".join(points_text(points) for points in criterion.scale)
        lines.append(f'  "{criterion.key}": {said["one_of"]}: {numbers}')
    return "\n".join(lines)


def _plain(points: float) -> int | float:
    return int(points) if points == int(points) else points
