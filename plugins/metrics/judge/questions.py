"""What a judge is asked about a run: its answers, controls, or two runs side by side in both orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchctl.errors import RecordError
from benchctl.prompts import delimiter
from benchctl.records import RunFolder, StoredRun, entry_responses, entry_sample
from benchctl.thinking import said
from benchctl.types import Choose, Generate, Sample

from .asking import Question
from .prompt import choose_prompt, json_prompt, points_text, words
from .rubric import Rubric

ANSWER, REFERENCE, MISMATCH = "answer", "reference", "mismatch"
"""Whose text is judged: the contestant's; the reference itself, which should score near the top; the reference of
another question, which should score near the bottom."""
ORDERS = ("ab", "ba")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a judge is asked."""

    chat: bool
    weighted: bool
    draws: int = 1
    temperature: float = 0.0
    max_tokens: int = 512


@dataclass(frozen=True, slots=True)
class Answered:
    """A sample and what a contestant wrote."""

    sample: Sample
    text: str


def read_answers(stored: StoredRun, limit: int | None = None) -> list[Answered]:
    """The written answers of a run, in the task's order and without the thinking before them.

    Raises:
        RecordError: it has none.
    """
    folder = RunFolder(stored.path)
    lines = {str(line["id"]): line for line in folder.answers()}
    order = [score.id for score in folder.settled_scores() if score.id in lines]
    found = []
    for identity in order:
        sample, responses = entry_sample(lines[identity]), entry_responses(lines[identity])
        if responses[0].text is not None:
            found.append(Answered(sample, said(responses[0].text)))
    if not found:
        raise RecordError(f"Run {stored.record.id} has no written answers.", "Judge a run of a task with free answers.")
    return found[:limit]


def about_answers(
    rubric: Rubric, answers: Sequence[Answered], manner: Manner, controls: Iterable[str]
) -> list[Question]:
    """Questions about each answer, and about the controls asked for.

    Raises:
        RecordError: the rubric, or a control, needs references and some are missing.
    """
    controls = list(controls)
    if (rubric.reference == "required" or controls) and not all(a.sample.target for a in answers):
        raise RecordError("Some questions have no reference answer.", "Leave out --control, or take another rubric.")
    each = list(_once(answers))
    texts = {REFERENCE: [reference(a.sample) for a in each]}
    texts[MISMATCH] = mismatched(texts[REFERENCE])
    judged = [(ANSWER, one.sample, one.text) for one in answers]
    judged += [(name, one.sample, text) for name in controls for one, text in zip(each, texts[name], strict=True)]
    return [
        question
        for subject, sample, text in judged
        for question in _ask(rubric, subject, sample, {"answer": text}, manner)
    ]


def about_pairs(
    rubric: Rubric, first: Sequence[Answered], second: Sequence[Answered], manner: Manner
) -> list[Question]:
    """Questions about two runs' answers to the same samples, each in both orders.

    Raises:
        RecordError: they share no sample.
    """
    others = {(a.sample.id, a.sample.question): a.text for a in second}
    pairs = [(a, others[key]) for a in first if (key := (a.sample.id, a.sample.question)) in others]
    if not pairs:
        raise RecordError("The two runs share no answered question.", "Compare runs of one task on the same data.")
    found: list[Question] = []
    for order in ORDERS:
        for a, b in pairs:
            one, two = (a.text, b) if order == "ab" else (b, a.text)
            found += _ask(rubric, order, a.sample, {"answer_1": one, "answer_2": two}, manner)
    return found


def reference(sample: Sample) -> str:
    """The reference answer: the target, or the right option's text."""
    return sample.choices.get(sample.target, sample.target)


def mismatched(references: Sequence[str]) -> list[str]:
    """For each question the reference of the next one that has another; its own where all are alike."""
    found = []
    for place, own in enumerate(references):
        following = [*references[place + 1 :], *references[:place]]
        found.append(next((other for other in following if other != own), own))
    return found


def _once(answers: Sequence[Answered]) -> Iterable[Answered]:
    """The first answer to each question: of several (``--repeats``) all have one reference."""
    found: dict[str, Answered] = {}
    for one in answers:
        found.setdefault(one.sample.repeat_of or one.sample.id, one)
    return found.values()


def _ask(rubric: Rubric, subject: str, sample: Sample, texts: dict[str, str], manner: Manner) -> Iterator[Question]:
    options = "".join(f"\n{label}) {text}" for label, text in sample.choices.items())
    parts = {"context": sample.context, "question": sample.question + options}
    if rubric.reference != "hidden":
        parts["reference"] = reference(sample)
    # An answer that is empty is still judged: the material says so by its empty marks.
    parts |= {name: text.strip() or words(rubric)["empty"] for name, text in texts.items()}
    if manner.weighted:
        for criterion in rubric.criteria:
            prompt = choose_prompt(rubric, criterion, parts, chat=manner.chat)
            choices = tuple(delimiter(prompt) + points_text(points) for points in criterion.scale)
            yield Question(subject, 0, sample, Choose(prompt, choices), criterion)
        return
    prompt = json_prompt(rubric, parts, chat=manner.chat)
    for draw in range(manner.draws):
        request = Generate(prompt, max_tokens=manner.max_tokens, temperature=manner.temperature, draw=draw)
        yield Question(subject, draw, sample, request)
