"""``benchctl compare``: pairs by question, refuses what is no pair, and sets models beside their base."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import pytest

from benchctl import records
from benchctl.comparing import against, best_pair, compare, compare_runs
from benchctl.errors import RecordError
from benchctl.types import Response
from tests.scripted_runs import right_in, run, surprised

TRAINING = {
    "schema": 1, "recipe": "tiny-lora", "method": "lora", "objective": "sft", "base": "base",
    "parameters": {"all": 1100, "trainable": 100, "share": 0.0909}, "epochs": 3.0, "seconds": 75.0,
    "peak_bytes": 3 * 2**30,
}  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    """``runs``: two models on MedMCQA's 24 questions. The second gains 13 to 20 and loses 1 and 2."""
    out = tmp_path / "runs"
    return (
        run(out, "medmcqa-pt", "base", right_in(range(1, 13)), {"parameters": 1000}),
        run(out, "medmcqa-pt", "tuned", right_in(range(3, 21)), {"parameters": 1000, "training": TRAINING}),
    )


def test_the_difference_is_counted_question_by_question(runs):
    found = compare_runs(*runs).differences["accuracy"]

    assert (found.gained, found.lost, found.n) == (8, 2, 24)
    assert (found.first, found.second, found.value) == (12 / 24, 18 / 24, 6 / 24)
    assert found.p == pytest.approx(2 * sum(math.comb(10, k) for k in range(3)) / 2**10)
    assert found.low < 6 / 24 < found.high


def test_it_says_on_which_samples_they_disagree_and_what_each_answered(runs):
    comparison = compare_runs(*runs)
    first = comparison.disagreements[0]

    assert [one.id[-3:] for one in comparison.disagreements] == [f"{i:03}" for i in (1, 2, *range(13, 21))]
    assert (first.target, first.first, first.first_value, first.second_value) == ("A", "A", 1.0, 0.0)
    assert first.second != "A" and first.question.startswith("Um paciente com fratura")


def test_a_run_beside_itself_differs_by_nothing(runs):
    found = compare_runs(runs[0], runs[0])

    assert not found.disagreements
    assert all((d.value, d.low, d.high, d.p) == (0, 0, 0, 1) for d in found.differences.values())


def test_longer_answers_are_neither_better_nor_worse(tmp_path, benchctl):
    for name, words in (("base", "Letra A."), ("tuned", "A resposta certa desta pergunta é a letra A.")):
        run(tmp_path / "runs", "medmcqa-pt", name, lambda *_, said=words: Response(text=said), scoring="generate")
    told = json.loads(benchctl("compare", "base", "tuned", "--json").out)["tasks"][0]["metrics"]["length"]
    assert (told["value"], told["verdict"], told["higher_is_better"]) == (7.0, "differs", None)
    shown = benchctl("compare", "base", "tuned", "--show", "0", "--lang", "pt").out
    assert "difere " in shown and "length ↓" not in shown
    table = benchctl("compare", "--against", "base", "--lang", "pt").out
    assert "difere " in table and "melhor" not in (shown + table).replace("menor é melhor", "")


def test_turned_round_only_the_sign_changes(runs):
    there, back = compare_runs(*runs).differences, compare_runs(*reversed(runs)).differences

    assert {name: -d.value for name, d in there.items()} == {name: d.value for name, d in back.items()}
    assert {name: d.p for name, d in there.items()} == {name: d.p for name, d in back.items()}


def test_other_tasks_and_other_questions_are_refused(runs, tmp_path):
    other = run(tmp_path / "runs", "medqa-pt", "base", right_in(range(1, 5)))
    with pytest.raises(RecordError, match=r"medmcqa-pt, run .* of medqa-pt"):
        compare_runs(runs[0], other)

    # The same ids over another text, as two versions of one file have.
    file = runs[1].path / "samples.jsonl"
    file.write_text(file.read_text("utf-8").replace("fratura da diáfise", "fratura do colo"), "utf-8")
    changed = replace(runs[1].record, fingerprints={**runs[1].record.fingerprints, "data": "another"})
    with pytest.raises(RecordError, match=r"1 of 24 questions differ .*'medmcqa-pt-builtin-001'"):
        compare_runs(runs[0], records.StoredRun(changed, runs[1].path))


def test_only_what_both_answered_is_compared_and_said(runs, tmp_path):
    few = run(tmp_path / "runs", "medmcqa-pt", "few", right_in({1, 5}), limit=6)
    found = compare_runs(runs[0], few)

    assert found.n == found.differences["accuracy"].n == 6
    assert (found.differences["accuracy"].first, found.differences["accuracy"].second) == (1.0, 2 / 6)
    assert any("only 6 questions are in both runs, of 24 and 6" in line for line in found.warnings)


def test_of_several_runs_those_that_go_together_are_taken(runs, tmp_path):
    out = tmp_path / "runs"
    shots = run(out, "medmcqa-pt", "tuned", right_in({1}), shots=2)
    few = run(out, "medmcqa-pt", "tuned", right_in({1}), limit=3)
    found = compare([runs[0]], [shots, runs[1], few])

    assert found.tasks[0].second == runs[1]


def variant(stored, *, data="one", status="complete", n=24, finished="2026-05-02", **spec):
    """A run with another spec, or other figures in its record."""
    r = stored.record
    changed = replace(
        r, spec=replace(r.spec, **spec), status=status, fingerprints={**r.fingerprints, "data": data},
        counts={**r.counts, "n": n}, timings={**r.timings, "finished": finished},
    )  # fmt: skip
    return records.StoredRun(changed, stored.path)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"data": "two", "status": "interrupted", "n": 3, "finished": "2026-05-01"}, {"shots": 2}),
        ({"status": "interrupted", "n": 3, "finished": "2026-05-01"}, {"data": "two"}),
        ({"n": 3, "finished": "2026-05-01"}, {"status": "interrupted"}),
        ({"finished": "2026-05-01"}, {"n": 3}),
        ({}, {"finished": "2026-05-01"}),
    ],
    ids=["settings", "questions", "complete", "more questions", "latest"],
)
def test_each_thing_that_decides_which_runs_are_taken_goes_before_the_next(runs, better, worse):
    base, fit, other = variant(runs[0]), variant(runs[1], **better), variant(runs[1], **worse)

    assert best_pair([base], [fit, other], "medmcqa-pt") == best_pair([base], [other, fit], "medmcqa-pt") == (base, fit)


def test_of_several_runs_those_with_most_questions_in_common_are_taken(tmp_path):
    # Drawn from 24 questions, 12 are the later run and not the same as the first 12.
    out = tmp_path / "runs"
    few = run(out, "medmcqa-pt", "tuned", right_in(range(1, 9)), limit=10)
    first = run(out, "medmcqa-pt", "base", right_in(range(1, 7)), limit=12)
    drawn = run(out, "medmcqa-pt", "base", right_in(range(1, 7)), limit=12, drawn=True)
    assert compare_runs(drawn, few).n < 10

    assert (
        best_pair([drawn, first], [few], "medmcqa-pt") == best_pair([first, drawn], [few], "medmcqa-pt") == (first, few)
    )
    assert compare([drawn, first], [few]).tasks[0].n == 10


def test_a_model_that_goes_with_another_run_of_the_base_than_the_one_shown_is_told_of(runs, benchctl, tmp_path):
    out = tmp_path / "runs"
    few = run(out, "medmcqa-pt", "base", right_in(range(1, 13)), limit=6, shots=2)
    run(out, "medmcqa-pt", "shot", right_in(range(1, 5)), limit=6, shots=2)
    table = against(records.read_runs(out), "base")
    said = [line for line in table.warnings if "base's run" in line]

    assert len(said) == 1 and few.record.id in said[0] and runs[0].record.id in said[0]
    assert not any("base's run" in line for line in against(runs, "base").warnings)
    written = benchctl("compare", "--against", "base", "--csv")
    assert said[0] in written.err and said[0] not in written.out, "a table of figures alone would hide it"


def test_a_length_limit_matters_only_where_something_is_written(runs):
    letter = [variant(stored, max_tokens=limit) for stored, limit in zip(runs, (8, 64), strict=True)]
    written = [variant(stored, scoring="generate") for stored in letter]

    assert not any("differs" in line for line in compare_runs(*letter).warnings)
    assert "max tokens differs: 8 and 64" in compare_runs(*written).warnings


def test_what_only_one_of_the_tasks_has_is_not_pooled(runs, tmp_path):
    texts = [run(tmp_path / "runs", "medtext", name, surprised(lambda s: 2.0)) for name in ("base", "tuned")]
    found = compare([runs[0], texts[0]], [runs[1], texts[1]])

    assert [one.main for one in found.tasks] == ["accuracy", "bits_per_byte"] and not found.pooled


def test_failed_calls_are_no_wrong_answers(runs, tmp_path):
    fails = right_in(range(1, 13))

    def script(request, sample):
        return Response(error="HTTP 503") if sample.id.endswith("003") else fails(request, sample)

    found = compare_runs(runs[0], run(tmp_path / "runs", "medmcqa-pt", "broken", script))
    assert found.differences["accuracy"].n == 23 and found.differences["accuracy"].p == 1
    assert any("is incomplete: 23 of 24" in line for line in found.warnings)


def test_what_a_task_keeps_beside_a_question_makes_it_no_other_question(runs, tmp_path):
    short = run(tmp_path / "runs", "medmcqa-pt", "short", right_in(range(1, 9)), limit=8)
    file = short.path / "samples.jsonl"
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for line in lines:  # the other run is of before its task kept that
        line["sample"]["metadata"] = {"level": 3}
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert compare_runs(runs[0], short).n == 8


def test_a_model_trained_on_test_questions_is_said_to_be(runs, tmp_path):
    told = {**TRAINING, "data": {"leaks": {"medmcqa-pt": 7, "medqa-pt": 2}}}
    leaked = run(tmp_path / "runs", "medmcqa-pt", "leaked", right_in(range(1, 21)), {"training": told})
    line = "leaked was trained on 7 rows that hold test questions of this task: a difference is no gain"

    assert line in compare_runs(runs[0], leaked).warnings
    assert not any("trained on" in warning for warning in compare_runs(*runs).warnings)
    assert f"leaked, medmcqa-pt: {line}" in against([*runs, leaked], "base").warnings


def test_bits_per_byte_are_paired_by_text_and_weighed_by_their_bytes(tmp_path):
    def before(sample):
        return 2.0 + 0.1 * int(sample.id[-1])

    out = tmp_path / "runs"
    one = run(out, "medtext", "base", surprised(before))
    two = run(out, "medtext", "tuned", surprised(lambda s: before(s) - (0.5 if int(s.id[-1]) % 2 else 0.3)))
    found = compare_runs(one, two)
    bits, perplexity = found.differences["bits_per_byte"], found.differences["perplexity"]

    lines = records.RunFolder(one.path).answers()
    size = {line["id"]: line["responses"][0]["bytes"] for line in lines}
    lost = {i: 0.5 if int(i[-1]) % 2 else 0.3 for i in size}
    weighed = sum(size[i] * lost[i] for i in size) / sum(size.values())
    assert bits.value == pytest.approx(-weighed, abs=1e-9)
    assert bits.value == pytest.approx(two.record.estimates["bits_per_byte"].value
                                       - one.record.estimates["bits_per_byte"].value, abs=1e-12)  # fmt: skip
    assert -0.5 <= bits.low < bits.value < bits.high <= -0.3
    assert (bits.p, bits.verdict) == (2 / 2**8, "better")
    assert perplexity.value < 0 and not perplexity.higher_is_better
    assert found.main == "bits_per_byte"
    gaps = [one.second_value - one.first_value for one in found.disagreements]
    assert gaps == pytest.approx(sorted(-gap for gap in lost.values()), abs=1e-9), "the farthest apart first"


def test_perplexities_of_other_tokenizers_are_not_compared_without_a_word(tmp_path):
    out = tmp_path / "runs"
    script = surprised(lambda s: 2.0)

    def finer(request, sample):
        response = script(request, sample)
        return replace(response, tokens=2 * response.tokens)

    one, two = run(out, "medtext", "base", script), run(out, "medtext", "tuned", surprised(lambda s: 1.9))
    assert not any("tokenizers" in line for line in compare_runs(one, two).warnings)
    found = compare_runs(one, run(out, "medtext", "finer", finer))
    assert found.differences["bits_per_byte"].value == 0
    assert found.differences["perplexity"].value < -1, "half the surprise per token, and no better model"
    assert any("tokenizers differ" in line for line in found.warnings)


def test_questions_of_one_passage_count_together(tmp_path):
    out = tmp_path / "runs"
    one, two = run(out, "cosmosqa-pt", "a", right_in(range(1, 9))), run(out, "cosmosqa-pt", "b", right_in(range(1, 19)))
    found = compare_runs(one, two).differences["accuracy"]

    assert (found.method, found.test) == ("t-clustered", "permutation-clustered")
    assert (found.gained, found.lost) == (10, 0)


def test_macro_f1_is_paired_by_its_counts(tmp_path, benchctl):
    out = tmp_path / "runs"
    one, two = (run(out, "medmcqa-pt", n, right_in(r)) for n, r in (("a", range(1, 13)), ("b", range(3, 21))))
    for stored in (one, two):
        assert benchctl("rescore", stored.path, "--metric", "macro_f1").code == 0
    again = [records.StoredRun(records.RunFolder(s.path).record(), s.path) for s in (one, two)]
    found = compare_runs(*again)
    figures = [s.record.estimates["macro_f1"].value for s in again]

    assert not found.unpaired
    assert found.differences["macro_f1"].value == pytest.approx(figures[1] - figures[0], abs=1e-12)
    assert found.differences["macro_f1"].test == "permutation"


def test_a_figure_that_is_no_mean_and_no_sum_is_said_to_have_no_pairs(runs):
    strange = [
        records.StoredRun(replace(s.record, estimates={"odd": replace(s.record.estimates["accuracy"], value=0.9)}), s.path)
        for s in runs
    ]  # fmt: skip
    found = compare_runs(*strange)

    assert not found.differences and "cannot be paired" in found.unpaired["odd"]


def test_several_tasks_are_adjusted_and_pooled(runs, tmp_path):
    out = tmp_path / "runs"
    more = [run(out, "medqa-pt", n, right_in(r)) for n, r in (("base", range(1, 10)), ("tuned", range(1, 17)))]
    found = compare([runs[0], more[0]], [runs[1], more[1]])
    ps = [one.differences["accuracy"].p for one in found.tasks]
    pooled = found.pooled["accuracy"]

    assert [one.differences["accuracy"].p_holm for one in found.tasks] == [max(ps), 2 * min(ps)]
    assert (pooled.n, pooled.gained, pooled.lost) == (48, 15, 2)
    assert pooled.value == 13 / 48


def test_the_command_prints_counts_interval_and_samples(runs, benchctl):
    ran = benchctl("compare", runs[0].record.id[:8], runs[1].path, "--show", "1", "--lang", "pt")

    assert ran.code == 0, ran.err
    assert "50,00 %" in ran.out and "+25,00" in ran.out and "10 divergências em accuracy, 1 mostrada\n" in ran.out
    assert ran.out.count("medmcqa-pt-builtin-") == 1


def test_the_command_takes_names_of_models_and_of_groups(runs, benchctl, tmp_path):
    for name, places in (("base", range(1, 5)), ("tuned", range(1, 9))):
        run(tmp_path / "runs", "mmlu-anatomy-pt", name, right_in(places))
    found = json.loads(benchctl("compare", "base", "tuned", "--task", "mmlu-medical-pt", "--json").out)
    everything = json.loads(benchctl("compare", "base", "tuned", "--json", "--show", "3").out)

    assert [one["task"] for one in found["tasks"]] == ["mmlu-anatomy-pt"]
    assert {one["task"] for one in everything["tasks"]} == {"medmcqa-pt", "mmlu-anatomy-pt"}
    medmcqa = next(one for one in everything["tasks"] if one["task"] == "medmcqa-pt")
    assert (medmcqa["disagreements"], len(medmcqa["samples"])) == (10, 3)
    assert medmcqa["metrics"]["accuracy"]["relative_percent"] == 50


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["base"], 2, "Give two runs"), (["base", "tund"], 1, "Did you mean tuned"), (["--against", "nobody"], 1, "nobody"),
     (["base", "tuned", "--task", "medqa-pt"], 1, "Not both have a run of medqa-pt"),
     (["base", "tuned", "--against", "base"], 2, "not both"),
     (["--against", "base", "--csv", "--json"], 2, "--json or --csv")],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_in_two_lines(runs, benchctl, words, code, said):
    ran = benchctl("compare", *words)

    assert ran.code == code and said in ran.err
    assert len(ran.err.strip().splitlines()) == 2


def test_models_stand_beside_their_base_with_what_the_training_cost(runs, tmp_path):
    other = run(tmp_path / "runs", "medmcqa-pt", "other", right_in(range(1, 11)), {"parameters": 500})
    table = against([other, *runs], "base")
    base, *rest = table.rows
    tuned = next(row for row in rest if row.model == "tuned")
    figure = tuned.figures[table.columns[0]]

    assert base.model == "base" and {row.model for row in rest} == {"tuned", "other"}
    assert figure.relative == 50 and figure.difference.value == 0.25
    assert figure.difference.p_holm == pytest.approx(2 * figure.difference.p)
    assert tuned.costs() == {"parameters": 1100, "trainable": 100, "share": 0.0909, "epochs": 3.0, "seconds": 75.0,
                             "peak_bytes": 3 * 2**30}  # fmt: skip
    assert base.costs()["parameters"] == 1000 and base.costs()["trainable"] is None
    assert base.figures[table.columns[0]].difference is None


def test_the_answers_of_a_base_are_read_once_for_all_models(runs, tmp_path, files_read):
    for name, last in (("third", 10), ("fourth", 15)):
        run(tmp_path / "runs", "medmcqa-pt", name, right_in(range(1, last)))
    files_read.clear()
    table = against(records.read_runs(tmp_path / "runs"), "base")

    assert len(table.rows) == 4 and all(row.figures[table.columns[0]].difference for row in table.rows[1:])
    assert files_read[runs[0].path / "samples.jsonl"] == files_read[runs[0].path / "scores.jsonl"] == 1


def test_the_table_of_a_base_is_printed_and_written_as_csv(runs, benchctl, tmp_path):
    printed = benchctl("compare", "--against", "base", "--lang", "pt")
    written = benchctl("compare", "--against", "base", "--csv")
    lines = list(csv.DictReader(io.StringIO(written.out)))
    portuguese = list(csv.DictReader(io.StringIO(benchctl("compare", "--against", "base", "--csv", "--lang", "pt").out),
                                     delimiter=";"))  # fmt: skip

    assert printed.code == written.code == 0
    for shown in ("base (base)", "+50,0 %", "+25,00", "9,09 %", "1 min 15 s", "3,00 GiB", "1.100"):
        assert shown in printed.out, shown
    assert [line["model"] for line in lines] == ["base", "tuned"]
    assert (lines[1]["medmcqa-pt.accuracy.difference"], lines[1]["share"]) == ("0.25", "0.0909")
    assert portuguese[1]["medmcqa-pt.accuracy.relative_percent"] == "50"
    assert portuguese[1]["medmcqa-pt.accuracy.difference"] == "0,25"


def test_a_base_of_zero_has_no_percentage_and_lower_is_better_is_marked(tmp_path, benchctl):
    out = tmp_path / "runs"
    run(out, "medmcqa-pt", "base", right_in(set()))
    run(out, "medmcqa-pt", "tuned", right_in(range(1, 13)))
    run(out, "medtext", "base", surprised(lambda s: 2.0))
    run(out, "medtext", "tuned", surprised(lambda s: 1.5))
    printed = benchctl("compare", "--against", "base").out
    rows = json.loads(benchctl("compare", "--against", "base", "--json").out)["rows"]

    assert rows[1]["metrics"]["medmcqa-pt.accuracy"]["difference"]["relative_percent"] is None
    assert rows[1]["metrics"]["medtext.bits_per_byte"]["difference"]["relative_percent"] == pytest.approx(-25)
    assert "bits_per_byte ↓ (lower is better)" in " ".join(printed.split())


def test_a_trained_model_that_calls_itself_after_its_base_is_not_taken_for_it(tmp_path, benchctl):
    out = tmp_path / "runs"
    run(out, "medmcqa-pt", "tiny", right_in(range(1, 13)))
    manifest = {"name": "tiny", "training": TRAINING}
    run(out, "medmcqa-pt", "mine", right_in(range(1, 21)), manifest)
    run(out, "medmcqa-pt", "hf:trainings/tiny-lora/92f8/model", right_in(range(1, 19)), manifest)
    rows = json.loads(benchctl("compare", "--against", "tiny", "--json").out)["rows"]
    found = json.loads(benchctl("compare", "tiny", "tiny-lora", "--json").out)["tasks"][0]

    assert (rows[0]["model"], rows[0]["base"]) == ("tiny", True)
    assert {(row["model"], row["base"]) for row in rows[1:]} == {("mine", False), ("tiny-lora", False)}
    assert found["metrics"]["accuracy"]["gained"] == 6


def test_show_says_in_one_line_how_a_model_was_trained(runs, benchctl):
    ran = benchctl("show", runs[1].record.id, "--samples", "0")

    assert "training: tiny-lora (lora, sft) on base; losses: -" in ran.out
    assert "curves" not in ran.out and "schema" not in ran.out


def read_in(right: set[int], unread: set[int] = frozenset()):
    """Writes its answers: the right option at some of 12 places, none at others, and a wrong one at the rest."""

    def script(request, sample):
        place = int(sample.id.rsplit("-", 1)[1])
        if place in unread:
            return Response(text="Desculpe, não sei responder.")
        wrong = next(label for label in sample.choices if label != sample.target)
        return Response(text=f"Resposta: {sample.target if place in right else wrong}")

    return script


ANATOMY, GENETICS = "mmlu-anatomy-pt", "mmlu-medical-genetics-pt"


def written(out, task: str, name: str, right: set[int], unread: set[int] = frozenset()):
    return run(out, task, name, read_in(right, unread), scoring="generate")


@pytest.fixture
def half_read(tmp_path):
    """A base that names an option in 1 to 6 of 12 (right in 1, 2, 3), and a tuned model in all (in 2 to 9)."""
    return (written(tmp_path, ANATOMY, "base", {1, 2, 3}, set(range(7, 13))),
            written(tmp_path, ANATOMY, "tuned", set(range(2, 10))))  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
def test_a_run_whose_answers_were_all_read_is_compared_over_the_answered_too(half_read, turned):
    base, tuned = half_read
    assert ("accuracy_answered" in base.record.estimates, "accuracy_answered" in tuned.record.estimates) == (
        True,
        False,
    )
    found = compare_runs(*(half_read[::-1] if turned else half_read)).differences
    whole, answered = found["accuracy"], found["accuracy_answered"]

    # Over all 12: gained 4 to 9, lost 1. Over 1 to 6, which both answered: gained 4, 5, 6, lost 1.
    sign = -1 if turned else 1
    assert (whole.n, whole.value) == (12, pytest.approx(sign * (6 - 1) / 12))
    assert (answered.n, answered.value) == (6, pytest.approx(sign * (3 - 1) / 6))
    assert {answered.first, answered.second} == {3 / 6, 5 / 6}
    assert (answered.lost, answered.gained) == ((3, 1) if turned else (1, 3))
    assert answered.p == pytest.approx(2 * (1 + 4) / 2**4)  # McNemar: at most 1 of 4, on either side


def test_a_task_that_both_leave_out_counts_whole_among_the_answered_of_all_together(half_read, tmp_path):
    others = (written(tmp_path, GENETICS, "base", {1, 2}), written(tmp_path, GENETICS, "tuned", {1, 2, 3, 4, 5}))
    for order in (1, -1):
        firsts, seconds = ([half_read[i], others[i]][::order] for i in (0, 1))
        found = compare(firsts, seconds)
        both = found.pooled["accuracy_answered"]

        assert [one.task for one in found.tasks if "accuracy_answered" in one.differences] == [ANATOMY]
        assert (both.n, both.gained, both.lost) == (6 + 12, 3 + 3, 1)
        assert (both.first, both.second) == (pytest.approx((3 + 2) / 18), pytest.approx((5 + 5) / 18))


def test_beside_a_base_every_model_has_the_figure_over_the_answered_once_one_has_it(half_read, tmp_path):
    column = (ANATOMY, "accuracy_answered")
    other = written(tmp_path, ANATOMY, "other", {1, 2})
    rows = {row.model: row.figures for row in against([*half_read, other], "tuned").rows}

    assert {name: figures[column].estimate.value for name, figures in rows.items()} == {
        "tuned": 8 / 12, "base": 3 / 6, "other": 2 / 12,
    }  # fmt: skip
    assert rows["base"][column].difference.n == 6 and rows["tuned"][column].difference is None
    # Both answered all 12: the same pairs as accuracy's.
    assert replace(rows["other"][column].difference, p_holm=None) == replace(
        rows["other"][ANATOMY, "accuracy"].difference, p_holm=None
    )
    assert rows["other"][column].difference.value == pytest.approx((2 - 8) / 12)
    assert column not in {c for row in against([half_read[1], other], "tuned").rows for c in row.figures}


def test_runs_that_answered_no_question_both_have_no_pairs_among_the_answered(tmp_path):
    early, late = (written(tmp_path, ANATOMY, name, {1, 12}, unread)
                   for name, unread in (("early", set(range(7, 13))), ("late", set(range(1, 7)))))  # fmt: skip
    found = compare_runs(early, late)

    assert "accuracy_answered" not in found.differences
    assert found.unpaired["accuracy_answered"] == "No question has accuracy_answered in both runs."
    assert "accuracy" in found.differences
