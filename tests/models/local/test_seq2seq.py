"""Encoder-decoder models: context to the encoder, continuation to the decoder, as lm-eval scores them."""

from __future__ import annotations

import pytest

from benchctl.types import Choose, Generate, Perplexity

from .conftest import CHOICES, QUESTION, make, nats

TEXT = "A paciente procurou o pronto-socorro com febre alta e tosse há três dias."


@pytest.fixture(scope="module")
def t5():
    model = make("tiny-t5")
    yield model
    model.close()


@pytest.fixture(scope="module")
def plain(t5):
    """The model as transformers gives it."""
    from transformers import AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM.from_pretrained(t5.folder).eval()


def summed(model, context, labels) -> float:
    import torch

    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([context]), labels=torch.tensor([labels])).logits[0]
    return float(torch.log_softmax(logits, -1)[range(len(labels)), labels].sum())


def test_choices_equal_a_direct_computation(t5, plain):
    context = t5.tokenizer(QUESTION)["input_ids"]
    assert context[-1] == t5.tokenizer.eos_token_id
    for choice, got in zip(CHOICES, nats(t5), strict=True):
        labels = t5.tokenizer(choice, add_special_tokens=False)["input_ids"]
        assert got == pytest.approx(summed(plain, context, labels), abs=1e-4)


def test_choices_equal_lm_evals(t5, plain):
    huggingface = pytest.importorskip("lm_eval.models.huggingface", reason="needs the extra 'lm-eval'")
    from lm_eval.api.instance import Instance

    harness = huggingface.HFLM(
        pretrained=plain, tokenizer=t5.tokenizer, backend="seq2seq", max_length=2048, device="cpu"
    )
    asked = [Instance("loglikelihood", {}, (QUESTION, choice), i) for i, choice in enumerate(CHOICES)]
    expected = [found[0] for found in harness.loglikelihood(asked, disable_tqdm=True)]
    assert nats(t5) == pytest.approx(expected, abs=1e-3)
    (rolled,) = harness.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (TEXT,), 0)], disable_tqdm=True)
    ((_, response),) = t5.perplexity([Perplexity(TEXT, rolling=True)])
    assert response.nats == pytest.approx(rolled, abs=1e-3)


def test_windows_of_a_long_text_equal_lm_evals(plain):
    huggingface = pytest.importorskip("lm_eval.models.huggingface", reason="needs the extra 'lm-eval'")
    from lm_eval.api.instance import Instance

    model = make("tiny-t5,max_length=8")
    harness = huggingface.HFLM(
        pretrained=plain, tokenizer=model.tokenizer, backend="seq2seq", max_length=8, device="cpu"
    )
    (rolled,) = harness.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (TEXT,), 0)], disable_tqdm=True)
    ((_, response),) = model.perplexity([Perplexity(TEXT, rolling=True)])
    assert response.detail["windows"] == 4
    assert response.nats == pytest.approx(rolled, abs=1e-3)
    model.close()


def test_the_text_of_a_perplexity_goes_to_the_decoder_after_the_prefix_token(t5, plain):
    ids = t5.tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    ((_, response),) = t5.perplexity([Perplexity(TEXT)])
    assert response.tokens == len(ids)
    assert response.nats == pytest.approx(summed(plain, [t5.tokenizer.eos_token_id], ids), abs=1e-4)


def test_without_a_score_for_the_first_token_it_goes_to_the_encoder(t5, plain):
    ids = t5.tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    ((_, response),) = t5.perplexity([Perplexity(TEXT, score_first=False)])
    assert response.tokens == len(ids) - 1
    assert response.nats == pytest.approx(summed(plain, ids[:1], ids[1:]), abs=1e-4)


def test_a_long_text_is_scored_in_windows_each_token_once():
    model = make("tiny-t5,max_length=16")
    ids = model.tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    (rows,) = model.encoder.perplexity([Perplexity(TEXT)])
    assert [token for row in rows for token in row.continuation] == ids
    assert all(len(row.context) >= 1 and len(row.continuation) <= 16 for row in rows)
    assert rows[0].context == (model.tokenizer.eos_token_id,)
    assert rows[1].context == tuple(ids[len(ids) - 17 : 16])  # a short last window is filled up, as lm-eval does
    model.close()


def test_generation_equals_transformers_own(t5, plain):
    import torch

    ids = t5.tokenizer(QUESTION, return_tensors="pt").input_ids
    with torch.inference_mode():
        expected = plain.generate(input_ids=ids, max_new_tokens=8, do_sample=False)[0, 1:]
    found = dict(t5.generate([Generate(QUESTION, max_tokens=8), Generate("Febre:", max_tokens=8)]))
    assert found[0].text == t5.tokenizer.decode(expected, skip_special_tokens=True)


def test_batch_size_does_not_change_scores():
    requests = [Choose(f"{QUESTION} {'muito ' * i}", CHOICES) for i in range(6)]
    found = []
    for size in (64, 4096):
        model = make(f"tiny-t5,batch_tokens={size}")
        found.append([[c.nats for c in r.choices] for _, r in sorted(model.choose(requests))])
        model.close()
    for small, large in zip(*found, strict=True):
        assert small == pytest.approx(large, abs=1e-4)


def test_what_does_not_fit_the_encoder_is_cut_on_the_left_and_counted():
    model = make("tiny-t5,max_length=8")
    ((_, response),) = model.choose([Choose(QUESTION, (" A", " B"))])
    assert response.cut == len(model.tokenizer(QUESTION)["input_ids"]) - 8
    model.close()


def test_a_4_bit_encoder_decoder_model_with_an_adapter(t5, adapter_of):
    from peft import LoraConfig

    adapter = adapter_of(t5.folder, LoraConfig(r=4, target_modules=["q", "v"], task_type="SEQ_2_SEQ_LM"))
    spec = f"hf:{t5.folder},quant=nf4,adapter={adapter}"
    model = make(spec)
    found = nats(model)
    assert model.manifest()["quantisation"]["quantised_layers"] == 32  # wo stays as it is
    model.close()
    assert nats(f"{spec},merge=true") == pytest.approx(found, abs=1e-3)


def test_bart_takes_its_own_start_token(tmp_path, t5):
    from transformers import BartConfig, BartForConditionalGeneration

    tokenizer = t5.tokenizer
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
             "encoder_attention_heads": 2, "decoder_attention_heads": 2, "d_model": 32}  # fmt: skip
    config = BartConfig(vocab_size=1024, pad_token_id=0, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1,
                        forced_eos_token_id=None, max_position_embeddings=128, **sizes)  # fmt: skip
    BartForConditionalGeneration(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = make(f"hf:{tmp_path}")
    found = nats(model)
    context = tokenizer(QUESTION)["input_ids"]
    labels = tokenizer(CHOICES[0], add_special_tokens=False)["input_ids"]
    assert found[0] == pytest.approx(summed(model.weights._base, context, labels), abs=1e-4)
    model.close()


def kinds():
    """Name -> an encoder-decoder model's configuration, beginning with token 2."""
    import transformers as t

    size = {
        "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 64,
        "decoder_attention_heads": 2, "decoder_ffn_dim": 64, "max_position_embeddings": 64, "decoder_start_token_id": 2,
    }  # fmt: skip
    vocabularies = {"langs": ["pt", "en"], "src_vocab_size": 97, "tgt_vocab_size": 97}
    return {
        "mbart, labels begin with their last token": t.MBartConfig(vocab_size=97, **size),
        "plbart, the same": t.PLBartConfig(vocab_size=97, **size),
        "fsmt, takes no labels without inputs": t.FSMTConfig(**vocabularies, **size),
        "m2m100": t.M2M100Config(vocab_size=97, **size),
    }


@pytest.mark.parametrize("name", kinds())
def test_the_decoder_begins_as_in_writing(name):
    import torch
    from transformers import AutoModelForSeq2SeqLM

    from benchctl_plugins.models.engine.items import Row
    from benchctl_plugins.models.seq2seq import Seq2SeqEngine
    from tests.models.engine.makers import NoTokenizer

    torch.manual_seed(0)
    model = AutoModelForSeq2SeqLM.from_config(kinds()[name]).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    rows = [Row((11, 12, 13), (21,)), Row((11, 12, 13), (22,)), Row((14, 15, 16, 17, 18), (31, 32, 33, 34))]
    for place, found in Seq2SeqEngine(model, NoTokenizer(), "cpu", 512).score(rows):
        row = rows[place]
        begun = torch.tensor([[2, *row.continuation[:-1]]])
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([row.context]), decoder_input_ids=begun, use_cache=False).logits[0]
        expected = torch.log_softmax(logits, -1)[range(len(row.continuation)), list(row.continuation)].sum()
        assert found.nats == pytest.approx(float(expected), abs=1e-3)
