"""The SFTP server of the tests: OpenSSH on a free port, with its files in a temporary folder."""

from __future__ import annotations

import getpass
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from triage.demo.dovecot import free_port

_SSHD = Path("/usr/sbin/sshd")
_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {root}/host
PidFile none
AuthorizedKeysFile {root}/authorized
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
Subsystem sftp internal-sftp
{also}
"""


class SftpServer:
    """Logs in the user who runs the tests, by the key `key`, and shows all that user may read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.user = getpass.getuser()
        self.key = root / "key"
        self.known_hosts = root / "known_hosts"
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def installed() -> bool:
        """Whether this machine has it."""
        return _SSHD.exists()

    def start(self) -> None:
        """Make keys where there are none, and wait until it answers."""
        if not self.key.exists():
            keygen(self.root / "host")
            keygen(self.key)
            self.allow()
            self.trust(self.root / "host.pub")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        # Since 9.8 a client that was refused has to wait.
        also = "PerSourcePenalties no" if _version() >= (9, 8) else ""
        configuration = _CONFIGURATION.format(port=self.port, root=self.root, also=also)
        (self.root / "config").write_text(configuration)
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_SSHD, "-D", "-e", "-f", self.root / "config"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 10
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.root / "log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and every session at once."""
        if self._process is not None:
            for child in _children(self._process.pid):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=5)
            self._process = None

    def allow(self, options: str = "") -> None:
        """Let the key in, with these options of `authorized_keys`."""
        public = self.key.with_suffix(".pub").read_text()
        (self.root / "authorized").write_text(f"{options} {public}".lstrip())

    def trust(self, public: Path, port: int | None = None) -> Path:
        """A `known_hosts` in which the server has this key."""
        kind, key = public.read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{port or self.port} {kind} {key}\n")
        return self.known_hosts

    def fingerprint(self) -> str:
        """What `ssh-keygen -l` says of the host key."""
        done = subprocess.run(
            ["ssh-keygen", "-l", "-f", self.root / "host.pub"],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.split()[1]

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


def keygen(path: Path, passphrase: str = "") -> None:
    """A new key pair at `path`."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", path], check=True
    )


def _version() -> tuple[int, ...]:
    done = subprocess.run([_SSHD, "-V"], capture_output=True, text=True, check=False)
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(int(part) for part in found.groups()) if found else (0, 0)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(status.parent.name)
                found += [child, *_children(child)]
    return found
