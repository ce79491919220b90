"""``benchctl export``: tasks that lm-eval runs with the same prompts, runs in lm-eval's layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchctl.matrix import Matrix
from benchctl.scoring import get_scoring
from benchctl.types import Response
from tests.scripted_runs import run as scripted

from .conftest import evaluate

pytest.importorskip("lm_eval", reason="needs the extra 'lm-eval'")

TEN = (
    "medmcqa-pt", "medqa-pt", "pubmedqa-pt", "cosmosqa-pt", "mmlu-anatomy-pt", "mmlu-clinical-knowledge-pt",
    "mmlu-college-biology-pt", "mmlu-college-medicine-pt", "mmlu-medical-genetics-pt", "mmlu-professional-medicine-pt",
)  # fmt: skip


@pytest.fixture
def dummy():
    from lm_eval.models.dummy import DummyLM

    return DummyLM()


def export(benchctl, *arguments):
    done = benchctl("export", "task", *arguments, "--format", "lm-eval", "--out", "exported")
    assert done.code == 0, done.err
    return [Path(line) for line in done.out.split()]


def asked_here(task, scoring, shots, data="builtin"):
    options = {"data": str(data), "scoring": scoring, "shots": shots, "seed": 0, "limit": None, "skip_bad_rows": False}
    matrix = Matrix.parse([task], [], Path("runs"), options)
    member = matrix.members[task]
    samples = member.load(str(data)).samples
    requests = get_scoring(member, scoring, 1).ask(matrix.spec(member, "m"), member, samples, False)
    return [[(r.prompt, c) for c in r.choices] for (r,) in requests.values()]


@pytest.mark.parametrize("task", TEN)
@pytest.mark.parametrize(("scoring", "shots"), [("letter", 0), ("option", 3)])
def test_lm_eval_asks_word_for_word_the_same(task, scoring, shots, benchctl, dummy, tmp_path):
    export(benchctl, task, "--data", "builtin", "--scoring", scoring, "--shots", shots)
    _, samples = evaluate(dummy, tmp_path / "exported", task)
    assert [[tuple(a) for a in one["arguments"]] for one in samples[task]] == asked_here(task, scoring, shots)


@pytest.mark.parametrize("scoring", ["letter", "option"])
def test_stray_spaces_in_the_data_make_no_difference(scoring, benchctl, dummy, tmp_path):
    row = {"dataset": "MedMCQA", "instruction": " Qual?\n", "input": "", "output": "A "}
    row |= {
        f"alternative_{x}": text for x, text in zip("abcd", (" um", "dois ", "três\u2028", "\tquatro"), strict=True)
    }
    data = tmp_path / "d.json"
    data.write_text(json.dumps([row]), "utf-8")
    export(benchctl, "medmcqa-pt", "--data", data, "--scoring", scoring)
    _, samples = evaluate(dummy, tmp_path / "exported", "medmcqa-pt")
    assert [[tuple(a) for a in one["arguments"]] for one in samples["medmcqa-pt"]] == asked_here(
        "medmcqa-pt", scoring, 0, data
    )


def test_the_folder_works_wherever_it_is_moved_and_names_no_place(benchctl, dummy, tmp_path):
    files = export(benchctl, "medqa-pt", "--data", "builtin", "--shots", 1, "--limit", 4)
    assert not any(str(tmp_path) in file.read_text("utf-8") for file in files)
    moved = shutil.move("exported", tmp_path / "elsewhere")
    figures, samples = evaluate(dummy, moved, "medqa-pt")
    assert set(figures["medqa-pt"]) == {"acc"}
    assert len(samples["medqa-pt"]) == 4


def test_a_drawn_subset_is_the_one_a_run_draws(benchctl, dummy, tmp_path):
    export(benchctl, "medqa-pt", "--data", "builtin", "--sample", 5)
    done = benchctl("run", "--task", "medqa-pt", "--data", "builtin", "--sample", 5, "--model", "majority", "--json")
    run = Path(json.loads(done.out)[0]["path"])
    ids = [json.loads(line)["id"] for line in (run / "samples.jsonl").read_text("utf-8").splitlines()]
    assert [json.loads(x)["id"] for x in Path("exported/medqa-pt.jsonl").read_text("utf-8").splitlines()] == ids


def test_rows_left_out_of_an_export_are_told(benchctl, tmp_path):
    row = {"dataset": "MedMCQA", "instruction": "Qual?", "input": "", "output": "A"}
    row |= {f"alternative_{x}": f"opção {x}" for x in "abcd"}
    data = tmp_path / "d.json"
    data.write_text(json.dumps([row, {**row, "output": "E"}]), "utf-8")
    files = ("--format", "lm-eval", "--out", "exported", "--data", str(data))
    done = benchctl("export", "task", "medmcqa-pt", *files, "--skip-bad-rows")
    assert "note: medmcqa-pt: 1 unusable rows left out, e.g. row 2: the label 'E'" in done.err


def test_a_group_is_exported_with_its_members(benchctl, dummy, tmp_path):
    export(benchctl, "mmlu-medical-pt", "--data", "builtin", "--scoring", "option", "--limit", 2)
    figures, samples = evaluate(dummy, tmp_path / "exported", "mmlu-medical-pt")
    assert len(samples) == 6
    assert set(figures["mmlu-medical-pt"]) == {"acc", "acc_norm", "acc_bytes"}


def test_a_prompt_template_is_exported_too(benchctl, dummy, tmp_path):
    Path("t.jinja").write_text("P: {{ question }}\n", "utf-8")
    export(
        benchctl, "medqa-pt", "--data", "builtin", "--scoring", "option", "--limit", 1, "--prompt-template", "t.jinja"
    )
    _, samples = evaluate(dummy, tmp_path / "exported", "medqa-pt")
    prompt, choice = samples["medqa-pt"][0]["arguments"][0]
    assert prompt.startswith("P: ")
    assert prompt.endswith("\n") is not choice.startswith(" ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["medqa-pt", "--scoring", "generate"], "cannot be given to lm-eval"),
        (["medqa", "--scoring", "letter"], "Did you mean medqa-pt"),
        (["medqa-pt", "--format", "yaml"], "yaml"),
    ],
)
def test_what_cannot_be_exported_is_said(arguments, said, benchctl):
    done = benchctl("export", "task", "--format", "lm-eval", "--out", "exported", "--data", "builtin", *arguments)
    assert done.code in (1, 2)
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.fixture
def ran(benchctl):
    def call(*arguments):
        done = benchctl("run", "--data", "builtin", "--limit", 5, "--json", *arguments)
        assert done.code == 0, done.err
        return json.loads(done.out)[0]

    return call


def exported_run(benchctl, run):
    done = benchctl("export", "run", run["run"], "--format", "lm-eval", "--out", "exported")
    assert done.code == 0, done.err
    results, samples = (Path(line) for line in done.out.split())
    return json.loads(results.read_text("utf-8")), samples, done.err


class TestARunInLmEvalsLayout:
    def test_results_have_lm_evals_keys_and_its_own_table_reads_them(self, benchctl, ran):
        from lm_eval.result_schema import EvalResults
        from lm_eval.utils import make_table

        run = ran("--task", "medmcqa-pt", "--model", "longest", "--scoring", "option", "--shots", 2)
        results, _, _ = exported_run(benchctl, run)
        assert set(results) <= set(EvalResults.__annotations__)
        assert results["results"]["medmcqa-pt"]["acc,none"] == run["metrics"]["accuracy"]["value"]
        assert results["n-shot"] == {"medmcqa-pt": 2}
        assert results["n-samples"]["medmcqa-pt"] == {"original": 24, "effective": 5}
        assert "|acc" in make_table(results)

    def test_files_lie_where_lm_eval_puts_them(self, benchctl, ran):
        from lm_eval.utils import get_file_datetime, get_results_filenames, get_sample_results_filenames

        _, samples, _ = exported_run(benchctl, ran("--task", "medmcqa-pt", "--model", "random"))
        names = [str(file) for file in samples.parent.iterdir()]
        assert len(get_results_filenames(names)) == len(get_sample_results_filenames(names)) == 1
        assert get_file_datetime(samples.name)[:2] == "20"

    def test_samples_have_the_columns_of_lm_evals_and_the_prompts(self, benchctl, ran):
        from lm_eval.result_schema import SampleResult

        _, samples, notes = exported_run(benchctl, ran("--task", "medmcqa-pt", "--model", "longest", "--shots", 1))
        lines = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
        assert len(lines) == 5
        assert "note: " not in notes
        assert set(SampleResult.__annotations__) <= set(lines[0])
        assert [one["doc_id"] for one in lines] == list(range(5))
        assert lines[0]["arguments"]["gen_args_1"]["arg_1"] == " B"
        assert lines[0]["arguments"]["gen_args_1"]["arg_0"].endswith("Resposta:")
        assert len(lines[0]["resps"]) == len(lines[0]["filtered_resps"]) == 4
        assert lines[0]["acc"] in (0.0, 1.0)

    def test_generated_answers_are_there_too(self, benchctl, ran):
        run = ran("--task", "medmcqa-pt", "--model", "longest", "--scoring", "generate")
        _, samples, _ = exported_run(benchctl, run)
        first = json.loads(samples.read_text("utf-8").splitlines()[0])
        assert first["arguments"]["gen_args_0"]["arg_1"]["max_gen_toks"] == 256
        assert isinstance(first["resps"][0][0], str)

    @pytest.mark.parametrize(
        ("option", "sampling"),
        [
            ("", {"do_sample": False, "temperature": 0.0}),
            (",temperature=0.7", {"do_sample": True, "temperature": 0.7}),
            (",temperature=0", {"do_sample": False, "temperature": 0.0}),
        ],
    )
    def test_the_temperature_of_the_answers_is_written_the_models_before_the_tasks(
        self, benchctl, ran, stories, option, sampling
    ):
        few = ("--limit", 1, "--max-tokens", 2, "--scoring", "generate")
        _, samples, _ = exported_run(benchctl, ran("--task", "medmcqa-pt", "--model", f"{stories}{option}", *few))
        asked = json.loads(samples.read_text("utf-8"))["arguments"]["gen_args_0"]["arg_1"]
        assert {name: asked[name] for name in sampling} == sampling

    def test_a_task_s_own_temperature_gives_way_to_the_model_s(self, benchctl, tasks, stories):
        fields = json.loads((tasks / "write.yaml").read_text("utf-8"))
        fields |= {"task": "drawn", "generation_kwargs": {"until": ["."], "do_sample": True, "temperature": 0.9}}
        (tasks / "drawn.yaml").write_text(json.dumps(fields), "utf-8")
        found = []
        for option in ("", ",temperature=0"):
            asked = ("--model", f"{stories}{option}", "--limit", 1, "--shots", 0, "--json")
            done = benchctl("run", "--task", f"lm-eval:drawn,include_path={tasks}", *asked)
            _, samples, _ = exported_run(benchctl, json.loads(done.out)[0])
            line = json.loads(samples.read_text("utf-8").splitlines()[0])
            found.append(line["arguments"]["gen_args_0"]["arg_1"])
        assert [(one["do_sample"], one["temperature"]) for one in found] == [(True, 0.9), (False, 0.0)]

    def test_a_temperature_that_only_the_server_knows_is_not_made_up(self, benchctl, tmp_path):
        told = {"temperature": "server's default"}
        stored = scripted(tmp_path / "runs", "medmcqa-pt", "served", lambda *_: Response(text="B"), told,
                          scoring="generate", limit=1, max_tokens=64)  # fmt: skip
        _, samples, _ = exported_run(benchctl, {"run": stored.record.id})
        asked = json.loads(samples.read_text("utf-8"))["arguments"]["gen_args_0"]["arg_1"]
        assert set(asked) == {"until", "max_gen_toks"}

    def test_prompts_that_cannot_be_built_again_are_left_out_and_it_is_said(self, benchctl, ran, tmp_path):
        rows = [{"dataset": "MedMCQA", "instruction": "q?", "input": "", "output": "A",
                 **{f"alternative_{x}": x for x in "abcd"}}]  # fmt: skip
        data = tmp_path / "d.json"
        data.write_text(json.dumps(rows), "utf-8")
        run = ran("--task", "medmcqa-pt", "--model", "random", "--data", data)
        data.unlink()
        _, samples, notes = exported_run(benchctl, run)
        assert "cannot be built again" in notes
        assert json.loads(samples.read_text("utf-8"))["arguments"] == {}

    def test_a_run_of_an_lm_eval_task_keeps_its_filters(self, benchctl, tasks):
        done = benchctl("run", "--task", f"lm-eval:write,include_path={tasks}", "--model", "lm-eval:dummy", "--json")
        results, samples, _ = exported_run(benchctl, json.loads(done.out)[0])
        assert {"exact_match,first", "exact_match,none"} <= set(results["results"]["write"]), "lm-eval's own name"
        assert samples.name.startswith("samples_write_")
        filters = [json.loads(line)["filter"] for line in samples.read_text("utf-8").splitlines()]
        assert sorted(set(filters)) == ["first", "none"]
        assert len(filters) == 12

    def test_answers_of_an_lm_eval_task_are_as_its_filters_left_them(self, benchctl, tasks, stories, harness_lm):
        fields = json.loads((tasks / "write.yaml").read_text("utf-8"))
        pattern = {"function": "regex", "regex_pattern": "([aeiou])"}
        kept = {"name": "vowel", "filter": [pattern, {"function": "majority_vote"}, {"function": "take_first"}]}
        fields |= {"task": "thrice", "repeats": 3, "filter_list": [kept], "metric_list": [{"metric": "exact_match"}]}
        (tasks / "thrice.yaml").write_text(json.dumps(fields), "utf-8")
        spec = f"lm-eval:thrice,include_path={tasks}"
        done = benchctl("run", "--task", spec, "--model", f"{stories},dtype=float32", "--json")
        _, samples, _ = exported_run(benchctl, json.loads(done.out)[0])
        ours = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
        _, theirs = evaluate(harness_lm, tasks, "thrice")
        for one, other in zip(ours, theirs["thrice"], strict=True):
            assert one["resps"] == other["resps"]
            assert one["filtered_resps"] == other["filtered_resps"]
            assert [one["arguments"]["gen_args_0"]["arg_0"]] == [a[0] for a in other["arguments"]]
            assert len(one["arguments"]) == 1

    def test_runs_that_ended_in_the_same_second_keep_files_of_their_own(self, benchctl, ran):
        runs = [ran("--task", "medmcqa-pt", "--model", "random", "--scoring", rule) for rule in ("letter", "generate")]
        for run in runs:
            record = Path(run["path"]) / "run.json"
            found = json.loads(record.read_text("utf-8"))
            found["timings"]["finished"] = "2026-11-21T18:58:48+00:00"
            record.write_text(json.dumps(found), "utf-8")
        files = {name for run in runs for name in benchctl(
            "export", "run", run["run"], "--format", "lm-eval", "--out", "exported").out.split()}  # fmt: skip
        assert len(files) == 4


@pytest.mark.parametrize("name", ["..", "../../fora", "/fora", "a\0b", "."])
def test_a_run_is_exported_into_the_folder_whatever_its_model_is_called(benchctl, tmp_path, name):
    asked = ("run", "--task", "cosmosqa-pt", "--model", "majority", "--data", "builtin", "--limit", 2, "--json")
    (result,) = json.loads(benchctl(*asked).out)
    file = Path(result["path"]) / "run.json"
    record = json.loads(file.read_text("utf-8"))
    record["model"]["name"] = name
    file.write_text(json.dumps(record), "utf-8")
    done = benchctl("export", "run", result["run"], "--format", "lm-eval", "--out", "exported")
    assert done.code == 0, done.err
    assert len(list(tmp_path.glob("exported/*/*.json*"))) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exported", "runs"]


def test_a_run_that_was_killed_before_it_was_scored_is_said_to_have_answers(benchctl):
    asked = ("run", "--task", "cosmosqa-pt", "--model", "majority", "--data", "builtin", "--limit", 2, "--json")
    (result,) = json.loads(benchctl(*asked).out)
    (Path(result["path"]) / "scores.jsonl").unlink()  # as a kill leaves it
    done = benchctl("export", "run", result["run"], "--format", "lm-eval", "--out", "exported")
    assert done.code == 1 and "before its 2 answers were scored" in done.err and "benchctl rescore" in done.err
