"""A child process that is asked through its input and answers in lines, within a time."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from contextlib import suppress

from triage.settings import child_environment


class LineProcess:
    """`python -m MODULE`, without the worker's secrets; for one thread at a time."""

    def __init__(self, module: str) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._process = subprocess.Popen(  # noqa: S603 - modules of ours
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment({"PYTHONPATH": path}),
            start_new_session=True,  # Ctrl-C is for the worker, which ends its children
        )
        self._unread = bytearray()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def send(self, request: bytes) -> None:
        """Write to its input; it must read at once what is larger than a pipe's buffer. Raises
        `OSError` where it is gone.
        """
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        self._process.stdin.write(request)
        self._process.stdin.flush()

    def line(self, limit_s: float) -> bytes:
        """The next line of its output, without the line end.

        Raises `TimeoutError` past the limit, and `BrokenPipeError` where there is no more.
        """
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        pipe = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(pipe, select.POLLIN | select.POLLHUP)
        deadline, looked = time.monotonic() + limit_s, 0
        while (end := self._unread.find(b"\n", looked)) < 0:
            looked = len(self._unread)
            left_ms = (deadline - time.monotonic()) * 1000
            if left_ms <= 0 or not poll.poll(left_ms):
                raise TimeoutError(f"no answer within {limit_s:g} s")
            block = os.read(pipe, 1 << 18)
            if not block:
                raise BrokenPipeError("its output ended")
            self._unread += block
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was still to be written to it
                if pipe is not None:
                    pipe.close()
