"""``benchctl merge`` and ``benchctl quantize``: models made from models, checked before they are kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

import click

from benchctl.durable import sync, sync_tree
from benchctl.hookspecs import hookimpl

from . import making
from .merge import MAX_ERROR

_LOCK = ".lock"


@click.command("merge")
@click.argument("base")
@click.argument("adapter")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="New folder.")
@click.option("--quant", type=click.Choice(["nf4", "fp4", "int8", "none"]),
              help="How the base was quantised in the adapter's training.  [default: as the adapter says]")  # fmt: skip
@click.option("--dtype", type=click.Choice(["auto", "float32", "bfloat16", "float16"]), default="auto",
              show_default=True, help="Of the merged weights.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--max-error", type=click.FloatRange(min=0), default=MAX_ERROR, show_default=True, metavar="E",
              help="Refuse a result whose logits differ by more (relative) from the unmerged model's.")  # fmt: skip
@click.option("--any-base", is_flag=True, help="Merge although the adapter was made for another base.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object on standard output.")
def merge_command(base: str, adapter: str, out: Path, as_json: bool, max_error: float, **options: Any) -> None:
    """Merge ADAPTER into BASE (a folder, hub id or named model) and write plain weights to a new folder.

    An unquantised base is merged in place; a 4-bit one is dequantised first, since its adapter has learnt to make up
    for the rounding. The logits of the result are compared with those of base and adapter side by side.

    \b
    Example:
      benchctl merge HuggingFaceH4/zephyr-7b-beta adapters/zephyr-qlora --quant nf4 --out models/zephyr-merged
    """
    with _draft(out) as folder:
        facts = making.write_merged(base, adapter, folder, max_error, options)
    _say(facts, out, as_json, "{out}: {route}, {parameters:,} parameters, {weights_mib:.1f} MiB; logits differ from "
         "the unmerged model's by {error:.2g} (limit {max_error:g})")  # fmt: skip


@click.command("quantize")
@click.argument("model")
@click.option("--method", type=click.Choice(["gptq", "nf4"]), required=True, help="nf4 needs no calibration.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="New folder.")
@click.option("--bits", type=click.Choice(["2", "3", "4", "8"]), default="4", show_default=True, help="For gptq.")
@click.option("--group-size", type=click.IntRange(min=1), metavar="N",
              help="Weights that share a scale, for gptq.  [default: what fits of 128, 64, 32]")  # fmt: skip
@click.option("--task", "tasks", multiple=True, default=("medmcqa-pt", "medqa-pt", "pubmedqa-pt"),
              show_default=True, metavar="T", help="Tasks whose training rows calibrate gptq.")  # fmt: skip
@click.option("--data", default="builtin", show_default=True, metavar="SOURCE",
              help="Their training rows: 'builtin', 'hub' (training split) or a file.")  # fmt: skip
@click.option("--test-data", metavar="SOURCE", help="Test rows to keep out, besides the built-in ones.")
@click.option(
    "--samples", type=click.IntRange(min=1), default=128, show_default=True, help="Calibration texts, at most."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of their choice.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--json", "as_json", is_flag=True, help="A JSON object on standard output.")
def quantize_command(model: str, method: str, out: Path, as_json: bool, **options: Any) -> None:
    """Write MODEL (a folder, hub id or named model) quantised to a new folder, and say how much it changed.

    \b
    Example:
      benchctl quantize gpt2-xl --method gptq --task medmcqa-pt --data hub --out models/gpt2-xl-gptq
    """
    if method != "gptq":
        _refuse_unused("bits", "group_size", "tasks", "data", "test_data", "samples", "seed")
    with _draft(out) as folder:
        facts = making.write_quantized(model, method, folder, options)
    _say(facts, out, as_json, "{out}: {method}, {quantised_layers} of {linear_layers} layers, {weights_mib:.1f} MiB "
         "instead of {weights_mib_before:.1f}; logits differ by {error:.2g} (relative)")  # fmt: skip


def _refuse_unused(*names: str) -> None:
    """Options of the running command that were given although its method has no use for them.

    Raises:
        UsageError: there are some.
    """
    context = click.get_current_context()
    given = [n for n in names if context.get_parameter_source(n) is click.core.ParameterSource.COMMANDLINE]
    if given:
        flags = (max(p.opts, key=len) for p in context.command.params if p.name in given)
        raise click.UsageError(f"{', '.join(flags)}: only for --method gptq.")


@contextmanager
def _draft(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that takes its name when all went well, and is removed when not.

    A command that was killed leaves its own behind, gigabytes: it is removed by the next one for the same ``out``. That
    nobody is writing it any more is known by its lock, which the system frees.
    """
    from filelock import FileLock, Timeout

    from benchctl.stopping import end_in_order

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.UsageError(f"The folder '{out}' exists and is not empty.")
    if out.resolve() == Path.cwd():
        raise click.UsageError(f"'{out}' is the folder this command runs in: name a new folder.")
    out = out.resolve()  # a link to a larger disk: the draft belongs there too
    end_in_order()
    for lock in out.parent.glob(f"{escape(out.name)}.*.draft/{_LOCK}"):  # without one it is somebody's own folder
        with suppress(Timeout), FileLock(lock, timeout=0):
            shutil.rmtree(lock.parent)
    draft = out.with_name(f"{out.name}.{os.getpid()}.draft")
    draft.mkdir(parents=True)
    try:
        with FileLock(draft / _LOCK):
            yield draft
        (draft / _LOCK).unlink()
        sync_tree(draft)  # weights that a power cut left half on the disk would pass for whole under their name
        if out.is_dir():
            out.rmdir()
        draft.rename(out)
        sync(out.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _say(facts: Mapping[str, Any], out: Path, as_json: bool, line: str) -> None:
    found = {"out": str(out), **facts}
    click.echo(json.dumps(found, ensure_ascii=False, indent=1) if as_json else line.format(**found))


@hookimpl
def benchctl_commands(cli: click.Group) -> None:
    """The two commands."""
    commands: Sequence[click.Command] = (merge_command, quantize_command)
    for command in commands:
        cli.add_command(command)
