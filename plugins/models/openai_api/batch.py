"""The batch interface: all requests in one file, answered within a day at about half the price.

What was handed in is remembered in benchctl's cache, under the model's fingerprint, until every answer has been taken:
the same command, after a Ctrl-C, a crash or a lost connection, waits for the batch that is under way instead of paying
for another. Requests that a batch could not answer are errors, and go into a new batch next time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchctl.errors import BadConfig, ModelCallError
from benchctl.fingerprints import cache_dir, digest
from benchctl.records import replace_file
from benchctl.types import Generate, Response

from .calling import proxies_checked, whole
from .secrets import Redactor
from .wire import Body, Malformed, read_usage, served_by

if TYPE_CHECKING:
    from openai import OpenAI

    from .model import OpenAIModel

MOST_LINES, MOST_BYTES = 50_000, 150 * 2**20
"""Of one batch; the interface takes 50 000 lines and 200 MB."""
ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True, slots=True)
class Handed:
    """A batch that was handed in."""

    id: str
    asked: frozenset[str]
    """Hashes of its requests, which are their ids in it."""
    note: Path
    """The file that remembers it."""


def refuse_limit(most: float | None) -> None:
    """A batch is paid for as a whole, and what it costs is known at its end.

    Raises:
        BadConfig: there is a limit.
    """
    if most is not None:
        raise BadConfig(
            "A cost limit cannot be kept through the batch interface: what was handed in is paid for as a whole.",
            "Leave out --max-cost (and max_cost) and ask fewer questions with --limit, or leave out batch=true.",
        )


def collect(model: OpenAIModel, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
    """Hand in what is not under way yet, wait, and yield every answer.

    Raises:
        ModelCallError: the interface cannot be reached or refuses; what was handed in stays remembered.
    """
    bodies = {i: model.wire.written(r.prompt, r.max_tokens, r.temperature, r.stop) for i, r in enumerate(requests)}
    places: dict[str, list[int]] = {}
    for index, body in bodies.items():
        places.setdefault(digest(body), []).append(index)
    folder = cache_dir() / "batches" / model.fingerprint()
    with _client(model) as client, _plainly(model.redactor):
        handed = [batch for batch in _remembered(folder) if batch.asked & places.keys()]
        new = places.keys() - {key for batch in handed for key in batch.asked}
        lines = ((key, _line(key, model.wire.path, bodies[places[key][0]])) for key in places if key in new)
        handed += [_hand_in(client, model, folder, part) for part in _parts(lines)]
        print(
            f"note: waiting for {len(handed)} batches; stop at will, the same command goes on waiting.", file=sys.stderr
        )
        while handed:
            for batch in list(handed):
                found = client.batches.retrieve(batch.id)
                if found.status in ENDED:
                    handed.remove(batch)
                    yield from _answers(client, model, found, batch, places, requests)
                    batch.note.unlink(missing_ok=True)  # only now: every answer has been written down
            if handed:
                time.sleep(model.settings.poll)


def _answers(
    client: OpenAI,
    model: OpenAIModel,
    found: Any,
    batch: Handed,
    places: Mapping[str, list[int]],
    requests: Sequence[Generate],
) -> Iterator[tuple[int, Response]]:
    """Each request of the batch that is wanted, with its answer or the reason why there is none."""
    left = batch.asked & places.keys()
    for file in (found.output_file_id, found.error_file_id):
        for line in client.files.content(file).content.split(b"\n") if file else ():  # texts hold other line ends
            row = whole(json.loads(line)) if line.strip() else {}
            key = row.get("custom_id")
            if key in left:
                left -= {key}
                for index in places[key]:
                    yield index, _response(model, row, requests[index])
    for key in left:
        for index in places[key]:
            yield index, Response(error=f"the batch ended as '{found.status}' without this answer")


def _response(model: OpenAIModel, row: Mapping[str, Any], request: Generate) -> Response:
    answer = row.get("response") or {}
    body = answer.get("body") or {}
    if row.get("error") or answer.get("status_code") != 200:
        said = json.dumps(row.get("error") or body, ensure_ascii=False)
        return Response(error=f"batch, HTTP {answer.get('status_code')}: {model.redactor.error(said)}")
    try:
        written = model.wire.read_written(body, request.stop)
    except Malformed as error:
        return Response(error=f"batch: {error}")
    text = model.redactor.answer(written.text)
    usage = model.budget.charge(read_usage(body))
    detail = {"batch": True, **served_by(body, model.redactor)}
    return Response(text=text, finish_reason=written.finish_reason, usage=usage, detail=detail)


def _line(key: str, path: str, body: Body) -> bytes:
    asked = {"custom_id": key, "method": "POST", "url": f"/v1{path}", "body": body}
    return json.dumps(asked, ensure_ascii=False).encode()


def _parts(lines: Iterator[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """The lines in parts that one batch can take."""
    part: dict[str, bytes] = {}
    size = 0
    for key, line in lines:
        if part and (len(part) >= MOST_LINES or size + len(line) > MOST_BYTES):
            yield part
            part, size = {}, 0
        part[key] = line
        size += len(line) + 1
    if part:
        yield part


def _hand_in(client: OpenAI, model: OpenAIModel, folder: Path, part: Mapping[str, bytes]) -> Handed:
    file = client.files.create(file=("requests.jsonl", b"\n".join(part.values())), purpose="batch")
    made = client.batches.create(
        input_file_id=file.id, completion_window="24h",
        endpoint="/v1/chat/completions" if model.settings.mode == "chat" else "/v1/completions",
    )  # fmt: skip
    note = folder / f"{digest(made.id)[:16]}.json"
    replace_file(note, json.dumps({"id": made.id, "asked": sorted(part)}))
    return Handed(made.id, frozenset(part), note)


def _remembered(folder: Path) -> Iterator[Handed]:
    for note in sorted(folder.glob("*.json")):
        try:
            found = json.loads(note.read_text(encoding="utf-8"))
            yield Handed(str(found["id"]), frozenset(found["asked"]), note)
        except (OSError, ValueError, KeyError, TypeError):
            print(f"note: {note} cannot be read and is passed over.", file=sys.stderr)


@contextmanager
def _client(model: OpenAIModel) -> Iterator[OpenAI]:
    import openai

    from .settings import is_loopback

    s = model.settings
    with proxies_checked():
        http = openai.DefaultHttpxClient(trust_env=not is_loopback(s.base_url), timeout=s.timeout)
    with openai.OpenAI(
        api_key=s.key or "none", base_url=s.base_url, timeout=s.timeout, max_retries=s.retries, http_client=http
    ) as client:
        yield client


@contextmanager
def _plainly(redactor: Redactor) -> Iterator[None]:
    """What the client raises as two lines without the key."""
    import openai

    try:
        yield
    except openai.OpenAIError as error:
        raise ModelCallError(
            f"The batch interface failed: {redactor.error(str(error))}",
            "What was handed in is remembered: run it again.",
        ) from None
