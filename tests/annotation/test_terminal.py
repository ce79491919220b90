"""Must-show 3: a person at a real terminal, killed in the middle, back again, one undo, and the report is right."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from benchctl.annotation.items import select
from benchctl.annotation.labels import OUTCOME_KEYS, Label
from benchctl.annotation.store import read_annotators
from benchctl.journal import read_lines

pexpect = pytest.importorskip("pexpect", reason="needs pexpect")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")


def key_of(said: Label) -> str:
    if said.outcome == "choice":
        return str(said.label).lower()
    return next(key for key, outcome in OUTCOME_KEYS.items() if outcome == said.outcome)


@pytest.fixture
def terminal(program, free_run):
    opened = []

    def open_it(*options):
        child = pexpect.spawn(
            program[0], ["annotate", str(free_run.stored.path), "--annotator", "ana", *options],
            encoding="utf-8", timeout=20, dimensions=(40, 120),
        )  # fmt: skip
        opened.append(child)
        return child

    yield open_it
    for child in opened:
        child.close(force=True)


def test_thirty_labels_killed_in_the_middle_resumed_one_undo_and_the_report_is_right(terminal, free_run, benchctl):
    order = select(free_run.items, (), {}, seed=7, count=30)
    people = free_run.people

    child = terminal("--sample", "30", "--seed", "7")
    child.expect("0 of 30")
    for place, item in enumerate(order[:13]):
        child.send(key_of(people[item.sample.id]))
        child.expect(f"{place + 1} of 30")
    child.kill(signal.SIGKILL)
    child.wait()

    kept = read_annotators(free_run.stored.path)["ana"].annotations
    assert [a.id for a in kept.values()] == [item.sample.id for item in order[:13]]

    child = terminal("--sample", "30", "--seed", "7")
    child.expect("13 of 30")
    wrong = order[13].sample.id
    child.send("r" if people[wrong].outcome != "refusal" else "m")  # a slip of the finger
    child.expect("14 of 30")
    child.send("u")
    child.expect("13 of 30")
    for place, item in enumerate(order[13:]):
        child.send(key_of(people[item.sample.id]))
        child.expect(f"{place + 14} of 30")
    child.expect("Nothing waits")
    child.send("q")
    child.expect(pexpect.EOF)

    kept = read_annotators(free_run.stored.path)["ana"].annotations
    assert {i: a.label for i, a in kept.items()} == {item.sample.id: people[item.sample.id] for item in order}
    events = [e["event"] for e in read_lines(free_run.stored.path / "annotations/ana.jsonl")]
    assert events.count("label") == 31
    assert events.count("undo") == 1

    ran = benchctl("annotate", free_run.stored.path, "--agreement", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    equal = sum(item.reading == people[item.sample.id] for item in order)
    assert found["annotators"]["ana"] == {"labels": 30, "skipped": 0, "notes": 0, "blind": 0}
    assert (found["annotated"], found["unresolved"]) == (30, 0)
    assert found["extraction"]["value"] == pytest.approx(equal / 30)
    scipy_stats = pytest.importorskip("scipy.stats")
    wilson = scipy_stats.binomtest(equal, 30).proportion_ci(method="wilson")
    assert (found["extraction"]["low"], found["extraction"]["high"]) == pytest.approx(
        (wilson.low, wilson.high), abs=1e-9
    )
    gain = sum(item.right(people[item.sample.id]) - item.right(item.reading) for item in order) / 30
    run_score = sum(item.right(item.reading) for item in free_run.items) / 40
    assert found["score"]["value"] == pytest.approx(run_score)
    assert found["corrected"]["value"] == pytest.approx(run_score + gain)
    truth = sum(item.right(people[item.sample.id]) for item in free_run.items) / 40
    assert found["corrected"]["low"] <= truth <= found["corrected"]["high"]


def test_keys_typed_faster_than_the_screen_draws_all_count(terminal, free_run):
    order = select(free_run.items, (), {}, seed=0, count=10)
    child = terminal("--sample", "10")
    child.expect("0 of 10")
    child.send("".join(key_of(free_run.people[item.sample.id]) for item in order) + "q")
    child.expect("10 of 10 done")
    child.expect(pexpect.EOF)
    kept = read_annotators(free_run.stored.path)["ana"].annotations
    assert {i: a.label for i, a in kept.items()} == {item.sample.id: free_run.people[item.sample.id] for item in order}


def test_a_note_a_skip_help_and_special_keys(terminal, free_run):
    child = terminal("--sample", "2")
    child.expect("0 of 2")
    child.send("\x1b[A\x1b[6~")  # arrow up, page down: no labels
    child.send("tdúvida: ã\x7fa resposta é dupla\r")
    child.expect("note kept")
    child.send("?")
    child.expect("refusal: declines to answer")
    child.send(" ")
    child.expect("0 of 2")
    child.send("s")
    child.expect("1 of 2 · 1 skipped")
    child.send("q")
    child.expect(pexpect.EOF)
    (kept,) = read_annotators(free_run.stored.path)["ana"].annotations.values()
    assert kept.skipped
    assert kept.note == "dúvida: a resposta é dupla"

    child = terminal("--only", "skipped")
    child.expect("0 of 1")
    child.send("n")
    child.expect("Nothing waits")


def test_the_screen_shows_reading_and_right_option_and_blind_hides_both(terminal, free_run):
    child = terminal("--sample", "1")
    child.expect("read as")
    child.send("q")
    child.expect(pexpect.EOF)
    child = terminal("--sample", "1", "--blind")
    child.expect("options · i m r n")
    assert "read as" not in child.before
    assert "<- right" not in child.before


def test_one_annotator_cannot_work_twice_at_once(terminal):
    first = terminal()
    first.expect("0 of 40")
    second = terminal()
    second.expect("annotating this run elsewhere")
    second.expect(pexpect.EOF)


def test_the_terminal_is_given_back_as_it_was(free_run, program, tmp_path):
    shell = pexpect.spawn(
        "/bin/sh", ["-i"], encoding="utf-8", timeout=20, dimensions=(40, 200), cwd=str(tmp_path),
        env={"PS1": "$ ", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    shell.sendline(f"stty -a > a; {program[0]} annotate {free_run.stored.path}; stty -a > b; cmp a b && echo sa''me")
    shell.expect("0 of 40")
    shell.sendintr()
    shell.expect("same")
    shell.close(force=True)


def test_without_a_terminal_it_says_so(benchctl, free_run):
    ran = benchctl("annotate", free_run.stored.path)
    assert ran.code == 1
    assert "needs a terminal" in ran.err
    assert ran.err.count("\n") == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--export", "a.csv", "--import", "b.csv"), "--import cannot be combined with --export"),
        (("--agreement", "--annotator", "ana"), "--agreement cannot be combined with --annotator"),
        (("--import", "b.csv", "--blind", "--sample", "3"), "--import cannot be combined with --blind, --sample"),
        (("--json",), "--json goes with --agreement"),
    ],
)
def test_options_that_would_do_nothing_are_refused(benchctl, free_run, options, said):
    ran = benchctl("annotate", free_run.stored.path, *options)
    assert ran.code == 2 and said in ran.err and ran.out == ""
