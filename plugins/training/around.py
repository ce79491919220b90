"""Around a training: quiet libraries, no trace of an earlier one, and a plain word when the memory is not enough."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchctl.errors import ModelCallError, blamed
from benchctl.plugins import Offer

from .wording import some

if TYPE_CHECKING:
    from .recipe import Recipe

_TALKATIVE = ("accelerate", "trl", "peft", "datasets")
"""Loggers that report every evaluation once some library has opened the root logger."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep several trainings of one process apart: a sweep's trials must not depend on those before them.

    For 8-bit optimizers, transformers tells bitsandbytes' one manager to update embeddings in 32 bits. The manager
    keeps the embeddings alive (half a gigabyte per training of a 7B base) and applies what it was told to whichever
    parameter has the same place in the next optimizer. And CUDA's peak of allocated memory counts from the beginning
    of the process.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()
    try:
        yield
    finally:
        if "bitsandbytes" in sys.modules:
            from bitsandbytes.optim import GlobalOptimManager

            GlobalOptimManager.get_instance().initialize()


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """The libraries' chatter and bars off."""
    import datasets

    from ..models.quiet import quiet

    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    enabled = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with quiet():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if enabled:
            datasets.enable_progress_bars()


def described(objective: Offer) -> str:
    """Whose objective it is, to begin a message with."""
    return f"The objective '{objective.name}' of plugin '{objective.plugin.name}'"


@contextlib.contextmanager
def charged(objective: Offer, recipe: Recipe) -> Iterator[None]:
    """A defect in the objective of somebody's plugin told as what failed and why; too little memory is none.

    Raises:
        PluginError: in place of any other exception; one of our own objectives is a bug of ours and shown whole.
    """
    if objective.plugin.builtin:
        yield
        return
    with blamed(f"{described(objective)} failed", "Tell its author."), memory_hint(recipe):
        yield


@contextlib.contextmanager
def memory_hint(recipe: Recipe) -> Iterator[None]:
    """What to do when the memory is not enough."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        from ..models.engine.memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        t, longest = recipe.training, recipe.data.max_length
        ways = [f"batch={max(t.batch // 2, 1)} with accumulation={t.accumulation * 2} (the same steps)"] * (t.batch > 1)
        ways += [f"max_length={longest // 2}"]
        ways += ["gradient_checkpointing=true"] * (t.gradient_checkpointing is False)
        ways += ["method=qlora with quant=nf4"] * (recipe.model.quant == "none")
        raise ModelCallError(
            f"The memory is not enough for a batch of {some(t.batch, 'row')} of up to {longest} tokens.",
            f"Set {'; '.join(ways)}.",
        ) from error
