"""Pairs of a better and a worse answer, for DPO."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from benchctl.errors import BadData

from .examples import Example, Examples
from .wording import some

NO_WRONG = "without an answer to reject"


def paired(examples: Examples, rejected: str | None, seed: int) -> Examples:
    """Every example with a rejected answer: its own, or else ``rejected``, or else a wrong option drawn with the seed.

    Among a task's questions, free-text ones have no wrong option: without ``rejected`` they are left out and counted.

    Raises:
        BadData: rows of a file that have none, named; or no row is left.
    """
    found, without = _pair(examples.items, rejected, seed)
    held_out, also = _pair(examples.validation, rejected, seed)
    missing = without + also
    if missing and (examples.format != "task" or not found):
        places = ", ".join(example.place for example in missing[:5])
        dots = ", ..." if missing[5:] else ""
        raise BadData(
            f"{examples.source}: no rejected answer in {some(len(missing), 'row')} ({places}{dots}).",
            "Give columns prompt, chosen, rejected, a multiple-choice task, or one answer for all with data.rejected.",
        )
    passed_over = {**examples.passed_over, **({NO_WRONG: len(missing)} if missing else {})}
    return replace(examples, items=tuple(found), validation=tuple(held_out), passed_over=passed_over)


def _pair(items: Sequence[Example], rejected: str | None, seed: int) -> tuple[list[Example], list[Example]]:
    found, without = [], []
    for example in items:
        answer = example.rejected
        if answer is None and rejected is None and example.wrong:
            answer = random.Random(f"{seed}:{example.place}:{example.question}").choice(example.wrong)
        if answer is None:
            answer = rejected
        if answer is None:
            without.append(example)
        else:
            found.append(replace(example, rejected=answer))
    return found, without
