"""Oddities of training data are found and told with the reason why they matter; none of them stops a training."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl_plugins.training.examples import Example
from benchctl_plugins.training.prepare import read_parts
from benchctl_plugins.training.quality import Lengths, as_mapping, warnings

from .makers import recipe


def found(*train, validation=()):
    return {warned.name: warned.rows for warned in warnings(train, validation)}


def row(answer, question="Qual?", **more):
    return Example("row 1", question, answer, **more)


@pytest.mark.parametrize("answer", ["Alternativa C.", " alternativa c ", "Alternativa B", "Letra (D)", "Resposta: A"])
def test_a_letter_alone_is_bare(answer):
    assert found(row(answer)) == {"have nothing after the letter": 1}


@pytest.mark.parametrize("answer", ["Alternativa C. Estupor miocárdico.", "Sim.", "Alternativa correta", "A"])
def test_an_answer_with_words_is_not(answer):
    assert found(row(answer)) == {}


def test_a_letter_that_a_task_asks_for_is_no_oddity():
    assert found(row("Alternativa C", complete=True)) == {}


@pytest.mark.parametrize("answer", ["", " \n"])
def test_an_empty_answer_is_told(answer):
    (warned,) = warnings([row(answer)], ())
    assert (warned.name, warned.share) == ("have an empty answer", 1.0)
    assert "stop at once" in warned.line()


@pytest.mark.parametrize(
    ("text", "doubled"),
    [
        ("Q?\nA)A) um\nB)B) dois", True),
        ("Q?\nA)A. LH\nB)B. FSH", True),
        ("Q?\nA) um\nB) dois", False),
        ("Q?\nA)C. immitis\nB)S. schenckii\nC)C. albicans", False),
    ],
)
def test_doubled_letters_are_told_from_names(text, doubled):
    assert bool(found(row("Sim.", text))) is doubled


def test_a_blank_rejected_answer_is_flagged_with_the_risk():
    (warned,) = warnings([row("Sim.", rejected=" ")], ())
    assert warned.name == "have a blank rejected answer"
    assert "learns to write something and not to write better" in warned.why
    assert found(row("Sim.", rejected="Não.")) == {}
    assert "reject the very answer they choose" in found(row("Sim.", rejected="Sim. "))


def test_repeats_are_counted_whatever_their_case_and_told_when_they_disagree():
    first, again, other = row("Sim."), row("Sim.", "QUAL?"), row("Não.", "qual ?")
    assert found(first, again) == {"repeat an earlier question": 1}
    assert found(first, again, other) == {"repeat an earlier question": 2, "answer an earlier question otherwise": 1}
    assert found(first, validation=[again]) == {"stand in validation and in training": 1}
    assert found(first, row("Sim.", "Outra?")) == {}


def test_the_study_s_validation_file_has_the_defects_its_readme_counts(shared):
    parts = read_parts(recipe(train=str(shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv")))
    assert len(parts.train) == 2113
    counts = {warned.name: warned for warned in warnings(parts.train, ())}
    # The README counts 83 rows with 'A)A)' letter by letter; two more write 'A)A. LH'.
    assert counts["repeat an option's letter ('A)A)')"].rows == 85
    assert counts["have nothing after the letter"].rows == 12
    assert counts["repeat an earlier question"].rows == 10
    assert json.loads(json.dumps(as_mapping(counts.values())))[0]["places"][0] == "row 723 (line 4500)"


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=300))
def test_lengths_are_nearest_ranks(lengths):
    expected = [int(np.percentile(lengths, q, method="inverted_cdf")) for q in (50, 95)]
    assert Lengths.of(lengths) == (min(lengths), *expected, max(lengths))
