"""Sweeps: what is drawn, what a kill leaves, what is pruned, and what comes out."""

from __future__ import annotations

import itertools
import json
import math
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl.errors import BadConfig, ModelCallError, RecordError, UnknownName
from benchctl.fingerprints import digest
from benchctl_plugins.training.reading import find_recipe, recipes
from benchctl_plugins.training.running import Training, TrainOptions
from benchctl_plugins.training.sweep.drawing import SAMPLERS, Drawing
from benchctl_plugins.training.sweep.page import render
from benchctl_plugins.training.sweep.record import Row, Sweep
from benchctl_plugins.training.sweep.space import Dimension, Space, find_space, spaces
from benchctl_plugins.training.sweep.sweeping import SweepOptions, run_sweep

pytest.importorskip("optuna", reason="needs the extra 'train'")

EVALUATIONS = (10, 20, 30)
TINY = find_space("tiny")
PISSA = Dimension("adapter.init", ("pissa", "default"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@dataclass
class FakeTrain:
    """Trains in no time: the loss falls with the steps to a value that the parameters decide.

    Like the real one it finds its folder again, says nothing of steps that a checkpoint covers, and tells the losses
    of the others in the same order.
    """

    kill_at: int | None = None
    """Which evaluation, counted over all trainings, is the last thing this process does."""
    asked_at: int | None = None
    """Which evaluation Ctrl-C comes at: the training ends there, unless it is its last one or the trial is pruned."""
    data: str = "d1"
    fail: Any = None
    trained: list[str] = field(default_factory=list)
    evaluations: int = 0

    def __call__(self, recipe, options, on_evaluation=None):
        assert options.register is False and options.name is None
        folder = options.out / recipe.name / digest(recipe.model_dump(mode="json"))[:12]
        (folder / "adapter").mkdir(parents=True, exist_ok=True)
        self.trained.append(folder.name)
        if self.fail and self.fail(recipe):
            raise ModelCallError("Out of memory.", "Take a smaller batch.")
        done = folder / "done"
        begin = int(done.read_text()) if done.exists() else -1
        steps, stopped, asked = begin, False, False
        for step in EVALUATIONS:
            if step <= begin:
                continue
            steps = step
            self.evaluations += 1
            if self.evaluations == self.kill_at:
                raise Killed
            stopped = on_evaluation(step, self.loss(recipe, step))
            if stopped:
                asked = self.evaluations == self.asked_at
                break
            done.write_text(str(step))
            asked = self.evaluations == self.asked_at
            if asked and step < EVALUATIONS[-1]:
                return Training(folder, "interrupted", {}, asked)
        value = self.loss(recipe, steps)
        facts = {
            "status": "stopped" if stopped else "complete", "steps": steps, "seconds": 1.5, "base": "tiny", "data": {"hash": self.data},
            "losses": {"validation": value}, "chosen": {"step": steps, "why": "validation loss", "value": value},
        }  # fmt: skip
        return Training(folder, facts["status"], facts, asked)

    @staticmethod
    def loss(recipe, step):
        a, t = recipe.adapter, recipe.training
        best = (
            3 + abs(math.log10(t.learning_rate) + 2.4) + a.dropout + 1 / a.r + (a.init == "olora") * 0.1 + a.alpha / 100
        )
        return best + (10 - best) * math.exp(-step / 10)


def swept(out: Path, train: FakeTrain, space: Space = TINY, recipe: str = "tiny-lora", **options: Any) -> Sweep:
    return run_sweep(
        find_recipe(recipe), space, SweepOptions(out=out, **options), TrainOptions(), train, lambda line: None, lambda s: None
    )  # fmt: skip


def table(sweep: Sweep) -> list[tuple[Any, ...]]:
    """All that must not depend on a kill."""
    return [(r.number, dict(r.parameters), r.state, r.value, r.steps, r.folder) for r in sweep.rows]


def space_file(folder: Path, text: str) -> str:
    file = folder / "own.toml"
    file.write_text(text, "utf-8")
    return str(file)


# --- spaces


def test_the_spaces_that_ship_name_keys_of_recipes_they_are_meant_for():
    assert set(spaces()) == {"tiny", "s4-lora", "s4-qlora", "s4-ia3", "s4-full"}
    for name in spaces():
        recipe = "tiny-lora" if name == "tiny" else f"t5-tweetsumm-{name.removeprefix('s4-')}"
        draw = Drawing(find_space(name), "random", 0).next(find_recipe(recipe), [], [])
        assert draw.parameters is not None and set(draw.parameters) == {d.key for d in find_space(name).dimensions}
    assert recipes()


def test_the_space_of_study_s4_has_its_values():
    values = {d.key: d.choices for d in find_space("s4-lora").dimensions}
    assert values == {
        "training.learning_rate": (5e-4, 1e-4, 1e-3, 2e-5, 1e-5), "training.weight_decay": (0.01, 0.0),
        "adapter.r": (8, 16, 32), "adapter.alpha": (16, 32, 64),
        "adapter.targets": (["v", "q"], ["wi", "v", "wo", "lm_head", "k", "o", "q"]),
        "adapter.dropout": (0.0, 0.05, 0.1), "adapter.init": ("pissa", "olora"),
    }  # fmt: skip
    assert find_space("s4-lora").size == 5 * 2 * 3 * 3 * 2 * 3 * 2


def test_a_space_is_read_bare_dotted_or_in_sections(tmp_path):
    text = 'summary = "mine"\nr = [4, 8]\n"training.batch" = {low = 2, high = 8, step = 2}\n[training]\nlearning_rate = {low = 1e-4, high = 1e-2, log = true}\n'
    space = find_space(space_file(tmp_path, text))

    assert space.summary == "mine"
    assert [d.key for d in space.dimensions] == ["adapter.r", "training.batch", "training.learning_rate"]
    assert space.dimensions[1].values() == (2, 4, 6, 8)
    assert space.size is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat = [1e-4]", "learning_rate"),
        ("r = 8", "neither a list"),
        ("r = []", "neither a list"),
        ("r = [8, 8]", "twice"),
        ("r = [8]\n[adapter]\nr = [4]", "twice"),
        ("dropout = {low = 0.3, high = 0.1}", "low must be below high"),
        ("dropout = {low = 0.0, high = 0.1, log = true}", "above 0"),
        ("dropout = {low = 0, high = 0.1}", "both whole numbers"),
        ("dropout = {low = 0.0, high = 0.1, steps = 3}", "no 'steps'"),
        ("dropout = {low = 0.0}", "are numbers"),
        ("r = {low = 2, high = 8, step = 1.5}", "whole step"),
        ("summary = 'nothing'", "names no key"),
        ("name = ['a', 'b']", "no key 'name'"),
        ("r = [", "cannot be read"),
    ],
)
def test_a_space_that_cannot_be_meant_is_refused(tmp_path, text, said):
    with pytest.raises(BadConfig) as refused:
        find_space(space_file(tmp_path, text))
    assert said in f"{refused.value.message} {refused.value.hint}"


def test_an_unknown_space_names_those_near():
    with pytest.raises(UnknownName, match="no space called 'tyni'") as refused:
        find_space("tyni")
    assert "tiny" in refused.value.hint


# --- drawing


def draws(drawing: Drawing, recipe: str, count: int) -> list[dict[str, Any]]:
    """What a sweep of undecided trials would try."""
    from optuna.trial import TrialState, create_trial

    history: list[Any] = []
    refused: list[Any] = []
    found = []
    for _ in range(count):
        draw = drawing.next(find_recipe(recipe), history, refused)
        if draw.parameters is None:
            break
        refused += draw.refused
        found.append(draw.parameters)
        history.append(create_trial(
            state=TrialState.PRUNED, params=drawing.encoded(draw.parameters), distributions=drawing.distributions()
        ))  # fmt: skip
    return found


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31), sampler=st.sampled_from(SAMPLERS),
    r=st.lists(st.integers(1, 64), min_size=1, max_size=4, unique=True),
    dropout=st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.2]), min_size=1, max_size=3, unique=True),
)  # fmt: skip
def test_a_countable_space_is_drawn_to_its_end_without_repeating(seed, sampler, r, dropout):
    space = Space("own", (Dimension("adapter.r", tuple(r)), Dimension("adapter.dropout", tuple(dropout))))
    found = draws(Drawing(space, sampler, seed), "tiny-lora", 100)

    assert Counter(map(str, found)) == Counter(str(one) for one in space.combinations())


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_ranges_are_kept_and_drawn_alike_for_the_same_seed_only(sampler):
    space = Space("own", (
        Dimension("training.learning_rate", low=1e-5, high=1e-2, log=True), Dimension("adapter.r", low=1, high=64),
        Dimension("adapter.dropout", low=0.0, high=0.3, step=0.05),
    ))  # fmt: skip
    found = draws(Drawing(space, sampler, 3), "tiny-lora", 12)

    assert found == draws(Drawing(space, sampler, 3), "tiny-lora", 12)
    assert found != draws(Drawing(space, sampler, 4), "tiny-lora", 12)
    for one in found:
        assert 1e-5 <= one["training.learning_rate"] <= 1e-2
        assert isinstance(one["adapter.r"], int) and 1 <= one["adapter.r"] <= 64
        assert one["adapter.dropout"] in [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    below = sum(one["training.learning_rate"] < 10**-3.5 for one in found)
    assert 2 <= below <= 10, "a log range is drawn evenly over orders of magnitude"


def test_combinations_that_cannot_work_are_drawn_again_and_counted(tmp_path):
    space = Space("own", (
        Dimension("adapter.init", ("pissa", "default", "gaussian")), Dimension("adapter.r", (4, 8)),
    ))  # fmt: skip
    for sampler in SAMPLERS:
        train = FakeTrain()
        sweep = swept(tmp_path / sampler, train, space, "tiny-qlora", trials=11, sampler=sampler, prune=False)

        assert sweep.status == "exhausted"
        assert sorted((r.parameters["adapter.init"], r.parameters["adapter.r"]) for r in sweep.rows) == [
            ("default", 4), ("default", 8), ("gaussian", 4), ("gaussian", 8)
        ]  # fmt: skip
        assert sorted(one.parameters["adapter.r"] for one in sweep.refused) == [4, 8]
        assert all("pissa" in one.reason for one in sweep.refused)
        assert len(train.trained) == 4


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_space_in_which_nothing_can_work_is_refused_with_the_reason(tmp_path, sampler):
    space = Space("own", (Dimension("adapter.init", ("pissa",)), Dimension("adapter.r", (4, 8))))
    with pytest.raises(BadConfig, match="pissa"):
        swept(tmp_path, FakeTrain(), space, "tiny-qlora", sampler=sampler)


def test_a_grid_needs_values_that_can_be_listed(tmp_path):
    with pytest.raises(BadConfig, match="without steps"):
        swept(tmp_path, FakeTrain(), sampler="grid")


def test_tpe_finds_better_values_than_chance(tmp_path):
    """Over three seeds, 20 trials each: the loss here has one clear valley."""

    def best(sampler: str, seed: int) -> float:
        return swept(
            tmp_path / f"{sampler}{seed}", FakeTrain(), trials=20, sampler=sampler, seed=seed, prune=False
        ).best.value

    assert sum(best("tpe", s) for s in range(3)) < sum(best("random", s) for s in range(3))


# --- running


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_sweep_killed_anywhere_gives_the_table_of_an_undisturbed_one(tmp_path, sampler):
    whole = swept(tmp_path / "whole", FakeTrain(), sampler=sampler)
    assert {row.state for row in whole.rows} == {"complete", "pruned"}
    total = sum(EVALUATIONS.index(row.steps) + 1 for row in whole.rows)
    for moment in range(1, total + 1, 7):
        out = tmp_path / f"killed{moment}"
        with pytest.raises(Killed):
            swept(out, FakeTrain(kill_at=moment), sampler=sampler)
        again = FakeTrain()
        resumed = swept(out, again, sampler=sampler)

        assert table(resumed) == table(whole)
        assert len(set(again.trained)) == len(again.trained), "no trial is trained twice in a sitting"


def test_a_kill_between_a_verdict_and_the_end_of_the_training_leaves_the_verdict(tmp_path, monkeypatch):
    from benchctl_plugins.training.sweep.store import Store

    whole = swept(tmp_path / "whole", FakeTrain())
    end = Store.end

    def killed(self, trial, state, value, facts):
        if state == "pruned":
            raise Killed
        end(self, trial, state, value, facts)

    monkeypatch.setattr(Store, "end", killed)
    with pytest.raises(Killed):
        swept(tmp_path / "killed", FakeTrain())
    monkeypatch.undo()

    assert table(swept(tmp_path / "killed", FakeTrain())) == table(whole)


@pytest.mark.parametrize("moment", range(1, 22, 2))
def test_ctrl_c_is_never_lost_not_even_at_the_end_of_a_trial(tmp_path, moment):
    stopped = FakeTrain(asked_at=moment)
    first = swept(tmp_path / "stopped", stopped)

    assert first.status == "interrupted" and stopped.evaluations == moment
    assert table(swept(tmp_path / "stopped", FakeTrain())) == table(swept(tmp_path / "whole", FakeTrain()))


def test_a_torn_line_of_the_journal_is_cut_and_the_sweep_goes_on(tmp_path):
    whole = swept(tmp_path / "whole", FakeTrain(), trials=6)
    first = swept(tmp_path / "torn", FakeTrain(), trials=3)
    with (first.folder / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code":4,"worker_id":"x","st')

    assert table(swept(tmp_path / "torn", FakeTrain(), trials=6)) == table(whole)


def test_two_commands_cannot_work_in_one_sweep(tmp_path):
    class Twice(FakeTrain):
        def __call__(self, recipe, options, on_evaluation=None):
            with pytest.raises(RecordError, match="in use by another"):
                swept(tmp_path, FakeTrain())
            return super().__call__(recipe, options, on_evaluation)

    assert len(swept(tmp_path, Twice(), trials=1).rows) == 1


def test_a_finished_sweep_trains_nothing_and_more_trials_go_on_with_it(tmp_path):
    first = swept(tmp_path, FakeTrain(), trials=4)
    again = FakeTrain()
    assert table(swept(tmp_path, again, trials=4)) == table(first)
    assert again.trained == []
    more = swept(tmp_path, again, trials=6)
    assert table(more)[:4] == table(first) and len(again.trained) == 2


def test_hopeless_trials_are_pruned_and_the_best_is_the_same(tmp_path):
    pruned = swept(tmp_path, FakeTrain(), trials=15)
    whole = swept(tmp_path, FakeTrain(), trials=15, prune=False)

    assert {row.state for row in whole.rows} == {"complete"}
    for one, other in zip(pruned.rows, whole.rows, strict=True):
        assert one.parameters == other.parameters
        if one.state == "pruned":
            assert one.steps < 30 and one.seconds is not None
            assert other.value > pruned.best.value
    assert sum(row.state == "pruned" for row in pruned.rows) >= 2
    assert pruned.best.number == whole.best.number == min(whole.rows, key=lambda row: row.value).number
    assert (pruned.result(pruned.best)).name == "adapter"


def test_a_trial_that_does_not_fit_is_told_and_the_others_go_on(tmp_path):
    sweep = swept(tmp_path, FakeTrain(fail=lambda recipe: recipe.adapter.r == 16), trials=11)

    failed = [row for row in sweep.rows if row.state == "failed"]
    assert failed and all(row.parameters["adapter.r"] == 16 and "Out of memory" in row.reason for row in failed)
    assert sweep.best is not None and len(sweep.rows) == 11


def test_a_sweep_of_which_no_trial_ends_is_an_error(tmp_path):
    with pytest.raises(BadConfig, match="Out of memory"):
        swept(tmp_path, FakeTrain(fail=lambda recipe: True), trials=3)


def test_data_that_change_between_sittings_are_refused(tmp_path):
    swept(tmp_path, FakeTrain(), trials=2)
    with pytest.raises(RecordError, match="changed since trial 1"):
        swept(tmp_path, FakeTrain(data="d2"), trials=3)


def test_a_score_that_chooses_the_checkpoint_is_made_as_large_as_possible(tmp_path):
    recipe = find_recipe("tiny-lora", ["best=medmcqa-pt"])
    sweep = run_sweep(
        recipe,
        TINY,
        SweepOptions(trials=5, out=tmp_path),
        TrainOptions(),
        FakeTrain(),
        lambda line: None,
        lambda s: None,
    )
    assert sweep.measure == "medmcqa-pt" and sweep.maximise
    done = [row.value for row in sweep.rows if row.state == "complete"]
    assert sweep.best.value == max(done)


# --- the picture


def example(rows: int = 11) -> Sweep:
    return Sweep(
        Path("sweeps/x/y"), "tiny-lora", "tiny", "random", 0, True, "validation_loss", False, rows, "complete",
        [Row(i + 1, dict(zip((d.key for d in TINY.dimensions), values, strict=True)), "complete", 4 + 0.1 * (i * 7 % rows), 60, 1234.5, f"trials/{i}")
         for i, values in enumerate(itertools.islice(zip([1e-4 * 1.6**i for i in range(11)], [2, 4, 8, 16] * 3, [8, 16, 32] * 4, [0.0, 0.05, 0.1] * 4, ["default", "gaussian", "olora"] * 4, strict=False), rows))],
        [],
    )  # fmt: skip


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
        tab.locator("svg a").first.focus()
        tab.keyboard.press("Enter")
        assert "#trial-" in tab.url and tab.locator("tr:target").count() == 1
        chromium.close()
    assert {text.partition("#")[0] for text in said} == {file.as_uri()}


# --- the command


def test_without_options_the_spaces_are_listed(benchctl):
    done = benchctl("sweep", "--json")

    assert done.code == 0 and set(json.loads(done.out)) == set(spaces())
    assert benchctl("sweep", "--recipe", "tiny-lora").code == 2


COMMAND = (
    "sweep", "--recipe", "tiny-lora", "--space", "tiny", "--trials", "11", "--set", "steps=8", "--set", "evaluate_every=4",
    "--set", "save_every=3", "--set", "rows=16", "--json",
)  # fmt: skip


def progressed(out: Path, trial: int, step: int) -> bool:
    """Whether the sweep's trial has come so far."""
    lines = [file.read_text("utf-8") for file in out.glob(f"*/*/trials/{trial:03}/*/*/metrics.jsonl")]
    return any(f'"step": {step}' in text for text in lines)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eleven_trials_killed_stopped_and_resumed_give_the_table_and_the_adapter_of_an_undisturbed_sweep(
    program, benchctl, tmp_path
):
    for number, (trial, step, code) in enumerate([(4, 4, signal.SIGKILL), (7, 4, signal.SIGINT)]):
        process = subprocess.Popen([*program, *COMMAND, "--out", "killed"], cwd=tmp_path, stdout=-3, stderr=-3)
        deadline = time.monotonic() + 200
        while not progressed(tmp_path / "killed", trial, step) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(code)
        assert process.wait(60) == (-9, 130)[number]
    (state,) = (tmp_path / "killed").glob("*/*/sweep.json")
    assert json.loads(state.read_text("utf-8"))["status"] == "interrupted"

    resumed = json.loads(benchctl(*COMMAND, "--out", "killed", "--register", "melhor").out)
    whole = json.loads(benchctl(*COMMAND, "--out", "whole", "--lang", "en").out)

    def table(found):
        return [{key: value for key, value in row.items() if key != "seconds"} for row in found["trials"]]

    assert len(whole["trials"]) == 11 and {row["state"] for row in whole["trials"]} == {"complete", "pruned"}
    assert table(resumed) == table(whole)
    assert resumed["status"] == whole["status"] == "complete"
    assert resumed["best"]["trial"] == whole["best"]["trial"]
    assert resumed["best"]["value"] == min(r["value"] for r in whole["trials"] if r["state"] == "complete")
    ours, theirs = (Path(found["best"]["result"]) / "adapter_model.safetensors" for found in (resumed, whole))
    assert ours != theirs and ours.read_bytes() == theirs.read_bytes()
    assert "Melhor tentativa" in (ours.parents[5] / "sweep.html").read_text("utf-8")
    ran = benchctl("run", "--task", "medmcqa-pt", "--model", "melhor", "--data", "builtin", "--limit", "2", "--json")
    assert json.loads(ran.out)[0]["n"] == 2
