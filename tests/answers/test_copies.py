"""Options copied out, letters beside another option's text, labels that are numerals, statements to be judged."""

from __future__ import annotations

import pytest

from benchctl.answers import read_answer

QUESTION = "Qual é o efeito adverso mais comum dos inibidores da ECA?"
EFFECTS = {"A": "Tosse seca", "B": "Hipercalemia", "C": "Angioedema", "D": "Insuficiência renal aguda"}
DENIALS = {
    "A": "Sim, imediatamente",
    "B": "Não, há contraindicação",
    "C": "Não é necessária. Nenhuma outra conduta cabe.",
    "D": "Nenhuma outra conduta cabe.",
}
NODES = {"A": "Acetilcolina no nó sinoatrial", "B": "Norepinefrina no nó sinoatrial", "C": "Outro"}
STAGES = {"I": "Tuberculoide", "II": "Dimorfa", "III": "Virchowiana", "IV": "Indeterminada"}


def read(text, choices, question=QUESTION):
    """The option's label, or the outcome in capitals."""
    reading = read_answer(text, choices, question)
    assert reading.evidence == text[reading.start : reading.end]
    return reading.label or reading.outcome.upper()


FORMS = ("{L}) {t}", "{L}. {t}", "{L} - {t}", "Letra {L} - {t}", "**{L}) {t}**\n\nExplicação: é o usual.", "({L}) {t}",
         "{L}: {t}", "Resposta: {L}) {t}", "A alternativa correta é a letra {L}: {t}", "{t}", "A resposta é: {t}")  # fmt: skip


class TestACopiedOptionIsThatOption:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("label", DENIALS)
    def test_whatever_its_words_would_deny(self, form, label):
        text = form.format(L=label, t=DENIALS[label])
        assert read(text, DENIALS, "Deve-se anticoagular o paciente?") == label

    @pytest.mark.parametrize("label", ["A", "B", "C"])
    def test_in_a_task_of_yes_and_no(self, label):
        options = {"A": "Sim", "B": "Não", "C": "Talvez"}
        assert read(f"{label}) {options[label]}", options, "Deve-se anticoagular?") == label
        assert read(f"{label} - {options[label]}, pelo risco.", options, "Deve-se anticoagular?") == label

    @pytest.mark.parametrize("label", NODES)
    def test_where_a_word_loses_its_accent(self, label):
        assert read(NODES[label], NODES, "Qual é a causa da bradicardia?") == label

    @pytest.mark.parametrize("label", ["A", "B", "C", "D"])
    def test_a_temperature_is_no_letter(self, label):
        heats = {"A": "25°C", "B": "37°C", "C": "45°C", "D": "60°C"}
        assert read(heats[label], heats, "A que temperatura se incuba?") == label
        assert read(f"{heats[label]}, pois é a do corpo.", heats, "A que temperatura se incuba?") != "C" or label == "C"

    @pytest.mark.parametrize("form", ["{L}", "{L}) {t}", "Resposta: {L}"])
    @pytest.mark.parametrize("label", ["A", "B", "C", "D"])
    def test_a_label_is_no_text_of_another_option(self, form, label):
        lists = {"A": "c", "B": "d", "C": "ac", "D": "bd"}
        assert read(form.format(L=label, t=lists[label]), lists, "Quais afirmações são certas?") == label

    @pytest.mark.parametrize("form", ["A resposta é: {t}.", "Portanto, a resposta correta é a ({L}) {t}."])
    def test_an_option_that_only_supposes(self, form):
        plans = {"A": "Ficaria em casa", "B": "Ela seria mais feliz se tivesse filhos", "C": "Iria ao cinema"}
        assert read(form.format(L="B", t=plans["B"]), plans, "O que Ana diria?") == "B"

    def test_a_longer_option_outdoes_the_one_inside_it(self):
        angles = {"A": "45°, 90°", "B": "90°", "C": "90°, 110°", "D": "45°, 90°, 110°"}
        assert read("A resposta é: 45°, 90°.", angles, "Em que ângulos?") == "A"

    def test_an_item_that_is_denied_is_still_denied(self):
        assert read("B) Não é a correta. C) Não é. D) Não. Fica a A.", EFFECTS) == "A"


@pytest.mark.parametrize(
    "text",
    [
        "A correta é a D: Tosse seca",
        "A correta é a letra D - Tosse seca.",
        "Acredito que seja a D: tosse seca",
        "Marco D: Tosse seca",
        "O correto é D: Tosse seca",
        "Com certeza é a D: Tosse seca.",
        "Portanto, D: Tosse seca",
        "Tosse seca (alternativa D)",
        "O efeito adverso mais comum é: D) Tosse seca",
    ],
)
def test_the_letter_outdoes_the_text_beside_it(text):
    assert read(text, EFFECTS) == "D"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Não posso dar conselho médico, mas a resposta correta à questão é a alternativa A, tosse seca.", "A"),
        ("A resposta para essa questão é B", "B"),
        ("A resposta correta da questão é: C", "C"),
        ("Estou entre B e D, tendendo para D.", "D"),
        ("Resposta final: B.\n\nEspera, na verdade a bradicinina causa tosse... mas mantenho B.", "B"),
        ("Tosse seca (A) é mais comum do que hipercalemia (B).", "A"),
        ("Angioedema é mais raro do que tosse seca.", "NONE"),
    ],
)
def test_what_is_announced_kept_or_compared(text, label):
    assert read(text, EFFECTS) == label


def test_one_sentence_for_each_option_sets_none_apart():
    causes = {"A": "Hiperparatireoidismo", "B": "Sarcoidose", "C": "Pancreatite aguda", "D": "Mieloma"}
    said = "\n".join(f"{cause}: altera o cálcio." for cause in causes.values())
    assert read(said, causes, "Todas são causas de hipercalcemia, EXCETO:") == "NONE"


class TestLabelsThatAreNumerals:
    @pytest.mark.parametrize("label", STAGES)
    @pytest.mark.parametrize(
        "form",
        ["{L}", "({L})", "**{L}**", "Resposta: {L}", "A alternativa correta é a {L}.", "Opção {L}", "{L}) {t}",
         "Não é a {other}, é a {L}", "$\\boxed{{{L}}}$", '{{"resposta": "{L}"}}', "{t}", "I would choose {L}."],
    )  # fmt: skip
    def test_they_are_read_as_letters_are(self, form, label):
        other = "IV" if label == "I" else "I"
        text = form.format(L=label, t=STAGES[label], other=other)
        assert read(text, STAGES, "Qual é a forma da hanseníase?") == label

    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("As opções I e II estão corretas.", "MULTIPLE"),
            ("Opção VI", "INVENTED"),
            ("I: F\nII: V\nIII: F\nIV: F", "II"),
            ("I think it is lepromatous", "NONE"),
            ("A hanseníase tipo I é a virchowiana.", "III"),
        ],
    )
    def test_what_is_no_label_stays_what_it_is(self, text, label):
        assert read(text, STAGES, "Qual é a forma da hanseníase?") == label

    def test_options_that_name_numerals_themselves(self):
        types = {"I": "Tipo II", "II": "Tipo I", "III": "Tipo IV"}
        question = "Qual é o tipo de hipersensibilidade?"
        assert [read(t, types, question) for t in ("Tipo I", "II", "É do tipo IV.")] == ["II", "II", "III"]

    def test_the_evidence_is_the_whole_numeral(self):
        assert read_answer("**III**", STAGES, "").evidence == "III"


class TestStatementsToBeJudged:
    QUESTION = "Julgue: a insulina é produzida pelas células beta."

    @pytest.mark.parametrize(
        "text",
        ["F", "Falso", "B) Falso", "Errado.", "Isso não é verdade.", "A afirmação está incorreta.", "Gabarito: F"],
    )
    def test_false(self, text):
        assert read(text, {"A": "Verdadeiro", "B": "Falso"}, self.QUESTION) == "B"

    @pytest.mark.parametrize("text", ["V", "(V)", "Resposta: V", "Correto", "A afirmação é verdadeira."])
    def test_true(self, text):
        assert read(text, {"A": "Verdadeiro", "B": "Falso"}, self.QUESTION) == "A"

    def test_certo_ou_errado(self):
        options = {"C": "Certo", "E": "Errado"}
        assert [read(t, options, self.QUESTION) for t in ("E", "Item incorreto.", "O item está certo.")] == [
            "E",
            "E",
            "C",
        ]

    def test_an_opening_word_is_no_judgement(self):
        options = {"A": "Verdadeiro", "B": "Falso"}
        assert read("Certo, vamos analisar. Ela é falsa.", options, self.QUESTION) == "B"
        assert read("Verdadeiro ou falso?", options, self.QUESTION) == "NONE"
