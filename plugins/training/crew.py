"""The processes that share a training, when ``accelerate launch`` started several; else there is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Crew:
    """This process among those that share the training. Only the main one writes."""

    rank: int = 0
    size: int = 1
    local: int = 0
    """Number on this machine: which accelerator is its own."""
    wait: Callable[[], None] = lambda: None
    """Until all processes are here."""

    @property
    def main(self) -> bool:
        """Whether this one writes, shows and registers."""
        return self.rank == 0

    def device(self, wanted: str) -> str:
        """``auto`` as this process means it."""
        if wanted != "auto" or self.size == 1:
            return wanted
        import torch

        return f"cuda:{self.local}" if torch.cuda.is_available() else "cpu"


def crew(device: str) -> Crew:
    """As the launcher's variables say.

    Args:
        device: as the recipe says. On processors accelerate must be told, or it takes every process for the only one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Crew()
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=True) if device == "cpu" or not torch.cuda.is_available() else PartialState()
    return Crew(state.process_index, state.num_processes, state.local_process_index, state.wait_for_everyone)
