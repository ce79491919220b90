"""Keeps the libraries' chatter out of the program's output: standard output carries results only."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

NOISY = (
    "torchao",
    "torch.utils._pytree",
    "tokenicer",
    "tokenicer.tokenicer",
    "bitsandbytes",
    "bitsandbytes.autograd._functions",
)
"""Loggers that report, at every start, what is no concern of the person at the keyboard."""


def hush() -> None:
    """Let those loggers report errors only; before the libraries are imported, since they talk while they are."""
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """While models are loaded, quantised or given an adapter: nothing on standard output, no bars, no advice.

    gptqmodel prints a banner and its progress on standard output as soon as it is imported, which peft does whenever it
    attaches an adapter; that would break ``--json``.
    """
    hush()
    from transformers.utils import logging as hf_logging

    hf_logging.disable_progress_bar()  # it would tear our own bar
    level = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        hf_logging.set_verbosity(level)
