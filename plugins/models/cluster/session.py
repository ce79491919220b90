"""The connection to Ray: to a cluster, or to a quiet local Ray on the loopback that ends with the last model."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from benchctl.errors import BadConfig, MissingExtra, ModelCallError

OBJECT_STORE = 256 * 2**20
"""Bytes: samples and answers are small, and Ray would take a third of the memory."""

log = logging.getLogger(__name__)


class Session:
    """One per process, as Ray is. Models join it when they are made and leave it when they are closed."""

    def __init__(self) -> None:
        self._users = 0
        self._address: str | None = None
        self._connected = self._own = False
        self._before: dict[str, str | None] = {}

    def join(self) -> None:
        """One user more."""
        self._users += 1

    def leave(self) -> None:
        """One user less; the last one ends what was started."""
        self._users -= 1
        if self._users:
            return
        self._connected = False
        if self._own:
            import ray

            ray.shutdown()
            self._own = False
            _restore(self._before)

    def connect(self, address: str) -> Any:
        """The module ``ray``, connected. A Ray that this process uses already is used, and left running.

        Args:
            address: ``auto``, ``HOST:PORT``, or empty for a local Ray.

        Raises:
            MissingExtra: Ray is not installed.
            BadConfig: an address that cannot be used.
            ModelCallError: nobody answers there.
        """
        if self._connected and address != self._address:
            raise BadConfig("One command uses one Ray cluster.", "Give the same ray=ADDRESS to every model.")
        if address.startswith("ray://"):
            raise BadConfig(
                f"Answers cannot stream through a Ray client: '{address}'.",
                "Run benchctl on a node of the cluster with --ray auto, or give HOST:PORT of its head.",
            )
        ray = import_ray(address)
        if not self._connected:
            if not ray.is_initialized():
                self._own = True
                self._start(ray, address)
            self._connected, self._address = True, address
        return ray

    def _start(self, ray: Any, address: str) -> None:
        logging.getLogger("ray").setLevel(logging.ERROR)
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        with _own_signals():
            try:
                if address:
                    _knock(address)
                    ray.init(address=address, **quiet)
                else:
                    self._before = _set(_local_environment())
                    ray.init(
                        address="local", include_dashboard=False, object_store_memory=OBJECT_STORE,
                        _node_ip_address="127.0.0.1", **quiet,
                    )  # fmt: skip
            except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                _restore(self._before)
                where = f"No Ray cluster answers at '{address}'" if address else "A local Ray cannot be started"
                raise ModelCallError(
                    f"{where}: {first_line(error)}",
                    "Start one with 'ray start --head', and its nodes with 'ray start --address HOST:PORT'."
                    if address
                    else "Is there room in /dev/shm and /tmp? Without --workers no Ray is needed.",
                ) from error
        _hush(ray)


SESSION = Session()
"""The one of this process."""


def import_ray(address: str = "") -> Any:
    """The module.

    Raises:
        MissingExtra: it is not installed.
    """
    before = {} if address else _set(_local_environment())
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "ray", "A run on several workers") from error
    finally:
        _restore(before)
    return ray


def first_line(error: BaseException) -> str:
    """What an exception of Ray's says before it goes into detail."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _knock(address: str) -> None:
    """Fail at once where nobody listens: Ray tries for minutes.

    Raises:
        OSError: nobody does.
    """
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@cache
def _token() -> str:
    """Of this process's local Ray: other users of the machine cannot connect, and nothing is left in the home."""
    return secrets.token_hex(32)


def _local_environment() -> dict[str, str]:
    """What makes a Ray local: no statistics sent, and the loopback instead of all networks, as on macOS."""
    found = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    return found if "RAY_AUTH_TOKEN" in os.environ else {**found, "RAY_AUTH_TOKEN": _token()}


def _set(values: dict[str, str]) -> dict[str, str | None]:
    """Set variables; gives back what they were, and the one that Ray sets itself."""
    before = {name: os.environ.get(name) for name in (*values, "RAY_AUTH_MODE")}
    os.environ.update(values)
    return before


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    before.clear()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM does: Ray makes it an exit at once, and the run would not end in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _hush(ray: Any) -> None:
    """Ray writes a dead worker's story on standard output, where ``--json`` must stand alone; there is no switch."""
    module = ray._private.worker
    if hasattr(module, "print_to_stdstream"):
        module.print_to_stdstream = lambda data, *_, **__: log.debug("%s", data)
