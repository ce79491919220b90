"""The report of a judgement as a table and lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchctl.cli.tables import draw
from benchctl.types import Estimate

from .judging import Plan, usage
from .questions import ANSWER
from .report import Report


def print_report(plan: Plan, report: Report) -> None:
    """The report for people, on standard output."""
    console = Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 160, emoji=False)
    if any(report.results.values()):
        table = Table(title=Text(f"{plan.rubric.title} · 95 % intervals"), title_justify="left", title_style="dim")
        for heading in ("judged", "figure", "mean", "interval", "of", "n", "alpha", "kappa"):
            left = heading in ("judged", "figure")
            table.add_column(heading, justify="left" if left else "right", no_wrap=not left)
        for subject, estimates in report.results.items():
            for name, e in estimates.items():
                rated = report.agreement.get(name) if subject == ANSWER else None
                table.add_row(
                    subject, name, f"{e.value:.2f}", _interval(e), f"{report.best[name]:g}", str(e.n),
                    _number(rated.alpha if rated else None), _number(rated.kappa if rated else None),
                )  # fmt: skip
        draw(table)
    elif report.results:
        console.print("No verdict could be read, so there is no figure.", markup=False, highlight=False)
    for line in _lines(report):
        console.print(line, markup=False, highlight=False)


def _lines(report: Report) -> Iterator[str]:
    for judge, pair in report.pairs.items():
        yield f"{judge}: {pair.wins} won, {pair.losses} lost, {pair.ties} without preference"
        if pair.win_rate is not None:
            e = pair.win_rate
            yield f"  win rate {e.value * 100:.1f} % ({_interval(e, 100)}), n {e.n}; 50 % is no difference"
        p = "" if pair.position_p is None else f", p {pair.position_p:.3f}"
        yield f"  order decided: {pair.flips_first} for the first, {pair.flips_second} for the second{p}"
    for j in report.judgements:
        counts = j.counts()
        spent = usage(j.purse)
        price = f", cost {spent['cost']:g}" if spent["cost"] is not None else ""
        yield (
            f"{j.judge}: {counts['read']} of {counts['asked']} verdicts read ({counts['mended']} at the second try), "
            f"{counts['unreadable']} unreadable, {counts['failed']} failed, {counts['waiting']} not asked; "
            f"{spent['prompt_tokens']} + {spent['completion_tokens']} tokens{price}"
        )
        yield f"  {j.path}"


def _interval(e: Estimate, scale: float = 1) -> str:
    return "-" if e.low is None or e.high is None else f"{e.low * scale:.2f} – {e.high * scale:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
