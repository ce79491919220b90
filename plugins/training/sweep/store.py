"""The trials of a sweep on disk: optuna's journal in the sweep's folder, one atomic line per change."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .drawing import Draw, Drawing, Refused

STARTUP = 4
"""Trials that run to their end before any is pruned."""
JOURNAL = "journal.log"


class Store:
    """The study of one sweep. Hold the folder's lock: optuna's own would outlive a killed process by half a minute."""

    def __init__(self, folder: Path, drawing: Drawing) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(logging.WARNING)
        file = folder / JOURNAL
        _cut_torn_line(file)
        self.drawing = drawing
        self._optuna = optuna
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(file), _Held())),
            study_name="sweep",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
        )

    def trials(self) -> Sequence[Any]:
        """All trials, as optuna's frozen ones, by number."""
        found: Sequence[Any] = self._study.get_trials(deepcopy=False)
        return found

    def refused(self) -> list[Refused]:
        """What was drawn and cannot work."""
        return [
            Refused(one["parameters"], one["reason"])
            for trial in self.trials() for one in trial.user_attrs["refused"]
        ]  # fmt: skip

    def open_trial(self) -> Any:
        """The trial that an earlier sitting began and did not end, or None."""
        running = [trial for trial in self.trials() if trial.state == self._optuna.trial.TrialState.RUNNING]
        return self._as_live(running[0]) if running else None

    def begin(self, draw: Draw) -> Any:
        """A new trial with these parameters, in one line: a kill leaves all of it or none."""
        assert draw.parameters is not None
        trial = self._optuna.trial.create_trial(
            state=self._optuna.trial.TrialState.RUNNING,
            params=self.drawing.encoded(draw.parameters),
            distributions=self.drawing.distributions(),
            user_attrs={"refused": [{"parameters": dict(r.parameters), "reason": r.reason} for r in draw.refused]},
        )
        self._study.add_trial(trial)
        return self.open_trial()

    def end(self, trial: Any, state: str, value: float | None, facts: Mapping[str, Any]) -> None:
        """Write down how a trial ended.

        Args:
            state: ``complete``, ``pruned`` or ``failed``.
            value: less is better; for a complete trial.
            facts: what its row shows besides.
        """
        states = self._optuna.trial.TrialState
        trial.set_user_attr("facts", {**facts, "state": state})
        if state == "complete":
            self._study.tell(trial, value)
        else:
            self._study.tell(trial, state=states.PRUNED if state == "pruned" else states.FAIL)

    def _as_live(self, frozen: Any) -> Any:
        # Optuna gives out such an object from ask() alone; a trial that goes on after a kill was asked for long ago.
        return self._optuna.trial.Trial(self._study, frozen._trial_id)


class _Held:
    """The lock that optuna wants: the sweep's folder is locked already, by one that the system frees."""

    def acquire(self) -> bool:
        """Nothing to wait for."""
        return True

    def release(self) -> None:
        """Nothing to give back."""


def _cut_torn_line(file: Path) -> None:
    """Cut what a killed process left half written: optuna would append to it and never read the file again."""
    if not file.exists():
        return
    content = file.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        with file.open("r+b") as handle:
            handle.truncate(whole)
