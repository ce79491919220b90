"""What a model is tried for before it is believed: that it reads no token ahead, and whether batches change its answers."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers", reason="needs the extra 'hf'")

from benchctl.errors import ModelCallError
from benchctl_plugins.models.engine.engine import Engine
from benchctl_plugins.models.engine.plain import PlainEngine
from benchctl_plugins.models.engine.probe import minds_company, reads_ahead

from .makers import KEYED, SMALL, VOCABULARY, NoTokenizer, configs, made, questions, scores
from .test_writing import END, Spelling, asked

TABLE = configs()


def odd():
    """Name -> a configuration whose answers batches have changed."""
    import transformers as t

    decoder = {"vocab_size": VOCABULARY, "d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4}
    return {
        "bart's decoder, positions from the edge": t.BartConfig(
            **decoder, decoder_ffn_dim=64, max_position_embeddings=256, is_decoder=True, is_encoder_decoder=False),
        "rwkv, mixes the rows of a batch": t.RwkvConfig(
            vocab_size=VOCABULARY, hidden_size=32, attention_hidden_size=32, num_hidden_layers=2, intermediate_size=64),
        "recurrent gemma, reads what is masked": t.RecurrentGemmaConfig(
            **{**SMALL, "num_hidden_layers": 3}, intermediate_size=64, lru_width=32, attention_window_size=64),
        "roberta's decoder, positions from the second": t.RobertaConfig(
            **SMALL, intermediate_size=64, max_position_embeddings=256, is_decoder=True),
    }  # fmt: skip


def alone(model, prompts):
    """What transformers writes after each prompt, asked by itself."""
    import torch

    found = {}
    for i, prompt in enumerate(prompts):
        ids = torch.tensor([prompt.tokens])
        options = {"max_new_tokens": prompt.max_tokens, "do_sample": False, "pad_token_id": 0}
        whole = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **options)
        own = whole[0, ids.shape[1] :].tolist()
        found[i] = Spelling().decode(own[: own.index(END)] if END in own else own)
    return found


@pytest.mark.parametrize("name", odd())
@pytest.mark.parametrize("budget", [200, 1000])
def test_answers_are_those_of_each_prompt_alone(name, budget):
    model = made(odd()[name])
    model.generation_config.eos_token_id = END
    prompts = asked(max_tokens=12)
    got = dict(Engine(PlainEngine(model, Spelling(), "cpu", budget)).generate(prompts))
    assert {i: written.text for i, written in got.items()} == alone(model, prompts)


@pytest.mark.parametrize("name", TABLE)
def test_models_that_batches_do_not_change_are_written_with_in_batches(name):
    model, tokens = made(TABLE[name][0]), questions(1)[0][0].context
    assert not minds_company(model, tokens, 0, "cpu")
    assert not reads_ahead(model, tokens, "cpu")


def test_experts_that_rounding_swaps_are_no_reason_to_write_one_by_one():
    """In short floats a router near a tie takes another expert beside another row; whoever shares a batch is not why."""
    import torch
    import transformers as t

    size = {"vocab_size": 2000, "hidden_size": 256, "num_hidden_layers": 12, "num_attention_heads": 8, "head_dim": 32}
    torch.manual_seed(0)
    config = t.MixtralConfig(**size, num_key_value_heads=4, intermediate_size=256, num_local_experts=8)
    model = t.MixtralForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(std=1.2 / weight.shape[-1] ** 0.5)
    model = model.to(torch.bfloat16)
    assert not any(minds_company(model, torch.randint(3, 2000, (40,)).tolist(), 0, "cpu") for _ in range(12))


@pytest.mark.parametrize("kind", ["Bert", "XLMRoberta", "XLNet"])
def test_a_model_that_reads_both_ways_is_refused_unless_it_is_a_decoder(kind):
    import transformers as t

    size = {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64} if kind == "XLNet" else SMALL
    config = getattr(t, f"{kind}Config")(**{**size, "vocab_size": VOCABULARY})
    with pytest.raises(ModelCallError, match="both directions"):
        scores(Engine(PlainEngine(made(config), NoTokenizer(), "cpu", 512)), questions())
    if kind != "XLNet":
        config.is_decoder = True
        scores(Engine(PlainEngine(made(config), NoTokenizer(), "cpu", 512)), questions())


def test_a_model_that_hardly_looks_around_is_found_out_too():
    import transformers as t

    untrained = t.AutoModelForCausalLM.from_config(t.BertConfig(**SMALL, intermediate_size=64)).eval()
    with pytest.raises(ModelCallError, match="both directions"):
        scores(Engine(PlainEngine(untrained, NoTokenizer(), "cpu", 512)), questions())


def test_a_model_that_searches_with_beams_writes_what_it_writes_alone():
    import transformers as t

    model = made(t.LlamaConfig(**KEYED))
    model.generation_config.num_beams = 3
    model.generation_config.eos_token_id = END
    engine, prompts = Engine(PlainEngine(model, Spelling(), "cpu", 1000)), asked(max_tokens=40)
    assert {i: written.text for i, written in engine.generate(prompts)} == alone(model, prompts)
    assert engine.manifest()["writing_path"] == "plain"


def longrope():
    """A model whose texts of more than 40 tokens have other positions than shorter ones."""
    import transformers as t

    rope = {"rope_type": "longrope", "factor": 4.0, "rope_theta": 10000.0, "original_max_position_embeddings": 40,
            "short_factor": [1.0] * 4, "long_factor": [1.0, 2.0, 3.0, 5.0]}  # fmt: skip
    config = t.Phi3Config(**KEYED, rope_parameters=rope, original_max_position_embeddings=40, pad_token_id=0)
    return made(config)


@pytest.mark.parametrize("budget", [100, 512, 10_000])
@pytest.mark.parametrize("header", [5, 20, 60])
def test_long_and_short_texts_have_their_own_positions(budget, header):
    import torch

    model, items = longrope(), questions(20, header=header)
    got = scores(Engine(PlainEngine(model, NoTokenizer(), "cpu", budget)), items)
    for item, found in zip(items, got, strict=True):
        for row, nats in zip(item, found, strict=True):
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([(row.context + row.continuation)[:-1]])).logits[0]
            logs = torch.log_softmax(logits, -1)[-len(row.continuation) :]
            own = logs[range(len(row.continuation)), list(row.continuation)].sum()
            assert nats == pytest.approx(float(own), abs=1e-3)


def test_long_and_short_texts_are_continued_as_alone():
    model = longrope()
    model.generation_config.eos_token_id = END
    prompts = asked(max_tokens=10)
    assert {len(prompt.tokens) > 40 for prompt in prompts} == {True, False}
    got = dict(Engine(PlainEngine(model, Spelling(), "cpu", 1000)).generate(prompts))
    assert {i: written.text for i, written in got.items()} == alone(model, prompts)
