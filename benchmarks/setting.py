"""One setting of the benchmark: a task, a way of scoring, a number of examples; and the same prompts for lm-eval."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchctl.model import Model
    from benchctl.runner import Job
    from benchctl.task import TaskData

TASK = "medmcqa-pt"
YAML = """\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files: {{test: {data}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{target}}}}"
target_delimiter: ""
metric_list: [{{metric: acc}}]
"""


@dataclass(frozen=True)
class Setting:
    """What both sides are asked."""

    scoring: str
    shots: int
    limit: int

    @property
    def name(self) -> str:
        """Such as ``option_5``."""
        return f"{self.scoring}_{self.shots}"

    def data(self, path: str) -> TaskData:
        """The test rows of the file."""
        from benchctl.creation import create_task
        from benchctl.plugins import get_plugins
        from benchctl.task import Task

        task = create_task(get_plugins(), TASK)
        assert isinstance(task, Task)
        return task.load(path)

    def job(self, model: Model, data: TaskData) -> Job:
        """Everything ready to be asked, as ``benchctl run`` would."""
        from benchctl.creation import create_metrics, create_task
        from benchctl.plugins import get_plugins
        from benchctl.runner import prepare
        from benchctl.scoring import get_scoring
        from benchctl.task import Task
        from benchctl.types import RunSpec

        task = create_task(get_plugins(), TASK)
        assert isinstance(task, Task)
        scoring = get_scoring(task, self.scoring, 1)
        spec = RunSpec(TASK, model.name, data.source, scoring=scoring.name, shots=self.shots, limit=self.limit)
        return prepare(spec, task, scoring, create_metrics(get_plugins(), task, []), model, data)

    def export(self, job: Job, folder: Path) -> None:
        """The job's own prompts and choices, word for word, as a YAML task that lm-eval runs with no examples added."""
        rows = []
        for sample in job.samples:
            (request,) = job.requests[sample.id]
            target = list(sample.choices).index(sample.target)
            rows.append({"prompt": request.prompt, "choices": list(request.choices), "target": target})  # type: ignore[union-attr]
        folder.mkdir(parents=True, exist_ok=True)
        data = folder / f"{self.name}.jsonl"
        data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        (folder / f"{self.name}.yaml").write_text(YAML.format(name=self.name, data=data), encoding="utf-8")
