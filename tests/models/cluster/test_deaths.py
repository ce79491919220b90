"""A worker or a node that dies in mid-run costs no answer and doubles none; the scores are those of one process."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra 'ray'")

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text("utf-8").splitlines()]


def check_same(bench, out: str, distributed: bool = True) -> dict:
    """Same folder name, same scores, each sample once; gives what the manifest says of the cluster."""
    whole, shared = bench.whole(), bench.run_folder(out)
    assert shared.name == whole.name, "distribution is no part of a run's identity"
    assert (shared / "scores.jsonl").read_bytes() == (whole / "scores.jsonl").read_bytes()
    assert Counter(line["id"] for line in lines(shared)) == {str(i): 1 for i in range(1, bench.samples + 1)}
    record = json.loads((shared / "run.json").read_text("utf-8"))
    alone = json.loads((whole / "run.json").read_text("utf-8"))
    assert record["status"] == "complete"
    assert (record["spec"], record["fingerprints"]) == (alone["spec"], alone["fingerprints"])
    assert record["estimates"] == alone["estimates"]
    return record["model"]["cluster"] if distributed else {}


def test_a_worker_killed_in_mid_run_gives_its_work_to_others(bench, ended):
    process = ended(bench.start("killed", "--workers", "2"))
    bench.wait_until(lambda: len({pid for pid, _ in bench.asked()}) == 2 and len(bench.asked()) >= 20, process)
    victim = bench.asked()[-1][0]
    os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    (result,) = json.loads(out)  # nothing but JSON on standard output, whatever Ray has to tell
    assert result["model"].startswith("slow")
    assert "workers that died: 1" in err
    asked = bench.asked()
    assert len({pid for pid, _ in asked}) == 3, "the dead worker is replaced"
    assert len(asked) - len({identity for _, identity in asked}) <= 1, "what it had answered is not asked again"
    told = check_same(bench, "killed")
    assert told["workers"] == 2
    assert told["deaths"] == 1
    assert told["started"] == 3
    assert told["chunks"] > 3


def test_a_node_removed_in_mid_run_gives_its_work_to_the_other(bench, ended, monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", bench.environment["PYTHONPATH"])
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    bench.environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # its driver, too, keeps to the loopback
    node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 100 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        second = cluster.add_node(**node)
        process = ended(bench.start("node", "--workers", "2", "--ray", cluster.address))
        bench.wait_until(lambda: len({pid for pid, _ in bench.asked()}) == 2 and len(bench.asked()) >= 20, process)
        cluster.remove_node(second, allow_graceful=False)
        out, err = process.communicate(timeout=120)
    finally:
        cluster.shutdown()
    assert process.returncode == 0, err
    json.loads(out)
    told = check_same(bench, "node")
    assert told["nodes"] == 2
    assert told["deaths"] >= 1


def test_ctrl_c_ends_in_order_and_the_same_command_finishes_in_one_process(bench, ended):
    process = ended(bench.start("stopped", "--workers", "2"))
    bench.wait_until(lambda: len(bench.asked()) >= 20, process)
    workers = {pid for pid, _ in bench.asked()}
    os.killpg(process.pid, signal.SIGINT)  # as the keyboard does: to the whole group
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers), "no worker outlives the command"
    kept = lines(bench.run_folder("stopped"))
    assert len(kept) >= 15
    process = ended(bench.start("stopped"))
    process.communicate(timeout=120)
    assert process.returncode == 0
    check_same(bench, "stopped", distributed=False)
