"""BERTScore and embedding similarity with a local model folder."""

import json
import shutil

import pytest

from benchctl.errors import BadConfig, ModelCallError
from benchctl.model import parse_spec
from benchctl_plugins.metrics import embedding

from .answers import PORTUGUESE, free_run

pytestmark = pytest.mark.slow  # importing torch and transformers takes seconds


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A tiny BERT with random weights of a fixed seed, whose vocabulary is the words of the test."""
    torch = pytest.importorskip("torch", reason="needs the extra 'hf'")
    transformers = pytest.importorskip("transformers", reason="needs the extra 'hf'")
    folder = tmp_path_factory.mktemp("bert")
    words = sorted({word for pair in PORTUGUESE for text in pair for word in text.replace(".", " . ").split()})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]) + "\n")
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False, model_max_length=64).save_pretrained(
        folder
    )
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words) + 5, hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def made(spec):
    name, args = parse_spec(spec, "metric")
    return embedding.benchctl_metrics()[name](args)


def test_bertscore_is_bert_scores_on_a_local_folder(bert):
    from bert_score import score

    run = free_run(PORTUGUESE[:5])
    metric = made(f"bertscore:{bert},layers=2")
    estimates = metric.estimates(run)
    texts, references = [t for t, _ in PORTUGUESE[:5]], [r for _, r in PORTUGUESE[:5]]
    parts = score(texts, references, model_type=str(bert), num_layers=2)
    for part, expected in zip(("precision", "recall", "f1"), parts, strict=True):
        name = f"bertscore_{part}"
        assert [metric.values(one)[name] for one in run] == pytest.approx(expected.tolist(), abs=1e-6)
        assert estimates[name].value == pytest.approx(float(expected.mean()), abs=1e-6)
        assert estimates[name].low <= estimates[name].value <= estimates[name].high
    assert "L2" in metric.signature()


def test_similarity_is_the_cosine_of_mean_vectors(bert):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(bert), AutoModel.from_pretrained(bert).eval()

    def vector(text):
        with torch.inference_mode():
            return model(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)[0]

    metric = made(f"similarity:{bert},batch=2")
    for one, (text, reference) in zip(free_run(PORTUGUESE[:4]), PORTUGUESE, strict=False):
        expected = torch.cosine_similarity(vector(text), vector(reference), dim=0)
        assert metric.values(one)["similarity"] == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("nothing", [" \n", "\u200b", "\ufeff\u00ad "])
@pytest.mark.parametrize("spec", ["bertscore:{},layers=2", "similarity:{}"])
def test_an_answer_without_a_word_scores_0_and_does_not_stop_the_others(bert, spec, nothing):
    said, empty = free_run([PORTUGUESE[0], (nothing, "Fígado e pâncreas.")])
    metric = made(spec.format(bert))
    estimates = metric.estimates([said, empty])
    assert set(metric.values(empty).values()) == {0.0}
    for name, value in made(spec.format(bert)).values(said).items():
        assert (estimates[name].n, estimates[name].value) == (2, pytest.approx(value / 2, abs=1e-6))


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
@pytest.mark.parametrize("spec", ["bertscore:{},layers=2,device={}", "similarity:{},device={}"])
def test_a_device_that_is_not_there_is_told_in_two_lines(bert, spec, device):
    with pytest.raises(ModelCallError) as raised:
        made(spec.format(bert, device)).estimates(free_run(PORTUGUESE))
    assert str(bert) in raised.value.message and "device=" in raised.value.hint


@pytest.mark.parametrize("spec", ["bertscore:{},layers=2", "similarity:{}"])
def test_a_folder_without_a_model_is_named(tmp_path, spec):
    with pytest.raises(ModelCallError, match="cannot be loaded"):
        made(spec.format(tmp_path)).estimates(free_run(PORTUGUESE))


@pytest.mark.parametrize("spec", ["bertscore:{},layers=2", "similarity:{}"])
def test_a_tokenizer_without_a_padding_token_gives_the_same_figures_alone_and_in_a_batch(tmp_path, bert, spec):
    shutil.copytree(bert, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text("utf-8"))
    settings["pad_token"], settings["eos_token"] = None, "[SEP]"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    run = free_run(PORTUGUESE[:4])
    together, alone = made(spec.format(tmp_path)), made(spec.format(tmp_path))
    together.estimates(run)
    for one in run:
        assert together.values(one) == pytest.approx(alone.values(one), abs=1e-5)


@pytest.mark.parametrize("spec", ["bertscore:{},layers=2", "similarity:{}"])
@pytest.mark.parametrize("kind", ["Bert", "Roberta"])
def test_a_long_text_is_cut_at_the_models_room_where_its_tokenizer_tells_no_length(tmp_path, bert, spec, kind):
    import transformers

    shutil.copytree(bert, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text("utf-8"))
    del settings["model_max_length"]  # as BERTimbau's
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    if kind == "Roberta":  # its positions count from behind the padding's: two rows of its table are no tokens'
        config = transformers.RobertaConfig(
            vocab_size=64, hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64,
            max_position_embeddings=65, pad_token_id=0,
        )  # fmt: skip
        transformers.RobertaModel(config).save_pretrained(tmp_path)
    metric = made(spec.format(tmp_path))
    cut, longer = free_run([("água " * 62, "Não há água."), ("água " * 500, "Não há água.")])
    metric.estimates([cut, longer])
    assert metric.values(longer) == pytest.approx(metric.values(cut), abs=1e-6)


def test_a_model_without_a_known_layer_asks_for_one(bert):
    with pytest.raises(BadConfig) as raised:
        made(f"bertscore:{bert}").estimates(free_run(PORTUGUESE))
    assert f"bertscore:{bert},layers=N" in raised.value.hint


@pytest.mark.parametrize("spec", ["bertscore:nowhere/at-all,layers=2", "similarity:nowhere/at-all"])
def test_a_model_that_is_not_there_is_named(spec):
    with pytest.raises(ModelCallError) as raised:
        made(spec).estimates(free_run(PORTUGUESE))
    assert "nowhere/at-all" in raised.value.message


@pytest.mark.parametrize(("spec", "word"), [("bertscore:x,layers=two", "layers=two"), ("bertscore:x,layer=2", "layer")])
def test_a_wrong_option_is_named_before_anything_loads(spec, word):
    with pytest.raises(BadConfig) as raised:
        made(spec)
    assert word in raised.value.message
