"""A transcribing child process seen from the worker: start, ask, wait, kill."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, Final

import structlog

from triage.errors import Transient
from triage.settings import child_environment
from triage.transcripts import messages
from triage.transcripts.messages import Message

log = structlog.get_logger(__name__)

START_S: Final = 120.0
# Large buffers stay mapped instead of being returned and faulted in again: 13 to 20 % less time.
ALLOCATOR: Final = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296"
    ":glibc.malloc.trim_threshold=8589934592:glibc.malloc.top_pad=268435456"
)


class Child:
    """One child, started when it is first asked something, and again after it ended.

    One caller at a time asks; `stop` may come from any thread, and `release` when nobody asks.
    """

    def __init__(self, setup: Message, *, threads: int) -> None:
        self._setup = setup
        self._threads = str(threads)
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._unread = bytearray()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask(self, request: Message, limit_s: float) -> Message:
        """Send a request and wait up to `limit_s` for the first answer to it."""
        if self.pid is None:
            self._start()
        self._send(request)
        return self.answer(limit_s)

    def answer(self, limit_s: float) -> Message:
        """The next answer. Raises `Transient` where the child died, or is killed for its time."""
        try:
            message = self._line(time.monotonic() + limit_s)
        except TimeoutError:
            self._kill()
            raise Transient(
                f"transcription did not end within {limit_s:.0f} s and was stopped "
                "(transcription.time_limit is the bound)"
            ) from None
        if message.get("recycle"):
            self._end()
        return message

    def stop(self) -> None:
        """End the child now and for good; whoever waits for an answer gets an error."""
        with self._lock:
            self._closed = True
            self._kill()

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                raise Transient("transcription was shut down")
            self.release()
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "triage.transcripts.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=child_environment(self._variables()),
                start_new_session=True,  # Ctrl-C is for the worker, which ends its children
            )
        self._send(self._setup)
        self.answer(START_S)

    def _variables(self) -> dict[str, str]:
        return {
            "GLIBC_TUNABLES": ALLOCATOR,
            "OMP_NUM_THREADS": self._threads,
            "MKL_NUM_THREADS": self._threads,
            "OPENBLAS_NUM_THREADS": self._threads,
            "NUMBA_NUM_THREADS": self._threads,  # else numba gives torch every core
            # oneDNN keeps code for every length that was encoded, 0.9 MB each: memory grows with
            # calls. Making it anew costs nothing that can be measured.
            "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "4",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        }

    def _end(self) -> None:
        """End a child that asks for it; the next question starts another."""
        log.info("transcribing process is replaced", pid=self.pid)
        with self._lock:
            self._kill()

    def _send(self, message: Message) -> None:
        assert self._process is not None  # noqa: S101 - started by the caller
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        try:
            self._process.stdin.write(messages.line(message))
            self._process.stdin.flush()
        except OSError as error:
            raise self._death() from error

    def _line(self, deadline: float) -> Message:
        """The next message; `TimeoutError` past the deadline."""
        assert self._process is not None  # noqa: S101 - started by the caller
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        pipe = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(pipe, select.POLLIN | select.POLLHUP)
        while (end := self._unread.find(b"\n")) < 0:
            remaining_ms = (deadline - time.monotonic()) * 1000
            if remaining_ms <= 0 or not poll.poll(remaining_ms):
                raise TimeoutError
            block = os.read(pipe, 1 << 16)
            if not block:
                raise self._death()
            self._unread += block
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return messages.parsed(line)

    def _death(self) -> Transient:
        """What happened to a child that went away; its last words go to the log."""
        self._kill()
        status = self._process.returncode if self._process is not None else 0
        log.warning("transcribing process died", status=status, last_words=self._last_words())
        if self._closed:
            return Transient("transcription was shut down")
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return Transient(
            f"the transcribing process {how} during a recording"
            + (" (out of memory?)" if status == -9 else "")
        )

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 500))
        return self._errors.read().decode(errors="replace").strip()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def release(self) -> None:
        """Close the pipes of an ended child."""
        if self._process is not None:
            with self._process:  # closes the pipes
                self._process = None
        if self._errors is not None:
            self._errors.close()
        self._unread.clear()
