"""``benchctl extract``: measures the reading of a labelled file; what cannot be used is said with file and line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchctl.cli.extract import extract
from benchctl.errors import BadData

ROW = {"id": "x1", "question": "Q?", "options": {"A": "Fígado", "B": "Baço"}, "output": "Letra B", "label": "B"}


def run(path, *arguments):
    return CliRunner().invoke(extract, [str(path), *arguments], catch_exceptions=False)


def write(path, *rows):
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return path


def test_prints_accuracy_the_confusion_table_and_the_wrong_ones(tmp_path):
    refusal = ROW | {"id": "x2", "output": "Não posso ajudar.", "label": "NONE"}
    shown = run(write(tmp_path / "e.jsonl", ROW, refusal)).output
    assert "accuracy 50.0 % (1 of 2 read as labelled)" in shown
    assert "names an option that is not the label: 0" in shown
    assert "option" in shown
    assert "x2: labelled NONE, read REFUSAL (refusal: 'Não posso ajuda')" in shown


def test_the_confusion_table_counts_labels_of_several_capitals(tmp_path):
    row = ROW | {"options": {"I": "Fígado", "II": "Baço"}, "output": "Baço", "label": "II"}
    (line,) = [line for line in run(write(tmp_path / "e.jsonl", row)).output.splitlines() if line.startswith("option")]
    assert line.split() == ["option", "1", "0", "0", "0", "0", "0"]


def test_json_gives_one_line_per_record_in_the_labels_vocabulary(tmp_path):
    rows = [ROW, ROW | {"id": "x2", "output": "Letra F"}, ROW | {"id": "x3", "output": "", "label": None}]
    lines = [json.loads(line) for line in run(write(tmp_path / "e.jsonl", *rows), "--json").output.splitlines()]
    assert [(r["id"], r["outcome"], r["label"]) for r in lines] == [
        ("x1", "choice", "B"),
        ("x2", "invented", "INVENTED"),
        ("x3", "none", "NONE"),
    ]
    assert lines[0] | {"rule": "", "evidence": ""} == lines[0] | {"rule": "", "evidence": ""}
    assert set(lines[0]) == {"id", "outcome", "label", "rule", "evidence"}


def test_a_label_names_an_outcome_in_either_case(tmp_path):
    rows = [ROW | {"output": "Não posso ajudar.", "label": "refusal"}, ROW | {"output": "", "label": "None"}]
    assert "accuracy 100.0 % (2 of 2" in run(write(tmp_path / "e.jsonl", *rows)).output
    called = {"options": {"none": "Nenhum", "one": "Um"}, "output": "Resposta: Um", "label": "none"}
    assert "labelled none, read one" in run(write(tmp_path / "e.jsonl", ROW | called)).output


def test_an_answer_may_hold_the_separators_that_are_no_line_end_of_json(tmp_path):
    row = json.dumps(ROW | {"output": "Letra\u2028\x85 B"}, ensure_ascii=False)
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + row.encode() + b"\r\n" + row.encode() + b"\r\n")
    assert "accuracy 100.0 % (2 of 2" in run(path).output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{broken", "line 2: no JSON"),
        ("[1]", "line 2: not an object"),
        ({"id": "y", "output": "B"}, "line 2: 'options'"),
        ({"id": "y", "options": {"A": "x"}, "output": 3}, "line 2: 'output'"),
        (ROW | {"label": "Z"}, "line 2: label 'Z'"),
    ],
)
def test_a_broken_record_is_named_by_file_and_line(tmp_path, line, said):
    path = write(tmp_path / "e.jsonl", ROW, line)
    with pytest.raises(BadData) as caught:
        run(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_missing_or_empty_file_is_bad_data(tmp_path):
    for path in (tmp_path / "none.jsonl", write(tmp_path / "empty.jsonl", "")):
        with pytest.raises(BadData, match=path.name):
            run(path)


def test_without_labels_the_count_is_all_it_says(tmp_path):
    shown = run(write(tmp_path / "e.jsonl", {k: v for k, v in ROW.items() if k != "label"})).output
    assert shown.startswith("1 answers read, none of them labelled")
