"""Answers drawn at a temperature: the same again by the same seed, and no oftener than the model would have them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchctl.creation import create_model
from benchctl.errors import BadConfig
from benchctl.plugins import get_plugins
from benchctl.types import Generate
from benchctl_plugins.models.engine.drawing import warpers
from benchctl_plugins.models.engine.items import Prompt


def load(spec):
    return create_model(get_plugins(), spec)


def written(spec, count=6):
    """What a model writes after as many different prompts."""
    found = dict(
        load(spec).generate([Generate(f"Once upon a time there were {n} dogs", max_tokens=12) for n in range(count)])
    )
    return [found[i].text for i in range(count)]


def test_answers_drawn_at_a_temperature_are_drawn_again_by_the_same_command_and_others_by_another_seed(stories):
    import torch

    drawn = written(f"{stories},temperature=1.5")
    torch.rand(7)  # whatever else was drawn before
    assert written(f"{stories},temperature=1.5") == drawn != written(stories)
    assert written(f"{stories},temperature=1.5,seed=1") not in (drawn, written(f"{stories},temperature=1.5,seed=2"))
    assert written(f"{stories},temperature=0,seed=1") == written(stories)


def test_what_is_drawn_depends_on_nothing_else_that_is_asked(stories):
    asked = [Generate("Once upon a time " * (n % 3 + 1), max_tokens=40, temperature=1.2) for n in range(3)]
    asked += [Generate(f"There were {n} dogs", max_tokens=40, temperature=1.2) for n in range(9)]

    def drawn(requests, spec=stories):
        return {requests[i]: response.text for i, response in load(spec).generate(requests)}

    together = drawn(asked)
    assert drawn(asked[::-1]) == drawn(asked, f"{stories},batch_tokens=64") == together
    assert {request: drawn([request])[request] for request in asked[2:5]} == {r: together[r] for r in asked[2:5]}


def test_an_interrupted_run_and_a_shorter_one_draw_as_the_whole_does(stories, benchctl, tmp_path):
    def answers(limit):
        out = tmp_path / str(limit)
        ask = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--scoring", "generate", "--max-tokens", "12")
        benchctl(*ask, "--model", f"{stories},temperature=1.2", "--limit", str(limit), "--out", str(out))
        lines = next(out.rglob("samples.jsonl")).read_text(encoding="utf-8").splitlines()
        return {line["id"]: line["responses"][0]["text"] for line in map(json.loads, lines)}

    whole, half = answers(8), answers(4)
    assert len(half) == 4 and half == {key: whole[key] for key in half}


@pytest.mark.parametrize("restricted", [{}, {"top_k": 5}, {"top_k": 0, "top_p": 0.6}, {"top_k": 0, "min_p": 0.05}])
def test_tokens_are_drawn_as_often_as_the_model_holds_them_likely(stories, restricted):
    import torch
    from scipy.stats import chisquare

    model = load(stories)
    plain, temperature, count = model.engine.plain, 0.7, 4000
    for name, value in restricted.items():
        setattr(plain.model.generation_config, name, value)
    ids = model.tokenizer("Once upon a time, there was a", return_tensors="pt")["input_ids"]
    prompts = [Prompt(tuple(ids[0].tolist()), (), 1, temperature, seed) for seed in range(count)]
    drawn = Counter(written.text for _, written in model.engine.generate(prompts))

    with torch.inference_mode():
        chances = (plain.model(ids).logits[0, -1] / temperature).softmax(dim=-1)
    ordered = chances.sort(descending=True)
    first = {
        "top_k": restricted.get("top_k", 50) or len(chances),
        "top_p": int((ordered.values.cumsum(0) < restricted.get("top_p", 1)).sum()) + 1,
        "min_p": int((chances >= restricted.get("min_p", 0) * chances.max()).sum()),
    }
    kept = min(first.values())
    expected: Counter[str] = Counter()
    for token, chance in zip(ordered.indices[:kept].tolist(), ordered.values[:kept].tolist(), strict=True):
        expected[model.tokenizer.decode([token], skip_special_tokens=True)] += chance
    assert set(drawn) <= set(expected)
    often = [text for text, chance in expected.items() if chance / expected.total() * count >= 5]
    seen = [*(drawn[text] for text in often), 0.5 + count - sum(drawn[text] for text in often)]
    awaited = [expected[text] / expected.total() * count for text in often]
    assert chisquare(seen, [*awaited, count + 0.5 - sum(awaited)]).pvalue > 0.001


def test_one_prompt_asked_several_times_is_drawn_anew_each_time(stories):
    asked = [Generate("Once upon a time", max_tokens=12, temperature=1.5, draw=number) for number in range(8)]
    assert len({response.text for _, response in load(stories).generate(asked)}) > 4


def test_an_answer_with_more_room_begins_with_the_one_that_was_cut(stories):
    asked = [Generate("Once upon a time", max_tokens=room, temperature=1.5, draw=1) for room in (6, 24)]
    cut, whole = (dict(load(stories).generate([request]))[0].text for request in asked)
    assert len(whole) > len(cut) and whole.startswith(cut)


def test_what_is_drawn_otherwise_is_another_model(stories):
    specs = ("", ",temperature=0", ",temperature=0.6", ",temperature=0.6,seed=3")
    assert len({load(stories + spec).fingerprint() for spec in specs}) == len(specs)
    assert load(f"{stories},seed=0").fingerprint() == load(stories).fingerprint()
    facts = load(f"{stories},temperature=0.6,seed=3").manifest()
    assert (facts["temperature"], facts["seed"]) == (0.6, 3)


@pytest.mark.parametrize("option", ["temperature=-1", "temperature=hot", "temperature=nan", "seed=-1", "seed=one"])
def test_a_temperature_or_a_seed_that_is_none_is_refused(stories, option):
    with pytest.raises(BadConfig, match=option):
        load(f"{stories},{option}")


def test_an_encoder_decoder_draws_by_its_prompts_too():
    asked = [Generate(f"There were {n} dogs", max_tokens=12, temperature=1.2) for n in range(5)]
    written = {i: response.text for i, response in load("tiny-t5").generate(asked)}
    alone = {i: next(load("tiny-t5").generate([asked[i]]))[1].text for i in (0, 3)}
    assert alone == {i: written[i] for i in alone} and len(set(written.values())) > 1


def test_what_may_be_drawn_is_restricted_as_transformers_does_it(stories):
    said = {
        "top_k": 7,
        "top_p": 0.9,
        "top_h": 0.5,
        "min_p": 0.1,
        "typical_p": 0.8,
        "epsilon_cutoff": 0.1,
        "eta_cutoff": 0.1,
    }
    model = load(stories).engine.plain.model
    for names in ([], *([name] for name in said), list(said)):
        for name in said:
            setattr(model.generation_config, name, said[name] if name in names else None)
        prepared, _ = model._prepare_generation_config(None, do_sample=True, temperature=0.6)
        theirs = model._get_logits_processor(prepared, device="cpu")
        ours = warpers(model.generation_config, 0.6, "cpu")
        assert [type(one) for one in ours] == [type(one) for one in theirs], names
