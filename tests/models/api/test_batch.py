"""The batch interface: half the price, answered later, and never paid twice."""

from __future__ import annotations

import signal
import subprocess
import time
from unittest.mock import Mock

import pytest

from benchctl_plugins.models.openai_api import batch, handing

from .conftest import KEY, answers, record, result, words

GENERATE = ("--scoring", "generate")


@pytest.fixture
def stopped_waiting(run, monkeypatch):
    """A run that is interrupted when it first waits for its batch."""

    def call(model):
        with monkeypatch.context() as patched:
            patched.setattr(batch.time, "sleep", Mock(side_effect=KeyboardInterrupt))
            return run(model, *GENERATE)

    return call


def test_a_batch_gives_the_answers_of_single_calls_at_half_the_price(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')  # 0.2 an answer
    server = serve()
    single = run(f"openai:gpt,base_url={server.url}", *GENERATE, "--out", "single")
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE, "--out", "batch")
    assert ran.code == 0 and result(ran)["metrics"] == result(single)["metrics"]
    assert result(ran)["run"] == result(single)["run"], "how answers are fetched is no part of the run"
    assert result(ran)["counts"]["cost"] == pytest.approx(result(single)["counts"]["cost"] / 2)
    assert record(ran, tmp_path)["model"]["batch"] is True and server.stats()["batches"] == 1
    assert not list(tmp_path.glob("cache/batches/*/*")), "what was taken is forgotten"


def test_a_stopped_command_waits_for_the_same_batch_again(serve, program, tmp_path, run_apart):
    server = serve(batch_seconds=3)
    model = f"openai:gpt,base_url={server.url},batch=true,poll=0.1"
    process = subprocess.Popen(
        [*program, *words(model, *GENERATE)], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not list(tmp_path.glob("cache/batches/*/*.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    ended = run_apart(model, *GENERATE)
    assert ended.code == 0 and len(answers(ended, tmp_path)) == 10
    assert server.stats()["batches"] == 1 and server.stats()["asked"] == 10


def test_what_a_batch_could_not_answer_is_an_error_and_goes_into_the_next(serve, run, tmp_path):
    server = serve(faults=0.4)
    model = f"openai:gpt,base_url={server.url},batch=true,poll=0.05"
    first = run(model, *GENERATE)
    errors = result(first)["counts"]["errors"]
    assert first.code == 3 and 0 < errors < 10 and "HTTP 500: " in first.err
    for _ in range(20):
        if (last := run(model, *GENERATE)).code == 0:
            break
    assert last.code == 0 and len(answers(last, tmp_path)) == 10
    assert server.stats()["asked"] < 40 and server.stats()["batches"] > 1


def test_a_server_that_names_the_length_limit_otherwise_gets_a_second_batch_in_its_own_terms(serve, run, tmp_path):
    server = serve(refuse="max_tokens")
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE)
    assert ran.code == 0 and len(answers(ran, tmp_path)) == 10
    assert server.stats()["batches"] == 2
    assert not list(tmp_path.glob("cache/batches/*/*"))
    refused = serve(refuse="temperature")
    ran = run(f"openai:gpt,base_url={refused.url},batch=true,poll=0.05", *GENERATE, "--out", "other")
    assert ran.code == 3 and "HTTP 400" in ran.err and refused.stats()["batches"] == 1


def test_interrupted_right_after_the_second_batch_it_waits_for_that_one_alone(serve, run, tmp_path, monkeypatch):
    server = serve(refuse="max_tokens")
    model, hand_in, handed = f"openai:gpt,base_url={server.url},batch=true,poll=0.05", batch.hand_in, []

    def interrupted(*given):
        handed.append(hand_in(*given))
        if len(handed) == 2:
            raise KeyboardInterrupt
        return handed[-1]

    with monkeypatch.context() as patched:
        patched.setattr(batch, "hand_in", interrupted)
        assert run(model, *GENERATE).code == 130
    ended = run(model, *GENERATE)
    assert ended.code == 0, ended.err
    assert len(answers(ended, tmp_path)) == 10 and server.stats()["batches"] == 2


def test_what_a_shorter_run_does_not_take_of_a_batch_is_kept_for_the_whole_one(serve, run, tmp_path, stopped_waiting):
    server = serve(batch_seconds=0.5)
    model = f"openai:gpt,base_url={server.url},batch=true,poll=0.1"
    assert stopped_waiting(model).code == 130
    assert run(model, *GENERATE, "--limit", "3").code == 0
    ended = run(model, *GENERATE)
    assert ended.code == 0 and len(answers(ended, tmp_path)) == 10
    assert server.stats()["batches"] == 2 and server.stats()["asked"] == 13, "as without batches: two runs ask those 3"
    assert not list(tmp_path.glob("cache/batches/*/*"))


def test_a_batch_that_failed_as_a_whole_says_why(serve, run):
    server = serve(batch_fails="Enqueued token limit reached for gpt.")
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE)
    assert ran.code == 3 and "ended as 'failed'" in ran.err and "Enqueued token limit reached" in ran.err


def test_a_batch_that_the_service_knows_no_more_is_named_with_what_to_do(serve, run, tmp_path, stopped_waiting):
    server = serve(batch_seconds=60)
    model = f"openai:gpt,base_url={server.url},batch=true,poll=0.1"
    assert stopped_waiting(model).code == 130
    server.post("/forget")
    ran = run(model, *GENERATE)
    (note,) = tmp_path.glob("cache/batches/*/*")
    assert ran.code == 1 and "batch-0" in ran.err and str(note) in ran.err and "HTTP 404" in ran.err


def test_a_batch_whose_making_went_unheard_is_found_and_not_paid_again(serve, run):
    server = serve(batch_lost=3)
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE)
    assert ran.code == 0 and server.stats()["batches"] == 1


def test_a_network_that_is_away_for_a_while_does_not_end_the_wait(serve, run, tmp_path):
    server = serve(batch_deaf=4)
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05,retries=0", *GENERATE)
    assert ran.code == 0 and len(answers(ran, tmp_path)) == 10 and server.stats()["batches"] == 1
    assert ran.err.count("the batch interface does not answer (Connection error.") == 1, "said once"


def test_a_network_that_stays_away_ends_the_wait_and_keeps_the_batch(serve, run, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "OUTAGE", 0.3)
    server = serve(batch_deaf=10**6)
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05,retries=0", *GENERATE)
    assert ran.code == 1 and "The batch interface failed: Connection error." in ran.err
    assert list(tmp_path.glob("cache/batches/*/*")), "what was handed in is remembered"


def test_answers_of_a_batch_that_arrive_without_their_end_are_fetched_again(serve, run, tmp_path):
    server = serve(batch_torn=1)
    model = f"openai:gpt,base_url={server.url},batch=true,poll=0.05"
    torn = run(model, *GENERATE)
    (note,) = tmp_path.glob("cache/batches/*/*")
    assert torn.code == 1 and "batch-0" in torn.err and "1 of their lines" in torn.err and str(note) in torn.err
    assert "Traceback" not in torn.err and "plugin" not in torn.err
    (samples,) = tmp_path.glob("runs/*/*/*/samples.jsonl")
    assert samples.read_bytes().count(b"\n") == 9, "those that could be read are kept"
    ended = run(model, *GENERATE)
    assert ended.code == 0 and len(answers(ended, tmp_path)) == 10 and server.stats()["batches"] == 1


@pytest.mark.parametrize("name", ["back_off", "_create"])  # while it waits to ask again; right after
def test_a_command_that_ends_while_its_batch_is_made_leaves_no_second_one_to_pay(serve, run, monkeypatch, name):
    server = serve(batch_lost=1)
    model, create = f"openai:gpt,base_url={server.url},batch=true,poll=0.05", handing._create

    def interrupted(*given):
        if name == "_create":
            create(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(handing, name, interrupted)
        assert run(model, *GENERATE).code == 130
    assert run(model, *GENERATE).code == 0 and server.stats()["batches"] == 1


def test_a_batch_that_was_never_made_is_made_by_the_same_command_and_a_refused_one_forgotten(
    serve, run, tmp_path, monkeypatch
):
    server = serve()
    model = f"openai:gpt,base_url={server.url},batch=true,poll=0.05"
    with monkeypatch.context() as patched:
        patched.setattr(handing, "_create", Mock(side_effect=KeyboardInterrupt))
        assert run(model, *GENERATE).code == 130
    assert list(tmp_path.glob("cache/batches/*/*")) and server.stats()["batches"] == 0
    assert run(model, *GENERATE).code == 0 and server.stats()["batches"] == 1
    assert not list(tmp_path.glob("cache/batches/*/*"))


def test_questions_with_the_same_words_are_paid_once(serve, run, tmp_path):
    (tmp_path / "same.txt").write_text("Responda com uma letra.")
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')  # 0.1 in a batch
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE, "--prompt-template", "same.txt")
    assert ran.code == 0 and result(ran)["counts"]["answered"] == 10 and server.stats()["asked"] == 1
    assert record(ran, tmp_path)["model"]["spent"] == pytest.approx(result(ran)["counts"]["cost"]) == pytest.approx(0.1)


def test_a_cost_limit_that_a_batch_cannot_keep_is_refused_before_anything_is_handed_in(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text('[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n')
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE, "--max-cost", "1")
    assert ran.code == 1 and "batch" in ran.err and "--limit" in ran.err and server.stats()["batches"] == 0


def test_line_ends_of_other_kinds_in_a_batchs_answers_end_no_line(serve, run, tmp_path):
    server = serve(say="Alternativa @\u2028porque\x85sim")
    ran = run(f"openai:gpt,base_url={server.url},batch=true,poll=0.05", *GENERATE)
    assert ran.code == 0 and answers(ran, tmp_path)[0]["responses"][0]["text"].endswith("\u2028porque\x85sim")


def test_a_batch_interface_that_refuses_is_said_without_the_key(serve, run_apart):
    ran = run_apart(f"openai:gpt,base_url={serve(echo_key=400).url},batch=true", *GENERATE)
    assert ran.code == 1 and "The batch interface failed" in ran.err and "Traceback" not in ran.err
    assert KEY[:12] not in ran.err


@pytest.mark.parametrize("way", ["", ",batch=true,poll=0.05"])
def test_several_answers_to_a_question_are_asked_for_one_by_one_each_with_a_seed_of_its_own(serve, run, tmp_path, way):
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url},temperature=0.8,seed=7{way}", *GENERATE, "--repeats", "3")
    assert ran.code == 0 and len(answers(ran, tmp_path)) == 30
    stats = server.stats()
    assert (stats["asked"], stats["prompts"], stats["seeds"]) == (30, 10, [7, 8, 9])


def test_several_answers_of_a_batch_without_a_seed_are_several(serve, run, tmp_path):
    server = serve()
    model = f"openai:gpt,base_url={server.url},temperature=0.8,batch=true,poll=0.05"
    ran = run(model, *GENERATE, "--repeats", "3")
    assert ran.code == 0 and len(answers(ran, tmp_path)) == 30 == server.stats()["asked"]
