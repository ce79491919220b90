"""A run is a folder: ``runs/<task>/<model>/<id>/`` with run.json, samples.jsonl and scores.jsonl."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.durable import sync
from benchctl.errors import BenchctlError, RecordError
from benchctl.fingerprints import digest, field_names, plain
from benchctl.journal import Journal, read_lines
from benchctl.types import FORMAT, Response, RunRecord, RunSpec, Sample, Score

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PATIENCE = 0.5
"""Seconds in which a lock is free again that is held only to see whether a run is alive."""


@contextmanager
def locked(folder: Path, patience: float = 0) -> Iterator[None]:
    """Make a folder and keep other processes out of it, for as long as this one lives and is at work there.

    Args:
        folder: gets a file ``lock``.
        patience: seconds to wait for it.

    Raises:
        RecordError: another process is writing there.
    """
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / "lock", timeout=patience)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise RecordError(f"{folder} is in use by another benchctl.", "Wait for it to end, or stop it.") from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where one run is kept."""

    path: Path

    @contextmanager
    def lock(self, patience: float = PATIENCE) -> Iterator[None]:
        """Keep other processes out; the system frees it when this process ends, however it ends.

        Args:
            patience: seconds to wait for it.

        Raises:
            RecordError: another process is writing here.
        """
        with locked(self.path, patience):
            yield

    def journal(self) -> Journal:
        """The answers, open for more; hold the lock."""
        return Journal(self.path / "samples.jsonl")

    def answers(self) -> list[dict[str, Any]]:
        """The answered samples as written down, each once: see :func:`entry`.

        Files of two machines that were put together hold some twice; the last one counts, as for :func:`runner.run`.
        """
        return list({str(line["id"]): line for line in read_lines(self.path / "samples.jsonl")}.values())

    def scores(self) -> list[Score]:
        """The scored samples, in the task's order; empty while the run has none.

        Raises:
            RecordError: the file was damaged.
        """
        file, found = self.path / "scores.jsonl", list[Score]()
        mend = f"Delete that file and run 'benchctl rescore {self.path.name}': the answers are kept."
        try:
            found.extend(_adapter(Score).validate_python(line) for line in read_lines(file))  # up to the damaged one
        except RecordError as error:
            raise RecordError(error.message, mend) from error
        except ValueError as error:
            raise RecordError(f"{file}, line {len(found) + 1}: damaged ({_first_fault(error)}).", mend) from error
        return found

    def settled_scores(self) -> list[Score]:
        """As :meth:`scores`, for what cannot go without.

        Raises:
            RecordError: there are answers without a score: the run was killed before it wrote them, or the folder was
                copied in part. Those would be left out of all that is made of the scores.
        """
        found = self.scores()
        if self._lines() > len(found) and (answers := len(self.answers())) > len(found):
            lacking = f"{answers - len(found)} of its {answers}" if found else f"its {answers}"
            raise RecordError(
                f"Run {self.path.name} was killed before {lacking} answers were scored, or scores.jsonl lost its end.",
                f"Run its command again, or score what there is: benchctl rescore {self.path.name}.",
            )
        return found

    def in_use(self) -> bool:
        """Whether a process is writing here."""
        if not os.access(self.path, os.W_OK):
            return False
        try:
            with self.lock(patience=0):
                return False
        except RecordError:
            return True

    def record(self, held: bool = False) -> RunRecord | None:
        """The manifest, or None when no run began here. One that says it is running and was killed is interrupted.

        Args:
            held: the caller has the lock, so that nobody else can be running it.

        Raises:
            RecordError: the file is no run record.
        """
        record = self._manifest()
        if record is not None and record.status == "running" and (held or not self.in_use()):
            record = self._manifest()  # it may have ended since
            if record is not None and record.status == "running":
                return self._as_interrupted(record)
        return record

    def _as_interrupted(self, record: RunRecord) -> RunRecord:
        """A killed run's manifest, of the beginning of its sitting, with the answers that it wrote down since."""
        answered = self._lines()
        errors = min(record.counts["errors"], record.counts["n"] - answered)
        return replace(record, status="interrupted", counts={**record.counts, "answered": answered, "errors": errors})

    def _lines(self) -> int:
        """Whole lines of the answers, counted without holding or understanding them."""
        journal = self.path / "samples.jsonl"
        if not journal.exists():
            return 0
        with journal.open("rb") as file:
            return sum(line.endswith(b"\n") for line in file)

    def lacks_answers(self, record: RunRecord) -> bool:
        """Whether answers of a finished run have gone since, as with a damaged line that was deleted.

        A run without any is only read: its answers were left behind, not lost.
        """
        return 0 < self._lines() < int(record.counts["answered"])

    def _manifest(self) -> RunRecord | None:
        file = self.path / "run.json"
        if not file.exists():
            return None
        try:
            content = file.read_bytes()
        except OSError as error:
            raise RecordError(
                f"{file} cannot be read: {error.strerror}.", "Check what it is, and its permissions."
            ) from error
        try:
            record: RunRecord = _adapter(RunRecord).validate_json(content)
        except ValueError as error:
            raise _no_record(file, content, _first_fault(error)) from error
        lacking = [f"{part}.{key}" for part, key in _NEEDED if key not in getattr(record, part)]
        if lacking or record.format != FORMAT:
            raise _no_record(file, content, f"it lacks {', '.join(lacking)}")
        return record

    @contextmanager
    def forgotten_if_refused(self) -> Iterator[None]:
        """Around a run's first sitting, in the lock: one refused before it wrote an answer down leaves no folder."""
        try:
            yield
        except BenchctlError:
            journal = self.path / "samples.jsonl"
            if not (journal.exists() and journal.stat().st_size):
                for name in ("run.json", "samples.jsonl", "lock"):
                    (self.path / name).unlink(missing_ok=True)
                with suppress(OSError):  # something else lies there, or other runs do
                    for folder in (self.path, self.path.parent, self.path.parent.parent):
                        folder.rmdir()
            raise

    def save(self, record: RunRecord, scores: Iterable[Score]) -> None:
        """Replace scores.jsonl, then run.json, each atomically: a reader sees the old or the new, never half."""
        lines = (json.dumps(asdict(score), ensure_ascii=False) + "\n" for score in scores)
        replace_file(self.path / "scores.jsonl", "".join(lines))
        self.save_record(record)

    def save_record(self, record: RunRecord) -> None:
        """Replace run.json alone."""
        replace_file(self.path / "run.json", json.dumps(asdict(record), ensure_ascii=False, indent=1) + "\n")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run found on disk."""

    record: RunRecord
    path: Path


def entry(sample: Sample, prompt_hash: str, responses: Sequence[Response]) -> dict[str, Any]:
    """One line of samples.jsonl: the sample as asked (its raw row apart), and the raw answers.

    What a task keeps beside a sample, for a metric of its own, is written down too: scoring again needs it.
    """
    shown = {name: getattr(sample, name) for name in field_names(Sample) if name != "metadata"}
    shown["metadata"] = {name: value for name, value in sample.metadata.items() if name != "row"}
    asked = {name: plain(value) for name, value in shown.items() if value not in ("", None, {})}
    return {"id": sample.id, "prompt": prompt_hash, "sample": asked, "responses": [_lean(r) for r in responses]}


def entry_sample(line: Mapping[str, Any]) -> Sample:
    """The sample of a line of samples.jsonl, which leaves out what is empty."""
    sample: Sample = _adapter(Sample).validate_python({"id": line["id"], "question": "", **line["sample"]})
    return sample


def entry_responses(line: Mapping[str, Any]) -> tuple[Response, ...]:
    """The responses of a line of samples.jsonl."""
    return tuple(_adapter(Response).validate_python(r) for r in line["responses"])


def run_id(spec: RunSpec, fingerprints: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits that name the run: the spec and what it stood for.

    Where data and examples were read from is no part of it, their content is: a file that was moved, renamed or is
    given by another path is the same run.
    """
    fixed = {name: value for name, value in plain(spec).items() if name not in ("data", "shots_data")}
    return _twelve(fixed, fingerprints)


def run_place(out: Path, spec: RunSpec, fingerprints: Mapping[str, str]) -> RunFolder:
    """The folder of a run under ``out``: one that was named with the path of its data, as all once were, is kept."""
    earlier = run_folder(out, spec, _twelve(plain(spec), fingerprints))
    return earlier if earlier.path.is_dir() else run_folder(out, spec, run_id(spec, fingerprints))


def _twelve(spec: Mapping[str, Any], fingerprints: Mapping[str, str]) -> str:
    return digest({"spec": spec, "fingerprints": dict(fingerprints)})[:12]


def run_folder(out: Path, spec: RunSpec, identity: str) -> RunFolder:
    """The folder of a run under ``out``."""
    return RunFolder(out / slug(spec.task) / slug(spec.model) / identity)


def slug(name: str) -> str:
    """A name as part of a path: letters, digits, dots and dashes."""
    short = re.sub(r"[^\w.-]+", "-", name).strip("-.")
    return short if len(short) <= 80 else f"{short[:60]}-{digest(name)[:12]}"


def read_runs(folder: Path, left_out: Callable[[Path, RecordError], object] | None = None) -> list[StoredRun]:
    """Every run under a folder that has a manifest, oldest first.

    Args:
        folder: the folder of the runs.
        left_out: told of each run whose manifest cannot be read, its folder and why, while the others go on; without
            it, the first such run stops them all.

    Raises:
        RecordError: the folder does not exist, or a manifest cannot be read and nobody is told.
    """
    if not folder.is_dir():
        raise RecordError(
            f"There is no folder '{folder}' with runs.", "Run 'benchctl run' first, or give --runs FOLDER."
        )
    found = []
    for file in sorted(folder.glob("*/*/*/run.json")):
        try:
            record = RunFolder(file.parent).record()
        except RecordError as error:
            if left_out is None:
                raise
            left_out(file.parent, error)
            continue
        if record is not None:
            found.append(StoredRun(record, file.parent))
    return sorted(found, key=lambda run: str(run.record.timings.get("finished", "")))


def find_run(folder: Path, name: str) -> StoredRun:
    """The run with this id, the beginning of its id, or its path.

    Raises:
        RecordError: none, several, or one that cannot be read; others that cannot are of no concern.
    """
    if (Path(name) / "run.json").is_file():
        record = RunFolder(Path(name)).record()
        if record is not None:
            return StoredRun(record, Path(name))

    def unread(path: Path, error: RecordError) -> None:
        if path.name.startswith(name):
            raise error

    found = [run for run in read_runs(folder, unread) if run.record.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    what = "No run" if not found else f"{len(found)} runs"
    if len({run.record.id for run in found}) == 1:
        places = ", ".join(f"'{run.path}'" for run in found[:3])
        raise RecordError(f"{what} in {folder} are '{name}': copies of one.", f"Give the path of one: {places}.")
    raise RecordError(f"{what} in {folder} with an id that begins with '{name}'.", "'benchctl list runs' shows them.")


def replace_file(path: Path, text: str) -> None:
    """Write a file so that it is never seen half written: draft, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:  # half a draft would only fill a full disk
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _no_record(file: Path, content: bytes, why: str) -> RecordError:
    """Of another format only that is said: what is wrong in this one may be right there, and is not to be deleted."""
    with suppress(ValueError):
        held = json.loads(content)
        if isinstance(held, dict) and isinstance(own := held.get("format"), int) and own != FORMAT:
            return RecordError(f"{file} has the format {own}, and this benchctl reads {FORMAT}.",
                               "Read it with the benchctl that wrote it.")  # fmt: skip
    return RecordError(f"{file} is not a run record: {why}.", "Delete it: the answers beside it are kept.")


def _first_fault(error: ValueError) -> str:
    """What pydantic found first, and where."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {fault['msg']}" if place else fault["msg"]


def _lean(response: Response) -> dict[str, Any]:
    """The response without the parts that hold their default, to keep lines short."""
    held = {name: getattr(response, name) for name in field_names(Response)}
    return {name: plain(value) for name, value in held.items() if value != getattr(_EMPTY, name)}


_EMPTY = Response()
_NEEDED = (
    ("fingerprints", "data"), ("fingerprints", "model"), ("fingerprints", "prompt"), ("timings", "seconds"),
    ("data", "source"), ("data", "total"), ("data", "builtin"),
    ("counts", "n"), ("counts", "answered"), ("counts", "errors"), ("counts", "cut"), ("counts", "bad_rows"),
    ("counts", "outcomes"),
)  # fmt: skip
"""Keys that every record has, and what reads records relies on."""


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
