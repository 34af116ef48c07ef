"""The places where tests put recordings: a folder, an SFTP server, an S3 bucket. One interface."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from tests.support.memory import Remembered
from tests.support.s3server import S3Server
from tests.support.sftpserver import SftpServer
from triage.settings import Limits, S3Source, SftpSource, Source
from triage.sources.base import Fetched
from triage.sources.build import build_source
from triage.sources.recordings.source import Recordings

SOUND = b"RIFF\x24\0\0\0WAVE not really sound"
SETTLE = 0.3


class Copied(Remembered):
    """A memory that hands out contents: a copy of a file is there as long as its batch is."""

    def keep(self, item: Fetched) -> Fetched:
        """The item with its bytes."""
        content = item.content
        return replace(item, content=content.read_bytes()) if isinstance(content, Path) else item

    def contents(self, source: Recordings) -> dict[str, bytes]:
        """What one poll shows, by key."""
        return {item.ref.key: bytes(item.content) for item in self.take(source)}  # type: ignore[arg-type]


class Place(Protocol):
    """Where recordings are put, seen from outside the program under test."""

    def write(self, path: str, content: bytes = SOUND) -> None:
        """Put a file there, as something that records does."""

    def grow(self, path: str, content: bytes) -> None:
        """The file now has this content, more than it had."""

    def remove(self, path: str) -> None:
        """Take it away."""

    def settings(self, **changes: Any) -> Source:
        """A source that reads this place."""

    def lock(self) -> None:
        """From now on the credentials are worth nothing."""

    def unlock(self) -> None:
        """They are renewed; the settings stay as they are."""

    def stop(self) -> None:
        """The server is away."""

    def start(self) -> None:
        """It is back."""


def opened(place: Place, limits: Limits | None = None, **changes: Any) -> Recordings:
    """A source that reads this place."""
    built = build_source(place.settings(**changes), limits or Limits())
    assert isinstance(built, Recordings)
    return built


def _settings(values: dict[str, Any], changes: dict[str, Any]) -> Any:
    common = {"name": "calls", "settle_seconds": SETTLE}
    return TypeAdapter(Source).validate_python(common | values | changes)


class LocalPlace:
    """A folder. It has no credentials: it is gone instead, like a disk that is not mounted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def write(self, path: str, content: bytes = SOUND) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def grow(self, path: str, content: bytes) -> None:
        known = (self.root / path).stat().st_size
        with (self.root / path).open("ab") as file:
            file.write(content[known:])

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def rest(self, hours: float = 2) -> None:
        """All of it, as if nothing had happened for hours."""
        moment = time.time() - hours * 3600
        for folder, _, names in os.walk(self.root, topdown=False):
            for name in names:
                os.utime(Path(folder) / name, (moment, moment))
            os.utime(folder, (moment, moment))

    def settings(self, **changes: Any) -> Source:
        return _settings({"kind": "recordings", "path": self.root}, changes)

    def lock(self) -> None:
        self.root.rename(self.root.with_name("away"))

    def unlock(self) -> None:
        self.root.with_name("away").rename(self.root)

    stop, start = lock, unlock


class SftpPlace(LocalPlace):
    """The same kind of folder, seen through an SFTP server."""

    def __init__(self, root: Path, server: SftpServer) -> None:
        super().__init__(root)
        self.server = server
        self.port = server.port
        server.trust(server.root / "host.pub")
        server.allow()

    def settings(self, **changes: Any) -> SftpSource:
        values = {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "username": self.server.user,
            "private_key_file": self.server.key,
            "known_hosts": self.server.trust(self.server.root / "host.pub", self.port),
            "path": str(self.root),
            "timeout": 10.0,
        }
        found = _settings(values, changes)
        assert isinstance(found, SftpSource)
        return found

    def lock(self) -> None:
        self.server.allow('expiry-time="20200101"')

    def unlock(self) -> None:
        self.server.allow()

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.start()


class S3Place:
    """A bucket of its own."""

    def __init__(self, root: Path, server: S3Server, bucket: str = "") -> None:
        self.server = server
        self.port = server.port
        self.bucket = bucket or f"calls-{uuid.uuid4().hex[:12]}"
        self._secret = root / "secret-key"
        self._secret.write_text(server.secret)
        if not bucket:
            server.client().create_bucket(Bucket=self.bucket)

    def write(self, path: str, content: bytes = SOUND) -> None:
        self.server.client().put_object(Bucket=self.bucket, Key=path, Body=content)

    grow = write

    def remove(self, path: str) -> None:
        self.server.client().delete_object(Bucket=self.bucket, Key=path)

    def settings(self, **changes: Any) -> S3Source:
        values = {
            "kind": "s3",
            "bucket": self.bucket,
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key": self.server.access_key,
            "secret_key_file": self._secret,
            "timeout": 10.0,
        }
        found = _settings(values, changes)
        assert isinstance(found, S3Source)
        return found

    def lock(self) -> None:
        self.server.stop()
        self.server.secret += "-renewed"
        self.server.start()

    def unlock(self) -> None:
        self._secret.write_text(self.server.secret)

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.start()
