"""The dots: one chart per column and section, measured beside reported, and never a reported dot beside the sample."""

from __future__ import annotations

from benchctl.types import Estimate
from benchctl_reports.charts import charts
from benchctl_reports.leaderboard import build_leaderboard
from benchctl_reports.page import render
from benchctl_reports.reference_scores import as_reference

REFERENCE = as_reference(
    {
        "model": "R",
        "kind": "reported",
        "language": "en",
        "scoring": "papers",
        "source": "S",
        "scores": {"medqa-pt": 61.5},
    },
    "x",
)


def test_points_are_in_percent_and_best_first_and_reported_ones_have_no_interval(record):
    board = build_leaderboard([record("medqa-pt", "weak", 400), record("medqa-pt", "strong", 1000)], [REFERENCE])
    (chart,) = charts(board)

    assert [(p.owner.model, round(p.percent, 1), p.measured) for p in chart.points] == [
        ("strong", 78.6, True), ("R", 61.5, False), ("weak", 31.4, True),
    ]  # fmt: skip
    assert chart.points[1].low is None
    assert 28 < chart.points[2].low < 31.4 < chart.points[2].high < 35


def test_the_best_is_first_where_lower_is_better_too(record):
    loops = {
        m: {"loops": Estimate(v, 8, 0.1, 0.0, 1.0, "t", percent=True, higher_is_better=False)}
        for m, v in (("b", 0.5), ("a", 0.75))
    }
    (chart,) = charts(build_leaderboard([record("medtext", m, 0, total=8, estimates=e) for m, e in loops.items()]))

    assert [p.owner.model for p in chart.points] == ["b", "a"]


def test_the_built_in_sample_is_not_drawn_beside_reported_figures(record):
    sample = {"total": 24, "source": "builtin", "builtin": True}
    board = build_leaderboard([record("medqa-pt", m, 9, **sample) for m in ("a", "b")], [REFERENCE])
    (chart,) = charts(board)

    assert [p.owner.model for p in chart.points] == ["a", "b"]


def test_points_of_a_scale_are_not_drawn_as_shares_where_a_first_run_had_none(record):
    def scored(value, percent):
        return {"points": Estimate(value, 30, 0.0, value, value, "t", percent=percent)}

    runs = [record("long", "mute", 0, n=30, total=30, estimates=scored(0.0, True)),
            record("long", "loud", 0, n=30, total=30, estimates=scored(75.0, False))]  # fmt: skip
    assert not list(charts(build_leaderboard(runs)))


def test_a_chart_names_the_data_of_its_own_dots_and_not_those_of_other_tasks(record, groups):
    """Files that share no task stand in one section: nine of them, of a folder of original files."""
    members = groups[0].members
    runs = [record(task, m, 40, source=f"/home/ana/{task}.csv") for m in ("a", "b") for task in members]
    runs += [record("cosmosqa-pt", m, 900, source="valid.csv") for m in ("a", "b")]
    named = {chart.column.task: chart.sources for chart in charts(build_leaderboard(runs, groups=groups))}
    assert named["cosmosqa-pt"] == ("valid.csv",) and named[members[0]] == (f"{members[0]}.csv",)
    assert set(named["mmlu-medical-pt"]) == {f"{task}.csv" for task in members}
    page = render(build_leaderboard(runs, groups=groups), "pt")
    assert "<code>cosmosqa-pt</code> <small>dados: valid.csv</small>" in page


def test_one_dot_makes_no_chart(record):
    assert not list(charts(build_leaderboard([record("medqa-pt", "m", 400)])))


def test_a_partial_group_is_not_drawn(record, groups):
    runs = [record(task, model, 50) for model in ("a", "b") for task in groups[0].members[:2]]

    assert [c.column.task for c in charts(build_leaderboard(runs, groups=groups))] == list(groups[0].members[:2])
