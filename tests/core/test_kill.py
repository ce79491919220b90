"""kill -9 at any moment loses at most the answer in flight: the same command ends with the same scores."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter

import pytest


def test_a_third_partys_task_model_and_metric_run_like_the_built_in_ones(program, environment, tmp_path):
    data = tmp_path / "capitais.csv"
    data.write_text("estado,a,b,c,certa\nBahia,Salvador,Ilhéus,Feira,A\nParaná,Londrina,Curitiba,Maringá,B\n", "utf-8")
    command = [*program, "run", "--task", "capitals-pt", "--model", "slow,majority", "--data", str(data), "--json"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    slow, majority = json.loads(done.stdout)
    assert majority["metrics"]["vowels"]["value"] == 1.0
    assert slow["n"] == 2
    listed = subprocess.run(
        [*program, "plugins", "--json"], env=environment, capture_output=True, text=True, check=True
    )
    (mine,) = (row for row in json.loads(listed.stdout) if row["name"] == "capitals")
    assert mine["package"] == "benchctl-capitals 0.3"
    assert mine["problems"] == ""


@pytest.mark.slow
@pytest.mark.alone
def test_killed_ten_times_and_started_again_by_the_same_command(program, environment, tmp_path):
    samples = 150
    log = tmp_path / "asked.log"
    rows = [{"estado": f"Estado {i}", "a": "x", "b": "y", "c": "z", "certa": "ABC"[i % 3]} for i in range(samples)]
    data = tmp_path / "capitais.json"
    data.write_text(json.dumps(rows), "utf-8")

    def command(out: str) -> list[str]:
        model = f"slow,seconds=0.05,log={log}"
        return [*program, "run", "--task", "capitals-pt", "--model", model, "--data", str(data), "--out", out, "--json"]

    moments = random.Random(11)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(command("killed"), env=environment, cwd=tmp_path, stdout=-3, stderr=-3)
        time.sleep(0.4 + moments.random() * 0.6)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    assert kills == 10, "the run must be long enough to be killed ten times"
    subprocess.run(command("killed"), env=environment, cwd=tmp_path, check=True, capture_output=True)
    asked = Counter(line.split()[1] for line in log.read_text().splitlines())
    subprocess.run(command("whole"), env=environment, cwd=tmp_path, check=True, capture_output=True)

    (killed,) = (tmp_path / "killed").glob("*/*/*")
    (whole,) = (tmp_path / "whole").glob("*/*/*")
    ids = [json.loads(line)["id"] for line in (killed / "samples.jsonl").read_text("utf-8").splitlines()]
    assert Counter(ids) == {str(i): 1 for i in range(1, samples + 1)}
    assert (killed / "scores.jsonl").read_bytes() == (whole / "scores.jsonl").read_bytes()
    # The one in flight when the process dies was not answered, and is asked again: at most one per kill.
    assert sum(asked.values()) - len(asked) <= kills


def test_a_run_in_use_by_another_process_is_refused(program, environment, tmp_path):
    data = tmp_path / "capitais.csv"
    data.write_text("estado,a,b,c,certa\n" + "Bahia,Salvador,Ilhéus,Feira,A\n" * 100, "utf-8")
    command = [*program, "run", "--task", "capitals-pt", "--model", "slow,seconds=0.2", "--data", str(data)]
    first = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=-3, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while not list(tmp_path.glob("runs/*/*/*/samples.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.05)
        second = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert second.returncode == 1
        assert "in use by another benchctl" in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        said = first.communicate(timeout=20)[1]
        assert first.returncode == 130, "Ctrl-C ends in order"
    assert "The same command goes on there." in said
    record = json.loads(next(tmp_path.glob("runs/*/*/*/run.json")).read_text("utf-8"))
    assert record["status"] == "interrupted"
    assert record["counts"]["answered"] > 0


def _status(program, environment, folder):
    listed = subprocess.run([*program, "list", "runs", "--json"], env=environment, cwd=folder, capture_output=True)
    rows = json.loads(listed.stdout) if listed.returncode == 0 else []
    assert all((row["finished"] is None) == (row["status"] == "running") for row in rows)
    return [row["status"] for row in rows]


def _started(command, environment, folder, answers=3):
    """The process, once it has written down a few answers."""
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=-3, stderr=-3)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        written = [file.read_bytes().count(b"\n") for file in folder.glob("runs/*/*/*/samples.jsonl")]
        if sum(written) >= answers:
            return process
        time.sleep(0.05)
    raise AssertionError("it answered nothing")


def _slow_command(program, folder, *before):
    data = folder / "capitais.csv"
    data.write_text("estado,a,b,c,certa\n" + "Bahia,Salvador,Ilhéus,Feira,A\n" * 100, "utf-8")
    model = "slow,seconds=0.1"
    return [*before, *program, "run", "--task", "capitals-pt", "--model", model, "--data", str(data)]


def test_a_run_is_listed_from_its_start_and_as_interrupted_once_killed(program, environment, tmp_path):
    process = _started(_slow_command(program, tmp_path), environment, tmp_path)
    try:
        assert _status(program, environment, tmp_path) == ["running"]
    finally:
        process.kill()
        process.wait()
    assert _status(program, environment, tmp_path) == ["interrupted"]
    reported = subprocess.run(
        [*program, "report", "--runs", "runs", "--out", "page.html"], env=environment, cwd=tmp_path, capture_output=True
    )
    assert reported.returncode == 0, reported.stderr
    shown = subprocess.run(
        [*program, "show", str(next(tmp_path.glob("runs/*/*/*")))], env=environment, cwd=tmp_path, capture_output=True
    )
    (folder,) = tmp_path.glob("runs/*/*/*")
    for command in (["annotate", folder.name, "--agreement"], ["judge", folder.name, "--judge", "random"],
                    ["compare", folder.name, folder.name]):  # fmt: skip
        refused = subprocess.run([*program, *command], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert refused.returncode == 1
        assert "was killed before its" in refused.stderr and f"benchctl rescore {folder.name}" in refused.stderr
    answered = (folder / "samples.jsonl").read_bytes().count(b"\n")
    assert b"interrupted" in shown.stdout and f"n 100, answered {answered}," in shown.stdout.decode()
    assert "how long it took was not written down" in shown.stdout.decode(), "the record is of its start"
    subprocess.run([*program, "rescore", str(folder)], env=environment, cwd=tmp_path, check=True, capture_output=True)
    record = json.loads((folder / "run.json").read_bytes())
    assert (record["status"], record["counts"]["answered"]) == ("interrupted", answered), "figures without going on"
    assert record["estimates"]["accuracy"]["n"] == answered


@pytest.mark.slow
@pytest.mark.alone
def test_a_closed_terminal_ends_a_run_in_order_and_nohup_lets_it_go_on(program, environment, tmp_path):
    process = _started(_slow_command(program, tmp_path), environment, tmp_path)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=20) == 130
    record = json.loads(next(tmp_path.glob("runs/*/*/*/run.json")).read_text("utf-8"))
    assert record["status"] == "interrupted"
    assert record["counts"]["answered"] >= 3

    process = _started(_slow_command(program, tmp_path, "nohup"), environment, tmp_path, answers=6)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 0
    assert _status(program, environment, tmp_path) == ["complete"]
