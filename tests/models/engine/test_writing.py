"""Free answers: the same as the plain path writes, with the shared beginning computed once and early leavers."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

from benchctl_plugins.models.engine import writing
from benchctl_plugins.models.engine.engine import Engine
from benchctl_plugins.models.engine.items import Prompt
from benchctl_plugins.models.engine.plain import PlainEngine

from .makers import configs, made, questions

TABLE = configs()
END = 5


class Spelling:
    """A tokenizer that spells a token as its number."""

    pad_token_id, eos_token_id = 0, END

    def decode(self, tokens, skip_special_tokens=True):
        return "".join(f"<{token}>" for token in tokens)


def asked(max_tokens=50, header=20):
    return [Prompt(item[0].context, (), max_tokens, 0.0) for item in questions(14, header=header)]


@pytest.mark.parametrize("name", TABLE)
def test_answers_equal_the_plain_paths(name):
    model = made(TABLE[name][0])
    model.generation_config.eos_token_id = END
    plain = PlainEngine(model, Spelling(), "cpu", 1000)
    engine = Engine(plain)
    expected, got = dict(plain.generate(asked())), dict(engine.generate(asked()))
    assert got == expected
    assert {w.finish_reason for w in got.values()} <= {"stop", "length"}
    assert engine.manifest()["writing_path"] == ("shared" if TABLE[name][1] else "plain")


def test_finished_answers_leave_the_batch(monkeypatch):
    model = made(TABLE["llama"][0])
    model.generation_config.eos_token_id = list(range(2, 20))  # many tokens end an answer
    sizes, real = [], writing.Writer._stretch
    monkeypatch.setattr(writing, "STRETCH", 4)
    monkeypatch.setattr(
        writing.Writer, "_stretch", lambda self, ids, *rest: (sizes.append(len(ids)), real(self, ids, *rest))[1]
    )
    plain = PlainEngine(model, Spelling(), "cpu", 100_000)
    got = dict(Engine(plain).generate(asked()))
    assert got == dict(plain.generate(asked()))
    assert sizes[0] == 14 and sizes[-1] < 14
    assert sizes == sorted(sizes, reverse=True)


def test_the_shared_beginning_goes_through_the_model_once(monkeypatch):
    model = made(TABLE["llama"][0])
    widths = []
    model.model.embed_tokens.register_forward_hook(lambda m, args, out: widths.append(tuple(args[0].shape)))
    engine = Engine(PlainEngine(model, Spelling(), "cpu", 1000))
    list(engine.generate(asked(max_tokens=3, header=60)))
    assert widths[0] == (1, 60)
    assert all(width < 60 for _, width in widths[1:])


@pytest.mark.parametrize("damage", [float("nan"), float("inf")])
@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("shared", [True, False])
def test_answers_from_logits_that_are_no_numbers_are_errors(monkeypatch, damage, temperature, shared):
    monkeypatch.setattr(writing, "STRETCH", 4)
    model = made(TABLE["llama"][0])
    whole = PlainEngine(model, Spelling(), "cpu", 1000)
    prompts = [Prompt((*p.tokens, 7 if i % 3 else 96), (), 10, temperature) for i, p in enumerate(asked())]
    undisturbed = dict(whole.generate(prompts))
    model.get_input_embeddings().weight.data[96] = damage
    damaged = PlainEngine(model, Spelling(), "cpu", 1000)
    found = dict((Engine(damaged) if shared else damaged).generate(prompts))
    hit = {i for i, prompt in enumerate(prompts) if 96 in prompt.tokens}
    assert 0 < len(hit) < len(prompts)
    for i, written in found.items():
        if i in hit:
            assert "no numbers" in written.error
        elif not temperature:
            assert written.error is None or "<96>" in undisturbed[i].text
            assert "<96>" in undisturbed[i].text or written == undisturbed[i]


def test_a_model_that_searches_with_beams_has_one_answer_a_prompt_and_its_own_errors():
    model = made(TABLE["llama"][0])
    model.generation_config.num_beams = 3
    model.get_input_embeddings().weight.data[96] = float("nan")
    prompts = [Prompt((5, 6, 96 if i % 2 else 7), (), 4, 0.0) for i in range(6)]
    found = dict(PlainEngine(model, Spelling(), "cpu", 1000).generate(prompts))
    assert [i for i, written in sorted(found.items()) if written.error] == [1, 3, 5]


def test_stop_strings_and_limits_of_a_real_model(stories):
    from benchctl.types import Generate
    from tests.models.test_hf import load

    model = load(stories)
    texts = ("Once upon a time", "Once upon a time there was a dog", "Once upon a time, Lily saw a red ball and")
    requests = [Generate(text, stop=(" She", "dog"), max_tokens=80) for text in texts]
    got = {index: (r.text, r.finish_reason) for index, r in model.generate(requests)}
    plain = {}
    for index, written in model.engine.plain.generate([p for p, _ in model.encoder.generate(requests)]):
        plain[index] = (written.text, written.finish_reason)
    assert got == plain
    assert got[0] == (", there was a little girl named Lily.", "stop")
