"""A task, a model and a metric in one small module: what a third party's plugin looks like."""

import os
import time
from pathlib import Path

from benchctl.data import RowError
from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric
from benchctl.task import Task
from benchctl.testing import ScriptedModel
from benchctl.types import ChoiceScore, Response, Sample


class Capitals(Task):
    """Capitals of Brazilian states, three options."""

    name = "capitals-pt"
    title = "Capitais"
    columns = ("estado", "a", "b", "c", "certa")
    metrics = ("accuracy", "vowels")
    chance = 1 / 3

    def sample(self, row):
        if not row.text("estado"):
            raise RowError("no state")
        choices = {letter.upper(): row.text(letter) for letter in "abc"}
        return Sample(str(row.number), f"Estado: {row.text('estado')}. Qual é a capital?", choices, row.text("certa"))


class Vowels(Metric):
    """Share of answers that are a vowel; a metric to have one."""

    name = "vowels"
    percent = True

    def value(self, scored):
        return float(scored.answer.label in ("A", "E", "I", "O", "U"))


def slow(args):
    """Takes its time and writes down whom it was asked about: for tests that kill it."""
    options = args.take({"seconds": "0.01", "log": ""})

    def script(request, sample):
        time.sleep(float(options["seconds"]))
        if options["log"]:
            with Path(options["log"]).open("a") as log:
                log.write(f"{os.getpid()} {sample.id}\n")
        favourite = len(sample.id + sample.question) % len(sample.choices)
        return Response(tuple(ChoiceScore(-1.0 - abs(i - favourite), 1, 1) for i in range(len(sample.choices))))

    return ScriptedModel(script, name="slow")


@hookimpl
def benchctl_tasks():
    return {Capitals.name: Capitals}


@hookimpl
def benchctl_models():
    return {"slow": slow}


@hookimpl
def benchctl_metrics():
    return {Vowels.name: Vowels}
