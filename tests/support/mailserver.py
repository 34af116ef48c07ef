"""The mail server of the tests: a real Dovecot that can be looked into, and broken on purpose."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from triage.demo.dovecot import Dovecot
from triage.settings import ImapSource


class MailServer(Dovecot):
    """Dovecot with faults."""

    def restart(self) -> None:
        """Stop and start again, on the same ports with the same mail."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End every process of the server with SIGKILL, as a power cut would."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=5)
        self._process = None

    def kill_sessions(self) -> None:
        """SIGKILL to the processes that serve logged-in clients; the server itself lives on."""
        assert self._process is not None
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                name = (process / "cmdline").read_bytes().split(b"\0")[0]
                of_this_server = os.getpgid(int(process.name)) == self._process.pid
                if of_this_server and name.endswith(b"/imap"):
                    os.kill(int(process.name), signal.SIGKILL)

    def administer(self, *arguments: str) -> str:
        """Run `doveadm`; returns what it printed."""
        done = subprocess.run(
            ["/usr/bin/doveadm", "-c", str(self.configuration), *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@dataclass(frozen=True)
class Mailbox:
    """One user's mail, seen from outside the program under test."""

    server: MailServer
    user: str

    def append(
        self,
        content: bytes,
        folder: str = "INBOX",
        flags: Sequence[bytes] = (),
        when: datetime | None = None,
    ) -> None:
        """Add a mail as a mail client does."""
        with self.client() as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.append(folder, content, flags, when)

    def deliver(self, content: bytes, folder: str = "INBOX") -> Path:
        """Add a mail as a mail transfer agent does."""
        return self.server.deliver(self.user, content, folder)

    def delete(self, uid: int, folder: str = "INBOX") -> None:
        """Remove a mail for good."""
        with self.client() as client:
            client.select_folder(folder)
            client.delete_messages([uid])
            client.expunge([uid])

    def flags(self, folder: str = "INBOX") -> dict[int, frozenset[bytes]]:
        """The flags of every mail, `\\Recent` among them; looking changes none."""
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found = client.get_flags(client.search("ALL"))
        return {uid: frozenset(flags) for uid, flags in found.items()}

    def change_uidvalidity(self, folder: str = "INBOX") -> None:
        """Number the folder anew, as after a restore from backup."""
        with self.client() as client:
            status = client.folder_status(folder, ["UIDVALIDITY"])
        value = str(int(status[b"UIDVALIDITY"]) + 7)
        self.server.administer(
            "mailbox", "update", "-u", self.user, "--uid-validity", value, folder
        )

    def settings(self, **changes: Any) -> ImapSource:
        """The settings of a source that reads this mailbox."""
        values = {
            "name": "inbox",
            "kind": "imap",
            "host": self.server.host,
            "port": self.server.port,
            "security": "none",
            "username": self.user,
            "password": self.server.password,
            "timeout": 5.0,
        }
        return ImapSource.model_validate(values | changes)

    def client(self) -> Any:
        """A logged-in mail client."""
        client = IMAPClient(self.server.host, self.server.port, ssl=False, timeout=10)
        client.login(self.user, self.server.password)
        return client
