"""What the model reads: golden prompts, examples that are never test questions, templates with plain errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl.errors import BadConfig, BadData
from benchctl.plugins import get_plugins
from benchctl.prompts import PromptBuilder, choose_shots
from benchctl.scoring import get_scoring
from benchctl.types import Generate, Message, Sample

QUESTION = Sample("1", "Qual vitamina falta no escorbuto?", {"A": "A", "B": "B12", "C": "C", "D": "K"}, "C")
SHOT = Sample("s", "Qual órgão produz a insulina?", {"A": "fígado", "B": "pâncreas", "C": "baço", "D": "rim"}, "B")
ABSTRACT = Sample("2", "A dose importa?", {x: x for x in ("sim", "não", "talvez")}, "talvez", "Estudo com 40 adultos.")


def asked(sample, scoring, *, task="medmcqa-pt", **kwargs):
    made = get_plugins().create("task", task)
    return get_scoring(made, scoring, 64).requests(sample, PromptBuilder(made, scoring, **kwargs))


def test_letter_lists_the_options_and_asks_for_the_letter():
    (request,) = asked(QUESTION, "letter")
    assert request.prompt == (
        "Responda a cada pergunta com a letra da alternativa correta.\n\n"
        "Qual vitamina falta no escorbuto?\nA) A\nB) B12\nC) C\nD) K\nResposta:"
    )
    assert request.choices == (" A", " B", " C", " D")


def test_option_does_not_list_and_asks_for_the_text():
    (request,) = asked(QUESTION, "option", shots=(SHOT,))
    assert request.prompt == (
        "Responda corretamente a cada pergunta.\n\n"
        "Qual órgão produz a insulina?\nResposta: pâncreas\n\n"
        "Qual vitamina falta no escorbuto?\nResposta:"
    )
    assert request.choices == (" A", " B12", " C", " K")


def test_perplexity_asks_for_one_whole_text_per_option_and_does_not_score_the_first_token():
    requests = asked(QUESTION, "perplexity")
    assert [r.text[-3:] for r in requests] == [": A", "B12", ": C", ": K"]
    assert not any(r.score_first for r in requests)


def test_yes_no_maybe_shows_the_abstract_and_no_list():
    (request,) = asked(ABSTRACT, "letter", task="pubmedqa-pt")
    assert request.prompt == (
        "Leia o resumo e responda à pergunta com sim, não ou talvez.\n\n"
        "Estudo com 40 adultos.\n\nA dose importa?\nResposta:"
    )
    assert request.choices == (" sim", " não", " talvez")


def test_a_chat_model_gets_turns_and_choices_without_a_leading_space():
    (request,) = asked(QUESTION, "letter", shots=(SHOT,), chat=True)
    assert [m.role for m in request.prompt] == ["system", "user", "assistant", "user"]
    assert request.prompt[2] == Message("assistant", "B")
    assert request.choices == ("A", "B", "C", "D")


def test_free_answers_are_asked_to_end_with_the_letter():
    (request,) = asked(QUESTION, "generate", shots=(SHOT,))
    assert isinstance(request, Generate)
    assert "Resposta: Alternativa B\n\n" in request.prompt
    assert request.max_tokens == 64


def test_a_users_template_replaces_the_wording_and_brings_no_instruction():
    template = "### {{ question }}|{{ choices['B'] }}|{{ scoring }}\n### Resposta:\n\n"
    (request,) = asked(QUESTION, "letter", template=template)
    assert request.prompt == "### Qual vitamina falta no escorbuto?|B12|letter\n### Resposta:\n"
    assert request.choices == ("A", "B", "C", "D"), "white space at the end: no space more"


def test_a_template_with_an_unknown_name_says_which_there_are():
    with pytest.raises(BadConfig, match="'pergunta' is undefined") as stop:
        asked(QUESTION, "letter", template="{{ pergunta }}")
    assert "question" in stop.value.hint


def test_a_broken_template_says_the_line():
    with pytest.raises(BadConfig, match="line 2"):
        asked(QUESTION, "letter", template="oi\n{% if %}")


@pytest.mark.parametrize("template", ["{{ question + 1 }}", "{{ 1 / 0 }}", "{{ choices['A'].nothing() }}", "", " \n"])
def test_a_template_that_cannot_be_filled_in_or_is_empty_is_refused(template):
    with pytest.raises(BadConfig, match=r"template, sample 1: |template is empty"):
        asked(QUESTION, "letter", template=template)


def test_a_template_cannot_reach_into_the_program():
    with pytest.raises(BadConfig):
        asked(QUESTION, "letter", template="{{ question.__class__.__mro__[1].__subclasses__() }}")


POOL = tuple(Sample(f"p{i}", f"Exemplo {i}?", {"A": "x"}, "A") for i in range(12))


@given(seed=st.integers(0, 999), count=st.integers(0, 8))
def test_examples_depend_on_the_seed_alone_and_never_repeat(seed, count):
    drawn = choose_shots(POOL, (QUESTION,), count, seed, "t")
    assert drawn == choose_shots(POOL, (QUESTION,), count, seed, "t")
    assert len({shot.id for shot in drawn}) == count


def test_a_test_question_is_never_an_example_whatever_its_case_and_spaces():
    near = Sample("n", "  QUAL vitamina falta no ESCORBUTO ? ", {"A": "x"}, "A")
    for seed in range(30):
        assert near not in choose_shots((*POOL, near), (QUESTION,), 12, seed, "t")
    with pytest.raises(BadData, match="1 examples wanted, 0 at hand"):
        choose_shots((near,), (QUESTION,), 1, 0, "t")


@pytest.mark.parametrize("name", ["medmcqa-pt", "medqa-pt", "pubmedqa-pt", "cosmosqa-pt", "mmlu-anatomy-pt"])
def test_the_shipped_examples_are_no_shipped_test_questions(name):
    task = get_plugins().create("task", name)
    tested = {(s.context, s.question) for s in task.load("builtin").samples}
    assert len(task.shots("builtin")) >= 5
    assert not tested & {(s.context, s.question) for s in task.shots("builtin")}


def kept_prompt(benchctl, task, model="majority"):
    """What the record of a run keeps of its first prompt, and what 'show' prints of it."""
    ran = benchctl("run", "--task", task, "--model", model, "--data", "builtin", "--limit", "2", "--json")
    run = json.loads(ran.out)[0]["run"]
    return json.loads(benchctl("show", run, "--json").out)["prompt"], benchctl("show", run, "--prompt")


def test_a_run_keeps_the_finished_prompt_of_its_first_question(benchctl):
    kept, shown = kept_prompt(benchctl, "medmcqa-pt")
    assert kept["text"].startswith("Responda a cada pergunta com a letra") and kept["text"].endswith("\nResposta:")
    assert kept["choices"] == [" A", " B", " C", " D"]
    assert shown.out == f"{kept['text']}\n"


def test_of_a_corpus_no_text_is_kept_as_a_prompt(benchctl, stories):
    kept, shown = kept_prompt(benchctl, "medtext", stories)
    assert kept == {} and shown.code == 1 and "A corpus has none" in shown.err
