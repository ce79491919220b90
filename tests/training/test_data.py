"""Training data: whatever shape rows come in, a trainer gets the prompt a run would show and learns the answer alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchctl.errors import BadConfig, BadData, PluginError, UnknownName
from benchctl.plugins import Offer, PluginInfo, get_plugins
from benchctl.prompts import PromptBuilder
from benchctl.scoring import Letter
from benchctl.task import Task
from benchctl_plugins.models.encoding import Encoder
from benchctl_plugins.models.seq2seq import Seq2SeqEncoder
from benchctl_plugins.models.thinking import UNKNOWN, Thinking
from benchctl_plugins.training.examples import Example
from benchctl_plugins.training.formats import ask
from benchctl_plugins.training.prepare import prepare, read_parts
from benchctl_plugins.training.sources import Unreachable
from benchctl_plugins.training.templates import Rendered, Template
from benchctl_plugins.training.tested import at_hand
from benchctl_plugins.training.tokens import Tokens
from benchctl_plugins.training.trainers import batches

from .makers import BEGINNING, STRICT, UNTHINKING, ZEPHYR, learnt, recipe, tokenizer, write

pytest.importorskip("transformers", reason="needs the extra 'hf'")

SHAPES = {
    "instruction": {"instruction": "O que é febre?", "output": "Temperatura alta."},
    "with input": {"instruction": "Resuma.", "input": "A febre passou.", "output": "Passou."},
    "completion": {"prompt": "A febre é", "completion": " um sinal."},
    "capitals": {"Prompt": "A febre é", "Completion": "um sinal."},
    "chat": {
        "messages": [
            {"role": "system", "content": "Seja breve."},
            {"role": "user", "content": "Oi."},
            {"role": "assistant", "content": "Olá."},
            {"role": "user", "content": "Febre?"},
            {"role": "assistant", "content": "Sim."},
        ]
    },
    "choices": {"question": "Qual?", "choices": {"A": "um", "B": "dois"}, "answer": "B"},
}
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


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)


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


BAD = {
    "no answer": ({"instruction": "Q?", "output": None}, "column 'output' is missing"),
    "no question": ({"instruction": " ", "output": "R."}, "column 'instruction' is empty"),
    "no turn": ({"messages": []}, "the last turn in column 'messages' is not the assistant's"),
    "a role": ({"messages": [{"role": "bot", "content": "x"}]}, "turn 1 in column 'messages' needs a role"),
    "alone": ({"messages": [{"role": "assistant", "content": "x"}]}, "has no user's turn before the answer"),
    "same": ({"prompt": "Q?", "chosen": "R.", "rejected": "R."}, "hold the same answer"),
    "label": ({"question": "Q?", "choices": {"A": "x"}, "answer": "B"}, "'B' is no label"),
    "list": ({"instruction": "Q?", "output": ["R."]}, "column 'output' holds a list, no text"),
    "turns": (
        {"prompt": [{"role": "user", "content": "Q?"}], "completion": [{"role": "assistant", "content": "R."}]},
        "column 'prompt' holds a list, no text",
    ),
    "object": ({"instruction": {"pt": "Q?"}, "output": "R."}, "column 'instruction' holds an object, no text"),
    "no number": ({"instruction": "Q?", "output": float("nan")}, "column 'output' is missing"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_cannot_be_used_is_named_or_left_out_by_name(tmp_path, case):
    row, reason = BAD[case]
    good = (
        next(shape for shape in SHAPES.values() if set(shape) == set(row))
        if case != "same"
        else {**row, "rejected": "N."}
    )
    file = write(tmp_path / "rows.jsonl", [good, row, good])
    with pytest.raises(BadData) as raised:
        read_parts(recipe(train=file))
    assert raised.value.message.startswith(f"{file}, row 2 (line 2): ")
    assert reason in raised.value.message
    prepared = prepare(recipe(train=file, skip_bad_rows=True), tokenizer())
    assert prepared.report.rows == 2
    assert len(prepared.report.bad_rows) == 1
    assert any("skipped: 1 row (row 2 (line 2)" in line for line in prepared.report.lines())


def test_columns_nobody_knows_are_listed_beside_those_that_are(tmp_path):
    file = write(tmp_path / "rows.csv", [{"foo": "1", "bar": "2"}])
    with pytest.raises(BadData) as raised:
        read_parts(recipe(train=file))
    assert "(bar, foo)" in raised.value.message
    assert "instruction+output" in raised.value.hint
    with pytest.raises(BadData, match="hold no training data"):
        read_parts(recipe(train=write(tmp_path / "a.jsonl", [SHAPES["instruction"]]), format="chat"))


def test_a_file_in_a_task_s_layout_is_asked_as_the_task(tmp_path):
    row = {
        "id": "1",
        "contexto": "Choveu.",
        "pergunta": "E depois?",
        "A": "a",
        "B": "b",
        "C": "c",
        "D": "d",
        "Label": "C",
    }
    (example,) = read_parts(recipe(train=write(tmp_path / "rows.csv", [row]))).train
    assert example.answer == "C"
    assert "Choveu.\n\nE depois?\nA) a" in example.question


def test_a_defect_of_a_plugin_s_task_is_told_with_the_row_that_showed_it(tmp_path, monkeypatch):
    class Odd(Task):
        name = "odd"
        columns = ("sintoma", "doença", "fonte")

        def sample(self, row):
            return row.values["grau"]

    offer = Offer("odd", Odd, PluginInfo("other", "other", "other", "1"))
    monkeypatch.setitem(get_plugins().offers("task"), "odd", offer)
    file = write(tmp_path / "rows.csv", [{"sintoma": "febre", "doença": "gripe", "fonte": "livro"}])
    with pytest.raises(PluginError, match=r"Task odd failed at .*rows.csv, row 1 \(line 2\): KeyError: 'grau'"):
        read_parts(recipe(train=file))
    with pytest.raises(PluginError, match=r"Task odd failed at .*rows.csv, row 1 \(line 2\): KeyError: 'grau'"):
        at_hand([file])


def test_a_column_of_splits_is_heeded_and_test_rows_are_never_trained_on(tmp_path):
    rows = [
        {"split": s, "instruction": f"Q{n}?", "output": "R."} for n, s in enumerate(["train", "test", "valid", "train"])
    ]
    parts = read_parts(recipe(train=write(tmp_path / "rows.csv", rows)))
    assert [e.question for e in parts.train] == ["Q0?", "Q3?"]
    assert [e.question for e in parts.validation] == ["Q2?"]
    assert parts.source.passed_over == {"of the split 'test'": 1}
    only = write(tmp_path / "test.csv", rows[1:2])
    with pytest.raises(BadData, match="no row to train on"):
        read_parts(recipe(train=only))


@pytest.mark.parametrize("odd", [{"split": ""}, {"split": "extra"}, {}])
def test_one_row_of_no_known_split_does_not_make_training_rows_of_the_test_rows(tmp_path, odd):
    rows = [
        {"instruction": f"Q{n}?", "output": "R.", **said}
        for n, said in enumerate([{"split": "train"}, {"split": "test"}, odd])
    ]
    file = write(tmp_path / "rows.jsonl", rows)
    with pytest.raises(BadData, match=r"row 3 \(line 3\): column 'split' says '.*', no split that is known"):
        read_parts(recipe(train=file))
    parts = read_parts(recipe(train=file, skip_bad_rows=True))
    assert [e.question for e in parts.train] == ["Q0?"] and not parts.validation
    assert [place.partition(":")[0] for place in parts.source.bad_rows] == ["row 3 (line 3)"]
    own = [{**row, "split": "febre"} for row in rows]  # the column is about something else
    assert len(read_parts(recipe(train=write(tmp_path / "own.jsonl", own))).train) == 3


def test_a_row_that_cannot_be_read_is_a_bad_row_like_any(tmp_path):
    file = tmp_path / "rows.jsonl"
    good = json.dumps({"instruction": "Q?", "output": "R."})
    file.write_text(f'{good}\n{{"instruction": "Q?", "out\n{good}\n', encoding="utf-8")
    with pytest.raises(BadData, match=r"row 2 \(line 2\): not JSON"):
        read_parts(recipe(train=str(file)))
    parts = read_parts(recipe(train=str(file), skip_bad_rows=True))
    (bad,) = parts.source.bad_rows
    assert len(parts.train) == 2 and bad.startswith("row 2 (line 2): not JSON")


def test_a_task_s_row_that_cannot_be_read_is_not_passed_over_in_silence(tmp_path):
    file = tmp_path / "train.csv"
    row = "1,Choveu.,E depois?,a,b,c,d,C\n"
    file.write_text(f"id,contexto,pergunta,A,B,C,D,Label\n{row}2,Choveu.,E depois?,a\n{row}", encoding="utf-8")
    spec = f"task:cosmosqa-pt,data={file}"
    with pytest.raises(BadData, match="row 2"):
        read_parts(recipe(train=spec))
    parts = read_parts(recipe(train=spec, skip_bad_rows=True))
    assert len(parts.train) == 2 and len(parts.source.bad_rows) == 1


@pytest.mark.slow
def test_the_dialogues_of_the_study_come_in_its_own_splits(shared):
    file = shared / "data/tweetsumm/dialogs_data_with_summaries.csv"
    for spec in (str(file), f"task:tweetsumm,data={file.parent.parent}"):
        parts = read_parts(recipe(train=spec))
        assert (len(parts.train), len(parts.validation)) == (879, 110)
        assert parts.source.passed_over == {"of the split 'test'": 110}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder laid out as a repository on the hub, and a cache of its own."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "repository"
    folder.mkdir()
    for split, count in (("train", 4), ("validation", 2)):
        write(folder / f"{split}.csv", [{"instruction": f"{split} {n}?", "output": "R."} for n in range(count)])
    return folder


def test_a_repository_gives_its_training_and_validation_splits(hub):
    parts = read_parts(recipe(train=f"hub:{hub}"))
    assert [e.question for e in parts.train] == [f"train {n}?" for n in range(4)]
    assert [e.question for e in parts.validation] == ["validation 0?", "validation 1?"]
    assert [e.question for e in read_parts(recipe(train=str(hub))).train] == [e.question for e in parts.train]
    named = read_parts(recipe(train=f"hub:{hub},split=validation", validation_share=0))
    assert len(named.train) == 2
    with pytest.raises(BadConfig, match="no split 'teste'") as raised:
        read_parts(recipe(train=f"hub:{hub},split=teste"))
    assert "train, validation" in raised.value.hint


@pytest.mark.parametrize("spec", ["hub:luizlzg/drbyte_dataset", "task:medmcqa-pt", "task:tweetsumm"])
def test_data_that_is_only_on_the_hub_is_out_of_reach_not_wrong(spec):
    with pytest.raises(Unreachable) as raised:
        read_parts(recipe(train=spec))
    assert "data=PATH" in raised.value.hint or "--data FILE" in raised.value.hint


def test_sources_that_are_none_say_what_is_meant(tmp_path):
    with pytest.raises(UnknownName, match="medmcqa-br"):
        read_parts(recipe(train="task:medmcqa-br"))
    with pytest.raises(BadConfig, match="group of tasks"):
        read_parts(recipe(train="task:mmlu-medical-pt"))
    with pytest.raises(BadConfig, match="cannot be read"):
        read_parts(recipe(train="task:medmcqa-pt,dta=x"))
    with pytest.raises(BadData, match="no data file"):
        read_parts(recipe(train=str(tmp_path / "none.csv")))


def test_a_name_of_the_project_s_data_is_a_source(tmp_path, monkeypatch):
    from benchctl.config import load_config

    write(tmp_path / "rows.jsonl", [SHAPES["instruction"]])
    (tmp_path / "benchctl.toml").write_text('[data]\nminhas = "rows.jsonl"\n')
    monkeypatch.chdir(tmp_path)
    load_config.cache_clear()
    assert len(read_parts(recipe(train="minhas")).train) == 1
    load_config.cache_clear()


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
