"""What all tests share: the folder beside the repository, an own cache, no network, and the program in-process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchctl.threads import share_cores

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Before anything imports the hub's libraries: tests touch no network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
share_cores()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """benchctl's cache in a folder of the test session, also for subprocesses."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["BENCHCTL_CACHE"] = str(folder)
    return folder


@pytest.fixture(autouse=True)
def own_bases() -> Iterator[None]:
    """No base model is left to the next test by one that closed none of its models: any order of tests will do."""
    yield
    if bases := sys.modules.get("benchctl_plugins.models.bases"):
        bases._reserved.clear()
        bases.forget()


@pytest.fixture
def shared() -> Path:
    """The project's shared folder of data and models."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (data and models), which is not here")
    return SHARED


@pytest.fixture
def teste(shared: Path) -> Path:
    """The nine Portuguese test sets in one file."""
    return shared / "data/drbyte_ptbr/drbyte_ptbr_teste.csv"


@pytest.fixture
def stories(shared: Path) -> str:
    """Spec of a small trained model."""
    pytest.importorskip("transformers", reason="needs the extra 'hf'")
    return f"hf:{shared / 'models/stories260K'}"


class Ran(NamedTuple):
    """What the program did."""

    code: int
    out: str
    err: str


@pytest.fixture
def benchctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The program in this process, in an empty working folder: ``benchctl("run", "--task", ...)``."""
    from benchctl.cli import main
    from benchctl.config import load_config

    monkeypatch.chdir(tmp_path)
    load_config.cache_clear()

    def call(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return Ran(int(stop.value.code or 0), out, err)

    return call


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> Counter[Path]:
    """How often each file was read whole from now on."""
    found: Counter[Path] = Counter()
    plain = Path.read_bytes

    def counted(self: Path) -> bytes:
        found[self] += 1
        return plain(self)

    monkeypatch.setattr(Path, "read_bytes", counted)
    return found


@pytest.fixture
def program() -> list[str]:
    """The installed program, for subprocesses."""
    found = shutil.which("benchctl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, "benchctl is not installed in this environment"
    return [found]


@pytest.fixture(scope="session")
def installed_plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third party's package, really installed, into a folder of its own."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(ROOT / "tests/third_party/sample_plugin", source)
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, capture_output=True, text=True)
    return target


@pytest.fixture
def environment(installed_plugin: Path) -> dict[str, str]:
    """For subprocesses that know the third party's plugin."""
    return {**os.environ, "PYTHONPATH": str(installed_plugin)}
