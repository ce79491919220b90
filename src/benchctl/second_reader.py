"""A model as second reader: what the rules leave unread is put to it, and it says what the answer commits to.

It is never asked which option is right, and may only name an option or an outcome. Every reply is kept with the hash of
its prompt and the model's fingerprint, so that the same command asks nothing twice and another model starts afresh.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchctl.errors import BadConfig
from benchctl.fingerprints import digest
from benchctl.journal import Journal
from benchctl.model import Model, check_response
from benchctl.prompts import delimiter
from benchctl.thinking import said as without_thinking
from benchctl.types import Answer, Choose, Generate, Message, Prompt, Response, Sample

ADDED = "extraction"
"""The key in ``RunRecord.added`` under which a run says what its second reader did."""

_OUTCOMES = {
    "invented": "compromete-se com uma alternativa que não está entre as opções",
    "multiple": "compromete-se com duas ou mais opções",
    "refusal": "recusa-se a responder",
    "none": "não se compromete com nada (repete, divaga, foi cortada)",
}
_PROMPT = """Leia a pergunta, as opções e a resposta que alguém escreveu. Diga com o que a RESPOSTA se compromete.
Não diga qual opção está certa: só importa o que a resposta afirma por fim, mesmo que esteja errada.

Pergunta: {question}

Códigos:
{codes}

Resposta: <<<{answer}>>>

O código do que a resposta afirma ({form}):"""
_LONGEST = 6000  # characters of an answer that are shown: what it commits to stands at its ends


@dataclass(frozen=True, slots=True)
class Unread:
    """One answer that the rules could not read, with the sample it answers."""

    sample: Sample
    text: str


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What a second reader made of the answers put to it.

    ``answers``: sample id -> what it reads. ``unreadable`` replies named no code, ``failed`` calls gave no reply: both
    stay unread. ``put`` counts the answers put to it in all, ``asked`` those of this sitting.
    """

    answers: Mapping[str, Answer]
    put: int
    asked: int
    unreadable: int
    failed: int
    model: str
    fingerprint: str
    reason: str = ""
    """Why the first of the ``failed`` calls did."""

    @property
    def facts(self) -> dict[str, Any]:
        """For the record: whose readings they are and how many."""
        committed = sum(a.outcome != "none" for a in self.answers.values())
        return {"model": self.model, "fingerprint": self.fingerprint, "put": self.put, "read": committed,
                "unreadable": self.unreadable, "failed": self.failed,
                **({"reason": self.reason} if self.failed else {})}  # fmt: skip


def told(facts: Mapping[str, Any]) -> str:
    """The facts of a second reading as one line for a person."""
    rest = ", ".join(f"{facts[k]} {k}" for k in ("unreadable", "failed") if facts[k])
    why = f", e.g. {facts['reason']}" if facts.get("reason") else ""
    return (
        f"{facts['put']} answers the rules could not read were put to {facts['model']}: {facts['read']} read by it"
        + (f" ({rest}{why})" if rest else "")
    )


def read_with(model: Model, unread: Sequence[Unread], journal: Path | None = None) -> SecondReading:
    """Put unread answers to ``model`` and return what it says they commit to.

    It sees them without the thinking before; one that says nothing, such as thinking cut off in its midst, is not put.

    Args:
        journal: file that keeps every reply; those it holds for the same prompt and model are not asked again.

    Raises:
        BadConfig: the model can neither choose nor generate.
    """
    if not {"choose", "generate"} & model.capabilities:
        raise BadConfig(f"{model.name} can neither choose nor generate.", "Give another model to --extract-with.")
    spoken = [replace(one, text=without_thinking(one.text)) for one in unread]
    unread = [one for one in spoken if one.text.strip()]
    fingerprint = model.fingerprint() if unread else ""
    requests = [_request(one, model) for one in unread]
    with Journal(journal) if journal else nullcontext() as book:
        kept = {
            line["prompt"]: str(line["said"])
            for line in (book.entries() if book else ())
            if line["model"] == fingerprint
        }
        keys = [digest(request) for request in requests]
        said = {i: kept[key] for i, key in enumerate(keys) if key in kept}
        todo = [i for i in range(len(unread)) if i not in said]
        reason = ""
        for index, response in _ask(model, [unread[i] for i in todo], [requests[i] for i in todo]):
            if response.error is not None:
                reason = reason or response.error
                continue
            said[todo[index]] = reply = _reply(response, list(_codes(unread[todo[index]].sample)))
            if book:
                name, prompt = unread[todo[index]].sample.id, keys[todo[index]]
                book.append({"id": name, "prompt": prompt, "model": fingerprint, "said": reply})
    readings = {unread[i].sample.id: _answer(unread[i].sample, reply, model.name) for i, reply in said.items()}
    answers = {name: answer for name, answer in readings.items() if answer is not None}
    failed = len(unread) - len(said)
    unreadable = len(said) - len(answers)
    return SecondReading(answers, len(unread), len(todo), unreadable, failed, model.name, fingerprint, reason)


def _codes(sample: Sample) -> dict[str, tuple[str | None, str, str]]:
    """Code -> (label, outcome, what it stands for); numbers, so that no code is a likelier word than another."""
    options = [(label, "choice", f"{label}) {text}") for label, text in sample.choices.items()]
    meant = [*options, *((None, outcome, text) for outcome, text in _OUTCOMES.items())]
    return {str(n): one for n, one in enumerate(meant, 1)}


def _request(one: Unread, model: Model) -> Choose | Generate:
    codes = _codes(one.sample)
    text = one.text if len(one.text) <= _LONGEST else f"{one.text[: _LONGEST // 2]} [...] {one.text[-_LONGEST // 2 :]}"
    chooses = "choose" in model.capabilities
    prompt: Prompt = _PROMPT.format(
        question=one.sample.question,
        codes="\n".join(f"{code} = {meaning}" for code, (_, _, meaning) in codes.items()),
        answer=text,
        form="só o número" if chooses else 'um objeto JSON: {"codigo": "NÚMERO"}',
    )
    if model.prompt_style == "chat":
        prompt = (Message("user", str(prompt)),)
    space = delimiter(prompt)
    return Choose(prompt, tuple(space + code for code in codes)) if chooses else Generate(prompt, max_tokens=24)


def _ask(
    model: Model, unread: Sequence[Unread], requests: Sequence[Choose | Generate]
) -> Iterator[tuple[int, Response]]:
    """Yield (index, response) as each is ready."""
    if not requests:
        return
    owners = [replace(u.sample, choices={code: code for code in _codes(u.sample)}) for u in unread]
    model.meet(owners, owners)
    seen: set[int] = set()
    choosing = [r for r in requests if isinstance(r, Choose)]
    if choosing:
        replies = model.choose(choosing)
    else:
        most = max(len(_codes(u.sample)) for u in unread)
        codes = {"type": "string", "enum": [str(n) for n in range(1, most + 1)]}
        model.expect_json({"type": "object", "properties": {"codigo": codes}, "required": ["codigo"]})
        replies = model.generate([r for r in requests if isinstance(r, Generate)])
    for index, response in replies:
        yield index, check_response(index, response, requests, seen, model)


def _reply(response: Response, codes: Sequence[str]) -> str:
    """The code that is likeliest, or the text said."""
    if response.choices:
        return max(zip(response.choices, codes, strict=True), key=lambda pair: pair[0].nats)[1]
    return response.text or ""


def _answer(sample: Sample, said: str, name: str) -> Answer | None:
    """The reading a reply stands for; None where it is no code."""
    found = re.fullmatch(r"\s*(\d{1,2})\s*\.?\s*", said)
    code = found[1] if found else _from_json(said)
    label, outcome, _ = _codes(sample).get(code, (None, "", ""))
    return Answer(label, outcome, f"model {name}: {said.strip()}") if outcome else None


def _from_json(said: str) -> str:
    try:
        value = json.loads(said[said.index("{") : said.rindex("}") + 1])
    except ValueError:
        return ""
    return str(value.get("codigo", "")) if isinstance(value, dict) else ""
