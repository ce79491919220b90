"""A run's figures in a model card: ``model-index`` in the head of ``README.md``, as the Hugging Face hub reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from benchctl import __version__
from benchctl.errors import RecordError
from benchctl.fingerprints import digest
from benchctl.records import StoredRun, replace_file
from benchctl.remarks import SAMPLE
from benchctl.trained import leaked
from benchctl.types import Estimate, RunRecord

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

LABELS = {"multiple_choice": "multiple-choice", "text": "text-generation", "corpus": "text-generation"}
"""benchctl's kind of task -> the hub's."""


def write(run: StoredRun, out: Path) -> list[Path]:
    """Put the run's figures into ``OUT/README.md``, which is made where there is none; everything else in it stays.

    A figure of the same task, data and settings takes the place of the one that stood there.

    Raises:
        RecordError: the run is not complete, it asked the shipped sample, or the card cannot be read or written.
    """
    _refuse(run)
    path = out / "README.md"
    card = _card(path, f"---\n{{}}\n---\n\n# {_name(run.record)}\n")
    new = list(_results(run.record))
    old = [one for one in card.data.eval_results or () if not any(_same(one, other) for other in new)]
    card.data.model_name = card.data.model_name or _name(run.record)
    card.data.eval_results = [*old, *new]
    try:
        out.mkdir(parents=True, exist_ok=True)
        replace_file(path, str(card))
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}.", "Give another folder with --out.") from error
    return [path]


def _card(path: Path, empty: str) -> Any:
    """The card in a file, as huggingface-hub reads it; ``empty`` where there is none."""
    from huggingface_hub import ModelCard
    from yaml import YAMLError

    try:
        # A mark that editors on Windows put in front hides the head from huggingface-hub.
        return ModelCard(path.read_text(encoding="utf-8-sig") if path.exists() else empty)
    except (OSError, ValueError, YAMLError) as error:
        first = str(error).splitlines()[0]
        hint = "Mend its head, YAML between two lines of ---, or give another folder."
        raise RecordError(f"The model card {path} cannot be read: {first}.", hint) from error


def _refuse(run: StoredRun) -> None:
    record = run.record
    if record.status != "complete":
        raise RecordError(f"Run {record.id} is {record.status}: its figures are not final.",
                          "The command that began it goes on there.")  # fmt: skip
    if record.data["builtin"]:
        raise RecordError(f"Run {record.id} cannot go into a model card: {SAMPLE}.", "Run the task on its own data.")


def _results(record: RunRecord) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    source = str(record.data["source"])
    on_hub = source.startswith("hub:")
    for name, estimate in record.estimates.items():
        if estimate.higher_is_better is None:
            continue
        yield EvalResult(
            task_type=LABELS.get(str(record.task["kind"]), "text-generation"), task_name=record.spec.task,
            dataset_type=source.removeprefix("hub:").partition("@")[0] if on_hub else record.spec.task,
            dataset_name=str(record.task["title"]), dataset_config=_settings(record),
            dataset_revision=record.data.get("revision"), metric_type=name,
            metric_value=round(estimate.value * (100 if estimate.percent else 1), 4),
            metric_name=_told(name, estimate, record), metric_args=_made_by(record),
        )  # fmt: skip


def _told(name: str, estimate: Estimate, record: RunRecord) -> str:
    """The figure's name with what must stand beside it: unit, interval, number of questions, leaks."""
    scale = 100 if estimate.percent else 1
    bounds = [] if estimate.low is None or estimate.high is None else [
        f"95% interval {estimate.low * scale:.4g} to {estimate.high * scale:.4g}"
    ]  # fmt: skip
    rows = leaked(record)
    told = [*(["%"] if estimate.percent else []), *bounds, f"n {estimate.n}",
            *([f"trained on {rows} rows with questions of this test"] if rows else [])]  # fmt: skip
    return f"{name} ({', '.join(told)})"


def _settings(record: RunRecord) -> str:
    """How the questions were put: results of other settings stand beside these, and do not take their place."""
    spec = record.spec
    told = [spec.scoring, f"{spec.shots}-shot"]
    told += [f"examples from {PurePath(spec.shots_data).name}"] if spec.shots and spec.shots_data != "builtin" else []
    told += [f"seed {spec.seed}"] if spec.seed else []
    told += [f"prompt template {digest(spec.prompt_template)[:12]}"] if spec.prompt_template is not None else []
    told += [f"up to {spec.max_tokens} tokens"] if spec.scoring in ("generate", "text") else []
    told += [f"{spec.repeats} answers each"] if spec.repeats > 1 else []
    told += [f"{record.counts['n'] // spec.repeats} of {record.data['total']} questions"] if spec.limit else []
    return ", ".join(told)


def _made_by(record: RunRecord) -> dict[str, Any]:
    return {"benchctl": __version__, "run": record.id, "data": record.fingerprints["data"][:12]}


def _name(record: RunRecord) -> str:
    """Of a named model its own; of a spec what its backend calls it."""
    named = record.spec.model.partition(",")[0]
    return str(record.model["name"]) if ":" in named else named


def _same(one: EvalResult, other: EvalResult) -> bool:
    """Whether two results are of one figure over the same questions, under the same settings."""
    names = ("task_type", "task_name", "dataset_type", "dataset_config", "dataset_revision", "metric_type")
    data = [(result.metric_args or {}).get("data") for result in (one, other)]
    return data[0] == data[1] and all(getattr(one, name) == getattr(other, name) for name in names)
