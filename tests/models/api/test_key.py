"""The key is in the environment and in the request's header, and nowhere else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from benchctl_plugins.models.openai_api.secrets import Redactor

from .conftest import KEY, record, result


def assert_untold(ran, folder: Path) -> None:
    """Neither the key nor a long piece of it stands in the output or in any file."""
    pieces = {KEY[i : i + 10] for i in range(len(KEY) - 9)}
    texts = [ran.out, ran.err, *(f.read_text(errors="replace") for f in folder.rglob("*") if f.is_file())]
    texts += [str(f) for f in folder.rglob("*")]
    for text in texts:
        assert not any(piece in text for piece in pieces)


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_server_that_says_the_key_back_in_an_error_does_not_get_it_written_down(serve, run_apart, tmp_path, status):
    ran = run_apart(f"openai:gpt,base_url={serve(echo_key=status).url},retries=0", "--scoring", "generate")
    assert ran.code == 3 and f"HTTP {status}" in ran.err and "[key]" in ran.err
    assert result(ran)["counts"]["errors"] == 10
    assert_untold(ran, tmp_path)


def test_nor_in_an_answer(serve, run_apart, tmp_path):
    ran = run_apart(f"openai:gpt,base_url={serve(key=KEY, say=f'{KEY}: alternativa @').url}", "--scoring", "generate")
    assert ran.code == 0 and "[key]: alternativa" in next(tmp_path.rglob("samples.jsonl")).read_text()
    assert_untold(ran, tmp_path)


@pytest.mark.parametrize(
    "spec", ["api_key={key}", "base_url=http://u:{key}@127.0.0.1:9/v1", "base_url=http://h/v1?k={key}"]
)
def test_a_key_on_the_command_line_is_refused_without_repeating_it(run_apart, tmp_path, spec):
    ran = run_apart(f"openai:gpt,{spec.format(key=KEY)}", "--scoring", "generate")
    assert ran.code == 1 and "environment" in ran.err
    assert_untold(ran, tmp_path)


@pytest.mark.parametrize("key", ["sk-“do-not-tell-0123”", "sk-do-not\ntell-0123", "sk-do-not tell-0123"])
def test_a_key_that_was_copied_badly_is_refused_without_repeating_it(serve, run, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    ran = run(f"openai:gpt,base_url={serve().url}", "--scoring", "generate")
    assert ran.code == 1 and "Copy it again" in ran.err and "do-not" not in ran.err


@pytest.mark.parametrize("url", ["http://user:words@127.0.0.1:9/v1", "http://127.0.0.1:9/v1?token=words"])
def test_an_address_with_a_secret_is_refused_without_repeating_it(run, url):
    ran = run(f"openai:gpt,base_url={url}", "--scoring", "generate")
    assert ran.code == 1 and "words" not in ran.err and "OPENAI_API_KEY" in ran.err


def test_another_variable_can_hold_the_key(serve, run, monkeypatch):
    monkeypatch.setenv("MY_PROVIDER", "tell-nobody-else")
    ran = run(f"openai:gpt,base_url={serve(key='tell-nobody-else').url},key_env=MY_PROVIDER", "--scoring", "generate")
    assert ran.code == 0


def test_no_key_is_needed_on_this_machine_and_one_elsewhere(serve, run, monkeypatch, tmp_path):
    monkeypatch.delenv("OPENAI_API_KEY")
    assert record(run(f"openai:gpt,base_url={serve().url}", "--scoring", "generate"), tmp_path)["status"] == "complete"
    ran = run("openai:gpt", "--scoring", "generate")
    assert ran.code == 1 and "no API key in the environment variable OPENAI_API_KEY" in ran.err


def test_pieces_headers_and_what_looks_like_a_key_are_taken_out_of_errors():
    clean = Redactor(KEY).error
    assert clean(f"got {KEY}") == "got [key]"
    assert clean(f"got {KEY[:14]}...") == "got [key]..."
    assert clean("Authorization: Bearer abc.def-123, sorry") == "Authorization: Bearer [key], sorry"
    assert clean("Incorrect API key provided: sk-ab****yz.") == "Incorrect API key provided: [key]"
    token = base64.b64encode(f"u:{KEY}".encode()).decode()
    assert token not in clean(f"Authorization: Basic {token}")
    assert clean("x" * 1000) == "x" * 300


def test_a_placeholder_is_no_secret_and_leaves_answers_alone():
    assert Redactor("EMPTY").answer("O frasco está EMPTY") == "O frasco está EMPTY"
    assert Redactor("").answer("tudo") == "tudo" and Redactor("").error("tudo") == "tudo"
