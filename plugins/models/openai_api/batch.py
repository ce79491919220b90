"""The batch interface: all requests in one file, answered within a day at about half the price.

What was handed in is remembered in benchctl's cache, under the model's fingerprint, until every answer has been taken:
the same command, after a Ctrl-C, a crash or a lost connection, waits for the batch that is under way instead of paying
for another. Requests that a batch could not answer are errors, and go into a new batch next time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from benchctl.errors import BadConfig, ModelCallError
from benchctl.fingerprints import cache_dir, digest
from benchctl.types import Generate, Response

from .calling import proxies_checked, whole
from .handing import Handed, forget, hand_in, known, remembered
from .secrets import Redactor
from .wire import Body, Malformed, Wire, read_usage, served_by

if TYPE_CHECKING:
    from openai import OpenAI, OpenAIError
    from openai.types import Batch

    from .model import OpenAIModel

MOST_LINES, MOST_BYTES = 50_000, 150 * 2**20
"""Of one batch; the interface takes 50 000 lines and 200 MB."""
OUTAGE = 3600.0
"""Seconds without a word from the service after which it is waited for no more; what was handed in stays remembered."""
ENDED = ("completed", "failed", "expired", "cancelled")


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


class Asked:
    """The requests of a run by their words as first put; sent in the terms that the server is known to take."""

    def __init__(self, model: OpenAIModel, requests: Sequence[Generate]) -> None:
        self._model, self._requests = model, requests
        self.redactor = model.redactor
        first = Wire(model.settings)  # not the model's own, which has learnt: the next command must find the same keys
        first.form = model.wire.form
        bodies = [_body(first, request) for request in requests]
        self.places: dict[str, list[int]] = {}
        """By its key, which is its id in a batch, the indices of each distinct request."""
        for index, (body, request) in enumerate(zip(bodies, requests, strict=True)):
            key = digest([body, request.draw] if request.draw else body)  # several draws are not one answer
            self.places.setdefault(key, []).append(index)
        self._sent = {key: bodies[places[0]] for key, places in self.places.items()}

    def parts(self, keys: Set[str]) -> Iterator[dict[str, bytes]]:
        """The lines of these requests, in parts that one batch can take."""
        return _parts((key, self._line(key)) for key in self.places if key in keys)

    def _line(self, key: str) -> bytes:
        body = self._sent[key] = self._body(key)
        asked = {"custom_id": key, "method": "POST", "url": f"/v1{self._model.wire.path}", "body": body}
        return json.dumps(asked, ensure_ascii=False).encode()

    def _body(self, key: str) -> Body:
        return _body(self._model.wire, self._requests[self.places[key][0]])

    def responses(self, key: str, row: Mapping[str, Any]) -> Iterator[tuple[int, Response]]:
        """What a line of a batch's file says, for every request with these words; paid once."""
        first, *others = self.places[key]
        found = _response(self._model, row, self._requests[first])
        yield first, found
        yield from ((index, replace(found, usage=None)) for index in others)

    def learns(self, key: str, row: Mapping[str, Any]) -> bool:
        """Whether a line refuses the words that were sent, and says which others the server takes."""
        answer = row.get("response") or {}
        said = (answer.get("body") or {}).get("error")
        if answer.get("status_code") != 400 or not isinstance(said, dict):
            return False
        self._model.wire.learn(str(said.get("param") or ""), str(said.get("message") or ""))
        return self._body(key) != self._sent[key]


def collect(model: OpenAIModel, requests: Sequence[Generate]) -> Iterator[tuple[int, Response]]:
    """Hand in what is not under way yet, wait, and yield every answer.

    What the server refuses, saying how it wants it, is handed in again in its own terms.

    Raises:
        ModelCallError: the interface cannot be reached or refuses; what was handed in stays remembered.
    """
    asked = Asked(model, requests)
    folder = cache_dir() / "batches" / model.fingerprint()
    with _client(model) as client, _plainly(model.redactor):
        handed = [known(client, model, one) for one in remembered(folder) if one.asked & asked.places.keys()]
        under_way = {key for batch in handed for key in batch.asked}
        handed += [hand_in(client, model, folder, part) for part in asked.parts(asked.places.keys() - under_way)]
        print(
            f"note: waiting for {len(handed)} batches; stop at will, the same command goes on waiting.", file=sys.stderr
        )
        watch = Watch(client, model.redactor)
        while handed:
            for batch in list(handed):
                again: set[str] = set()
                found = watch.look(batch)
                if found is None:
                    continue
                yield from _answers(found, batch, asked, again)
                handed.remove(batch)
                forget(batch, asked.places.keys())  # only now: every answer has been written down
                handed += [hand_in(client, model, folder, part) for part in asked.parts(again)]
            if handed:
                time.sleep(model.settings.poll)


class Ended(NamedTuple):
    """A batch that is over."""

    batch: Batch
    files: tuple[bytes, ...]
    """What was answered, and what failed, in lines of JSON."""


class Watch:
    """Looks at batches until they are over. A network that is away for a while does not end a wait of hours."""

    def __init__(self, client: OpenAI, redactor: Redactor) -> None:
        self._client, self._redactor = client, redactor
        self._away_since: float | None = None

    def look(self, batch: Handed) -> Ended | None:
        """The batch with its files, once it is over and they are here; None as long as they are not.

        Raises:
            ModelCallError: the service knows it no more.
            openai.OpenAIError: the service refuses, or could not be reached for :data:`OUTAGE` seconds.
        """
        import openai

        try:
            with _still_known(batch, self._redactor):
                found = self._client.batches.retrieve(batch.id)
                over = found.status in ENDED
                files = [name for name in (found.output_file_id, found.error_file_id) if name and over]
                contents = tuple(self._client.files.content(name).content for name in files)
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError) as error:
            self._away(error)
            return None
        self._away_since = None
        return Ended(found, contents) if over else None

    def _away(self, error: OpenAIError) -> None:
        """Tell once that nothing is heard, and give up after long."""
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            why = f"{self._redactor.error(str(error))} {self._redactor.error(str(error.__cause__ or ''))}".strip()
            print(f"note: the batch interface does not answer ({why}); the wait goes on.", file=sys.stderr)
        elif now - self._away_since > OUTAGE:
            raise error


def _answers(found: Ended, batch: Handed, asked: Asked, again: set[str]) -> Iterator[tuple[int, Response]]:
    """Each request of the batch that is wanted, with its answer or the reason why there is none.

    Args:
        again: takes those that have to be put in other words instead.

    Raises:
        ModelCallError: a line cannot be read, said once all others were; the batch stays remembered.
    """
    left, torn = batch.asked & asked.places.keys(), 0
    for line in filter(bytes.strip, b"\n".join(found.files).split(b"\n")):  # texts hold other line ends
        row = _row(line)
        if row is None:
            torn += 1
        elif (key := row["custom_id"]) in left:
            left -= {key}
            if asked.learns(key, row):
                again.add(key)
            else:
                yield from asked.responses(key, row)
    if torn and left:
        raise ModelCallError(
            f"The answers of the batch '{batch.id}' came damaged ({torn} of their lines); the others were taken.",
            f"The same command fetches them anew. If it stays so, delete {batch.note}: what is missing is paid again.",
        )
    yield from _unanswered(found.batch, left, asked)


def _row(line: bytes) -> dict[str, Any] | None:
    """A line of a batch's file; None where it is none, as where the file was cut off."""
    try:
        row = whole(json.loads(line))
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not isinstance(row.get("custom_id"), str):
        return None
    response = row.get("response")
    sound = response is None or (isinstance(response, dict) and isinstance(response.get("body"), dict | None))
    return row if sound else None


def _unanswered(found: Batch, left: Set[str], asked: Asked) -> Iterator[tuple[int, Response]]:
    """The reason why there is no answer, for each request that the batch's files do not hold."""
    faults = found.errors.data if found.errors and found.errors.data else ()
    why = "".join(f": {asked.redactor.error(fault.message or fault.code or '')}" for fault in faults[:1])
    for key in left:
        for index in asked.places[key]:
            yield index, Response(error=f"the batch ended as '{found.status}' without this answer{why}")


def _body(wire: Wire, request: Generate) -> Body:
    return wire.written(request.prompt, request.max_tokens, request.temperature, request.stop, request.draw)


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
    usage = model.budget.charge(read_usage(body), batch=True)
    detail = {"batch": True, **served_by(body, model.redactor)}
    return Response(text=text, finish_reason=written.finish_reason, usage=usage, detail=detail)


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
def _still_known(batch: Handed, redactor: Redactor) -> Iterator[None]:
    """Around what is asked of the service about a batch: one that it has thrown away would be asked for for ever."""
    import openai

    try:
        yield
    except openai.NotFoundError as error:
        raise ModelCallError(
            f"The batch '{batch.id}', handed in before, is not found: HTTP 404: {redactor.error(str(error))}",
            f"Is it the same account? If it is gone, delete {batch.note}: its questions are then paid anew.",
        ) from None


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
