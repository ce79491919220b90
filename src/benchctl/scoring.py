"""The rules that turn a multiple-choice sample into requests and the responses into an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from benchctl.errors import BadConfig, did_you_mean
from benchctl.prompts import PromptBuilder, choose_shots, delimiter
from benchctl.subsets import select
from benchctl.task import Task
from benchctl.types import Answer, Choose, Generate, Kind, Perplexity, Request, Response, RunSpec, Sample


class Scoring:
    """Base: which kind of request, which requests a sample becomes, how their responses are read."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    version: ClassVar[int] = 1
    """Raised when a change to the rule changes scores; part of the run's identity."""
    repeatable: ClassVar[bool] = False
    """Whether a question may be asked several times (``--repeats``): its answers are read one by one."""

    def __init__(self, max_tokens: int = 256) -> None:
        self.max_tokens = max_tokens

    @property
    def more_room(self) -> str:
        """What gives longer answers room, as the note on those that were cut off says it."""
        return f"--max-tokens above {self.max_tokens} gives them room"

    def ask(self, spec: RunSpec, task: Task, samples: Sequence[Sample], chat: bool) -> dict[str, tuple[Request, ...]]:
        """What a run asks the model about each sample, by id, for the samples :func:`select` gives.

        A scoring of tasks that bring their own prompts overrides this; the others :meth:`requests`.

        Args:
            samples: all of the task's samples: none of them may be an example.
            chat: whether the model wants conversations.
        """
        pool = task.shots(spec.shots_data) if spec.shots else ()
        shots = choose_shots(pool, samples, spec.shots, spec.seed, task.name)
        prompts = PromptBuilder(task, self.name, spec.prompt_template, shots, chat)
        return {sample.id: tuple(self.requests(sample, prompts)) for sample in select(samples, spec)}

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """What the model is asked about the sample, all of :attr:`kind`."""
        raise NotImplementedError

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The answer, from responses in the order of the requests."""
        raise NotImplementedError


class Letter(Scoring):
    """The label with the highest log-likelihood after the prompt wins."""

    name, kind = "letter", "choose"

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """One request with the labels as choices."""
        prompt = prompts.prompt(sample)
        return [Choose(prompt, tuple(delimiter(prompt) + label for label in sample.choices))]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The likeliest label; where the backend could only let the model write, the one its text commits to."""
        if not responses[0].choices:
            return _read_text(sample, responses[0])
        nats = {label: c.nats for label, c in zip(sample.choices, responses[0].choices, strict=True)}
        return Answer(_highest(nats), "choice", _ranking(nats))


class Option(Scoring):
    """The option text with the highest log-likelihood wins; per token and per byte are read from the same pass."""

    name, kind = "option", "choose"

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """One request with the options' texts as choices."""
        prompt = prompts.prompt(sample)
        return [Choose(prompt, tuple(delimiter(prompt) + text.strip() for text in sample.choices.values()))]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The likeliest option, and the likeliest per token and per byte as variants."""
        scores = dict(zip(sample.choices, responses[0].choices, strict=True))
        nats = {label: s.nats for label, s in scores.items()}
        variants = {"per_byte": _highest({label: s.nats / max(s.bytes, 1) for label, s in scores.items()})}
        if all(s.tokens for s in scores.values()):  # some backends do not tell
            variants["per_token"] = _highest({label: s.nats / s.tokens for label, s in scores.items()})
        return Answer(_highest(nats), "choice", _ranking(nats), variants)


class LowestPerplexity(Scoring):
    """The source study's rule: perplexity of the whole text, prompt and option, no label; the lowest wins."""

    name, kind = "perplexity", "perplexity"

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """One text per option, spaces as in the data; the first token only conditions: both as in the study."""
        prompt = prompts.text(sample)
        space = delimiter(prompt)
        return [Perplexity(prompt + space + text, score_first=False) for text in sample.choices.values()]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The option whose text is the least surprising."""
        # Perplexity is e to the power of minus this, which may be more than a number holds.
        per_token = {
            label: (r.nats or 0.0) / max(r.tokens, 1) for label, r in zip(sample.choices, responses, strict=True)
        }
        return Answer(_highest(per_token), "choice", _ranking(per_token))


class FreeChoice(Scoring):
    """The model writes freely and the answer is read from its text; what cannot be read is an outcome, not a guess."""

    name, kind, repeatable = "generate", "generate", True

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """One free answer."""
        return [Generate(prompts.prompt(sample), max_tokens=self.max_tokens)]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The option the text commits to, by the rules of docs/extraction.md."""
        return _read_text(sample, responses[0])


class FreeText(Scoring):
    """The model writes freely and metrics compare its text with the reference."""

    name, kind, repeatable = "text", "generate", True

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """One free answer."""
        return [Generate(prompts.prompt(sample), max_tokens=self.max_tokens)]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The whole text."""
        return Answer(responses[0].text or "", "text")


class WholeText(Scoring):
    """How likely the sample's text is, each token scored once."""

    name, kind = "corpus", "perplexity"

    def ask(self, spec: RunSpec, task: Task, samples: Sequence[Sample], chat: bool) -> dict[str, tuple[Request, ...]]:
        """The texts as they stand.

        Raises:
            BadConfig: examples or a wording are asked for, which would go nowhere.
        """
        if spec.shots or spec.prompt_template:
            what = "--shots" if spec.shots else "--prompt-template"
            raise BadConfig(
                f"{task.name} is a corpus: its texts are scored as they stand, without a prompt.", f"Leave out {what}."
            )
        return super().ask(spec, task, samples, chat)

    def requests(self, sample: Sample, prompts: PromptBuilder) -> Sequence[Request]:
        """The text itself, without a prompt."""
        return [Perplexity(sample.question)]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """Nothing to take: metrics read the nats."""
        return Answer(None, "text")


SCORINGS: Mapping[str, Mapping[str, type[Scoring]]] = {
    "multiple_choice": {s.name: s for s in (Letter, Option, FreeChoice, LowestPerplexity)},
    "text": {FreeText.name: FreeText},
    "corpus": {WholeText.name: WholeText},
}
"""Task kind -> scoring name -> class."""


def get_scoring(task: Task, name: str | None, max_tokens: int) -> Scoring:
    """The scoring a task is run with; None takes the task's own.

    Raises:
        BadConfig: the task cannot be scored that way.
    """
    offered = task.scorings or SCORINGS[task.kind]
    name = name or (task.scoring if task.scoring in offered else next(iter(offered)))
    if name not in offered:
        raise BadConfig(f"{task.name} cannot be scored by '{name}'.", did_you_mean(name, offered))
    return offered[name](max_tokens)


def _read_text(sample: Sample, response: Response) -> Answer:
    from benchctl.answers import read_answer

    reading = read_answer(response.text or "", sample.choices, sample.question)
    return Answer(reading.label, reading.outcome, f"{reading.rule}: {reading.evidence}")


def _highest(values: Mapping[str, float]) -> str:
    """The label with the highest value; the first of equals, as lm-eval's argmax does."""
    return max(values, key=values.__getitem__)


def _ranking(values: Mapping[str, float]) -> str:
    """The labels, the best first. Not the figures: their last digits depend on what shared a batch, and stand with the
    responses anyway."""
    return " > ".join(sorted(values, key=lambda label: -values[label]))
