"""``replay:FILE``: answers recorded elsewhere are scored, recorded and ranked like any model's."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from benchctl.creation import create_task
from benchctl.model import parse_spec
from benchctl.plugins import get_plugins
from benchctl.records import read_runs
from benchctl_plugins.models.replay import Replay


@pytest.fixture
def medqa(teste) -> list[dict[str, str]]:
    """The first 200 questions of medqa-pt, each with its id: its position in the whole file."""
    with teste.open(encoding="utf-8", newline="") as file:
        rows = [{"id": str(i), **row} for i, row in enumerate(csv.DictReader(file))]
    return [row for row in rows if row["dataset"] == "MedQA (USMLE)"][:200]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
    return path


def builtin_ids(count: int) -> list[str]:
    return [sample.id for sample in create_task(get_plugins(), "medqa-pt").load("builtin").samples[:count]]  # type: ignore[union-attr]


def run(benchctl, model: str, *arguments: object, data: object = "builtin", limit: int = 5) -> Any:
    fixed = ("run", "--task", "medqa-pt", "--data", data, "--limit", limit, "--json", "--model", model)
    return benchctl(*fixed, *(arguments or ("--scoring", "generate")))


def first(ran) -> dict[str, Any]:
    return dict(json.loads(ran.out)[0])


def test_200_recorded_answers_give_the_record_and_the_leaderboard_row_of_any_model(benchctl, medqa, teste, tmp_path):
    right = 0
    rows = []
    for i, row in enumerate(medqa):
        letter = row["output"] if i % 4 else "ABCD"["BCDA".index(row["output"])]
        right += letter == row["output"]
        rows.append({"id": row["id"], "output": f"Pelo quadro clínico, a resposta correta é a alternativa {letter}."})
    file = write(tmp_path / "respostas-de-2024.csv", rows)
    ran = run(benchctl, f"replay:{file}", data=teste, limit=200)
    assert ran.code == 0 and first(ran)["status"] == "complete"
    assert first(ran)["metrics"]["accuracy"]["value"] == right / 200 == 0.75
    assert first(ran)["outcomes"] == {"choice": 200}
    manifest = json.loads((Path(first(ran)["path"]) / "run.json").read_text())
    assert manifest["model"]["name"] == "respostas-de-2024" and manifest["model"]["recorded"] is True
    assert manifest["model"]["rows"] == 200 and manifest["model"]["unknown_ids"] == 0

    other = run(benchctl, "majority", "--scoring", "letter", data=teste, limit=200)
    compared = benchctl("list", "runs", "--json")
    assert {run["run"] for run in json.loads(compared.out)} == {first(ran)["run"], first(other)["run"]}

    from benchctl_reports.leaderboard import build_leaderboard

    board = build_leaderboard([stored.record for stored in read_runs(tmp_path / "runs")])
    shown = {row.model.removeprefix("replay:") for section in board.sections for row in section.rows}
    assert shown == {"respostas-de-2024", "majority"}
    assert str(tmp_path) not in json.dumps(manifest), "where the file lies is nobody's business"


def test_a_missing_id_is_a_counted_error_and_an_unknown_one_is_told_with_its_line(benchctl, tmp_path):
    ids = builtin_ids(5)
    rows = [{"id": key, "output": "B"} for key in (*ids[:4], "nobody", "no-one")]
    file = write(tmp_path / "a.csv", rows)
    ran = run(benchctl, f"replay:{file}")
    assert ran.code == 3 and first(ran)["status"] == "incomplete"
    assert (first(ran)["counts"]["answered"], first(ran)["counts"]["errors"]) == (4, 1)
    assert f"{ids[4]}: no row of a.csv has this id" in ran.err
    assert "row 5 (line 6): unknown id 'nobody'" in ran.err and "line 7): unknown id 'no-one'" in ran.err
    assert json.loads((Path(first(ran)["path"]) / "run.json").read_text())["model"]["unknown_ids"] == 2
    assert "n 4 of 5, incomplete" in " ".join(benchctl("list", "runs").out.replace("│", " ").split())


def test_a_doubled_id_with_another_answer_is_an_error_with_both_lines(benchctl, tmp_path):
    ids = builtin_ids(5)
    rows = [{"id": key, "output": "B"} for key in (*ids, ids[2])]
    same = run(benchctl, f"replay:{write(tmp_path / 'same.csv', rows)}")
    assert same.code == 0 and f"row 6 (line 7): id '{ids[2]}' stands in row 3 (line 4) already" in same.err
    rows[-1]["output"] = "C"
    ran = run(benchctl, f"replay:{write(tmp_path / 'other.csv', rows)}")
    assert ran.code == 1 and "row 3 (line 4) and row 6 (line 7)" in ran.err and not ran.out


def test_an_empty_reply_is_an_answer_and_a_reply_that_was_never_recorded_is_an_error(benchctl, tmp_path):
    outputs: list[Any] = ["", [], None, ["C", "D"], {"answer": "B"}]
    rows = [{"id": key, "output": output} for key, output in zip(builtin_ids(5), outputs, strict=True)]
    file = write(tmp_path / "a.jsonl", rows)
    ran = run(benchctl, f"replay:{file}")
    assert ran.code == 3 and first(ran)["counts"]["errors"] == 1 and "no output was recorded" in ran.err
    assert first(ran)["outcomes"] == {"choice": 2, "none": 2}


def test_what_pandas_leaves_where_nothing_was_recorded_is_no_answer_and_no_error(benchctl, tmp_path):
    nothing = float("nan")
    rows = [
        {"output": nothing},
        {"output": "", "error": nothing},
        *({"output": "B", "error": nothing} for _ in range(3)),
    ]
    file = write(tmp_path / "a.jsonl", [{"id": i, **row} for i, row in zip(builtin_ids(5), rows, strict=True)])
    ran = run(benchctl, f"replay:{file}")
    assert ran.code == 3 and "no output was recorded" in ran.err and first(ran)["counts"]["errors"] == 1
    assert first(ran)["outcomes"] == {"choice": 3, "none": 1}


def test_an_error_that_was_recorded_instead_of_an_answer_is_no_answer(benchctl, tmp_path):
    sent = {"error": {"message": "Rate limit reached", "type": "requests", "code": None}}
    rows = [
        {"output": sent},
        {"output": json.dumps(sent)},
        {"output": "", "error": "timeout after 60 s"},
        {"output": "Alternativa B.", "error": None},
        {"output": '{"answer": "B", "error": "none found"}', "error": ""},
    ]
    file = write(tmp_path / "a.jsonl", [{"id": i, **row} for i, row in zip(builtin_ids(5), rows, strict=True)])
    ran = run(benchctl, f"replay:{file}")
    assert ran.code == 3 and first(ran)["outcomes"] == {"choice": 2}
    record = json.loads((Path(first(ran)["path"]) / "run.json").read_text())
    told = [error["reason"].partition("but an error: ")[2] for error in record["errors"]]
    assert told == ["Rate limit reached", "Rate limit reached", "timeout after 60 s"]


def test_many_answers_that_name_no_option_are_told_beside_the_accuracy_that_they_lower(benchctl, tmp_path):
    def told(unread: int) -> str:
        rows = [{"id": key, "output": "Não sei." if i < unread else "A"} for i, key in enumerate(builtin_ids(5))]
        return str(run(benchctl, f"replay:{write(tmp_path / f'{unread}.jsonl', rows)}").err)

    assert "warning" not in told(1)
    assert "2 of 5 answers name no option and count as wrong: 'benchctl show" in told(2)
    assert "--extract-with MODEL' has them read" in told(3)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.jsonl.gz"])
def test_columns_can_be_named_and_files_packed(benchctl, tmp_path, name):
    rows = [{"pergunta": key, "saída": "Alternativa A", "outra": 1} for key in builtin_ids(5)]
    file = write(tmp_path / name, rows)
    ran = run(benchctl, f"replay:{file},id=pergunta,output=saída,name=gpt-de-ontem")
    assert ran.code == 0 and "medqa-pt · gpt-de-ontem" in ran.err
    refused = run(benchctl, f"replay:{file}")
    assert refused.code == 1 and "no column 'id'" in refused.err and "outra, pergunta, saída" in refused.err


def test_answers_in_lists_of_lists_as_lm_eval_writes_them_are_the_texts_themselves(benchctl, tmp_path):
    ids = builtin_ids(5)
    flat = write(tmp_path / "flat.jsonl", [{"id": i, "output": "Alternativa B."} for i in ids])
    nested = write(tmp_path / "nested.jsonl", [{"doc_id": i, "resps": [["Alternativa B.", "A"]]} for i in ids])
    same, other = (run(benchctl, f"replay:{m}") for m in (f"{flat},name=a", f"{nested},id=doc_id,output=resps,name=a"))
    texts = [(Path(first(ran)["path"]) / "samples.jsonl").read_text("utf-8") for ran in (same, other)]
    assert '"text": "Alternativa B."' in texts[1]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "recorded",
    [
        [{"role": "user", "content": "Qual? A) x B) y"}, {"role": "assistant", "content": "Alternativa B."}],
        [{"generated_text": "Alternativa B."}],
        {"generated_text": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "Alternativa B."}]},
        {"finish_reason": "stop", "message": {"role": "assistant", "content": "Alternativa B."}},
    ],
)
def test_of_a_conversation_or_a_pipelines_object_the_answer_is_the_text(benchctl, tmp_path, recorded):
    file = write(tmp_path / "a.jsonl", [{"id": i, "output": recorded} for i in builtin_ids(5)])
    ran = run(benchctl, f"replay:{file}")
    assert '"text": "Alternativa B."' in (Path(first(ran)["path"]) / "samples.jsonl").read_text("utf-8")


def test_ids_that_count_the_rows_from_1_are_refused_not_taken_for_the_next_question(benchctl, tmp_path, medqa):
    questions = [{**row, "id": str(i)} for i, row in enumerate(medqa[:6])]
    data = write(tmp_path / "prova.csv", [{k: v for k, v in row.items() if k != "id"} for row in questions])
    late = write(tmp_path / "um.csv", [{"id": int(q["id"]) + 1, "output": q["output"]} for q in questions])
    refused = run(benchctl, f"replay:{late}", data=data, limit=6)
    assert refused.code == 1 and "from 1" in refused.err and "Take 1" in refused.err
    rest = write(tmp_path / "resto.csv", [{"id": q["id"], "output": q["output"]} for q in questions[1:]])
    assert first(run(benchctl, f"replay:{rest}", data=data, limit=6))["counts"]["errors"] == 1


def test_scored_by_letter_the_record_says_that_the_choice_was_read_from_a_text(benchctl, tmp_path):
    rows = [{"id": key, "output": "A resposta é D."} for key in builtin_ids(5)]
    file = write(tmp_path / "a.jsonl", rows)
    ran = run(benchctl, f"replay:{file}", "--scoring", "letter")
    assert first(ran)["outcomes"] == {"choice": 5}
    manifest = json.loads((Path(first(ran)["path"]) / "run.json").read_text())
    assert manifest["model"]["choose_by"] == {"recorded text": 5}
    refused = run(benchctl, f"replay:{file}", "--scoring", "option")
    assert refused.code == 1 and "cannot be weighed" in refused.err
    refused = run(benchctl, f"replay:{file}", "--scoring", "perplexity")
    assert refused.code == 1 and "cannot 'perplexity'" in refused.err


def test_the_same_answers_are_the_same_run_wherever_the_file_lies_and_others_are_another(benchctl, tmp_path):
    rows = [{"id": key, "output": "A"} for key in builtin_ids(5)]

    def fingerprint(file: Path) -> str:
        return Replay(parse_spec(f"replay:{file}")[1]).fingerprint()

    (tmp_path / "x").mkdir()
    one = fingerprint(write(tmp_path / "a.csv", rows))
    assert one == fingerprint(write(tmp_path / "x" / "b.jsonl", list(reversed(rows))))
    rows[0]["output"] = "B"
    assert one != fingerprint(write(tmp_path / "c.csv", rows))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,output\n,A\n", "row 1 (line 2): no id"),
        ("", "holds no rows"),
        ('id,output\n1,"A\n', "line"),
    ],
)
def test_a_broken_file_is_said_in_two_lines(benchctl, tmp_path, content, said):
    (tmp_path / "a.csv").write_text(content)
    ran = run(benchctl, f"replay:{tmp_path / 'a.csv'}")
    assert ran.code == 1 and said in ran.err and "Traceback" not in ran.err


def test_a_file_that_is_not_there_or_torn_is_said_plainly(benchctl, tmp_path):
    assert "There is no data file" in run(benchctl, f"replay:{tmp_path / 'none.csv'}").err
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1, "output": "A"}\n' * 99)[:-20])
    assert "not a whole gzip file" in run(benchctl, f"replay:{tmp_path / 'a.jsonl.gz'}").err


@pytest.mark.slow
def test_the_recorded_outputs_of_a_source_study_can_be_replayed(shared, teste, tmp_path, benchctl):
    """GPT-4's answers to MedQA's English questions, by the ids that say which Portuguese row each belongs to."""
    with (teste.parent / "drbyte_ptbr_teste.alignment.csv").open(encoding="utf-8", newline="") as file:
        english = {(r["dataset"], r["english_id"]): r["row"] for r in csv.DictReader(file)}
    source = shared / "data/recorded_outputs/medqa.cot.gpt-4-32k.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(source.read_bytes()).decode().splitlines()]
    mapped = [{"id": english["MedQA (USMLE)", r["id"]], "outputs": r["outputs"]} for r in rows]
    ran = run(benchctl, f"replay:{write(tmp_path / 'gpt-4.jsonl.gz', mapped)}", data=teste, limit=100_000)
    assert ran.code == 0 and first(ran)["counts"]["answered"] == 1273
    assert first(ran)["metrics"]["accuracy"]["value"] == pytest.approx(0.8397, abs=0.015), "as the study published"
