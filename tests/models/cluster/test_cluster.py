"""A model on a cluster is the model: same name, same record, same figures, same errors."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from benchctl.errors import BadConfig, BenchctlError, MissingExtra, ModelCallError, UnknownName
from benchctl.model import parse_spec
from benchctl.testing import ScriptedModel
from benchctl.types import Choose, Sample
from benchctl_plugins.models.cluster import worker as workers
from benchctl_plugins.models.cluster.model import ClusterModel
from benchctl_plugins.models.cluster.session import SESSION

COMMON = ("run", "--task", "medqa-pt", "--data", "builtin", "--json")


@pytest.fixture
def ray():
    return pytest.importorskip("ray", reason="needs the extra 'ray'")


def made(spec: str) -> ClusterModel:
    model = ClusterModel(parse_spec(spec)[1])
    SESSION.leave()  # nothing will be asked
    return model


def test_it_is_called_recorded_and_fingerprinted_as_the_model_inside(ray):
    model = made("cluster:random,seed=3,workers=2")
    assert model.name == "random"
    assert model.spec == "random,seed=3"
    assert model.fingerprint() == model.inner.fingerprint()
    assert model.capabilities == {"choose", "generate", "perplexity"}


def test_a_name_of_the_configuration_stays_in_the_record(ray, tmp_path, monkeypatch):
    from benchctl.config import load_config

    (tmp_path / "benchctl.toml").write_text('[models.guess]\nspec = "random,seed=7"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    load_config.cache_clear()
    model = made("cluster:guess,workers=2")
    load_config.cache_clear()
    assert model.spec == "guess"
    assert model.inner.options == {"seed": "7"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cluster:,workers=2", "names no model"),
        ("cluster:random,workers=none", "workers=none cannot be used"),
        ("cluster:random,workers=1.5", "workers=1.5 cannot be used"),
        ("cluster:random,restarts=-1", "restarts=-1 cannot be used"),
    ],
)
def test_options_that_cannot_be_used_are_told_at_once(ray, spec, message):
    with pytest.raises(BadConfig, match=message):
        made(spec)


def test_an_option_that_nobody_knows_is_the_inner_models_to_refuse(ray):
    with pytest.raises(BadConfig, match="unknown option 'wokers'"):
        made("cluster:random,wokers=2")


def test_without_ray_the_missing_extra_is_named(benchctl, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra):
        made("cluster:random")
    ran = benchctl(*COMMON, "--model", "random", "--workers", "2")
    assert ran.code == 1
    assert ran.err.strip().splitlines()[-1].endswith("pip install 'benchctl[ray]'")


def test_a_ray_client_is_refused_with_what_to_do_instead(ray, benchctl):
    ran = benchctl(*COMMON, "--model", "random", "--ray", "ray://127.0.0.1:10001")
    assert ran.code == 1
    assert "--ray auto" in ran.err


def test_a_sum_to_stop_at_cannot_be_kept_by_several(ray, benchctl):
    ran = benchctl(*COMMON, "--model", "random", "--workers", "2", "--max-cost", "5")
    assert ran.code == 1
    assert "Leave out --workers" in ran.err


def test_workers_that_are_asked_for_as_a_name_alone_run_nothing(ray, benchctl):
    ran = benchctl(*COMMON, "--model", "randon", "--workers", "2")
    assert ran.code == 1
    assert "Did you mean random" in ran.err


class OwnWay(Exception):
    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


def test_exceptions_arrive_as_what_they_were():
    for error in (
        UnknownName("model", "x", ["y"], "benchctl list models"),
        MissingExtra("ray", "ray", "This"),
        ModelCallError("It broke.", "Mend it."),
        OwnWay(7, "because"),
        FileNotFoundError(2, "No such file", "weights"),
    ):
        arrived = workers.Raised.of(error).error()
        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        assert arrived.__dict__ == error.__dict__


def test_an_exception_that_cannot_travel_is_quoted():
    class Local(Exception):
        pass

    arrived = workers.Raised.of(Local("out of luck")).error()
    assert isinstance(arrived, BenchctlError)
    assert arrived.message == "Local: out of luck"


def test_a_worker_holds_its_copy_to_the_contract_of_models(ray):
    sample = Sample("1", "?", {"A": "a"}, "A")
    copy = workers.Worker(workers.Setup("never made", "/", {}))
    copy.model = ScriptedModel(lambda request, sample: "no response")  # type: ignore[assignment]
    copy._samples = (1, [sample])
    (raised,) = copy.answer("choose", [Choose("?", ("A",))], 1, [], [0])
    assert "instead of a Response" in str(raised.error())


def test_a_judge_on_workers_is_held_to_the_schema_of_its_verdicts(ray):
    schema = {"type": "object", "properties": {"pontos": {"type": "integer"}}}
    model = made("cluster:openai:judge,base_url=http://127.0.0.1:9/v1,workers=2")
    model.expect_json(schema)
    copy = workers.Worker(model._setup).model
    assert copy.wire.form == schema  # type: ignore[attr-defined]
    assert copy.fingerprint() == model.fingerprint()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(280)
@pytest.mark.parametrize("scoring", ["letter", "perplexity"])
def test_a_trained_model_on_two_workers_has_the_figures_of_one_process(ray, benchctl, stories, teste, scoring):
    command = ("run", "--task", "medmcqa-pt", "--data", teste, "--limit", 24, "--scoring", scoring, "--json")
    models = f"{stories},random,majority"
    alone = benchctl(*command, "--model", models, "--out", "alone")
    shared = benchctl(*command, "--model", models, "--out", "shared", "--workers", 2)
    assert (alone.code, shared.code) == (0, 0), shared.err
    for one, two in zip(json.loads(alone.out), json.loads(shared.out), strict=True):
        assert (one["run"], one["model"], one["metrics"]) == (two["run"], two["model"], two["metrics"])
        here, there = responses_of(one), responses_of(two)
        assert len(here) == 24
        for identity, responses in here.items():
            assert [nats(r) for r in there[identity]] == [pytest.approx(nats(r), rel=1e-5) for r in responses]
    record = json.loads(Path(two["path"], "run.json").read_text("utf-8"))
    assert record["model"]["cluster"]["workers"] == 2
    assert not ray.is_initialized(), "the local Ray ends with the command"


def responses_of(result: dict) -> dict[str, list[dict]]:
    lines = Path(result["path"], "samples.jsonl").read_text("utf-8").splitlines()
    return {line["id"]: line["responses"] for line in map(json.loads, lines)}


def nats(response: dict) -> list[float]:
    return [choice["nats"] for choice in response.get("choices", ())] or [response["nats"]]


@pytest.mark.slow
@pytest.mark.alone
def test_an_error_in_a_worker_is_two_lines_and_no_traceback(ray, benchctl, stories, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(stories.removeprefix("hf:"), broken)
    weights = next(broken.glob("*.safetensors"))
    weights.unlink()
    alone = benchctl(*COMMON, "--model", f"hf:{broken}")
    shared = benchctl(*COMMON, "--model", f"hf:{broken}", "--workers", 1)
    assert (alone.code, shared.code) == (1, 1)
    assert "Traceback" not in shared.err
    assert shared.err.strip().splitlines()[-2:] == alone.err.strip().splitlines()[-2:]


def test_a_worker_shares_its_cores_also_on_a_node_that_was_started_without_saying_so(monkeypatch, tmp_path):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert workers.Worker(workers.Setup("majority", str(tmp_path), {})).model.name == "majority"
    assert os.environ["GOMP_SPINCOUNT"] == "10000"


def test_a_cluster_that_does_not_answer_is_told_in_two_lines(ray, benchctl):
    ran = benchctl(*COMMON, "--model", "random", "--ray", "127.0.0.1:1")
    assert ran.code == 1
    assert "No Ray cluster answers at '127.0.0.1:1'" in ran.err
    assert "Traceback" not in ran.err
