"""What a sweep tries next: a function of its seed, its space and its finished trials, and of nothing else.

So a sweep that was killed draws what an undisturbed one draws. Every draw has a generator of its own, seeded by the
sweep's seed, the trial's number and the attempt; TPE besides looks at the trials before, whose losses are the same
since trainings resume exactly.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from benchctl.errors import BadConfig
from benchctl.fingerprints import canonical, digest

from .space import Parameters, Space

if TYPE_CHECKING:
    from ..recipe import Recipe

Sampler = Literal["random", "grid", "tpe"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
TPE_STARTUP = 5
"""Random trials before TPE knows enough; optuna's own 10 would leave it one trial of eleven."""
RANDOM_AFTER = 20
"""Attempts after which TPE, which likes to come back to the same values, gives way to chance."""
ATTEMPTS = 200
"""Attempts after which the rest of a countable space is listed, and one without number given up."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A combination that cannot work: not a trial."""

    parameters: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Draw:
    """The next combination; None where nothing is left to try."""

    parameters: Parameters | None
    refused: tuple[Refused, ...]
    """What was drawn before it and cannot work."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a sweep draws."""

    space: Space
    sampler: Sampler
    seed: int

    def next(self, recipe: Recipe, history: Sequence[Any], refused: Sequence[Refused]) -> Draw:
        """The combination of trial ``len(history)``: a new one that can work.

        Args:
            history: the trials before, as optuna's frozen trials.
            refused: what they met on the way.

        Raises:
            BadConfig: a grid over values without number; a space in which nothing is found that could work.
        """
        from ..reading import changed

        tried = [self.decoded(trial.params) for trial in history] + [dict(one.parameters) for one in refused]
        known = {canonical(parameters) for parameters in tried}
        met: list[Refused] = []
        draw = self._drawer(history, known)
        while (parameters := draw()) is not None:
            known.add(canonical(parameters))
            try:
                changed(recipe, parameters)
            except BadConfig as error:
                met.append(Refused(parameters, error.message))
                self._check_hope(met, history)
                continue
            return Draw(parameters, tuple(met))
        return Draw(None, tuple(met))

    def decoded(self, params: Mapping[str, Any]) -> Parameters:
        """A recipe's values from optuna's, in the order of the space."""
        return {d.key: d.decoded(params[d.key]) for d in self.space.dimensions}

    def encoded(self, parameters: Parameters) -> dict[str, Any]:
        """Optuna's values from a recipe's."""
        return {d.key: d.encoded(parameters[d.key]) for d in self.space.dimensions}

    def distributions(self) -> dict[str, Any]:
        """The space as optuna knows it."""
        return {dimension.key: dimension.distribution() for dimension in self.space.dimensions}

    def _check_hope(self, met: Sequence[Refused], history: Sequence[Any]) -> None:
        endless = self.space.size is None and len(met) >= ATTEMPTS
        if endless or (not history and self.space.size == len(met)):
            raise BadConfig(
                f"Space '{self.space.name}': nothing drawn can work. {met[-1].reason}",
                "Change the space or the recipe.",
            )

    def _drawer(self, history: Sequence[Any], known: set[str]) -> Callable[[], Parameters | None]:
        """Gives one new combination per call."""
        if self.sampler == "grid":
            order = list(self.space.combinations())
            random.Random(self.seed).shuffle(order)  # a sweep shorter than the grid should see all of it
            return lambda: next((one for one in order if canonical(one) not in known), None)
        study = _in_memory(history if self.sampler == "tpe" else ())
        distributions = self.distributions()
        attempts = iter(range(10**9))

        def draw() -> Parameters | None:
            for attempt in attempts:
                if len(known) == self.space.size:
                    return None
                if attempt >= ATTEMPTS and self.space.size is not None:
                    left = [one for one in self.space.combinations() if canonical(one) not in known]
                    return random.Random(self._seed(len(history), attempt)).choice(left)
                study.sampler = self._sampler(len(history), attempt)
                parameters = self.decoded(study.ask(distributions).params)
                if canonical(parameters) not in known:
                    return parameters
            return None

        return draw

    def _seed(self, number: int, attempt: int) -> int:
        return int(digest([self.seed, number, attempt])[:8], 16)

    def _sampler(self, number: int, attempt: int) -> Any:
        import optuna

        seed = self._seed(number, attempt)
        if self.sampler == "random" or attempt >= RANDOM_AFTER:
            return optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=TPE_STARTUP, constant_liar=False)


def _in_memory(history: Sequence[Any]) -> Any:
    """A study that only draws, with the trials so far."""
    import optuna

    study = optuna.create_study()
    study.add_trials(history)
    return study
