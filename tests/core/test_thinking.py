"""What a free answer says once its thinking is set aside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl.thinking import said

THOUGHT = "A dipirona baixa a febre?\n\nSim; mas a dose..."


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>\n{THOUGHT}\n</think>\n\nTome água.",
        f"\n<thinking>{THOUGHT}</thinking>Tome água.",
        f"{THOUGHT}\n</think>\n\nTome água.",
        f"[THINK]{THOUGHT}[/THINK]Tome água.",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>Tome água.",
        f"analysis{THOUGHT}assistantfinalTome água.",
        "<think>\n\n</think>\n\nTome água.",
    ],
    ids=["tags", "other tags", "opened by the template", "Magistral", "channels", "channels without marks", "empty"],
)
def test_only_what_follows_the_thinking_is_said(reply):
    assert said(reply).strip() == "Tome água."


@pytest.mark.parametrize("reply", [f"<think>{THOUGHT}", f"[THINK]{THOUGHT}", f"analysis{THOUGHT}"])
def test_thinking_that_was_cut_off_says_nothing(reply):
    assert said(reply) == ""


@pytest.mark.parametrize(
    "reply",
    [
        "[Análise] O quadro sugere dengue.",
        "Pensamento: repouso.",
        "analysis of the blood shows anaemia",
        "Se 3 < x e y > 2, então <b>sim</b>.",
        "Modelos pensam depois de <think>; o da questão, não.",
    ],
)
def test_headings_and_other_marks_are_part_of_the_answer(reply):
    assert said(reply) == reply


UNMARKED = st.text(st.characters(exclude_characters="<[", exclude_categories=("Cs",)))


@given(UNMARKED, UNMARKED.map(str.strip))
def test_whatever_was_thought_the_answer_is_whole(thought, answer):
    assert said(f"<think>{thought}</think>\n\n{answer}") == answer
