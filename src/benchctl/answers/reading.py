"""What reading a free answer gives: an outcome, the span it rests on and the rule that found it."""

from __future__ import annotations

from dataclasses import dataclass

CHOICE = "choice"
INVENTED = "invented"
MULTIPLE = "multiple"
REFUSAL = "refusal"
NONE = "none"

OUTCOMES: dict[str, str] = {
    CHOICE: "commits to one of the options",
    INVENTED: "commits to an alternative that is not there",
    MULTIPLE: "commits to two or more options",
    REFUSAL: "declines to answer",
    NONE: "commits to nothing that can be read",
}
"""Outcome -> what it means. Anything but ``choice`` counts as wrong, and is shown beside the accuracy."""

RULES: dict[str, str] = {
    "empty": "Nothing is left once markup, thinking and echoes are set aside.",
    "structured": "A JSON answer key, an answer tag or a LaTeX box holds the answer, whatever the prose says.",
    "probabilities": "Every option gets a percentage or a probability and the text takes the highest.",
    "correction": "The text corrects itself ('ou melhor, C', 'aliás, não'): the correction counts.",
    "head": "A head word announces it ('resposta:', 'a alternativa correta é', 'the answer is').",
    "choosing": "A choosing verb announces it ('marco', 'fico com', 'I would go with', 'me quedo con').",
    "whole": "The whole reply is the answer: a letter, an ordinal, a number or an option's text.",
    "lead": "The reply opens with the answer and goes on to explain it.",
    "last-line": "The reply closes with a line that is nothing but the answer, or with 'sim, ...', 'não, ...' and a "
    "word about it.",
    "verdict": "An option is called right ('a B está correta', 'C) Correta', a tick beside it).",
    "refusal": "The reply declines, and commits to nothing.",
    "predicate": "A yes/no question is answered by repeating what it asks, affirmed, denied or left open.",
    "statements": "Numbered statements (I, II, III) are judged, and one option names exactly the true ones.",
    "both": "Two options are joined ('A ou B', 'A e C') and neither is preferred.",
    "conclusion": "A concluding sentence names the option ('portanto', 'trata-se de', 'resta', 'therefore').",
    "letter": "One option's letter, marked as such ('(B)', 'alternativa B'), where nothing rejects it.",
    "elimination": "Every other option is rejected.",
    "restated": "The question's own words are completed with an option's text.",
    "sole-text": "One option's text, and no other, is affirmed.",
    "weighed": "Clause by clause, one option alone is spoken for, if only by a word of its own.",
    "invented-text": "The reply completes the question, or answers in a few words, with a text that no option has.",
    "unread": "Text is left, but it commits to nothing that these rules can read.",
}
"""Rule -> one line that explains it, in the order in which the rules are asked."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one reply.

    ``label`` is the option's label, spelt as in the choices, when ``outcome`` is ``choice``; else None.
    ``rule`` is a key of :data:`RULES`. ``evidence`` is ``text[start:end]`` of the raw reply, the words the reading
    rests on; it is empty, and the positions are 0, where nothing in the text speaks for it.
    """

    outcome: str
    label: str | None
    rule: str
    evidence: str = ""
    start: int = 0
    end: int = 0
