"""Models that know nothing: what a score must beat. They belong on every leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from benchctl.errors import BadConfig
from benchctl.fingerprints import digest
from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs
from benchctl.types import ChoiceScore, Choose, Generate, Kind, Perplexity, Response, Sample


class Baseline(Model):
    """Base of the three: prefers a label by a rule on the sample itself, whatever way it is asked."""

    capabilities: ClassVar[frozenset[Kind]] = frozenset({"choose", "generate", "perplexity"})
    defaults: ClassVar[Mapping[str, str]] = {}

    def __init__(self, args: ModelArgs) -> None:
        if args.target:
            raise BadConfig(
                f"Model '{self.name}' takes no target, '{args.target}' was given.", f"Write --model {self.name}."
            )
        self.options = args.take(self.defaults)
        self._owners: Sequence[Sample] = ()

    def fingerprint(self) -> str:
        """The rule's name, version and options."""
        return digest([self.name, 1, self.options])

    def manifest(self) -> Mapping[str, object]:
        """Says that it is a baseline."""
        return {"baseline": True, **self.options}

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Remember what the requests are about.

        Raises:
            BadConfig: the task is not multiple choice.
        """
        if any(not sample.choices for sample in samples):
            raise BadConfig(f"The baseline '{self.name}' only answers multiple-choice tasks.", "Leave it out here.")
        self._owners = owners

    def preferences(self, sample: Sample) -> Mapping[str, float]:
        """A number below 0 for each label, the highest for the one the rule takes."""
        raise NotImplementedError

    def choose(self, requests: Sequence[Choose]) -> Iterator[tuple[int, Response]]:
        """The preferences as nats of one token each; only their order means anything."""
        for index, sample in enumerate(self._owners):
            yield index, Response(tuple(ChoiceScore(nats, 1, 1) for nats in self.preferences(sample).values()))

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
        """The preferred label in words."""
        for index, sample in enumerate(self._owners):
            preferences = self.preferences(sample)
            label = max(preferences, key=preferences.__getitem__)
            yield (
                index,
                Response(
                    text=label if sample.choices[label] == label else f"Alternativa {label}", finish_reason="stop"
                ),
            )

    def perplexity(self, requests: Sequence[Perplexity]) -> Iterator[tuple[int, Response]]:
        """The preferences as one token each; a sample's requests come in the order of its labels."""
        asked: Counter[str] = Counter()
        for index, sample in enumerate(self._owners):
            nats = list(self.preferences(sample).values())[asked[sample.id]]
            asked[sample.id] += 1
            yield index, Response(nats=nats, tokens=1, bytes=1)


class Random(Baseline):
    """Guesses: every label is as likely as any other; 'random,seed=1' guesses otherwise."""

    name = "random"
    defaults = {"seed": "0"}

    def preferences(self, sample: Sample) -> Mapping[str, float]:
        """From a hash of seed, question and label: the same question gets the same guess in every run."""
        asked = [self.options["seed"], sample.id, sample.question]
        return {label: -1 - int(digest([*asked, label])[:12], 16) / 16**12 for label in sample.choices}


class Majority(Baseline):
    """Always takes the label that is right most often in this very test set: the best a constant answer can do."""

    name = "majority"

    def meet(self, samples: Sequence[Sample], owners: Sequence[Sample]) -> None:
        """Count the right labels."""
        super().meet(samples, owners)
        self._counts = Counter(sample.target for sample in samples)

    def preferences(self, sample: Sample) -> Mapping[str, float]:
        """The more often right, the higher."""
        return {label: -1 / (1 + self._counts[label]) for label in sample.choices}


class Longest(Baseline):
    """Takes the longest option: what careless distractors give away."""

    name = "longest"

    def preferences(self, sample: Sample) -> Mapping[str, float]:
        """The longer, the higher."""
        return {label: -1 / (1 + len(text)) for label, text in sample.choices.items()}


@hookimpl
def benchctl_models() -> Mapping[str, type[Model]]:
    """The three."""
    return {"random": Random, "majority": Majority, "longest": Longest}
