"""How a sample is put to a model: a Jinja template for the question, examples in front, a conversation where wanted."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchctl.errors import BadConfig, BadData, BenchctlError
from benchctl.task import Task
from benchctl.types import Message, Prompt, Sample

if TYPE_CHECKING:
    from jinja2 import Template

QUESTION = """\
{% if context %}{{ context }}

{% endif %}{{ question }}
{% if listed %}{% for label, text in choices.items() %}{{ label }}) {{ text }}
{% endfor %}{% endif %}{{ cue }}"""
"""The question as every built-in task asks it; ``--prompt-template FILE`` replaces it."""

CUE = {"pt": "Resposta:", "en": "Answer:"}

INSTRUCTIONS: Mapping[str, Mapping[str, str]] = {
    "pt": {
        "letter": "Responda a cada pergunta com a letra da alternativa correta.",
        "option": "Responda corretamente a cada pergunta.",
        "perplexity": "Responda a cada pergunta com o texto da alternativa correta.",
        "generate": "Responda à pergunta de múltipla escolha. Termine com uma linha no formato «Alternativa X», "
        "em que X é a letra da alternativa correta.",
    },
    "en": {
        "letter": "Answer each question with the letter of the right option.",
        "option": "Answer each question correctly.",
        "perplexity": "Answer each question with the text of the right option.",
        "generate": "Answer the multiple-choice question. End with a line of the form 'Option X', "
        "where X is the letter of the right option.",
    },
}
OPTION_WORD = {"pt": "Alternativa", "en": "Option"}

VARIABLES = ("question", "context", "choices", "listed", "cue", "scoring", "row", "id")
"""What a template may use; ``row`` has the raw columns of the data."""


@dataclass(frozen=True)
class PromptBuilder:
    """Builds the prompt of every sample of one run: same template, same examples, same order."""

    task: Task
    scoring: str
    template: str | None = None
    """Source of the user's template; None for the task's own."""
    shots: tuple[Sample, ...] = ()
    chat: bool = False
    _questions: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _compiled(self) -> Template:
        from jinja2 import StrictUndefined, TemplateSyntaxError
        from jinja2.sandbox import SandboxedEnvironment

        if self.template is not None and not self.template.strip():
            raise BadConfig("The prompt template is empty.", "docs/how-to/prompts.md shows one.")
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        try:
            return environment.from_string(self.template if self.template is not None else QUESTION)
        except TemplateSyntaxError as error:
            raise BadConfig(
                f"Prompt template, line {error.lineno}: {(error.message or 'not understood').rstrip('.')}.",
                "It must be a Jinja template; docs/how-to/prompts.md shows one.",
            ) from error

    @property
    def instruction(self) -> str:
        """The sentence in front of everything; a user's template brings its own, so none is added to it."""
        if self.template is not None:
            return ""
        general = INSTRUCTIONS.get(self.task.language, INSTRUCTIONS["en"])
        return self.task.instructions.get(self.scoring, general.get(self.scoring, ""))

    def question(self, sample: Sample) -> str:
        """The sample through the template.

        Raises:
            BadConfig: the template uses a variable that does not exist, or cannot be filled in.
        """
        named = any(label != text for label, text in sample.choices.items())
        values: dict[str, Any] = {
            "question": sample.question,
            "context": sample.context,
            "choices": {label: text.strip() for label, text in sample.choices.items()},
            "listed": named and self.scoring != "option",
            "cue": CUE.get(self.task.language, CUE["en"]),
            "scoring": self.scoring,
            "row": sample.metadata.get("row", {}),
            "id": sample.id,
        }
        try:
            return self._compiled.render(values)
        except BenchctlError:
            raise
        except Exception as error:  # what the user wrote ran, and may fail as any code may: {{ row.age + 1 }}
            said = str(error).rstrip(".")
            raise BadConfig(
                f"Prompt template, sample {sample.id}: {said}.", f"It may use {', '.join(VARIABLES)}."
            ) from error

    def answer(self, sample: Sample) -> str:
        """The right answer as an example shows it."""
        if self.scoring in ("option", "perplexity"):
            return sample.choices.get(sample.target, sample.target).strip()
        if self.scoring == "generate" and any(label != text for label, text in sample.choices.items()):
            return f"{OPTION_WORD.get(self.task.language, OPTION_WORD['en'])} {sample.target}"
        return sample.target

    def prompt(self, sample: Sample) -> Prompt:
        """What the model sees before the answer: a conversation when ``chat``, plain text otherwise."""
        return self._conversation(sample) if self.chat else self.text(sample)

    def text(self, sample: Sample) -> str:
        """Instruction, examples and question as one text, a blank line between them."""
        return self.header + self.question(sample)

    @cached_property
    def header(self) -> str:
        """What all prompts of the run share, word for word."""
        parts = [self.instruction] if self.instruction else []
        for shot in self.shots:
            question = self.question(shot)
            parts.append(question + delimiter(question) + self.answer(shot))
        return "".join(part + "\n\n" for part in parts)

    def _conversation(self, sample: Sample) -> tuple[Message, ...]:
        messages = [Message("system", self.instruction)] if self.instruction else []
        for shot in self.shots:
            messages += [Message("user", self.question(shot)), Message("assistant", self.answer(shot))]
        return (*messages, Message("user", self.question(sample)))


def delimiter(prompt: Prompt) -> str:
    """What stands between a prompt and an answer: a space after text, nothing after white space or a chat template."""
    return " " if isinstance(prompt, str) and prompt and not prompt[-1].isspace() else ""


def choose_shots(
    pool: Sequence[Sample], samples: Sequence[Sample], count: int, seed: int, task: str
) -> tuple[Sample, ...]:
    """``count`` examples drawn with a seed, none of which asks what a test sample asks.

    Raises:
        BadData: the pool has fewer examples than wanted once those are left out.
    """
    if not count:
        return ()
    fit = untested(pool, samples)
    if len(fit) < count:
        raise BadData(
            f"{task}: {count} examples wanted, {len(fit)} at hand that are no test question.",
            "Lower --shots, or give more examples with --shots-data FILE.",
        )
    return tuple(random.Random(f"{seed}:{task}").sample(fit, count))


def untested(pool: Sequence[Sample], samples: Sequence[Sample]) -> list[Sample]:
    """Those of the pool that ask what no test sample asks."""
    tested = {_gist(sample) for sample in samples}
    return [example for example in pool if _gist(example) not in tested]


def _gist(sample: Sample) -> str:
    """Case, spaces and punctuation apart, what is asked: near copies must not slip into the examples."""
    return re.sub(r"\W+", " ", f"{sample.context} {sample.question}".casefold()).strip()
