"""The page in a real browser, opened from a file: sort, filter, hide, remember, export, explain."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchctl.pairing import Difference
from benchctl.types import Estimate
from benchctl_reports.board import Gain
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render
from benchctl_reports.reference_scores import as_reference, multiple_choice

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")
NAMES = "tbody tr[data-row]:not([hidden]) .name"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for all tests here."""
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_file(tmp_path: Path, record, install, groups) -> Path:
    """A leaderboard with measured rows, a baseline, a hostile name, a partial group and references."""
    install()
    runs = [
        record("medqa-pt", "hf:Médico", 640, manifest={"quantisation": {"scheme": "nf4"}, "adapter": {"name": "=lora"}}),
        record("medqa-pt", "alfa", 500), record("medqa-pt", "majority", 353),
        record("medmcqa-pt", "alfa", 2500, manifest={"training": {"data": {"leaks": {"medmcqa-pt": 7, "medqa-pt": 0}}}}), record("medmcqa-pt", "majority", 1348),
        record("medqa-pt", "=1+1<img src=x onerror=alert(1)>", 450),
        *(record(task, "alfa", 60) for task in groups[0].members[:4]),
    ]  # fmt: skip
    references = [as_reference(row, "source-studies") for row in multiple_choice()]
    file = tmp_path / "placar.html"
    file.write_text(render(build_leaderboard(runs, references, groups), "pt"), encoding="utf-8")
    return file


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Any]:
    """The page in a tab; the test fails if the browser complained about it or it asked for anything else."""
    complaints: list[str] = []
    asked: list[str] = []
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    tab.on("request", lambda request: asked.append(request.url))
    tab.add_init_script("addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.blockedURI))")
    tab.goto(page_file.as_uri())
    yield tab
    tab.close()
    assert complaints == []
    assert {url for url in asked if not url.startswith("blob:")} == {page_file.as_uri()}


def names(tab: Any, kind: str = "measured") -> list[str]:
    return [text.strip() for text in tab.locator(NAMES.replace("[data-row]", f"[data-row={kind}]")).all_inner_texts()]


def test_a_column_sorts_both_ways_and_says_so(opened):
    heading = opened.locator("th[data-key=medqa-pt]")
    assert heading.get_attribute("aria-sort") == "descending"
    assert names(opened) == ["hf:Médico", "alfa", "=1+1<img src=x onerror=alert(1)>"]

    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert names(opened) == ["=1+1<img src=x onerror=alert(1)>", "alfa", "hf:Médico"]


def test_the_first_touch_brings_the_best_to_the_top_where_less_is_better_too(browser, tmp_path, record, install):
    install()
    bits = {m: Estimate(v, 8, 0.1, v - 1, v + 1, "t", higher_is_better=False) for m, v in (("good", 4), ("bad", 6))}
    runs = [record("medtext", m, 0, total=8, estimates={"bits_per_byte": e}) for m, e in bits.items()]
    runs += [record("medqa-pt", "good", 400), record("medqa-pt", "bad", 500)]
    file = tmp_path / "placar.html"
    file.write_text(render(build_leaderboard(runs), "pt"), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    assert names(tab) == ["bad", "good"]

    tab.locator("th[data-key=medtext] button").click()
    assert names(tab) == ["good", "bad"]
    tab.close()


def test_rows_without_a_value_stay_last_and_only_one_column_is_sorted(opened):
    heading = opened.locator("th[data-key=medmcqa-pt]")
    for _ in range(2):
        heading.get_by_role("button").click()
        assert names(opened)[0] == "alfa"
    assert opened.locator("th[aria-sort]").count() == 1


def test_references_never_move_among_measured_rows(opened):
    opened.locator("th[data-key=model] button").click()
    kinds = opened.eval_on_selector_all("tr[data-row]", "rows => rows.map(row => row.dataset.row)")

    assert kinds.index("reference") == len(kinds) - kinds.count("reference")


def test_the_filter_ignores_accents_and_case(opened):
    opened.get_by_label("Filtrar modelos").fill("MEDICO")

    assert names(opened) == ["hf:Médico"]
    assert opened.locator("#shown").inner_text().startswith("1 de ")
    opened.get_by_label("Filtrar modelos").fill("nobody")
    assert opened.locator("#shown").inner_text() == "Nenhuma linha corresponde ao filtro."


def test_references_baselines_and_members_can_be_hidden(opened):
    assert names(opened, "reference") and names(opened, "baseline") == ["majority"]
    opened.get_by_label("Mostrar referências").uncheck()
    opened.get_by_label("Mostrar linhas de base").uncheck()
    opened.get_by_label("Mostrar as tarefas dos grupos").uncheck()

    assert not names(opened, "reference") and not names(opened, "baseline")
    assert not opened.get_by_text("Relatado, não medido").first.is_visible()
    assert not opened.locator("th[data-key=mmlu-anatomy-pt]").is_visible()


def test_the_address_keeps_the_view(opened, browser):
    opened.locator("th[data-key=medmcqa-pt] button").click()
    opened.get_by_label("Filtrar modelos").fill("a")
    opened.get_by_label("Mostrar linhas de base").uncheck()
    again = browser.new_page()
    again.goto(opened.url)

    assert again.locator("th[aria-sort]").get_attribute("data-key") == "medmcqa-pt"
    assert again.get_by_label("Filtrar modelos").input_value() == "a"
    assert names(again) == names(opened)
    again.close()


def test_skipping_to_the_table_keeps_the_view_and_its_address(opened):
    opened.get_by_label("Filtrar modelos").fill("medico")
    opened.locator("th[data-key=model] button").click()
    before = opened.url
    opened.get_by_role("link", name="Ir para a tabela").press("Enter")
    opened.wait_for_function("document.activeElement.id === 'table' && location.hash !== '#table'")

    assert opened.url == before and names(opened) == ["hf:Médico"]
    assert opened.get_by_label("Filtrar modelos").input_value() == "medico"


def test_a_value_explains_itself_at_the_keyboard_and_closes_again(opened):
    cell = opened.locator("tr[data-model=alfa] td[data-task=medqa-pt] button")
    cell.focus()
    opened.keyboard.press("Enter")
    dialog = opened.get_by_role("dialog")

    assert dialog.get_by_text("500 acertos em 1.273").is_visible()
    opened.keyboard.press("Escape")
    assert dialog.count() == 0
    assert cell.evaluate("button => document.activeElement === button")


@pytest.mark.parametrize("width", [360, 900])
def test_a_value_that_the_keyboard_reaches_is_not_behind_the_head_or_the_names(opened, width):
    opened.set_viewport_size({"width": width, "height": 600})
    behind = opened.evaluate("""() => {
        const buttons = [...document.querySelectorAll('td > button')]
        return [...buttons, ...buttons.reverse()].filter(button => {
            button.focus()
            const box = button.getBoundingClientRect()
            return !button.contains(document.elementFromPoint(box.left + 4, box.top + 4))
        }).map(button => button.textContent.trim())
    }""")

    assert behind == []


def test_a_long_explanation_is_read_from_its_title_on_with_the_arrow_keys(opened):
    opened.set_viewport_size({"width": 360, "height": 400})
    opened.locator("tr[data-model=alfa] td[data-task=medqa-pt] button").press("Enter")
    dialog = opened.get_by_role("dialog")

    assert dialog.evaluate("box => document.activeElement === box && box.scrollTop === 0")
    opened.keyboard.press("ArrowDown")
    assert dialog.evaluate("box => box.scrollTop || new Promise(done => box.onscroll = () => done(box.scrollTop))") > 0


def downloaded(tab, button):
    """The name and the text of the file that a button gives."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name=button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text(encoding="utf-8-sig")


def csv_of(browser, file, board, lang="en"):
    """The text of the CSV that a page of its own gives."""
    file.write_text(render(board, lang), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    _, text = downloaded(tab, "Download CSV" if lang == "en" else "Baixar CSV")
    tab.close()
    return io.StringIO(text)


def test_csv_has_a_line_per_value_and_no_formula(opened):
    name, text = downloaded(opened, "Baixar CSV")
    lines = list(csv.DictReader(io.StringIO(text), delimiter=";"))  # as 'compare --csv --lang pt' and spreadsheets do

    assert name == "placar.csv"
    majority = next(line for line in lines if line["modelo"] == "majority" and line["tarefa"] == "medmcqa-pt")
    assert (majority["valor"], majority["n"], majority["tipo"]) == ("32,2257", "4183", "linha de base")
    assert {line["modelo"] for line in lines if "onerror" in line["modelo"]} == {"'=1+1<img src=x onerror=alert(1)>"}
    quantised = {(line["modelo"], line["quantizacao"], line["adaptador"]) for line in lines if line["quantizacao"]}
    assert quantised == {("hf:Médico", "nf4", "'=lora")}
    leaked = {(line["modelo"], line["tarefa"], line["linhas_vazadas"]) for line in lines if line["linhas_vazadas"]}
    assert leaked == {("alfa", "medmcqa-pt", "7"), ("alfa", "multimedqa-pt", "7")}
    assert {line["tipo"] for line in lines} == {"medido", "linha de base", "relatado"}


def test_csv_says_who_judged_and_the_p_that_the_words_follow(browser, tmp_path, record, install):
    install()
    total = Estimate(7.0, 80, 0.2, 6.6, 7.4, "bootstrap-bca")
    judged = record("long-answer-pt", "alfa", 0, total=80, estimates={"judge_total": total},
                    added={"judge_total": {"by": "judge", "judges": ["openai:g"]}})  # fmt: skip
    board = build_leaderboard([judged])
    (section,) = board.sections
    (row,) = section.rows
    gain = Gain("base", Difference(0.5, 0.1, 0.9, 0.03, 80, 6.5, 7.0, "bootstrap-bca", "permutation", p_holm=0.09))
    cells = {task: replace(cell, gain=gain) for task, cell in row.cells.items()}
    board = replace(board, sections=(replace(section, rows=(replace(row, cells=cells),)),))
    (line,) = csv.DictReader(csv_of(browser, tmp_path / "leaderboard.html", board))

    assert "cannot be told apart" in render(board, "en")
    assert (line["difference_p"], line["difference_p_holm"], line["judges"]) == ("0.03", "0.09", "openai:g")


def test_a_run_named_like_a_number_stays_a_name_in_a_spreadsheet(browser, tmp_path, record, install):
    install()
    runs = [
        replace(record("medqa-pt", name, 500), id=name) for name in ("084461992800", "46228693e112", "46e22869cafe")
    ]
    text = csv_of(browser, tmp_path / "placar.html", build_leaderboard(runs), "pt")

    named = {line["execucao"] for line in csv.DictReader(text, delimiter=";")}
    assert named == {"'084461992800", "'46228693e112", "46e22869cafe"}


def test_csv_tells_rows_of_one_name_apart(browser, tmp_path, record, install, groups):
    """Below the name the page says repeats, prompt, examples and the model's hash; of a group there is no run to go by."""
    install()
    runs = [record(task, f"hf:exp{i}/final", 50 + i, weights=str(i), manifest={"name": "final"})
            for task in groups[0].members for i in (1, 2)]  # fmt: skip
    board = build_leaderboard(runs, groups=groups[:1])
    lines = [line for line in csv.DictReader(csv_of(browser, tmp_path / "leaderboard.html", board))
             if line["task"] == groups[0].name]  # fmt: skip
    assert [line["model"] for line in lines] == ["final"] * 2
    told = {f"letter · 0-shot · model {row.key.fingerprint[:8]}" for row in board.sections[0].rows}
    assert {line["setup"] for line in lines} == told and len(told) == 2


def test_in_english_the_csv_has_commas_between_values_and_points_in_them(browser, tmp_path, record, install):
    install()
    board = build_leaderboard([record("medmcqa-pt", "alfa", 1348)])
    (line,) = csv.DictReader(csv_of(browser, tmp_path / "leaderboard.html", board))

    assert (line["model"], line["value"], line["n"]) == ("alfa", "32.2257", "4183")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_scrolls_the_table_and_not_the_page(opened, scheme):
    opened.set_viewport_size({"width": 360, "height": 740})
    opened.emulate_media(color_scheme=scheme)
    opened.evaluate("document.querySelector('.scroll').scrollLeft = 200")

    assert opened.evaluate("document.documentElement.scrollWidth") == 360
    assert opened.locator("tr[data-model=alfa] th").bounding_box()["x"] < 20
    opened.emulate_media(color_scheme="light")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_dots_of_a_chart_share_one_scale(opened, width):
    opened.set_viewport_size({"width": width, "height": 740})
    rails = opened.eval_on_selector_all(
        ".charts details[open] li svg", "all => all.map(svg => svg.getBoundingClientRect()).map(b => [b.left, b.right])"
    )

    assert len(rails) > 3
    assert all(rail == rails[0] for rail in rails), "50% must be in one place, with and without an interval beside it"


def test_on_paper_headings_are_plain_text_and_signs_are_explained(opened):
    """Chromium repeats a table's head on every page, but not the buttons in it."""
    opened.emulate_media(media="print")

    assert opened.get_by_text("MedMCQA").first.is_visible()
    assert set(opened.eval_on_selector_all(".sort", "all => all.map(b => getComputedStyle(b).display)")) == {"contents"}
    assert opened.get_by_text("Ponto vazado: relatado").is_visible()
    assert not opened.get_by_text("Toque em um valor").is_visible()
    opened.emulate_media(media="screen")


@pytest.mark.parametrize("more", [0, 3, 8])
def test_no_column_is_cut_off_by_the_paper(browser, tmp_path, record, install, groups, more):
    install()
    tasks = [*groups[1].members, "cosmosqa-pt", *(f"conhecimentos-gerais-{i}-pt" for i in range(more))]
    runs = [record(task, "m", 60, total=100) for task in tasks]
    file = tmp_path / "placar.html"
    file.write_text(render(build_leaderboard(runs, groups=groups), "pt"), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1046, "height": 700})  # A4 across, less its margins
    tab.emulate_media(media="print")
    tab.goto(file.as_uri())

    assert tab.locator("thead th").count() == 13 + more
    assert tab.evaluate("document.documentElement.scrollWidth") == 1046
    tab.close()


def test_without_javascript_the_table_the_charts_and_the_explanations_are_there(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page_file.as_uri())

    assert not tab.locator("#controls").is_visible()
    assert len(names(tab)) == 3
    assert tab.locator(".charts li").first.is_visible()
    tab.locator("tr[data-model=alfa] td[data-task=medqa-pt] button").click()
    assert tab.get_by_role("dialog").get_by_text("500 acertos em 1.273").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_training_curves_are_seen_on_wide_and_narrow_screens(browser, tmp_path, record, install, scheme):
    install()
    curves = {"train": [[10, 2.0], [90, 1.0]], "validation": [[0, 2.5], [50, 1.4], [90, 1.5]]}
    said = {"recipe": "tiny-lora", "base": "tiny", "chosen": {"step": 50, "why": "lowest"}, "curves": curves}
    file = tmp_path / "placar.html"
    runs = [record("medqa-pt", "treinado", 640, manifest={"training": said})]
    file.write_text(render(build_leaderboard(runs), "pt"), encoding="utf-8")
    for width in (1280, 360):
        tab = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
        tab.goto(file.as_uri())
        drawing = tab.get_by_role("img", name="Perda: treinado")
        line = drawing.locator(".curve.validation")

        assert drawing.bounding_box()["width"] > width / 2 and line.bounding_box()["height"] > 40
        assert line.evaluate("line => getComputedStyle(line).stroke") != "none"
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        tab.get_by_text("Valores das curvas").click()
        assert tab.get_by_role("cell", name="1,4000").is_visible()
        tab.close()
