"""A TCP proxy in front of a real server: it delays, cuts connections and falls silent."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Listens on `port` of this machine. `delay`: seconds that each direction takes.

    `cut_after`: the next connections are ended after so many bytes from the server, one for each
    entry. While `silent` is set nothing passes, and no connection ends.
    """

    def __init__(self, host: str, port: int, delay: float = 0.0) -> None:
        self.delay = delay
        self.silent = threading.Event()
        self.cut_after: deque[int] = deque()
        self.cuts = 0
        self.bytes = 0
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port: int = self._server.getsockname()[1]

    def cut(self) -> None:
        """End every connection now, in the middle of whatever it does."""
        with self._lock:
            ended = list(self._open)
        for connection in ended:
            _end(connection)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _end(self._server)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            most = self.cut_after.popleft() if self.cut_after else None
            _Way(self, client, server, None).start()
            _Way(self, server, client, most).start()

    def forget(self, *connections: socket.socket) -> None:
        with self._lock:
            self._open -= set(connections)


class _Way:
    """One direction: a thread reads, and another writes what is old enough."""

    def __init__(
        self, proxy: Proxy, source: socket.socket, target: socket.socket, most: int | None
    ) -> None:
        self._proxy, self._source, self._target, self._most = proxy, source, target, most
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._changed = threading.Condition()

    def start(self) -> None:
        for work in (self._read, self._write):
            threading.Thread(target=work, daemon=True).start()

    def _read(self) -> None:
        data = b"-"
        while data:
            try:
                data = self._source.recv(1 << 16)
            except OSError:
                data = b""
            with self._changed:
                self._waiting.append((time.monotonic() + self._proxy.delay, data))
                self._changed.notify()
                while len(self._waiting) > 256 and data:
                    self._changed.wait(0.05)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                due, data = self._waiting.popleft()
                self._changed.notify()
            time.sleep(max(0.0, due - time.monotonic()))
            while self._proxy.silent.is_set():
                time.sleep(0.02)
            if not data:
                break
            if self._most is not None:
                self._most -= len(data)
                if self._most < 0:
                    self._proxy.cuts += 1
                    data = data[: self._most]
            self._proxy.bytes += len(data)
            with suppress(OSError):
                self._target.sendall(data)
            if self._most is not None and self._most < 0:
                break
        _end(self._source)
        _end(self._target)
        self._proxy.forget(self._source, self._target)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
