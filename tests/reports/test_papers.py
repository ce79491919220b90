"""The table for a paper or a README: the page's numbers and remarks, in LaTeX and Markdown that hold any name."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from benchctl_reports.asides import remarks
from benchctl_reports.language import LANGUAGES, load_language
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render
from benchctl_reports.papers import ESCAPES, render_table

HOSTILE = "|<script>x</script> **a** \\input{/etc/passwd} 50% & #1 _b_ ~ ^ $x$ {c} [d](e) `f`\nnext"


@pytest.fixture(autouse=True)
def only_the_core(install):
    """No plugin of this machine may change what these tests see."""
    install()


class _Text(HTMLParser):
    """Text of an HTML page, its elements apart."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def markdown(text: str) -> str:
    """Markdown as another program renders it: HTML."""
    return str(MarkdownIt("commonmark").enable("table").render(text)).replace("<br>", " ")


def text_of(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    return " ".join(" ".join(reader.parts).split())


def unescaped(latex: str) -> str:
    """LaTeX without its comments, and without what a backslash stands before."""
    lines = (line for line in latex.splitlines() if not line.startswith("%"))
    return re.sub(r"\\[^a-zA-Z]", "", "\n".join(lines))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_markdown_has_the_pages_numbers_in_the_pages_order(board, table, lang):
    _, *page = [row for row in table(render(board, lang)) if len(row) > 1]
    heads, *ours = [row for row in table(markdown(render_table(board, lang, "markdown"))) if any(row[1:])]
    places = [1 + i for i, one in enumerate(board.columns) if any(title.startswith(one.title) for title in heads[1:])]
    assert len(places) == len(board.columns) - 1, "a group measured in part has no figure, and no column"
    assert [row[0].split()[0] for row in ours] == [row[0].split()[0] for row in page]
    percent = re.compile(r"\d+[.,]\d+%|\d+[.,]\d+–\d+[.,]\d+")
    figures = 0
    for shown, cells in zip(ours, page, strict=True):
        for here, there in zip(shown[1:], (cells[place] for place in places), strict=True):
            assert percent.findall(here)[:2] == percent.findall(there)[:2]  # the value and its interval
            figures += len(percent.findall(here)[:2])
    assert figures > 60


@pytest.mark.parametrize("form", ["latex", "markdown"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_remark_of_the_page_is_lost(board, lang, form):
    words = load_language(lang)
    text = " ".join(render_table(board, lang, form).split())
    rows = [row for section in board.sections for row in section.rows]
    shown = [c for c in board.columns if any(c.task in row.cells and row.cells[c.task].estimate for row in rows)]
    said = {
        aside.title or aside.text
        for row in rows for column in shown
        if (cell := row.cells.get(column.task)) for aside in remarks(cell, column, words)
    }  # fmt: skip
    assert len(said) > 20
    lost = [one for one in said if ESCAPES[form](one) not in text]
    assert not lost


def test_the_best_value_is_bold_and_what_it_cannot_be_told_from_is_marked(record):
    runs = [record("medqa-pt", name, right) for name, right in (("first", 700), ("close", 690), ("far", 300))]
    text = render_table(build_leaderboard(runs), "pt", "markdown")
    rows = {line.split("<br>")[0].strip("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert "**55,0%**" in rows["first"] and "54,2% ≈" in rows["close"] and "≈" not in rows["far"]
    latex = render_table(build_leaderboard(runs), "en", "latex")
    assert r"\textbf{55.0\%}" in latex and r"54.2\% $\approx$" in latex


def test_every_letter_of_a_cell_has_its_note_and_every_note_a_letter(board):
    text = render_table(board, "pt", "markdown")
    cells, _, below = text.rpartition("|\n")
    used = {letter for marks in re.findall(r"<sup>([a-z,]+)</sup>", cells) for letter in marks.split(",")}
    assert used == set(re.findall(r"^<sup>([a-z]+)</sup> \S", below, re.M)) and len(used) > 10


def test_latex_has_as_many_cells_in_every_row_and_closes_what_it_opens(board):
    text = unescaped(render_table(board, "pt", "latex"))
    assert text.count("{") == text.count("}")
    assert re.findall(r"\\begin\{(\w+)\}", text).count("tabular") == text.count(r"\end{tabular}")
    body = render_table(board, "pt", "latex").partition("\\midrule\n")[2].partition("\\bottomrule")[0]
    rows = [row for row in re.split(r" \\\\\n", body) if row.strip() and "multicolumn" not in row]
    columns = text.partition(r"\begin{tabular}{p{6cm}")[2].partition("}")[0]
    assert len(rows) > 10 and {unescaped(row).count("&") for row in rows} == {len(columns)}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_any_text_stands_in_latex_as_text(text):
    left = ESCAPES["latex"](text)
    for written in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textbar{}", r"\textless{}",
                    r"\textgreater{}", r"\textquotedbl{}", r"\textasciigrave{}", "$-$", r"$\approx$", r"$\Delta$"):  # fmt: skip
        left = left.replace(written, "")
    assert not re.search("--|,,|''", left), "LaTeX makes another sign of two"
    left = re.sub(r"([-,'])\{\}(?=\1)", r"\1", left)
    left = re.sub(r"\\[&%$#_{}]", "", left)
    assert not re.search(r"[\\&%$#_{}~^|<>\"`]", left)


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1).map(lambda text: f"x{text}x"))
def test_any_text_stands_in_markdown_as_text(text):
    rendered = markdown(f"| a |\n| --- |\n| {ESCAPES['markdown'](text)} |\n")
    assert text_of(rendered) == f"a {text}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_from_runs_are_text_and_nothing_else(record, table, lang):
    board = build_leaderboard([record("medqa-pt", "m", 640, manifest={"name": HOSTILE})], title=HOSTILE)
    html = markdown(render_table(board, lang, "markdown"))
    assert "<script" not in html and "<strong>a" not in html and "<a " not in html and "<code" not in html
    assert " ".join(HOSTILE.split()) in text_of(html)
    latex = render_table(board, lang, "latex")
    assert r"\input" not in latex and latex.startswith("% ") and "next" not in latex.splitlines()[1]


@pytest.mark.parametrize("name", ["[1ex] modelo", "* modelo"])
def test_a_name_is_no_argument_of_the_row_before_it_in_latex(record, name):
    runs = [record("medqa-pt", other, right) for other, right in (("first", 700), (name, 600))]
    text = render_table(build_leaderboard(runs), "pt", "latex")
    assert name in text and not re.search(r"\\\\\s*[\[*]", text)


def test_the_first_questions_of_a_file_are_told_from_a_draw(record):
    first, drawn = (record("pubmedqa-pt", m, 150, n=150, drawn=d) for m, d in (("first", False), ("drawn", True)))
    shown = render_table(build_leaderboard([first, drawn]), "pt", "markdown")
    assert "as primeiras 150 de 500 perguntas" in shown and re.search(r"[^s] 150 de 500 perguntas", shown)


@pytest.mark.parametrize(
    ("lang", "told"), [("pt", "</sup> 6 de 9 tarefas: sem média"), ("en", "</sup> 6 of 9 tasks: no mean")]
)
def test_a_group_without_a_mean_says_how_many_of_its_tasks_there_are(record, groups, lang, told):
    """On the page the number stands in the cell; here the note is all there is."""
    runs = [record(task, "m", 60) for task in groups[0].members]
    runs += [record(task, "whole", 60) for task in groups[1].members]
    assert told in render_table(build_leaderboard(runs, groups=[groups[1]]), lang, "markdown")
