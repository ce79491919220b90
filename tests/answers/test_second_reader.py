"""A model as second reader: asked only for what the rules leave unread, held to options and outcomes, kept, marked."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchctl.cli.extract import extract
from benchctl.errors import BadConfig
from benchctl.model import Model
from benchctl.records import RunFolder
from benchctl.rescoring import rescored
from benchctl.second_reader import ADDED, Unread, read_with, told
from benchctl.testing import ScriptedModel
from benchctl.types import ChoiceScore, Choose, Generate, Response, Sample
from tests.scripted_runs import run

SAMPLE = Sample("s1", "Que nervo inerva o diafragma?", choices={"A": "Nervo vago", "B": "Nervo frênico"})
UNREAD = [Unread(SAMPLE, "Aquele que sai de C3 a C5.")]


class Generating(ScriptedModel):
    """A backend without log-likelihoods."""

    capabilities = frozenset({"generate"})


def says(text):
    return Generating(lambda request, sample: Response(text=text, finish_reason="stop"), "reader")


def likes(code):
    def script(request, sample):
        assert isinstance(request, Choose)
        scores = (ChoiceScore(-0.1 if c.strip() == code else -3.0, 1, 1) for c in request.choices)
        return Response(tuple(scores))

    return ScriptedModel(script, "reader")


def test_the_likeliest_code_is_the_reading_marked_with_the_models_name():
    said = read_with(likes("2"), UNREAD)
    assert said.answers["s1"].label == "B"
    assert said.answers["s1"].outcome == "choice"
    assert said.answers["s1"].explanation == "model reader: 2"


def test_the_prompt_asks_what_the_answer_says_and_never_what_is_right():
    asked = []
    model = likes("1")
    script = model.script
    model.script = lambda request, sample: asked.append(request) or script(request, sample)
    read_with(model, UNREAD)
    prompt = asked[0].prompt
    assert "Não diga qual opção está certa" in prompt
    assert "Aquele que sai de C3 a C5." in prompt
    assert [c.strip() for c in asked[0].choices] == ["1", "2", "3", "4", "5", "6"]  # two options, four outcomes


def test_the_reader_is_not_shown_the_thinking_before_an_answer():
    asked = []
    model = likes("1")
    script = model.script
    model.script = lambda request, sample: asked.append(request) or script(request, sample)
    read_with(model, [Unread(SAMPLE, "<think>\nO vago não é.\n</think>\n\nAquele que sai de C3 a C5.")])
    assert "Aquele que sai de C3 a C5." in asked[0].prompt
    assert "O vago não é." not in asked[0].prompt


@pytest.mark.parametrize("text", ["", " \n", "<think>\nSerá a B? Ou a A, que"], ids=["empty", "blank", "cut off"])
def test_an_answer_that_says_nothing_is_not_put_to_the_reader(text):
    reading = read_with(says("2"), [Unread(SAMPLE, text)])
    assert (reading.put, reading.answers) == (0, {})


@pytest.mark.parametrize(("style", "space"), [("text", " "), ("chat", "")])
def test_a_space_stands_before_the_codes_as_in_a_run_but_not_behind_a_chat_template(style, space):
    asked = []
    model = likes("1")
    script = model.script
    model.prompt_style, model.script = style, lambda request, sample: asked.append(request) or script(request, sample)
    read_with(model, UNREAD)
    assert asked[0].choices == tuple(f"{space}{code}" for code in range(1, 7))


@pytest.mark.parametrize(
    ("text", "outcome", "label"),
    [
        ("2", "choice", "B"),
        ('{"codigo": "1"}', "choice", "A"),
        ('Claro: {"codigo": 3}', "invented", None),
        ("4", "multiple", None),
        ("5", "refusal", None),
        ("6", "none", None),
    ],
)
def test_a_model_that_only_generates_names_a_code(text, outcome, label):
    answer = read_with(says(text), UNREAD).answers["s1"]
    assert (answer.outcome, answer.label) == (outcome, label)


@pytest.mark.parametrize("text", ["B", "A resposta é 2", "9", "{}", '{"codigo": ', ""])
def test_a_reply_that_is_no_code_leaves_the_answer_unread(text):
    said = read_with(says(text), UNREAD)
    assert said.answers == {}
    assert said.unreadable == 1
    assert "1 unreadable" in told(said.facts)


def test_a_failed_call_is_counted_and_asked_again_next_time(tmp_path):
    failing = Generating(lambda request, sample: Response(error="timeout"), "reader")
    assert read_with(failing, UNREAD, tmp_path / "extracted.jsonl").failed == 1
    assert read_with(says("2"), UNREAD, tmp_path / "extracted.jsonl").answers["s1"].label == "B"


def test_what_was_said_is_kept_and_another_model_starts_afresh(tmp_path):
    journal = tmp_path / "extracted.jsonl"
    assert read_with(likes("2"), UNREAD, journal).asked == 1
    again = read_with(likes("1"), UNREAD, journal)  # the same name is the same fingerprint: nothing is asked
    assert (again.asked, again.answers["s1"].label) == (0, "B")
    other = ScriptedModel(likes("1").script, "other")
    assert read_with(other, UNREAD, journal).answers["s1"].label == "A"
    other_text = [Unread(SAMPLE, "O que sai de C3.")]
    assert read_with(likes("1"), other_text, journal).asked == 1, "another text is another question"


def test_a_model_that_can_do_neither_is_refused():
    with pytest.raises(BadConfig, match="neither choose nor generate"):
        read_with(Model(), UNREAD)


def vague(request, sample):
    assert isinstance(request, Generate)
    first = next(iter(sample.choices))
    return Response(text=f"Alternativa {first}" if sample.id.endswith("1") else "Hum, veja bem.", finish_reason="stop")


def test_rescoring_puts_only_the_unread_answers_to_the_model_and_says_so_in_the_record(tmp_path):
    stored = run(tmp_path, "medqa-pt", "vague", vague, scoring="generate")
    before = stored.record.counts["outcomes"]
    reader = likes("2")
    record = rescored(stored, reader=reader)
    assert len(reader.asked) == before["none"]
    assert record.counts["outcomes"] == {"choice": sum(before.values())}
    assert record.added[ADDED]["read"] == before["none"]
    assert record.added[ADDED]["fingerprint"] == reader.fingerprint()
    marked = [s for s in RunFolder(stored.path).scores() if s.explanation.startswith("model reader")]
    assert len(marked) == before["none"]


def test_a_reader_that_cannot_be_reached_is_told_with_why_and_what_to_do(benchctl, tmp_path):
    pytest.importorskip("openai", reason="needs the extra 'openai'")
    stored = run(tmp_path / "runs", "medqa-pt", "vague", vague, scoring="generate")
    unread, nobody = stored.record.counts["outcomes"]["none"], "http://127.0.0.1:9/v1"
    done = benchctl("rescore", stored.path, "--extract-with", f"openai:gpt,base_url={nobody},retries=1,patience=1")
    assert done.code == 3
    assert f"0 read by it ({unread} failed, e.g. no connection" in done.err and "the same command asks" in done.err
    assert benchctl("rescore", stored.path).code == 0


def test_rescoring_without_it_is_by_the_rules_alone_again(tmp_path):
    stored = run(tmp_path, "medqa-pt", "vague", vague, scoring="generate")
    rescored(stored, reader=likes("2"))
    record = rescored(stored)
    assert record.counts["outcomes"] == stored.record.counts["outcomes"]
    assert ADDED not in record.added


def test_a_metric_added_by_running_again_leaves_what_the_model_has_read(benchctl, tmp_path):
    (tmp_path / "said.jsonl").write_text(
        "".join(f'{{"id": "medmcqa-pt-builtin-{i:03}", "output": "Hum, veja bem."}}\n' for i in range(1, 25)), "utf-8"
    )
    again = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--scoring", "generate", "--json",
             "--model", "replay:said.jsonl")  # fmt: skip
    run_id = json.loads(benchctl(*again).out)[0]["run"]
    read = json.loads(benchctl("rescore", run_id, "--extract-with", "random", "--json").out)[0]
    assert read["outcomes"].get("choice", 0) > 0
    found = json.loads(benchctl(*again, "--metric", "longest_loop").out)[0]
    assert found["metrics"].pop("longest_loop")["n"] == 24
    assert (found["metrics"], found["outcomes"]) == (read["metrics"], read["outcomes"])
    record = json.loads((tmp_path / found["path"] / "run.json").read_text("utf-8"))
    assert record["added"][ADDED]["model"] == "random"


def test_a_figure_of_sums_is_compared_as_the_model_read_the_answers(tmp_path, benchctl):
    runs = []
    for name, text in (("vague", "Hum, veja bem."), ("a", "Letra A.")):
        lines = [{"id": f"medmcqa-pt-builtin-{i:03}", "output": text} for i in range(1, 25)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        ran = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--scoring", "generate", "--json",
                       "--model", f"replay:{name}.jsonl", "--metric", "macro_f1")  # fmt: skip
        runs.append(json.loads(ran.out)[0]["run"])
    read = json.loads(benchctl("rescore", runs[0], "--extract-with", "random", "--json").out)[0]["metrics"]
    found = json.loads(benchctl("compare", *runs, "--json").out)["tasks"][0]["metrics"]
    assert found["macro_f1"]["first"] == pytest.approx(read["macro_f1"]["value"]) and read["macro_f1"]["value"] > 0


def test_a_run_by_letter_has_nothing_to_read(tmp_path):
    def first(request, sample):
        return Response(tuple(ChoiceScore(-1.0, 1, 1) for _ in sample.choices))

    stored = run(tmp_path, "medqa-pt", "letters", first, scoring="letter")
    with pytest.raises(BadConfig, match="free answers"):
        rescored(stored, reader=likes("1"))


def test_extract_marks_what_a_model_has_read(tmp_path):
    row = {
        "id": "x",
        "question": SAMPLE.question,
        "options": dict(SAMPLE.choices),
        "output": "Hum, veja bem.",
        "label": "NONE",
    }
    file = tmp_path / "e.jsonl"
    file.write_text("\n".join(json.dumps(r) for r in (row, row | {"output": "Letra B", "label": "B"})), "utf-8")
    shown = CliRunner().invoke(extract, [str(file), "--extract-with", "random", "--json"], catch_exceptions=False)
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [line["rule"] == "model" for line in lines] == [True, False]
    assert "1 answers the rules could not read were put to" in shown.stderr
