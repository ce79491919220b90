"""Handing a batch in, once: its note is on the disk before the service hears of it, and until all was taken."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchctl.fingerprints import digest
from benchctl.records import replace_file

from .calling import back_off

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Batch

    from .model import OpenAIModel


@dataclass(frozen=True, slots=True)
class Handed:
    """A batch that was handed in, or is about to be."""

    file: str
    """Of its requests, uploaded."""
    id: str
    """Empty until it is known: the batch may be there all the same."""
    asked: frozenset[str]
    """Hashes of its requests, which are their ids in it."""
    note: Path
    """The file that remembers it."""


def hand_in(client: OpenAI, model: OpenAIModel, folder: Path, part: Mapping[str, bytes]) -> Handed:
    """Upload the requests and have a batch of them made."""
    file = client.files.create(file=("requests.jsonl", b"\n".join(part.values())), purpose="batch")
    handed = Handed(file.id, "", frozenset(part), folder / f"{digest(file.id)[:16]}.json")
    _remember(handed)  # before it is made: what ends this process meanwhile leaves a batch that is paid
    return _made(client, model, handed)


def known(client: OpenAI, model: OpenAIModel, handed: Handed) -> Handed:
    """What was handed in before, with its batch: looked for where its maker did not live to hear of it."""
    if handed.id:
        return handed
    found = _listed(client, handed.file)
    return _named(handed, found) if found else _made(client, model, handed)


def _named(handed: Handed, made: Batch) -> Handed:
    named = replace(handed, id=made.id)
    _remember(named)
    return named


def _made(client: OpenAI, model: OpenAIModel, handed: Handed) -> Handed:
    """With a batch of the uploaded file, which is forgotten where the service refuses to make one."""
    import openai

    try:
        return _named(handed, _create(client, model, handed.file))
    except openai.APIStatusError as error:
        if error.status_code < 500 and error.status_code != 429:
            handed.note.unlink(missing_ok=True)
        raise


def _listed(client: OpenAI, file: str) -> Batch | None:
    """The batch of an uploaded file among the newest; None where there is none, or the server lists none."""
    import openai

    with suppress(openai.NotFoundError):
        return next((found for found in client.batches.list(limit=20).data if found.input_file_id == file), None)
    return None


def _create(client: OpenAI, model: OpenAIModel, file: str) -> Batch:
    """A batch of an uploaded file, made once: where the reply was lost on its way, the batch may be there all the same,
    and each more is paid."""
    import openai

    once, attempt = client.with_options(max_retries=0), 0
    while True:
        try:
            return once.batches.create(
                input_file_id=file, completion_window="24h",
                endpoint="/v1/chat/completions" if model.settings.mode == "chat" else "/v1/completions",
            )  # fmt: skip
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError):
            time.sleep(back_off(attempt))
            if found := _listed(client, file):
                return found
            if attempt == model.settings.retries:
                raise
            attempt += 1


def _remember(batch: Handed) -> None:
    replace_file(batch.note, json.dumps({"file": batch.file, "id": batch.id, "asked": sorted(batch.asked)}))


def forget(batch: Handed, taken: Set[str]) -> None:
    """Note that these were taken; what another run asked, such as one without --limit, stays for it."""
    if left := batch.asked - taken:
        _remember(replace(batch, asked=left))
    else:
        batch.note.unlink(missing_ok=True)


def remembered(folder: Path) -> Iterator[Handed]:
    """What was handed in and not taken yet."""
    for note in sorted(folder.glob("*.json")):
        try:
            found = json.loads(note.read_text(encoding="utf-8"))
            yield Handed(str(found.get("file", "")), str(found["id"]), frozenset(found["asked"]), note)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            print(f"note: {note} cannot be read and is passed over.", file=sys.stderr)
