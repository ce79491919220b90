"""What must be said beside a comparison of two runs, since their difference may not be the models' alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from benchctl import second_reader, written
from benchctl.trained import label, leaked
from benchctl.types import RunRecord, RunSpec

if TYPE_CHECKING:
    from benchctl.shared_answers import Shared, Side


class Remark(str):
    """A sentence in English that can also be said in other words: ``Remark("{n} are missing", n=3)``."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Fill the template in."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def translated(self, words: Mapping[str, str]) -> str:
        """The sentence by a table of templates; remarks among its values too."""
        said = {k: v.translated(words) if isinstance(v, Remark) else v for k, v in self.values.items()}
        return words.get(self.template, self.template).format(**said)


SAMPLE = Remark("the questions are the built-in sample: they say nothing about a model's quality")


def settings(spec: RunSpec) -> Mapping[str, Any]:
    """What of a spec must be alike for two models to be compared; what cannot change the result is left out."""
    generated = spec.scoring in ("generate", "text")
    return {
        "scoring": spec.scoring, "shots": spec.shots, "seed": spec.seed,
        "shots-data": spec.shots_data if spec.shots else None, "prompt template": spec.prompt_template,
        "max tokens": spec.max_tokens if generated else None, "repeats": spec.repeats,
    }  # fmt: skip


def outdated(runs: Iterable[RunRecord]) -> dict[str, Remark]:
    """What to say of a model's runs of several tasks whose weights are no more those of its latest run; by run id."""
    several = list(runs)
    if not several:
        return {}
    latest = max(several, key=lambda run: str(run.timings.get("finished", "")))
    return {
        run.id: Remark("{model} was another model when this ran, before {task}: run it again",
                       model=label(run), task=latest.spec.task)
        for run in several
        if run.fingerprints["model"] != latest.fingerprints["model"]
    }  # fmt: skip


def asked_otherwise(run: RunRecord, others: Sequence[RunRecord]) -> list[Remark]:
    """A line per setting in which a task's run differs from that of the first task of its kind that is compared too."""
    first = next((other for other in others if other.task.get("kind") == run.task.get("kind")), run)
    one, two = settings(first.spec), settings(run.spec)
    return [
        Remark("asked otherwise than {task}: {what} {b} instead of {a}",
               task=first.spec.task, what=Remark(name), a=_short(one[name]), b=_short(two[name]))
        for name in one
        if one[name] != two[name]
    ]  # fmt: skip


def remarks(shared: Shared) -> tuple[Remark, ...]:
    """All there is to say of two runs that are compared."""
    first, second = shared.first.run.record, shared.second.run.record
    return (*_differing_settings(first, second), *_of_each(first), *_of_each(second), *_of_questions(shared))


def _differing_settings(first: RunRecord, second: RunRecord) -> list[Remark]:
    """A line per setting in which two runs differ."""
    one, two = settings(first.spec), settings(second.spec)
    lines = [_differs(name, one[name], two[name]) for name in one if one[name] != two[name]]
    versions = first.task.get("version"), second.task.get("version")
    if versions[0] != versions[1]:
        lines.append(_differs(Remark("version of the task"), *versions))
    if not lines and _worded_otherwise(first, second):
        lines.append(
            Remark("the prompts differ under the same settings: the file of examples or the wording has changed since")
        )
    for name in first.metrics:
        if name in second.metrics and first.metrics[name] != second.metrics[name]:
            both = _short(first.metrics[name]), _short(second.metrics[name])
            lines.append(Remark("{metric} was computed differently: {a} and {b}", metric=name, a=both[0], b=both[1]))
    return [*lines, *_judged_otherwise(first, second), *_read_otherwise(first, second)]


def _differs(what: object, one: object, two: object) -> Remark:
    return Remark("{what} differs: {a} and {b}", what=what, a=_short(one), b=_short(two))


def _worded_otherwise(first: RunRecord, second: RunRecord) -> bool:
    """Whether the same questions were put in other words to two models that are asked in one style."""
    one, two = first.fingerprints, second.fingerprints
    styles = [record.model.get("prompt_style") for record in (first, second)]
    return one["data"] == two["data"] and styles[0] == styles[1] and one["prompt"] != two["prompt"]


def _judged_otherwise(first: RunRecord, second: RunRecord) -> list[Remark]:
    """A line for what was added to both by different hands, as by other judges or rubrics; figures alike share one."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name in (n for n in first.added if n in second.added and n != second_reader.ADDED):
        one, two = ({key: _settled(v) for key, v in record.added[name].items()} for record in (first, second))
        other = next((key for key in one if one[key] != two.get(key)), None)
        if other is not None:
            found.setdefault((other, one[other], two.get(other, "-")), []).append(name)
    return [_differs(Remark("{what} of {metrics}", what=Remark(key), metrics=", ".join(names)), a, b)
            for (key, a, b), names in found.items()]  # fmt: skip


def _read_otherwise(first: RunRecord, second: RunRecord) -> list[Remark]:
    """A line where a model read what the rules could not in one run, and another one or nobody in the other."""
    said = [record.added.get(second_reader.ADDED) for record in (first, second)]
    readers = [facts["fingerprint"] if facts and facts["put"] else None for facts in said]
    unread = [reader is not None or record.counts["outcomes"].get("none", 0) > 0
              for reader, record in zip(readers, (first, second), strict=True)]  # fmt: skip
    if readers[0] == readers[1] or not all(unread):
        return []
    names = [facts["model"] if facts else Remark("nobody") for facts in said]
    return [Remark("answers the rules could not read were read by {a} and {b}", a=names[0], b=names[1])]


def _of_each(record: RunRecord) -> list[Remark]:
    lines = []
    if record.status != "complete":
        counts = {name: record.counts[name] for name in ("answered", "n")}
        status = Remark(record.status)
        lines.append(Remark("run {id} is {status}: {answered} of {n}", id=record.id, status=status, **counts))
    if record.data.get("lopsided"):
        said = "run {id} asked part of sorted data: '{label}' is right in another share of it than of all {total}"
        lines.append(Remark(said, id=record.id, label=record.data["lopsided"], total=record.data["total"]))
    if written.outdated(record):
        lines.append(
            Remark("an older benchctl wrote the answers of run {id}, some perhaps otherwise: to be sure, delete it and "
                   "run it again", id=record.id)
        )  # fmt: skip
    if rows := leaked(record):
        lines.append(
            Remark("{model} was trained on a row that holds test questions of this task: a difference is no gain",
                   model=label(record))
            if rows == 1 else
            Remark("{model} was trained on {rows} rows that hold test questions of this task: a difference is no gain",
                   model=label(record), rows=rows)
        )  # fmt: skip
    return lines


def _of_questions(shared: Shared) -> list[Remark]:
    lines = []
    both = _questions(shared.first, shared.ids)
    sizes = [_questions(side, side.scores.keys() & side.lines.keys()) for side in (shared.first, shared.second)]
    if max(sizes) > both:
        lines.append(
            Remark("only one question is in both runs, of {a} and {b} answered", a=sizes[0], b=sizes[1])
            if both == 1 else
            Remark("only {both} questions are in both runs, of {a} and {b} answered", both=both, a=sizes[0], b=sizes[1])
        )  # fmt: skip
    if _cut_otherwise(shared):
        lines.append(
            Remark("the tokenizers differ: perplexity, per token, does not compare these models; bits_per_byte does")
        )
    if shared.first.run.record.data.get("builtin"):
        lines.append(SAMPLE)
    return lines


def _questions(side: Side, ids: Iterable[str]) -> int:
    """How many questions these are; one that was asked several times (``--repeats``) counts once."""
    return len({side.lines[i]["sample"].get("repeat_of", i) for i in ids})


def _cut_otherwise(shared: Shared) -> bool:
    """Whether a perplexity of both rests on other tokens of the same texts."""
    sides = (shared.first, shared.second)
    if not all("perplexity" in side.run.record.estimates for side in sides):
        return False
    one, two = ([side.lines[i]["responses"][0].get("tokens") for i in shared.ids] for side in sides)
    return one != two


def _settled(value: object) -> str:
    """A value as text; of a list the order does not matter."""
    return ", ".join(sorted(map(str, value))) if isinstance(value, list | tuple) else str(value)


def _short(value: object) -> str:
    text = "-" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:40]}..."
