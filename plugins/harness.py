"""What the bridges to lm-evaluation-harness share."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from benchctl.errors import BadConfig, MissingExtra
from benchctl.types import Generate, Prompt

SEED = 1234
"""lm-eval's own seed for examples and numpy; ``--seed N`` of a run means SEED + N, so that both defaults agree."""


def require(purpose: str) -> None:
    """Check that lm-eval is installed, and keep its notes to itself unless BENCHCTL_DEBUG=1.

    Raises:
        MissingExtra: with the pip line.
    """
    from importlib.util import find_spec

    if find_spec("lm_eval") is None:
        raise MissingExtra("lm-eval", "lm-eval", purpose)
    if os.environ.get("BENCHCTL_DEBUG") != "1":
        logging.getLogger("lm_eval").setLevel(logging.ERROR)


def generation(prompt: Prompt, arguments: Mapping[str, Any], limit: int = 256) -> Generate:
    """lm-eval's arguments of ``generate_until`` as a request.

    Args:
        arguments: ``until``, ``max_gen_toks`` (or one of its aliases), ``do_sample``, ``temperature``, ...
        limit: tokens where the arguments name none; 256 is lm-eval's.

    Raises:
        BadConfig: beams, or a way of sampling other than by temperature.
    """
    from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs

    known: dict[str, Any] = dict(normalize_gen_kwargs(dict(arguments), default_max_gen_toks=limit))
    stop = tuple(text for text in handle_stop_sequences(known.pop("until", None), eos=None) if text)
    tokens, sampled = int(known.pop("max_gen_toks")), bool(known.pop("do_sample", False))
    temperature = float(known.pop("temperature", 1.0))
    unknown = [k for k, v in known.items() if _matters(k, v, sampled)]
    if unknown:
        raise BadConfig(
            f"lm-eval's generation argument '{unknown[0]}' cannot be asked of a benchctl model.",
            "Only until, max_gen_toks, do_sample and temperature can: run this task with lm-eval itself.",
        )
    return Generate(prompt, stop, tokens, temperature if sampled else 0.0)


def _matters(name: str, value: object, sampled: bool) -> bool:
    """Whether an argument changes the answer: top_p and the like do nothing to greedy decoding, 1 beam is none."""
    if value is None or (name in ("top_p", "top_k", "min_p", "typical_p") and not sampled):
        return False
    return (name, value) not in (
        ("num_beams", 1),
        ("top_p", 1.0),
        ("repetition_penalty", 1.0),
        ("num_return_sequences", 1),
    )
