"""What a person can say about an answer, and the key that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OUTCOME_KEYS = {"i": "invented", "m": "multiple", "r": "refusal", "n": "none"}
"""Key -> outcome, for answers that name no option."""

COMMAND_KEYS = {"u": "undo", "s": "skip", "t": "note", "?": "help", "q": "quit"}
"""Key -> what the screen does."""


@dataclass(frozen=True, slots=True)
class Label:
    """One reading of an answer, a person's or the rules'."""

    outcome: str
    """One of :data:`benchctl.types.OUTCOMES`."""
    label: str | None = None
    """The option's label when the outcome is ``choice``, else None."""

    @property
    def category(self) -> str:
        """One word for tables and kappa; an option called 'none' is still apart from the outcome."""
        return f"choice {self.label}" if self.outcome == "choice" else self.outcome


def label_keys(choices: Mapping[str, str]) -> dict[str, Label]:
    """Key -> label for one question.

    An option has the key of its label where that is one character, in either case, and not taken by an outcome or a
    command; and always the digit of its place (1 to 9) unless another option is called so.
    """
    keys = {key: Label(outcome) for key, outcome in OUTCOME_KEYS.items()}
    taken = {*OUTCOME_KEYS, *COMMAND_KEYS}
    for label in choices:
        for key in (label, label.lower(), label.upper()):
            if len(key) == 1 and key.lower() not in taken:
                keys[key] = Label("choice", label)
    for place, label in enumerate(choices, 1):
        if place < 10:
            keys.setdefault(str(place), Label("choice", label))
    return keys


def option_key(label: str, keys: Mapping[str, Label]) -> str:
    """The key to show beside an option; empty where it has none."""
    found = [key for key, value in keys.items() if value.label == label]
    return min(found, key=lambda key: (key != label.lower(), key), default="")
