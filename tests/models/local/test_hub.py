"""Models from the hub: what is fetched, from a hub on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = Path(__file__).with_name("hub_server.py")
ASK = ("run", "--task", "medmcqa-pt", "--data", "builtin", "--limit", "2", "--json")


@pytest.fixture
def hub(shared, tmp_path):
    """A repository as large models have them: its files, and the same weights again for other programs."""
    folder = shutil.copytree(shared / "models/stories260K", tmp_path / "repository")
    (folder / "original").mkdir()
    for copy in ("consolidated.safetensors", "original/model.safetensors"):
        shutil.copy(folder / "model.safetensors", folder / copy)
    with subprocess.Popen([sys.executable, SERVER, folder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}", process, folder
        process.kill()


@pytest.mark.slow
def test_a_model_is_fetched_without_the_copies_for_other_programs(hub, program, tmp_path):
    address, process, folder = hub
    home = tmp_path / "home"
    env = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    env.pop("HF_HUB_CACHE", None)

    def run(model, **more):
        return subprocess.run([*program, *ASK, "--model", model], cwd=tmp_path, env={**env, **more},
                              capture_output=True, text=True, timeout=280)  # fmt: skip

    done = run("hf:someone/model")
    assert done.returncode == 0, done.stderr
    process.kill()
    fetched = set(process.stdout.read().split())
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= fetched
    assert not {name for name in fetched if "/" in name or name.startswith("consolidated")}

    first = json.loads(done.stdout)[0]
    again = run("hf:someone/model", HF_HUB_OFFLINE="1")
    assert json.loads(again.stdout)[0]["run"] == first["run"], "found again without a connection"
    whole, lean = (json.loads(run(f"hf:{path}").stdout)[0] for path in (folder, next(home.rglob("snapshots/*"))))
    records = [json.loads((tmp_path / found["path"] / "run.json").read_text("utf-8")) for found in (whole, lean)]
    assert records[0]["fingerprints"]["model"] == records[1]["fingerprints"]["model"], "copies are no part of a model"


IN_TURN = """
from benchctl.errors import BadData
from benchctl.hub import HubDataset, read_hub
from benchctl_plugins.models.hf_load import fetch
try:
    read_hub(HubDataset("someone/gated", "test"))
except BadData as error:
    print(error.message)
print(fetch("model", "someone/model", None, ["config.json"]))
"""


@pytest.mark.slow
def test_a_dataset_that_the_hub_refuses_does_not_cut_off_the_model_behind_it(hub, tmp_path):
    address, _, _ = hub
    env = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_CACHE"):
        env.pop(name, None)
    done = subprocess.run([sys.executable, "-c", IN_TURN], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    refused, found = done.stdout.strip().splitlines()
    assert "someone/gated" in refused
    assert Path(found, "config.json").is_file()
