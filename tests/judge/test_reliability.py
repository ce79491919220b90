"""Whether a judge can be trusted is measured: raters' agreement, controls, both orders, kinship."""

from __future__ import annotations

import importlib
import json
import re

import pytest

from benchctl.statistics import wilson
from benchctl.types import Generate, Sample
from benchctl_plugins.metrics.judge.asking import Question
from benchctl_plugins.metrics.judge.pairs import compare
from benchctl_plugins.metrics.judge.questions import ORDERS, Answered, Manner, about_answers
from benchctl_plugins.metrics.judge.results import estimates
from benchctl_plugins.metrics.judge.rubric import load_rubric

from .conftest import verdict

kinship_module = importlib.import_module("benchctl_plugins.metrics.judge.kinship")


def test_a_panel_of_two_judges_is_averaged_and_its_agreement_reported(long_run, serve_judge, benchctl):
    krippendorff = pytest.importorskip("krippendorff", reason="needs the extra 'metrics'")
    first = {"0": 5, "1": 3, "2": 0, "3": 5, "4": 3, "5": 0}
    second = {"0": 5, "1": 5, "2": 0, "3": 5, "4": 0, "5": 0}
    run = long_run(6)
    one = serve_judge(lambda n, turn, said: verdict(first[n], 5, 5))
    other = serve_judge(lambda n, turn, said: verdict(second[n], 5, 5))
    ran = benchctl("judge", run.path, "--judge", f"{one.spec()},{other.spec('segundo')}", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    means = [(first[n] + second[n]) / 2 for n in first]
    assert report["results"]["answer"]["judge_intent"]["value"] == pytest.approx(sum(means) / 6)
    assert report["results"]["answer"]["judge_intent"]["n"] == 6
    found = report["agreement"]["judge_intent"]
    oracle = krippendorff.alpha(
        reliability_data=[list(map(float, first.values())), list(map(float, second.values()))],
        level_of_measurement="interval",
    )
    assert found["alpha"] == pytest.approx(oracle, abs=1e-12)
    assert (found["raters"], found["n"]) == (2, 6)
    assert found["identical"] == pytest.approx(4 / 6)
    assert report["agreement"]["judge_coherence"]["alpha"] is None, "no spread, no agreement beyond chance"


def test_draws_are_asked_at_a_temperature_and_more_draws_keep_the_first(long_run, serve_judge, benchctl):
    run = long_run(4)
    server = serve_judge(lambda n, turn, said: verdict((5, 3, 0)[turn % 3], 5, 5))
    ran = benchctl("judge", run.path, "--judge", server.spec(), "--draws", "2", "--json")
    assert ran.code == 0
    assert all(body["temperature"] == 1.0 for body in server.bodies)
    assert json.loads(ran.out)["agreement"]["judge_intent"]["raters"] == 2
    ran = benchctl("judge", run.path, "--judge", server.spec(), "--draws", "3", "--json")
    assert all(count == 3 for count in server.asked.values())
    assert json.loads(ran.out)["results"]["answer"]["judge_intent"]["value"] == pytest.approx(8 / 3)


def test_a_local_judge_draws_each_verdict_anew(long_run, benchctl, stories):
    run = long_run(2)
    benchctl("judge", run.path, "--judge", stories, "--draws", "4", "--max-tokens", "8", "--json")
    (journal,) = run.path.rglob("verdicts.jsonl")
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    for identity in ("0", "1"):
        texts = [line["text"] for line in lines if line["id"] == identity and line["attempt"] == 1]
        assert len(texts) == 4 and len(set(texts)) > 1


def test_draws_that_are_all_alike_say_nothing_and_are_called_so(long_run, serve_judge, benchctl):
    server = serve_judge(lambda n, turn, said: verdict(5, 5, 5))
    ran = benchctl("judge", long_run(3).path, "--judge", server.spec(), "--draws", "2")
    assert "ignore the temperature" in ran.err


def by_content(n, turn, said):
    """A fair judge: top marks for the right reference, none for another question's, something for the rest."""
    answer = re.search(r"\[resposta \w+\]\n(.*)\n\[/resposta", said)[1]
    if f"Referência {n}:" in answer:
        return verdict(5, 5, 5)
    return verdict(0, 0, 5) if "Referência" in answer else verdict(3, 1, 5)


def test_controls_references_near_the_top_mismatched_ones_near_the_bottom(long_run, serve_judge, benchctl):
    server = serve_judge(by_content)
    ran = benchctl("judge", long_run(5).path, "--judge", server.spec(), "--control", "--control-mismatch", "--json")
    assert ran.code == 0
    report = json.loads(ran.out)
    totals = {subject: found["judge_total"]["value"] for subject, found in report["results"].items()}
    assert totals == {"answer": 9, "reference": 15, "mismatch": 5}
    assert not [w for w in report["warnings"] if w.startswith("control")]


def test_the_reference_of_a_question_with_several_answers_is_judged_once():
    names = {"1": "1", "1#2": "1", "1#3": "1", "2": "2", "2#2": "2"}
    samples = [Sample(name, f"Pergunta {of}?", target=f"Referência {of}", repeat_of=of) for name, of in names.items()]
    answers = [Answered(sample, "Não sei.") for sample in samples]
    asked = about_answers(load_rubric("long-answer-pt"), answers, Manner(True, False), ["reference", "mismatch"])
    by_subject = {one.subject: [q.sample.id for q in asked if q.subject == one.subject] for one in asked}
    assert by_subject == {"answer": list(names), "reference": ["1", "2"], "mismatch": ["1", "2"]}


def test_a_judge_that_likes_everything_is_found_out_by_the_control(long_run, serve_judge, benchctl):
    server = serve_judge(lambda n, turn, said: verdict(5, 5, 5))
    ran = benchctl("judge", long_run(3).path, "--judge", server.spec(), "--control-mismatch")
    assert "answers to other questions still reach 5.00 of 5 in judge_intent" in ran.err


def test_a_control_can_be_added_later_and_asks_only_what_is_new(long_run, serve_judge, benchctl):
    run = long_run(4)
    server = serve_judge(by_content)
    benchctl("judge", run.path, "--judge", server.spec())
    benchctl("judge", run.path, "--judge", server.spec(), "--control")
    assert all(count == 2 for count in server.asked.values())


def preferring(kind):
    def script(n, turn, said):
        first, second = (re.search(rf"\[resposta {i} \w+\]\n(.*)\n", said)[1] for i in (1, 2))
        if kind == "better":
            choice = 1 if "boa" in first and "boa" not in second else 2 if "boa" in second and "boa" not in first else 0
        else:
            choice = 1
        return json.dumps({"justificativa": "sim", "melhor": choice})

    return script


@pytest.fixture
def two_runs(long_run):
    good = long_run(10, model="um", texts={str(i): "resposta boa" if i < 7 else "resposta má" for i in range(10)})
    bad = long_run(
        10, model="dois", texts={str(i): "resposta boa" if i in (8, 9) else "resposta má" for i in range(10)}
    )
    return good, bad


def test_a_pair_is_compared_in_both_orders(two_runs, serve_judge, benchctl):
    server = serve_judge(preferring("better"))
    a, b = two_runs
    ran = benchctl("judge", a.path, "--against", b.path, "--judge", server.spec(), "--json")
    assert ran.code == 0, ran.err
    (pair,) = json.loads(ran.out)["pairs"].values()
    assert (pair["wins"], pair["losses"], pair["ties"]) == (7, 2, 1)
    assert pair["win_rate"]["value"] == pytest.approx(0.75)
    assert pair["win_rate"]["low"] < 0.75 < pair["win_rate"]["high"]
    assert (pair["flips_first"], pair["flips_second"]) == (0, 0)
    assert pair["first_preferred"] == pytest.approx(0.5)
    assert all(count == 2 for count in server.asked.values())


def test_a_run_that_wins_every_question_has_no_certain_win_rate(long_run, serve_judge, benchctl):
    good = long_run(6, model="um", texts={str(i): "resposta boa" for i in range(6)})
    bad = long_run(6, model="dois", texts={str(i): "resposta má" for i in range(6)})
    server = serve_judge(preferring("better"))
    ran = benchctl("judge", good.path, "--against", bad.path, "--judge", server.spec(), "--json")
    (pair,) = json.loads(ran.out)["pairs"].values()
    assert (pair["win_rate"]["value"], pair["win_rate"]["high"], pair["win_rate"]["method"]) == (1, 1, "wilson")
    assert pair["win_rate"]["low"] == pytest.approx(wilson(1, 6)[0])


def test_all_of_the_points_on_a_few_answers_leave_doubt(long_run, serve_judge, benchctl):
    server = serve_judge(lambda n, turn, said: verdict(5, 0, 5))
    ran = benchctl("judge", long_run(3).path, "--judge", server.spec(), "--json")
    found = json.loads(ran.out)["results"]["answer"]
    low, high = wilson(1, 3)
    points = [found[f"judge_{name}"] for name in ("intent", "usefulness", "total")]
    assert [(e["value"], e["low"], e["high"]) for e in points] == [
        (5, pytest.approx(5 * low), 5),
        (0, 0, pytest.approx(5 * (high - low))),
        (10, pytest.approx(10 * low), pytest.approx(10 + 5 * (high - low))),
    ]


def test_a_judge_that_always_takes_the_first_decides_nothing_and_is_reported(two_runs, serve_judge, benchctl):
    stats = pytest.importorskip("scipy.stats")
    server = serve_judge(preferring("first"))
    a, b = two_runs
    ran = benchctl("judge", a.path, "--against", b.path, "--judge", server.spec(), "--json")
    (pair,) = json.loads(ran.out)["pairs"].values()
    assert (pair["wins"], pair["losses"], pair["ties"], pair["flips_first"]) == (0, 0, 10, 10)
    low, _ = wilson(1, 10)
    assert [pair["win_rate"][bound] for bound in ("value", "low", "high")] == pytest.approx([0.5, low / 2, 1 - low / 2])
    assert pair["first_preferred"] == 1.0
    assert pair["position_p"] == pytest.approx(stats.binomtest(10, 10, 0.5).pvalue)
    assert "prefers the answer shown first" in ran.err


def test_draws_of_one_pair_are_one_question_of_the_test_for_the_order(two_runs, serve_judge, benchctl):
    stats = pytest.importorskip("scipy.stats")
    server = serve_judge(preferring("first"))
    a, b = two_runs
    ran = benchctl("judge", a.path, "--against", b.path, "--judge", server.spec(), "--draws", 3, "--limit", 4, "--json")
    (pair,) = json.loads(ran.out)["pairs"].values()
    assert (pair["wins"], pair["losses"], pair["ties"], pair["flips_first"]) == (0, 0, 4, 4)
    assert pair["position_p"] == pytest.approx(stats.binomtest(4, 4, 0.5).pvalue)
    assert "prefers the answer shown first" not in ran.err


def test_a_preference_that_changes_with_the_order_is_none_also_where_one_order_is_surer():
    # Three draws of each order; the number is the place of the answer preferred. Once the judge is not of its own mind.
    said = {"a": ((1, 1, 1), (1, 1, 2)), "b": ((1, 1, 2), (2, 2, 2)), "c": ((2, 1, 2), (2, 2, 2))}
    questions, replies = [], {}
    for name, orders in said.items():
        for order, draws in zip(ORDERS, orders, strict=True):
            for draw, place in enumerate(draws):
                one = Question(order, draw, Sample(name, "?"), Generate("?"))
                questions.append(one)
                replies[one.key] = {"problem": "", "probabilities": {}, "points": {"better": place}}
    found = compare(questions, replies)
    assert (found.wins, found.losses, found.ties) == (1, 0, 2)
    assert (found.flips_first, found.flips_second) == (1, 1)
    assert found.win_rate.value == pytest.approx((4 + 5 + 4) / 6 / 3), "the mean over both orders"


def test_pair_rubrics_and_against_go_together(two_runs, benchctl):
    a, b = two_runs
    assert benchctl("judge", a.path, "--judge", "tiny", "--rubric", "pair-pt").code == 2
    assert benchctl("judge", a.path, "--judge", "tiny", "--rubric", "long-answer-pt", "--against", b.path).code == 2
    assert "the run itself" in benchctl("judge", a.path, "--judge", "tiny", "--against", a.path).err


@pytest.mark.parametrize(
    ("judge", "contestant", "kin"),
    [
        ("openai:gpt-4o", "openai:gpt-3.5-turbo", "OpenAI GPT"),
        ("openai:gpt-4o", "hf:gpt2", ""),
        ("openai:gpt-4o", "hf:distilbert/distilgpt2", ""),
        ("hf:mistralai/Mistral-7B-Instruct-v0.3", "hf:HuggingFaceH4/zephyr-7b-beta,adapter=saida/q1", "Mistral"),
        ("hf:Qwen/Qwen2.5-7B-Instruct", "hf:meta-llama/Llama-3.1-8B", ""),
        ("openai:llama3.1:8b", "hf:meta-llama/Llama-2-7b-hf", "Llama"),
        ("lm-eval:vllm,pretrained=google/gemma-2-9b-it", "openai:gemini-2.0-flash", "Gemini and Gemma"),
        ("openai:claude-sonnet-4", "openai:gpt-4o", ""),
    ],
)
def test_kin_by_the_family_their_names_tell(judge, contestant, kin):
    one, other = (kinship_module.Identity.of(spec, spec, {}) for spec in (judge, contestant))
    found = kinship_module.kinship(one, other)
    assert (kin in found) if kin else found == ""


def test_the_very_model_and_the_same_base_weights_are_kin_whatever_their_names():
    make = kinship_module.Identity
    assert "the very model" in kinship_module.kinship(make(("a",), "1"), make(("b",), "1"))
    assert "base weights" in kinship_module.kinship(make(("a",), "1", "w"), make(("b",), "2", "w"))


def test_kin_are_warned_about(long_run, serve_judge, benchctl):
    server = serve_judge(lambda n, turn, said: verdict(5, 5, 5))
    ran = benchctl("judge", long_run(2, model="zephyr-qlora").path, "--judge", server.spec("mistral-large"))
    assert ran.code == 0
    assert "of one family (Mistral)" in ran.err


def test_a_run_without_written_answers_is_refused(benchctl):
    benchctl("run", "--task", "medmcqa-pt", "--model", "majority", "--data", "builtin")
    (run,) = json.loads(benchctl("list", "runs", "--json").out)
    ran = benchctl("judge", run["run"], "--judge", "majority")
    assert ran.code == 1
    assert "no written answers" in ran.err


def test_an_interval_ends_where_the_scale_does():
    samples = {str(i): Sample(str(i), "?", cluster=str(i // 2)) for i in range(12)}
    values = {i: {"judge_intent": 5.0 if int(i) > 1 else 3.0} for i in samples}
    e = estimates(load_rubric("long-answer-pt"), values, samples)["judge_intent"]
    assert e.high == 5 and e.low is not None and 0 < e.low < e.value < 5, "a mean of 5.2 of 5 is none"
