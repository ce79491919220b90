"""Many calls at once behind a plain generator: an event loop in a thread, a bounded queue between the two."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress

from benchctl.types import Response

Ask = Callable[[int], Awaitable[Response]]
ROOM = 4
"""Answers that may wait for the consumer, in multiples of the calls in flight."""
PAUSE = 0.005
"""Seconds between two looks at a full queue."""

_Item = tuple[int, Response] | BaseException | None


def stream(
    session: Callable[[], AbstractAsyncContextManager[Ask]], count: int, workers: int
) -> Iterator[tuple[int, Response]]:
    """Ask requests 0 to ``count`` - 1, ``workers`` at a time, and yield each answer as it comes.

    The loop has a thread of its own: it runs on while the consumer writes to disk, and works where the consumer's
    thread has a loop already, as in a notebook. Whatever ends the generator, the thread is gone when it has ended.

    Args:
        session: opened inside the loop; gives the function that answers one request, and closes its sockets.
        count: how many requests there are.
        workers: calls in flight at most; no more than a few times as many answers are ever held.
    """
    answers: queue.SimpleQueue[_Item] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_work(session, count, min(workers, count), answers))
    thread = threading.Thread(target=_run, args=(loop, task, answers), name="openai", daemon=True)
    thread.start()
    try:
        while (item := answers.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        if thread.is_alive():
            with suppress(RuntimeError):  # the loop may close between the two lines
                loop.call_soon_threadsafe(task.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None], answers: queue.SimpleQueue[_Item]) -> None:
    """The thread: errors travel to the consumer, where they belong."""
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        pass
    except BaseExceptionGroup as group:
        answers.put(group.exceptions[0])
    except BaseException as error:  # whatever it is, the consumer must see it instead of waiting for ever
        answers.put(error)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        answers.put(None)


async def _work(
    session: Callable[[], AbstractAsyncContextManager[Ask]], count: int, workers: int, answers: queue.SimpleQueue[_Item]
) -> None:
    places = iter(range(count))

    async def work(ask: Ask) -> None:
        for place in places:
            while answers.qsize() > ROOM * workers:
                await asyncio.sleep(PAUSE)
            answers.put((place, await ask(place)))

    async with session() as ask, asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work(ask))
