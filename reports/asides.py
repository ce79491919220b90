"""What stands beside a name or a number, in words: how it came about, and what makes it less than it seems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchctl.written import outdated

from .board import Cell, Column, GroupCell, Reference, Row
from .language import Language
from .sources import short_source


class Aside(NamedTuple):
    """A remark beside a number."""

    kind: str
    """``bad``, ``warn``, ``low``, ``sample``, ``judged``, or empty: how the page colours it."""
    text: str
    title: str = ""
    """The same at length, where the text is short."""


def tags(row: Row, words: Language) -> list[tuple[str, str]]:
    """What kind of row it is, each with its CSS class."""
    told = (("baseline", row.baseline), ("untrained", row.untrained), ("leaked", bool(row.leaks)))
    return [(name, words.text(f"row.{name}")) for name, holds in told if holds]


def setup(row: Row, words: Language) -> list[str]:
    """How the row's model was loaded and asked; what everybody does is left out."""
    key, text = row.key, words.text
    told = (
        (row.adapter, text("row.adapter", name=row.adapter)),
        (row.quantisation, text("row.quantisation", scheme=row.quantisation)),
        (True, words.name("scoring", key.scoring)),
        (True, text("row.shots", n=key.shots)),
        (key.repeats > 1, text("row.repeats", n=key.repeats)),
        (key.seed, text("row.seed", seed=str(key.seed))),
        (key.shots_data not in ("", "builtin"), text("row.shots_data", source=short_source(key.shots_data))),
        (key.prompt, text("row.prompt", hash=key.prompt)),
        (key.max_tokens not in (None, 256), text("row.max_tokens", n=key.max_tokens)),
        (row.show_fingerprint, text("row.model_hash", hash=key.fingerprint[:8])),
    )
    return [said for holds, said in told if holds]


def detail(row: Row, words: Language) -> list[str]:
    """What stands below a measured row's name: its size, and its set-up."""
    size = [words.text("row.parameters", size=words.size(row.parameters))] if row.parameters else []
    return [*size, *setup(row, words)]


def reference_detail(reference: Reference, words: Language) -> list[str]:
    """What stands below the name of a row that others reported."""
    size = [words.text("row.parameters", size=words.size(reference.parameters))] if reference.parameters else []
    language = words.text("row.test_language", language=words.name("language", reference.language))
    return [*size, language, words.name("scoring", reference.scoring)]


def below(column: Column, words: Language) -> list[str]:
    """What stands below a column's title."""
    chance = [] if column.chance is None else [words.value(column.chance, percent=True)]
    told = (
        (column.members, words.text("table.group", n=len(column.members))),
        (column.metric != "accuracy", words.text("table.metric", name=column.metric)),
        (not column.higher_is_better, words.text("table.lower")),
        *((True, words.text("table.chance", value=value)) for value in chance),
    )
    return [said for holds, said in told if holds]


def remarks(cell: Cell | GroupCell, column: Column, words: Language) -> list[Aside]:
    """Everything to be said of a number, or of its absence, in the order of its weight."""
    group = isinstance(cell, GroupCell)
    found = [*_size(cell, words)] if cell.estimate or not group else []
    if cell.estimate and cell.leaked:
        found.append(Aside("bad", words.plural("cell.leaked", cell.leaked, tests=", ".join(cell.leaks))))
    found += _of_group(cell, words) if isinstance(cell, GroupCell) else _of_run(cell, words)
    if cell.near_chance and column.metric == "accuracy":
        found.append(Aside("low", words.text("cell.near_chance")))
    return found


def status(cell: Cell, words: Language) -> str:
    """How far an unfinished run came."""
    counts, told = cell.record.counts, words.name("cell", cell.record.status)
    if not cell.waiting:
        return told
    of = "cell.answers" if cell.record.spec.repeats > 1 else "cell.subset"
    return f"{told}: {words.text(of, n=int(counts['answered']), total=int(counts['n']))}"


def part(cell: Cell | GroupCell, words: Language) -> str:
    """How many of the questions were asked, and that they are the first ones: only a draw stands for the whole."""
    first = isinstance(cell, Cell) and cell.record.spec.limit is not None and not cell.record.spec.drawn
    return words.text("cell.subset_first" if first else "cell.subset", n=cell.n, total=cell.total)


def _size(cell: Cell | GroupCell, words: Language) -> Iterator[Aside]:
    estimate = cell.estimate
    if cell.builtin:
        long = words.plural("cell.builtin", cell.n)
        yield Aside("sample", words.plural("cell.builtin_short", cell.n), long)
    elif cell.subset:
        yield Aside("warn", part(cell, words))
    elif estimate or cell.complete:
        yield Aside("", words.text("cell.n", n=estimate.n if estimate else cell.n))
    if (cell.builtin or cell.subset) and estimate and estimate.n != cell.n:
        yield Aside("", words.text("cell.n", n=estimate.n))


def _of_group(cell: GroupCell, words: Language) -> Iterator[Aside]:
    if not cell.estimate:
        whole = words.text("cell.partial_long", present=cell.present, wanted=cell.wanted)
        yield Aside("warn", words.text("cell.partial_rest"), whole)
    elif not cell.complete:
        yield Aside("bad", words.text("cell.incomplete"))
    bent = [task for task, one in cell.members.items() if one.record.data.get("lopsided")]
    if cell.estimate and bent:
        yield Aside("bad", words.text("cell.lopsided_members", tasks=", ".join(bent)))
    yield from _answered(cell, words)


def _of_run(cell: Cell, words: Language) -> Iterator[Aside]:
    counts = cell.record.counts
    if not cell.complete:
        yield Aside("bad", status(cell, words))
    if label := cell.record.data.get("lopsided"):
        yield Aside("bad", words.text("cell.lopsided", label=label))
    if counts["errors"]:
        yield Aside("bad", words.plural("cell.errors", int(counts["errors"])))
    for name, count in cell.other_outcomes.items():
        known = f"outcome.{name}.one" in words.strings
        yield Aside("", words.plural(f"outcome.{name}", count) if known else f"{words.count(count)} {name}")
    yield from _answered(cell, words)
    if cell.judges:
        yield Aside("judged", words.text("cell.judged", judges=", ".join(cell.judges)))
    if reader := cell.second_reader:
        yield Aside("judged", words.plural("cell.second_reader", int(reader["read"]), model=reader["model"]))
    if outdated(cell.record):
        yield Aside("warn", words.text("cell.outdated"), words.text("cell.outdated_long"))
    if cell.degenerate:
        yield Aside("warn", words.text("cell.degenerate", share=words.value(cell.degenerate.value, percent=True)))
    for name in ("bad_rows", "cut", "unfinished"):
        if counts.get(name):
            yield Aside("warn", words.plural(f"cell.{name}", int(counts[name])))
    if cell.data_differ:
        yield Aside("warn", words.text("cell.data", hash=cell.questions[:8]))


def _answered(cell: Cell | GroupCell, words: Language) -> Iterator[Aside]:
    if cell.answered:
        value = words.value(cell.answered.value, percent=True)
        yield Aside("", words.plural("cell.answered", cell.answered.n, value=value))
