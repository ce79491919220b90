"""What a model is to benchctl: something that answers three kinds of request, in any order, as each is ready."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from benchctl.errors import DEFECT, BadConfig, PluginError, blamed, did_you_mean
from benchctl.types import ChoiceScore, Choose, Generate, Kind, Perplexity, Request, Response, Sample


class Model:
    """Base of every backend. A subclass overrides the methods its ``capabilities`` name.

    The three methods take a sequence of requests of one kind and yield ``(index, response)`` as each is ready: the
    runner writes every answer down at once, and a backend is free to batch, sort, shard or parallelise. Each index is
    yielded exactly once. A call that failed for good is yielded as ``Response(error=...)``, never raised and never
    made up; an error that no request can survive (out of disk, a missing file) is raised.
    """

    name: str = ""
    """Shown in tables and reports."""
    capabilities: ClassVar[frozenset[Kind]] = frozenset()
    prompt_style: str = "text"
    """``chat`` for models that want conversations, ``text`` for the others."""
    spec: str = ""
    """What the record calls the model, where that is not what stood on the command line: a backend leaves out options
    that cannot change an answer, so that another timeout goes on with the same run. A named model keeps its name."""
    max_cost: float | None = None
    """Sum, in the currency of the price table, at which a backend that costs money stops asking."""
    keeps_cost: ClassVar[bool] = False
    """Whether it stops at ``max_cost`` by itself and yields what was under way, which is paid; the judge's limit is
    else kept between two answers, by the cost that they tell."""

    def fingerprint(self) -> str:
        """A sha256 of all that fixes the answers: weights, revision, adapter, quantisation, tokenizer, template.

        Must not need the weights in memory: a finished run is found again without loading the model.
        """
        raise NotImplementedError

    def manifest(self) -> Mapping[str, Any]:
        """What is worth keeping beside the result: measured parameters, dtype, device, hashes, the scoring path."""
        return {}

    def reads(self, request: Choose | Generate) -> str:
        """A prompt as this model gets it, for people to read; like the fingerprint, it must not need the weights.

        Unless a backend knows better, a conversation is its turns, each below its role.
        """
        if isinstance(request.prompt, str):
            return request.prompt
        return "\n\n".join(f"[{message.role}]\n{message.content}" for message in request.prompt)

    def temperature(self, request: Generate) -> float | None:
        """What the answer to a request is drawn at, 0 for greedy decoding; None where it cannot be known."""
        return request.temperature

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Told before each run what it is about; backends that answer from the prompt alone need not care.

        Args:
            samples: all samples of the run.
            owners: the sample each of the coming requests belongs to, in their order.
        """

    def expect_json(self, schema: Mapping[str, Any]) -> None:
        """Told before :meth:`generate` that every answer should be a JSON object of this schema.

        A backend that can hold a model to it does so; the others need not care: the prompt asks for it too, and
        whoever asked checks the answers.
        """

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """Log-likelihoods of the choices of each request."""
        raise NotImplementedError

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """A free answer to each request."""
        raise NotImplementedError

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """Summed log-likelihood of each text."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back memory, sockets and processes; called once, also after an error."""


@dataclass(frozen=True, slots=True)
class ModelArgs:
    """What follows the colon in ``BACKEND:TARGET,key=value,...``; factories read it and nothing else."""

    spec: str
    """The whole text as given."""
    target: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    kind: str = "model"
    """What is made from it, for messages: metrics are given the same way."""

    def take(self, known: Mapping[str, str]) -> dict[str, str]:
        """The options over their defaults.

        Args:
            known: option name -> default, all the backend understands.

        Raises:
            BadConfig: an option that is not among them, with did-you-mean.
        """
        for name in self.options:
            if name not in known:
                raise BadConfig(
                    f"{self.kind.capitalize()} '{self.spec}' has an unknown option '{name}'.",
                    did_you_mean(name, sorted(known)) if known else "It takes none.",
                )
        return {**known, **self.options}


_OPTION = re.compile(r"[A-Za-z_][\w-]*=")
_WHOLE = re.compile(r".*,([\w-]+=-?\d+)")
"""Its last option, where that is a whole number."""


def split_specs(texts: Sequence[str], option: str = "--model") -> list[str]:
    """The specs in comma-separated texts: ``hf:a,dtype=float32,majority`` holds two, since options belong left.

    Raises:
        BadConfig: a text that is empty, begins with an option or has a number with a decimal comma.
    """
    specs: list[str] = []
    for text in texts:
        pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
        if not pieces:
            raise BadConfig(f"{option} names nothing.", f"Write {option} NAME; 'benchctl list' shows what there is.")
        if _OPTION.match(pieces[0]):
            raise BadConfig(f"{option} '{text}' begins with an option.", "Write NAME:TARGET,option=value.")
        for piece in pieces:
            if _OPTION.match(piece):
                specs[-1] += f",{piece}"
            elif piece.isdigit() and piece != pieces[0] and (whole := _WHOLE.fullmatch(specs[-1])):
                raise BadConfig(
                    f"{option} '{text}': a comma begins another option or model, and '{piece}' is neither.",
                    f"Numbers have a decimal point here: {whole[1]}.{piece}",
                )
            else:
                specs.append(piece)
    return specs


def parse_spec(spec: str, kind: str = "model") -> tuple[str, ModelArgs]:
    """``BACKEND:TARGET,key=value`` as the backend's name and its arguments; a named model has no target.

    Raises:
        BadConfig: what follows a comma is no option.
    """
    head, *options = spec.split(",")
    stray = next((option for option in options if "=" not in option), None)
    if stray is not None:
        raise BadConfig(
            f"{kind.capitalize()} '{spec}': '{stray}' follows a comma and is no option.",
            "Write NAME:TARGET,option=value; a path with a comma needs a link or another name.",
        )
    backend, _, target = head.partition(":")
    pairs = dict(option.split("=", 1) for option in options)
    return backend, ModelArgs(spec, target, pairs, kind)


def told_fingerprint(model: Model) -> str:
    """The model's fingerprint.

    Raises:
        PluginError: the backend cannot tell it, or gives something that is no text: its runs could not be read again.
    """
    with blamed(f"Model {model.name} cannot tell its fingerprint", DEFECT):
        found: object = model.fingerprint()
    if not isinstance(found, str):
        raise PluginError(f"The fingerprint of the model {model.name!r} is no text but {found!r}.", DEFECT)
    return found


def check_response(index: int, response: object, requests: Sequence[Request], seen: set[int], model: Model) -> Response:
    """What a backend yielded, if it keeps the contract of :class:`Model`; numbers of numpy or torch as Python's own.

    Log-likelihoods that are no numbers, as weights that diverged or overflowed in half precision give them, are no
    answer: the first option would win every time. They become an error of that request.

    Raises:
        PluginError: an index that was not asked or came twice, something that is no :class:`Response`, or one that
            answers another kind of request.
    """
    problem = ""
    if not isinstance(response, Response):
        problem = f"yielded a {type(response).__name__} instead of a Response"
    elif not hasattr(index, "__index__"):
        problem = f"yielded {index!r} where the index of a request belongs"
    elif not 0 <= index < len(requests):
        problem = f"answered request {index} of {len(requests)}"
    elif index in seen:
        problem = f"answered request {index} twice"
    elif not isinstance(response.error, str | None):
        problem = f"yielded a {type(response.error).__name__} as its error, which is text"
    elif response.error is None:
        problem = _unfit(requests[index], response)
    if problem or not isinstance(response, Response):
        raise PluginError(f"The model {model.name!r} {problem}.", DEFECT)
    seen.add(index)
    with blamed(f"The model {model.name!r} answered request {index} with what is no number", DEFECT):
        response = _in_own_numbers(response)
    nats = [choice.nats for choice in response.choices] + ([] if response.nats is None else [response.nats])
    if any(math.isnan(value) for value in nats) or (nats and not any(math.isfinite(value) for value in nats)):
        said = f"its log-likelihoods are no numbers ({nats[0]}): weights that are damaged, or too large for its dtype"
        return replace(response, choices=(), nats=None, error=said)
    return response


def _unfit(request: Request, response: Response) -> str:
    """Why a response is none to this request; empty where it is."""
    if not isinstance(response.text, str | None):
        return f"yielded a {type(response.text).__name__} as its text"
    other = next((one for one in response.choices if not isinstance(one, ChoiceScore)), None)
    if other is not None:
        return f"scored a choice with a {type(other).__name__} instead of a ChoiceScore"
    if isinstance(request, Choose) and response.choices:
        given, asked = len(response.choices), len(request.choices)
        return "" if given == asked else f"scored {given} of the {asked} choices of a request"
    if isinstance(request, Perplexity):
        return "answered a text whose likelihood was asked without any nats" if response.nats is None else ""
    return "yielded a Response without an answer or an error" if response.text is None else ""


def _in_own_numbers(response: Response) -> Response:
    """Backends compute in numpy or torch, whose scalars no JSON holds."""
    choices = tuple(
        ChoiceScore(float(c.nats), int(c.tokens), int(c.bytes), None if c.greedy is None else bool(c.greedy))
        for c in response.choices
    )
    nats = None if response.nats is None else float(response.nats)
    return replace(
        response, choices=choices, nats=nats, tokens=int(response.tokens), bytes=int(response.bytes),
        cut=int(response.cut), seconds=float(response.seconds),
    )  # fmt: skip
