"""Length, speed and language of answers."""

import unicodedata

import pytest

from benchctl.types import Usage
from benchctl_plugins.metrics.answers import ExactMatch
from benchctl_plugins.metrics.language import PortugueseShare, portuguese_share
from benchctl_plugins.metrics.repetition import LongestLoop
from benchctl_plugins.metrics.rouge import Rouge
from benchctl_plugins.metrics.sacre import Bleu, ChrF
from benchctl_plugins.metrics.surface import Latency, Length, TokensPerSecond

from .answers import choice, free


def test_length_counts_words_of_any_script():
    assert Length().value(free("A avó tomou 2 comprimidos às 8h.")) == 7
    assert Length().value(choice("A", "A")) is None


def test_nothing_is_shorter_than_nothing():
    """Of 1 and 35 words Student's interval reaches from -198 to 234."""
    found = Length().estimate([free("palavra " * n, identity=str(n), seconds=n) for n in (1, 35)])
    assert (found.value, found.low) == (18, 0) and found.high == pytest.approx(18 + 12.706 * 17, abs=0.1)
    assert Latency().estimate([free("a", identity=str(n), seconds=n) for n in (1, 35)]).low == 0


def test_a_letter_in_two_signs_is_the_letter():
    said = "A saúde não é só ausência de doença. Você está bem?"
    apart = unicodedata.normalize("NFD", said)  # as macOS and many PDFs write it
    assert Length().value(free(apart)) == Length().value(free(said)) == 11
    assert PortugueseShare().value(free(unicodedata.normalize("NFD", "Ação, coração, pulmão."))) == 1
    assert LongestLoop().value(free(unicodedata.normalize("NFD", "ação " * 8))) == 8
    for metric in (Rouge(), ChrF(), Bleu(), ExactMatch()):
        assert metric.values(free(apart, said)) == metric.values(free(said, apart)) == metric.values(free(said, said))


def test_speed_is_tokens_over_seconds_of_the_run_not_a_mean_of_rates():
    run = [free("a", identity="0", seconds=1.0, usage=Usage(10, 100)),
           free("b", identity="1", seconds=4.0, usage=Usage(10, 100))]  # fmt: skip
    assert TokensPerSecond().estimate(run).value == pytest.approx(40)
    assert Latency().estimate(run).value == pytest.approx(2.5)
    assert not Latency().higher_is_better


def test_what_was_not_timed_has_no_speed():
    assert Latency().estimate([free("a")]) is None
    assert TokensPerSecond().estimate([free("a", seconds=2.0)]) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("A vacina é indicada para todos. Não há contraindicação na gestação.", 1),
        ("The vaccine is recommended for all of them. It has no contraindication.", 0),
        ("La vacuna se recomienda a todos los adultos. No hay contraindicación en el embarazo.", 0),
        ("O paciente deve fazer repouso e tomar muita água. The patient should rest and drink plenty of water.", 0.5),
    ],
)
def test_the_share_of_portuguese(text, share):
    assert portuguese_share(text) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize("text", ["", "B", "5 mg", "Alternativa C. IL-6", "¿¿¿ ¡¡¡"])
def test_where_nothing_tells_a_language_there_is_no_share(text):
    assert PortugueseShare().value(free(text)) is None


def test_real_portuguese_and_real_english_are_told_apart(shared):
    import csv
    import json

    with (shared / "data/drbyte_ptbr/drbyte_ptbr_valid.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [row["output"] for row in csv.DictReader(file)]
    portuguese = [share for text in texts if (share := portuguese_share(text)) is not None]
    assert sum(portuguese) / len(portuguese) > 0.99
    path = shared / "data/english_originals/medqa/phrases_no_exclude_test.jsonl"
    questions = [json.loads(line)["question"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(portuguese_share(text) or 0 for text in questions) / len(questions) < 0.001
