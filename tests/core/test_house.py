"""The house of docs/architecture.md: which room may know which, and how large things may grow."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

from benchctl import runner
from tests.conftest import ROOT, SHARED

MODULES = sorted(p for folder in ("src", "plugins", "reports") for p in (ROOT / folder).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    forbidden = {
        "src": ("benchctl_plugins", "benchctl_reports"),
        "plugins": ("benchctl_reports",),
        "reports": ("benchctl_plugins",),
    }
    for name in imported(path):
        assert not name.startswith(forbidden[room]), f"{path} imports {name}"


def test_the_runner_knows_no_torch_no_html_and_no_task_by_name():
    source = inspect.getsource(runner)
    assert not any(word in source for word in ("torch", "html", "jinja", "medmcqa", "transformers"))


def test_run_fits_on_one_screen():
    assert len(inspect.getsource(runner.run).splitlines()) <= 45


def test_the_house_measures_up():
    tool = SHARED / "tools/house.py"
    if not tool.is_file():
        pytest.skip("needs ../shared/tools/house.py, which is not here")
    done = subprocess.run([sys.executable, str(tool)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "annotated 100%" in done.stdout, done.stdout
    assert "stands out" not in done.stdout, done.stdout
