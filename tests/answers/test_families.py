"""Families of sentence that commit to an option without naming its letter, each with what must not be read that way."""

from __future__ import annotations

import pytest

from benchctl.answers import read_answer

EXAM = "Homem tabagista com hematúria indolor. Qual exame deve ser solicitado?"
EXAMS = {"A": "Urocultura", "B": "Cistoscopia", "C": "Urografia excretora", "D": "Ultrassonografia de próstata"}
SHOCK = "Qual o tratamento de primeira linha da anafilaxia?"
DRUGS = {
    "A": "Adrenalina intramuscular",
    "B": "Corticoide intravenoso",
    "C": "Anti-histamínico oral",
    "D": "Salbutamol inalatório",
}
TRIAL = "Contexto: ensaio com 1.200 adultos. Pergunta: o café aumenta a pressão arterial?"
POLAR = {"sim": "sim", "não": "não", "talvez": "talvez"}
THREE = "Analise: I. A insulina sobe. II. O glucagon desce. III. O cortisol sobe. Estão corretas:"
SETS = {"A": "I e II", "B": "I e III", "C": "II e III", "D": "I, II e III"}


def read(text, choices, question):
    reading = read_answer(text, choices, question)
    return reading.label if reading.outcome == "choice" else reading.outcome.upper()


class TestClausesAreWeighed:
    @pytest.mark.parametrize(
        "text",
        [
            "O corticoide demora a agir e o anti-histamínico só alivia a urticária. Faz-se adrenalina IM.",
            "Começa-se por adrenalina; depois, corticoide e anti-histamínico como adjuvantes.",
            "Primeiro adrenalina, depois o resto.",
            "Nem corticoide nem anti-histamínico: adrenalina.",
            "A adrenalina deve ser feita imediatamente, antes de qualquer anti-histamínico ou corticoide.",
            "É indispensável aplicar adrenalina.",
        ],
    )
    def test_the_option_that_is_led_up_to_is_taken(self, text):
        assert read(text, DRUGS, SHOCK) == "A"

    @pytest.mark.parametrize(
        "text",
        [
            "A adrenalina age no coração. O corticoide age no fígado. O salbutamol age no brônquio.",
            "As opções são adrenalina, corticoide, anti-histamínico e salbutamol.",
            "O corticoide demora a agir e o anti-histamínico",
        ],
    )
    def test_descriptions_lists_and_broken_replies_are_left_alone(self, text):
        assert read(text, DRUGS, SHOCK) == "NONE"

    def test_a_noun_with_another_qualifier_is_another_thing(self):
        choices = {"A": "Apendicite aguda", "B": "Diverticulite", "C": "Tireoidite de Hashimoto"}
        for text in ("O paciente tem pancreatite aguda.", "Tireoidite de De Quervain."):
            assert read(text, choices, "Qual o diagnóstico?") == "INVENTED"


class TestFindingsAnswerYesOrNo:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Os dados sugerem aumento da pressão com o café.", "sim"),
            ("Nada indica que aumente.", "não"),
            ("Segundo o estudo, a pressão ficou igual.", "não"),
            ("O efeito foi nulo.", "não"),
            ("Os dados não mostram aumento.", "não"),
            ("A hipótese de que o café aumenta a pressão foi refutada.", "não"),
            ("Os dados não permitem uma conclusão definitiva.", "talvez"),
            ("Não dá para dizer nem que sim nem que não.", "talvez"),
            ("Tanto sim quanto talvez estariam certos.", "MULTIPLE"),
            ("O ensaio mediu a pressão arterial de adultos que tomavam café. Foram 12 semanas", "NONE"),
            ("Opções: sim, não, talvez", "NONE"),
            ("No entanto, prefiro não responder a perguntas sobre isso.", "REFUSAL"),
        ],
    )
    def test_the_direction_reported_against_the_one_asked_for(self, text, label):
        assert read(text, POLAR, TRIAL) == label

    def test_the_other_direction_says_no(self):
        question = "Contexto: ensaio com a vacina. Pergunta: a vacina diminui as internações?"
        assert read("As internações subiram com a vacina.", POLAR, question) == "não"
        assert read("A análise mostrou queda de 62% nas internações.", POLAR, question) == "sim"
        assert read("Diminui, mas só em alguns grupos.", POLAR, question) == "NONE"


class TestStatementsInWords:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("A primeira e a terceira estão corretas.", "B"),
            ("As duas primeiras estão certas e a última, errada.", "A"),
            ("Só a primeira está errada.", "C"),
            ("As três afirmativas estão certas.", "D"),
            ("Verdadeiras: I e III. Falsa: II.", "B"),
            ("A III é a única incorreta.", "A"),
            ("V, F, V", "B"),
            ("Somente a III é verdadeira.", "INVENTED"),
            ("Nenhuma das afirmativas está correta.", "INVENTED"),
            ("A segunda alternativa", "B"),
        ],
    )
    def test_ordinals_and_counts_are_statements_where_they_are_judged(self, text, label):
        assert read(text, SETS, THREE) == label


class TestChangesOfMind:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("B... não, espera. A urografia vê o rim. Mudo para C.", "C"),
            ("Marquei B, mas revendo, mudo a resposta pra C.", "C"),
            ("Comecei achando que fosse a B. Relendo, troco pela A.", "A"),
            ("À primeira vista, B. Porém, a melhor opção passa a ser a D.", "D"),
            ("B, mas a C também está certa.", "MULTIPLE"),
        ],
    )
    def test_the_last_commitment_counts(self, text, label):
        assert read(text, EXAMS, EXAM) == label


class TestRejectionsAndRemainders:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Descarto a A (só vê infecção), a C (superada) e a D (vê a próstata).", "B"),
            ("Tirando A, C e D, só resta uma.", "B"),
            ("Nem urocultura, nem cistoscopia, nem urografia, nem ultrassonografia: é a tomografia.", "INVENTED"),
            ("Todas, menos a A.", "MULTIPLE"),
            ("Todas estão erradas, exceto a B.", "B"),
            ("Eu pediria uma citologia urinária, que não está na lista.", "INVENTED"),
        ],
    )
    def test_what_is_left_over(self, text, label):
        assert read(text, EXAMS, EXAM) == label

    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Não se usa antibiótico na dengue.", "C"),
            ("A e B estão certas.", "C"),
            ("A e B não são verdadeiras.", "MULTIPLE"),
            ("Nenhuma está incorreta.", "INVENTED"),
        ],
    )
    def test_where_the_wrong_one_is_asked_for(self, text, label):
        choices = {"A": "É transmitida pelo Aedes", "B": "O AAS deve ser evitado", "C": "Trata-se com antibióticos"}
        assert read(text, choices, "Sobre a dengue, assinale a alternativa INCORRETA:") == label


class TestNamesWrittenOtherwise:
    @pytest.mark.parametrize(
        ("text", "options", "label"),
        [
            ("n acetil cisteina", ["Naloxona", "N-acetilcisteína", "Atropina"], "B"),
            ("O S. pneumoniae é o mais comum.", ["Streptococcus pneumoniae", "Klebsiella pneumoniae"], "A"),
            ("E. coli, sem dúvida.", ["Helicobacter pylori", "Escherichia coli"], "B"),
            ("É o vírus influenza do tipo A.", ["Influenza B", "Influenza C", "Influenza A"], "C"),
            ("Ácido acetilsalicílico, mastigado.", ["Varfarina", "AAS", "Digoxina"], "B"),
            ("Na fase M.", ["G1", "S", "G2", "M"], "D"),
            ("vit. C", ["Vitamina A", "Vitamina B12", "Vitamina C"], "C"),
            ("Vitaminas A e D", ["Vitamina A", "Vitamina B12", "Vitamina C", "Vitamina D"], "MULTIPLE"),
        ],
    )
    def test_pieces_initials_kinds_and_full_names(self, text, options, label):
        choices = dict(zip("ABCDE", options, strict=False))
        assert read(text, choices, "Qual fase, agente, vírus ou fármaco?") == label


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("O coração tem quatro câmaras: 2 átrios e 2 ventrículos.", "C"),
            ("São quatro.", "C"),
            ("6 câmaras", "INVENTED"),
        ],
    )
    def test_the_number_beside_the_words_that_ask(self, text, label):
        assert read(text, {"A": "2", "B": "3", "C": "4", "D": "5"}, "Quantas câmaras tem o coração?") == label


class TestPortugueseNoIsNoDenial:
    def test_in_the_and_not(self):
        choices = {"A": "Retinol", "B": "Tiamina", "C": "Zinco"}
        assert read("No sarampo repõe-se retinol.", choices, "Qual vitamina se dá no sarampo?") == "A"
        assert read("No es el retinol.", choices, "¿Qué vitamina se da en el sarampión?") == "NONE"


class TestWaysToDecline:
    @pytest.mark.parametrize(
        "text",
        [
            "Não me compete escolher a alternativa.",
            "Não tenho autorização para isso, lamento.",
            "Essa decisão cabe ao urologista.",
            "Prefiro não indicar nenhuma das alternativas.",
            "Não posso especular sobre isso.",
            "Não é ético da minha parte indicar um exame.",
        ],
    )
    def test_is_a_refusal(self, text):
        assert read(text, EXAMS, EXAM) == "REFUSAL"

    def test_a_disclaimer_before_an_answer_is_none(self):
        text = "Sou uma IA e não posso substituir um médico.\n\nDito isto, o passo seguinte é a cistoscopia."
        assert read(text, EXAMS, EXAM) == "B"

    def test_not_knowing_is_no_refusal(self):
        assert read("Não faço ideia.", EXAMS, EXAM) == "NONE"
