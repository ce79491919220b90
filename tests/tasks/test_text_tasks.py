"""Tasks with free answers and with texts: their originals, their shipped samples, and runs of them."""

import json

import pytest

from benchctl.errors import BadData
from benchctl.plugins import get_plugins
from benchctl.task import Task

TEXT = ["long-answer-pt", "liveqa-en", "medicationqa-en", "tweetsumm", "canarim-pt"]
ENGLISH = [name for name in get_plugins().offers("task") if name.endswith("-en")]


def task(name):
    return get_plugins().create("task", name)


def test_liveqa_reads_the_organisers_xml(shared):
    data = task("liveqa-en").load(str(shared / "data/liveqa_medical/TREC-2017-LiveQA-Medical-Test.xml"))
    assert len(data.samples) == 104
    first = data.samples[0]
    assert first.id == "TQ1" and first.question.startswith("Noonan syndrome\nWhat are the references")
    assert all(sample.target and "\t" not in sample.question + sample.target for sample in data.samples)


def test_medicationqa_clusters_questions_asked_twice(shared):
    data = task("medicationqa-en").load(str(shared / "data/medicationqa"))
    assert len(data.samples) == 690
    assert len({sample.cluster for sample in data.samples}) == 651


def test_tweetsumm_takes_the_test_split_and_examples_from_the_training_split(shared):
    data = task("tweetsumm").load(str(shared / "data"))
    assert len(data.samples) == 110
    assert all(sample.context.startswith(("Customer:", "Agent:")) for sample in data.samples)
    assert len(task("tweetsumm").shots(str(shared / "data"))) == 879


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY e "x">]><a><NLM-QUESTION qid="1">&e;</NLM-QUESTION></a>',
        '<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
    ],
)
def test_xml_with_a_document_type_is_refused(tmp_path, document):
    (tmp_path / "evil.xml").write_text(document)
    with pytest.raises(BadData, match="declares a document type"):
        task("liveqa-en").load(str(tmp_path / "evil.xml"))


def test_broken_xml_is_named_with_its_line(tmp_path):
    (tmp_path / "torn.xml").write_text("<a>\n<b>\n</a>")
    with pytest.raises(BadData, match="line 3: not XML"):
        task("liveqa-en").load(str(tmp_path / "torn.xml"))


@pytest.mark.parametrize("cell", ["__import__('os').getcwd()", "['a'", "[1, 2]", "[]", "text", "(" * 500])
def test_a_cell_of_summaries_is_read_and_never_run(tmp_path, cell):
    import csv

    with (tmp_path / "dialogs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["data_split", "dialog_id", "text", "abstractive_summaries"])
        writer.writerow(["test", "1", "Customer: Hi", cell])
    with pytest.raises(BadData, match="holds no list of texts"):
        task("tweetsumm").load(str(tmp_path / "dialogs.csv"))


def test_local_copies_of_hub_tables_are_read(tmp_path):
    tables = {
        "long-answer-pt": {"instruction": "O que é febre?", "output": "É o aumento da temperatura."},
        "canarim-pt": {"instruction": "Some.", "input": "1, 2", "output": "3"},
        "medtext": {"Prompt": "A case.", "Completion": "Its solution."},
    }
    for name, row in tables.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
        (sample,) = task(name).load(str(tmp_path / f"{name}.jsonl")).samples
        assert sample.id == "0"
    assert sample.question == "A case.\nIts solution."


@pytest.mark.parametrize("name", [*TEXT, "medtext", *ENGLISH])
def test_every_task_ships_a_sample_of_our_own(name):
    made = task(name)
    if not isinstance(made, Task):
        return
    samples = made.load("builtin").samples
    assert len(samples) >= 4
    assert all(sample.id.startswith(f"{name}-builtin-") for sample in samples)
    examples = made.shots("builtin")
    assert len({s.id for s in (*samples, *examples)}) == len(samples) + len(examples)
    assert not {(s.context, s.question) for s in samples} & {(s.context, s.question) for s in examples}
    if made.kind == "multiple_choice":
        assert all(sample.target in sample.choices for sample in (*samples, *examples))
        counts = [sum(s.target == label for s in samples) for label in samples[0].choices]
        assert max(counts) - min(counts) <= 1
    elif made.kind == "text":
        assert all(sample.target and not sample.choices for sample in (*samples, *examples))


@pytest.mark.parametrize("name", TEXT)
def test_the_reference_itself_scores_full_marks(benchctl, tmp_path, name):
    samples = task(name).load("builtin").samples
    rows = [{"id": sample.id, "output": sample.target} for sample in samples]
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ran = benchctl("run", "--task", name, "--data", "builtin", "--model", "replay:gold.jsonl", "--json")
    assert ran.code == 0, ran.err
    metrics = json.loads(ran.out)[0]["metrics"]
    assert metrics["rougeL"]["value"] == metrics["token_f1"]["value"] == 1
    assert metrics["chrf"]["value"] == pytest.approx(100)
    assert metrics["degenerate"]["value"] == 0


def test_prompts_of_free_text_tasks_say_what_is_wanted():
    from benchctl.prompts import PromptBuilder

    made = task("long-answer-pt")
    prompt = PromptBuilder(made, "text").text(made.load("builtin").samples[0])
    assert prompt.startswith("Responda em português") and prompt.endswith("Resposta:")
    dialogue = task("tweetsumm").load("builtin").samples[0]
    prompt = PromptBuilder(task("tweetsumm"), "text").text(dialogue)
    assert prompt.index(dialogue.context) < prompt.index("Summarize this conversation") < prompt.index("Answer:")


def test_a_corpus_takes_no_wording_and_no_examples(benchctl, tmp_path):
    pytest.importorskip("transformers", reason="needs the extra 'hf'")
    (tmp_path / "p.j2").write_text("{{ question }}")
    for more in (("--prompt-template", "p.j2"), ("--shots", "2")):
        done = benchctl("run", "--task", "medtext", "--model", "tiny", "--data", "builtin", *more)
        assert done.code == 1
        assert "scored as they stand" in done.err and f"Leave out {more[0]}." in done.err


def test_a_corpus_run_reports_perplexity_of_the_whole(benchctl):
    pytest.importorskip("transformers", reason="needs the extra 'hf'")
    ran = benchctl("run", "--task", "medtext", "--data", "builtin", "--limit", 3, "--model", "tiny", "--json")
    assert ran.code == 0, ran.err
    metrics = json.loads(ran.out)[0]["metrics"]
    assert set(metrics) == {"perplexity", "bits_per_byte"}
    assert metrics["perplexity"]["low"] < metrics["perplexity"]["value"] < metrics["perplexity"]["high"]


def test_groups_of_english_tasks_have_the_members_of_the_portuguese_ones():
    for name in ("mmlu-medical", "multimedqa"):
        english, portuguese = task(f"{name}-en").members, task(f"{name}-pt").members
        assert [member.removesuffix("-en") for member in english] == [m.removesuffix("-pt") for m in portuguese]
