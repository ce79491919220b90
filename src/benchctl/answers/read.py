"""From a free answer to a reading: the door of the package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from benchctl.answers.claims import sentence_claims
from benchctl.answers.copies import outside_copies
from benchctl.answers.folding import Folded, fold, lower
from benchctl.answers.language import is_foreign, is_portuguese, without_contraction
from benchctl.answers.matching import find_matches
from benchctl.answers.openings import opening_claims
from benchctl.answers.options import prepare_options
from benchctl.answers.question import prepare_question
from benchctl.answers.reading import NONE, Reading
from benchctl.answers.repair import mend_heads
from benchctl.answers.roman import as_labelled, letters_for, with_letters
from benchctl.answers.scope import answer_part, without_echo
from benchctl.answers.sentences import split_sentences
from benchctl.answers.steps import Reply, first_reading
from benchctl.answers.structured import structured_reading
from benchctl.answers.values import Case
from benchctl.answers.words import tokens

_SAMPLE = 2000  # characters that are enough to tell the language


def read_answer(text: str, choices: Mapping[str, str], question: str = "") -> Reading:
    """Read which of ``choices`` (label -> option text) the free answer ``text`` commits to.

    ``question`` is what was asked, context included; it helps to set the echoed prompt and other questions aside.
    Deterministic, never raises, never guesses: what the rules cannot read has the outcome ``none``.

    Source of the outcomes: the labels by hand in the study on Cosmos QA in Portuguese (facts/source_studies.md, S2).
    """
    text = text.rstrip()  # whatever ends a reply besides words is no part of it
    folded, letters = fold(text), letters_for(tuple(choices))
    if letters:
        known = fold(" ".join((question, *choices.values()))).text
        named = dict(zip(letters, choices.values(), strict=True))
        return as_labelled(_read(with_letters(folded, letters, known), named, question), text, letters)
    return _read(folded, choices, question)


def _read(folded: Folded, choices: Mapping[str, str], question: str) -> Reading:
    text = folded.raw
    if is_portuguese(question or f"{text[:_SAMPLE]} {' '.join(choices.values())}"):
        choices = {label: without_contraction(option) for label, option in choices.items()}
        question = without_contraction(question)
        if not is_foreign(text[:_SAMPLE]):
            folded = replace(folded, marked=without_contraction(folded.marked), text=without_contraction(folded.text))
    options, asked = prepare_options(choices), prepare_question(question)
    part = answer_part(mend_heads(folded), options, asked)
    structured = structured_reading(Case(part, part.text, lower(part.text), options, asked, (), ()))
    if structured:
        return structured
    scoped = without_echo(part.text, options, asked)
    if not re.search(r"[^\W_]", scoped):
        return Reading(NONE, None, "empty")
    low, words, sentences = lower(scoped), tokens(scoped), split_sentences(scoped)
    matches = find_matches(options, words, [end for _, end in sentences], low, part)
    case = Case(part, scoped, low, options, asked, words, matches)
    claims = outside_copies(case, [*opening_claims(case, sentences), *sentence_claims(case, sentences)])
    return first_reading(Reply(case, sentences, sorted(claims, key=lambda c: (c.start, c.end))))
