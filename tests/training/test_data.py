"""Training data: whatever shape rows come in, a trainer gets the prompt a run would show and learns the answer alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl.errors import BadConfig, BadData
from benchctl.plugins import get_plugins
from benchctl.prompts import PromptBuilder
from benchctl.scoring import Letter
from benchctl_plugins.models.encoding import Encoder
from benchctl_plugins.models.seq2seq import Seq2SeqEncoder
from benchctl_plugins.models.thinking import UNKNOWN, Thinking
from benchctl_plugins.training.examples import Example
from benchctl_plugins.training.formats import ask
from benchctl_plugins.training.prepare import prepare, read_parts
from benchctl_plugins.training.templates import Rendered, Template
from benchctl_plugins.training.tokens import Tokens
from benchctl_plugins.training.trainers import batches

from .makers import BEGINNING, SHAPES, STRICT, UNTHINKING, ZEPHYR, learnt, recipe, tokenizer, write

pytest.importorskip("transformers", reason="needs the extra 'hf'")

ANSWERS = {
    "instruction": "Temperatura alta.", "with input": "Passou.", "completion": "um sinal.", "capitals": "um sinal.",
    "chat": "Sim.", "choices": "B",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("chat", [None, ZEPHYR])
def test_of_every_shape_the_answer_and_the_end_are_learnt_and_nothing_else(tmp_path, shape, chat):
    file = write(tmp_path / "rows.jsonl", [SHAPES[shape]])
    tokens = tokenizer(chat)
    prepared = prepare(recipe(train=file), tokens)
    (row,) = prepared.train
    assert learnt(row, tokens).removeprefix(" ") == ANSWERS[shape] + "</s>"
    whole = tokens.decode(row["input_ids"])
    for value in SHAPES[shape].values():
        for part in (
            [value]
            if isinstance(value, str)
            else [turn["content"] for turn in value]
            if isinstance(value, list)
            else value.values()
        ):
            assert part.strip() in whole
    assert ("<|assistant|>\n" in whole) is (chat is not None)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_kind_of_file_makes_no_difference(tmp_path, suffix):
    rows = [{"instruction": f"Questão {n}?", "output": f"É {n}."} for n in range(20)]
    found = prepare(recipe(train=write(tmp_path / f"rows{suffix}", rows)), tokenizer())
    same = prepare(recipe(train=write(tmp_path / "same.jsonl", rows)), tokenizer())
    assert found.hash == same.hash
    assert found.train["input_ids"] == same.train["input_ids"]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40).filter(
    lambda text: "<s>" not in text and "</s>" not in text  # see the next test
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT.filter(str.strip)), min_size=1, max_size=4), st.integers(3, 60))
def test_tokens_are_those_of_the_whole_text_and_the_mask_begins_where_it_leaves_the_prompt(pairs, limit):
    tokens = tokenizer()
    rows = Tokens(tokens, limit, True).causal([Rendered(prompt, answer) for prompt, answer in pairs])
    for (prompt, answer), row in zip(pairs, rows, strict=True):
        whole = [*tokens(prompt + answer)["input_ids"], tokens.eos_token_id]
        ids, mask = row.columns["input_ids"], row.columns["completion_mask"]
        assert ids == whole[:limit]
        assert row.length == len(whole)
        assert mask == sorted(mask), "the answer is one stretch at the end"
        begin = mask.index(1) if 1 in mask else len(mask)
        assert ids[:begin] == tokens(prompt)["input_ids"][:begin], "nothing of the prompt is learnt"
        assert row.learnt == sum(mask)


@pytest.mark.parametrize(("prompt", "answer"), [("", "<s>água"), ("<s>Bebe?", " água"), ("Bebe?", " água</s>")])
def test_the_special_tokens_that_a_text_brings_along_are_not_there_twice(prompt, answer):
    tokens = tokenizer()
    (row,) = Tokens(tokens, 60, True).causal([Rendered(prompt, answer)])
    ids = row.columns["input_ids"]
    assert (ids[0], ids.count(tokens.bos_token_id)) == (tokens.bos_token_id, 1)
    assert (ids[-1], ids.count(tokens.eos_token_id)) == (tokens.eos_token_id, 1)


def test_the_loss_over_everything_is_a_choice(tmp_path):
    file = write(tmp_path / "rows.jsonl", [SHAPES["instruction"]])
    (row,) = prepare(recipe(train=file, answer_only=False), tokenizer()).train
    assert set(row["completion_mask"]) == {1}


@pytest.mark.parametrize(
    "chat",
    [None, ZEPHYR, BEGINNING, STRICT + ZEPHYR, ZEPHYR + UNTHINKING],
    ids=["text", "zephyr", "bos", "no system", "thinking"],
)
def test_a_task_s_question_is_learnt_exactly_as_a_run_asks_and_scores_it(chat):
    task = get_plugins().create("task", "medmcqa-pt")
    tokens = tokenizer(chat)
    thinking = Thinking.of(tokens, "auto") if chat else UNKNOWN
    template, encoder = Template("auto", tokens), Encoder(tokens, 2048, thinking)
    for sample in task.shots("builtin"):
        (asked,) = Letter().requests(sample, PromptBuilder(task, "letter", chat=chat is not None))
        ((rows, _),) = encoder.choose([asked])
        scored = rows[list(sample.choices).index(sample.target)]
        (row,) = Tokens(tokens, 2048, True).causal([template.render(ask(task, sample, "", "row 1"))])
        ids, mask = row.columns["input_ids"], row.columns["completion_mask"]
        assert ids == [*scored.context, *scored.continuation, tokens.eos_token_id]
        # A run scores the line end of a chat template with the answer, as lm-eval does; it is the prompt's, not learnt.
        spared = scored.continuation[: len(ids) - sum(mask) - len(scored.context)]
        assert not tokens.decode(spared).strip()
        assert mask == [0] * (len(scored.context) + len(spared)) + [1] * (len(scored.continuation) - len(spared) + 1)


def test_an_answer_that_holds_its_thinking_is_learnt_behind_a_turn_that_may_think():
    template = Template("auto", tokenizer(ZEPHYR + UNTHINKING))
    example = Example("row 1", "A dengue é viral?", "<think>\nFlavivírus.\n</think>\n\nSim.")
    thought = template.render(example)
    told = template.render(replace(example, answer="Sim."))
    assert thought.prompt + "<think>\n\n</think>\n\n" == told.prompt
    assert thought.answer.startswith("<think>\nFlavivírus.")


@pytest.mark.parametrize("begins", ["thinking", "true"], ids=["where told to", "always"])
def test_a_thought_that_the_template_begins_is_not_begun_again_by_the_answer(begins):
    template = Template(
        "auto", tokenizer(ZEPHYR + f"{{% if add_generation_prompt and {begins} %}}<think>\n{{% endif %}}")
    )
    learnt = template.render(Example("row 1", "A dengue é viral?", "<think>\nFlavivírus.\n</think>\n\nSim."))
    assert learnt.prompt.endswith("<think>\n")
    assert learnt.answer.startswith("Flavivírus.\n</think>\n\nSim.")


def test_an_encoder_decoder_learns_the_tokens_a_run_scores():
    task = get_plugins().create("task", "medmcqa-pt")
    tokens = tokenizer(None, "t5")
    (sample, *_) = task.shots("builtin")
    (asked,) = Letter().requests(sample, PromptBuilder(task, "letter"))
    ((rows, _),) = Seq2SeqEncoder(tokens, 2048).choose([asked])
    scored = rows[list(sample.choices).index(sample.target)]
    text = Template("auto", tokens).render(ask(task, sample, "", "row 1"))
    (row,) = Tokens(tokens, 2048, True).seq2seq([text])
    assert row.columns == {"input_ids": list(scored.context), "labels": [*scored.continuation, tokens.eos_token_id]}
    (cut,) = Tokens(tokens, 5, True).seq2seq([text])
    (short,) = Tokens(tokens, 1, True).seq2seq([text])
    assert short.learnt == len(short.columns["labels"]) == 1, "only what is left of the answer is learnt"
    assert cut.columns["input_ids"] == [*scored.context[:4], tokens.eos_token_id], "the encoder still sees an end"


def test_a_conversation_is_the_model_s_own_template_word_for_word(tmp_path):
    tokens = tokenizer(BEGINNING)
    (row,) = prepare(recipe(train=write(tmp_path / "rows.jsonl", [SHAPES["chat"]])), tokens).train
    whole = tokens.apply_chat_template(SHAPES["chat"]["messages"], tokenize=False).rstrip()
    assert row["input_ids"] == tokens(whole, add_special_tokens=False)["input_ids"]
    assert row["input_ids"].count(tokens.bos_token_id) == 1
    assert row["input_ids"][-2:].count(tokens.eos_token_id) == 1


def test_with_its_own_scoring_a_task_answers_in_that_scoring_s_words():
    answers = {}
    for scoring in ("", "generate", "option"):
        parts = read_parts(recipe(train="task:medmcqa-pt,data=builtin", scoring=scoring))
        answers[scoring] = parts.train[-1].answer
    assert answers == {"": "B", "generate": "Alternativa B", "option": "Gonadotrofina coriônica"}
    with pytest.raises(BadConfig, match="no 'lettre'"):
        read_parts(recipe(train="task:medmcqa-pt,data=builtin", scoring="lettre"))


def test_the_built_in_rows_are_portuguese_and_never_test_rows():
    parts = read_parts(recipe())
    plugins = get_plugins()
    named = {example.place.split("-builtin-")[0] for example in parts.train}
    assert "medmcqa-pt" in named
    assert not any(name.endswith("-en") for name in named)
    for name in named:
        tested = {sample.id for sample in plugins.create("task", name).load("builtin").samples}
        assert not tested & {example.place for example in parts.train}


def test_a_preference_is_made_of_a_right_and_a_wrong_option():
    first = prepare(recipe("dpo", train="task:medqa-pt,data=builtin"), tokenizer())
    for row in first.train:
        assert row["chosen"] != row["rejected"]
        assert row["prompt"].endswith("Resposta:")
        assert f"\n{row['rejected'].strip()}) " in row["prompt"], "the rejected answer is an option of that question"
    again = prepare(recipe("dpo", train="task:medqa-pt,data=builtin"), tokenizer())
    assert again.hash == first.hash
    other = prepare(recipe("dpo", seed=7, train="task:medqa-pt,data=builtin"), tokenizer())
    assert other.train["rejected"] != first.train["rejected"]


def test_free_questions_have_nothing_to_reject_and_are_counted_or_refused(tmp_path):
    prepared = prepare(recipe("dpo"), tokenizer())
    assert prepared.report.passed_over == {"without an answer to reject": 4}
    file = write(tmp_path / "rows.jsonl", [SHAPES["instruction"]])
    with pytest.raises(BadData, match=r"no rejected answer in 1 row \(row 1 \(line 1\)\)"):
        prepare(recipe("dpo", train=file), tokenizer())
    blank = prepare(recipe("dpo", train=file, rejected=" "), tokenizer())
    assert blank.train["rejected"] == [" "], "as the study had it"
    assert any("blank rejected answer" in line and "learns to write something" in line for line in blank.report.lines())


def test_a_preference_keeps_its_own_answers_and_one_beginning_of_text(tmp_path):
    row = {"prompt": "Febre?", "chosen": "Sim.", "rejected": "Não."}
    tokens = tokenizer(BEGINNING)
    (found,) = prepare(recipe("dpo", train=write(tmp_path / "rows.jsonl", [row])), tokens).train
    assert found == {"prompt": "<|user|>\nFebre?</s>\n<|assistant|>\n", "chosen": "Sim.</s>", "rejected": "Não.</s>"}
    assert tokens(found["prompt"])["input_ids"].count(tokens.bos_token_id) == 1, "the tokenizer puts it there again"


def test_long_rows_are_cut_and_counted_and_lost_answers_left_out(tmp_path):
    words = " ".join(["palavra"] * 40)
    rows = [
        {"instruction": "Curta?", "output": "Sim."},
        {"instruction": "Longa?", "output": words},
        {"instruction": words, "output": "Nunca vista."},
    ]
    tokens = tokenizer()
    report = prepare(recipe(train=write(tmp_path / "rows.jsonl", rows), max_length=40), tokens).report
    assert (report.rows, report.truncated, report.lost) == (2, 2, 1)
    assert report.truncated_share == pytest.approx(2 / 3)
    assert "truncated: rows longer than 40: 2 (66.7%); without their whole answer, and so left out: 1" in report.lines()
    with pytest.raises(BadData, match="no answer fits into 8 tokens"):
        prepare(recipe(train=write(tmp_path / "rows.jsonl", rows), max_length=8), tokens)


QUESTIONS = st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=30)


@settings(max_examples=40, deadline=None)
@given(QUESTIONS, st.floats(0.05, 0.9), st.integers(0, 5))
def test_a_drawn_validation_set_shares_no_question_with_training(tmp_path_factory, letters, share, seed):
    rows = [{"instruction": f"Questão {x}?", "output": f"{n}"} for n, x in enumerate(letters)]
    file = write(tmp_path_factory.mktemp("rows") / "rows.jsonl", rows)
    parts = read_parts(recipe(train=file, validation_share=share, seed=seed))
    train, held_out = ({e.question for e in part} for part in (parts.train, parts.validation))
    assert not train & held_out
    assert train | held_out == {row["instruction"] for row in rows}
    assert len(parts.train) + len(parts.validation) == len(rows)
    assert parts.train
    assert bool(parts.validation) is (len(set(letters)) > 1)


def test_the_same_recipe_gives_the_same_rows_and_another_seed_others(tmp_path):
    rows = [{"instruction": f"Questão {n}?", "output": f"É {n}."} for n in range(60)]
    file = write(tmp_path / "rows.jsonl", rows)
    made = [prepare(recipe(train=file, validation_share=0.1, rows=20, seed=seed), tokenizer()) for seed in (1, 1, 2)]
    assert made[0].hash == made[1].hash != made[2].hash
    assert (len(made[0].train), len(made[0].validation)) == (20, 6)
    fewer = read_parts(recipe(train=file, validation_share=0.1, rows=5, seed=1))
    more = read_parts(recipe(train=file, validation_share=0.1, rows=40, seed=1))
    assert fewer.validation == more.validation, "how many are trained on does not change what is measured"


def test_changed_data_under_the_same_name_is_seen_at_once(tmp_path):
    rows = [{"instruction": f"Questão {n}?", "output": f"É {n}."} for n in range(5)]
    hashes = set()
    for answer in ("É 0.", "É zero."):
        rows[0]["output"] = answer
        hashes.add(prepare(recipe(train=write(tmp_path / "rows.jsonl", rows)), tokenizer()).hash)
    assert len(hashes) == 2


def test_a_template_of_one_s_own_words_the_prompt(tmp_path):
    (tmp_path / "own.jinja").write_text("P: {{ instruction }} [{{ row.fonte }}]\nR:")
    file = write(tmp_path / "rows.jsonl", [{**SHAPES["instruction"], "fonte": "livro"}])
    tokens = tokenizer(ZEPHYR)
    (row,) = prepare(recipe(train=file, template=str(tmp_path / "own.jinja")), tokens).train
    assert tokens.decode(row["input_ids"]) == "<s>P: O que é febre? [livro]\nR: Temperatura alta.</s>"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ nada }}", "'nada' is undefined"),
        ("{{ instruction", "unexpected end"),
        ("{{ instruction.__class__.__mro__ }}", "unsafe"),
        ("{{ row.tags | join(',') }}", "'NoneType' object is not iterable"),
        ("{{ row.seen / row.all }}", "division by zero"),
    ],
)
def test_a_template_that_cannot_work_says_why_and_runs_nothing(tmp_path, source, complaint):
    (tmp_path / "own.jinja").write_text(source)
    file = write(tmp_path / "rows.jsonl", [{**SHAPES["instruction"], "tags": None, "seen": 0, "all": 0}])
    with pytest.raises(BadConfig, match=complaint):
        prepare(recipe(train=file, template=str(tmp_path / "own.jinja")), tokenizer())


def test_a_template_that_is_not_there_is_refused(tmp_path):
    file = write(tmp_path / "rows.jsonl", [SHAPES["instruction"]])
    with pytest.raises(BadConfig, match="no chat template"):
        prepare(recipe(train=file, template="chat"), tokenizer())
    with pytest.raises(BadConfig, match="no template 'chta'"):
        prepare(recipe(train=file, template="chta"), tokenizer())


def test_the_report_is_json_and_adds_up(tmp_path):
    rows = [{"instruction": f"Questão {n}?", "output": "Sim. " * n} for n in range(1, 40)]
    prepared = prepare(recipe(train=write(tmp_path / "rows.jsonl", rows), max_length=60), tokenizer())
    found = json.loads(json.dumps(prepared.report.as_json()))
    assert found["tokens"] == sum(map(len, prepared.train["input_ids"]))
    assert found["learnt_tokens"] == sum(map(sum, prepared.train["completion_mask"]))
    assert found["rows"] == len(prepared.train)
    assert found["source"].endswith("rows.jsonl")


def test_what_is_said_of_one_row_is_singular(tmp_path):
    rows = [{"instruction": "Febre?", "output": ""}, {"instruction": "Dor?", "output": "Sim. " * 50}, {"output": "x"}]
    file = write(tmp_path / "rows.jsonl", rows)
    report = prepare(recipe(train=file, max_length=40, skip_bad_rows=True), tokenizer()).report
    said = "\n".join(report.lines())
    assert re.search(r"rows that have an empty answer: 1 \(50\.0%\); they teach .* \(row 1 \(line 1\)\)", said)
    assert "skipped: 1 row (row 3" in said and "rows longer than 40: 1 (50.0%)" in said
    assert not re.search(r"\b1 (\w+ )?rows\b", said)


def test_an_encoder_decoder_s_tokens_are_those_it_reads_and_those_it_writes(tmp_path):
    file = write(tmp_path / "rows.jsonl", [SHAPES["instruction"], {"instruction": "Febre? " * 40, "output": "Sim."}])
    prepared = prepare(recipe("seq2seq", train=file, max_length=50), tokenizer(None, "t5"))
    both = [len(ids) for column in ("input_ids", "labels") for ids in prepared.train[column]]
    assert prepared.report.tokens == sum(both)


def test_a_step_of_an_encoder_decoder_is_timed_with_the_answers_it_writes(tmp_path):
    rows = [{"instruction": "O que é febre? " * n, "output": "Sim. " * n} for n in (3, 1)]
    given = recipe("seq2seq", train=write(tmp_path / "rows.jsonl", rows))
    tokens = tokenizer(None, "t5")
    prepared = prepare(given, tokens)
    first, second = prepared.train["labels"]
    (batch,) = batches(prepared.train, tokens, given)
    assert batch["labels"].tolist() == [first, second + [-100] * (len(first) - len(second))]
