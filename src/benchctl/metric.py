"""What a metric is: a value per sample where it has one, and an estimate over the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchctl import statistics
from benchctl.errors import PluginError
from benchctl.types import Answer, Estimate, Response, Sample

if TYPE_CHECKING:
    from benchctl.bootstrap import Array


@dataclass(frozen=True, slots=True)
class Scored:
    """All that is known of one answered sample."""

    sample: Sample
    responses: tuple[Response, ...]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Sums:
    """A figure that is a function of sums over the samples: what two runs are paired by where it is no mean."""

    rows: Sequence[Sequence[float] | None]
    """What each sample adds, one row per sample; None where the metric does not apply to it."""
    figure: Callable[[Array], Array] | None
    """Sums (any number of them, columns) -> figures (that number); None: the mean of the one column, of fewer rows than
    there are samples."""


class Metric:
    """Base of every metric: ``value`` for one sample; ``estimate`` over all, by default the mean with its interval."""

    name: ClassVar[str]
    higher_is_better: ClassVar[bool | None] = True
    """None: neither more nor less is better."""
    percent: ClassVar[bool] = False
    """True for shares between 0 and 1, shown as percentages."""
    spec: str = ""
    """As given to ``--metric``; the name when it was given without arguments."""

    def signature(self) -> str:
        """What fixes the figure besides the answers: settings, library version; empty when the name says all."""
        return ""

    def value(self, scored: Scored) -> float | None:
        """This sample's value; None where the metric does not apply to it."""
        raise NotImplementedError

    def values(self, scored: Scored) -> Mapping[str, float]:
        """This sample's figures by name; a metric that gives several overrides this and :meth:`estimates`."""
        found = self.value(scored)
        return {} if found is None else {self.name: found}

    def estimates(self, scored: Sequence[Scored]) -> Mapping[str, Estimate]:
        """The run's figures by name; empty where the metric applies to no sample."""
        found = self.estimate(scored)
        return {} if found is None else {self.name: found}

    def as_sums(self, scored: Sequence[Scored], figure: str) -> Sums | None:
        """What each sample adds to the run's figure of that name, where it is a function of sums; None for means."""
        return None

    def estimate(self, scored: Sequence[Scored]) -> Estimate | None:
        """The metric over a run; None where it applies to no sample.

        Raises:
            PluginError: as :meth:`mean_of`.
        """
        pairs = [(v, s.sample.cluster or s.sample.id) for s in scored if (v := self.value(s)) is not None]
        return self.mean_of([v for v, _ in pairs], [unit for _, unit in pairs], self.name) if pairs else None

    def mean_of(self, values: Sequence[float], clusters: Sequence[Hashable], figure: str) -> Estimate:
        """The mean of a figure's values, one per sample and at least one, with its interval.

        Args:
            clusters: what is drawn together in a resample: each sample's passage, or its id.
            figure: its name, for messages.

        Raises:
            PluginError: a value that is no finite number, or of a percentage no share between 0 and 1.
        """
        if not all(math.isfinite(value) for value in values):
            raise PluginError(
                f"Metric {figure} gave {next(v for v in values if not math.isfinite(v))} for a sample.",
                "A value is a finite number, or None where the metric does not apply.",
            )
        if self.percent and not all(-1e-9 <= value <= 1 + 1e-9 for value in values):
            raise PluginError(
                f"Metric {figure} gave {next(v for v in values if not 0 <= v <= 1)} for a sample.",
                "With percent = True a value is a share between 0 and 1.",
            )
        if self.percent:
            return statistics.bounded(values, clusters, higher_is_better=self.higher_is_better, percent=True)
        return statistics.mean(values, clusters, higher_is_better=self.higher_is_better)
