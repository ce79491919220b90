"""What ends a command in order, with everything written down: Ctrl-C, a batch system's SIGTERM, a closed terminal."""

from __future__ import annotations

import signal


def heed(*names: str) -> list[signal.Signals]:
    """Those of the named signals that this system has and the caller of the program did not have ignored.

    ``nohup`` ignores SIGHUP, so that a run outlives its terminal; a shell does the same with SIGINT for what it puts in
    the background.
    """
    known = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    return [one for one in known if signal.getsignal(one) is not signal.SIG_IGN]


def end_in_order() -> None:
    """From now on SIGTERM and the terminal's closing raise KeyboardInterrupt, as Ctrl-C does."""
    for one in heed("SIGTERM", "SIGHUP"):
        signal.signal(one, signal.default_int_handler)
