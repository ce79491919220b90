"""The pages keep their word: links lead somewhere, options exist, tables name what there is, both READMEs say the same."""

from __future__ import annotations

import re
import tomllib

import click
import pytest

from benchctl import hookspecs
from benchctl.cli import cli
from benchctl.plugins import get_plugins
from benchctl_plugins.models import replay
from benchctl_plugins.models import settings as local
from benchctl_plugins.models.cluster import model as cluster
from benchctl_plugins.models.openai_api import settings as api
from tests.conftest import ROOT

READMES = [ROOT / "README.md", ROOT / "README.pt-BR.md"]
PAGES = [*READMES, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```.*?```", re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def page(path):
    return path.read_text("utf-8")


def anchors(path):
    """The headings as GitHub links to them."""
    heads = re.findall(r"^#+ (.*)$", BLOCK.sub("", page(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def named(path, head):
    """What stands in backticks in the first column of every table whose first column is called ``head``."""
    tables = re.findall(rf"^\| {head} \|.*\n((?:\|.*\n)+)", page(ROOT / path), re.MULTILINE)
    assert tables, f"{path} has no table of {head}"
    cells = [line.split("|")[1] for table in tables for line in table.splitlines()[1:]]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@pytest.fixture(scope="module")
def commands():
    """Command -> its long options, plugins' commands included."""
    group = click.Group("benchctl", commands=dict(cli.commands))
    get_plugins().add_commands(group)
    found = {}

    def walk(command, words):
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(inner, [*words, name])
        else:
            given = (option for p in command.params for option in (*p.opts, *p.secondary_opts))
            found[" ".join(words)] = {option for option in given if option.startswith("--")} | {"--help"}

    walk(group, [])
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(path):
    text = BLOCK.sub("", page(path))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith("http"):
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link
    for file in re.findall(r"`((?:docs|src|plugins|tests|reports|benchmarks)/[^`\s]+)`", text):
        assert (ROOT / file).exists(), file


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_commands_on_a_page_have_the_options_it_gives_them(path, commands):
    for name, rest in re.findall(r"benchctl ((?:export )?[a-z]+)\b([^`\n]*)", page(path).replace("\\\n", " ")):
        if name in commands:
            wrong = set(OPTION.findall(rest.split("#")[0].split("benchctl ")[0])) - commands[name]
            assert not wrong, f"benchctl {name}{rest}"


def test_every_option_stands_on_a_page(commands):
    told = {option for path in PAGES for option in OPTION.findall(page(path))}
    for name, options in commands.items():
        missing = {o for o in options if o not in told and not {o.replace("--no-", "--", 1), f"--no-{o[2:]}"} & told}
        assert missing <= {"--help"}, f"benchctl {name}: {missing} in README.md or docs"


def test_tables_of_options_name_those_there_are():
    assert named("docs/how-to/local-models.md", "option") == set(local.OPTIONS)
    assert named("docs/how-to/api-models.md", "option") == {*api.ANSWERS, *api.FETCHING}
    assert named("docs/how-to/cluster.md", "option") == set(cluster.OPTIONS)
    assert named("docs/how-to/recorded-answers.md", "option") == set(replay.DEFAULTS)


def test_the_references_name_every_hook_metric_and_task():
    hooks = {name.partition("(")[0] for name in named("docs/reference/hooks.md", "hook")}
    assert hooks == {name for name in vars(hookspecs) if name.startswith("benchctl_")}
    plugins = get_plugins()
    built_in = {kind: {n for n, o in plugins.offers(kind).items() if o.plugin.builtin} for kind in ("metric", "task")}
    assert built_in["metric"] <= named("docs/reference/metrics.md", "metric")
    text = page(ROOT / "docs/reference/tasks.md")
    for task in built_in["task"] - {"lm-eval"}:
        pattern = re.sub(r"^mmlu-(?!medical-(?:pt|en)$).*-(pt|en)$", r"mmlu-SUBJECT-\1", task)
        assert f"`{pattern}`" in text, task


def test_both_readmes_name_the_extras_there_are():
    there = set(tomllib.loads(page(ROOT / "pyproject.toml"))["project"]["optional-dependencies"]) - {"dev"}
    for path in READMES:
        (told,) = re.findall(r"^Extras,.*?\n\n", page(path), re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"`([a-z-]+)`", told)) == there


def test_both_readmes_give_the_same_commands_and_links():
    words = {"HF:A": "", "my-model": "meu-modelo", "My models": "Meus modelos", "PATH_OR_ID": "CAMINHO_OU_ID",
             "PATH": "CAMINHO", "FILE": "ARQUIVO", "RUN": "EXECUÇÃO", "NAME": "NOME", "ADDRESS": "ENDEREÇO",
             "MODEL": "MODELO", "TARGET,option=value": "ALVO,opção=valor", "--lang en": "--lang pt"}  # fmt: skip
    english, portuguese = map(page, READMES)
    for one, other in words.items():
        english = english.replace(one, other) if other else english
    links, code = r"\]\(((?!README)[^)\s]+)\)", r"`([^`\n]+)`"
    assert set(re.findall(links, english)) == set(re.findall(links, portuguese))
    assert set(re.findall(code, BLOCK.sub("", english))) == set(re.findall(code, BLOCK.sub("", portuguese)))
    first = [[line.split("#")[0].strip() for block in BLOCK.findall(text) for line in block.splitlines()]
             for text in (english, portuguese)]  # fmt: skip
    assert first[0] == first[1]
