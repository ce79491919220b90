"""Every rule of the extraction, as a specification: what a reply says, and what is read from it."""

from __future__ import annotations

import pytest

from benchctl.answers import OUTCOMES, RULES, read_answer

QUESTION = "Que nervo inerva o diafragma?"
NERVES = {"A": "Nervo vago", "B": "Nervo frênico", "C": "Nervo acessório", "D": "Nervo hipoglosso"}
POLAR = {"sim": "sim", "não": "não", "talvez": "talvez"}
POLAR_QUESTION = "Contexto: 90 adultos. Pergunta: a caminhada reduz a pressão arterial?"
VITAMINS = {"A": "Vitamina A", "B": "Vitamina B1", "C": "Vitamina C", "D": "Vitamina K"}
STATEMENTS = {"A": "Apenas I", "B": "Apenas I e II", "C": "Apenas II e III", "D": "I, II e III"}


def read(text, choices=NERVES, question=QUESTION):
    """The reading in short: the option's label, or the outcome in capitals."""
    reading = read_answer(text, choices, question)
    assert reading.outcome in OUTCOMES
    assert reading.rule in RULES
    return reading.label if reading.outcome == "choice" else reading.outcome.upper()


def rule(text, choices=NERVES, question=QUESTION):
    return read_answer(text, choices, question).rule


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("O índice de Barthel, sozinho, é insuficiente como medida de resultado.", "não"),
        ("O índice de Barthel sozinho é uma medida inadequada de resultado.", "não"),
        ("O índice de Barthel sozinho não é uma medida inadequada de resultado.", "sim"),
        ("O índice de Barthel sozinho é uma medida adequada de resultado.", "sim"),
        ("Os dados são insuficientes para dizer se o índice de Barthel é uma medida de resultado.", "talvez"),
    ],
)
def test_an_adjective_of_denial_denies_what_the_question_asks(text, label):
    assert read(text, POLAR, "O índice de Barthel sozinho é uma medida adequada de resultado?") == label


def test_an_adjective_of_denial_that_the_question_has_is_affirmed():
    question = "O jejum prolongado é desnecessário antes da cirurgia eletiva?"
    assert read("O jejum prolongado é desnecessário antes da cirurgia eletiva.", POLAR, question) == "sim"


class TestALetterInEveryDress:
    @pytest.mark.parametrize(
        "text",
        [
            "B",
            "b",
            "(B)",
            "[b]",
            "B.",
            "B)",
            "“B”",
            "**B**",
            "`B`",
            "$B$",
            "Alternativa B",
            "letra b",
            "Opção (B)",
            "item B",
            "alínea b)",
            "Gabarito: B",
            "Resposta: **B**",
            "resp.: b",
            "R: B",
            "### Resposta\n**B**",
            "Resposta:\n\nB",
            "A alternativa correta é a letra B.",
            "A resposta mais adequada seria a opção B",
            "A correta é a B",
            "B é a correta.",
            "B) Nervo frênico",
            "B - Nervo frênico",
            "Nervo frênico (B)",
            "1. B",
            "The correct answer is (B).",
            "Option B is correct.",
            "La respuesta correcta es la B.",
            "Opción B",
        ],
    )
    def test_is_read(self, text):
        assert read(text) == "B"

    @pytest.mark.parametrize("text", ["Ｂ", "Letra В", "Ⓑ", "🅱️", "𝐁", "Resposta：Ｂ", "B\u200b", "Α" + " não é; é a B"])
    def test_may_be_a_look_alike(self, text):
        assert read(text) == "B"

    @pytest.mark.parametrize("text", ["Resposa: B", "Alternaitva B", "alternativaB", "Rsposta: B"])
    def test_may_stand_behind_a_misspelt_head(self, text):
        assert read(text) == "B"

    @pytest.mark.parametrize(
        "text",
        ["A paciente tem soluços.", "E se fosse uma criança?", "A paciente deve repousar.", "O diafragma é um músculo"],
    )
    def test_is_not_an_article(self, text):
        assert read(text) == "NONE"

    def test_is_not_the_letter_of_a_name(self):
        assert read("A vitamina A e a vitamina K são lipossolúveis. Letra C", VITAMINS, "") == "C"
        assert read("Vitamina C", VITAMINS, "") == "C"
        assert read("Vitamina D", VITAMINS, "") == "INVENTED"

    def test_wins_over_the_text_of_another_option(self):
        assert read("A) Nervo frênico") == "A"

    def test_beyond_the_options_is_invented(self):
        assert read("Alternativa F") == read("E) Nervo ulnar") == read("The answer is E.") == "INVENTED"


class TestStructure:
    @pytest.mark.parametrize(
        "text",
        [
            '{"answer": "B"}',
            '{"step_by_step_thinking": "A? C?", "answer_choice": "B. Nervo frênico"}',
            "{'resposta': 'b'}",
            "{resposta: B}",
            '{"resposta_final": "B',
            '```json\n{"letra": "B"}\n```',
            '{"answer": {"letter": "B"}}',
            '{"choice": 2}',
            '{"resposta": "Nervo frênico"}',
            "<answer>B</answer>",
            "<resposta>alternativa B",
            "$\\boxed{B}$",
            "\\[\\boxed{\\text{(B)}}\\]",
        ],
    )
    def test_holds_the_answer(self, text):
        assert (read(text), rule(text)) == ("B", "structured")

    def test_counts_whatever_the_prose_says(self):
        assert read('{"raciocinio": "Portanto, a resposta correta é A.", "resposta": "B"}') == "B"

    def test_final_counts_before_a_draft(self):
        assert read('{"resposta": "A"}\n{"resposta_final": "B"}') == "B"

    def test_that_contradicts_itself_is_multiple(self):
        assert read('{"resposta": "A"}\n{"resposta": "B"}') == read('{"answer": ["A", "C"]}') == "MULTIPLE"

    @pytest.mark.parametrize(
        "text", ['{"resposta": ""}', '{"resposta": null}', '{"answer": "N/A"}', '{"raciocinio": "O nervo']
    )
    def test_may_hold_nothing(self, text):
        assert read(text) == "NONE"

    def test_may_hold_what_no_option_says(self):
        assert read('{"answer": "Plexo braquial"}') == "INVENTED"


class TestWhatCounts:
    def test_thinking_does_not(self):
        assert read("<think>Pode ser a A.</think>B") == "B"
        assert read("a A é visceral</think>\nB") == "B"

    def test_thinking_left_open_hides_the_rest(self):
        assert read("<think>A resposta é B, mas") == "NONE"

    def test_of_channels_only_the_final_one_counts(self):
        thought = "<|channel|>analysis<|message|>A resposta é A.<|end|>"
        assert read(f"{thought}<|start|>assistant<|channel|>final<|message|>Alternativa B") == "B"
        assert read("<|channel|>final<|message|>Alternativa B<|return|>") == "B"
        assert read(f"{thought}<|start|>assistant<|channel|>commentary<|message|>Ou C?") == "NONE"
        assert read("analysisThe answer is A.assistantfinalAlternativa B") == "B"  # decoded without special tokens
        assert read("analysisThe answer is A, but") == "NONE"

    def test_chat_markers_are_no_text(self):
        assert read("<|assistant|>\nB<|im_end|>") == "B"
        assert read(f"[INST] {QUESTION} [/INST] Alternativa B</s>") == "B"

    def test_a_made_up_turn_does_not(self):
        assert read("B<|im_end|>\n<|im_start|>user\nE agora?<|im_end|>\n<|im_start|>assistant\nA") == "B"
        assert read("B\nUsuário: obrigado\nAssistente: a A também serve.") == "B"

    def test_the_echoed_prompt_does_not(self):
        options = "\n".join(f"{k}) {v}" for k, v in NERVES.items())
        assert read(f"{QUESTION}\n{options}") == "NONE"
        assert read(f"{QUESTION}\n{options}\nResposta: B") == "B"
        assert read(f"{options}\n\nO diafragma é inervado pelo nervo frênico.") == "B"

    def test_another_question_does_not(self):
        other = "Pergunta: Qual o maior osso?\nA) Fêmur\nB) Tíbia\nC) Úmero\nD) Rádio\nResposta: A"
        assert read(f"Resposta: B\n\n{other}") == "B"
        assert read(other) == "NONE"
        assert read(f"{other}\n\nPergunta: {QUESTION}\nResposta: B") == "B"

    def test_an_instruction_does_not(self):
        assert read("Responda apenas com a letra.") == "NONE"

    @pytest.mark.parametrize("text", ["", " \n\t", "...", "🙂", "<think></think>"])
    def test_nothing_is_none(self, text):
        assert read(text) == "NONE"


class TestTheFinalCommitment:
    @pytest.mark.parametrize(
        "text",
        [
            "Alternativa A. Ou melhor, B.",
            "A resposta é D... não, espere, é a B.",
            "Pensei em C, mas o correto é B.",
            "Answer: A. Actually, wait: B.",
            "Sería la A, perdón, la B.",
            "A - digo, B",
        ],
    )
    def test_outdoes_an_earlier_one(self, text):
        assert read(text) == "B"

    @pytest.mark.parametrize(
        "text",
        [
            "B. Embora a A também pudesse ser considerada.",
            "Resposta: B\nA alternativa A inerva vísceras. A alternativa D move a língua.",
            "Letra B.\n\nO nervo vago (A) e o hipoglosso (D) não chegam lá.",
            "B. A C estaria correta se a pergunta fosse sobre o trapézio.",
        ],
    )
    def test_stands_whatever_musings_follow(self, text):
        assert read(text) == "B"

    @pytest.mark.parametrize(
        "text",
        ["Eu marcaria a B.", "Fico com a letra B", "I'd go with B", "Me quedo con la B", "Acredito que seja a B"],
    )
    def test_may_be_a_verb(self, text):
        assert (read(text), rule(text)) == ("B", "choosing")

    def test_may_be_a_verdict(self):
        text = "A) Incorreta.\nB) Correta.\nC) Incorreta.\nD) Incorreta."
        assert (read(text), rule(text)) == ("B", "verdict")
        assert read("A - F\nB - V\nC - F\nD - F") == "B"
        assert read("A) Nervo vago ❌\nB) Nervo frênico ✅") == "B"

    def test_may_be_the_last_line(self):
        assert (read("O diafragma recebe C3 a C5.\n\nB"), rule("O diafragma recebe C3 a C5.\n\nB")) == (
            "B",
            "last-line",
        )

    def test_may_be_a_percentage(self):
        text = "A: 5%\nB: 80%\nC: 10%\nD: 5%\nFico com a mais provável."
        assert (read(text), rule(text)) == ("B", "probabilities")

    def test_loops_over_one_commitment_still_commit(self):
        assert read("Alternativa B " * 20) == "B"


class TestAnOptionsText:
    @pytest.mark.parametrize(
        "text",
        [
            "nervo frenico",
            "O NERVO FRÊNICO.",
            "Frênico",
            "O nervo frênico inerva o diafragma.",
            "Trata-se do nervo frênico.",
            "A resposta é o nervo frênico, e não o nervo vago.",
            "Não é o nervo vago, mas sim o nervo frênico.",
        ],
    )
    def test_names_it_without_a_letter(self, text):
        assert read(text) == "B"

    def test_bears_small_differences(self):
        choices = {"A": "Escarlatina", "B": "Doença de Kawasaki", "C": "Sarampo", "D": "Dengue clássica"}
        for text in ("Doenca de Kawazaki", "Kawasaki", "a síndrome de Kawasaki", "Kawasaki disease"):
            assert read(text, choices, "") == "B"

    @pytest.mark.parametrize(
        ("text", "choices"),
        [
            ("Hipocalemia", {"A": "Hipercalemia", "B": "Hiponatremia"}),
            ("Síndrome nefrótica", {"A": "Síndrome nefrítica", "B": "Cistite"}),
            ("Prednisolona", {"A": "Prednisona", "B": "Dexametasona"}),
            ("Noradrenalina", {"A": "Adrenalina", "B": "Dopamina"}),
            ("Sulfato ferroso", {"A": "Sulfato de magnésio", "B": "Diazepam"}),
            ("É dada por via nasal", {"A": "É dada por via oral", "B": "Exige jejum"}),
            ("200 mg", {"A": "100 mg", "B": "20 mg"}),
            ("Grupo AB", {"A": "Grupo A", "B": "Grupo B"}),
        ],
    )
    def test_is_not_taken_for_one_alike(self, text, choices):
        assert read(text, choices, "") == "INVENTED"

    def test_shared_by_two_options_names_neither(self):
        choices = {"A": "Acidose metabólica", "B": "Acidose respiratória", "C": "Alcalose mista"}
        assert read("Acidose", choices, "") == "NONE"
        assert read("Acidose metabólica e respiratória", choices, "") == "MULTIPLE"

    def test_general_facts_choose_nothing(self):
        assert read("O nervo vago é o décimo par. O nervo hipoglosso é o décimo segundo.") == "NONE"

    def test_that_completes_the_question_with_other_words_is_invented(self):
        assert read("O nervo que inerva o diafragma é o plexo braquial.") == "INVENTED"
        assert read("Nervo trigêmeo") == "INVENTED"


class TestEliminationAndPlace:
    @pytest.mark.parametrize(
        "text", ["Não é a A, não é a C e não é a D.", "A, C e D estão erradas.", "Nem A, nem C, nem D."]
    )
    def test_what_is_left_is_chosen(self, text):
        assert (read(text), rule(text)) == ("B", "elimination")

    def test_one_rejection_chooses_nothing(self):
        assert read("Não é a A.") == read("A alternativa A está errada. A D também está errada.") == "NONE"

    @pytest.mark.parametrize(
        "text",
        ["a segunda opção", "A segunda.", "2", "2ª alternativa", "opção 2", "the second one", "La segunda opción"],
    )
    def test_a_place_is_counted(self, text):
        assert read(text) == "B"

    @pytest.mark.parametrize("text", ["a 2", "A resposta correta é a 2.", "Marco a 2.", "É a 2."])
    def test_a_number_may_have_an_article(self, text):
        assert read(text) == "B"

    def test_options_that_differ_in_a_sign_alone_are_told_apart(self):
        levels = {"A": "< 10", "B": "≥ 10", "C": "-5", "D": "5"}
        for text, label in (("< 10", "A"), ("≥ 10", "B"), ("-5", "C"), ("5", "D"), ("A resposta é -5.", "C")):
            assert read(text, levels, "") == label
        assert read("10", levels, "") not in levels, "either"

    @pytest.mark.parametrize("text", ["0", "Resposta: 0", "Alternativa 0", "(0)"])
    def test_labels_may_be_counted_from_nought(self, text):
        assert read(text, {"0": "Vago", "1": "Frênico", "2": "Ulnar", "3": "Radial"}) == "0"

    def test_a_bare_number_is_a_text_first_and_an_ordinal_never(self):
        chambers = {"A": "2", "B": "3", "C": "4", "D": "6"}
        assert read("4", chambers, "") == "C"
        assert read("4ª opção", chambers, "") == "D"

    def test_a_place_beyond_is_invented(self):
        assert read("a quinta opção") == "INVENTED"


class TestNoneAllAndSeveral:
    def test_none_of_the_above_takes_its_letter_or_is_invented(self):
        with_none = {"A": "Vago", "B": "Frênico", "C": "Nenhuma das anteriores"}
        for text in ("Nenhuma das alternativas acima.", "nda", "Nenhuma das opções está correta."):
            assert read(text, with_none, "") == "C"
            assert read(text) == "INVENTED"

    def test_all_of_them_takes_its_letter_or_is_multiple(self):
        with_all = {"A": "Asma", "B": "Bronquite", "C": "Todas as anteriores"}
        assert read("A e B, ou seja, todas.", with_all, "") == "C"
        assert read("Todas as alternativas estão corretas.") == "MULTIPLE"

    @pytest.mark.parametrize(
        "text", ["A ou B", "A e C estão corretas.", "Alternativas B e D", "A/B", "Both A and B are correct."]
    )
    def test_several_letters_are_multiple(self, text):
        assert read(text) == "MULTIPLE"

    def test_several_texts_are_multiple(self):
        assert read("Nervo vago ou nervo frênico.") == "MULTIPLE"
        assert read("Tanto o nervo vago quanto o nervo frênico; as duas servem.") == "MULTIPLE"

    def test_letters_that_make_an_option_are_that_option(self):
        assert read("A e B", {"A": "Asma", "B": "Bronquite", "C": "Rinite", "D": "A e B estão corretas"}, "") == "D"

    @pytest.mark.parametrize(
        "text", ["A, B, C, D", "E) Ulnar\nF) Radial\nG) Mediano", "Vamos analisar cada alternativa."]
    )
    def test_lists_and_preambles_choose_nothing(self, text):
        assert read(text) == "NONE"


class TestNumberedStatements:
    @pytest.mark.parametrize(
        "text",
        [
            "I e II",
            "Apenas as afirmativas I e II estão corretas.",
            "A I está correta. A II está correta. A III está incorreta.",
            "Só a III é falsa.",
        ],
    )
    def test_name_the_option_that_holds_the_true_ones(self, text):
        assert (read(text, STATEMENTS, ""), rule(text, STATEMENTS, "")) in {("B", "statements"), ("B", "whole")}

    def test_that_no_option_combines_are_invented(self):
        assert read("Apenas III", STATEMENTS, "") == "INVENTED"


class TestTheWrongOneAskedFor:
    QUESTION = "São sinais de insuficiência cardíaca, EXCETO:"
    SIGNS = {"A": "Edema", "B": "Ortopneia", "C": "Turgência jugular", "D": "Bradicardia"}

    @pytest.mark.parametrize(
        "text", ["A exceção é a D.", "A incorreta é a D", "A, B e C estão corretas.", "Todas são sinais, exceto a D."]
    )
    def test_is_chosen(self, text):
        assert read(text, self.SIGNS, self.QUESTION) == "D"


class TestYesNoMaybe:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Sim", "sim"),
            ("Não.", "não"),
            ("nao", "não"),
            ("Talvez", "talvez"),
            ("**Sim**, reduz.", "sim"),
            ("Provavelmente sim.", "sim"),
            ("Yes.", "sim"),
            ("No, it does not.", "não"),
            ("Tal vez", "talvez"),
            ("A resposta só pode ser não.", "não"),
            ("Sim. Aliás, não.", "não"),
            ("Não é possível afirmar.", "talvez"),
            ("Não há dúvida de que reduz.", "sim"),
            ("Não reduz.", "não"),
            ("A caminhada reduz a pressão arterial em adultos.", "sim"),
            ('{"resposta": "não"}', "não"),
            ("Alternativa A) Sim", "sim"),
            ("Sim e não.", "MULTIPLE"),
            ("Letra B", "INVENTED"),
            ("C) p=0,03", "INVENTED"),
            ("Não posso responder a perguntas médicas.", "REFUSAL"),
            ("Não sei.", "NONE"),
            ("A caminhada é um exercício.", "NONE"),
            ("Responda apenas com sim, não ou talvez.", "NONE"),
        ],
    )
    def test_is_read(self, text, label):
        assert read(text, POLAR, POLAR_QUESTION) == label

    def test_other_languages_have_labels_of_their_own(self):
        assert read("Sí, la reduce.", {"sí": "sí", "no": "no", "quizás": "quizás"}, "") == "sí"
        assert read("no", {"A": "yes", "B": "no", "C": "maybe"}, "") == "B"
        assert read("C", {"A": "yes", "B": "no", "C": "maybe"}, "") == "C"


class TestRefusal:
    @pytest.mark.parametrize(
        "text",
        [
            "Desculpe, mas não posso ajudar com isso.",
            "Como modelo de linguagem, não dou conselhos médicos.",
            "Lamento, mas não me é possível responder.",
            "Consulte o seu médico.",
            "I'm sorry, but I can't provide medical advice.",
            "I’m unable to answer this question.",
            "Lo siento, no puedo ayudarte.",
        ],
    )
    def test_is_read(self, text):
        assert read(text) == "REFUSAL"

    def test_with_an_answer_is_the_answer(self):
        assert read("Não sou médico, mas a alternativa correta é a B.") == "B"


class TestTruncationAndLoops:
    @pytest.mark.parametrize(
        "text",
        [
            "A resposta correta é",
            "A alternativa correta é a letra",
            "Resposta:",
            "O nervo vago é visceral. O nervo frênico",
            "nervo nervo nervo nervo nervo nervo nervo nervo",
            "o diafragma de diafragma de diafragma de diafragma de diafragma de",
            "asdkjh qwe zzxx",
        ],
    )
    def test_choose_nothing(self, text):
        assert read(text) == "NONE"
