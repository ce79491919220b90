"""The page of a sweep: every trial in it, in both languages, in any width, and nothing fetched."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl_plugins.training.sweep.page import render
from benchctl_plugins.training.sweep.record import Row, Sweep
from benchctl_plugins.training.sweep.space import Space
from tests.training.fake_train import CHROMIUM, FLAGS, PISSA, TINY, FakeTrain, swept

pytest.importorskip("optuna", reason="needs the extra 'train'")


def example(rows: int = 11) -> Sweep:
    """Complete trials of the space ``tiny``; the first is the best, at exactly 4."""
    values = {
        "training.learning_rate": [1e-4 * 1.6**i for i in range(rows)], "adapter.r": [2, 4, 8, 16],
        "adapter.alpha": [8, 16, 32], "adapter.dropout": [0.05, 0.0, 0.1], "adapter.init": ["default", "gaussian", "olora"],
    }  # fmt: skip
    assert list(values) == [dimension.key for dimension in TINY.dimensions]
    found = [
        Row(i + 1, {key: some[i % len(some)] for key, some in values.items()}, "complete", 4 + 0.1 * (i * 7 % rows),
            60, 1234.5, f"trials/{i + 1:03}/tiny-lora/x")
        for i in range(rows)
    ]  # fmt: skip
    how = ("random", 0, True, "validation_loss", False)
    return Sweep(Path("sweeps/x/y"), "tiny-lora", "tiny", *how, rows, "complete", found, [])


def test_the_picture_has_a_curve_per_trial_through_every_axis_and_the_table_every_number():
    sweep = example()
    page = render(sweep, TINY.dimensions, "pt")

    curves = re.findall(r'<path d="([^"]+)"', page)
    assert len(curves) == 11
    assert all(curve.count("C") == len(TINY.dimensions) for curve in curves)
    assert page.count('id="trial-') == 11
    assert "perda de validação <b>4,0000</b>" in page and "1.234,5" in page and "0,05" in page
    english = render(sweep, TINY.dimensions, "en")
    assert "validation loss <b>4.0000</b>" in english and "1,234.5" in english


def test_the_page_fetches_nothing_and_runs_nothing():
    page = render(example(), TINY.dimensions, "pt")

    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!#)|@import|url\(|<script|style=\"", page)


def test_what_a_recipe_or_an_error_says_is_escaped():
    row = Row(
        1,
        {d.key: d.choices[0] if d.choices else d.low for d in TINY.dimensions},
        "failed",
        None,
        None,
        None,
        "",
        "<img src=x>",
    )
    sweep = Sweep(Path(), "<b>x</b>", "tiny", "tpe", 0, False, "validation_loss", False, 1, "interrupted", [row], [])
    page = render(sweep, TINY.dimensions, "en")

    assert "<img" not in page and "<b>x</b>" not in page and "&lt;img src=x&gt;" in page


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_on_their_axis(low, width):
    from benchctl_plugins.training.sweep.picture import HEIGHT, TOP, _Scale

    scale = _Scale.of_results([low, low + width], maximise=False)
    assert 2 <= len(scale.ticks) <= 7 or low + width == low
    assert all(TOP - 1 <= tick.y <= TOP + HEIGHT + 1 for tick in scale.ticks)
    assert scale.y(low) <= scale.y(low + width), "the lower loss is higher up"


def test_both_languages_have_the_same_words():
    import tomllib

    folder = Path(render.__code__.co_filename).parent / "strings"
    pt, en = (tomllib.loads((folder / f"{code}.toml").read_text("utf-8")) for code in ("pt", "en"))
    assert pt.keys() == en.keys()
    for key in pt:
        assert sorted(re.findall(r"\{\w+\}", pt[key])) == sorted(re.findall(r"\{\w+\}", en[key])), key


def test_a_browser_shows_the_page_without_complaint_in_any_width_and_light(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    sweep = swept(tmp_path, FakeTrain(), Space("own", (*TINY.dimensions[:3], PISSA)), "tiny-qlora", trials=8)
    file = tmp_path / "sweep.html"
    file.write_text(render(sweep, (*TINY.dimensions[:3], PISSA), "pt"), "utf-8")
    said: list[str] = []
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for width, scheme in itertools.product((380, 1280), ("light", "dark")):
            tab = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab.on("console", lambda message: said.append(message.text))
            tab.on("request", lambda request: said.append(request.url))
            tab.goto(file.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") == width, "nothing sticks out"
            outside = tab.evaluate("""() => {
                const box = document.querySelector('svg').getBoundingClientRect()
                return [...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect())
                    .filter(t => t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top).length
            }""")
            assert outside == 0, "no label is cut off"
        tab.emulate_media(media="print")
        assert tab.locator(".hint").first.is_visible(), "what the dashes mean is told on paper too"
        tab.emulate_media(media="screen")
        tab.locator("svg a").first.focus()
        tab.keyboard.press("Enter")
        tab.wait_for_url("**#trial-*")  # the browser follows a link some time after the key
        assert tab.locator("tr:target").count() == 1
        chromium.close()
    assert {text.partition("#")[0] for text in said} == {file.as_uri()}
