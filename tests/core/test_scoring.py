"""From responses to answers: arithmetic on paper for each rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl.errors import BadConfig
from benchctl.plugins import get_plugins
from benchctl.scoring import get_scoring
from benchctl.types import ChoiceScore, Response, Sample

SAMPLE = Sample("1", "?", {"A": "um", "B": "dois", "C": "três quatro"}, "B")


def read(scoring, *responses):
    return get_scoring(get_plugins().create("task", "medmcqa-pt"), scoring, 64).read(SAMPLE, responses)


def test_letter_takes_the_likeliest():
    scores = (ChoiceScore(-1.5, 1, 1), ChoiceScore(-0.5, 1, 1), ChoiceScore(-2.5, 1, 1))
    answer = read("letter", Response(scores))
    assert (answer.label, answer.outcome) == ("B", "choice")
    assert answer.explanation == "B > A > C"


def test_option_reads_raw_per_token_and_per_byte_from_one_pass():
    # raw: A -3; per token: B -4/4 = -1 beats -3/1 and -6/5 = -1.2; per byte: C -6/12 = -0.5 beats -1.5 and -1.
    scores = (ChoiceScore(-3.0, 1, 2), ChoiceScore(-4.0, 4, 4), ChoiceScore(-6.0, 5, 12))
    answer = read("option", Response(scores))
    assert (answer.label, answer.variants) == ("A", {"per_token": "B", "per_byte": "C"})


def test_perplexity_takes_the_lowest_over_all_tokens_of_the_text():
    parts = (Response(nats=-20.0, tokens=10), Response(nats=-21.0, tokens=11), Response(nats=-30.0, tokens=12))
    answer = read("perplexity", *parts)
    assert answer.label == "B"
    assert answer.explanation == "B > A > C", "perplexities e^(21/11), e^2 and e^2.5"


def test_perplexity_takes_the_lowest_also_of_those_no_number_holds():
    parts = (Response(nats=-9000.0, tokens=10), Response(nats=-8000.0, tokens=10), Response(nats=-20.0, tokens=10))
    assert read("perplexity", *parts).explanation == "C > B > A", "e^900, e^800 and e^2"


@given(st.lists(st.floats(-50, 0), min_size=3, max_size=3))
def test_the_first_of_equals_wins_as_in_lm_eval(nats):
    answer = read("letter", Response(tuple(ChoiceScore(n, 1, 1) for n in nats)))
    assert answer.label == "ABC"[nats.index(max(nats))]


def test_a_rule_the_task_does_not_have_is_refused_with_what_it_has():
    with pytest.raises(BadConfig, match="cannot be scored by 'leter'") as stop:
        read("leter")
    assert "letter" in stop.value.hint
