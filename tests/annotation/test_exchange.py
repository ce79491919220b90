"""Labels as a spreadsheet, and back."""

from __future__ import annotations

import csv
from dataclasses import replace

from benchctl.annotation.exchange import export_csv, read_csv
from benchctl.annotation.labels import Label
from benchctl.annotation.store import Draw


def test_an_answer_of_any_length_comes_back_with_its_label(free_run, tmp_path):
    csv.field_size_limit(131072)  # Python's own, whoever has raised it before
    long, *others = free_run.items
    items = [replace(long, text="porque " * 30_000), *others]
    export_csv(tmp_path / "a.csv", items, {}, Draw())
    sheet = (tmp_path / "a.csv").read_text("utf-8-sig").replace(f"{long.sample.id},,,", f"{long.sample.id},,none,", 1)
    (tmp_path / "b.csv").write_text(sheet, "utf-8")
    (line,) = read_csv(tmp_path / "b.csv", items, "ana")
    assert (line.id, line.label) == (long.sample.id, Label("none"))


def test_a_label_counts_in_any_case_as_at_the_keyboard(free_run, tmp_path):
    first, second, *_ = free_run.items
    (tmp_path / "a.csv").write_text(
        f"id,outcome,label\n{first.sample.id},Choice,c\n{second.sample.id},NONE,\n", "utf-8"
    )
    lines = read_csv(tmp_path / "a.csv", free_run.items, "ana")
    assert [line.label for line in lines] == [Label("choice", "C"), Label("none")]
