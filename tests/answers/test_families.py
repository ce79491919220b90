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


class TestALetterThatOnlyLabels:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Quem mostra a bexiga é a cistoscopia. A urografia (C) vê o rim.", "B"),
            ("Muitos pensam na urocultura (A), mas o tumor se vê na cistoscopia.", "B"),
            ("A urografia (C) não vê a mucosa; a cistoscopia, sim.", "B"),
        ],
    )
    def test_does_not_outdo_the_option_that_is_spoken_for(self, text, label):
        assert read(text, EXAMS, EXAM) == label


class TestEliminationItemByItem:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("a) errada, não há infecção; c) errada, está superada; d) errada, vê a próstata.", "B"),
            (
                "- A) Urocultura: descartada.\n- C) Urografia: descartada.\n- D) Próstata: descartada.\nSobra só uma.",
                "B",
            ),
            (
                "Acho que é a urografia... não, ela vê o rim. A urocultura e a ultrassonografia não servem. É o que sobrou.",
                "B",
            ),
            ("a) errada, não há infecção; c) errada, está superada.", "NONE"),
        ],
    )
    def test_the_option_that_is_left(self, text, label):
        assert read(text, EXAMS, EXAM) == label


class TestWordsOfTwoOptionsMixed:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Ligada ao X recessiva.", "INVENTED"),
            ("Ligada ao Y.", "INVENTED"),
            ("Herança autossômica, na forma recessiva.", "B"),
            ("Ligada ao X dominante.", "C"),
        ],
    )
    def test_are_an_alternative_of_their_own(self, text, label):
        choices = {"A": "Autossômica dominante", "B": "Autossômica recessiva", "C": "Ligada ao X dominante"}
        assert read(text, choices, "Qual é o padrão de herança?") == label


class TestNamesThatNoOptionHas:
    @pytest.mark.parametrize(
        "text",
        [
            "Tomografia, que vê o trato inteiro.",
            "Ressonância magnética da pelve em regime de urgência.",
            "O exame indicado nesse caso é a citologia urinária.",
            "O mais indicado é a citologia urinária.",
            "Citologia, colhida junto com a urocultura.",
        ],
    )
    def test_an_option_in_what_is_added_to_the_name_does_not_count(self, text):
        assert read(text, EXAMS, EXAM) == "INVENTED"

    @pytest.mark.parametrize(
        ("text", "label"),
        [("O coração tem sete câmaras, que se contraem.", "INVENTED"), ("Foi descrito em 1628.", "NONE")],
    )
    def test_another_number_where_the_answer_would_stand(self, text, label):
        assert read(text, {"A": "2", "B": "3", "C": "4", "D": "5"}, "Quantas câmaras tem o coração?") == label


class TestFactsAreNoChoice:
    @pytest.mark.parametrize(
        "text",
        [
            "O sangue tem células vermelhas, brancas e plaquetas.",
            "O diagnóstico de anemia inclui leucócito, plaqueta e linfócito. Pedir hemograma.",
            "As plaquetas duram dez dias e são feitas na medula óssea. As plaquetas duram dez",
        ],
    )
    def test_items_of_a_list_and_sentences_begun_again(self, text):
        choices = {"A": "Leucócito", "B": "Plaqueta", "C": "Eritrócito", "D": "Linfócito"}
        assert read(text, choices, "Qual célula transporta oxigênio?") == "NONE"


class TestALightNounAlone:
    STUDIES = {"A": "Ensaio clínico randomizado", "B": "Estudo de coorte", "C": "Estudo de caso-controle"}
    WHICH = "Qual o melhor desenho para investigar uma doença rara?"

    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Cada caso é um caso.", "NONE"),
            ("Não dá para dizer, cada caso é um caso.", "NONE"),
            ("Cada caso é um caso, mas aqui faria uma coorte.", "B"),
            ("Seria o de caso-controle.", "C"),
        ],
    )
    def test_names_no_option_of_which_it_is_a_part(self, text, label):
        assert read(text, self.STUDIES, self.WHICH) == label

    def test_is_no_test_or_sign_either(self):
        exams = {"A": "Nível sérico de ferritina", "B": "Biópsia hepática", "C": "Sinal de Murphy"}
        for text in ("Cada nível conta a sua história.", "Todo sinal conta."):
            assert read(text, exams, "Qual exame confirma o diagnóstico?") not in exams
        assert read("Peça o nível de ferritina.", exams, "Qual exame confirma o diagnóstico?") == "A"


class TestGermsQualitiesAndOtherNames:
    @pytest.mark.parametrize(
        ("text", "options", "label"),
        [
            ("Trichomonas vaginalis.", ["Candidíase", "Tricomoníase", "Gonorreia"], "B"),
            ("Regurgitação mitral.", ["Estenose mitral", "Insuficiência mitral"], "B"),
            (
                "Insuficiência da valva mitral.",
                ["Estenose mitral", "Insuficiência mitral", "Insuficiência aórtica"],
                "B",
            ),
            ("TTPa, de seis em seis horas.", ["Tempo de protrombina", "Tempo de tromboplastina parcial ativado"], "B"),
            ("Penicilina G benzatina.", ["Ceftriaxona", "Benzilpenicilina benzatina"], "B"),
            ("Atendimento universal.", ["Equidade", "Universalidade"], "B"),
            ("Por volta da 26ª semana.", ["10 a 12", "24 a 28", "32 a 34"], "B"),
        ],
    )
    def test_are_the_option(self, text, options, label):
        assert read(text, dict(zip("ABC", options, strict=False)), "Qual é o caso?") == label


class TestYesOrNoOpensTheEnd:
    """A chain of thought that ends in the answer and a word about it."""

    THOUGHT = (
        "O ensaio comparou dois grupos de pacientes durante oito semanas. A medida foi feita pela manhã, em repouso. "
        "Os grupos eram parecidos no início."
    )

    @pytest.mark.parametrize("between", [" ", "\n\n"])
    @pytest.mark.parametrize(
        ("end", "label"),
        [
            ("Sim, segundo o estudo.", "sim"),
            ("Não, os dados não sustentam essa hipótese.", "não"),
            ("Não, os dados não sustentam essa hipótese. Mais estudos são necessários.", "não"),
            ("Sim, mas apenas em idosos.", "sim"),
            ("Sim – os resultados apontam nessa direção.", "sim"),
            ("Talvez, já que a amostra era pequena.", "talvez"),
            ("Yes, according to the trial.", "sim"),
        ],
    )
    def test_is_the_answer(self, between, end, label):
        assert read(f"{self.THOUGHT}{between}{end}", POLAR, TRIAL) == label

    @pytest.mark.parametrize(
        "end",
        [
            "Não se observaram eventos adversos.",
            "Sim, não ou talvez.",
            "O efeito dura? Sim, por semanas.",
            "Sim, nos idosos. Não, nos jovens.",
        ],
    )
    def test_is_not_read_into_a_denial_a_list_or_the_reply_to_another_question(self, end):
        assert read(f"{self.THOUGHT} {end}", POLAR, TRIAL) == "NONE"

    def test_groups_alike_before_the_trial_tell_nothing(self):
        assert read(f"{self.THOUGHT} Os valores foram semelhantes na linha de base.", POLAR, TRIAL) == "NONE"
        assert read("Os valores foram semelhantes ao fim do ensaio.", POLAR, TRIAL) == "não"
        assert read(f"{self.THOUGHT} O café aumentou a pressão já na admissão.", POLAR, TRIAL) == "sim"

    def test_counts_at_the_end_only(self):
        assert read(f"Vejamos. Sim, havia dois grupos. {self.THOUGHT}", POLAR, TRIAL) == "NONE"
