"""How long-running commands are stopped: by Ctrl-C, or by whatever manages services."""

from __future__ import annotations

import signal
import threading
from typing import Final

_LOOK_S: Final = 1.0


def asked() -> threading.Event:
    """An event that is set when the process is asked to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def until(stop: threading.Event) -> None:
    """Wait for it. The system may hand a signal to any thread, and Python acts on it in the main
    one, which has to wake for that.
    """
    while not stop.wait(_LOOK_S):
        pass
