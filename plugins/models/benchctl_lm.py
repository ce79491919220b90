"""benchctl's models for those who script lm-eval: ``simple_evaluate(model=BenchctlLM("hf:PATH"), tasks=[...])``."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from benchctl.creation import create_model
from benchctl.errors import ModelCallError
from benchctl.fingerprints import digest
from benchctl.plugins import get_plugins
from benchctl.thinking import said
from benchctl.types import Choose, Generate, Perplexity, Response

try:
    from lm_eval.api.model import LM
    from lm_eval.api.registry import register_model
except ImportError as missing:
    from benchctl.errors import MissingExtra

    raise MissingExtra("lm-eval", "lm-eval", "BenchctlLM") from missing

from .. import harness
from .thinking import UNKNOWN


class BenchctlLM(LM):  # type: ignore[misc]  # lm-eval has no types
    """Any model of benchctl as an ``LM`` of lm-eval; importing this module also registers it there as ``benchctl``.

    Args:
        spec: as ``--model`` takes it, such as ``hf:PATH`` or a name from benchctl.toml.
        device: passed on to the model where given.
        batch_size, max_batch_size: lm-eval passes them to every model; benchctl finds its own.
        options: more of the spec's options: ``dtype="float32"``.
    """

    def __init__(
        self,
        spec: str,
        batch_size: object = None,
        max_batch_size: object = None,
        device: str | None = None,
        **options: object,
    ) -> None:
        super().__init__()
        given = options if device is None else {**options, "device": device}
        self.model = create_model(get_plugins(), spec + "".join(f",{name}={value}" for name, value in given.items()))

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """Nats of each continuation, and whether greedy decoding would write it; one prompt is computed once."""
        places: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            places.setdefault(request.args[0], []).append(place)
        asked = [Choose(prompt, tuple(requests[p].args[1] for p in group)) for prompt, group in places.items()]
        found: list[tuple[float, bool]] = [(0.0, False)] * len(requests)
        for group, response in zip(places.values(), _collect(self.model.choose(asked), len(asked)), strict=True):
            for place, score in zip(group, response.choices, strict=True):
                if score.greedy is None:
                    _say_once(self.model.name)
                found[place] = (score.nats, bool(score.greedy))
                self.cache_hook.add_partial("loglikelihood", requests[place].args, found[place])
        return found

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:
        """Nats of each whole text, encoded and windowed as lm-eval's own models do."""
        asked = [Perplexity(request.args[0], rolling=True) for request in requests]
        found = [float(r.nats or 0.0) for r in _collect(self.model.perplexity(asked), len(asked))]
        for request, nats in zip(requests, found, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, nats)
        return found

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        """The answers, each up to its stop string and without the thinking before it.

        Raises:
            BadConfig: generation arguments that benchctl does not have.
        """
        met: Counter[str] = Counter()
        asked: list[Generate] = []
        for request in requests:
            one = harness.generation(*request.args[:2])
            key = digest(one)
            asked.append(replace(one, draw=met[key]))  # a task's repeats differ in nothing else
            met[key] += 1
        found = [said(r.text or "") for r in _collect(self.model.generate(asked), len(asked))]
        for request, text in zip(requests, found, strict=True):
            self.cache_hook.add_partial("generate_until", request.args, text)
        return found

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """The turns through the model's own template, told of thinking what the model's option says.

        lm-eval does not say whether choices follow or a free answer, so only ``thinking=off`` closes the thought.
        """
        thinking = getattr(getattr(self.model, "encoder", None), "thinking", UNKNOWN)
        filled = self._tokenizer.apply_chat_template(
            chat_history, tokenize=False, add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt, **thinking.told(free=True),
        )  # fmt: skip
        return str(thinking.settled(str(filled), free=True))

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template's text, for lm-eval's record."""
        return str(self._tokenizer.chat_template) if chat_template else None

    @property
    def tokenizer_name(self) -> str:
        """The model's name, for lm-eval's cache of requests."""
        return self.model.name

    @property
    def _tokenizer(self) -> Any:
        tokenizer = getattr(self.model, "tokenizer", None)
        if getattr(tokenizer, "chat_template", None) is None:
            raise ModelCallError(f"{self.model.name} has no chat template.", "Leave out apply_chat_template.")
        return tokenizer


def _collect(answers: Iterable[tuple[int, Response]], count: int) -> Sequence[Response]:
    """The responses in order; lm-eval knows no failed question, so one ends the evaluation."""
    found = [Response(error="the model gave no answer")] * count
    for index, response in answers:
        found[index] = response
    failed = next((r.error for r in found if r.error), None)
    if failed:
        raise ModelCallError(f"A question has no answer: {failed}.", "lm-eval cannot go on without it.")
    return found


@cache
def _say_once(name: str) -> None:
    """One note per model and process."""
    logging.getLogger(__name__).warning("%s does not say what greedy decoding writes: no exact match counts.", name)


register_model("benchctl")(BenchctlLM)
