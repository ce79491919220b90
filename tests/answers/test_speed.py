"""Reading stays quick on long and hostile texts: no pattern backtracks badly, nothing is quadratic."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from benchctl.answers import read_answer

CHOICES = {"A": "Insuficiência cardíaca", "B": "Asma", "C": "Pneumonia bacteriana", "D": "Nenhuma das anteriores"}
UNITS = [
    "a ", "A ", "A, ", "A e ", "(", "((A) ", "**", "{", '{"answer": ', '"', "\\boxed{", "<think>", "</think>", "<answer>",
    "[INST]", "### Resposta:\n", "Pergunta:\n", "A) x\n", "resposta ", "resposta correta ", "a resposta que ", "nao ",
    "não é a ", "I, ", "I e II ", "seria se ", "todas ", "1", "50% ", "A: 5% ", "-", " ", "\n", ".", "?", "é ", "pneumonia ",
    "portanto, ", "ou melhor, ", "sim ", "como uma ia ", "só o médico ", "asma-", "Ａ", "e\u0301 ", "🙂",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_repeating_anything_stays_quick(unit):
    text = unit * (20_000 // len(unit))
    begun = time.process_time()
    read_answer(text, CHOICES, "Qual o diagnóstico mais provável?")
    read_answer(text, {"sim": "sim", "não": "não", "talvez": "talvez"}, "A asma é crônica?")
    assert time.process_time() - begun < 4.0


def test_eight_times_the_answers_take_about_eight_times_as_long():
    """It was fifty times: at each answer all that followed was looked at for a copied option."""

    def spent(times):
        begun = time.process_time()
        read_answer("Portanto, a resposta é: Asma. Marco B) Asma. " * times, CHOICES, "Qual o diagnóstico?")
        return time.process_time() - begun

    assert spent(2000) < 25 * min(spent(250) for _ in range(3))


@pytest.mark.parametrize(
    ("unit", "often"),
    [
        ("Portanto, a asma não é. Asma. Pneumonia. Asma. Pneumonia. ", 400),
        ("Logo, esta última, a asma. ", 1000),
        ("não é asma, ", 2000),
    ],
)
def test_eight_times_the_options_named_take_about_eight_times_as_long(unit, often):
    """It was thirty times and more: at each of them all the options' texts of the reply were looked at."""

    def spent(times):
        begun = time.process_time()
        read_answer(unit * times, CHOICES, "Qual?")
        return time.process_time() - begun

    assert spent(8 * often) < 18 * min(spent(often) for _ in range(3))


PROSE = "O paciente tem tosse e febre há três dias, e a radiografia mostra uma opacidade no lobo inferior. "
BLANKED = {
    "thought": f"<think>{PROSE * 300}</think>\n\nA alternativa correta é a C.",
    "cut off": f"A alternativa correta é a C.\n<think>{PROSE * 300}",
    "turns": f"<|im_start|>user\n{PROSE * 300}<|im_end|>\n<|im_start|>assistant\nA alternativa correta é a C.",
    "made up": f"A alternativa correta é a C.\n### Pergunta: {PROSE * 300}",
    "spaces": "A alternativa correta é a C" + " " * 30_000 + ".",
}  # fmt: skip


@pytest.mark.parametrize("text", BLANKED.values(), ids=BLANKED)
def test_what_is_set_aside_stays_quick(text):
    """It is blanked with as many spaces."""
    begun = time.process_time()
    assert read_answer(text, CHOICES, "Qual o diagnóstico mais provável?").label == "C"
    assert time.process_time() - begun < 4.0


def test_time_grows_with_length_only():
    def seconds(copies):
        begun = time.process_time()
        read_answer(PROSE * copies + "Resposta: C", CHOICES, "Qual o diagnóstico?")
        return time.process_time() - begun

    short, long = (min(seconds(copies) for _ in range(7)) for copies in (20, 400))
    assert long < 40 * max(short, 0.002), "twenty times the text: four hundred times would be quadratic"


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys; import benchctl.answers; "
        "heavy = {'numpy', 'torch', 'click', 'pydantic', 'transformers', 'datasets'} & set(sys.modules); "
        "own = {m for m in sys.modules if m.startswith('benchctl.') and not m.startswith('benchctl.answers')}; "
        "sys.exit(str(heavy | own) if heavy | own else 0)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
