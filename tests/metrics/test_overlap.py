"""Overlap with a reference equals what the libraries give on Portuguese text, accents kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchctl.errors import MissingExtra, PluginError
from benchctl_plugins.metrics import answers as matching
from benchctl_plugins.metrics import rouge as rouge_module
from benchctl_plugins.metrics import sacre
from benchctl_plugins.metrics.surface import Length
from benchctl_plugins.metrics.texts import Figures

from .answers import PORTUGUESE, choice, free, free_run

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
ACCENTED = "áàâãéêíóôõúüçÁÀÂÃÉÊÍÓÔÕÚÜÇ"


def spelled(text):
    """Each accented letter as two ASCII signs of its own: the library's own tokenizer then keeps words whole."""
    return "".join(f"x{ACCENTED.lower().index(c.lower())}" if c in ACCENTED else c for c in text)


@pytest.mark.parametrize(("text", "reference"), PORTUGUESE)
def test_rouge_is_the_librarys_once_its_tokenizer_sees_whole_words(text, reference):
    from rouge_score.rouge_scorer import RougeScorer

    ours = rouge_module.rouge().values(free(text, reference))
    theirs = RougeScorer(TYPES).score(spelled(reference), spelled(text))
    assert ours == pytest.approx({name: theirs[name].fmeasure for name in TYPES}, abs=1e-12)


def test_rouge_on_ascii_text_is_the_librarys_default():
    from rouge_score.rouge_scorer import RougeScorer

    text, reference = "The heart does not pump water.\nIt pumps blood_cells.", "The heart pumps blood.\nLungs breathe."
    theirs = RougeScorer(TYPES).score(reference, text)
    ours = rouge_module.rouge().values(free(text, reference))
    assert ours == pytest.approx({name: theirs[name].fmeasure for name in TYPES}, abs=1e-12)


def test_an_accent_makes_another_word():
    # The library's own tokenizer drops the letters, so that both answers agree in "p" and "ssego".
    assert rouge_module.rouge().values(free("pêssego", "pássego"))["rouge1"] == 0


def test_rouge_of_a_run_is_the_mean_of_its_samples_with_an_interval():
    metric, run = rouge_module.rouge(), free_run(PORTUGUESE)
    found = metric.estimates(run)
    assert list(found) == TYPES
    for name, estimate in found.items():
        assert estimate.value == pytest.approx(sum(metric.values(one)[name] for one in run) / len(run))
        assert estimate.low < estimate.value < estimate.high
        assert estimate.percent and estimate.higher_is_better and estimate.n == len(run)


def test_percentages_that_all_came_out_0_or_1_have_wilsons_interval_in_every_metric():
    run = free_run([("Sim.", "Não.")] * 5)
    shares = rouge_module.rouge().estimates(run)["rouge2"], matching.TokenF1().estimate(run)
    assert shares[0] == shares[1]
    assert (shares[0].method, round(shares[0].high, 4)) == ("wilson", 0.4345)


def test_a_figure_that_is_no_number_is_the_fault_of_its_metric():
    class Broken(Figures):
        name = "broken"

        def values(self, scored):
            return {"broken_f1": float("nan")}

    with pytest.raises(PluginError, match="broken_f1 gave nan"):
        Broken().estimates(free_run(PORTUGUESE))


@pytest.mark.parametrize("name", ["chrf", "bleu"])
def test_chrf_and_bleu_are_sacrebleus(name):
    import sacrebleu

    metric = sacre.benchctl_metrics()[name]()
    texts, references = [t for t, _ in PORTUGUESE], [r for _, r in PORTUGUESE]
    corpus = {"chrf": sacrebleu.corpus_chrf, "bleu": sacrebleu.corpus_bleu}[name](texts, [references])
    sentence = {"chrf": sacrebleu.sentence_chrf, "bleu": sacrebleu.sentence_bleu}[name]
    run = free_run(PORTUGUESE)
    estimate = metric.estimate(run)
    assert estimate.value == pytest.approx(corpus.score, abs=1e-9)
    assert [metric.value(one) for one in run] == pytest.approx(
        [sentence(text, [reference]).score for text, reference in PORTUGUESE], abs=1e-9
    )
    assert estimate.low < estimate.value < estimate.high
    assert "version:" in metric.signature()


def test_the_interval_of_bleu_is_that_of_resampled_corpora():
    import numpy as np
    import sacrebleu

    pairs = (PORTUGUESE * 6)[:30]
    estimate = sacre.Bleu().estimate(free_run(pairs))
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(600):
        places = rng.integers(0, len(pairs), len(pairs))
        drawn.append(sacrebleu.corpus_bleu([pairs[i][0] for i in places], [[pairs[i][1] for i in places]]).score)
    assert estimate.stderr == pytest.approx(np.std(drawn), rel=0.15)
    assert (estimate.low, estimate.high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), rel=0.25)


def test_exact_match_forgives_case_articles_and_punctuation_but_no_accent():
    value = matching.ExactMatch().value
    assert value(free("A vacina.", "vacina")) == 1
    assert value(free("  Os  pulmões!", "pulmões")) == 1
    assert value(free("e\u0301tica", "ética")) == 1
    assert value(free("avó", "avô")) == 0


def test_token_f1_on_paper():
    # 3 shared words of 4 given and 5 wanted ("o" is an article): 2 * 3 / 9.
    scored = free("O coração bombeia sangue quente", "coração bombeia sangue para órgãos")
    assert matching.TokenF1().value(scored) == pytest.approx(6 / 9)


@given(st.text(max_size=60), st.text(max_size=60))
def test_token_f1_is_symmetric_bounded_and_one_for_equal_texts(a, b):
    value = matching.TokenF1().value
    there, back = value(free(a, "x " + b)), value(free("x " + b, a or "x"))
    assert 0 <= there <= 1
    assert back is None or 0 <= back <= 1
    assert value(free("x " + b, "x " + b)) == 1


@pytest.mark.parametrize("name", ["rouge", "chrf", "bleu", "token_f1", "exact_match"])
def test_metrics_of_a_reference_leave_multiple_choice_and_missing_references_alone(name):
    from benchctl.plugins import get_plugins

    metric = get_plugins().create("metric", name)
    run = [choice("A", "A", text="Alternativa A"), free("texto", "")]
    assert metric.estimates(run) == {}
    assert all(metric.values(one) == {} for one in run)


def test_a_missing_library_is_named_with_its_pip_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as raised:
        rouge_module.rouge()
    assert "rouge-score" in raised.value.message
    assert raised.value.hint == "Install it with: pip install 'benchctl[metrics]'"


def test_thinking_is_no_part_of_the_text():
    reference = "Beba água e descanse."
    thought = free(f"<think>Repouso? Água? Sim.</think>\n\n{reference}", reference)
    assert set(rouge_module.rouge().values(thought).values()) == {1.0}
    assert matching.ExactMatch().value(thought) == matching.TokenF1().value(thought) == 1
    assert Length().value(thought) == 4
