"""lm-eval's filters and metrics over benchctl's answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchctl import statistics
from benchctl.errors import blamed
from benchctl.metric import Metric, Scored, Sums
from benchctl.types import Estimate, Response

from .lm_eval_scoring import SCORINGS
from .lm_eval_source import figure_name

if TYPE_CHECKING:
    from benchctl.bootstrap import Array

    from .lm_eval_bridge import LmEvalTask


class LmEvalMetric(Metric):
    """The task's own metrics, computed and aggregated by lm-eval; the intervals are benchctl's.

    Figures have lm-eval's names: ``acc``, or ``exact_match,strict-match`` behind a filter other than ``none``.
    """

    name = "lm-eval"

    def __init__(self, task: LmEvalTask) -> None:
        self.task = task
        self._known: dict[str, tuple[Sequence[Response], dict[str, Any]]] = {}

    def signature(self) -> str:
        """lm-eval's version."""
        import lm_eval

        return f"lm-eval {lm_eval.__version__}"

    def values(self, scored: Scored) -> Mapping[str, float]:
        """This document's figures, where they are numbers."""
        return {name: float(v) for name, v in self._results(scored).items() if _is_number(v) and math.isfinite(v)}

    def estimates(self, scored: Sequence[Scored]) -> Mapping[str, Estimate]:
        """Each figure as lm-eval aggregates it; left out where that is no number, as a correlation of equal answers."""
        columns: dict[str, list[Any]] = {}
        for one in scored:
            for name, value in self._results(one).items():
                columns.setdefault(name, []).append(value)
        found = {name: self._estimate(name.split(",")[0], items) for name, items in columns.items()}
        return {name: estimate for name, estimate in found.items() if estimate is not None}

    def as_sums(self, scored: Sequence[Scored], figure: str) -> Sums | None:
        """What each document adds to a perplexity; None for lm-eval's other aggregates."""
        ratio = _ratio(self._aggregate(figure))
        if ratio is None:
            return None
        items = [self._results(one).get(figure) for one in scored]
        return Sums([None if item is None else _row(item) for item in items], ratio)

    def _results(self, one: Scored) -> dict[str, Any]:
        known = self._known.get(one.sample.id)
        if known is None or known[0] is not one.responses:
            known = self._known[one.sample.id] = (one.responses, self._process(one))
        return known[1]

    def instances(self, one: Scored) -> list[Any]:
        """lm-eval's instances of a document: the replies in ``resps``, and what each filter left of them."""
        from lm_eval.api.instance import Instance

        task, doc = self.task.harness, self.task.docs[int(one.sample.id)]
        repeats = task.config.repeats or 1
        scoring = SCORINGS[task.OUTPUT_TYPE](self.task, 0)
        asked = "loglikelihood" if task.OUTPUT_TYPE == "multiple_choice" else task.OUTPUT_TYPE
        instances = [
            Instance(asked, doc, (), i, (self.task.title, int(one.sample.id), repeats), resps=reply)
            for i, reply in enumerate(scoring.replies(one.responses, repeats))
        ]
        for ensemble in task._filters:
            ensemble.apply(instances)
        return instances

    def _process(self, one: Scored) -> dict[str, Any]:
        """Filters, then the task's ``process_results``, once per filter."""
        task, doc = self.task.harness, self.task.docs[int(one.sample.id)]
        found: dict[str, Any] = {}
        with self._blamed():
            instances = self.instances(one)
            for name in instances[0].filtered_resps:
                results = task.process_results(doc, [i.filtered_resps[name] for i in instances])
                found |= {figure_name(metric, name): value for metric, value in results.items()}
        hidden = _needing_greedy(task, one.responses)
        return {name: v for name, v in found.items() if v is not None and name.split(",")[0] not in hidden}

    def _blamed(self) -> AbstractContextManager[None]:
        # The rules are part of the run's identity: the same command would ask the model again.
        return blamed(
            f"The metrics of '{self.task.title}' failed",
            "The answers are kept: mend its YAML or code, then 'benchctl rescore' the run.",
        )

    def _aggregate(self, figure: str) -> Any:
        """lm-eval's function that makes a figure of its items, the mean where it names none."""
        from lm_eval.api.metrics import mean

        return self.task.harness.aggregation().get(figure.split(",")[0], mean)

    def _estimate(self, metric: str, items: Sequence[Any]) -> Estimate | None:
        from lm_eval.api.metrics import mean

        aggregate = self._aggregate(metric)
        with self._blamed():
            value = float(aggregate(items))
        if not math.isfinite(value):
            return None
        higher = self.task.harness.higher_is_better().get(metric, True) is not False
        if aggregate is mean and all(map(_is_number, items)):
            values = [float(v) for v in items]
            share = set(values) <= {0.0, 1.0}
            found = (statistics.proportion if share else statistics.mean)(values, higher_is_better=higher)
            return replace(found, value=value)
        if (ratio := _ratio(aggregate)) is not None:
            from benchctl.bootstrap import of_sums

            return replace(of_sums([_row(item) for item in items], ratio, higher_is_better=higher), value=value)
        return Estimate(value, len(items), None, None, None, "none", higher)


def _row(item: Any) -> tuple[float, float]:
    """Nats and words (or bytes) of a document; of one that is scored as a whole, nats and 1."""
    nats, size = item if isinstance(item, tuple) else (item, 1)
    return float(nats), float(size)


def _ratio(aggregate: Any) -> Callable[[Array], Array] | None:
    """How one of lm-eval's perplexities comes from sums of nats and sizes; None for another aggregate."""
    import numpy as np
    from lm_eval.api.metrics import bits_per_byte, perplexity, weighted_perplexity

    if aggregate is bits_per_byte:
        return lambda sums: -sums[:, 0] / sums[:, 1] / math.log(2)
    if aggregate in (perplexity, weighted_perplexity):
        return lambda sums: np.exp(-sums[:, 0] / sums[:, 1])
    return None


def _is_number(value: object) -> bool:
    import numbers

    import numpy as np

    return isinstance(value, numbers.Real | np.bool_)  # numpy's truth values are no Real, as Python's are


def _needing_greedy(task: Any, responses: Sequence[Response]) -> frozenset[str]:
    """Metrics that cannot be had because the model does not say what greedy decoding would write."""
    if all(c.greedy is not None for r in responses for c in r.choices):
        return frozenset()
    return frozenset({"acc"} if task.OUTPUT_TYPE == "loglikelihood" else {"exact_match"})
