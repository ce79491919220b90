"""What labels say about a run: accuracy of the readings, agreement of people, and the corrected score."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from benchctl.annotation.correction import Stratum, corrected
from benchctl.annotation.items import outcomes_of, read_items, select
from benchctl.annotation.labels import Label
from benchctl.annotation.report import report
from benchctl.annotation.store import Draw, open_store, read_annotators
from benchctl.errors import RecordError


def annotate(run, name, items, said, draw=Draw(random=True)):  # noqa: B008
    with open_store(run.stored.path, name) as store:
        store.begin(draw)
        for item in items:
            store.label(item.sample.id, said[item.sample.id])
    return read_annotators(run.stored.path)


def test_everything_annotated_gives_the_true_score_without_doubt(free_run):
    people = annotate(free_run, "ana", free_run.items, free_run.people, Draw())
    found = report(free_run.items, people)
    truth = sum(item.right(free_run.people[item.sample.id]) for item in free_run.items) / 40
    assert found.corrected.value == found.corrected.low == found.corrected.high == pytest.approx(truth)


def test_readings_that_name_an_option_people_do_not_are_counted_apart(free_run):
    said = {**free_run.people, "q0": Label("choice", "C"), "q1": Label("multiple")}
    found = report(free_run.items, annotate(free_run, "ana", free_run.items, said))
    assert found.wrong_readings == 2
    assert ("choice B", "choice C", 1) in found.confusion


def test_without_a_random_sample_there_is_no_corrected_score_and_it_says_why(free_run):
    found = report(free_run.items, annotate(free_run, "ana", free_run.items[:10], free_run.people, Draw()))
    assert found.corrected is None
    assert "no random sample" in found.reason
    assert found.extraction is not None


def test_only_some_outcomes_annotated_says_which_part_is_missing(free_run):
    draw = Draw(random=True, only=outcomes_of(["unread"]))
    unread = select(free_run.items, ["unread"], {}, seed=0, count=None)
    assert {item.reading.outcome for item in unread}.isdisjoint({"choice"})
    found = report(free_run.items, annotate(free_run, "ana", unread, free_run.people, draw))
    assert found.corrected is None
    assert "read as 'choice'" in found.reason


def test_unread_answers_and_a_sample_of_the_rest_are_weighted_by_their_share(free_run):
    unread = select(free_run.items, ["unread"], {}, seed=0, count=None)
    annotate(free_run, "ana", unread, free_run.people, Draw(random=True, only=outcomes_of(["unread"])))
    read = select(free_run.items, ["choice"], {}, seed=0, count=8)
    found = report(
        free_run.items, annotate(free_run, "ana", read, free_run.people, Draw(random=True, only=("choice",)))
    )
    gain = sum(i.right(free_run.people[i.sample.id]) - i.right(i.reading) for i in unread) / 40
    assert found.corrected.value == pytest.approx(found.score.value + gain)
    assert found.corrected.low < found.corrected.value < found.corrected.high


def test_labels_drawn_before_a_run_was_continued_stand_for_what_it_had_then(free_run):
    early, late = free_run.items[:20], free_run.items[20:]
    people = annotate(free_run, "ana", early[:8], free_run.people, Draw(random=True, of=20))
    found = report(free_run.items, people)
    assert found.corrected is None
    assert "after the first 20" in found.reason
    people = annotate(free_run, "ana", [*early[8:10], *late[:5]], free_run.people, Draw(random=True, of=40))
    found = report(free_run.items, people)
    gains = [
        np.mean([i.right(free_run.people[i.sample.id]) - i.right(i.reading) for i in part])
        for part in (early[:10], late[:5])
    ]
    assert found.corrected.value == pytest.approx(found.score.value + np.mean(gains))


def test_labels_of_an_outcome_stand_for_no_answer_that_is_read_otherwise_since(free_run):
    unread = select(free_run.items, ["unread"], {}, seed=0, count=None)
    annotate(free_run, "ana", unread, free_run.people, Draw(random=True, only=outcomes_of(["unread"])))
    taken_up = {i.sample.id for i in unread if free_run.people[i.sample.id].outcome == "choice"}
    assert taken_up
    rescored = [
        replace(i, reading=free_run.people[i.sample.id]) if i.sample.id in taken_up else i for i in free_run.items
    ]
    found = report(rescored, read_annotators(free_run.stored.path))
    assert found.corrected is None
    assert "read as 'choice'" in found.reason

    read = select(free_run.items, ["choice"], {}, seed=0, count=8)
    slips = {**free_run.people, read[0].sample.id: Label("none")}
    annotate(free_run, "ana", read, slips, Draw(random=True, only=("choice",)))
    found = report(rescored, read_annotators(free_run.stored.path))
    members = sum(i.reading.outcome == "choice" for i in free_run.items)
    lost = np.mean([i.right(slips[i.sample.id]) - i.right(i.reading) for i in read])
    assert found.corrected.value == pytest.approx(found.score.value + lost * members / 40)


def test_an_answer_skipped_at_first_is_still_one_of_the_random_sample(free_run):
    with open_store(free_run.stored.path, "ana") as store:
        store.begin(Draw(random=True))
        store.skip("q3")
        for item in free_run.items[10:20]:
            store.label(item.sample.id, free_run.people[item.sample.id])
        store.begin(Draw(blind=True))  # --only skipped
        store.label("q3", free_run.people["q3"])
    people = read_annotators(free_run.stored.path)
    assert people["ana"].annotations["q3"].draw == Draw(random=True, blind=True)
    assert report(free_run.items, people).corrected.n == 11


def test_two_annotators_kappa_and_ties(free_run):
    sklearn = pytest.importorskip("sklearn.metrics", reason="needs the extra 'metrics'")
    bruno = {**free_run.people, "q0": Label("none"), "q5": Label("refusal"), "q8": Label("choice", "D")}
    annotate(free_run, "ana", free_run.items[:30], free_run.people)
    found = report(free_run.items, annotate(free_run, "bruno", free_run.items[:20], bruno))
    (pair,) = found.pairs
    shared = [item.sample.id for item in free_run.items[:20]]
    oracle = sklearn.cohen_kappa_score(
        [free_run.people[i].category for i in shared], [bruno[i].category for i in shared]
    )
    assert pair.n == 20
    assert pair.kappa == pytest.approx(oracle, abs=1e-12)
    assert (found.annotated, found.unresolved) == (27, 3)


def test_where_annotators_are_tied_each_of_their_labels_counts_in_part(free_run):
    ids = [item.sample.id for item in free_run.items]
    divided = ids[:12]
    other = {i: Label("choice", "A") if i in divided else label for i, label in free_run.people.items()}
    annotate(free_run, "ana", free_run.items, free_run.people)
    found = report(free_run.items, annotate(free_run, "bruno", free_run.items, other))
    each = [
        report(free_run.items, {name: people})
        for name, people in read_annotators(free_run.stored.path).items()
    ]  # fmt: skip
    assert found.unresolved == sum(free_run.people[i] != other[i] for i in ids) > 8
    assert found.corrected.value == pytest.approx(np.mean([alone.corrected.value for alone in each]))
    assert found.extraction.value == pytest.approx(np.mean([alone.extraction.value for alone in each]))
    assert (found.extraction.n, found.corrected.n) == (40, 40)


def test_three_annotators_vote(free_run):
    slip = {**free_run.people, "q0": Label("none")}
    for name, said in (("ana", free_run.people), ("bruno", slip), ("clara", free_run.people)):
        people = annotate(free_run, name, free_run.items, said)
    found = report(free_run.items, people)
    assert found.unresolved == 0
    assert found.extraction.value == pytest.approx(
        np.mean([item.reading == free_run.people[item.sample.id] for item in free_run.items])
    )
    assert found.alpha is not None


def test_nobody_labelled_anything(free_run):
    with pytest.raises(RecordError):
        report(free_run.items, {})


def test_a_run_without_free_answers_is_refused(benchctl):
    benchctl("run", "--task", "medmcqa-pt", "--model", "majority", "--data", "builtin")
    (run,) = json.loads(benchctl("list", "runs", "--json").out)
    ran = benchctl("annotate", run["run"])
    assert ran.code == 1
    assert "--scoring generate" in ran.err


def test_the_interval_is_honest_when_the_sample_shows_no_error():
    found = corrected(0.5, [Stratum(1000, [0] * 50)])
    assert found.value == 0.5
    assert 0.03 < found.value - found.low < 0.08  # Wilson's bound for 0 of 50 is 7.1 points


@pytest.mark.slow
@pytest.mark.parametrize(("won", "lost", "n"), [(0.10, 0.02, 100), (0.05, 0.05, 200), (0.01, 0.0, 60), (0.3, 0.1, 80)])
def test_the_interval_covers_the_true_score_in_about_95_of_100_samples(won, lost, n):
    rng = np.random.default_rng(3)
    size = 1000
    gains = np.zeros(size, dtype=int)
    gains[: int(won * size)] = 1
    gains[int(won * size) : int((won + lost) * size)] = -1
    truth = 0.5 + gains.mean()
    hits = 0
    for _ in range(1000):
        drawn = rng.choice(gains, n, replace=False).tolist()
        found = corrected(0.5, [Stratum(size, drawn)])
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / 1000 <= 1.0


def test_a_blind_sheet_shows_no_reading_and_no_right_option_and_its_labels_count_as_blind(free_run, benchctl, tmp_path):
    file = tmp_path / "sheet.csv"
    assert benchctl("annotate", free_run.stored.path, "--sample", "5", "--blind", "--export", file).code == 0
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5 and all(row["answer"] and row["question"] for row in rows)
    assert {row["options"] for row in rows} == {"A) Insulina\nB) Glucagon\nC) Cortisol\nD) Adrenalina"}
    assert {row["draw"] for row in rows} == {"random of 40"}
    assert {row[column] for row in rows for column in ("reading_outcome", "reading_label", "target")} == {""}
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows({**row, "outcome": "none"} for row in rows)
    assert benchctl("annotate", free_run.stored.path, "--import", file, "--annotator", "ana").code == 0
    said = json.loads(benchctl("annotate", free_run.stored.path, "--agreement", "--json").out)
    assert said["annotators"]["ana"]["blind"] == said["annotators"]["ana"]["labels"] == 5


def test_the_sheet_of_a_second_annotator_asks_for_what_the_first_has_labelled_and_shows_none_of_it(
    free_run, benchctl, tmp_path
):
    annotate(free_run, "ana", free_run.items, free_run.people)
    file = tmp_path / "bia.csv"
    sheet = ("annotate", free_run.stored.path, "--sample", "5", "--annotator", "bia", "--export", file)
    assert "5 answers with 0 labels" in benchctl(*sheet).out
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5 and {row["outcome"] + row["annotator"] for row in rows} == {""}
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows({**row, "outcome": "none"} for row in rows)
    assert (
        "bia: 5 labels imported"
        in benchctl("annotate", free_run.stored.path, "--import", file, "--annotator", "bia").out
    )
    assert "ana and bia: 5 in common" in benchctl("annotate", free_run.stored.path, "--agreement").out
    assert "5 answers with 5 labels" in benchctl(*sheet).out


def test_export_and_import_bring_the_labels_to_another_copy_of_the_run(free_run, benchctl, tmp_path):
    annotate(free_run, "ana", free_run.items[:12], free_run.people, Draw(random=True, only=("choice", "none"), of=30))
    with open_store(free_run.stored.path, "ana") as store:
        store.note("q3", 'com "aspas", vírgula\ne linha')
    before = report(free_run.items, read_annotators(free_run.stored.path))
    file = tmp_path / "rotulos.csv"
    ran = benchctl("annotate", free_run.stored.path, "--export", file)
    assert "40 answers with 12 labels" in ran.out
    (free_run.stored.path / "annotations/ana.jsonl").unlink()
    ran = benchctl("annotate", free_run.stored.path, "--import", file)
    assert "ana: 12 labels imported" in ran.out
    again = read_annotators(free_run.stored.path)
    assert again["ana"].annotations["q3"].note == 'com "aspas", vírgula\ne linha'
    assert report(free_run.items, again).as_json() == before.as_json()
    assert again["ana"].annotations["q0"].draw == Draw(True, ("choice", "none"), of=30, source="rotulos.csv")
    assert "ana: 0 labels imported" in benchctl("annotate", free_run.stored.path, "--import", file).out


def test_labels_saved_by_a_spreadsheet_with_semicolons_are_imported(free_run, benchctl, tmp_path):
    file = tmp_path / "rótulos.csv"
    file.write_text('id;outcome;label;note\nq0;none;;"vírgula, e ; também"\n', encoding="utf-8-sig")
    ran = benchctl("annotate", free_run.stored.path, "--import", file, "--annotator", "ana")
    assert "ana: 1 labels imported" in ran.out
    assert read_annotators(free_run.stored.path)["ana"].annotations["q0"].note == "vírgula, e ; também"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("q99,choice,A", "id"),
        ("q1,chioce,A", "outcome"),
        ("q1,choice,F", "label"),
        ("q1,refusal,A", "label"),
        ("q1,,A", "outcome"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_imported(free_run, benchctl, tmp_path, row, column):
    file = tmp_path / "x.csv"
    file.write_text(f"id,outcome,label\nq0,none,\n{row}\n", encoding="utf-8")
    ran = benchctl("annotate", free_run.stored.path, "--import", file, "--annotator", "ana")
    assert ran.code == 1
    assert f"x.csv, row 3, column {column}" in ran.err
    assert read_annotators(free_run.stored.path) == {}


def test_two_labels_of_one_annotator_for_one_answer_are_refused(free_run, benchctl, tmp_path):
    file = tmp_path / "x.csv"
    sheet = "annotator,id,outcome,label\nana,q0,none,\nbia,q0,refusal,\nana,q0,{}\n"
    file.write_text(sheet.format("choice,A"), encoding="utf-8")
    assert "rows 2 and 4: two labels" in benchctl("annotate", free_run.stored.path, "--import", file).err
    assert read_annotators(free_run.stored.path) == {}
    file.write_text(sheet.format("none,"), encoding="utf-8")
    assert benchctl("annotate", free_run.stored.path, "--import", file).code == 0


def test_the_same_selection_comes_in_the_same_order_and_a_longer_one_begins_with_it(free_run):
    ten = select(free_run.items, (), {}, seed=5, count=10)
    assert ten == select(read_items(free_run.stored), (), {}, seed=5, count=30)[:10]
    assert ten != select(free_run.items, (), {}, seed=6, count=10)
