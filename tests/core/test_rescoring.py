"""``benchctl rescore``: figures of what was answered, also where the run never ended in order."""

from __future__ import annotations

from dataclasses import replace

from benchctl.records import RunFolder, StoredRun
from benchctl.rescoring import rescored
from tests.scripted_runs import right_in, run


def test_calls_that_failed_and_were_retried_before_the_kill_are_no_errors_any_more(tmp_path):
    stored = run(tmp_path / "runs", "medmcqa-pt", "base", right_in(range(1, 13)))
    folder = RunFolder(stored.path)
    ids = [score.id for score in folder.scores()]
    failed = tuple({"id": one, "reason": "503"} for one in ids[:3])
    earlier = {**stored.record.counts, "answered": len(ids) - 3, "errors": 3}
    folder.save_record(replace(stored.record, status="running", counts=earlier, errors=failed, estimates={}))

    again = rescored(StoredRun(folder.record(), stored.path))
    assert (again.status, again.counts, again.errors) == ("complete", stored.record.counts, ())
    assert again.estimates == stored.record.estimates

    lines = (stored.path / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (stored.path / "samples.jsonl").write_bytes(b"".join(line for line in lines if f'"{ids[0]}"'.encode() not in line))
    folder.save_record(replace(stored.record, status="running", counts=earlier, errors=failed, estimates={}))
    again = rescored(StoredRun(folder.record(), stored.path))
    assert (again.status, again.counts["answered"], again.counts["errors"]) == ("interrupted", len(ids) - 1, 1)
    assert again.errors == failed[:1]
