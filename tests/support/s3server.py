"""The S3 server of the tests: MinIO's handlers, over local files (`juicefs gateway`)."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from triage.demo.dovecot import free_port

_PROGRAM = Path(sys.executable).with_name("juicefs")
_LONG_AGO = 1_700_000_000


class S3Server:
    """One account, whose secret can be changed by a restart."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.access_key = "tester"
        self.secret = "a-secret-of-the-tests"
        self._meta = f"badger://{root}/meta"
        self._client: tuple[str, Any] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def installed() -> bool:
        """Whether this machine has it."""
        return _PROGRAM.exists()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Make its store where there is none, and wait until it answers."""
        if not (self.root / "meta").exists():
            self._format(self._meta)
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(_PROGRAM, "gateway", "--no-banner", "--multi-buckets", "--keep-etag"),
                    *("--no-bgjob", "--no-usage-report", "--metrics=127.0.0.1:0"),
                    *(f"--cache-dir={self.root}/cache", "--backup-meta=0", "--attr-cache=0"),
                    *("--dir-entry-cache=0", f"--log={self.root}/gateway.log"),
                    *(self._meta, f"127.0.0.1:{self.port}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ
                | {"MINIO_ROOT_USER": self.access_key, "MINIO_ROOT_PASSWORD": self.secret},
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while True:
            with suppress(BotoCoreError, ClientError):
                self.client().list_buckets()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.root / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(timeout=10)
            self._process = None

    def load(self, bucket: str, keys: Iterable[str]) -> None:
        """Put many empty objects into a bucket at once; only before the server is started."""
        self._format(f"badger://{self.root}/empty")
        dump = self.root / "dump.json"
        self._run("dump", f"badger://{self.root}/empty", str(dump))
        content = json.loads(dump.read_text())
        inodes = _Inodes()
        content["FSTree"]["entries"] = {bucket: _tree(keys, inodes)}
        content["Counters"] |= {"nextInodes": inodes.last + 100, "usedInodes": inodes.last}
        dump.write_text(json.dumps(content))
        self._run("load", self._meta, str(dump))

    @staticmethod
    def tag(key: str) -> str:
        """The ETag of a loaded object."""
        return hashlib.md5(key.encode()).hexdigest()

    def client(self) -> Any:
        """A client of the server."""
        if self._client is None or self._client[0] != self.secret:
            self._client = self.secret, self._new_client()
        return self._client[1]

    def _new_client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )

    def _format(self, meta: str) -> None:
        objects = f"--bucket={self.root}/objects/"
        self._run("format", "--storage=file", objects, "--trash-days=0", meta, "tests")

    def _run(self, *arguments: str) -> None:
        subprocess.run([_PROGRAM, *arguments], check=True, capture_output=True, cwd=self.root)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Inodes:
    """Numbers of files, none twice."""

    def __init__(self) -> None:
        self.last = 1000

    def attributes(self, kind: str) -> dict[str, object]:
        """What the dump says of a file or folder."""
        self.last += 1
        folder = kind == "directory"
        times = dict.fromkeys(("atime", "mtime", "ctime"), _LONG_AGO)
        return {
            "inode": self.last, "type": kind, "mode": 0o755 if folder else 0o644, "uid": 0,
            "gid": 0, **times, "nlink": 2 if folder else 1, "length": 0,
        }  # fmt: skip


def _tree(keys: Iterable[str], inodes: _Inodes) -> dict[str, Any]:
    root: dict[str, Any] = {"attr": inodes.attributes("directory"), "entries": {}}
    for key in keys:
        *folders, name = key.split("/")
        at = root
        for folder in folders:
            empty = {"attr": inodes.attributes("directory"), "entries": {}}
            at = at["entries"].setdefault(folder, empty)
        at["entries"][name] = {
            "attr": inodes.attributes("regular"),
            "xattrs": [{"name": "s3-etag", "value": S3Server.tag(key)}],
            "chunks": [],
        }
    return root
