"""What is kept about a training while it runs: time, tokens, the best checkpoint so far."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import checkpoints, metrics_file
from .folder import TrainingFolder
from .recipe import TrainingSection


@dataclass(frozen=True, slots=True)
class Best:
    """The best evaluation so far."""

    step: int
    value: float


class Watch:
    """Measures one training over all its sittings; its state lies in every checkpoint."""

    def __init__(self, folder: TrainingFolder, settings: TrainingSection) -> None:
        self.folder, self.settings = folder, settings
        self.best: Best | None = None
        self.worse = 0
        """Evaluations since the best one."""
        self._tokens: Any = 0
        self._step_seconds, self._since = 0.0, time.perf_counter()

    def start(self, state: Mapping[str, Any] | None) -> None:
        """A sitting's first step comes now; ``state`` is that of the checkpoint it goes on from."""
        self._since = time.perf_counter()
        if state is not None:
            self.best = Best(**state["best"]) if state["best"] else None
            self.worse, self._tokens, self._step_seconds = state["worse"], state["tokens"], state["step_seconds"]

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        best = {"step": self.best.step, "value": self.best.value} if self.best else None
        return {"best": best, "worse": self.worse, "tokens": self.tokens, "step_seconds": self.step_seconds}

    @property
    def tokens(self) -> int:
        """Tokens trained on, in this process."""
        return int(self._tokens)

    @property
    def step_seconds(self) -> float:
        """Time of the steps alone: without loading, evaluations and checkpoints."""
        return round(self._step_seconds + time.perf_counter() - self._since, 3)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """What happens inside is no step."""
        self._step_seconds += time.perf_counter() - self._since
        try:
            yield
        finally:
            self._since = time.perf_counter()

    def count(self, inputs: Mapping[str, Any]) -> None:
        """Add a batch's tokens, padding apart. Stays on the device: asking it would make every step wait."""
        masks = [value for name, value in inputs.items() if name.endswith("attention_mask")]
        counted: Any = sum(mask.sum() for mask in masks) if masks else inputs["input_ids"].numel()
        if "decoder_input_ids" in inputs:  # an encoder-decoder's answers stand apart from its prompts
            counted = counted + (inputs["labels"] != -100).sum()
        self._tokens = self._tokens + counted

    def judge(self, step: int, value: float, higher_is_better: bool = False) -> bool:
        """Take up an evaluation; whether it is the best so far. Of equals the earlier stays."""
        best = self.best
        better = best is None or (value > best.value if higher_is_better else value < best.value)
        if better:
            self.best, self.worse = Best(step, value), 0
        else:
            self.worse += 1
        return better

    @property
    def out_of_patience(self) -> bool:
        """Whether enough evaluations in a row were no better."""
        return self.settings.patience is not None and self.worse >= self.settings.patience

    def before_seal(self) -> None:
        """A checkpoint is about to count: the lines up to it must be on the disk first."""
        metrics_file.to_disk(self.folder.metrics)

    def after_seal(self) -> None:
        """Older checkpoints may go."""
        kept: Collection[int] = {self.best.step} if self.best else set()
        checkpoints.rotate(self.folder.checkpoints, self.settings.keep, kept)


def peak_bytes(device: str) -> tuple[int, str]:
    """The most memory used so far by this process, and how that was measured."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated()), "CUDA memory allocated"
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "resident memory of the process"
