"""The page: what a reader sees, in both languages, and that nothing hostile or remote is in it."""

from __future__ import annotations

import base64
import hashlib
import re
import string
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from benchctl.hookspecs import hookimpl
from benchctl.statistics import proportion
from benchctl.types import Estimate
from benchctl_reports.language import LANGUAGES, load_language
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render
from benchctl_reports.reference_scores import as_reference

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "<script>alert(1)</script>\"' onmouseover=x &amp; \u202egpt"


@pytest.fixture(autouse=True)
def only_the_core(install):
    """No plugin of this machine may change what these tests see."""
    install()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_reads_as_the_one_looked_at(board, table, lang):
    """To change it on purpose: delete golden/table_LANG.txt, run the test once, and read the new file."""
    text = "".join(" | ".join(row) + "\n" for row in table(render(board, lang)))
    golden = GOLDEN / f"table_{lang}.txt"
    if not golden.exists():
        golden.write_text(text, encoding="utf-8")
        pytest.fail(f"{golden} was written: read it, then run again")

    assert text == golden.read_text(encoding="utf-8")


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", "", page).split())


def row_of(cells: list[list[str]], name: str) -> str:
    return " | ".join(next(row for row in cells if row[0].startswith(name)))


def test_numbers_are_written_as_the_language_writes_them(board, table):
    portuguese, english = (row_of(table(render(board, lang)), "majority") for lang in LANGUAGES)

    assert "32,2% 30,8–33,7 n = 4.183" in portuguese
    assert "32.2% 30.8–33.7 n = 4,183" in english


def test_a_subset_a_partial_group_and_a_failed_call_cannot_be_overlooked(board, table):
    cells = table(render(board, "pt"))

    assert "200 de 4.183 perguntas 31 prompts cortados" in row_of(cells, "hf:small")
    assert "4 de 6 tarefas medidas: sem média" in row_of(cells, "hf:small")
    assert "incompleto 12 erros de chamada 100 alternativas inventadas" in row_of(cells, "openai:x")
    assert "62,5% das 4.000 respondidas" in row_of(cells, "openai:x")
    assert "1 linha ruim deixada de fora" in row_of(cells, "hf:zephyr")


def test_a_single_answered_question_is_told_in_the_singular(record, table):
    one = record("medqa-pt", "m", 1, n=25, outcomes={"choice": 1, "none": 24})
    page = render(build_leaderboard([one]), "pt")

    assert "100,0% da única respondida" in row_of(table(page), "m")


@pytest.mark.parametrize(
    ("lang", "tag", "cell", "explained", "noted", "all_tests"),
    [("pt", "treinado com o teste", "treinado em 1.207 linhas com perguntas de medmcqa-pt",
      "foi treinado, com --allow-leaks, em 1.207 linhas que contêm perguntas deste teste (medmcqa-pt). Pode ter aprendido",
      "“Treinado com o teste” marca", "medmcqa-pt: 1.207 linhas; pubmedqa-pt: 3 linhas; exam &amp; key.csv: 1 linha"),
     ("en", "trained on the test", "trained on 1,207 rows with questions of medmcqa-pt",
      "was trained, with --allow-leaks, on 1,207 rows that hold questions of this test (medmcqa-pt). It may have learnt",
      "“Trained on the test” marks", "medmcqa-pt: 1,207 rows; pubmedqa-pt: 3 rows; exam &amp; key.csv: 1 row")],
)  # fmt: skip
def test_a_model_trained_on_the_test_is_marked_wherever_its_figure_stands(
    board, table, lang, tag, cell, explained, noted, all_tests
):
    page = render(board, lang)
    marked = [row for row in table(page) if tag in row[0]]
    shown, *others = [text for text in marked[0] if "71" in text]

    assert [row[0].split()[0] for row in marked] == ["leaky"] and not others
    assert cell in shown and "★" not in shown and load_language(lang).text("cell.best") not in shown
    assert load_language(lang).text("cell.best") in row_of(table(page), "hf:zephyr")
    panel = page[page.index("popover id=") :]
    assert text_of(panel).count(explained) == 1, "in the details of the one cell, not of the model's every cell"
    drawn = page[page.index('class="charts"') : page.index("popover id=")]
    assert cell in drawn and all_tests in text_of(drawn) and noted in page


def test_a_page_without_such_a_model_does_not_speak_of_it(record):
    leaks = {"data": {"leaks": {"medmcqa-pt": 7}}}
    page = render(build_leaderboard([record("medqa-pt", "m", 640, manifest={"training": leaks})]), "en")

    assert "trained on the test" not in page.lower() and "trained on 7 rows" not in page
    assert "medmcqa-pt: 7 rows" in text_of(page), "what it was trained on stands with its training"


def test_the_built_in_sample_is_called_a_sample_in_its_section_its_cell_and_its_details(board, table):
    page = render(board, "pt")

    assert "amostra: 24 perguntas" in row_of(table(page), "tiny")
    assert row_of(table(page), "Amostra embutida: perguntas escritas para testar o programa")
    assert "amostra embutida: 24 perguntas escritas para testar o programa" in page.partition("popover id=")[2]
    assert load_language("pt").text("page.sample_only") not in page


def test_a_page_with_nothing_but_the_sample_says_so_at_the_top(record):
    board = build_leaderboard([record("medqa-pt", "m", 12, total=24, source="builtin", builtin=True)])

    assert load_language("en").text("page.sample_only") in render(board, "en")


@pytest.mark.parametrize(("lang", "words"), [("pt", "relatado, não medido"), ("en", "reported, not measured")])
def test_every_reference_row_is_marked_with_language_and_scoring_under_its_source(board, table, lang, words):
    cells = table(render(board, lang))
    rows = [row[0] for row in cells if words in row[0]]

    assert len(rows) == len(board.references) == 10
    tests = ("teste em inglês", "teste em português") if lang == "pt" else ("test in English", "test in Portuguese")
    assert all(any(test in row for test in tests) for row in rows)
    assert sum("Figueredo (2024)" in row[0] for row in cells) == 2


def test_each_cell_says_what_it_rests_on(board):
    page = render(board, "pt")
    record = board.sections[0].rows[0].cells["medmcqa-pt"].record

    for fact in (record.id, record.fingerprints["data"], record.fingerprints["model"], "3.11.7", "3 min 12 s", "letra",
                 "accuracy|wilson"):  # fmt: skip
        assert fact in page


def test_the_disclaimer_is_there_in_both_languages(board):
    assert "Não é para uso clínico." in render(board, "pt")
    assert "Not for clinical use." in render(board, "en")


def test_the_same_leaderboard_gives_the_same_page(board):
    assert render(board, "pt") == render(board, "pt")


class Page(HTMLParser):
    """Every tag with its attributes, every id, and the text of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in = tag

    def handle_endtag(self, tag):
        self._in = ""

    def handle_data(self, data):
        if self._in in ("style", "script"):
            self.raw[self._in] = self.raw.get(self._in, "") + data


def test_nothing_is_fetched_from_anywhere(board):
    page = Page(render(board, "pt"))

    assert not [t for t, _ in page.tags if t in ("link", "img", "iframe", "object", "embed", "base", "video", "audio")]
    assert not [a for _, given in page.tags for a in given if a in ("src", "srcset", "action", "formaction", "style")]
    assert {given["href"] for _, given in page.tags if "href" in given} == {"#table"}
    assert not re.search(r"url\(|@import|https?:", page.raw["style"])
    assert not re.search(r"fetch\(|import|https?:|innerHTML|eval", page.raw["script"])


def test_the_policy_names_the_one_style_and_the_one_script_by_hash(board):
    page = Page(render(board, "en"))
    policy = next(given["content"] for _, given in page.tags if given.get("http-equiv") == "Content-Security-Policy")

    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for name, text in page.raw.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_every_control_points_to_something_and_ids_are_unique(board):
    page = Page(render(board, "pt"))
    ids = [given["id"] for _, given in page.tags if "id" in given]

    assert len(ids) == len(set(ids))
    for _, given in page.tags:
        for name in ("popovertarget", "aria-labelledby"):
            assert given.get(name) is None or given[name] in ids


def test_hostile_text_stays_text(record):
    run = record("medqa-pt", HOSTILE, 400, source=HOSTILE, errors=1, bad_rows=2, manifest={"dtype": HOSTILE},
                 revision=HOSTILE)  # fmt: skip
    reference = as_reference(
        {"model": HOSTILE, "kind": "reported", "language": HOSTILE, "scoring": HOSTILE, "source": HOSTILE,
         "note": HOSTILE, "scores": {"medqa-pt": 50}}, "x")  # fmt: skip
    page = render(build_leaderboard([run], [reference], title=HOSTILE), "pt")

    assert page.count("<script>") == 1
    assert "&lt;script&gt;" in page
    assert not [a for _, given in Page(page).tags for a in given if a.startswith("on")]


def test_long_names_break_after_separators_and_are_otherwise_untouched(record):
    page = render(build_leaderboard([record("medqa-pt", "hf:org/model,quant=nf4", 400)]), "en")

    assert '<bdi class="name">hf:<wbr>org/<wbr>model,<wbr>quant=<wbr>nf4</bdi>' in page


def test_outcomes_and_scorings_nobody_translated_are_shown_by_their_name(record):
    run = record("medqa-pt", "m", 400, scoring="dice", outcomes={"choice": 1270, "sang": 3})
    page = render(build_leaderboard([run]), "pt")

    assert "dice · 0-shot" in page
    assert "3 sang" in page


def test_a_plugin_may_add_to_the_environment_before_templates_load(record, install):
    plugin = ModuleType("shouting_plugin")

    @hookimpl
    def benchctl_jinja(env):
        env.filters["breakable"] = str.upper

    plugin.benchctl_jinja = benchctl_jinja
    install(plugin)

    assert '<bdi class="name">HF:X</bdi>' in render(build_leaderboard([record("medqa-pt", "hf:x", 400)]), "pt")


def test_both_languages_have_the_same_keys_and_placeholders():
    def fields(lang: str) -> dict[str, set[str]]:
        strings = load_language(lang).strings
        return {k: {name for _, name, _, _ in string.Formatter().parse(v) if name} for k, v in strings.items()}

    assert fields("pt") == fields("en")


@pytest.mark.parametrize(
    ("value", "pt", "en"),
    [(7241732096, "7,2 bi", "7.2B"), (7_000_000_000, "7 bi", "7B"), (82_000_000, "82 mi", "82M"),
     (260_032, "260 mil", "260K"), (500, "500", "500")],
)  # fmt: skip
def test_parameter_counts_are_short(value, pt, en):
    assert (load_language("pt").size(value), load_language("en").size(value)) == (pt, en)


@pytest.mark.parametrize(("seconds", "shown"), [(0.25, "0,2 s"), (192, "3 min 12 s"), (54000, "15 h 00 min")])
def test_durations_have_two_units_at_most(seconds, shown):
    assert load_language("pt").duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "pt", "en"), [(-1234.5, "−1.234,5", "−1,234.5"), (-0.04, "0,0", "0.0"), (0.04, "0,0", "0.0")]
)
def test_a_number_below_nothing_has_a_minus_sign_and_nothing_has_none(value, pt, en):
    assert (load_language("pt").number(value, 1), load_language("en").number(value, 1)) == (pt, en)


@pytest.mark.parametrize(("printed", "shown"), [(81.03, "81,03%"), (72.4, "72,4%"), (84.0, "84,0%")])
def test_reported_figures_keep_the_decimals_of_their_source(printed, shown):
    assert load_language("pt").printed(printed) == shown


@pytest.mark.parametrize(
    ("value", "pt", "en"),
    [(0.0002, "0,0002", "0.0002"), (16.0, "16", "16"), (2048, "2048", "2048"), (True, "sim", "yes"), (1e-5, "1e-05", "1e-05"),
     (["q_proj", 0.5], "q_proj, 0,5", "q_proj, 0.5"), ("0.53.0", "0.53.0", "0.53.0"),
     ({"double": False, "rate": 0.1, "none": None}, "(double não, rate 0,1)", "(double no, rate 0.1)")],
)  # fmt: skip
def test_settings_are_written_as_the_language_writes_numbers_and_not_as_python_does(value, pt, en):
    assert (load_language("pt").setting(value), load_language("en").setting(value)) == (pt, en)


def test_a_popover_writes_what_the_record_says_of_the_model_in_the_reports_language(record):
    held = {"quantisation": {"scheme": "nf4", "double_quant": True, "kernels": ["Linear4bit"]}, "load_seconds": 0.05}
    page = text_of(render(build_leaderboard([record("medqa-pt", "m", 640, manifest=held)]), "pt"))

    assert "quantisation (scheme nf4, double_quant sim, kernels Linear4bit); load_seconds 0,05" in page


def test_a_chart_says_which_dots_rest_on_fewer_questions_or_failed_calls(record):
    runs = [record("medqa-pt", "whole", 640), record("medqa-pt", "short", 200, n=400),
            record("medqa-pt", "broken", 300, errors=31), record("medqa-pt", "cut", 300, status="interrupted")]  # fmt: skip
    page = render(build_leaderboard(runs), "pt")
    said = {
        label[0]: label[1] for label in re.findall(r'<span class="label"><bdi[^>]*>(\w+)</bdi> (.*?)</small>', page)
    }

    assert {name: re.sub("<[^>]+>", "", text).removeprefix("letra · 0-shot") for name, text in said.items()} == {
        "whole": "", "short": " · as primeiras 400 de 1.273 perguntas", "broken": " · incompleto", "cut": " · interrompido",
    }  # fmt: skip


def test_text_has_enough_contrast_in_both_themes():
    style = (Path(__file__).parents[2] / "reports" / "static" / "leaderboard.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    pairs = [(ink, ground) for ink in ("ink", "muted", "accent", "reference", "bad", "sample")
             for ground in ("page", "panel", "accent-soft", "reference-soft", "sample-soft")]  # fmt: skip

    for theme in themes[:2]:
        for ink, ground in pairs:
            assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2 between two colours in hexadecimal."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_share_of_answers_that_loop_stands_in_the_cell(record, table):
    loops = Estimate(0.125, 40, 0.05, 0.05, 0.26, "wilson", higher_is_better=False, percent=True)
    whole = {"accuracy": proportion([1.0] * 10 + [0.0] * 30), "degenerate": loops}
    runs = [record("medmcqa-pt", "openai:x", 10, n=40, scoring="generate", estimates=whole)]
    board = build_leaderboard(runs, [], [], generated="2026-03-02T10:15:00+00:00")
    assert "12,5% em repetição" in row_of(table(render(board, "pt")), "openai:x")
    assert "12.5% stuck in a loop" in row_of(table(render(board, "en")), "openai:x")


def test_a_judged_task_shows_the_judges_total(record, table):
    judged = {
        "rouge1": Estimate(0.2, 12, 0.01, 0.1, 0.3, "bootstrap-bca"),
        "judge_total": Estimate(9.5, 12, 0.5, 8.5, 10.5, "bootstrap-bca"),
    }
    runs = [record("long-answer-pt", "zephyr", 0, total=12, estimates=judged)]
    board = build_leaderboard(runs, [], [], generated="2026-03-02T10:15:00+00:00")
    assert "9,5" in row_of(table(render(board, "pt")), "zephyr")


def test_a_row_tells_a_quantised_model_and_one_with_an_adapter_from_the_plain_one(record, table):
    held = {"quantisation": {"scheme": "nf4"}, "adapter": {"name": "med-<b>lora"}}
    board = build_leaderboard([record("medqa-pt", "zephyr", 640, weights="a", manifest=held)])

    assert "adaptador med-<b>lora · quantização nf4 · letra · 0-shot" in row_of(table(render(board, "pt")), "zephyr")
    assert "adapter med-<b>lora · quantisation nf4 · letter · 0-shot" in row_of(table(render(board, "en")), "zephyr")
