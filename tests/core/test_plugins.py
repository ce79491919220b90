"""A broken plugin, a name taken twice and a misspelt hook are each reported and survived."""

from __future__ import annotations

import csv
import importlib
import re
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click
import pytest

from benchctl.creation import create_metrics, create_model, create_task
from benchctl.data import Row, Table
from benchctl.errors import BadData, PluginError, UnknownName
from benchctl.matrix import Matrix, run_matrix
from benchctl.model import ModelArgs
from benchctl.plugins import GROUP, Plugins, get_plugins
from benchctl.records import find_run
from benchctl.rescoring import rescored
from benchctl.runner import prepare, run
from benchctl.scoring import get_scoring
from benchctl.task import Task
from benchctl.types import RunSpec, Sample

BUILT_IN = list(entry_points(group=GROUP))


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Somebody's module as an entry point: ``foreign(name, source)``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, source: str) -> EntryPoint:
        monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        return EntryPoint(name, name, GROUP)

    return make


@pytest.fixture
def installed(monkeypatch):
    """Entry points as pip would have left them, beside the built-in ones: ``installed(entry)``."""

    def install(*entries: EntryPoint) -> None:
        monkeypatch.setattr("benchctl.plugins.entry_points", lambda group: [*BUILT_IN, *entries])
        get_plugins.cache_clear()
        get_plugins()

    yield install
    get_plugins.cache_clear()


HOOK = "from benchctl.hookspecs import hookimpl\n"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_module", "cannot be loaded (ModuleNotFoundError"),
        ("raise RuntimeError('on fire')", "cannot be loaded (RuntimeError: on fire"),
        ("import sys\nsys.exit('usage: me FILE')", "cannot be loaded (SystemExit: usage: me FILE"),
        ("def broken(:", "cannot be loaded (SyntaxError"),
        (
            HOOK + "@hookimpl\ndef benchctl_tasks():\n    raise ValueError('no')",
            "benchctl_tasks failed (ValueError: no)",
        ),
        (HOOK + "@hookimpl\ndef benchctl_tasks():\n    return 7", "benchctl_tasks failed (TypeError"),
        (HOOK + "@hookimpl\ndef benchctl_tasks(extra):\n    return {}", "cannot be loaded (PluginValidationError"),
        (
            HOOK + "@hookimpl\ndef benchctl_taks():\n    return {}",
            "unknown hook 'benchctl_taks'. Did you mean benchctl_tasks",
        ),
    ],
)
def test_a_bad_plugin_is_reported_and_the_others_work(foreign, source, says):
    plugins = Plugins([*BUILT_IN, foreign("badplugin", source)])
    (problem,) = plugins.problems
    assert says in problem
    assert problem.startswith("plugin 'badplugin'")
    assert "medmcqa-pt" in plugins.offers("task")


def test_a_name_taken_twice_stays_with_the_built_in_and_both_are_told(foreign):
    mine = foreign("zz", HOOK + "@hookimpl\ndef benchctl_metrics():\n    return {'accuracy': dict, 'mine': dict}")
    plugins = Plugins([mine, *BUILT_IN])
    assert plugins.offers("metric")["accuracy"].plugin.builtin
    assert "mine" in plugins.offers("metric")
    assert len(plugins.problems) == 2
    assert any("is taken by 'accuracy' (benchctl), which stays" in p for p in plugins.problems)


def test_nothing_is_wrong_with_the_built_in_plugins():
    plugins = Plugins(BUILT_IN)
    assert plugins.problems == []
    assert all(info.builtin for info in plugins.infos if info.distribution == "benchctl")


def test_an_unknown_name_comes_with_the_nearest_ones():
    with pytest.raises(UnknownName, match="no task called 'medmqa-pt'") as stop:
        Plugins(BUILT_IN).create("task", "medmqa-pt")
    assert "Did you mean medqa-pt" in stop.value.hint or "medmcqa-pt" in stop.value.hint


def test_plugins_can_be_blocked_by_name(monkeypatch):
    monkeypatch.setenv("BENCHCTL_BLOCK_PLUGINS", "medqa-pt")
    assert "medqa-pt" not in Plugins(BUILT_IN).offers("task")


def test_every_offer_says_what_it_is():
    plugins = Plugins(BUILT_IN)
    for kind in ("task", "model", "metric"):
        for offer in plugins.offers(kind).values():
            assert len(offer.summary) > 15, f"{kind} {offer.name} has no description"


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ("name, columns = 'other', ('q',)", "The task offered as 'mine' calls itself 'other'"),
        ("columns = ('q',)", "The task offered as 'mine' calls itself ''"),
        ("name, kind = 'mine', 'multiple-choice'", "The task mine is of kind 'multiple-choice'"),
        ("name, scoring = 'mine', 'letra'", "The task mine is scored by 'letra'"),
        ("name, instructions = 'mine', {'letra': 'Responda.'}", "instruction for 'letra', which is no scoring of it"),
        ("name, kind, instructions = 'mine', 'text', {'letter': 'R'}", "instruction for 'letter', which is no scoring"),
        ("name, metrics = 'mine', ('accuracy')", "metrics of the task mine are the text 'accuracy'"),
        ("name, columns = 'mine', 'q'", "columns of the task mine are the text 'q'"),
        ("name, chance = 'mine', '20 %'", "chance of the task mine is '20 %'"),
        ("name, chance = 'mine', 25", "chance of the task mine is 25"),
    ],
)
def test_a_task_that_could_not_be_run_is_refused_with_the_reason(foreign, task, says):
    offer = "@hookimpl\ndef benchctl_tasks():\n    return {'mine': Mine}"
    source = f"{HOOK}from benchctl.task import Task\nclass Mine(Task):\n    {task}\n{offer}"
    with pytest.raises(PluginError, match=says):
        create_task(Plugins([foreign("mine_plugin", source)]), "mine")


@pytest.mark.parametrize("kind", ["task", "model", "metric"])
def test_what_is_no_task_model_or_metric_is_told_so(foreign, kind):
    source = f"{HOOK}@hookimpl\ndef benchctl_{kind}s():\n    return {{'mine': lambda *args: None}}"
    plugins = Plugins([*BUILT_IN, foreign("mine_plugin", source)])
    made = {
        "task": lambda: create_task(plugins, "mine"),
        "model": lambda: create_model(plugins, "mine"),
        "metric": lambda: create_metrics(plugins, create_task(plugins, "medqa-pt"), ["mine"]),
    }
    with pytest.raises(PluginError, match=f"The {kind} 'mine' is made as a NoneType"):
        made[kind]()


class Own(Task):
    """A plugin's task that reads its file itself."""

    name, columns = "own", ("id", "caso")

    def read(self, path):
        with path.open(encoding="latin-1", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return Table(tuple(Row(i, row) for i, row in enumerate(rows, 1)), frozenset(rows[0]), str(path))

    def sample(self, row):
        return Sample(row.text("id"), row.text("caso"), {"A": "sim", "B": "não"}, "A")


def test_what_a_tasks_own_reader_trips_over_is_told_without_a_traceback(tmp_path):
    file = tmp_path / "casos.csv"
    file.write_text("id;casos\n1;Febre;alta\n", "latin-1")  # a cell too many, which csv.DictReader calls None
    with pytest.raises(BadData, match="no column 'caso'") as stop:
        Own().load(str(file))
    assert "casos" in stop.value.hint
    file.write_text("", "latin-1")
    with pytest.raises(PluginError, match=r"Task own failed to read .*casos.csv: IndexError"):
        Own().load(str(file))


def test_a_question_with_a_single_option_is_no_question(tmp_path):
    class Mine(Own):
        def sample(self, row):
            choices = {label: row.text(label) for label in "AB" if row.text(label)}
            return replace(super().sample(row), choices=choices)

    file = tmp_path / "casos.csv"
    file.write_text("id;caso;A;B\n1;Dor;sim;não\n2;Febre;sim;\n", "latin-1")
    with pytest.raises(BadData, match="row 2: has a single option"):
        Mine().load(str(file))
    data = Mine().load(str(file), skip_bad_rows=True)
    assert ([one.id for one in data.samples], len(data.bad_rows)) == (["1"], 1)


@pytest.mark.parametrize("part", [{"question": None}, {"context": None}, {"context": 5}, {"cluster": 7}])
def test_a_sample_whose_parts_are_no_text_could_not_be_read_again(tmp_path, part):
    class Mine(Own):
        def sample(self, row):
            return replace(super().sample(row), **part)

    file = tmp_path / "casos.csv"
    file.write_text("id;caso\n1;Dor de cabeça\n", "latin-1")
    assert Own().load(str(file)).samples[0].question == "Dor de cabeça"
    with pytest.raises(PluginError, match=r"made no Sample of .*question, context or cluster is none"):
        Mine().load(str(file))


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ("()", "The group mine has no members"),
        ("('medqa-pt')", "members of the task mine are the text 'medqa-pt'"),
        ("('medqa-pt', 'mmlu-medical-pt')", "The group mine holds the group mmlu-medical-pt"),
        ("('mine',)", "The group mine holds the group mine"),
    ],
)
def test_a_group_holds_tasks(foreign, installed, tmp_path, members, says):
    offer = f"@hookimpl\ndef benchctl_tasks():\n    return {{'mine': lambda: TaskGroup('mine', 'Mine', {members})}}"
    installed(foreign("mine_plugin", f"{HOOK}from benchctl.task import TaskGroup\n{offer}"))
    with pytest.raises(PluginError, match=says):
        Matrix.parse(["mine"], ["random"], tmp_path, {"data": "builtin"})


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_module", "plugin 'mine' cannot be loaded (ModuleNotFoundError"),
        (
            HOOK + "@hookimpl\ndef benchctl_tasks():\n    raise ValueError('no')",
            "benchctl_tasks failed (ValueError: no)",
        ),
    ],
)
def test_a_name_that_a_failed_plugin_may_have_had_is_missed_with_the_reason(foreign, source, says):
    with pytest.raises(UnknownName) as stop:
        Plugins([*BUILT_IN, foreign("mine", source)]).find("task", "mine-pt")
    assert says in stop.value.hint
    with pytest.raises(UnknownName) as stop:
        Plugins(BUILT_IN).find("task", "mine-pt")
    assert "plugin" not in stop.value.hint


def test_a_factory_that_fails_is_told_with_its_plugin(foreign):
    factory = "def mine(args):\n    return float(args)\n@hookimpl\ndef benchctl_metrics():\n    return {'mine': mine}"
    with pytest.raises(PluginError, match=r"The metric 'mine' of plugin 'p1' cannot be made: ValueError: .*'abc'"):
        Plugins([foreign("p1", HOOK + factory)]).create("metric", "mine", "abc")


def test_the_tutorials_plugin_works_as_it_stands_there(foreign, tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "tutorial" / "plugin.md").read_text("utf-8")
    code, table = ("\n".join(re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)) for kind in ("python", "csv"))
    plugins = Plugins([*BUILT_IN, foreign("tutorial_plugin", code)])
    assert plugins.problems == []
    (tmp_path / "capitais.csv").write_text(table, "utf-8")
    task = create_task(plugins, "capitals-pt")
    data = task.load(str(tmp_path / "capitais.csv"))
    model = plugins.create("model", "shortest", ModelArgs("shortest"))
    spec = RunSpec(task.name, "shortest", scoring="option")
    metrics = create_metrics(plugins, task, ["vowels"])
    record, folder = run(prepare(spec, task, get_scoring(task, "option", 1), metrics, model, data), tmp_path / "runs")
    assert [score.answer for score in folder.scores()] == ["C", "A"], "Natal is the shortest of both"
    assert (record.estimates["accuracy"].value, record.estimates["vowels"].value) == (0.0, 0.5)


CHANGING = f"""{HOOK}
from benchctl.metric import Metric
from benchctl.task import Task
from benchctl.types import Sample

class Prova(Task):
    name, columns, metrics, passages = "prova", ("id", "texto", "certa"), ("accuracy", "weighed"), True

    def sample(self, row):
        cluster = row.text("texto") if self.passages else None
        choices = {{"A": "sim", "B": "não"}}
        return Sample(row.text("id"), f"{{row.number}} está certo?", choices, row.text("certa"), "", cluster, {{"weight": row.number}})

class Weighed(Metric):
    name = "weighed"

    def value(self, scored):
        return scored.sample.metadata["weight"] * (scored.answer.label == scored.sample.target)

@hookimpl
def benchctl_tasks():
    return {{"prova": Prova}}

@hookimpl
def benchctl_metrics():
    return {{"weighed": Weighed}}
"""


class Notes:
    """A display that keeps what it is told."""

    def __init__(self):
        self.told = []

    def note(self, text):
        self.told.append(text)

    def job(self, title):
        return lambda done, total: None


@pytest.fixture
def changing(foreign, installed, tmp_path):
    """A task that a test may change between runs, and ``asked()``: the same command once more, and what it notes."""
    installed(foreign("changing", CHANGING))
    file = tmp_path / "prova.csv"
    file.write_text("id,texto,certa\n1,x,A\n2,x,A\n3,y,B\n4,y,A\n", "utf-8")

    def asked():
        options = {"data": str(file), "skip_bad_rows": False, "max_tokens": 8}
        matrix, notes = Matrix.parse(["prova"], ["longest"], tmp_path / "runs", options), Notes()
        (result,) = run_matrix(matrix, notes)
        return result, notes.told

    return sys.modules["changing"].Prova, asked


def test_what_a_task_keeps_beside_a_sample_is_there_when_it_is_scored_again(changing):
    result, notes = changing[1]()
    weighed = result.estimates["weighed"]
    assert (weighed.value, weighed.n) == (7 / 4, 4), (
        "of equal options the first is taken: all but the third row are right"
    )
    assert notes == []
    stored = find_run(result.path.parents[2], result.run)
    assert rescored(stored).estimates == result.estimates


def test_a_finished_run_says_what_its_task_has_gained_since(changing):
    task, asked = changing
    first, _ = asked()
    task.metrics = (*task.metrics, "macro_f1")
    again, (note,) = asked()
    assert again.estimates == first.estimates
    assert "finished before the task had macro_f1" in note
    assert f"benchctl rescore {first.path}" in note
    assert "macro_f1" in rescored(find_run(first.path, str(first.path))).estimates
    assert asked()[1] == []


def test_intervals_of_passages_that_the_task_no_longer_gives_are_told(changing):
    task, asked = changing
    first, _ = asked()
    task.passages = False
    again, (warning,) = asked()
    assert again.estimates == first.estimates
    assert "groups its questions by passage otherwise" in warning
    task.version = 2
    new, notes = asked()
    assert notes == []
    assert (first.estimates["accuracy"].method, new.estimates["accuracy"].method) == ("wilson-clustered", "wilson")


def test_a_hook_around_a_run_gets_its_folder_and_stops_nothing_when_it_fails(changing, foreign, installed):
    hooks = (
        f"{HOOK}seen = []\n"
        "@hookimpl\ndef benchctl_run_started(run):\n    seen.append(run)\n"
        "@hookimpl\ndef benchctl_run_finished(record, run):\n    seen.append(run)\n    raise ConnectionError('offline')"
    )
    installed(foreign("changing", CHANGING), foreign("watching", hooks))
    result, (warning,) = changing[1]()
    assert result.status == "complete"
    assert sys.modules["watching"].seen == [str(result.path)] * 2
    assert warning == "warning: plugin 'watching' (?) failed in benchctl_run_finished (ConnectionError: offline)"


def test_commands_that_fail_or_take_anothers_place_are_reported_and_the_others_stay(foreign):
    refuses = (
        "from benchctl.errors import BadConfig\n"
        "@hookimpl\ndef benchctl_commands(cli):\n    raise BadConfig('no such setting')"
    )
    fails = "@hookimpl\ndef benchctl_commands(cli):\n    cli.command('half')(lambda: None)\n    1 / 0"
    takes = (
        "@hookimpl\ndef benchctl_commands(cli):\n"
        "    for name in ('run', 'train', 'mine'):\n        cli.command(name)(lambda: None)"
    )
    cli = click.Group("benchctl", commands={"run": click.Command("run")})
    run_command = cli.commands["run"]
    sources = {"fails": fails, "refuses": refuses, "takes": takes}
    plugins = Plugins([*BUILT_IN, *(foreign(name, HOOK + source) for name, source in sources.items())])
    plugins.add_commands(cli)
    assert cli.commands["run"] is run_command
    assert cli.commands["train"].help, "the built-in one has some"
    assert {"report", "mine"} < cli.commands.keys()
    assert "half" not in cli.commands
    assert [line.split(": ", 1)[1] for line in plugins.problems] == [
        "benchctl_commands failed (ZeroDivisionError: division by zero)",
        "benchctl_commands failed (BadConfig: no such setting)",
        "command 'run' is taken by 'benchctl', which stays",
        "command 'train' is taken by 'training', which stays",
    ]


@pytest.mark.parametrize("parameter", ["args", "args=None", "args, /", "*args", "**options"])
def test_a_metric_with_a_parameter_can_be_asked_for_by_its_name_alone(foreign, parameter):
    name = parameter.split(",")[0].split("=")[0].strip("*")
    source = (
        f"{HOOK}from benchctl.metric import Metric\nclass Mine(Metric):\n    name = 'mine'\n"
        f"    def __init__(self, {parameter}):\n        self.given = {name}\n"
        "@hookimpl\ndef benchctl_metrics():\n    return {'mine': Mine}"
    )
    plugins = Plugins([*BUILT_IN, foreign("mine_plugin", source)])
    (mine,) = (one for one in create_metrics(plugins, create_task(plugins, "medqa-pt"), ["mine"]) if one.name == "mine")
    assert not mine.given or not (mine.given.target or mine.given.options)


@pytest.mark.parametrize(("factory", "says"), [("7", "cannot be made: TypeError"), ("dict", "is made as a dict")])
def test_a_factory_without_a_signature_is_told_like_any(foreign, factory, says):
    source = f"{HOOK}@hookimpl\ndef benchctl_metrics():\n    return {{'mine': {factory}}}"
    plugins = Plugins([*BUILT_IN, foreign("mine_plugin", source)])
    with pytest.raises(PluginError, match=says):
        create_metrics(plugins, create_task(plugins, "medqa-pt"), ["mine"])


def _fails(self, data, **options):
    return 1 / 0


@pytest.mark.parametrize(
    ("name", "part", "says"),
    [
        ("load", _fails, "prova failed to load its data: ZeroDivisionError"),
        ("own_metrics", ("accuracy",), "has 'accuracy' among its own metrics, no Metric"),
    ],
)
def test_what_a_task_overrides_is_told_without_a_traceback(changing, monkeypatch, name, part, says):
    task, asked = changing
    monkeypatch.setattr(task, name, part)
    with pytest.raises(PluginError, match=says):
        asked()
