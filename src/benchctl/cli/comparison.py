"""How two runs compare, as tables on standard output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich import box
from rich.table import Table

from benchctl.cli.tables import cell, draw
from benchctl.cli.wording import asked, interval, number, points, probability, say, value
from benchctl.comparing import Comparison, Comparisons, Disagreement
from benchctl.pairing import Difference
from benchctl.remarks import Remark
from benchctl.terminal import echo
from benchctl.types import Estimate


def print_comparisons(found: Comparisons, count: int, lang: str) -> None:
    """Every task with its metrics, then all tasks together, then where the runs disagree.

    Args:
        count: samples to show per task.
    """
    for one in found.tasks:
        _heading(one, lang)
    rows = [row for one in found.tasks for row in _rows(one.task, one.differences, lang)]
    if len(found.tasks) > 1:
        for metric, difference in found.pooled.items():
            name = "mean of the tasks" if metric in found.alike else "all together"
            rows += _rows(say(name, lang), {metric: difference}, lang)
    _print(rows, any(d.p_holm is not None for one in found.tasks for d in one.differences.values()), lang)
    for one in found.tasks:
        for metric, why in one.unpaired.items():
            echo(f"{one.task} · {metric}: {say('no pairs', lang)}: {say(why, lang)}")
        for line in one.warnings:
            echo(f"{say('warning', lang)}: {one.task}: {say(line, lang)}")
        _disagreements(one, count, lang)


def _heading(one: Comparison, lang: str) -> None:
    echo(f"{one.task} · n {one.n} {say('answered by both', lang)}")
    for letter, run in (("A", one.first), ("B", one.second)):
        spec = run.record.spec
        echo(f"  {letter}  {spec.model} · {asked(spec)} · {run.record.id}")


def _rows(task: str, differences: Mapping[str, Difference], lang: str) -> Iterator[list[str]]:
    for metric, d in differences.items():
        name = metric if d.higher_is_better is not False else f"{metric} ↓"
        shown = [value(Estimate(v, d.n, None, None, None, "", percent=d.percent), lang) for v in (d.first, d.second)]
        only = ["" if c is None else number(c, 0, lang) for c in (d.lost, d.gained)]
        ps = [probability(d.p, lang), "" if d.p_holm is None else probability(d.p_holm, lang)]
        yield [task, name, *shown, points(d, lang), interval(d, lang), *only, number(d.n, 0, lang), *ps,
               say(d.verdict, lang)]  # fmt: skip


def _print(rows: list[list[str]], several: bool, lang: str) -> None:
    headings = ["task", "metric", "A", "B", "difference", "95 % interval", "only A", "only B", "n", "p", "p (Holm)",
                "verdict"]  # fmt: skip
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_caption(rows, lang), caption_justify="left")
    kept = [place for place, name in enumerate(headings) if several or name != "p (Holm)"]
    for place in kept:
        left = headings[place] in ("task", "metric", "verdict")
        table.add_column(say(headings[place], lang), justify="left" if left else "right", no_wrap=not left,
                         overflow="fold")  # fmt: skip
    for row in rows:
        table.add_row(*(cell(row[place]) for place in kept))
    draw(table)


def _caption(rows: list[list[str]], lang: str) -> str:
    lower = f" · ↓ {say('lower is better', lang)}" if any("↓" in row[1] for row in rows) else ""
    return say("difference: B minus A", lang) + lower


def _disagreements(one: Comparison, count: int, lang: str) -> None:
    told = one.disagreements
    if not told or not count:
        return
    found = (Remark("1 disagreement on {metric}", metric=one.main) if len(told) == 1
             else Remark("{n} disagreements on {metric}", n=len(told), metric=one.main))  # fmt: skip
    shown = Remark("1 shown") if min(count, len(told)) == 1 else Remark("{n} shown", n=min(count, len(told)))
    echo(f"\n{one.task}: {say(found, lang)}, {say(shown, lang)}")
    for each in told[:count]:
        _sample(each, lang)


def _sample(each: Disagreement, lang: str) -> None:
    echo(f"  {each.id}: {_line(each.question, 200)}")
    if each.target:
        echo(f"     {say('right', lang)}: {_line(each.target, 160)}")
    for letter, answer, figure in (("A", each.first, each.first_value), ("B", each.second, each.second_value)):
        said = f"{_line(answer, 160)}  " if answer else f"{say('none', lang)}  " if each.target else ""
        echo(f"     {letter}: {said}({number(figure, 2, lang)})")


def _line(text: str, length: int) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= length else f"{joined[: length - 1]}…"
