"""Answers that loop are found, those that only repeat themselves as people do are not."""

import pytest

from benchctl_plugins.metrics.repetition import Degenerate, Distinct1, Distinct2, LongestLoop, Repetition, loops

from .answers import choice, free

LOOPING = [
    "a vacina de vacina de vacina de vacina de vacina de vacina",
    "A gripe é causada por um vírus. " + "a vacina de vacina de " * 20,
    "Beba bastante água. " * 8,
    "1. Beba água\n2. Beba água\n3. Beba água\n4. Beba água",
    "vacinavacinavacina" * 8,
    "." * 90,
    "O paciente deve procurar o médico. Se houver febre, tome. " * 6,
    # Not in a row, but again and again.
    " ".join(f"A dose é de {n} mg por dia. Procure o seu médico de confiança." for n in range(8)),
    # Good sentences do not excuse the end.
    "O diabetes eleva a glicose. O tratamento combina dieta e exercício. Meça a glicemia como orientado. Leve os "
    "resultados à consulta. Não pule refeições nem doses e procure o serviço de saúde se passar mal. "
    + "e a dieta "
    * 8,
]
SOUND = [
    "",
    "Sim.",
    "Não, não, não! Nunca tome aspirina na dengue.",
    "Tome um comprimido de manhã, um comprimido à tarde e um comprimido à noite, por sete dias.",
    "Dia 1: 1 comprimido. Dia 2: 1 comprimido. Dia 3: 1 comprimido. Dia 4: 1 comprimido.",
    "A. Errada. Não se aplica a este caso. B. Não se aplica a este caso. C. Certa. D. Não se aplica a este caso.",
    "| exame | valor |\n| --- | --- |\n| TSH | 4,2 |\n| T4 | 1,1 |\nOs valores estão dentro do esperado para a idade.",
]


@pytest.mark.parametrize("text", LOOPING)
def test_a_looping_answer_is_degenerate(text):
    assert Degenerate().value(free(text)) == 1
    assert loops(text).share >= 0.2 or loops(text).tail >= 20


@pytest.mark.parametrize("text", SOUND)
def test_ordinary_repetition_is_not(text):
    assert Degenerate().value(free(text)) == 0


def test_share_and_longest_loop_on_paper():
    text = "um dois três " + "sim sim sim sim sim sim sim sim"
    assert LongestLoop().value(free(text)) == 8
    # White space apart: 10 letters before the loop, 8 times 3 in it.
    assert Repetition().value(free(text)) == pytest.approx(24 / 34)


def test_the_share_of_degenerate_answers_has_wilsons_interval():
    from scipy.stats import binomtest

    estimate = Degenerate().estimate([free(text, identity=str(i)) for i, text in enumerate(LOOPING + SOUND)])
    expected = binomtest(len(LOOPING), len(LOOPING + SOUND)).proportion_ci(method="wilson")
    assert estimate.value == len(LOOPING) / len(LOOPING + SOUND)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert not estimate.higher_is_better and estimate.percent


def test_free_answers_to_multiple_choice_are_looked_at_too_and_chosen_ones_are_not():
    assert Degenerate().value(choice("A", "A", text="Alternativa A. " * 9)) == 1
    assert Degenerate().estimate([choice("A", "A")]) is None


def test_distinct_n_on_paper():
    assert Distinct1().value(free("a vacina a vacina é boa")) == pytest.approx(4 / 6)
    assert Distinct2().value(free("a vacina a vacina é boa")) == pytest.approx(4 / 5)
    assert Distinct2().value(free("sim")) is None


def test_recorded_answers_of_good_models_are_not_degenerate(shared):
    import gzip
    import json

    with gzip.open(shared / "data/recorded_outputs/medqa.cot.gpt-4-32k.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [text for line in file for text in json.loads(line)["outputs"]]
    assert len(texts) == 1273
    assert not [text for text in texts if loops(text).degenerate]
