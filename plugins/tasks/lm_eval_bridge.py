"""``lm-eval:NAME``: any task of lm-evaluation-harness on any model, with lm-eval's own prompts, filters and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from benchctl.errors import BadConfig, blamed
from benchctl.fingerprints import digest, digest_all
from benchctl.hookspecs import hookimpl
from benchctl.metric import Metric
from benchctl.model import ModelArgs
from benchctl.scoring import Scoring
from benchctl.task import Task, TaskData, TaskGroup
from benchctl.types import Sample

from .. import harness
from . import lm_eval_metric, lm_eval_rules, lm_eval_scoring, lm_eval_source

OPTIONS: Mapping[str, str] = {"include_path": "", "chat": "off", "member": ""}
"""Option -> default. ``include_path``: folder of YAML files. ``chat``: through the model's chat template, examples as
turns. ``member``: the one of a group that is meant; groups write it themselves."""

KINDS = {
    "multiple_choice": "multiple_choice",
    "loglikelihood": "text",
    "generate_until": "text",
    "loglikelihood_rolling": "corpus",
}
"""lm-eval's output type -> kind of task."""


class LmEvalTask(Task):
    """One task of lm-eval. Its dataset is read when it is first needed, not when the command line is."""

    language = "und"
    metrics = ()

    def __init__(self, found: lm_eval_source.Found, args: ModelArgs) -> None:
        options = args.take(OPTIONS)
        self.name = args.spec
        self.title = options["member"] or found.name
        self.chat = options["chat"] == "on"
        self._found = found

    @cached_property
    def harness(self) -> Any:
        """lm-eval's own task object.

        Raises:
            BadData: it cannot be loaded.
            BadConfig: it needs pictures or sound, or runs code that the model wrote.
        """
        loaded = lm_eval_source.load(self._found).tasks[self.title]
        if getattr(loaded, "MULTIMODAL", False) or getattr(loaded, "UNSAFE_CODE", False):
            reason = "pictures or sound" if getattr(loaded, "MULTIMODAL", False) else "to run code that the model wrote"
            raise BadConfig(f"The lm-eval task '{self.title}' needs {reason}.", "Run it with lm-eval itself.")
        return loaded

    @cached_property
    def docs(self) -> list[Any]:
        """The documents it evaluates, in order; a sample's id is its document's place."""
        return list(self.harness.eval_docs)

    def load(self, data: str | None, *, skip_bad_rows: bool = False) -> TaskData:
        """The documents as samples.

        Raises:
            BadConfig: ``--data`` was given.
            BadData: the task or its dataset cannot be read.
        """
        if data is not None:
            raise BadConfig(f"'{self.name}' brings its own data.", "Leave out --data, or change the task's YAML file.")
        import lm_eval

        self.kind = KINDS[self.harness.OUTPUT_TYPE]
        self.default_shots = self.harness.config.num_fewshot or 0
        self.takes_shots = self.harness.config.num_fewshot != 0
        # Filters, metrics and columns that no prompt shows change the result too.
        rules = digest([lm_eval_rules.of(self.harness), digest_all(self.docs), lm_eval.__version__])
        self.version = int(rules[:8], 16)
        return TaskData(tuple(self._sample(i, doc) for i, doc in enumerate(self.docs)), f"lm-eval:{self.title}")

    def _sample(self, number: int, doc: Any) -> Sample:
        with blamed(f"Document {number} of '{self.title}' cannot be put as a question", lm_eval_scoring.WRITTEN):
            return lm_eval_scoring.sample(self.harness, number, doc)

    @property
    def scorings(self) -> Mapping[str, Callable[[int], Scoring]]:
        """Only lm-eval's own."""
        return {"lm-eval": partial(lm_eval_scoring.SCORINGS[self.harness.OUTPUT_TYPE], self)}

    @property
    def own_metrics(self) -> Sequence[Metric]:
        """lm-eval's own, all in one."""
        return (lm_eval_metric.LmEvalMetric(self),)


def lm_eval_task(args: ModelArgs = ModelArgs("lm-eval", kind="task")) -> Task | TaskGroup:  # noqa: B008  frozen
    """lm-eval:NAME: any task, group or YAML file of lm-evaluation-harness. Options: include_path, chat."""
    if not args.target:
        raise BadConfig("Task 'lm-eval' names no task.", "Write lm-eval:NAME or lm-eval:FILE.yaml.")
    options = args.take(OPTIONS)
    if options["chat"] not in ("on", "off"):
        raise BadConfig(f"Task '{args.spec}': chat={options['chat']} is not possible.", "Choose one of on, off.")
    harness.require(f"Task '{args.spec}'")
    found = lm_eval_source.find(args.target, options["include_path"])
    if found.kind == "task" or options["member"]:
        return LmEvalTask(found, args)
    backend, _, rest = args.spec.partition(":")
    given = rest.removeprefix(args.target)
    if found.kind == "tag":
        return TaskGroup(args.spec, found.name, tuple(f"{backend}:{name}{given}" for name in found.children), "und")
    loaded = lm_eval_source.load(found)
    members = tuple(f"{backend}:{args.target}{given},member={name}" for name in loaded.tasks)
    return TaskGroup(args.spec, found.name, members, "und", loaded.alike)


@hookimpl
def benchctl_tasks() -> Mapping[str, Callable[..., Task | TaskGroup]]:
    """The bridge."""
    return {"lm-eval": lm_eval_task}
