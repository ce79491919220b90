"""Runs made up for the tests of the reports: records are built here, no model and no data are involved."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from benchctl.plugins import Plugins
from benchctl.statistics import proportion
from benchctl.task import TaskGroup
from benchctl.types import Estimate, RunRecord, RunSpec
from benchctl_reports.board import Leaderboard
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.reference_scores import as_reference, multiple_choice

SIZES = {
    "medqa-pt": 1273, "medmcqa-pt": 4183, "pubmedqa-pt": 500, "mmlu-anatomy-pt": 135, "mmlu-clinical-knowledge-pt": 265,
    "mmlu-college-biology-pt": 144, "mmlu-college-medicine-pt": 173, "mmlu-medical-genetics-pt": 100,
    "mmlu-professional-medicine-pt": 272, "cosmosqa-pt": 2985,
}  # fmt: skip
TITLES = {
    "medqa-pt": "MedQA", "medmcqa-pt": "MedMCQA", "pubmedqa-pt": "PubMedQA", "cosmosqa-pt": "Cosmos QA",
    "mmlu-anatomy-pt": "MMLU anatomia", "mmlu-clinical-knowledge-pt": "MMLU conhecimento clínico",
    "mmlu-professional-medicine-pt": "MMLU medicina profissional",
}  # fmt: skip
MMLU = tuple(task for task in SIZES if task.startswith("mmlu-"))
LEAKS = {"medmcqa-pt": 1207, "pubmedqa-pt": 3, "exam & key.csv": 1}
"""Rows trained on with questions of the test: of a task in the table, of one that is not, and of a file."""
MakeRecord = Callable[..., RunRecord]


def accuracy(right: int, n: int) -> Estimate:
    """The estimate of ``right`` hits among ``n`` questions."""
    return proportion([1.0] * right + [0.0] * (n - right))


def make_record(task: str, model: str, right: int, **changes: Any) -> RunRecord:
    """A complete run of the whole test set with ``right`` hits; ``changes`` name fields of the spec or of the record.

    ``n`` asks only the first n questions, ``errors`` of which fail; ``outcomes``, ``cut`` and ``bad_rows`` are counts.
    """
    total = changes.pop("total", SIZES.get(task, 0))
    n, errors = changes.pop("n", total), changes.pop("errors", 0)
    source, builtin = changes.pop("source", "drbyte_ptbr_teste.csv"), changes.pop("builtin", False)
    bad_rows = changes.pop("bad_rows", 0)
    answered = n - errors
    outcomes: Mapping[str, int] = changes.pop("outcomes", {"choice": answered})
    estimates = {"accuracy": accuracy(right, answered)} if answered else {}
    if outcomes.get("choice", 0) != answered:
        estimates["accuracy_answered"] = accuracy(right, outcomes["choice"])
    finished = changes.pop("finished", "2026-03-01T12:00:00+00:00")
    spec_fields = {k: changes.pop(k) for k in list(changes) if k in RunSpec.__dataclass_fields__}
    spec = RunSpec(task, model, **{"data": "x.csv", "limit": n if n < total else None, **spec_fields})
    questions = changes.pop("questions", f"{source}|{task}|{n}")
    weights = changes.pop("weights", model)
    prints = {"data": _sha(questions), "model": _sha(weights), "prompt": _sha(questions + model)}
    return RunRecord(
        id=_sha(f"{spec}{prints}")[:12],
        spec=spec,
        status=changes.pop("status", "incomplete" if errors else "complete"),
        fingerprints=prints,
        task={"title": TITLES.get(task, task), "language": "pt", "kind": "multiple_choice", "version": 1,
              "chance": 1 / 3 if task == "pubmedqa-pt" else 0.25},
        data={"source": source, "revision": changes.pop("revision", None), "builtin": builtin, "total": total,
              "bad_rows": [f"row {i}: no question" for i in range(bad_rows)], "normalised": {"output": 2}},
        model={"name": model, "prompt_style": "text", "dtype": "float32", **changes.pop("manifest", {})},
        versions={"python": "3.11.7", "benchctl": "0.1.0"},
        hardware={"system": "Linux", "cores": 2},
        timings={"started": finished, "finished": finished, "seconds": changes.pop("seconds", 192.0), "sittings": 1},
        counts={"n": n, "answered": answered, "errors": errors, "cut": changes.pop("cut", 0), "bad_rows": bad_rows,
                "outcomes": outcomes},
        estimates=changes.pop("estimates", estimates),
        metrics={"accuracy": "accuracy|wilson"},
        errors=tuple({"id": str(i), "reason": "HTTP 503"} for i in range(min(errors, 20))),
        **changes,
    )  # fmt: skip


GROUPS = (
    TaskGroup("mmlu-medical-pt", "MMLU médico", MMLU),
    TaskGroup("multimedqa-pt", "MultiMedQA", ("medqa-pt", "medmcqa-pt", "pubmedqa-pt", *MMLU)),
)


@pytest.fixture
def record() -> MakeRecord:
    """:func:`make_record`."""
    return make_record


@pytest.fixture
def groups() -> tuple[TaskGroup, ...]:
    """The two groups of the medical test sets."""
    return GROUPS


@pytest.fixture
def board(record: MakeRecord, groups: tuple[TaskGroup, ...]) -> Leaderboard:
    """A bit of everything: whole, subset, incomplete, trained on the test, other outcomes, partial group, baseline, sample, references."""
    names = groups[0].members
    runs = [record(task, "hf:zephyr", 80 + 5 * i, manifest={"parameters": 7241732096}) for i, task in enumerate(names)]
    runs += [record(task, "hf:small", 40) for task in names[:4]]
    runs += [
        record("medmcqa-pt", "hf:zephyr", 2000, manifest={"parameters": 7241732096}, bad_rows=1),
        record("medmcqa-pt", "majority", 1348),
        record("medmcqa-pt", "hf:leaky", 3000, manifest={"training": {"recipe": "leaky", "data": {"leaks": LEAKS}}}),
        record("medmcqa-pt", "hf:small", 52, n=200, cut=31),
        record("medmcqa-pt", "openai:x", 2500, scoring="generate", errors=12,
               outcomes={"choice": 4000, "invented": 100, "multiple": 1, "none": 70}),
        record("medmcqa-pt", "tiny", 6, total=24, source="builtin", builtin=True),
    ]  # fmt: skip
    references = [as_reference(row, "source-studies") for row in multiple_choice()]
    return build_leaderboard(runs, references, groups, generated="2026-03-02T10:15:00+00:00")


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _TableReader(HTMLParser):
    """Collects the text of every cell of the first table, row by row; what is only for the eye is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = False
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._inside = True
        if self._skipped or given.get("aria-hidden") == "true":
            self._skipped += tag not in ("wbr", "path", "br", "input")
        elif self._inside and tag == "tr":
            self.rows.append([])
        elif self._inside and tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._inside = False
        if self._skipped:
            self._skipped -= tag not in ("wbr", "path", "br", "input")

    def handle_data(self, data: str) -> None:
        if self._inside and self.rows and self.rows[-1] and not self._skipped:
            self.rows[-1][-1] += data


def read_table(html: str) -> list[list[str]]:
    """The table of a page as a screen reader would find it: rows of cells with single spaces."""
    reader = _TableReader()
    reader.feed(html)
    return [[" ".join(cell.split()) for cell in row] for row in reader.rows]


@pytest.fixture
def table() -> Callable[[str], list[list[str]]]:
    """:func:`read_table`."""
    return read_table


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``install(module, ...)``: make these modules the only plugins there are, whatever this machine has."""

    def install_only(*modules: ModuleType) -> None:
        for module in modules:
            monkeypatch.setitem(sys.modules, module.__name__, module)
        plugins = Plugins([EntryPoint(m.__name__.rsplit(".")[-1], m.__name__, "benchctl") for m in modules])
        for place in ("benchctl.plugins.get_plugins", "benchctl_reports.page.get_plugins"):
            monkeypatch.setattr(place, lambda: plugins)

    return install_only
