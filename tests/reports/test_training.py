"""Trained models on the leaderboard: the paired difference to their base, and the curves of their training."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchctl.pairing import Difference
from benchctl_reports.board import Gain
from benchctl_reports.gains import base_of, with_gains
from benchctl_reports.language import LANGUAGES, load_language
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render
from benchctl_reports.trainings import SIDE, axis, trainings
from tests.scripted_runs import right_in, run, surprised

ADAPTER = {"name": "tuned", "method": "LORA", "hash": "c0ffee", "merged": False, "parameters": 100}
TRAINING = {
    "schema": 1, "recipe": "tiny-qlora", "method": "qlora", "objective": "sft", "base": "base", "quant": "nf4",
    "data": {"source": "drbyte_ptbr_valid.csv", "rows": 1500, "validation_rows": 150, "hash": "ab" * 32},
    "parameters": {"all": 222_000, "trainable": 16_880, "share": 0.076}, "steps": 200, "epochs": 2.13, "seconds": 74.0,
    "losses": {"train": 1.21, "validation": 1.37, "validation_before": 4.05}, "peak_bytes": 612_000_000,
    "chosen": {"step": 100, "by": "validation_loss", "why": "lowest", "value": 1.37}, "tokens_per_second": 8123.4,
    "settings": {"r": 16, "targets": ["q_proj", "v_proj"]},
    "curves": {"train": [[50, 2.0], [100, 1.5], [150, 1.3], [200, 1.21]],
               "validation": [[0, 4.05], [100, 1.37], [200, 1.5]]},
}  # fmt: skip
DPO = {**TRAINING, "recipe": "tiny-dpo", "objective": "dpo",
       "curves": {**TRAINING["curves"], "margin": [[50, 0.1], [200, 0.9]], "accuracy": [[50, 0.5], [200, 0.95]]}}  # fmt: skip


@pytest.fixture
def base(tmp_path):
    """A base's run of MedMCQA's built-in sample: right in 1 to 12 of 24."""
    return run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)), {"weights_hash": "w1"})


def tuned(tmp_path: Path, name: str = "tuned", places: range = range(1, 21), **manifest):
    """A run of a model with an adapter on the base: right in 1 to 20."""
    made = {"weights_hash": "w1", "adapter": ADAPTER, **manifest}
    return run(tmp_path / "runs", "medmcqa-pt", name, right_in(places), made)


def boarded(*stored, groups=()):
    board = build_leaderboard([s.record for s in stored], groups=groups)
    return with_gains(board, {s.record.id: s.path for s in stored})


def gain(board, model: str, task: str = "medmcqa-pt") -> Gain | None:
    rows = [row for section in board.sections for row in section.rows if row.model == model]
    return next(cell.gain for row in rows if (cell := row.cells.get(task)) is not None)


def test_an_adapter_stands_beside_its_base_with_a_paired_difference(base, tmp_path):
    board, problems = boarded(base, tuned(tmp_path))
    found = gain(board, "tuned")

    assert not problems and gain(board, "base") is None
    assert (found.base, found.difference.gained, found.difference.lost) == ("base", 8, 0)
    assert found.difference.p == 2 / 2**8
    assert found.difference.verdict == "better"


def test_whole_models_are_known_by_the_name_their_training_recorded(base, tmp_path):
    whole = tuned(tmp_path, weights_hash="other", adapter=None, training={**TRAINING, "base": "base"})
    stranger = tuned(
        tmp_path, "stranger", weights_hash="third", adapter=None, training={**TRAINING, "base": "elsewhere"}
    )
    board, _ = boarded(base, whole, stranger)

    assert gain(board, "tuned").base == "base"
    assert gain(board, "stranger") is None


def test_a_base_held_in_the_same_precision_comes_before_the_plain_one(base, tmp_path):
    nf4 = {"quantisation": {"scheme": "nf4"}}
    small = run(tmp_path / "runs", "medmcqa-pt", "small", right_in(range(1, 9)), {"weights_hash": "w1", **nf4})
    board, _ = boarded(base, small, tuned(tmp_path, **nf4), tuned(tmp_path, "plain", range(1, 15)))

    assert gain(board, "tuned").base == "small (nf4)"
    assert gain(board, "plain").base == "base"


def test_an_adapter_is_no_base_of_another_one(tmp_path):
    board, _ = boarded(tuned(tmp_path), tuned(tmp_path, "second", range(1, 4)))

    assert gain(board, "tuned") is None and gain(board, "second") is None


def test_other_settings_other_questions_and_unfinished_runs_are_not_compared(base, tmp_path):
    out = tmp_path / "runs"
    manifest = {"weights_hash": "w1", "adapter": ADAPTER}
    shots = run(out, "medmcqa-pt", "shots", right_in(range(1, 21)), manifest, shots=2)
    few = run(out, "medmcqa-pt", "few", right_in(range(1, 21)), manifest, limit=10)
    whole = tuned(tmp_path)
    unfinished = replace(whole, record=replace(whole.record, status="incomplete"))
    board, _ = boarded(base, shots, few, unfinished)

    assert [gain(board, name) for name in ("shots", "few", "tuned")] == [None, None, None]
    row = next(r for r in board.sections[0].rows if r.model == "shots")
    assert base_of(row, board.sections[0].rows) is None


def test_several_trained_models_of_a_column_are_adjusted(base, tmp_path):
    board, _ = boarded(base, tuned(tmp_path), tuned(tmp_path, "less", range(1, 19)))
    strong, weak = (gain(board, name).difference for name in ("tuned", "less"))

    assert (strong.p, weak.p) == (2 / 2**8, 2 / 2**6)
    assert (strong.p_holm, weak.p_holm) == (4 / 2**8, 2 / 2**6)


def test_the_answers_of_a_base_are_read_once_for_all_models_of_a_column(base, tmp_path, files_read):
    models = [tuned(tmp_path, f"tuned-{last}", range(1, last)) for last in (14, 18, 21)]
    files_read.clear()
    board, problems = boarded(base, *models)

    assert not problems and all(gain(board, model.record.spec.model) for model in models)
    assert files_read[base.path / "samples.jsonl"] == files_read[base.path / "scores.jsonl"] == 1


def test_a_group_is_compared_over_all_its_questions(tmp_path, groups):
    out = tmp_path / "runs"
    stored = []
    for task in groups[0].members:
        stored.append(run(out, task, "base", right_in(range(1, 5)), {"weights_hash": "w1"}))
        stored.append(run(out, task, "tuned", right_in(range(2, 9)), {"weights_hash": "w1", "adapter": ADAPTER}))
    board, _ = boarded(*stored, groups=groups[:1])
    found = gain(board, "tuned", "mmlu-medical-pt").difference
    members = [gain(board, "tuned", task).difference for task in groups[0].members]

    assert found.n == sum(d.n for d in members)
    assert (found.gained, found.lost) == (sum(d.gained for d in members), sum(d.lost for d in members))


def test_bits_per_byte_of_a_corpus_are_compared_and_lower_is_better(tmp_path):
    out = tmp_path / "runs"
    one = run(out, "medtext", "base", surprised(lambda s: 3.0 + 0.1 * int(s.id[-1])), {"weights_hash": "w1"})
    two = run(out, "medtext", "tuned", surprised(lambda s: 2.0 + 0.07 * int(s.id[-1])),
              {"weights_hash": "w1", "adapter": ADAPTER})  # fmt: skip
    board, _ = boarded(one, two)
    found = gain(board, "tuned", "medtext").difference
    page = render(board, "pt")

    assert board.columns[0].metric == "bits_per_byte"
    assert found.value == pytest.approx(two.record.estimates["bits_per_byte"].value
                                        - one.record.estimates["bits_per_byte"].value)  # fmt: skip
    assert found.low < found.value < found.high < 0 and found.verdict == "better"
    assert load_language("pt").points(found) in page and "menor é melhor" in page


def test_answers_that_are_gone_cost_the_difference_and_not_the_report(base, tmp_path, benchctl):
    whole = tuned(tmp_path)
    (whole.path / "samples.jsonl").unlink()
    ran = benchctl("report", "--runs", tmp_path / "runs")

    assert ran.code == 0
    assert "warning: no paired difference for medmcqa-pt" in ran.err


@pytest.mark.parametrize(
    ("lang", "shown", "word"),
    [("pt", "+33,3 [8,4; 53,2] sobre base", "melhor"), ("en", "+33.3 [8.4; 53.2] over base", "better")],
)
def test_the_cell_says_the_difference_its_interval_and_in_words_what_it_means(base, tmp_path, table, lang, shown, word):
    board, _ = boarded(base, tuned(tmp_path))
    row = next(row for row in table(render(board, lang)) if row[0].startswith("tuned"))
    low, high = gain(board, "tuned").difference.low, gain(board, "tuned").difference.high
    written = load_language(lang).points(gain(board, "tuned").difference)

    assert f"{written} {'sobre' if lang == 'pt' else 'over'} base: {word}" in row[1]
    assert written.startswith(shown.partition(" ")[0]) and low < 8 / 24 < high


def test_the_details_have_counts_test_and_method(base, tmp_path):
    board, _ = boarded(base, tuned(tmp_path))
    page = " ".join(re.sub(r"<[^>]+>", " ", render(board, "pt")).split())

    for said in (
        "24 perguntas em comum",
        "8 só este acerta, 0 só a base",
        "p = 0,008 (mcnemar-exact)",
        "intervalo: tango",
    ):
        assert said in page, said


def test_a_difference_that_chance_gives_is_not_called_better(base, tmp_path, table):
    board, _ = boarded(base, tuned(tmp_path, places=range(1, 15)))
    row = next(row for row in table(render(board, "pt")) if row[0].startswith("tuned"))

    assert gain(board, "tuned").difference.p == 0.5
    assert "não se distingue" in row[1] and "melhor" not in row[1]


def test_only_a_board_with_differences_explains_them(base, tmp_path):
    words = escape(load_language("pt").text("notes.gains"))

    assert words in render(boarded(base, tuned(tmp_path))[0], "pt")
    assert words not in render(boarded(base)[0], "pt")


@pytest.mark.parametrize(
    ("value", "percent", "pt"),
    [(0.0417, True, "+4,2"), (-0.0417, True, "−4,2"), (0.0, True, "0,0"), (-0.8123, False, "−0,812"),
     (0.0001, True, "0,0")],
)  # fmt: skip
def test_differences_have_a_sign_unless_they_are_nothing(value, percent, pt):
    assert load_language("pt").signed(value, percent) == pt


def test_a_difference_without_interval_is_only_a_number():
    alone = Difference(0.5, None, None, 1.0, 1, 0.0, 0.5, "none", "permutation", percent=True)
    assert load_language("en").points(alone) == "+50.0"


@pytest.fixture
def trained(record):
    """A board of one model trained by SFT and one by DPO."""

    def make(**changes):
        runs = [record("medqa-pt", "sft", 400, manifest={"training": {**TRAINING, **changes}}),
                record("medmcqa-pt", "sft", 1400, manifest={"training": {**TRAINING, **changes}}),
                record("medqa-pt", "dpo", 500, manifest={"training": DPO}), record("medqa-pt", "plain", 300)]  # fmt: skip
        return build_leaderboard(runs)

    return make


def test_every_trained_model_has_its_curves_once(trained):
    found = {one.model: one for one in trainings(trained())}

    assert list(found) == ["dpo", "sft"]
    assert [plot.kind for plot in found["sft"].plots] == ["loss"]
    assert [plot.kind for plot in found["dpo"].plots] == ["loss", "margin", "accuracy"]
    assert found["sft"].table[0] == (0, (None, 4.05)) and found["sft"].names == ("train", "validation")


def test_the_drawing_has_every_point_where_it_belongs(trained):
    plot = next(one for one in trainings(trained()) if one.model == "sft").plots[0]
    validation = plot.lines[1]
    spots = [tuple(float(v) for v in spot.split()) for spot in validation.path.removeprefix("M").split("L")]

    assert (plot.x.low, plot.x.high) == (0, 200) and plot.y.low <= 1.21 and plot.y.high >= 4.05
    for (step, value), (across, down) in zip(validation.points, spots, strict=True):
        assert across == pytest.approx(step / 200 * SIDE, abs=0.01)
        assert down == pytest.approx((plot.y.high - value) / (plot.y.high - plot.y.low) * SIDE, abs=0.01)
    assert plot.chosen == pytest.approx((50.0, spots[1][1]), abs=0.01)


@pytest.mark.parametrize(
    ("low", "high"), [(1.21, 4.05), (0, 3400), (0, 7), (0.002, 0.0021), (-3.0, 2.0), (5, 5), (0, 0)]
)
def test_scales_have_round_numbers_that_enclose_the_values(low, high):
    found = axis(low, high)
    gaps = [b - a for a, b in zip(found.ticks, found.ticks[1:], strict=False)]

    assert found.low <= low and found.high >= high and 2 <= len(found.ticks) <= 8
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    for tick in found.ticks:
        assert round(tick, found.decimals) == pytest.approx(tick, abs=1e-9)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_tells_how_a_model_was_trained(trained, lang):
    page = render(trained(), lang)
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    portuguese = ("16.880 de 222.000", "7,60%", "passo 100", "1 min 14 s", "584 MiB", "8.123 tokens por segundo",
                  "validação antes 4,050", "2,13 épocas", "1.500 linhas")  # fmt: skip
    english = ("16,880 of 222,000", "7.60%", "step 100", "1 min 14 s", "584 MiB", "8,123 tokens per second",
               "validation before 4.050", "2.13 epochs", "1,500 rows")  # fmt: skip

    for shown in (*(portuguese if lang == "pt" else english), "tiny-qlora", "q_proj, v_proj"):
        assert shown in text, shown


@pytest.mark.parametrize(
    ("lang", "steps", "epochs", "told"),
    [("pt", 1, 0.14, "1 passo · 0,14 época"), ("pt", 7, 1.0, "7 passos · 1,00 época"),
     ("pt", 9, 2.0, "9 passos · 2,00 épocas"), ("en", 1, 0.14, "1 step · 0.14 epochs")],
)  # fmt: skip
def test_a_short_trainings_length_is_told_in_the_singular(record, lang, steps, epochs, told):
    short = record("medmcqa-pt", "m", 600, manifest={"training": {**TRAINING, "steps": steps, "epochs": epochs}})

    assert f"<dd>{told}</dd>" in render(build_leaderboard([short]), lang)


class Drawings(HTMLParser):
    """Every drawing with a role, and the text of its title and description."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.texts: dict[str, str] = {}
        self._id = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "svg" and given.get("role") == "img":
            self.labels.append(given["aria-labelledby"])
        if tag in ("title", "desc"):
            self._id = given.get("id") or ""

    def handle_data(self, data):
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data

    def handle_endtag(self, tag):
        if tag in ("title", "desc"):
            self._id = ""


def test_every_drawing_has_a_title_a_description_and_its_values_as_text(trained):
    page = render(trained(), "pt")
    read = Drawings(page)

    assert len(read.labels) == 4
    for label in read.labels:
        title, description = label.split()
        assert read.texts[title].strip() and re.search(r"de .* no passo \d+ a ", read.texts[description])
    assert "Valores das curvas (5 passos)" in page and "1,3700" in page


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [({"by": "validation_loss", "why": "lowest"}, "passo 100 · a menor perda de validação de todas as avaliações<"),
     ({"by": "last", "why": "the last step"}, "passo 100 · o último, como pede a receita<"),
     ({"by": "medqa-pt", "why": "best medqa-pt"}, "passo 100 · o melhor resultado em medqa-pt de todas as avaliações<"),
     ({"why": "an older record's words"}, 'passo 100 · <bdi lang="en">an older record&#39;s words</bdi><'),
     ({}, "passo 100<")],
)  # fmt: skip
def test_the_page_says_in_its_language_what_chose_the_checkpoint(record, chosen, shown):
    said = {**TRAINING, "chosen": {"step": 100, **chosen}}
    page = render(build_leaderboard([record("medqa-pt", "m", 400, manifest={"training": said})]), "pt")

    assert shown in re.sub(r"\s+", " ", page)


def test_a_board_without_trainings_has_no_such_section(record):
    assert load_language("pt").text("training.heading") not in render(
        build_leaderboard([record("medqa-pt", "m", 400)]), "pt"
    )


@pytest.mark.parametrize(
    "said",
    [{}, "yes", {"curves": "none"}, {"curves": {"train": [[1, None], ["x", 2], [3], None, [4, float("nan")]]}},
     {"parameters": None, "losses": {"train": None}, "chosen": {"step": "last"}, "recipe": None},
     {"curves": {"validation": [[0, 2.0]]}, "chosen": {"step": 999}},
     {"recipe": "<script>alert(1)</script>", "data": {"source": "<img src=x onerror=alert(1)>", "rows": "many"},
      "settings": {"<b>": "<i>"}, "chosen": {"step": 1, "why": "<script>"}},
     {"chosen": {"step": 1, "by": "<script>{0}"}}],
)  # fmt: skip
def test_a_damaged_or_hostile_training_does_no_harm(record, said):
    page = render(build_leaderboard([record("medqa-pt", "m", 400, manifest={"training": said})]), "pt")

    assert (
        page.count("<script>") == 1
        and "<img" not in page
        and "nan" not in page.partition("</style>")[2].lower().split()
    )


def test_curves_travel_in_the_record_and_are_read_from_it_alone(base, tmp_path, benchctl):
    tuned(tmp_path, training=TRAINING)
    ran = benchctl("report", "--runs", tmp_path / "runs", "--json")
    page = Path("report.html").read_text("utf-8")

    assert ran.code == 0 and not ran.err and json.loads(ran.out)["rows"] == 2
    assert "Treinos" in page and 'class="curve validation"' in page and " sobre base" in page


def test_a_trained_model_has_the_name_it_was_registered_under_and_is_not_called_untrained(tmp_path):
    base = run(tmp_path / "runs", "medmcqa-pt", "tiny", right_in(range(1, 13)), {"weights_hash": "w1"})
    manifest = {"weights_hash": "w1", "adapter": ADAPTER, "training": TRAINING, "name": "tiny"}
    mine = run(tmp_path / "runs", "medmcqa-pt", "mine", right_in(range(1, 21)), manifest)
    board, _ = boarded(base, mine)

    assert [(row.model, row.untrained) for row in board.sections[0].rows] == [("mine", False), ("tiny", True)]
    assert gain(board, "mine").base == "tiny"


def test_a_whole_model_is_known_by_the_hash_of_the_base_s_weights_before_any_name(base, tmp_path):
    said = {**TRAINING, "base": "base-989b3a2dc31e", "base_weights": "w1"}
    board, _ = boarded(base, tuned(tmp_path, weights_hash="own", adapter=None, training=said))
    other, _ = boarded(base, tuned(tmp_path / "2", weights_hash="own", adapter=None,
                                   training={**said, "base": "base", "base_weights": "w2"}))  # fmt: skip

    assert gain(board, "tuned").base == "base"
    assert gain(other, "tuned") is None
