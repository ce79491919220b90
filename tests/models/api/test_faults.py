"""Servers that fail: nothing is lost, nothing is asked for ever, and no fault counts as a wrong answer."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from email.utils import formatdate

import pytest

from benchctl_plugins.models.openai_api.pacing import Pacer, retry_after

from .conftest import answers, record, result, words

GENERATE = ("--scoring", "generate")
QUICK = "timeout=1,connections=32"
PRICED = '[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n'  # 0.2 a call


@pytest.mark.slow
def test_with_faults_in_a_third_of_the_calls_every_sample_is_answered_once_and_scored_as_without(
    serve, run_apart, tmp_path, teste
):
    steady = serve()
    sound = run_apart(f"openai:gpt,base_url={steady.url}", *GENERATE, data=teste, limit=200)
    steady.stop()
    shaky = serve(faults=0.3, port=steady.port, delay=0.005)
    ran = run_apart(f"openai:gpt,base_url={shaky.url},{QUICK}", *GENERATE, "--out", "shaky", data=teste, limit=200)
    assert ran.code == 0 and result(ran)["status"] == "complete", ran.err
    assert result(ran)["metrics"] == result(sound)["metrics"] and result(ran)["outcomes"] == {"choice": 200}
    written = [line["id"] for line in answers(ran, tmp_path)]
    assert len(written) == len(set(written)) == 200
    stats, faults = shaky.stats(), record(ran, tmp_path)["model"]["faults"]
    assert len(stats["faults"]) == 9, "each kind of fault happened"
    assert sum(faults.values()) == sum(stats["faults"].values()) > 40
    assert {"http 429", "http 500", "timeout", "connection", "reply"} == set(faults)


@pytest.mark.slow
def test_a_server_that_goes_down_for_good_ends_the_run_incomplete_and_the_same_command_finishes_it(
    serve, run_apart, tmp_path, teste
):
    dying = serve(die_after=60, delay=0.01)
    command = (f"openai:gpt,base_url={dying.url},{QUICK},patience=2", *GENERATE)
    began = time.monotonic()
    cut = run_apart(*command, data=teste, limit=200)
    assert time.monotonic() - began < 20
    assert cut.code == 3 and result(cut)["status"] == "incomplete"
    answered = result(cut)["counts"]["answered"]
    assert 60 <= answered < 100 and result(cut)["counts"]["errors"] == 200 - answered
    assert "nothing answered for" in cut.err and "The same command retries them" in cut.err
    dying.stop()
    healthy = serve(port=dying.port)
    ended = run_apart(*command, data=teste, limit=200)
    assert ended.code == 0 and result(ended)["status"] == "complete" and result(ended)["run"] == result(cut)["run"]
    assert healthy.stats()["asked"] == 200 - answered, "only what was missing is asked"
    assert len(answers(ended, tmp_path)) == 200


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("provider", "failed on its way: the provider fell over"),
        ("page", "a web page: has base_url the path of the API"),
        ("gateway", "HTTP 502: Bad Gateway asleep"),
        ("list", "no such voice"),
    ],
)
def test_what_is_no_answer_is_an_error_in_the_servers_words(serve, run, kind, said):
    ran = run(f"openai:gpt,base_url={serve(faults=1, kinds=kind).url},retries=0", *GENERATE)
    assert ran.code == 3 and result(ran)["counts"]["answered"] == 0 and said in ran.err


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("absurd", "a log-probability above 0 (800)"),
        ("deep", "a reply that is no JSON"),
        ("nested", "a reply without a choice"),
    ],
)
def test_an_absurd_reply_is_an_error_of_its_question_alone(serve, run, kind, said):
    shaky = serve(logprobs="yes", faults=0.3, kinds=kind)
    model = f"openai:gpt,base_url={shaky.url},choose_by=logprobs,connections=1,retries=0"
    ran = run(model)
    counts = result(ran)["counts"]
    assert ran.code == 3 and said in ran.err and 0 < counts["errors"] == shaky.stats()["faults"][kind] < 10
    assert counts["answered"] == 10 - counts["errors"]
    ended = run(f"{model[:-1]}9")
    assert ended.code == 0 and result(ended)["run"] == result(ran)["run"]


def test_a_number_of_tokens_that_no_cost_can_be_made_of_is_not_told(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text(PRICED)
    ran = run(f"openai:gpt,base_url={serve(faults=1, kinds='endless').url}", *GENERATE)
    assert ran.code == 0 and result(ran)["counts"].get("cost") is None


def test_a_base_model_behind_a_server_is_asked_without_a_conversation_once_one_says_so(serve, run):
    server = serve(no_chat="the tokenizer does not define a chat template.")
    ran = run(f"openai:base,base_url={server.url}", *GENERATE)
    assert ran.code == 3 and "chat template: mode=completions asks without one" in ran.err
    assert run(f"openai:base,base_url={server.url},mode=completions", *GENERATE).code == 0


def test_a_proxy_that_cannot_be_used_is_said_in_two_lines(run, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:1")
    ran = run("openai:gpt,base_url=https://example.invalid/v1", *GENERATE)
    assert ran.code == 1 and "The proxy that the environment names" in ran.err and "Traceback" not in ran.err


def test_a_server_that_was_never_there_is_given_up_soon(run):
    began = time.monotonic()
    ran = run("openai:gpt,base_url=http://127.0.0.1:9/v1,patience=1", *GENERATE)
    assert ran.code == 3 and time.monotonic() - began < 10
    assert result(ran)["counts"]["errors"] == 10 and "no connection" in ran.err


def test_a_key_that_is_refused_stops_at_once(serve, run):
    server = serve(key="another")
    ran = run(f"openai:gpt,base_url={server.url}", *GENERATE)
    assert ran.code == 3 and "HTTP 401" in ran.err and server.stats()["asked"] == 0


def test_a_killed_run_goes_on_and_pays_for_no_answer_twice(serve, program, tmp_path, run_apart, teste):
    server = serve(delay=0.05)
    model = f"openai:gpt,base_url={server.url},connections=4"
    command = [*program, *words(model, *GENERATE, data=teste, limit=120)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sum(server.stats()["answered"].values()) < 40:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (samples,) = tmp_path.glob("runs/*/*/*/samples.jsonl")
    kept = samples.read_bytes().count(b"\n")
    before = server.stats()["asked"]
    ended = run_apart(model, *GENERATE, data=teste, limit=120)
    assert ended.code == 0 and len(answers(ended, tmp_path)) == 120
    assert server.stats()["asked"] == before + 120 - kept, "asked again: only what was not on disk"
    assert 30 <= kept <= 60


def test_ctrl_c_keeps_what_was_answered(serve, program, tmp_path, teste):
    server = serve(delay=0.05)
    command = [*program, *words(f"openai:gpt,base_url={server.url},connections=4", *GENERATE, data=teste, limit=120)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while sum(server.stats()["answered"].values()) < 20:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "Traceback" not in err
    assert json.loads(out)[0]["status"] == "interrupted" and json.loads(out)[0]["counts"]["answered"] >= 16


def test_a_wait_that_the_server_asks_for_is_understood_in_every_form():
    assert retry_after({"retry-after": "3"}) == 3.0
    assert retry_after({"retry-after": "0.5"}) == 0.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after({"retry-after": formatdate(time.time() + 5, usegmt=True)}) == pytest.approx(5, abs=1.1)
    assert retry_after({"retry-after": formatdate(time.time() - 5, usegmt=True)}) == 0.0
    theirs = time.time() + 7200  # this machine's clock is two hours behind
    assert retry_after({"date": formatdate(theirs), "retry-after": formatdate(theirs + 5)}) == pytest.approx(5, abs=0.1)
    assert retry_after({"retry-after": "soon"}) is None and retry_after({}) is None


@pytest.mark.slow
def test_the_wait_is_kept_by_all_calls(serve, run):
    server = serve(faults=1, kinds="retry-seconds", delay=0)
    began = time.monotonic()
    ran = run(f"openai:gpt,base_url={server.url},retries=2,connections=5", *GENERATE, limit=5)
    assert ran.code == 3 and result(ran)["counts"]["errors"] == 5
    assert time.monotonic() - began > 2 and server.stats()["asked"] == 15, "three attempts, a second between them"


def test_a_wait_longer_than_max_wait_is_not_waited_for(serve, run):
    server = serve(faults=1, kinds="retry-seconds")
    ran = run(f"openai:gpt,base_url={server.url},max_wait=0.5", *GENERATE)
    assert ran.code == 3 and "asks to wait 1 s" in ran.err


def test_too_many_calls_at_once_become_fewer_and_then_more_again():
    async def story() -> tuple[int, int, int]:
        pacer = Pacer(connections=64, rpm=0, patience=60)
        now: list[int] = []

        async def call() -> None:
            await pacer.enter()
            now.append(1)
            await asyncio.sleep(0.001)
            peaks.append(len(now))
            now.pop()
            pacer.leave()

        found = []
        for slow_downs, successes in ((0, 0), (1, 0), (0, 200)):
            for _ in range(slow_downs):
                pacer.throttled(None)
            for _ in range(successes):
                pacer.succeeded()
            peaks: list[int] = []
            await asyncio.gather(*(call() for _ in range(200)))
            found.append(max(peaks))
        return found[0], found[1], found[2]

    assert asyncio.run(story()) == (64, 44, 49)


def test_calls_per_minute_are_kept_to(serve, run):
    began = time.monotonic()
    ran = run(f"openai:gpt,base_url={serve().url},rpm=600", *GENERATE)
    assert ran.code == 0 and time.monotonic() - began > 0.9, "ten calls, a tenth of a second apart"


def test_a_reply_that_cannot_be_used_is_paid_all_the_same_where_it_tells_its_tokens(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text(PRICED)
    server = serve(faults=0.5, kinds="paid", seed=3)
    ran = run(f"openai:gpt,base_url={server.url}", "--scoring", "generate")
    asked, found = server.stats()["asked"], record(ran, tmp_path)
    assert ran.code == 0 and asked > 10
    assert found["counts"]["cost"] == pytest.approx(found["model"]["spent"]) == pytest.approx(0.2 * asked)
    assert found["counts"]["prompt_tokens"] == 100 * asked


def test_a_cost_limit_counts_replies_that_cannot_be_used(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text(PRICED)
    server = serve(faults=1, kinds="paid")
    ran = run(f"openai:gpt,base_url={server.url},connections=1,retries=2", "--scoring", "generate", "--max-cost", "1")
    assert ran.code == 3 and server.stats()["asked"] == 5
