"""Rows come from csv, json, jsonl and parquet; what cannot be used is named with file, row and reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchctl.data import Row, RowError, read_table
from benchctl.errors import BadData, PluginError
from benchctl.plugins import get_plugins
from benchctl.prompts import PromptBuilder
from benchctl.task import Task
from benchctl.types import Sample

COLUMNS = ["dataset", "instruction", "input", "output", *(f"alternative_{x}" for x in "abcd")]


def row(number: int, **changes: str) -> dict[str, str]:
    base = {"dataset": "MedMCQA", "instruction": f"Pergunta {number}?", "input": "", "output": "ABCD"[number % 4]}
    return {**base, **{f"alternative_{x}": f"opção {x} de {number}" for x in "abcd"}, **changes}


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def task() -> Task:
    return get_plugins().create("task", "medmcqa-pt")


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet"])
def test_the_same_rows_in_any_format_are_the_same_samples(task, tmp_path, suffix):
    data = task.load(str(write(tmp_path / f"data{suffix}", [row(i) for i in range(6)])))
    assert [s.target for s in data.samples] == list("ABCDAB")
    assert data.samples[2].choices == {x.upper(): f"opção {x} de 2" for x in "abcd"}
    assert [s.id for s in data.samples] == list("012345")


def test_a_row_whose_set_is_written_in_another_case_belongs_to_it(task, tmp_path):
    rows = [row(0), row(1, dataset="medmcqa"), row(2, dataset=" MEDMCQA "), row(3, dataset="PubMedQA")]
    data = task.load(str(write(tmp_path / "data.csv", rows)))
    assert [s.id for s in data.samples] == ["0", "1", "2"]
    assert data.normalised == {"dataset": 2}


def test_what_datasets_saved_is_read_of_several_splits_the_one_named(task, tmp_path):
    kept = datasets.Dataset.from_list([row(i) for i in range(8)]).select([5, 2, 3])  # a view of the rows on disk
    datasets.DatasetDict(train=kept, test=kept.select([0])).save_to_disk(tmp_path / "dados")
    assert [s.target for s in task.load(str(tmp_path / "dados/train")).samples] == ["B", "C", "D"]
    with pytest.raises(BadData, match="holds the splits train, test"):
        task.load(str(tmp_path / "dados"))
    (tmp_path / "dados/train/state.json").write_text("{", "utf-8")
    with pytest.raises(BadData, match="datasets cannot read it"):
        task.load(str(tmp_path / "dados/train"))


@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_with_line_ends_of_windows_asks_the_same(task, tmp_path, packed):
    rows = [row(i, instruction=f"Caso {i}:\n\n- febre\n- tosse", alternative_b="gripe\n") for i in range(3)]
    original = write(tmp_path / "prova.csv", rows)
    content = original.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # as git and editors do
    copy = tmp_path / ("copia.csv.gz" if packed else "copia.csv")
    copy.write_bytes(gzip.compress(content) if packed else content)
    assert task.load(str(copy)).samples == task.load(str(original)).samples
    assert task.load(str(copy)).samples[1].question == "Caso 1:\n\n- febre\n- tosse"


@pytest.mark.parametrize("told", ["sep=;", '"sep=;"', "sep=\t"])
def test_a_line_that_tells_excel_the_separator_is_no_header(task, tmp_path, told):
    sign = "\t" if "\t" in told else ";"
    lines = [told, sign.join(COLUMNS), *(sign.join(row(i)[name] for name in COLUMNS) for i in range(3))]
    (tmp_path / "prova.csv").write_text("\r\n".join(lines), "utf-8-sig")
    assert [s.target for s in task.load(str(tmp_path / "prova.csv")).samples] == ["A", "B", "C"]


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8")])
@pytest.mark.parametrize("packed", [False, True])
def test_a_table_as_spreadsheets_in_brazil_write_it_is_read(task, tmp_path, delimiter, encoding, packed):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows([row(i, alternative_a=f"um, dois; três\t{i}") for i in range(4)])
    content = text.getvalue().encode(encoding)
    path = tmp_path / ("provas médicas.csv.gz" if packed else "provas médicas.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    samples = task.load(str(path)).samples
    assert [s.choices["A"] for s in samples] == [f"um, dois; três\t{i}" for i in range(4)]


def test_a_packed_file_that_was_damaged_on_its_way_is_told_as_such(task, tmp_path):
    packed = bytearray(gzip.compress(json.dumps([row(i) for i in range(300)]).encode()))
    packed[10] = 0xFF  # of no kind of block
    (tmp_path / "provas.json.gz").write_bytes(packed)
    with pytest.raises(BadData, match="not a whole gzip file") as told:
        task.load(str(tmp_path / "provas.json.gz"))
    assert told.value.hint == "Check that it was copied whole."


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_any_text_survives_a_csv_file(tmp_path, texts):
    rows = [{"a": a, "b": b} for a, b in texts]
    table = read_table(write(tmp_path / "any.csv", rows))
    assert [dict(r.values) for r in table.rows] == rows


def test_labels_in_the_wrong_case_and_stray_spaces_are_understood_and_counted(task, tmp_path):
    rows = [row(0, output="a "), row(1, instruction=" Pergunta? "), row(2, alternative_b="x  "), row(3)]
    data = task.load(str(write(tmp_path / "d.csv", rows)))
    assert [s.target for s in data.samples] == list("ABCD")
    assert data.samples[1].question == "Pergunta?"
    assert data.normalised == {"output": 1, "instruction": 1, "alternative_b": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"instruction": "  "}, "no question"),
        ({"alternative_c": ""}, "alternative C is missing"),
        ({"output": "E"}, "the label 'E' in column 'output' is no choice"),
        ({"output": ""}, "the label '' in column 'output' is no choice"),
    ],
)
def test_an_unusable_row_stops_with_file_row_and_reason(task, tmp_path, change, reason):
    path = write(tmp_path / "d.csv", [row(i, **(change if i == 16 else {})) for i in range(20)])
    with pytest.raises(BadData) as stop:
        task.load(str(path))
    assert stop.value.message.startswith(f"{path}, row 17 (line 18): {reason}")
    assert "--skip-bad-rows" in stop.value.hint


def test_unusable_rows_can_be_left_out_and_are_counted(task, tmp_path):
    path = write(tmp_path / "d.csv", [row(i, **({"output": "?"} if i in (3, 9) else {})) for i in range(12)])
    data = task.load(str(path), skip_bad_rows=True)
    assert len(data.samples) == 10
    assert [place.split(":")[0] for place in data.bad_rows] == ["row 4 (line 5)", "row 10 (line 11)"]
    assert data.samples[3].id == "4", "ids stay those of the whole file"


def test_lines_are_counted_where_cells_hold_line_ends(task, tmp_path):
    path = write(tmp_path / "d.csv", [row(0, instruction="duas\nlinhas\ne mais"), row(1, output="Z")])
    with pytest.raises(BadData, match=r"row 2 \(line 5\)"):
        task.load(str(path))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("d.csv", "dataset,instruction\nMedMCQA,oi,tarde\n", r"row 1 \(line 2\): 3 cells where the header has 2"),
        ("d.csv", "dataset|instruction\nMedMCQA|oi, tarde\n", "2 cells where the header has 1"),
        ("d.csv", "dataset;instruction\nMedMCQA;oi; tarde\n", r"row 1 \(line 2\): 3 cells where the header has 2"),
        ("d.csv", "dataset,instruction\n", "holds no rows"),
        ("d.jsonl", '{"a": 1}\n{"a": \n', r"row 2 \(line 2\): not JSON"),
        ("d.jsonl", "[1]\n", r"row 1 \(line 1\): holds no object"),
        ("d.json", '{"a": 1}', "does not hold a list"),
        ("d.json", '[{"a": 1},', "not JSON"),
        ("d.xlsx", "x", "unknown kind of file '.xlsx'"),
        ("d.parquet", "no parquet", "not a parquet file"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(BadData, match=says):
        read_table(path)


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "d.csv"
    path.write_bytes("pergunta\nfunção\n".encode("latin-1"))
    with pytest.raises(BadData, match="not UTF-8"):
        read_table(path)


def test_missing_columns_are_named_beside_those_that_are_there(task, tmp_path):
    rows = [{k: v for k, v in row(0).items() if k not in ("output", "input")}]
    with pytest.raises(BadData, match="no column 'input', 'output'") as stop:
        task.load(str(write(tmp_path / "d.csv", rows)))
    assert "alternative_a" in stop.value.hint


def test_a_file_without_this_tasks_rows_is_refused(task, tmp_path):
    with pytest.raises(BadData, match="no usable row for medmcqa-pt"):
        task.load(str(write(tmp_path / "d.csv", [row(0, dataset="PubMedQA")])))


def test_a_tasks_own_reason_reaches_the_message(tmp_path):
    class Picky(Task):
        name, columns = "picky", ("q",)

        def sample(self, row: Row):
            raise RowError("I do not like it")

    path = tmp_path / "d.jsonl"
    path.write_text('{"q": 1}\n', "utf-8")
    with pytest.raises(BadData, match=r"row 1 \(line 1\): I do not like it"):
        Picky().load(str(path))


class Plain(Task):
    """As a newcomer writes one: nothing is checked."""

    name, columns = "plain", ("q", "a", "b", "certa")

    def sample(self, row: Row) -> Sample:
        return Sample(row.text("q"), row.text("q"), {"A": row.text("a"), "B": row.text("b")}, row.text("certa"))


LINES = [{"q": f"q{i}", "a": "sim", "b": "não", "certa": "AB"[i % 2]} for i in range(6)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**LINES[3], "certa": ""}, "the right answer '' is none of the options (A, B)"),
        ({**LINES[3], "certa": "b"}, "the right answer 'b' is none of the options (A, B)"),
        ({**LINES[3], "b": None}, "option B is empty"),
        ({**LINES[3], "q": "q1"}, "the id 'q1' stands already in row 2 (line 2); answers are kept by id"),
        ({"q": "q3", "a": "sim", "b": "não"}, "no column 'certa'"),
        ([1], "holds no object"),
        ('{"q": "q3', "not JSON"),
    ],
)
def test_rows_that_no_task_can_use_are_refused_whatever_its_plugin_checks(tmp_path, line, reason):
    lines = [*LINES[:3], line, *LINES[4:]]
    path = tmp_path / "d.jsonl"
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines), "utf-8")
    with pytest.raises(BadData) as stop:
        Plain().load(str(path))
    assert stop.value.message.startswith(f"{path}, row 4 (line 4): {reason}")
    assert "--skip-bad-rows" in stop.value.hint
    data = Plain().load(str(path), skip_bad_rows=True)
    assert [s.id for s in data.samples] == ["q0", "q1", "q2", "q4", "q5"]
    (bad,) = data.bad_rows
    assert bad.startswith(f"row 4 (line 4): {reason}")


def test_a_row_with_a_cell_too_few_can_be_left_out_and_the_places_of_the_others_stay(task, tmp_path):
    rows = [row(i) for i in range(5)]
    path = write(tmp_path / "d.csv", rows)
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], "", "MedMCQA,só isto", *lines[3:-1], "MedMCQA,P?,,Z,a,b,c,d"]), "utf-8")
    with pytest.raises(BadData, match=r"row 2 \(line 4\): 2 cells where the header has 8") as stop:
        task.load(str(path))
    assert "must be quoted. Or leave such rows out with --skip-bad-rows" in stop.value.hint
    data = task.load(str(path), skip_bad_rows=True)
    assert [s.id for s in data.samples] == ["0", "2", "3"]
    assert [place.split(":")[0] for place in data.bad_rows] == ["row 2 (line 4)", "row 5 (line 7)"]
    with pytest.raises(BadData, match=r"row 2 \(line 4\)"):
        task.shots(str(path))


def test_a_column_that_stands_twice_is_refused_since_nobody_can_tell_which_is_meant(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("q,certa,certa,,\nx,A,B,,\n", "utf-8")
    with pytest.raises(BadData, match="has the column 'certa' twice"):
        read_table(path)


@pytest.mark.parametrize("header", ['"Prova, ano";q;Resposta (A, B ou C)', "Prova, ano;q;Resposta (A, B ou C)"])
def test_commas_in_a_header_of_semicolons_do_not_part_its_cells(tmp_path, header):
    path = tmp_path / "d.csv"
    path.write_text(header + '\nENEM;Qual, enfim?;A\n"UFG";"B, de bola; é";B\nUFG;Qual?;C\n', "utf-8")
    assert [list(r.values.values()) for r in read_table(path).rows] == [
        ["ENEM", "Qual, enfim?", "A"], ["UFG", "B, de bola; é", "B"], ["UFG", "Qual?", "C"],
    ]  # fmt: skip


def test_a_space_in_a_columns_name_is_seen_in_the_message(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("q; certa\nx;A\n", "utf-8")
    with pytest.raises(BadData) as stop:
        read_table(path).require(["q", "certa"])
    assert stop.value.hint == "Expected the columns q, certa; found ' certa', q."


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda row: row.values["nada"], "failed at .*, row 1 .*: KeyError: 'nada'"),
        (lambda row: None, "made no Sample of .*row 1 .*: None"),
        (lambda row: Sample(row.number, "q", {"A": "a"}, "A"), "made no Sample of .*whose id or target is no text"),
        (lambda row: Sample("1", "q", ["a"], "A"), "made no Sample of .*choices do not map text"),
        (lambda row: Sample("1", "q", {1: "a"}, "1"), "made no Sample of .*choices do not map text"),
        (lambda row: Sample("1", "q", {"A": None}, "A"), "made no Sample of .*choices do not map text"),
    ],
)
def test_a_defect_of_a_tasks_plugin_is_told_with_the_row_that_showed_it(tmp_path, made, says):
    class Defective(Task):
        name, columns = "defective", ("q",)

        def sample(self, row: Row) -> Sample:
            return made(row)

    path = tmp_path / "d.jsonl"
    path.write_text('{"q": 1}\n', "utf-8")
    for skip in (False, True):
        with pytest.raises(PluginError, match=says):
            Defective().load(str(path), skip_bad_rows=skip)


def test_templates_see_the_raw_columns_of_a_task_that_does_not_keep_them(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps(LINES[0] | {"fonte": "ENEM"}), "utf-8")
    (sample,) = Plain().load(str(path)).samples
    assert PromptBuilder(Plain(), "letter", "{{ row.fonte }}: {{ question }}").text(sample) == "ENEM: q0"


def test_an_example_whose_answer_is_no_option_is_none(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text("".join(json.dumps({**x, "certa": c}) + "\n" for x, c in zip(LINES, "A?B", strict=False)), "utf-8")
    assert [s.id for s in Plain().shots(str(path))] == ["q0", "q2"]


def test_a_task_without_examples_of_its_own_asks_for_a_file_of_examples():
    with pytest.raises(BadData) as stop:
        Plain().shots("builtin")
    assert stop.value.hint == "Give --shots-data FILE."


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('"meio \\ud83d emoji"', r"holds half of a character (\ud83d)"),
        ("9" * 5000, "not JSON (a number of thousands of digits)"),
        ("[" * 200_000 + "]" * 200_000, "not JSON (nested too deep)"),
    ],
)
def test_what_json_allows_and_no_model_can_read_is_a_bad_row(task, tmp_path, cell, reason):
    good = json.dumps(row(1), ensure_ascii=False)
    path = tmp_path / "data.jsonl"
    path.write_text(f'{good}\n{good[:-1]}, "instruction": {cell}}}\n', "utf-8")
    with pytest.raises(BadData) as refused:
        task.load(str(path))
    assert f"row 2 (line 2): {reason}." in refused.value.message
    data = task.load(str(path), skip_bad_rows=True)
    assert len(data.samples) == 1
    assert reason in data.bad_rows[0]
    whole = path.with_name("whole.json")
    whole.write_text("[" + path.read_text("utf-8").strip().replace("\n", ",") + "]", "utf-8")
    with pytest.raises(BadData, match=re.escape(reason)):
        task.load(str(whole))
