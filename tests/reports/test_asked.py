"""What was asked, how much of it has an answer, and what that cost: told beside each figure, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchctl.statistics import proportion
from benchctl.types import Estimate
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render


@pytest.fixture(autouse=True)
def only_the_core(install):
    """No plugin of this machine may change what these tests see."""
    install()


def row_of(cells: list[list[str]], name: str) -> str:
    return " | ".join(next(row for row in cells if row[0].startswith(name)))


def details(page: str) -> str:
    """The text of all details, one space for any white space."""
    return " ".join(re.sub("<[^>]+>", " ", page.partition("popover id=")[2].partition("<script>")[0]).split())


def stopped(run, answered: int, right: int, cut: int = 0):
    """The run as Ctrl-C or a kill leaves it, with so many of its questions answered."""
    counts = {**run.counts, "answered": answered, "cut": cut, "outcomes": {"choice": answered} if answered else {}}
    estimates = {"accuracy": proportion([1.0] * right + [0.0] * (answered - right))} if answered else {}
    return replace(run, status="interrupted", counts=counts, estimates=estimates)


def test_of_questions_asked_several_times_the_answers_are_told_apart_from_the_questions(record, table):
    run = record("medqa-pt", "m", 0, n=200, repeats=4)
    often = replace(run, counts={**run.counts, "n": 800})
    page = render(build_leaderboard([stopped(often, 30, 9)]), "en")
    told = row_of(table(page), "m")
    assert "4 answers a question" in told
    assert "200 of 1,273 questions n = 30 interrupted: 30 of 800 answers" in told


def test_prompts_that_were_cut_are_not_told_as_questions_where_each_was_asked_several_times(record, table):
    run = record("medqa-pt", "m", 9, n=20, repeats=4)
    often = replace(run, counts={**run.counts, "n": 80, "answered": 80, "cut": 44})
    page = render(build_leaderboard([often]), "pt")
    assert "20 de 1.273 perguntas" in row_of(table(page), "m") and "44 prompts cortados" in row_of(table(page), "m")
    assert "44 de 80 prompts cortados à esquerda" in details(page)


def test_an_interrupted_run_tells_how_far_it_came(record, table):
    page = render(build_leaderboard([stopped(record("medqa-pt", "m", 0), 308, 79, cut=251)]), "pt")

    assert "n = 308 interrompido: 308 de 1.273 perguntas" in row_of(table(page), "m")
    assert "todas as 1.273 · com resposta: 308" in details(page)
    assert "251 de 308 prompts cortados" in details(page), "those without an answer were not looked at"


def test_the_questions_a_figure_rests_on_are_told_where_only_some_were_asked_and_fewer_answered(record, table):
    page = render(build_leaderboard([stopped(record("medqa-pt", "m", 0, n=200), 30, 9)]), "en")

    assert "200 of 1,273 questions n = 30 interrupted: 30 of 200 questions" in row_of(table(page), "m")


def test_the_best_of_some_questions_is_not_called_the_highest_of_all(record, table):
    few = [record("medqa-pt", "lucky", 1, n=1), record("medqa-pt", "unlucky", 0, n=1)]
    page = render(build_leaderboard([*few, record("medqa-pt", "a", 800), record("medqa-pt", "b", 500)]), "pt")

    assert "100,0% maior valor medido nestas perguntas" in row_of(table(page), "lucky")
    assert "62,8% maior valor medido nestas perguntas" in row_of(table(page), "a")


@pytest.mark.parametrize(("status", "told"), [("complete", True), ("interrupted", False), ("running", False)])
def test_times_of_a_sittings_start_are_not_told_as_the_time_it_took(record, status, told):
    run = replace(stopped(record("medqa-pt", "m", 0), 40, 10), status=status)
    page = render(build_leaderboard([run if told else replace(run, estimates={})]), "pt")

    assert ("3 min 12 s em 1 sessão" in details(page)) is told


def test_a_figure_that_is_not_there_rests_on_no_question(record, table):
    killed = stopped(record("medqa-pt", "morto", 0), 0, 0)
    page = render(
        build_leaderboard(
            [killed, replace(killed, status="running", spec=replace(killed.spec, model="vivo"), model={})]
        ),
        "pt",
    )

    assert "sem resultado interrompido: 0 de 1.273 perguntas" in row_of(table(page), "morto")
    assert row_of(table(page), "vivo").endswith("sem resultado em andamento"), "how far it is, its record does not tell"


def test_the_details_tell_the_first_questions_from_drawn_ones(record):
    run = record("medqa-pt", "m", 90, n=200, seed=7)
    drawn = replace(run, spec=replace(run.spec, drawn=True))

    assert "200 de 1.273 perguntas · as primeiras" in details(render(build_leaderboard([run]), "pt"))
    assert "200 of 1,273 questions · drawn with seed 7" in details(render(build_leaderboard([drawn]), "en"))


def test_the_details_tell_tokens_cost_and_the_length_allowed(record):
    paid = record("medqa-pt", "openai:x", 800, scoring="generate", max_tokens=256)
    paid = replace(paid, counts={**paid.counts, "prompt_tokens": 9630, "completion_tokens": 360, "cost": 0.027675})
    page = render(build_leaderboard([paid]), "pt")

    assert "9.630 tokens lidos, 360 gerados · custo 0,027675, pelos preços do benchctl.toml" in details(page)
    assert "até 256 tokens" in details(page)
    assert "Consumo" not in render(build_leaderboard([record("medqa-pt", "m", 800)]), "pt"), "where nothing was counted"


@pytest.mark.parametrize(
    ("lang", "n", "cell", "told"),
    [("pt", 37, "37 respostas cortadas no limite de tokens", "37 de 1.273, no limite de tokens"),
     ("pt", 1, "1 resposta cortada no limite de tokens", "1 de 1.273, no limite de tokens"),
     ("en", 37, "37 answers cut at their token limit", "37 of 1,273, at the token limit"),
     ("en", 0, "", "")],
)  # fmt: skip
def test_answers_that_end_at_their_length_limit_are_told(record, table, lang, n, cell, told):
    run = record("medqa-pt", "m", 640, scoring="generate")
    page = render(build_leaderboard([replace(run, counts={**run.counts, "unfinished": n})]), lang)

    assert row_of(table(page), "m").endswith(cell or "n = 1,273") and told in details(page)


@pytest.mark.parametrize(
    ("lang", "cell", "told"),
    [("pt", "61 respostas lidas por leitor", "Lidas por um modelo 61 de 80 que as regras não leram, por leitor"),
     ("en", "61 answers read by leitor", "Read by a model 61 of 80 that the rules could not read, by leitor")],
)  # fmt: skip
def test_answers_that_a_model_read_are_told(record, table, lang, cell, told):
    run = record("medqa-pt", "m", 640, scoring="generate")
    facts = {"model": "leitor", "put": 80, "read": 61, "unreadable": 2, "failed": 0, "fingerprint": "f"}
    page = render(build_leaderboard([replace(run, added={"extraction": facts})]), lang)

    assert cell in row_of(table(page), "m") and told in details(page)
    alone = render(build_leaderboard([run]), lang)
    assert "leitor" not in alone and told.partition(" 61")[0] not in details(alone)


def test_a_groups_details_tell_which_members_were_asked_in_part_or_interrupted(record, groups):
    first, second, *rest = groups[0].members
    runs = [record(first, "m", 9, n=20), stopped(record(second, "m", 0), 100, 30), *(record(t, "m", 50) for t in rest)]
    told = details(render(build_leaderboard(runs, groups=groups[:1]), "pt"))

    assert "9 acertos em 20 · IC 95%: 25,82–65,79 (wilson) · as primeiras 20 de 135 perguntas" in told
    assert "30 acertos em 100 · IC 95%: 21,89–39,58 (wilson) · interrompido: 100 de 265 perguntas" in told


@pytest.mark.parametrize(
    ("lang", "cell", "told"),
    [("pt", "amostra: 1 pergunta ", ("1 acerto em 1 ", "amostra embutida: 1 pergunta escrita", "Perguntas a única ")),
     ("en", "sample: 1 question ", ("1 right of 1 ", "built-in sample: 1 question written", "Questions the only one "))],
)  # fmt: skip
def test_one_question_and_one_right_answer_are_told_in_the_singular(record, table, lang, cell, told):
    one = record("medqa-pt", "m", 1, n=1, total=1, source="builtin", builtin=True)
    page = render(build_leaderboard([one]), lang)

    assert cell in row_of(table(page), "m") + " "
    for words in told:
        assert words in details(page)


@pytest.mark.parametrize(
    ("lang", "best", "tied", "wrong"),
    [("pt", "menor valor medido", "não se distingue do menor", "maior"),
     ("en", "lowest measured value", "not separable from the lowest", "highest")],
)  # fmt: skip
def test_where_lower_is_better_the_best_is_called_the_lowest(record, table, lang, best, tied, wrong):
    bits = {"good": (3.0, 2.9, 3.2), "near": (3.1, 3.0, 3.3), "bad": (5.4, 5.3, 5.5)}
    runs = [
        record("medtext", m, 0, total=8, estimates={"bits_per_byte": Estimate(*v[:1], 8, 0.1, *v[1:], "t", higher_is_better=False)})
        for m, v in bits.items()
    ]  # fmt: skip
    page = render(build_leaderboard(runs), lang)
    cells = table(page)

    assert best in row_of(cells, "good") and tied in row_of(cells, "near")
    assert wrong not in "".join(row_of(cells, m) for m in bits)
    assert {"pt": "ou a métrica que a coluna nomeia", "en": "or the metric its column names"}[lang] in page


def test_charts_and_a_groups_details_tell_the_first_questions_from_drawn_ones(record, groups):
    """Of a sorted file the first hundred stand for nothing but themselves."""
    members = groups[0].members
    runs = [record(task, m, 20, n=50, drawn=d) for m, d in (("first", False), ("drawn", True)) for task in members]
    page = render(build_leaderboard(runs, groups=groups[:1]), "pt")
    dots = dict(re.findall(r'<li data-row="measured" data-model="(\w+)">.*?class="warn">([^<]*)', page, re.S))
    assert dots == {"first": "as primeiras 50 de 272 perguntas", "drawn": "50 de 272 perguntas"}
    panel = page.partition("first</bdi> · mmlu-medical-pt")[2].partition("</div>")[0]
    assert panel.count("as primeiras 50 de ") == len(members)
