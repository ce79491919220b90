"""Where training rows come from, how a file's splits are heeded, and what becomes of rows that cannot be used."""

from __future__ import annotations

import json

import pytest

from benchctl.errors import BadConfig, BadData, PluginError, UnknownName
from benchctl.plugins import Offer, PluginInfo, get_plugins
from benchctl.task import Task
from benchctl_plugins.training.prepare import prepare, read_parts
from benchctl_plugins.training.sources import Unreachable
from benchctl_plugins.training.tested import at_hand

from .makers import SHAPES, recipe, tokenizer, write

pytest.importorskip("transformers", reason="needs the extra 'hf'")

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


def test_spaces_around_a_spreadsheets_column_names_do_no_harm(tmp_path):
    file = write(tmp_path / "rows.csv", [{"Nº": "1", "Instruction ": "O que é febre?", " output": "Calor.", "": ""}])
    (example,) = read_parts(recipe(train=file)).train
    assert (example.question, example.answer) == ("O que é febre?", "Calor.")


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
