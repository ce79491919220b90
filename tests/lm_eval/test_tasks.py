"""lm-eval's tasks on benchctl's models: the figures are lm-eval's own."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from .conftest import STORIES, evaluate, rows, write_lines


@pytest.fixture
def run(benchctl, stories):
    def call(*arguments):
        done = benchctl("run", "--model", f"{stories},dtype=float32", "--json", *arguments)
        assert done.code == 0, done.err
        return json.loads(done.out)

    return call


def figures(result):
    return {name: metric["value"] for name, metric in result["metrics"].items()}


@pytest.mark.parametrize(
    ("task", "shots"),
    [("pick", 0), ("pick", 2), ("fill", 0), ("last", 0), ("write", None), ("write", 1), ("roll", None)],
)
def test_figures_equal_those_of_lm_eval_itself(task, shots, run, tasks, harness_lm):
    given = [] if shots is None else ["--shots", shots]
    (ours,) = run("--task", f"lm-eval:{task},include_path={tasks}", *given)
    theirs, _ = evaluate(harness_lm, tasks, task, num_fewshot=shots)
    assert figures(ours) == pytest.approx(theirs[task], rel=1e-5, abs=1e-4)


def test_the_tasks_own_number_of_examples_counts_where_none_is_given(run, tasks):
    (result,) = run("--task", f"lm-eval:write,include_path={tasks}")
    record = json.loads((Path(result["path"]) / "run.json").read_text("utf-8"))
    assert record["spec"]["shots"] == 2


def test_another_seed_draws_other_examples_as_lm_eval_does(run, tasks, harness_lm):
    spec = f"lm-eval:pick,include_path={tasks}"
    runs = [run("--task", spec, "--shots", 2, "--seed", seed)[0] for seed in (0, 1)]
    assert runs[0]["run"] != runs[1]["run"]
    theirs, _ = evaluate(harness_lm, tasks, "pick", num_fewshot=2, fewshot_random_seed=1235)
    assert figures(runs[1])["brier_score"] == pytest.approx(theirs["pick"]["brier_score"], abs=1e-4)


def test_shares_have_wilson_intervals_and_perplexities_bootstrap_ones(run, tasks):
    pick, roll = run("--task", f"lm-eval:pick,include_path={tasks},lm-eval:roll,include_path={tasks}")
    assert pick["metrics"]["acc"]["method"] == "wilson"
    assert roll["metrics"]["word_perplexity"]["method"].startswith("bootstrap")
    assert not roll["metrics"]["word_perplexity"]["higher_is_better"]


@pytest.mark.parametrize(
    ("task", "figure"), [("roll", "word_perplexity"), ("roll", "bits_per_byte"), ("last", "perplexity")]
)
def test_perplexities_of_two_models_are_compared_document_by_document(task, figure, benchctl, stories, tasks):
    spec = f"lm-eval:{task},include_path={tasks}"
    ran = benchctl("run", "--task", spec, "--model", f"{stories},tiny", "--json")
    one, two = json.loads(ran.out)
    (found,) = json.loads(benchctl("compare", one["run"], two["run"], "--json").out)["tasks"]
    values = [run["metrics"][figure]["value"] for run in (one, two)]
    difference = found["metrics"][figure]
    assert [difference["first"], difference["second"]] == pytest.approx(values)
    assert difference["value"] == pytest.approx(values[1] - values[0])
    assert difference["low"] < difference["value"] < difference["high"]
    assert difference["p"] == pytest.approx(2 / 2 ** found["n"]), "tiny is worse in each document"


@pytest.mark.parametrize("task", ["pick", "write"])
def test_through_a_chat_template_figures_are_lm_evals_too(task, benchctl, shared, tasks, tmp_path):
    from lm_eval.models.huggingface import HFLM

    folder = shutil.copytree(shared / "models/stories260K", tmp_path / "chatty")
    template = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>"
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    spec = f"lm-eval:{task},include_path={tasks},chat=on"
    done = benchctl("run", "--task", spec, "--shots", 2, "--model", f"hf:{folder},dtype=float32", "--json")
    assert done.code == 0, done.err
    lm = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=8)
    chat = {"apply_chat_template": True, "fewshot_as_multiturn": True}
    theirs, samples = evaluate(lm, tasks, task, num_fewshot=2, **chat)
    assert "<assistant>" in samples[task][0]["arguments"][0][0]
    assert figures(json.loads(done.out)[0]) == pytest.approx(theirs[task], rel=1e-5, abs=1e-4)


def test_choices_of_a_model_that_thinks_are_lm_evals_with_thinking_switched_off(benchctl, shared, tasks, tmp_path):
    from lm_eval.models.huggingface import HFLM

    folder = shutil.copytree(shared / "models/stories260K", tmp_path / "thinker")
    template = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>"
    switch = "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    (folder / "chat_template.jinja").write_text(template + switch, "utf-8")
    spec = f"lm-eval:pick,include_path={tasks},chat=on"
    done = benchctl("run", "--task", spec, "--model", f"hf:{folder},dtype=float32", "--json")
    assert done.code == 0, done.err
    lm = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=8, enable_thinking=False)
    theirs, samples = evaluate(lm, tasks, "pick", apply_chat_template=True, fewshot_as_multiturn=True)
    assert samples["pick"][0]["arguments"][0][0].rstrip().endswith("</think>")
    assert figures(json.loads(done.out)[0]) == pytest.approx(theirs["pick"], rel=1e-5, abs=1e-4)


def test_the_thinking_before_a_written_answer_is_not_compared_with_the_target(benchctl, tasks, tmp_path):
    def replayed(name, thought):
        golden = [{"id": i, "output": thought + choices[gold]} for i, (_, choices, gold) in enumerate(STORIES)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, golden)), "utf-8")
        spec = f"replay:{tmp_path / name}.jsonl"
        done = benchctl("run", "--task", f"lm-eval:write,include_path={tasks}", "--model", spec, "--json")
        assert done.code == 0, done.err
        return figures(json.loads(done.out)[0])

    bare = replayed("bare", "")
    assert bare["exact_match"] == 1
    assert replayed("thinks", "<think>\nOnce upon a time?\n</think>\n\n") == bare


def test_a_group_runs_its_members_with_the_groups_own_settings(run, tasks):
    (group,) = run("--task", f"lm-eval:stories,include_path={tasks}")
    assert [m["task"].rsplit("member=")[1] for m in group["members"]] == ["pick", "last"]


def test_a_group_is_loaded_once_and_not_again_for_each_member(run, tasks, monkeypatch):
    from lm_eval.tasks import TaskManager

    loads, real = [], TaskManager.load
    monkeypatch.setattr(TaskManager, "load", lambda self, asked: loads.append(asked) or real(self, asked))
    run("--task", f"lm-eval:stories,include_path={tasks}")
    assert loads == [["stories"]]


def test_a_member_made_for_no_examples_keeps_none_where_its_group_gets_some(benchctl, stories, tasks, harness_lm):
    spec, model = f"lm-eval:stories,include_path={tasks}", f"{stories},dtype=float32"
    done = benchctl("run", "--model", model, "--json", "--task", spec, "--shots", 2)
    assert done.code == 0, done.err
    (group,) = json.loads(done.out)
    records = [json.loads((Path(m["path"]) / "run.json").read_text("utf-8")) for m in group["members"]]
    theirs, _ = evaluate(harness_lm, tasks, "stories", num_fewshot=2)

    assert [(r["task"]["title"], r["spec"]["shots"]) for r in records] == [("pick", 2), ("last", 0)]
    for record, member in zip(records, group["members"], strict=True):
        assert figures(member) == pytest.approx(theirs[record["task"]["title"]], rel=1e-5, abs=1e-4)
    assert done.err.count("without --shots here: last.") == 1
    alone = benchctl("run", "--model", model, "--task", f"{spec},member=last", "--shots", 2)
    assert alone.code == 1 and "made for 0 examples" in alone.err


@pytest.mark.slow
def test_a_group_weighs_its_members_as_its_yaml_says(run, tasks, harness_lm):
    asked = [
        {"metric": "acc", "weight_by_size": False},
        {"metric": "exact_match", "filter_list": ["first"], "weight_by_size": False},
        {"metric": "exact_match", "filter_list": "none"},
    ]
    half = write_lines(tasks / "half.jsonl", rows(STORIES[:3]))
    figures_of = {"choosing": ("acc",), "writing": ("exact_match,first", "exact_match")}
    groups = {"choosing": ["pick", "half_of_last"], "writing": ["write", "half_of_write"]}
    for whole in ("last", "write"):
        fields = json.loads((tasks / f"{whole}.yaml").read_text("utf-8"))
        fields["dataset_kwargs"]["data_files"]["test"] = half
        name = f"half_of_{whole}"
        (tasks / f"{name}.yaml").write_text(json.dumps(fields | {"task": name}), "utf-8")
    for name, members in groups.items():
        fields = {"group": name, "task": members, "aggregate_metric_list": asked}
        (tasks / f"{name}.yaml").write_text(json.dumps(fields), "utf-8")
        (group,) = run("--task", f"lm-eval:{name},include_path={tasks}")
        theirs, _ = evaluate(harness_lm, tasks, name)
        assert {m["n"] for m in group["members"]} == {6, 3}
        for metric in figures_of[name]:
            assert figures(group)[metric] == pytest.approx(theirs[name][metric], rel=1e-5, abs=1e-4), metric


def test_compare_takes_tasks_and_models_with_their_options(benchctl, stories, tasks):
    group, a, b = f"lm-eval:stories,include_path={tasks}", stories, f"{stories},dtype=bfloat16"
    for model in (a, b):
        assert benchctl("run", "--task", group, "--model", model).code == 0
    two = benchctl("compare", a, b, "--task", group, "--json")
    assert two.code == 0 and len(json.loads(two.out)["tasks"]) == 2, two.err
    beside = benchctl("compare", "--against", a, "--model", b, "--task", group)
    assert beside.code == 0, beside.err


def test_compare_weighs_a_groups_members_as_its_yaml_says(benchctl, stories, tasks):
    fields = json.loads((tasks / "pick.yaml").read_text("utf-8"))
    fields["dataset_kwargs"]["data_files"]["test"] = write_lines(tasks / "half.jsonl", rows(STORIES[:3]))
    (tasks / "half_of_pick.yaml").write_text(json.dumps(fields | {"task": "half_of_pick"}), "utf-8")
    for name, by_size in (("alike", False), ("by_size", True)):
        asked = [{"metric": "acc", "weight_by_size": by_size}]
        group = {"group": name, "task": ["pick", "half_of_pick"], "aggregate_metric_list": asked}
        (tasks / f"{name}.yaml").write_text(json.dumps(group), "utf-8")
    found = {}
    for name in ("alike", "by_size"):
        spec = f"lm-eval:{name},include_path={tasks}"
        for model in ("tiny", stories):
            assert benchctl("run", "--task", spec, "--model", model).code == 0
        found[name] = json.loads(benchctl("compare", "tiny", stories, "--task", spec, "--json").out)
    parts = [one["metrics"]["acc"] for one in found["alike"]["tasks"]]
    alike, by_size = (found[name]["pooled"]["acc"] for name in found)

    assert [one["n"] for one in parts] == [6, 3]
    assert alike["value"] == pytest.approx(sum(one["value"] for one in parts) / 2)
    assert by_size["value"] == pytest.approx((2 * parts[0]["value"] + parts[1]["value"]) / 3)
    assert (
        "mean of the tasks" in benchctl("compare", "tiny", stories, "--task", f"lm-eval:alike,include_path={tasks}").out
    )


def test_a_tag_runs_all_tasks_that_carry_it(run, tasks):
    (group,) = run("--task", f"lm-eval:stories_tag,include_path={tasks}", "--limit", 2)
    assert [m["task"].split(",")[0] for m in group["members"]] == ["lm-eval:pick", "lm-eval:write"]


def test_answers_cut_off_at_the_tasks_own_length_are_told_where_it_stands(benchctl, stories, tasks):
    file = tasks / "write.yaml"
    file.write_text(re.sub(r"(max_gen_toks\W+)12", r"\g<1>2", file.read_text("utf-8")), "utf-8")
    ran = benchctl("run", "--task", f"lm-eval:write,include_path={tasks}", "--model", stories, "--limit", 3, "--json")
    assert "answers were cut off at their length limit; it is the task's own (max_gen_toks in its YAML)." in ran.err
    assert "--max-tokens" not in ran.err


def test_a_yaml_file_can_be_named_itself(run, tasks):
    (result,) = run("--task", f"lm-eval:{tasks / 'pick.yaml'}", "--limit", 3)
    assert result["n"] == 3


def test_a_finished_run_is_found_again_and_a_changed_metric_is_another_run(run, tasks):
    spec = f"lm-eval:pick,include_path={tasks}"
    first, again = run("--task", spec)[0], run("--task", spec)[0]
    assert first["run"] == again["run"]
    file = tasks / "pick.yaml"
    fields = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**fields, "metric_list": [{"metric": "acc"}]}), "utf-8")
    from benchctl_plugins.tasks import lm_eval_source

    lm_eval_source._manager.cache_clear()
    assert run("--task", spec)[0]["run"] != first["run"]


CODE = """
def _clean(text):
    return text.strip()


def examples():
    return [{"text": "Ben saw a big bird in the", "choices": ["tree", "sock", "song"], "gold": 0}]


def process_results(doc, results):
    return {"long": float(len(_clean(results[0])) > 3)}
"""


@pytest.fixture
def coded(tasks, tmp_path, monkeypatch):
    """A task with functions beside its YAML, in a folder of its own, named from the working folder."""
    folder = tmp_path / "here" / "own"
    folder.mkdir(parents=True)
    fields = json.loads((tasks / "write.yaml").read_text("utf-8"))
    for key in ("filter_list", "fewshot_split", "tag"):
        del fields[key]
    fields |= {"task": "coded", "metric_list": [{"metric": "long", "aggregation": "mean", "higher_is_better": True}]}
    functions = (
        "process_results: !function utils.process_results\nfewshot_config:\n  samples: !function utils.examples\n"
    )
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in {**fields, "num_fewshot": 1}.items())
    (folder / "coded.yaml").write_text(lines + functions, "utf-8")
    (folder / "utils.py").write_text(CODE, "utf-8")
    monkeypatch.chdir(folder.parent)
    from benchctl_plugins.tasks import lm_eval_source

    lm_eval_source._manager.cache_clear()  # a process has one working folder; "own" of the test before was another
    return folder


def as_in_a_new_process(folder):
    """The task's module is loaded anew, its functions at other addresses; gives the old one, to keep those taken."""
    from benchctl_plugins.tasks import lm_eval_source

    lm_eval_source._manager.cache_clear()
    return sys.modules.pop(str(folder / "utils"))


def test_a_finished_run_of_a_task_with_functions_is_found_again_by_the_next_process(run, coded):
    spec = ["--task", "lm-eval:coded,include_path=own", "--limit", 2]
    first = run(*spec)[0]
    kept = as_in_a_new_process(coded)
    assert run(*spec)[0]["run"] == first["run"]
    assert sys.modules[str(coded / "utils")] is not kept


def test_a_run_is_found_again_where_the_whole_project_was_moved(run, coded, monkeypatch):
    spec = ["--task", "lm-eval:coded,include_path=own", "--limit", 2]
    first = run(*spec)[0]
    as_in_a_new_process(coded)
    moved = coded.parent.rename(coded.parent.with_name("there"))
    monkeypatch.chdir(moved)
    assert run(*spec)[0]["run"] == first["run"]


def test_a_changed_helper_of_the_tasks_functions_is_another_run(run, coded):
    yaml = (coded / "coded.yaml").read_text("utf-8")
    (coded / "coded.yaml").write_text(
        yaml.replace("fewshot_config:\n  samples: !function utils.examples\n", ""), "utf-8"
    )
    spec = ["--task", "lm-eval:coded,include_path=own", "--limit", 2]
    first = run(*spec)[0]
    (coded / "utils.py").write_text(CODE.replace("text.strip()", "text.strip()[:1]"), "utf-8")
    as_in_a_new_process(coded)
    again = run(*spec)[0]
    assert again["run"] != first["run"]
    assert figures(again) == {"long": 0.0}


def test_truth_values_of_numpy_have_intervals_as_pythons_have(run, coded):
    code = "import numpy\n" + CODE.replace("float(len(_clean(results[0])) > 3)", "numpy.bool_(results[0] != '')")
    (coded / "utils.py").write_text(code, "utf-8")
    (result,) = run("--task", "lm-eval:coded,include_path=own", "--limit", 2)
    assert result["metrics"]["long"]["method"] == "wilson"


def test_a_figure_that_is_no_number_is_left_out_and_the_others_stay(run, coded):
    # As a correlation is where a model always says the same. "NaN" is no JSON, and neither more nor less than others.
    code = CODE.replace('{"long": ', '{"none": float("nan"), "far": float("inf"), "long": ')
    (coded / "utils.py").write_text(code, "utf-8")
    (result,) = run("--task", "lm-eval:coded,include_path=own", "--limit", 2)
    assert set(figures(result)) == {"long"}
    for name in ("run.json", "scores.jsonl"):
        text = (Path(result["path"]) / name).read_text("utf-8")
        assert "NaN" not in text and "Infinity" not in text, name


def test_answers_survive_a_mistake_in_the_tasks_code(benchctl, stories, coded):
    (coded / "utils.py").write_text(CODE.replace("text.strip()", "text.stripp()"), "utf-8")
    arguments = ["--task", "lm-eval:coded,include_path=own", "--limit", 2, "--model", f"{stories},dtype=float32"]
    failed = benchctl("run", *arguments)
    assert failed.code == 1
    assert "metrics of 'coded' failed: AttributeError" in failed.err
    assert "benchctl rescore" in failed.err
    (coded / "utils.py").write_text(CODE, "utf-8")
    as_in_a_new_process(coded)
    (record,) = Path("runs").rglob("run.json")
    done = benchctl("rescore", record.parent, "--json")
    assert done.code == 0, done.err
    assert set(figures(json.loads(done.out)[0])) == {"long"}


def test_a_run_can_be_rescored_without_the_model(benchctl, run, tasks):
    (first,) = run("--task", f"lm-eval:write,include_path={tasks}")
    done = benchctl("rescore", first["path"], "--json")
    assert done.code == 0, done.err
    assert figures(json.loads(done.out)[0]) == figures(first)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task: broken\nmetric_list:\n\t- metric: acc\n", "line 3"),
        ("task: broken\ninclude: nowhere.yaml\n", "nowhere.yaml"),
        ("- broken\n", "Expected YAML dict"),
    ],
)
@pytest.mark.parametrize("spec", ["lm-eval:broken,include_path={tasks}", "lm-eval:{tasks}/broken.yaml"])
def test_a_yaml_file_that_cannot_be_read_is_named_with_the_reason(text, said, spec, benchctl, stories, tasks):
    (tasks / "broken.yaml").write_text(text, "utf-8")
    done = benchctl("run", "--model", stories, "--task", spec.replace("{tasks}", str(tasks)))
    assert done.code == 1
    assert "broken.yaml' (" in done.err
    assert said in done.err


def test_a_yaml_file_without_a_task_is_told_so(benchctl, stories, tasks):
    (tasks / "half.yaml").write_text("output_type: multiple_choice\n", "utf-8")
    done = benchctl("run", "--model", stories, "--task", f"lm-eval:{tasks}/half.yaml")
    assert done.code == 1
    assert "half.yaml" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "lm-eval"], "names no task"),
        (["--task", "lm-eval:pick,include_path=nowhere"], "no folder 'nowhere'"),
        (["--task", "lm-eval:tasks/nowhere.yaml"], "no task file 'tasks/nowhere.yaml'"),
        (["--task", "lm-eval:pick,include_path={tasks},chat=maybe"], "chat=maybe"),
        (["--task", "lm-eval:pick,include_path={tasks},chat=on"], "chat template"),
        (["--task", "lm-eval:pick,include_path={tasks},shots=3"], "unknown option 'shots'"),
        (["--task", "lm-eval:pick,include_path={tasks}", "--data", "builtin"], "brings its own data"),
        (["--task", "lm-eval:pick,include_path={tasks}", "--scoring", "letter"], "cannot be scored by 'letter'"),
        (["--task", "medmcqa-pt:x", "--data", "builtin"], "takes no arguments"),
    ],
)
def test_what_cannot_be_is_said_in_two_lines(arguments, said, benchctl, stories, tasks):
    done = benchctl("run", "--model", stories, *(a.replace("{tasks}", str(tasks)) for a in arguments))
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err


def variant(tasks, name, **fields):
    """The task ``pick`` under another name, with other fields."""
    written = json.loads((tasks / "pick.yaml").read_text("utf-8")) | {"task": name, "tag": []} | fields
    (tasks / f"{name}.yaml").write_text(json.dumps(written), "utf-8")
    return name


def test_right_answers_that_are_no_choice_are_told_since_lm_eval_counts_every_answer_wrong(benchctl, stories, tasks):
    letters = {"doc_to_choice": ["a", "b", "c"], "metric_list": [{"metric": "acc"}]}
    capitals = variant(tasks, "capitals", doc_to_target="{{['A','B','C'][gold]}}", **letters)
    done = benchctl("run", "--model", stories, "--task", f"lm-eval:{capitals},include_path={tasks}")
    assert "6 of 6 questions have a right answer that is none of their choices, e.g. '0': 'A', of a, b, c" in done.err
    fitting = variant(tasks, "fitting", doc_to_target="{{['a','b','c'][gold]}}", **letters)
    assert "warning" not in benchctl("run", "--model", stories, "--task", f"lm-eval:{fitting},include_path={tasks}").err


def test_a_truth_value_is_the_place_of_the_right_answer(benchctl, stories, tasks):
    rows = [{"text": f"Tom had {n} cats. Is it so?", "true": n % 2 == 0} for n in range(4)]
    (tasks / "true.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    given = {"dataset_kwargs": {"data_files": {"test": str(tasks / "true.jsonl")}}, "doc_to_choice": ["no", "yes"]}
    given |= {"training_split": None, "fewshot_split": None, "metric_list": [{"metric": "acc"}]}
    name = variant(tasks, "truth", doc_to_target="true", **given)
    done = benchctl("run", "--model", stories, "--task", f"lm-eval:{name},include_path={tasks}", "--json")
    assert done.code == 0 and "warning" not in done.err
    kept = (Path(json.loads(done.out)[0]["path"]) / "samples.jsonl").read_text("utf-8").splitlines()
    asked = [json.loads(line)["sample"] for line in kept]
    assert {one["id"]: one["target"] for one in asked} == {"0": "1", "1": "0", "2": "1", "3": "0"}


def test_a_prompt_that_lm_eval_cannot_make_is_told_in_two_lines(benchctl, stories, tasks):
    several = variant(tasks, "several", doc_to_target="{{[gold, (gold + 1) % 3]}}", metric_list=[{"metric": "acc"}])
    done = benchctl("run", "--model", stories, "--shots", 2, "--task", f"lm-eval:{several},include_path={tasks}")
    assert done.code == 1
    assert "The prompt of document 0 of 'several' failed" in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_a_name_found_nowhere_is_looked_for_in_lm_evals_own_list(benchctl, stories, tasks):
    done = benchctl("run", "--model", stories, "--task", f"lm-eval:assin2_rtt,include_path={tasks}")
    assert done.code == 1
    assert "Did you mean assin2_rte" in done.err


def test_a_figure_of_any_scale_that_was_0_throughout_does_not_make_a_share_of_the_one_beside_it(
    benchctl, tasks, tmp_path
):
    # What a silent model gets looks like a share of right answers; of 100 points it is none.
    (tasks / "scored.py").write_text(
        "def points(doc, results):\n    return {'points': 50.0 * len(results[0])}\n", "utf-8"
    )
    fields = json.loads((tasks / "write.yaml").read_text("utf-8"))
    fields |= {"task": "points", "filter_list": [], "metric_list": [{"metric": "points", "aggregation": "mean"}]}
    lines = [f"{key}: {json.dumps(value)}" for key, value in fields.items() if value]
    (tasks / "points.yaml").write_text("\n".join([*lines, "process_results: !function scored.points"]), "utf-8")
    models = []
    for name, answers in {"mute": [""] * 6, "loud": ["a", "aa"] * 3}.items():
        models.append(f"replay:{tmp_path / name}.jsonl")
        said = [json.dumps({"id": i, "output": text}) for i, text in enumerate(answers)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(said), "utf-8")
    spec = f"lm-eval:points,include_path={tasks}"
    mute, loud = json.loads(benchctl("run", "--task", spec, "--model", ",".join(models), "--json").out)
    (found,) = json.loads(benchctl("compare", mute["run"], loud["run"], "--json").out)["tasks"]
    difference = found["metrics"]["points"]

    assert (difference["value"], difference["percent"]) == (75, False)
    assert difference["low"] < 75 < difference["high"]
