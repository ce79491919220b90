"""lm-eval's models here, and benchctl's models there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchctl.creation import create_model
from benchctl.errors import BadConfig, ModelCallError
from benchctl.plugins import get_plugins
from benchctl.types import Choose, Generate, Perplexity

from .conftest import evaluate

pytest.importorskip("lm_eval", reason="needs the extra 'lm-eval'")


def model(spec):
    return create_model(get_plugins(), spec)


def answers(run):
    lines = (Path(run["path"]) / "samples.jsonl").read_text("utf-8").splitlines()
    return {line["id"]: line["responses"][0] for line in map(json.loads, lines)}


@pytest.fixture
def folder(shared):
    return shared / "models/stories260K"


class TestAnLmEvalModelHere:
    def test_scores_equal_those_of_the_same_weights_without_lm_eval(self, benchctl, stories, folder):
        runs = {}
        for spec in (f"{stories},dtype=float32", f"lm-eval:hf,pretrained={folder},dtype=float32,batch_size=8"):
            done = benchctl(
                "run", "--task", "medmcqa-pt", "--model", spec, "--data", "builtin", "--scoring", "option", "--json"
            )
            assert done.code == 0, done.err
            runs[spec[:2]] = json.loads(done.out)[0]
        here, there = answers(runs["hf"]), answers(runs["lm"])
        for identity, response in here.items():
            for a, b in zip(response["choices"], there[identity]["choices"], strict=True):
                assert a["nats"] == pytest.approx(b["nats"], abs=1e-3)
                assert (a["tokens"], a["bytes"], a["greedy"]) == (b["tokens"], b["bytes"], b["greedy"])

    def test_writes_and_sums_as_the_same_weights_without_lm_eval(self, stories, folder):
        ours, theirs = model(f"{stories},dtype=float32"), model(f"lm-eval:hf,pretrained={folder},dtype=float32")
        story = "Once upon a time there was a big dog. " * 20
        for asked, method in (
            ([Generate("Once upon a time", (".",), 20), Generate("Tom had a", max_tokens=8)], "generate"),
            ([Perplexity("Lily loved to play."), Perplexity(story, rolling=True)], "perplexity"),
        ):
            a, b = (dict(getattr(m, method)(asked)) for m in (ours, theirs))
            for place in range(2):
                assert a[place].text == b[place].text
                assert (a[place].nats or 0) == pytest.approx(b[place].nats or 0, abs=1e-3)
                assert a[place].tokens == b[place].tokens
        ours.close()
        theirs.close()

    def test_a_cut_prompt_is_counted_as_cut(self, stories, folder):
        asked = [Choose("the dog ran and " * 300, (" sat", " fell over"))]
        ours, theirs = (next(model(s).choose(asked))[1] for s in (stories, f"lm-eval:hf,pretrained={folder}"))
        assert ours.cut == theirs.cut > 0

    def test_answers_come_in_chunks_so_that_they_can_be_written_down(self):
        dummy = model("lm-eval:dummy,chunk=4")
        calls = []
        ask = dummy.lm.loglikelihood
        dummy.lm.loglikelihood = lambda instances: calls.append(len(instances)) or ask(instances)
        found = dummy.choose([Choose("a", (" b", " c"))] * 5)
        assert [next(found)[0] for _ in range(2)] == [0, 1]
        assert calls == [4]
        assert [index for index, _ in found] == [2, 3, 4]
        assert calls == [4, 4, 2]

    def test_one_question_that_fails_does_not_take_the_others_along(self):
        dummy = model("lm-eval:dummy")
        write = dummy.lm.generate_until

        def fails_on_b(instances):
            if any(i.args[0] == "b" for i in instances):
                raise ValueError("no b")
            return write(instances)

        dummy.lm.generate_until = fails_on_b
        found = dict(dummy.generate([Generate(p) for p in "abc"]))
        assert [found[i].error for i in range(3)] == [None, "ValueError: no b", None]

    def test_the_fingerprint_rests_on_the_files_and_on_what_matters_of_the_options(self, folder, tmp_path):
        copy = shutil.copytree(folder, tmp_path / "copy")
        base = f"lm-eval:hf,pretrained={folder}"
        prints = {
            name: model(spec).fingerprint()
            for name, spec in {
                "base": base,
                "moved": f"lm-eval:hf,pretrained={copy}",
                "faster": f"{base},batch_size=16,device=cpu",
                "other": f"{base},dtype=bfloat16",
            }.items()
        }
        assert prints["base"] == prints["moved"] == prints["faster"] != prints["other"]
        (copy / "config.json").write_text("{}", "utf-8")
        assert model(f"lm-eval:hf,pretrained={copy}").fingerprint() != prints["base"]

    @pytest.mark.parametrize("place", ["modelo", ".cache/modelo"])
    def test_other_weights_in_the_same_folder_are_another_model(self, folder, tmp_path, monkeypatch, place):
        monkeypatch.chdir(tmp_path)
        copy = shutil.copytree(folder, tmp_path / place)
        spec = f"lm-eval:hf,pretrained={copy if place.startswith('.') else place}"
        before = model(spec).fingerprint()
        (copy / "config.json").write_text("{}", "utf-8")
        assert model(spec).fingerprint() != before

    @pytest.mark.parametrize("option", ["token=hf_0123456789", "auth_token=0123456789", "header=0123456789abc"])
    def test_a_key_among_the_options_is_refused_before_it_reaches_a_record(
        self, benchctl, monkeypatch, tmp_path, option
    ):
        monkeypatch.setenv("MY_TOKEN", "0123456789abc")
        ran = benchctl(
            "run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", "1", "--model", f"lm-eval:dummy,{option}"
        )
        assert ran.code == 1 and "must come from the environment" in ran.err and "HF_TOKEN" in ran.err
        assert "0123456789" not in ran.err and not list(tmp_path.rglob("run.json"))

    def test_a_text_that_lm_eval_asserts_to_be_shorter_is_an_error_with_a_reason(self, folder):
        long = model(f"lm-eval:hf,pretrained={folder},dtype=float32")
        ((_, response),) = long.perplexity([Perplexity("Once upon a time " * 400)])
        assert response.error == "AssertionError, with no reason given: is the text longer than the model's context?"

    def test_the_rule_of_the_source_study_is_refused_for_lm_eval_cannot_keep_it(self):
        with pytest.raises(BadConfig, match="first token"):
            next(model("lm-eval:dummy").perplexity([Perplexity("a", score_first=False)]))

    def test_a_service_without_log_likelihoods_is_told_so(self, benchctl):
        dummy = model("lm-eval:dummy")

        def refuse(instances):
            raise NotImplementedError

        dummy.lm.loglikelihood = refuse
        with pytest.raises(ModelCallError, match="cannot do 'loglikelihood'"):
            next(dummy.choose([Choose("a", (" b",))]))

    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            ("lm-eval", "names no lm-eval model"),
            ("lm-eval:vlm", "Did you mean vllm"),
            ("lm-eval:dummy,chunk=0", "impossible option"),
            ("lm-eval:hf,pretrained=nowhere/at-all", "cannot be loaded"),
        ],
    )
    def test_what_cannot_be_is_said_in_two_lines(self, spec, said, benchctl):
        done = benchctl("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", 1, "--model", spec)
        assert done.code == 1
        assert said in done.err
        assert "Traceback" not in done.err


class TestABenchctlModelThere:
    @pytest.fixture
    def lm(self, stories):
        from benchctl_plugins.models.lm_eval_bridge import BenchctlLM

        return BenchctlLM(stories, dtype="float32", device="cpu", batch_size=1)

    @pytest.mark.parametrize("task", ["pick", "last", "write", "roll"])
    def test_figures_equal_those_of_lm_evals_own_class(self, task, lm, tasks, harness_lm):
        ours, _ = evaluate(lm, tasks, task)
        theirs, _ = evaluate(harness_lm, tasks, task)
        assert ours[task] == pytest.approx(theirs[task], rel=1e-5, abs=1e-4)

    def test_a_prompt_is_asked_once_for_all_its_choices(self, lm, tasks):
        asked = []
        choose = lm.model.choose
        lm.model.choose = lambda requests: asked.extend(requests) or choose(requests)
        evaluate(lm, tasks, "pick")
        assert [len(request.choices) for request in asked if request.prompt] == [3] * 6

    def test_a_chat_template_is_told_of_thinking_what_lm_evals_own_class_tells_it(self, shared, tasks, tmp_path):
        from lm_eval.models.huggingface import HFLM

        from benchctl_plugins.models.lm_eval_bridge import BenchctlLM

        folder = shutil.copytree(shared / "models/stories260K", tmp_path / "thinker")
        turns = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>"
        switch = "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
        (folder / "chat_template.jinja").write_text(turns + switch, "utf-8")
        theirs = HFLM(pretrained=str(folder), dtype="float32", device="cpu", enable_thinking=False)
        ours = BenchctlLM(f"hf:{folder}", dtype="float32", device="cpu", thinking="off")
        chat = {"apply_chat_template": True, "fewshot_as_multiturn": True}
        (found, samples), (expected, _) = (evaluate(lm, tasks, "pick", **chat) for lm in (ours, theirs))
        assert samples["pick"][0]["arguments"][0][0].rstrip().endswith("</think>")
        assert found["pick"] == pytest.approx(expected["pick"], rel=1e-5, abs=1e-4)

    def test_repeats_of_a_task_are_drawn_apart_and_alike_here_and_there(self, stories, benchctl, tasks):
        from benchctl_plugins.models.lm_eval_bridge import BenchctlLM

        fields = json.loads((tasks / "write.yaml").read_text("utf-8"))
        drawn = {"until": ["."], "max_gen_toks": 12, "do_sample": True, "temperature": 1.2}
        kept = {"name": "all", "filter": [{"function": "majority_vote"}, {"function": "take_first"}]}
        fields |= {"task": "thrice", "repeats": 3, "generation_kwargs": drawn, "filter_list": [kept]}
        (tasks / "thrice.yaml").write_text(json.dumps(fields), "utf-8")
        spec = f"{stories},dtype=float32,device=cpu"
        done = benchctl("run", "--task", f"lm-eval:thrice,include_path={tasks}", "--model", spec, "--json")
        lines = (Path(json.loads(done.out)[0]["path"]) / "samples.jsonl").read_text("utf-8").splitlines()
        here = {line["id"]: [one["text"] for one in line["responses"]] for line in map(json.loads, lines)}
        assert all(len(set(texts)) > 1 for texts in here.values())
        _, samples = evaluate(BenchctlLM(stories, dtype="float32", device="cpu", batch_size=1), tasks, "thrice")
        assert {str(one["doc_id"]): one["resps"][0] for one in samples["thrice"]} == here

    def test_it_is_registered_under_its_name(self):
        from lm_eval.api.registry import get_model

        from benchctl_plugins.models.lm_eval_bridge import BenchctlLM

        assert get_model("benchctl") is BenchctlLM

    def test_what_benchctl_cannot_ask_is_refused(self, lm):
        from lm_eval.api.instance import Instance

        beams = Instance("generate_until", {}, ("a", {"until": ["."], "num_beams": 4}), 0)
        with pytest.raises(BadConfig, match="num_beams"):
            lm.generate_until([beams])
