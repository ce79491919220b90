"""Tables on a terminal: every figure is whole, however narrow the window."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich import box
from rich.table import Table
from rich.text import Text

from benchctl.cli.tables import draw

ROWS = [
    ["medmcqa-pt", "hf:./modelos/zephyr,quant=nf4,adapter=adaptadores/meu", "28,33 %", "[−23,19; 10,19]", "0,557"],
    ["mmlu-professional-medicine-pt", "pequeno", "100,00 %", "[−3,00; 4,00]", "0,0001"],
]


@pytest.fixture
def table() -> Table:
    """As `compare` makes it: names may fold, figures may not."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption="diferença: B menos A")
    for heading in ("tarefa", "modelo", "A", "intervalo de 95 %", "p"):
        made.add_column(heading, no_wrap=heading not in ("tarefa", "modelo"), overflow="fold")
    for row in ROWS:
        made.add_row(*(Text(cell) for cell in row))
    return made


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 81, 100, 120, 200])
def test_no_figure_is_cropped_at_any_width(
    table: Table, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    draw(table)
    shown = capsys.readouterr().out
    for row in ROWS:
        assert all(figure in shown for figure in row[2:])
    assert "pequeno" in shown and "medmcqa-pt" in shown and "diferença: B menos A" in shown


def test_a_wide_terminal_keeps_one_line_a_row(
    table: Table, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    draw(table)
    assert any("pequeno" in line and "0,0001" in line for line in capsys.readouterr().out.splitlines())


def test_compare_and_list_runs_are_whole_in_a_terminal_of_60_columns(tmp_path: Path) -> None:
    benchctl = [sys.executable, "-m", "benchctl"]
    ran = [*benchctl, "run", "--task", "medmcqa-pt", "--model", "random,majority", "--data", "builtin"]
    subprocess.run(ran, cwd=tmp_path, check=True, capture_output=True)
    compared = _in_terminal([*benchctl, "compare", "random", "majority", "--show", "0"], tmp_path, 60)
    assert "verdict" in compared and "medmcqa-pt" in compared.split("95 % interval")[0]
    listed = _in_terminal([*benchctl, "list", "runs"], tmp_path, 60)
    for run in (tmp_path / "runs").glob("*/*/*"):
        assert run.name in listed


def test_list_runs_tells_the_time_of_this_clock(tmp_path: Path) -> None:
    benchctl = [sys.executable, "-m", "benchctl"]
    ran = [*benchctl, "run", "--task", "medmcqa-pt", "--model", "random", "--data", "builtin", "--limit", "2"]
    subprocess.run(ran, cwd=tmp_path, check=True, capture_output=True)
    (record,) = (tmp_path / "runs").rglob("run.json")
    text = record.read_text(encoding="utf-8")
    finished = text.split('"finished": "')[1][:25]
    record.write_text(text.replace(finished, "2026-03-01T01:30:00+00:00"), encoding="utf-8")
    there = {**os.environ, "TZ": "America/Sao_Paulo"}
    listed = subprocess.run(
        [*benchctl, "list", "runs"], cwd=tmp_path, env=there, check=True, capture_output=True, text=True
    )
    assert "2026-02-28" in listed.stdout and "22:30" in listed.stdout


def _in_terminal(command: list[str], folder: Path, columns: int) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(command, cwd=folder, stdout=theirs, env={**env, "TERM": "dumb"})
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # Linux ends a pseudo-terminal whose other side is closed in this way
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()
