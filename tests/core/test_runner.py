"""A run asks every sample once, writes every answer down, and says what it could not get."""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from dataclasses import asdict, replace
from threading import Event, Thread

import numpy as np
import pytest
import torch

from benchctl import fingerprints
from benchctl.errors import BadConfig, PluginError, RecordError
from benchctl.journal import read_lines
from benchctl.metric import Metric
from benchctl.records import read_runs
from benchctl.runner import run
from benchctl.testing import ScriptedModel, prefers
from benchctl.types import ChoiceScore, Choose, Estimate, Perplexity, Response


def test_a_run_scores_every_sample(job, tmp_path):
    record, folder = run(job(ScriptedModel(prefers("A")), 20), tmp_path)
    assert record.status == "complete"
    assert record.estimates["accuracy"].value == 5 / 20
    assert record.counts["outcomes"] == {"choice": 20}
    assert [score.id for score in folder.scores()] == [str(i) for i in range(20)]
    assert {line["id"] for line in folder.answers()} == {str(i) for i in range(20)}


def test_answers_may_come_in_any_order(job, tmp_path):
    def shuffled(indices):
        return random.Random(3).sample(indices, len(indices))

    straight, _ = run(job(ScriptedModel(prefers("B"), "m")), tmp_path / "a")
    mixed, _ = run(job(ScriptedModel(prefers("B"), "m", shuffled)), tmp_path / "b")
    assert mixed.estimates == straight.estimates
    assert mixed.id == straight.id


def test_a_sample_of_several_requests_is_written_once_all_are_answered(job, tmp_path):
    def script(request, sample):
        wanted = request.text.endswith(sample.choices[sample.target])
        return Response(nats=-1.0 if wanted else -9.0, tokens=3, bytes=9)

    model = ScriptedModel(script, "p", lambda indices: sorted(indices, key=lambda i: (i % 4, i)))
    record, folder = run(job(model, 6, "perplexity"), tmp_path)
    assert record.estimates["accuracy"].value == 1.0
    assert all(len(line["responses"]) == 4 for line in folder.answers())


def test_a_finished_run_is_found_again_and_not_asked_again(job, tmp_path):
    first, _ = run(job(ScriptedModel(prefers("A"))), tmp_path)
    again = ScriptedModel(prefers("A"))
    second, _ = run(job(again), tmp_path)
    assert again.asked == []
    assert second == first


def test_failed_calls_are_errors_and_the_same_command_retries_only_those(job, tmp_path):
    def flaky(request, sample):
        return Response(error="server down") if int(sample.id) % 5 == 0 else prefers("A")(request, sample)

    record, folder = run(job(ScriptedModel(flaky)), tmp_path)
    assert (record.status, record.counts["errors"], record.counts["answered"]) == ("incomplete", 4, 16)
    assert record.estimates["accuracy"].n == 16, "an error is no wrong answer"
    assert record.errors[0] == {"id": "0", "reason": "server down"}

    healed = ScriptedModel(prefers("A"))
    record, folder = run(job(healed), tmp_path)
    assert sorted(healed.asked, key=int) == ["0", "5", "10", "15"]
    assert (record.status, record.counts["errors"]) == ("complete", 0)
    assert len(folder.answers()) == 20


def test_ctrl_c_keeps_what_is_answered_and_the_same_command_goes_on(job, tmp_path):
    def stops(request, sample):
        if sample.id == "7":
            raise KeyboardInterrupt
        return prefers("A")(request, sample)

    record, _ = run(job(ScriptedModel(stops)), tmp_path)
    assert (record.status, record.counts["answered"]) == ("interrupted", 7)
    rest = ScriptedModel(prefers("A"))
    record, folder = run(job(rest), tmp_path)
    assert rest.asked == [str(i) for i in range(7, 20)]
    assert record.status == "complete"
    assert record.timings["sittings"] == 2
    assert [line["id"] for line in folder.answers()] == [str(i) for i in range(20)]


def test_resumed_scores_are_byte_identical(job, tmp_path):
    undisturbed = run(job(ScriptedModel(prefers("C"))), tmp_path / "a")[1]

    def stops(request, sample):
        if sample.id == "11":
            raise KeyboardInterrupt
        return prefers("C")(request, sample)

    run(job(ScriptedModel(stops)), tmp_path / "b")
    resumed = run(job(ScriptedModel(prefers("C"))), tmp_path / "b")[1]
    assert (resumed.path / "scores.jsonl").read_bytes() == (undisturbed.path / "scores.jsonl").read_bytes()


def test_a_torn_last_line_is_dropped_and_its_sample_asked_again(job, tmp_path):
    _, folder = run(job(ScriptedModel(prefers("A"))), tmp_path)
    journal = folder.path / "samples.jsonl"
    journal.write_bytes(journal.read_bytes()[:-25])
    (folder.path / "run.json").unlink()
    again = ScriptedModel(prefers("A"))
    run(job(again), tmp_path)
    assert again.asked == ["19"]
    assert [line["id"] for line in read_lines(journal)] == [str(i) for i in range(20)]


def test_a_damaged_line_in_the_middle_is_said_with_its_place(job, tmp_path):
    _, folder = run(job(ScriptedModel(prefers("A"))), tmp_path)
    journal = folder.path / "samples.jsonl"
    lines = journal.read_bytes().split(b"\n")
    lines[3] = lines[3][:30]
    journal.write_bytes(b"\n".join(lines))
    (folder.path / "run.json").unlink()
    with pytest.raises(RecordError, match="line 4: damaged"):
        run(job(ScriptedModel(prefers("A"))), tmp_path)


def test_two_processes_cannot_write_one_run(job, tmp_path):
    made = job(ScriptedModel(prefers("A")))
    _, folder = run(made, tmp_path)
    with folder.lock(), pytest.raises(RecordError, match="in use"), type(folder)(folder.path).lock():
        pass


def test_whoever_looks_whether_a_run_is_alive_keeps_nobody_out(job, tmp_path):
    made = job(ScriptedModel(prefers("A")))
    _, folder = run(made, tmp_path)
    looking = Event()

    def look():
        with folder.lock():
            looking.set()
            time.sleep(0.1)

    thread = Thread(target=look)
    thread.start()
    looking.wait()
    record, _ = run(made, tmp_path)
    thread.join()
    assert record.status == "complete"


def test_a_run_that_ends_while_it_is_looked_at_was_not_killed(job, tmp_path, monkeypatch):
    record, folder = run(job(ScriptedModel(prefers("A"))), tmp_path)
    folder.save_record(replace(record, status="running"))
    assert folder.record().status == "interrupted"

    def ends(self):
        self.save_record(record)
        return False

    folder.save_record(replace(record, status="running"))
    monkeypatch.setattr(type(folder), "in_use", ends)
    assert folder.record().status == "complete"


@pytest.mark.parametrize(
    "change",
    [{"shots": 2}, {"limit": 10}, {"seed": 1, "shots": 2}, {"prompt_template": "{{ question }}"}, {"max_tokens": 9}],
)
def test_whatever_fixes_the_result_gives_the_run_another_id(job, change):
    from benchctl.records import run_id

    def identity(made):
        return run_id(made.spec, made.prints)

    model = ScriptedModel(prefers("A"))
    assert identity(job(model)) == identity(job(model))
    assert identity(job(model, **change)) != identity(job(model))
    assert identity(job(ScriptedModel(prefers("A"), "other"))) != identity(job(model))


EXAM = """id,contexto,pergunta,A,B,C,D,Label
1,Um caso.,Qual órgão produz a insulina?,fígado,pâncreas,baço,rim,B
2,Outro caso.,Qual vitamina falta no escorbuto?,A,B12,C,K,C
"""


def test_a_data_file_that_was_moved_or_is_given_by_another_path_is_the_same_run(benchctl, tmp_path):
    def asked(path):
        ran = benchctl("run", "--task", "cosmosqa-pt", "--model", "majority", "--data", path, "--json")
        return json.loads(ran.out)[0]["run"]

    (tmp_path / "prova.csv").write_text(EXAM, "utf-8")
    first = asked("prova.csv")
    assert asked("./prova.csv") == asked(tmp_path / "prova.csv") == first
    (tmp_path / "provas").mkdir()
    (tmp_path / "prova.csv").rename(tmp_path / "provas" / "2024.csv")
    assert asked("provas/2024.csv") == first
    (tmp_path / "provas" / "2024.csv").write_text(EXAM.replace("insulina", "bile"), "utf-8")
    assert asked("provas/2024.csv") != first


def test_a_run_that_an_earlier_version_named_with_the_path_of_its_data_is_found(job, tmp_path):
    from benchctl.fingerprints import digest
    from benchctl.records import run_folder

    made = job(ScriptedModel(prefers("A")))
    record, folder = run(made, tmp_path)
    then = {name: value for name, value in asdict(made.spec).items() if name != "repeats"}  # which came later
    named = digest({"spec": then, "fingerprints": made.prints})[:12]
    folder.path.rename(folder.path.with_name(named))
    run_folder(tmp_path, made.spec, named).save_record(replace(record, id=named))
    again = job(model := ScriptedModel(prefers("A")))
    assert run(again, tmp_path)[0].id == named and model.asked == []


def test_changed_data_under_the_same_name_is_another_run(job):
    model = ScriptedModel(prefers("A"))
    samples = job(model).samples
    changed = (replace(samples[0], target="D"), *samples[1:])
    assert job(model, tuple(changed)).prints["data"] != job(model, tuple(samples)).prints["data"]


def test_what_is_left_of_a_cache_of_hashes_is_no_reason_to_stop(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHCTL_CACHE", str(tmp_path))
    (tmp_path / "weights").write_bytes(b"abc")
    (tmp_path / "file-hashes.json").write_bytes(b'{"a": "\xff\xfe')
    assert fingerprints.file_digest(tmp_path / "weights") == hashlib.sha256(b"abc").hexdigest()


def test_a_model_that_answers_twice_is_named_as_the_culprit(job, tmp_path):
    model = ScriptedModel(prefers("A"), order=lambda indices: [0, 0])
    with pytest.raises(PluginError, match="answered request 0 twice"):
        run(job(model), tmp_path)


@pytest.mark.parametrize("scoring", ["letter", "option", "perplexity"])
@pytest.mark.parametrize("nats", [math.nan, -math.inf])
def test_likelihoods_that_are_no_numbers_are_errors_and_not_the_first_option(job, tmp_path, scoring, nats):
    def script(request, sample):
        if isinstance(request, Perplexity):
            return Response(nats=nats if sample.id in "13" else -1.0, tokens=1, bytes=1)
        return Response(tuple(ChoiceScore(nats if sample.id in "13" else -1.0, 1, 1) for _ in request.choices))

    record, folder = run(job(ScriptedModel(script), 4, scoring), tmp_path)
    assert (record.status, record.counts["answered"], record.counts["errors"]) == ("incomplete", 2, 2)
    assert {error["id"] for error in record.errors} == {"1", "3"}
    assert "no numbers" in record.errors[0]["reason"]
    assert [line["id"] for line in folder.answers()] == ["0", "2"]


def test_an_option_that_cannot_follow_is_no_error(job, tmp_path):
    def script(request, sample):
        return Response(tuple(ChoiceScore(-math.inf if i else -1.0, 1, 1) for i in range(len(request.choices))))

    record, _ = run(job(ScriptedModel(script), 4), tmp_path)
    assert (record.status, record.estimates["accuracy"].value) == ("complete", 0.25)


@pytest.mark.parametrize(
    ("response", "scoring", "says"),
    [
        (Response((ChoiceScore(-1.0, 1, 1),)), "letter", "scored 1 of the 4 choices"),
        (Response(), "letter", "without an answer"),
        (Response(), "generate", "without an answer"),
        (Response(text="A"), "perplexity", "without any nats"),
    ],
)
def test_a_response_to_another_question_is_a_defect_of_the_model(job, tmp_path, response, scoring, says):
    with pytest.raises(PluginError, match=says):
        run(job(ScriptedModel(lambda request, sample: response), 4, scoring), tmp_path)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda scored: 1 / 0, "Metric mine failed: ZeroDivisionError: division by zero"),
        (lambda scored: scored.nothing, "Metric mine failed: AttributeError"),
        (lambda scored: math.nan, "Metric mine gave nan for a sample"),
        (lambda scored: math.inf, "Metric mine gave inf for a sample"),
    ],
)
def test_a_defect_of_a_metric_is_told_by_its_name_and_costs_no_answer(job, tmp_path, value, says):
    class Mine(Metric):
        name = "mine"

        def value(self, scored):
            return value(scored)

    model = ScriptedModel(prefers("A"))
    with pytest.raises(PluginError, match=says):
        run(replace(job(model), metrics=[Mine()]), tmp_path)
    record, _ = run(job(model), tmp_path)
    assert record.status == "complete"
    assert len(model.asked) == record.counts["n"], "no question was asked twice"


def test_a_defect_of_a_model_is_told_by_its_name_and_costs_no_answer_given_before(job, tmp_path):
    def script(request, sample):
        return Response(text=["a"][int(sample.id == "3")])

    with pytest.raises(PluginError, match="Model scripted failed: IndexError: list index out of range"):
        run(job(ScriptedModel(script), 4, "generate"), tmp_path)
    mended = ScriptedModel(lambda request, sample: Response(text="a"))
    record, folder = run(job(mended, 4, "generate"), tmp_path)
    assert record.status == "complete"
    assert [line["id"] for line in folder.answers()] == ["0", "1", "2", "3"]
    assert len(mended.asked) == 1, "three were answered before"


def test_a_run_that_is_refused_before_its_first_answer_leaves_nothing_behind(job, tmp_path):
    class Refusing(ScriptedModel):
        def choose(self, requests):
            raise BadConfig("This cannot be asked so.", "Ask otherwise.")

    with pytest.raises(BadConfig):
        run(job(Refusing(prefers("A"))), tmp_path / "runs")
    assert not list((tmp_path / "runs").rglob("*"))


def test_a_run_that_is_refused_later_keeps_its_answers_and_its_record(job, tmp_path):
    class Refusing(ScriptedModel):
        def choose(self, requests):
            yield from ((index, answer) for index, answer in super().choose(requests[:2]))
            raise BadConfig("No more of this.", "Ask otherwise.")

    with pytest.raises(BadConfig):
        run(job(Refusing(prefers("A"), "m")), tmp_path)
    (stored,) = read_runs(tmp_path)
    with pytest.raises(BadConfig):  # again, and from the start: not the answers of before are at stake
        run(job(Refusing(prefers("A"), "m")), tmp_path)
    assert stored.record.counts["answered"] == 2 and (stored.path / "samples.jsonl").read_text().count("\n") == 4


def test_a_model_that_forgets_samples_leaves_the_run_incomplete(job, tmp_path):
    record, _ = run(job(ScriptedModel(prefers("A"), order=lambda indices: indices[:-3])), tmp_path)
    assert (record.status, record.counts["errors"]) == ("incomplete", 3)


def test_a_model_that_cannot_answer_the_kind_of_request_is_refused_before_it_is_asked(job):
    class OnlyWrites(ScriptedModel):
        capabilities = frozenset({"generate"})

    with pytest.raises(BadConfig, match="cannot 'choose'"):
        job(OnlyWrites(prefers("A")))


def test_cut_prompts_are_counted(job, tmp_path):
    def cuts(request: Choose, sample):
        return replace(prefers("A")(request, sample), cut=3 if sample.id in ("1", "2") else 0)

    assert run(job(ScriptedModel(cuts)), tmp_path)[0].counts["cut"] == 2


def test_the_manifest_says_what_the_number_rests_on(job, tmp_path):
    run(job(ScriptedModel(prefers("A")), limit=8, shots=1), tmp_path)
    (stored,) = read_runs(tmp_path)
    plain = json.loads((stored.path / "run.json").read_text())
    assert set(plain["fingerprints"]) == {"data", "model", "prompt"}
    assert plain["data"]["total"] == 20
    assert plain["counts"]["n"] == 8
    assert plain["versions"]["benchctl"]
    assert plain["hardware"]["cores"]
    assert stored.record.spec.shots == 1


@pytest.mark.parametrize("number", [np.float32, np.float64, lambda nats: torch.tensor(nats)])
def test_a_model_may_answer_in_the_numbers_of_its_library(job, tmp_path, number):
    def script(request, sample):
        whole = np.int64(1)
        return Response(
            [ChoiceScore(number(-1.5 if label == "B" else -2.5), whole, whole, np.bool_(True)) for label in "ABCD"],
            seconds=np.float32(0.5),
        )

    record, folder = run(job(ScriptedModel(script)), tmp_path)
    assert record.estimates["accuracy"].value == 5 / 20
    assert folder.answers()[0]["responses"][0]["choices"][1] == {"nats": -1.5, "tokens": 1, "bytes": 1, "greedy": True}


@pytest.mark.parametrize(
    ("answered", "scoring", "says"),
    [
        (Response((-1.0, -2.0, -3.0, -4.0)), "letter", "scored a choice with a float instead of a ChoiceScore"),
        (Response((ChoiceScore(None, 1, 1),) * 4), "letter", "answered request 0 with what is no number: TypeError"),
        (Response(nats="?", tokens=1), "perplexity", "answered request 0 with what is no number: ValueError"),
        (Response(text=5), "generate", "yielded a int as its text"),
        (Response(error=ValueError("x")), "letter", "yielded a ValueError as its error"),
        (Response(text="A", detail={"o": object()}), "generate", "The answer to '0' cannot be written down: TypeError"),
    ],
)
def test_an_answer_of_wrong_parts_is_a_defect_of_the_model(job, tmp_path, answered, scoring, says):
    with pytest.raises(PluginError, match=says):
        run(job(ScriptedModel(lambda request, sample: answered), 4, scoring), tmp_path)


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (Response(text="A"), "yielded a Response instead of"),
        (("0", Response(text="A")), "yielded '0' where the index"),
    ],
)
def test_answers_come_as_an_index_and_a_response(job, tmp_path, pair, says):
    class Mine(ScriptedModel):
        def generate(self, requests):
            yield pair

    with pytest.raises(PluginError, match=says):
        run(job(Mine(prefers("A")), 4, "generate"), tmp_path)


@pytest.mark.parametrize(
    ("method", "found", "says"),
    [
        ("fingerprint", lambda self: 1 / 0, "Model scripted cannot tell its fingerprint: ZeroDivisionError"),
        ("fingerprint", lambda self: None, "The fingerprint of the model 'scripted' is no text but None"),
        ("manifest", lambda self: 1 / 0, "Model scripted cannot tell its manifest: ZeroDivisionError"),
        ("manifest", lambda self: {"device": object()}, "Model scripted cannot tell its manifest: TypeError"),
        ("reads", lambda self, prompt: 1 / 0, "Model scripted cannot tell what it reads: ZeroDivisionError"),
    ],
)
def test_a_model_that_cannot_say_what_it_is_is_not_asked(job, tmp_path, method, found, says):
    model = type("Mine", (ScriptedModel,), {method: found})(prefers("A"))
    with pytest.raises(PluginError, match=says):
        run(job(model), tmp_path)
    assert model.asked == []
    assert read_runs(tmp_path) == []


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), torch.tensor(0.5)])
def test_a_metric_may_answer_in_the_numbers_of_its_library(job, tmp_path, value):
    class Mine(Metric):
        name = "mine"

        def value(self, scored):
            return value

        def estimate(self, scored):
            return Estimate(value, np.int64(len(scored)), value, value, value, "mine")

    record, folder = run(replace(job(ScriptedModel(prefers("A"))), metrics=[Mine()]), tmp_path)
    assert folder.scores()[0].values == {"mine": 0.5}
    assert folder.record() == record
    assert record.estimates["mine"] == Estimate(0.5, 20, 0.5, 0.5, 0.5, "mine")


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"estimate": lambda self, scored: 0.5}, "gave a float instead of an Estimate"),
        ({"signature": lambda self: 1 / 0}, "Metric mine cannot tell its signature: ZeroDivisionError"),
        ({"signature": lambda self: 2}, "signature of the metric mine is no text but 2"),
        ({"percent": True}, "gave 45.0 for a sample"),
    ],
)
def test_a_metric_that_breaks_its_contract_leaves_a_run_that_can_be_read(job, tmp_path, parts, says):
    broken = type("Mine", (Metric,), {"name": "mine", "value": lambda self, scored: 45.0, **parts})
    with pytest.raises(PluginError, match=says):
        run(replace(job(ScriptedModel(prefers("A"))), metrics=[broken()]), tmp_path)
    assert all(stored.record.status == "interrupted" for stored in read_runs(tmp_path))
