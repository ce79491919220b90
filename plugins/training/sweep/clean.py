"""What a training leaves behind in its process, put away before the next one."""

from __future__ import annotations

import sys


def let_go() -> None:
    """Make bitsandbytes forget the training that was.

    For 8-bit optimizers, transformers tells its one manager to update embeddings in 32 bits. The manager keeps the
    embeddings alive (half a gigabyte per trial of a 7B base) and applies what it was told to whichever parameter has
    the same place in the next optimizer: a trial would depend on those before it.
    """
    if "bitsandbytes" not in sys.modules:
        return
    from bitsandbytes.optim import GlobalOptimManager

    GlobalOptimManager.get_instance().initialize()
