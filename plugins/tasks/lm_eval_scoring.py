"""lm-eval's documents as samples, and its instances as requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from benchctl.errors import BadConfig, blamed
from benchctl.scoring import Scoring
from benchctl.subsets import select
from benchctl.task import Task
from benchctl.thinking import said
from benchctl.types import (
    Answer,
    Choose,
    Kind,
    Message,
    Perplexity,
    Prompt,
    Request,
    Response,
    RunSpec,
    Sample,
)

from .. import harness

if TYPE_CHECKING:
    from .lm_eval_bridge import LmEvalTask
WRITTEN = "Mend the task's YAML file or code."
"""What to do where it fails: lm-eval runs what its author wrote."""


def sample(task: Any, number: int, doc: Any) -> Sample:
    """A document as lm-eval's task shows it; whatever it does not show stays in the document."""
    text, target = task.doc_to_text(doc), task.doc_to_target(doc)
    if task.OUTPUT_TYPE == "loglikelihood_rolling":
        return Sample(str(number), str(target))
    if task.OUTPUT_TYPE != "multiple_choice":
        return Sample(str(number), str(text), target=str(target))
    choices = task.doc_to_choice(doc)
    # With several inputs (Winogrande) lm-eval swaps the two: the text is the right place, the target what follows.
    question, gold = (target, text) if isinstance(text, int) else (text, target)
    first = gold[0] if isinstance(gold, list) and gold else gold
    place = choices.index(first) if first in choices else int(first) if isinstance(first, bool) else first
    return Sample(str(number), str(question), {str(i): str(c) for i, c in enumerate(choices)}, str(place))


class LmEvalScoring(Scoring):
    """Base: the prompts, examples and stop strings are lm-eval's; subclasses say which kind of request they make."""

    name: ClassVar[str] = "lm-eval"

    def __init__(self, task: LmEvalTask, max_tokens: int) -> None:
        super().__init__(max_tokens)
        self.task = task

    def ask(self, spec: RunSpec, task: Task, samples: Sequence[Sample], chat: bool) -> dict[str, tuple[Request, ...]]:
        """The task's own instances as requests, those of one prompt together.

        Raises:
            BadConfig: an option that lm-eval's task leaves no room for.
        """
        _refuse(spec, self.task, chat)
        self.task.harness.set_fewshot_seed(harness.SEED + spec.seed)  # examples are drawn anew for each document
        found = {}
        for number, doc in select(list(enumerate(self.task.docs)), spec):
            with blamed(f"The prompt of document {number} of '{self.task.title}' failed", WRITTEN):
                instances = _instances(self.task, number, doc, spec.shots)
            found[str(number)] = tuple(self.convert([i.args for i in instances], instances[0].repeats))
        return found

    def convert(self, asked: Sequence[tuple[Any, ...]], repeats: int) -> Iterator[Request]:
        """The requests that stand for a document's instances, given by their arguments."""
        raise NotImplementedError

    def replies(self, responses: Sequence[Response], repeats: int) -> list[list[Any]]:
        """What lm-eval would have had from its model: for each instance a reply per repeat."""
        raise NotImplementedError

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """Nothing to take: lm-eval's metrics read the responses."""
        return Answer(None, "text")


class LmEvalChoose(LmEvalScoring):
    """Tasks on log-likelihoods of continuations."""

    kind: ClassVar[Kind] = "choose"

    def convert(self, asked: Sequence[tuple[Any, ...]], repeats: int) -> Iterator[Request]:
        """Neighbouring instances of one prompt as one request."""
        prompt: Prompt = asked[0][0]
        choices: list[str] = []
        for context, continuation in asked:
            if context != prompt:
                yield Choose(prompt, tuple(choices))
                prompt, choices = context, []
            choices.append(continuation)
        yield Choose(prompt, tuple(choices))

    def replies(self, responses: Sequence[Response], repeats: int) -> list[list[Any]]:
        """Pairs of nats and whether greedy decoding agrees."""
        return [[(c.nats, bool(c.greedy))] * repeats for c in chain.from_iterable(r.choices for r in responses)]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The likeliest choice, where there are several.

        Raises:
            BadConfig: the model could only write what it takes, as some chat services do.
        """
        if not all(r.choices for r in responses):
            raise BadConfig(
                f"'{self.task.title}' needs log-likelihoods, and the model gave none.", "Use a model that gives them."
            )
        if not sample.choices:
            return super().read(sample, responses)
        scores = [c.nats for r in responses for c in r.choices][: len(sample.choices)]
        figures = dict(zip(sample.choices, scores, strict=True))
        best = max(figures, key=figures.__getitem__)
        return Answer(best, "choice", ", ".join(f"{label} {nats:.4f}" for label, nats in figures.items()))


class LmEvalGenerate(LmEvalScoring):
    """Tasks on generated text."""

    kind: ClassVar[Kind] = "generate"

    @property
    def more_room(self) -> str:
        """The task's own length, which no option of benchctl changes."""
        return "it is the task's own (max_gen_toks in its YAML)"

    def convert(self, asked: Sequence[tuple[Any, ...]], repeats: int) -> Iterator[Request]:
        """One request per instance and repeat, with the task's own stop strings and length."""
        for context, arguments in asked:
            request = harness.generation(context, arguments)
            yield from (replace(request, draw=draw) for draw in range(repeats))

    def replies(self, responses: Sequence[Response], repeats: int) -> list[list[Any]]:
        """What the texts say, without the thinking before it: lm-eval cuts it off where its end is named."""
        texts = [said(r.text or "") for r in responses]
        return [texts[i : i + repeats] for i in range(0, len(texts), repeats)]

    def read(self, sample: Sample, responses: Sequence[Response]) -> Answer:
        """The text."""
        return Answer(said(responses[0].text or ""), "text")


class LmEvalRolling(LmEvalScoring):
    """Tasks on the perplexity of whole texts."""

    kind: ClassVar[Kind] = "perplexity"

    def convert(self, asked: Sequence[tuple[Any, ...]], repeats: int) -> Iterator[Request]:
        """One text per instance, encoded and windowed as lm-eval does."""
        return (Perplexity(text, rolling=True) for (text,) in asked)

    def replies(self, responses: Sequence[Response], repeats: int) -> list[list[Any]]:
        """The sums of log-likelihoods."""
        return [[r.nats] * repeats for r in responses]


SCORINGS: Mapping[str, type[LmEvalScoring]] = {
    "multiple_choice": LmEvalChoose,
    "loglikelihood": LmEvalChoose,
    "generate_until": LmEvalGenerate,
    "loglikelihood_rolling": LmEvalRolling,
}
"""lm-eval's output type -> how it is asked."""


def _refuse(spec: RunSpec, task: LmEvalTask, chat: bool) -> None:
    if spec.prompt_template is not None:
        raise BadConfig(f"'{task.name}' brings its own prompts.", "Leave out --prompt-template.")
    if spec.shots and not task.takes_shots:
        raise BadConfig(f"'{task.name}' is made for 0 examples, its YAML file says.", "Leave out --shots.")
    if task.chat and not chat:
        raise BadConfig(f"'{task.name}' asks for a chat template, which the model does not have.", "Leave out chat=on.")


def _instances(task: LmEvalTask, number: int, doc: Any, shots: int) -> list[Any]:
    """A document's instances, as lm-eval's ``build_all_requests`` makes them."""
    template = _messages if task.chat else None
    context = task.harness.fewshot_context(
        doc,
        num_fewshot=shots,
        system_instruction=None,
        apply_chat_template=task.chat,
        fewshot_as_multiturn=task.chat,
        chat_template=template,
        gen_prefix=task.harness.doc_to_prefix(doc),
    )
    made = task.harness.construct_requests(
        doc=doc,
        ctx=context,
        metadata=(task.title, number, task.harness.config.repeats),
        apply_chat_template=task.chat,
        chat_template=template,
    )
    instances: list[Any] = made if isinstance(made, list) else [made]
    return instances


def _messages(turns: Sequence[Mapping[str, Any]], add_generation_prompt: bool = True) -> Prompt:
    """Stands in for a chat template: keeps the turns, so that the model can use its own."""
    if not add_generation_prompt:
        raise BadConfig("A task whose answers begin with a gen_prefix cannot be put as a chat.", "Leave out chat=on.")
    return tuple(Message(turn["role"], turn["content"]) for turn in turns)
