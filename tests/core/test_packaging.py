"""What pyproject.toml says is what there is: a folder or module forgotten there is missing from the wheel."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
ROOTS = SETUPTOOLS["package-dir"]


def test_every_folder_of_modules_is_a_package():
    found = set()
    for package, folder in ROOTS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT / folder).parts
            found.add(".".join([package, *parts]))
    assert found == set(SETUPTOOLS["packages"])


def test_every_module_with_hooks_is_an_entry_point_and_the_other_way_round():
    named = set(PROJECT["project"]["entry-points"]["benchctl"].values())
    hooked = set()
    for package in ("benchctl_plugins", "benchctl_reports"):
        for file in (ROOT / ROOTS[package]).rglob("*.py"):
            if "@hookimpl" in file.read_text("utf-8"):
                parts = file.relative_to(ROOT / ROOTS[package]).with_suffix("").parts
                hooked.add(".".join([package, *parts]).removesuffix(".__init__"))
    assert hooked == named


def test_the_installed_entry_points_are_those_of_the_project():
    installed = {e.value for e in entry_points(group="benchctl") if e.dist is not None and e.dist.name == "benchctl"}
    assert installed == set(PROJECT["project"]["entry-points"]["benchctl"].values()), "run: pip install -e ."


@pytest.mark.slow
def test_a_wheel_holds_modules_templates_and_data(tmp_path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {Path(n) for n in zipfile.ZipFile(wheel).namelist()}
    for package, folder in ROOTS.items():
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                assert Path(package) / file.relative_to(ROOT / folder) in names, f"{file} is not in the wheel"
