"""Free answers: the same as the plain path writes, with the shared beginning computed once and early leavers."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from benchctl.creation import create_model
from benchctl.plugins import get_plugins
from benchctl.types import Generate
from benchctl_plugins.models.engine import writing
from benchctl_plugins.models.engine.engine import Engine
from benchctl_plugins.models.engine.items import Prompt
from benchctl_plugins.models.engine.memory import CPU_TOKENS, WRITING_TOKENS, writing_budget
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


@pytest.mark.parametrize(("option", "rows"), [("", 12), (",batch_tokens=1024", 3)])
def test_on_a_cpu_more_answers_are_written_together_than_texts_scored(option, rows, monkeypatch):
    sizes, real = [], writing.Writer._stretch
    monkeypatch.setattr(
        writing.Writer, "_stretch", lambda self, ids, *rest: (sizes.append(len(ids)), real(self, ids, *rest))[1]
    )
    model = create_model(get_plugins(), f"tiny{option}")
    requests = [Generate(f"Pergunta {i}: o que se bebe? Resposta:", max_tokens=300) for i in range(12)]
    assert len(dict(model.generate(requests))) == 12
    assert max(sizes) == rows


@pytest.mark.parametrize("name", TABLE)
def test_what_answers_of_a_model_take_can_be_reckoned(name):
    model = made(TABLE[name][0])
    assert writing_budget(model, "cpu", None) == WRITING_TOKENS, "all of these are small"
    assert writing_budget(model, "cpu", 77) == 77


def test_answers_of_a_large_model_take_a_gigabyte():
    large = LlamaConfig(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(large, dtype=torch.float32)
    assert writing_budget(model, "cpu", None) == CPU_TOKENS, "Llama 2 keeps a megabyte of each token"
    assert writing_budget(model.to(torch.bfloat16), "cpu", None) == 2048


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


BEGUN = "Once upon a time there was a little girl called Lily. "


def test_a_stop_string_is_looked_for_in_the_answer_alone(stories):
    """Ending in 'c', a prompt whose answer begins with 'at' held 'cat': in place of an answer there were two letters."""
    from benchctl.types import Generate
    from tests.models.test_hf import load

    model, stop = load(stories), ("cat", "sky", "sun", "d.")
    texts = [BEGUN + text for text in ("She saw a c", "One day, a dog and a c", "The s", "One sunn", "They were very")]
    free = dict(model.generate([Generate(text, max_tokens=50) for text in texts]))
    got = dict(model.generate([Generate(text, stop=stop, max_tokens=50) for text in texts]))
    assert free[1].text.startswith("at went to the park. They saw")
    for i, whole in free.items():
        places = [whole.text.find(one) for one in stop if one in whole.text]
        assert got[i].text == whole.text[: min(places)] if places else whole.text
        assert got[i].finish_reason == ("stop" if places else "length")
        (_, alone), *_ = model.generate([Generate(texts[i], stop=stop, max_tokens=50)])
        assert (alone.text, alone.usage) == (got[i].text, got[i].usage)


def test_a_special_token_that_is_to_stop_an_answer_ends_it_although_no_text_shows_it(stories):
    from benchctl.types import Generate
    from tests.models.test_hf import load

    model = load(stories)
    assert model.tokenizer.decode([1]) == "<s>"  # what this model was trained to write behind a story
    texts = [f"{BEGUN}{text}" for text in ("She", "One day, a dog", "Tom went home. The")]
    free = dict(model.generate([Generate(text, max_tokens=300) for text in texts]))
    got = dict(model.generate([Generate(text, stop=("<s>",), max_tokens=300) for text in texts]))
    assert {written.finish_reason for written in free.values()} == {"length"}
    ended = [i for i, written in got.items() if written.finish_reason == "stop"]
    assert ended
    for i in ended:
        assert free[i].text.startswith(got[i].text) and len(got[i].text) < len(free[i].text)
        ((_, alone),) = model.generate([Generate(texts[i], stop=("<s>",), max_tokens=300)])
        assert (alone.text, alone.usage, alone.finish_reason) == (got[i].text, got[i].usage, "stop")


@pytest.mark.parametrize("header", [BEGUN, ""])
@pytest.mark.parametrize(
    "settings",
    [
        {"repetition_penalty": 1.3},
        {"min_new_tokens": 40},
        {"min_length": 60},
        {"forced_eos_token_id": 2, "eos_token_id": [2]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_a_model_says_of_its_writing_holds_for_each_answer_by_itself(stories, tmp_path, settings, header):
    """Padding counted as text (and, as the end, as an end repeated), and every 32 tokens as a new answer."""
    import json
    import shutil

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from benchctl.types import Generate
    from tests.models.test_hf import load

    shutil.copytree(stories.removeprefix("hf:"), tmp_path, dirs_exist_ok=True)
    told = {"bos_token_id": 1, "eos_token_id": [2, 426], **settings}  # 426: a full stop
    (tmp_path / "generation_config.json").write_text(json.dumps(told), "utf-8")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, pad_token=".")
    tokenizer.save_pretrained(tmp_path)
    texts = [header + text for text in ("She", "She saw a big red ball in the park and", "Tom went home. The", "Hi")]
    found = dict(load(f"hf:{tmp_path}").generate([Generate(text, max_tokens=70) for text in texts]))
    model = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    for i, text in enumerate(texts):
        asked = tokenizer(text, return_tensors="pt")
        written = model.generate(**asked, do_sample=False, max_new_tokens=70, pad_token_id=0)[0]
        own = written[asked["input_ids"].shape[1] :]
        over = torch.isin(own, torch.tensor(told["eos_token_id"])).nonzero().flatten().tolist()
        assert found[i].text == tokenizer.decode(own[: over[0]] if over else own, skip_special_tokens=True)


def test_a_model_that_asks_for_a_cache_of_fixed_size_writes_the_same(stories, tmp_path):
    """It ended in a traceback where prompts begin alike, since such a cache cannot be handed to several."""
    import json
    import shutil

    from benchctl.types import Generate
    from tests.models.test_hf import load

    shutil.copytree(stories.removeprefix("hf:"), tmp_path, dirs_exist_ok=True)
    (tmp_path / "generation_config.json").write_text(json.dumps({"cache_implementation": "static"}), "utf-8")
    asked = [Generate(BEGUN + text, max_tokens=40) for text in ("She", "One day, a dog", "Tom went home. The")]
    written = [[one.text for _, one in sorted(load(m).generate(asked))] for m in (stories, f"hf:{tmp_path}")]
    assert written[0] == written[1]
