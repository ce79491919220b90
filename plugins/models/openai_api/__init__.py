"""``openai:MODEL``: models behind an API of the OpenAI kind, at OpenAI's, another provider's or on this machine.

model.py     the three methods of a Model; what it says of itself
settings.py  the options, and which of them fix the answers
wire.py      requests as JSON bodies, replies read with suspicion
choosing.py  a choice by log-probabilities, or by a written answer
calling.py   one call until it succeeds or fails for good
pacing.py    how fast to ask, when to wait, when to give up
pump.py      many calls at once behind a plain generator
costs.py     prices, and the stop at a sum
batch.py     the batch interface: half the price, within a day
handing.py   a batch handed in once, and remembered
secrets.py   keeps the key out of all that is written or shown
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchctl.hookspecs import hookimpl
from benchctl.model import Model, ModelArgs


def openai(args: ModelArgs) -> Model:
    """A model behind an OpenAI-compatible API: openai:MODEL,base_url=URL; the key comes from OPENAI_API_KEY."""
    from .model import OpenAIModel

    return OpenAIModel(args)


@hookimpl
def benchctl_models() -> Mapping[str, Callable[[ModelArgs], Model]]:
    """The backend."""
    return {"openai": openai}
