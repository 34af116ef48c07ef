"""Recordings on an SFTP server.

asyncssh is used as it is. Under fsspec it would cache listings, break off a whole listing at one
name that is not UTF-8, and hide who the server is.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import asyncssh

from triage.errors import Configuration, Transient
from triage.settings import SftpSource
from triage.sources.recordings.folders import Folder, Scan
from triage.sources.recordings.store import Entry, Gone, Unreadable

_CHUNK = 4 << 20  # asyncssh asks for its parts at once
_Result = TypeVar("_Result")

_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)


class SftpFolder:
    """A folder with its subfolders on a server; a connection for each session. See `Store`."""

    own_clock = False

    def __init__(self, settings: SftpSource) -> None:
        self.where = f"sftp://{settings.host}:{settings.port}/{settings.path}"
        self._settings = settings
        self._runner: asyncio.Runner | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._root = os.fsencode(settings.path.rstrip("/") or "/")

    @contextmanager
    def session(self) -> Iterator[None]:
        """Connect, prove who the server is, and log in."""
        with asyncio.Runner() as self._runner, self._faults():
            try:
                self._wait(self._open())
                yield
            finally:
                self._close()

    def describe(self) -> str:
        """The key that the server showed."""
        key = self._connection and self._connection.get_server_host_key()
        return f"host key {_shown(key)}" if key else ""

    def root(self) -> Folder:
        """The folder itself."""
        try:
            found = self._wait(self._sftp.stat(self._root))
        except _MISSING:
            raise Configuration(
                f"source {self._settings.name!r}: there is no folder {self._settings.path} on "
                f"{self._place}; create it, or correct `path`"
            ) from None
        return Folder("", _changed_ns(found))

    def scan(self, folder: str) -> Scan:
        """What is in a folder below the root."""
        try:
            return self._wait(self._scan(folder), long=True)
        except _MISSING as error:
            raise FileNotFoundError(folder) from error
        except asyncssh.SFTPPermissionDenied as error:
            raise PermissionError(error.reason) from error

    def stat(self, path: str) -> Entry | None:
        """The file at a path below the root."""
        try:
            found = self._wait(self._sftp.lstat(self._full(path)))
        except (*_MISSING, asyncssh.SFTPPermissionDenied):
            return None
        mode = found.permissions
        return _entry(path, found) if mode is None or stat.S_ISREG(mode) else None

    def fetch(self, entry: Entry, aside: Path) -> Path:
        """A copy that is as long as was listed, of a file that stayed as it was meanwhile."""
        with self._faults():
            try:
                self._wait(self._copy(entry, aside), long=True)
            except _MISSING:
                raise Gone from None
            except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
                raise Unreadable(error.reason) from error
        return aside

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    @property
    def _sftp(self) -> asyncssh.SFTPClient:
        assert self._client is not None, "outside a session"  # noqa: S101 - a mistake of ours
        return self._client

    def _full(self, path: str) -> bytes:
        return self._root + b"/" + os.fsencode(path) if path else self._root

    def _wait(self, work: Awaitable[_Result], *, long: bool = False) -> _Result:
        """Do what waits for the server; `long`: it watches the time of each answer itself."""
        assert self._runner is not None, "outside a session"  # noqa: S101 - a mistake of ours
        return self._runner.run(self._soon(work, long=long))

    async def _soon(self, work: Awaitable[_Result], *, long: bool = False) -> _Result:
        if long:
            return await work
        async with asyncio.timeout(self._settings.timeout):
            return await work

    async def _open(self) -> None:
        settings = self._settings
        visitor = _Visitor(settings.host_keys)
        try:
            self._connection, _ = await asyncssh.create_connection(
                lambda: visitor,
                settings.host,
                settings.port,
                config=None,
                known_hosts=_trusted(settings),
                username=settings.username,
                password=settings.secret,
                client_keys=_own_key(settings),
                agent_path=None,
                connect_timeout=settings.timeout,
                login_timeout=settings.timeout,
            )
        except asyncssh.HostKeyNotVerifiable:
            raise Configuration(self._stranger(visitor.shown)) from None
        self._client = await self._connection.start_sftp_client(path_encoding=None)

    def _close(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()
            with suppress(OSError, asyncssh.Error, TimeoutError):
                self._wait(connection.wait_closed())

    async def _scan(self, folder: str) -> Scan:
        found = Scan()
        listing = self._sftp.scandir(self._full(folder)).__aiter__()
        while True:
            try:
                item = await self._soon(anext(listing))
            except StopAsyncIteration:
                return found
            name = os.fsdecode(item.filename)
            if name.startswith("."):
                continue
            path = f"{folder}/{name}" if folder else name
            kind = item.attrs.permissions
            line = os.fsdecode(item.longname or b"")[:1]  # some servers say it there only
            if stat.S_ISREG(kind or 0) or (kind is None and line == "-"):
                found.files.append(_entry(path, item.attrs))
            elif stat.S_ISDIR(kind or 0) or (kind is None and line == "d"):
                found.folders.append(Folder(path, _changed_ns(item.attrs)))

    async def _copy(self, entry: Entry, aside: Path) -> None:
        size = 0
        async with self._sftp.open(self._full(entry.path), "rb") as remote:
            with aside.open("wb") as local:
                while size <= entry.size and (chunk := await self._soon(remote.read(_CHUNK))):
                    local.write(os.fsencode(chunk))
                    size += len(chunk)
            after = await self._soon(remote.stat())
        if size != entry.size or _entry(entry.path, after).revision != entry.revision:
            raise Gone

    def _stranger(self, shown: asyncssh.SSHKey | None) -> str:
        expected = self._settings.known_hosts or "~/.ssh/known_hosts"
        if self._settings.host_keys:
            expected = "`host_keys`"
        return (
            f"source {self._settings.name!r}: {self._place} shows the host key {_shown(shown)}, "
            f"which is not in {expected}. Either the server was set up anew or somebody is in "
            "between: ask its administrator for the fingerprint of its key, and only if it is this "
            "one, set it as `host_keys`, or add it to `known_hosts`"
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What goes wrong on the way, in words."""
        name = f"source {self._settings.name!r}: {self._place}"
        try:
            yield
        except asyncssh.PermissionDenied as error:
            raise Configuration(
                f"{name} refuses the login of {self._settings.username!r} ({error.reason}): the "
                "password or key is wrong, expired or not allowed there any more. Renew it; the "
                "source goes on by itself"
            ) from error
        except asyncssh.SFTPPermissionDenied as error:
            raise Configuration(
                f"{name}: no right to read {self._settings.path}: {error.reason}"
            ) from error
        except TimeoutError as error:
            seconds = self._settings.timeout
            raise Transient(f"{name} did not answer for {seconds:g} s") from error
        except (asyncssh.Error, OSError) as error:
            raise Transient(f"{name}: {error or type(error).__name__}") from error


class _Visitor(asyncssh.SSHClient):
    """Remembers a host key that was not trusted, to tell which it was; trusts fingerprints."""

    def __init__(self, fingerprints: tuple[str, ...] = ()) -> None:
        self._fingerprints = fingerprints
        self.shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 - asyncssh's signature
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        """Whether a key that is in no list may be trusted."""
        self.shown = key
        return key.get_fingerprint() in self._fingerprints


def _trusted(settings: SftpSource) -> asyncssh.SSHKnownHosts | tuple[list[str], ...]:
    """The keys that the server may show; none where fingerprints say it."""
    nobody: tuple[list[str], ...] = ([], [], [])  # None would be everybody
    path = settings.known_hosts or Path.home() / ".ssh" / "known_hosts"
    if settings.host_keys or not (settings.known_hosts or path.exists()):
        return nobody
    try:
        return asyncssh.read_known_hosts(str(path))
    except (OSError, ValueError) as error:
        raise Configuration(
            f"source {settings.name!r}: known_hosts {path} cannot be used: {error}"
        ) from error


def _own_key(settings: SftpSource) -> Sequence[asyncssh.SSHKeyPair] | None:
    """The private key, whose certificate beside it goes with it; None where a password is used."""
    path = settings.private_key_file
    if path is None:
        return None
    try:
        return asyncssh.load_keypairs(str(path), settings.key_passphrase)
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise Configuration(
            f"source {settings.name!r}: the private key {path} cannot be used: {error}; check "
            "private_key_file and passphrase_file"
        ) from error


def _changed_ns(found: asyncssh.SFTPAttrs) -> int:
    return (found.mtime or 0) * 10**9 + (found.mtime_ns or 0)


def _entry(path: str, found: asyncssh.SFTPAttrs) -> Entry:
    return Entry(path, found.size or 0, _changed_ns(found))


def _shown(key: asyncssh.SSHKey | None) -> str:
    return f"{key.get_fingerprint()} ({key.get_algorithm()})" if key else "none"
