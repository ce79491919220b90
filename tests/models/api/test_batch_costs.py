"""What a limit of cost and a price mean beside the batch interface."""

from __future__ import annotations

import pytest

from .conftest import result

PRICES = '[prices."gpt"]\nprompt = 1000\ncompletion = 10000\n'


def test_a_limit_that_a_batch_cannot_keep_is_refused_without_a_trace(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text(PRICES)
    ran = run(f"openai:gpt,base_url={serve().url},batch=true", "--scoring", "generate", "--max-cost", "1")
    assert ran.code == 1 and "cost limit" in ran.err
    assert not list((tmp_path / "runs").rglob("*")), "what was refused before the first answer is no run"


@pytest.mark.parametrize("line", ["batch = 50", "batch = -0.5", "prompt = -1", "completion = nan", "completion = inf"])
def test_what_is_no_price_and_no_share_is_refused_before_anything_is_asked(serve, run, tmp_path, line):
    prices = {"prompt": "1", "completion": "2", line.split()[0]: line.split()[2]}
    table = "".join(f"{name} = {value}\n" for name, value in prices.items())
    (tmp_path / "benchctl.toml").write_text(f'[prices."gpt"]\n{table}')
    server = serve()
    ran = run(f"openai:gpt,base_url={server.url}", "--scoring", "generate")
    assert ran.code == 1 and "batch = 0.5 is half" in ran.err and server.stats()["asked"] == 0


def test_choices_are_asked_directly_and_cost_the_full_price_beside_a_batch(serve, run, tmp_path):
    (tmp_path / "benchctl.toml").write_text(PRICES)
    server = serve()
    single = run(f"openai:gpt,base_url={server.url}", "--scoring", "letter", "--out", "single")
    ran = run(f"openai:gpt,base_url={server.url},batch=true", "--scoring", "letter", "--out", "batch")
    assert server.stats()["batches"] == 0
    assert result(ran)["counts"]["cost"] == pytest.approx(result(single)["counts"]["cost"])
