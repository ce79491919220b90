"""The English originals: read as their authors left them, with the ids of the recorded replies; and those replies."""

import gzip
import json
import re

import pytest

from benchctl.errors import BadData
from benchctl.plugins import get_plugins

SUBJECTS = {
    "anatomy": 135, "clinical-knowledge": 265, "college-biology": 144, "college-medicine": 173,
    "medical-genetics": 100, "professional-medicine": 272,
}  # fmt: skip
SIZES = {"medqa-en": 1273, "medmcqa-en": 4183, "pubmedqa-en": 500, **{f"mmlu-{s}-en": n for s, n in SUBJECTS.items()}}


def task(name):
    return get_plugins().create("task", name)


@pytest.fixture
def originals(shared):
    return shared / "data/english_originals"


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_each_set_is_found_in_the_folder_of_all_and_read_whole(originals, name, size):
    data = task(name).load(str(originals))
    assert len(data.samples) == size
    assert data.bad_rows == ()
    sample = data.samples[0]
    assert sample.target in sample.choices and task(name).language == "en"


def test_gold_letters_are_those_counted_in_the_data(originals):
    from collections import Counter

    assert Counter(s.target for s in task("medmcqa-en").load(str(originals)).samples) == {
        "A": 1348, "B": 1085, "C": 925, "D": 825,
    }  # fmt: skip
    assert Counter(s.target for s in task("medqa-en").load(str(originals)).samples) == {
        "A": 353, "B": 309, "C": 346, "D": 265,
    }  # fmt: skip


@pytest.mark.parametrize("family", ["medqa", "medmcqa", "pubmedqa", "mmlu"])
def test_ids_are_those_of_the_recorded_replies(originals, shared, family):
    names = [f"mmlu-{subject}-en" for subject in SUBJECTS] if family == "mmlu" else [f"{family}-en"]
    ids = {sample.id for name in names for sample in task(name).load(str(originals)).samples}
    with gzip.open(shared / f"data/recorded_outputs/{family}.cot.gpt-4-32k.jsonl.gz", "rt", encoding="utf-8") as file:
        assert ids == {json.loads(line)["id"] for line in file}


def test_cosmosqa_shares_narratives(shared):
    data = task("cosmosqa-en").load(str(shared / "data/cosmosqa/valid.csv"))
    assert len(data.samples) == 2985
    assert len({sample.cluster for sample in data.samples}) == len({sample.context for sample in data.samples}) < 2985


def test_examples_come_from_the_development_files(originals):
    examples = task("mmlu-anatomy-en").shots(str(originals))
    assert len(examples) == 5
    tested = {sample.question for sample in task("mmlu-anatomy-en").load(str(originals)).samples}
    assert not tested & {example.question for example in examples}


def test_rows_of_the_hub_and_of_the_authors_give_the_same_question(tmp_path):
    asked = {"id": "x", "question": "Q?", "opa": "a", "opb": "b", "opc": "c", "opd": "d"}
    files = {}
    for name, labels in {"hub": (0, 2), "authors": (4, 3)}.items():
        rows = [{**asked, "id": str(n), "cop": cop} for n, cop in enumerate(labels)]
        files[name] = tmp_path / f"{name}.jsonl"
        files[name].write_text("\n".join(map(json.dumps, rows)))
    read = {name: [s.target for s in task("medmcqa-en").load(str(path)).samples] for name, path in files.items()}
    assert read == {"hub": ["A", "C"], "authors": ["D", "C"]}


def test_where_options_cannot_be_told_to_count_from_0_or_1_nothing_is_guessed(tmp_path):
    row = {"id": "1", "question": "Q?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 2}
    (tmp_path / "few.jsonl").write_text(json.dumps(row))
    with pytest.raises(BadData, match="whether options are counted from 0 or from 1"):
        task("medmcqa-en").load(str(tmp_path / "few.jsonl"))


@pytest.mark.parametrize("lost", [None, "", "5", "E"])
def test_a_row_without_its_number_does_not_shift_those_of_the_others(tmp_path, lost):
    row = {"question": "Q?", "opa": "a", "opb": "b", "opc": "c", "opd": "d"}
    rows = [{**row, "id": str(n), "cop": cop} for n, cop in enumerate([1, 2, lost, 3, 4])]
    for name in ("dev.json", "train.json"):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    read = task("medmcqa-en").load(str(tmp_path), skip_bad_rows=True)
    assert [s.target for s in read.samples] == ["A", "B", "C", "D"]
    assert len(read.bad_rows) == 1 and read.bad_rows[0].startswith("row 3 (line 3): the label")
    assert [s.target for s in task("medmcqa-en").shots(str(tmp_path))] == ["A", "B", "C", "D"]


def test_labels_that_count_from_1_are_not_read_as_counting_from_0(tmp_path):
    rows = {
        "medqa-en": lambda n: {"options": dict(zip("ABCD", "abcd", strict=True)), "answer_idx": n},
        "cosmosqa-en": lambda n: {"id": str(n), "context": "C", **{f"answer{i}": "abcd"[i] for i in range(4)}, "label": n},
        "mmlu-anatomy-en": lambda n: {"choices": list("abcd"), "answer": n},
    }  # fmt: skip
    for name, row in rows.items():
        for numbers in ([1, 2, 3, 4], [0, 1, 2, 3]):
            path = tmp_path / f"{name}-{numbers[0]}.jsonl"
            path.write_text("\n".join(json.dumps({"question": "Q?", **row(n)}) for n in numbers))
            read = task(name).load(str(path), skip_bad_rows=True)
            assert [s.target for s in read.samples] == ["A", "B", "C", "D"], (name, numbers)


def test_the_file_of_another_subject_is_refused(originals):
    with pytest.raises(BadData, match="holds anatomy, not medical_genetics"):
        task("mmlu-medical-genetics-en").load(str(originals / "mmlu/test/anatomy_test.csv"))


def test_a_folder_without_the_file_says_what_was_looked_for(tmp_path):
    with pytest.raises(BadData) as raised:
        task("medqa-en").load(str(tmp_path))
    assert "medqa/phrases_no_exclude_test.jsonl" in raised.value.hint


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question": "Q?", "options": "A", "answer_idx": "A"}, "'options' holds no object"),
        ({"question": "Q?", "options": {"A": "a", "B": "b", "C": "c"}, "answer_idx": "A"}, "3 options"),
        ({"question": " ", "options": dict(zip("ABCD", "abcd", strict=True)), "answer_idx": "A"}, "no question"),
        ({"question": "Q?", "options": dict(zip("ABCD", "abcd", strict=True)), "answer_idx": "E"}, "'E' is no choice"),
    ],
)
def test_an_unusable_row_is_named_with_its_place(tmp_path, row, reason):
    (tmp_path / "medqa.jsonl").write_text(json.dumps(row))
    with pytest.raises(BadData, match=re.escape(reason)) as raised:
        task("medqa-en").load(str(tmp_path / "medqa.jsonl"))
    assert "row 1 (line 1)" in raised.value.message


def test_a_headerless_csv_with_line_ends_of_windows_asks_the_same(tmp_path):
    (tmp_path / "anatomy_test.csv").write_bytes(b'"Q, two\r\nlines?",a,b,c,d,A\r\n')
    assert task("mmlu-anatomy-en").load(str(tmp_path)).samples[0].question == "Q, two\nlines?"


def test_a_short_line_of_a_headerless_csv_is_named(tmp_path):
    (tmp_path / "anatomy_test.csv").write_text('"Q, two\nlines?",a,b,c,d,A\nQ?,a,b,c,D\n')
    with pytest.raises(BadData, match=r"row 2 \(line 3\): 5 cells where 6 were expected"):
        task("mmlu-anatomy-en").load(str(tmp_path))


def test_rows_of_the_originals_that_cannot_be_read_are_left_out_like_any(tmp_path):
    (tmp_path / "anatomy_test.csv").write_text("Q1?,a,b,c,d,A\n\nQ2?,a,b,c,B\nQ3?,a,b,c,d,C\n\n")
    articles = {
        "11": {"QUESTION": "Q\ud83d?", "CONTEXTS": ["a"], "final_decision": "yes"},
        "12": {"QUESTION": "Q?", "CONTEXTS": ["a"]},
        "13": {"QUESTION": "Q?", "CONTEXTS": ["a"], "final_decision": "no"},
        "14": ["Q?"],
    }
    (tmp_path / "test_set.json").write_text(json.dumps(articles))

    anatomy = task("mmlu-anatomy-en").load(str(tmp_path), skip_bad_rows=True)
    assert [(s.id, s.target) for s in anatomy.samples] == [("anatomy-000", "A"), ("anatomy-002", "C")]
    assert anatomy.bad_rows == ("row 2 (line 3): 5 cells where 6 were expected",)
    pubmed = task("pubmedqa-en").load(str(tmp_path), skip_bad_rows=True)
    assert [s.id for s in pubmed.samples] == ["13"]
    assert pubmed.bad_rows == (
        "row 1: holds half of a character (\\ud83d)",
        "row 2: no column 'final_decision'",
        "row 4: '14' holds no object",
    )


def test_a_keyed_file_of_something_else_is_told_so_in_its_own_words(tmp_path):
    (tmp_path / "test_set.json").write_text(json.dumps({"11": {"title": "T"}, "12": {"title": "U"}}))
    with pytest.raises(BadData, match="no column 'QUESTION', 'CONTEXTS', 'final_decision'") as raised:
        task("pubmedqa-en").load(str(tmp_path))
    assert "found pubid, title" in raised.value.hint
    (tmp_path / "test_set.json").write_text("[" * 100_000)
    with pytest.raises(BadData, match="nested too deep"):
        task("pubmedqa-en").load(str(tmp_path))


# What the authors of the replies published (Xiong et al. 2024, Table 6), in percent; how many replies name an option.
REPLIES = {
    ("mmlu-medical-en", "gpt-4-32k"): 89.44,
    ("medqa-en", "gpt-4-32k"): 83.97,
    ("medmcqa-en", "gpt-4-32k"): 69.88,
    ("mmlu-medical-en", "gpt-35-turbo-16k"): 72.91,
    ("medqa-en", "gpt-35-turbo-16k"): 65.04,
    ("medmcqa-en", "gpt-35-turbo-16k"): 55.25,
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "model"), REPLIES)
def test_recorded_replies_give_the_published_accuracy_and_the_rest_is_counted(benchctl, shared, name, model):
    data = shared / "data"
    recorded = data / f"recorded_outputs/{name.split('-')[0]}.cot.{model}.jsonl.gz"
    ran = benchctl(
        "run", "--task", name, "--model", f"replay:{recorded}", "--data", data / "english_originals",
        "--scoring", "generate", "--metric", "accuracy_unread_first", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    results = json.loads(ran.out)
    result = next(r for r in results if r["task"] == name)
    published, n = REPLIES[name, model], result["n"]
    accuracy = 100 * result["metrics"]["accuracy"]["value"]
    as_published = 100 * result["metrics"]["accuracy_unread_first"]["value"]
    outcomes = result["outcomes"]
    unread = n - outcomes["choice"]
    # Counted as those authors count, with an unread reply as "A", it is their figure.
    assert as_published == pytest.approx(published, abs=0.3)
    # We never guess: the difference is no more than the replies that name no option, all of them counted.
    assert 0 <= as_published - accuracy <= 100 * unread / n
    assert sum(outcomes.values()) == n and unread / n < 0.08
    assert result["metrics"]["degenerate"]["value"] < 0.001
    with gzip.open(recorded, "rt", encoding="utf-8") as file:
        assert outcomes.get("none", 0) >= sum(json.loads(line)["outputs"] == [] for line in file)


@pytest.mark.slow
def test_empty_replies_are_none(benchctl, shared, tmp_path):
    data = shared / "data"
    recorded = data / "recorded_outputs/medqa.cot.gpt-35-turbo-16k.jsonl.gz"
    ran = benchctl(
        "run", "--task", "medqa-en", "--model", f"replay:{recorded}", "--data", data / "english_originals",
        "--scoring", "generate", "--json",
    )  # fmt: skip
    folder = tmp_path / json.loads(ran.out)[0]["path"]
    outcomes = {s["id"]: s["outcome"] for s in map(json.loads, (folder / "scores.jsonl").read_text().splitlines())}
    with gzip.open(recorded, "rt", encoding="utf-8") as file:
        empty = [row["id"] for row in map(json.loads, file) if not row["outputs"]]
    assert len(empty) == 6
    assert {outcomes[identity] for identity in empty} == {"none"}
