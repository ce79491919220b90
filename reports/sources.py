"""Which runs were asked the same questions, so that they may stand in one section of the leaderboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from benchctl.types import RunRecord


@dataclass(frozen=True, slots=True)
class Family:
    """Sources that share no task: together they give each task at most one set of questions."""

    sources: tuple[str, ...]
    builtin: bool = False


def source_name(record: RunRecord) -> str:
    """Where a run's questions come from, with the revision: another revision is another set of questions."""
    source, revision = from_here(str(record.data["source"])), record.data.get("revision")
    return f"{source}@{str(revision)[:12]}" if revision else source


def from_here(source: str) -> str:
    """A source as the command line names it.

    A name of ``[data]`` gives a path from the root: inside the working folder it is the file that ``--data`` names.
    """
    path = PurePath(source)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else source


def short_source(source: str) -> str:
    """A source as shown: a file without its folders, anything else as it is."""
    return source if source.startswith("hub:") else PurePath(source).name


def labels(sources: Sequence[str]) -> Mapping[str, str]:
    """Source -> how it is shown: short, unless two of them would look the same."""
    short = {source: short_source(source) for source in sources}
    return {source: name if list(short.values()).count(name) == 1 else source for source, name in short.items()}


def families(records: Sequence[RunRecord]) -> Mapping[str, Family]:
    """Source -> family. The source with most tasks comes first; the shipped sample is always alone and last.

    Medical questions of one file and Cosmos QA of another may share a section, since no task has both. Two copies of
    the same task never do.
    """
    tasks: dict[str, set[str]] = {}
    builtin: set[str] = set()
    for record in records:
        name = source_name(record)
        tasks.setdefault(name, set()).add(record.spec.task)
        if record.data["builtin"]:
            builtin.add(name)
    merged: list[list[str]] = []
    for name in sorted(tasks.keys() - builtin, key=lambda n: (-len(tasks[n]), n)):
        for family in merged:
            if all(tasks[name].isdisjoint(tasks[other]) for other in family):
                family.append(name)
                break
        else:
            merged.append([name])
    found = {name: Family(tuple(family)) for family in merged for name in family}
    return found | {name: Family((name,), builtin=True) for name in sorted(builtin)}


def short_model(spec: str) -> str:
    """A model as it was asked for, of a local path only the last part: ``hf:/home/ana/juiz,dtype=x`` is ``hf:juiz``."""
    backend, colon, target = spec.partition(":")
    path = target.partition(",")[0]
    return f"{backend}{colon}{PurePath(path).name}" if path.startswith(("/", ".", "~")) else spec
