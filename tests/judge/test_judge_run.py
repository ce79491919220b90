"""Must-show 4: a long-answer run judged over an API that misbehaves; killed and resumed; a local model as judge."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from benchctl import statistics
from benchctl.journal import read_lines
from benchctl.records import RunFolder, find_run
from benchctl.testing import ScriptedModel
from benchctl.types import Response, Usage
from benchctl_plugins.metrics.judge import judging

from .conftest import verdict

PROSE = "A resposta é boa e clara, daria nota alta."
WRONG_KEYS = '{"justificativa": "ok", "intent": 5, "utility": 5, "coherence": 5}'
TOO_MANY = verdict(4, 2, 9)
BROKEN = '{"justificativa": "ok", "intencao": 5, "utilidade": 3, "coerencia": '

FIRST = {
    "0": verdict(5, 5, 5),
    "1": f"Claro! Aqui está:\n```json\n{verdict(5, 3, 5)}\n```\nEspero ter ajudado.",
    "2": PROSE, "3": PROSE, "4": WRONG_KEYS, "5": WRONG_KEYS, "6": TOO_MANY, "7": TOO_MANY, "8": BROKEN, "9": BROKEN,
    "10": verdict(5, 5, 5).replace("5", '"5"'),
    "11": verdict(0, 0, 0),
}  # fmt: skip
SECOND = {
    **{n: verdict(3, 1, 3) for n in ("2", "4", "6", "8")},
    "3": PROSE,
    "5": WRONG_KEYS,
    "7": TOO_MANY,
    "9": BROKEN,
}
POINTS = {
    "0": (5, 5, 5),
    "1": (5, 3, 5),
    **dict.fromkeys(("2", "4", "6", "8"), (3, 1, 3)),
    "10": (5, 5, 5),
    "11": (0, 0, 0),
}


def misbehaving(number: str, turn: int, conversation: str) -> str:
    return (FIRST if turn == 1 else SECOND)[number]


@pytest.fixture
def judged(long_run, serve_judge, benchctl):
    run, server = long_run(12), serve_judge(misbehaving)
    ran = benchctl("judge", run.path, "--judge", server.spec(), "--json")
    return run, server, ran


def test_means_total_and_intervals_come_from_the_verdicts_that_can_be_read(judged):
    _run, _, ran = judged
    assert ran.code == 3, ran.err
    results = json.loads(ran.out)["results"]["answer"]
    for place, name in enumerate(("judge_intent", "judge_usefulness", "judge_coherence")):
        expected = statistics.mean([float(POINTS[n][place]) for n in sorted(POINTS, key=int)])
        assert results[name]["value"] == pytest.approx(expected.value)
        assert (results[name]["low"], results[name]["high"]) == pytest.approx((expected.low, expected.high))
    total = results["judge_total"]
    assert total["n"] == 8
    assert total["value"] == pytest.approx(sum(sum(p) for p in POINTS.values()) / 8)
    assert 0 <= total["low"] < total["value"] < total["high"] <= 15


def test_each_kind_of_bad_reply_is_asked_once_more_and_then_left_out_and_named(judged):
    _, server, ran = judged
    (judge,) = json.loads(ran.out)["judges"]
    assert {k: judge[k] for k in ("asked", "read", "mended", "unreadable", "failed", "waiting")} == {
        "asked": 12, "read": 8, "mended": 4, "unreadable": 4, "failed": 0, "waiting": 0,
    }  # fmt: skip
    assert judge["problems"] == {"prose": 1, "keys": 1, "scale": 1, "broken": 1}
    assert "1 broken, 1 keys, 1 prose, 1 scale" in ran.err
    assert {n: server.asked[n] for n in FIRST} == {n: 1 if n in ("0", "1", "10", "11") else 2 for n in FIRST}


def test_the_second_try_tells_the_judge_what_was_wrong(judged):
    _, server, _ = judged
    repairs = [b["messages"] for b in server.bodies if len(b["messages"]) == 4]
    assert len(repairs) == 8
    said = {m[2]["content"]: m[3]["content"] for m in repairs}
    assert "não há nela um objeto JSON" in said[PROSE]
    assert "faltam ou repetem-se chaves: intencao, utilidade, coerencia" in said[WRONG_KEYS]
    assert "intencao = 4 (5 | 3 | 0)" in said[TOO_MANY]
    assert "malformado" in said[BROKEN]


def test_an_empty_reply_is_asked_again_without_an_empty_turn_which_servers_refuse(long_run, serve_judge, benchctl):
    run = long_run(3)
    server = serve_judge(lambda number, turn, conversation: "" if turn == 1 else verdict(5, 5, 5))
    ran = benchctl("judge", run.path, "--judge", server.spec(), "--json")
    (judge,) = json.loads(ran.out)["judges"]
    assert ran.code == 0 and judge["mended"] == 3
    again = [b["messages"] for b in server.bodies if "Não foi possível ler" in b["messages"][-1]["content"]]
    assert [[m["role"] for m in messages] for messages in again] == [["system", "user"]] * 3
    assert all(m["content"].strip() for messages in again for m in messages)


def test_the_same_command_again_asks_nothing(judged, benchctl):
    run, server, ran = judged
    before = sum(server.asked.values())
    again = benchctl("judge", run.path, "--judge", server.spec(), "--json")
    assert sum(server.asked.values()) == before
    assert json.loads(again.out)["results"] == json.loads(ran.out)["results"]
    (judge,) = json.loads(again.out)["judges"]
    content = json.loads((run.path / "judgements" / judge["id"] / "judge.json").read_text("utf-8"))
    assert content["judge"]["model"]["served_model"] == ["juiz-2026-01"], "who judged is still known"
    assert again.code == 3


def test_the_record_says_who_judged_and_how(judged):
    run, _server, ran = judged
    (judge,) = json.loads(ran.out)["judges"]
    content = json.loads((run.path / "judgements" / judge["id"] / "judge.json").read_text("utf-8"))
    assert content["judge"]["name"] == "juiz"
    assert content["judge"]["model"]["served_model"] == ["juiz-2026-01"]
    assert content["judge"]["manner"]["temperature"] == 0.0
    assert len(content["prompts"]) == len(content["rubric"]["digest"]) == len(content["judge"]["fingerprint"]) == 64
    assert content["usage"] == {"prompt_tokens": 4000, "completion_tokens": 800, "cost": None}
    assert content["versions"]["benchctl"]


def test_the_figures_are_in_the_run_and_survive_rescoring(judged, benchctl):
    run, _, _ran = judged
    record = find_run(run.path.parents[2], str(run.path)).record
    assert record.estimates["judge_total"].n == 8
    assert record.added["judge_total"]["judges"][0].startswith("openai:juiz")
    values = {s.id: s.values.get("judge_total") for s in RunFolder(run.path).scores()}
    assert values["1"] == 13
    assert values["3"] is None
    assert benchctl("rescore", run.path).code == 0
    after = find_run(run.path.parents[2], str(run.path)).record
    assert after.estimates["judge_total"] == record.estimates["judge_total"]
    assert {s.id: s.values.get("judge_total") for s in RunFolder(run.path).scores()} == values


def test_killed_and_resumed_no_verdict_is_asked_twice(long_run, serve_judge, benchctl, program):
    run = long_run(24)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 3, 5), delay=0.1)
    command = [*program, "judge", str(run.path), "--judge", server.spec(connections=2)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (lines := [line for f in run.path.glob("judgements/*/verdicts.jsonl") for line in read_lines(f)])[7:]:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lines = [line for f in run.path.glob("judgements/*/verdicts.jsonl") for line in read_lines(f)]
    assert 8 <= len(lines) < 24
    time.sleep(0.3)  # calls that were on their way when it died still reach the server
    ran = benchctl("judge", run.path, "--judge", server.spec(connections=2), "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["results"]["answer"]["judge_total"]["n"] == 24
    written = {line["id"] for line in lines}
    assert all(server.asked[number] == 1 for number in written)
    assert sum(server.asked.values()) <= 24 + 2, "only calls under way at the kill may be asked again"


def test_a_failed_call_is_no_verdict_and_the_same_command_retries_it(long_run, serve_judge, benchctl):
    run = long_run(3)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    dead = server.spec(retries=0, patience=1, timeout=2)
    server.close()
    ran = benchctl("judge", run.path, "--judge", dead, "--json")
    assert ran.code == 3, ran.err
    report = json.loads(ran.out)
    assert report["judges"][0]["failed"] == 3
    assert report["results"]["answer"] == {}
    assert "retries them" in ran.err
    assert "judge_total" not in find_run(run.path.parents[2], str(run.path)).record.estimates


def test_the_cost_is_added_up_shown_and_capped(long_run, serve_judge, benchctl, tmp_path):
    run = long_run(20)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    (tmp_path / "benchctl.toml").write_text("[prices.juiz]\nprompt = 1000\ncompletion = 2500\n")
    ran = benchctl("judge", run.path, "--judge", server.spec(connections=1), "--max-cost", "1.0", "--json")
    assert ran.code == 3
    (judge,) = json.loads(ran.out)["judges"]
    assert judge["usage"]["cost"] == pytest.approx(0.3 * judge["read"])
    assert 3 <= judge["read"] <= 4
    ran = benchctl("judge", run.path, "--judge", server.spec(connections=1), "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["judges"][0]["usage"]["cost"] == pytest.approx(6.0)
    assert all(count == 1 for count in server.asked.values())


@pytest.mark.parametrize("connections", [1, 6])
def test_what_a_cap_leaves_was_not_asked_and_did_not_fail(long_run, serve_judge, benchctl, tmp_path, connections):
    run = long_run(20)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5), delay=0.05)
    (tmp_path / "benchctl.toml").write_text("[prices.juiz]\nprompt = 1000\ncompletion = 2500\n")  # 0.3 a verdict
    command = ("judge", run.path, "--judge", server.spec(connections=connections), "--max-cost", "4", "--json")
    capped = benchctl(*command)
    (judge,) = json.loads(capped.out)["judges"]

    assert capped.code == 3 and judge["status"] == "incomplete"
    assert 0 < judge["read"] < 20 and (judge["failed"], judge["unreadable"]) == (0, 0)
    assert judge["waiting"] == 20 - judge["read"]
    assert f"{judge['waiting']} questions were not asked: stopped at the cost allowed: " in capped.err
    assert "failed" not in capped.err
    while (ran := benchctl(*command)).code == 3:
        (after,) = json.loads(ran.out)["judges"]
        assert after["read"] > judge["read"], "each sitting may cost as much again"
        judge = after
    assert ran.code == 0 and json.loads(ran.out)["judges"][0]["read"] == 20 and "not asked" not in ran.err


def test_a_second_try_that_a_cap_leaves_is_not_told_as_unreadable(long_run, serve_judge, benchctl, tmp_path):
    run = long_run(4)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5) if turn == 2 else "Gostei muito.")
    (tmp_path / "benchctl.toml").write_text("[prices.juiz]\nprompt = 1000\ncompletion = 2500\n")
    command = ("judge", run.path, "--judge", server.spec(connections=1), "--json")
    capped = benchctl(*command, "--max-cost", "1.5")
    (judge,) = json.loads(capped.out)["judges"]

    assert capped.code == 3 and sum(server.asked.values()) == 5, "four first tries, one second"
    assert (judge["read"], judge["waiting"], judge["unreadable"], judge["problems"]) == (1, 3, 0, {})
    ran = benchctl(*command)
    assert ran.code == 0 and set(server.asked.values()) == {2}


def test_verdicts_that_are_paid_when_the_cap_is_reached_are_kept(long_run, serve_judge, benchctl, tmp_path):
    run = long_run(12)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5), delay=0.3)
    (tmp_path / "benchctl.toml").write_text("[prices.juiz]\nprompt = 1000\ncompletion = 2500\n")
    ran = benchctl("judge", run.path, "--judge", server.spec(connections=8), "--max-cost", "0.5", "--json")
    (judge,) = json.loads(ran.out)["judges"]

    assert ran.code == 3 and judge["read"] == sum(server.asked.values()) == 8, "all went out before a cost was known"
    assert judge["usage"]["cost"] == pytest.approx(0.3 * 8)


def test_a_judge_of_a_plugin_that_knows_no_limit_is_stopped_at_it_all_the_same(long_run, benchctl, monkeypatch):
    def script(request, sample):
        return Response(text=verdict(5, 5, 5), finish_reason="stop", usage=Usage(100, 10, 0.3))

    judge = ScriptedModel(script, "juiz")
    monkeypatch.setattr(judging, "create_model", lambda plugins, spec: judge)
    command = ("judge", long_run(6).path, "--judge", "juiz", "--max-cost", "1", "--json")
    capped = benchctl(*command)
    (told,) = json.loads(capped.out)["judges"]
    assert capped.code == 3 and (told["read"], told["waiting"], len(judge.asked)) == (4, 2, 4)
    assert "2 questions were not asked: stopped at the cost allowed: 1.2000 of 1 spent" in capped.err
    ended = benchctl(*command)
    assert ended.code == 0 and len(judge.asked) == 6 and "not asked" not in ended.err


def test_a_cap_without_prices_is_refused_before_anything_is_asked(long_run, serve_judge, benchctl):
    run = long_run(3)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    ran = benchctl("judge", run.path, "--judge", server.spec(), "--max-cost", "1")
    assert ran.code == 1
    assert not server.asked


def test_a_judge_that_only_chats_is_said_to_have_given_no_figure(long_run, serve_judge, benchctl):
    run = long_run(3)
    server = serve_judge(lambda number, turn, conversation: "Que boa resposta!")
    ran = benchctl("judge", run.path, "--judge", server.spec())
    assert ran.code == 3, ran.err
    assert "No verdict could be read" in ran.out
    assert "kappa" not in ran.out
    assert "0 of 3 verdicts read" in ran.out


@pytest.mark.slow
def test_a_local_transformers_model_judges_too_its_prose_is_counted_as_unreadable(long_run, benchctl):
    pytest.importorskip("transformers", reason="needs the extra 'hf'")
    run = long_run(3)
    ran = benchctl("judge", run.path, "--judge", "tiny", "--max-tokens", "16", "--json")
    assert ran.code == 3, ran.err
    report = json.loads(ran.out)
    assert report["judges"][0]["unreadable"] == 3
    assert report["results"]["answer"] == {}


@pytest.mark.slow
def test_a_judge_whose_context_is_too_short_for_the_rubric_is_warned_of(long_run, benchctl):
    pytest.importorskip("transformers", reason="needs the extra 'hf'")
    run = long_run(3)
    for _ in range(2):  # also when all verdicts are there already
        ran = benchctl("judge", run.path, "--judge", "tiny,max_length=200", "--weighted")
        assert "9 prompts did not fit its context" in ran.err
    ran = benchctl("judge", run.path, "--judge", "tiny", "--rubric", "agreement-pt", "--max-tokens", "16")
    assert "did not fit" not in ran.err


@pytest.mark.slow
def test_a_local_model_gives_weighted_points_from_its_probabilities(long_run, benchctl):
    pytest.importorskip("transformers", reason="needs the extra 'hf'")
    run = long_run(3)
    ran = benchctl("judge", run.path, "--judge", "tiny", "--rubric", "summary-pt", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert set(report["results"]["answer"]) == {
        "geval_relevance", "geval_coherence", "geval_consistency", "geval_fluency", "geval_total",
    }  # fmt: skip
    assert all(1 < e["value"] < 5 for e in report["results"]["answer"].values())
    (file,) = run.path.glob("judgements/*/verdicts.jsonl")
    for line in read_lines(file):
        shares = line["probabilities"]
        assert sum(shares.values()) == pytest.approx(1)
        (points,) = line["points"].values()
        assert points == pytest.approx(sum(int(p) * share for p, share in shares.items()))


def test_rubrics_of_two_prefixes_stand_side_by_side_and_a_second_judge_replaces_the_first(
    long_run, serve_judge, benchctl
):
    run = long_run(3)
    kind = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    stern = serve_judge(lambda number, turn, conversation: verdict(0, 0, 3))
    geval = '{"relevancia": 4, "coerencia": 4, "consistencia": 4, "fluencia": 2}'
    summary = serve_judge(lambda number, turn, conversation: geval)
    benchctl("judge", run.path, "--judge", kind.spec())
    benchctl("judge", run.path, "--judge", summary.spec(), "--rubric", "summary-pt", "--no-weighted")
    benchctl("judge", run.path, "--judge", stern.spec("outro"))
    record = find_run(run.path.parents[2], str(run.path)).record
    assert record.estimates["judge_total"].value == 3
    assert record.estimates["geval_total"].value == 3.5
    assert record.added["judge_total"]["judges"][0].startswith("openai:outro")


def test_the_schema_goes_along_and_a_server_that_refuses_it_is_asked_without(long_run, serve_judge, benchctl):
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    benchctl("judge", long_run(2).path, "--judge", server.spec())
    sent = server.bodies[0]["response_format"]["json_schema"]["schema"]
    assert sent["properties"]["utilidade"]["enum"] == [5, 3, 1, 0]
    assert sent["required"] == ["justificativa", "intencao", "utilidade", "coerencia"]
    other = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    other.refuse_schema = True
    ran = benchctl("judge", long_run(6).path, "--judge", other.spec(connections=2), "--json")
    assert ran.code == 0, ran.err
    assert 1 <= other.refused <= 2
    assert all("response_format" not in body for body in other.bodies)


def test_an_interrupted_judgement_says_so_and_goes_on(long_run, serve_judge, benchctl, program):
    run = long_run(20)
    server = serve_judge(lambda number, turn, conversation: verdict(5, 3, 5), delay=0.1)
    process = subprocess.Popen(
        [*program, "judge", str(run.path), "--judge", server.spec(connections=1)], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(server.asked) < 4:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    (file,) = run.path.glob("judgements/*/judge.json")
    content = json.loads(file.read_text("utf-8"))
    assert content["status"] == "interrupted"
    assert content["counts"]["read"] + content["counts"]["waiting"] == 20
    assert benchctl("judge", run.path, "--judge", server.spec(connections=1)).code == 0
    assert sum(server.asked.values()) <= 21


def test_an_empty_answer_is_judged_as_empty(long_run, serve_judge, benchctl):
    server = serve_judge(lambda number, turn, conversation: verdict(0, 0, 0))
    ran = benchctl("judge", long_run(1, texts={"0": "  "}).path, "--judge", server.spec())
    assert ran.code == 0
    assert "(vazio)" in server.bodies[0]["messages"][-1]["content"]


def test_an_answer_is_judged_without_the_thinking_before_it(long_run, serve_judge, benchctl):
    server = serve_judge(lambda number, turn, conversation: verdict(5, 5, 5))
    run = long_run(1, texts={"0": "<think>Receitar antibiótico? Não.</think>\n\nBeba água e descanse."})
    assert benchctl("judge", run.path, "--judge", server.spec()).code == 0
    asked = server.bodies[0]["messages"][-1]["content"]
    assert "Beba água e descanse." in asked
    assert "antibiótico" not in asked
