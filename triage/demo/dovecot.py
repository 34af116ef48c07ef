"""A private Dovecot in a temporary folder: a real mail server that leaves nothing behind.

Every user name exists, all with one password. As root the server runs as `nobody`, else as the user
who starts it; it listens on this machine only.
"""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from triage.errors import Configuration, Transient

_START_SECONDS = 10.0
_CONFIGURATION = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
instance_name = triage-{port}
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:{root}/mail/%u
mailbox_list_index = no
maildir_very_dirty_syncs = no
mail_max_userip_connections = 100
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
{tokens}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u allow_all_users=yes
}}
{tls}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  # No growing delay after wrong passwords: all clients have this machine's address.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap {{
  process_limit = 100
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""
_XOAUTH2 = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {path}
}}
"""
_TOKENS = """\
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
timeout_msecs = 5000
"""


class Dovecot:
    """A server on `127.0.0.1:port`; with `certificate` (certificate, key) also TLS on `tls_port`,
    with `introspection`, the URL of a token server, also XOAUTH2.

    Use it in a `with` statement, or call `start` and `close`.
    """

    def __init__(
        self, certificate: tuple[Path, Path] | None = None, introspection: str = ""
    ) -> None:
        self.password = secrets.token_hex(12)
        self.host = "127.0.0.1"
        self.port = free_port()
        self.tls_port = free_port() if certificate else 0
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._uid, self._gid = account.pw_uid, account.pw_gid
        self.root = Path(tempfile.mkdtemp(prefix="triage-dovecot-"))
        self.root.chmod(0o755)  # the server's own user must pass
        self._own_folder(self.root / "mail")
        self._process: subprocess.Popen[bytes] | None = None
        self.configuration = self.root / "dovecot.conf"
        tokens = self.root / "oauth2.conf.ext"
        tokens.write_text(_TOKENS.format(url=introspection), encoding="utf-8")
        self.configuration.write_text(
            _CONFIGURATION.format(
                root=self.root,
                port=self.port,
                tls_port=self.tls_port,
                password=self.password,
                user=account.pw_name,
                group=_group_name(account.pw_gid),
                uid=account.pw_uid,
                gid=account.pw_gid,
                tokens=_XOAUTH2.format(path=tokens) if introspection else "",
                tls=f"ssl = yes\nssl_cert = <{certificate[0]}\nssl_key = <{certificate[1]}"
                if certificate
                else "ssl = no",
            ),
            encoding="utf-8",
        )

    @staticmethod
    def installed() -> bool:
        """Whether this machine has a Dovecot."""
        return _binary() is not None

    def start(self) -> None:
        """Start the server and wait for its greeting.

        Raises `Configuration` if Dovecot is not installed, `Transient` if it does not come up.
        """
        binary = _binary()
        if binary is None:
            raise Configuration("Dovecot is not installed (Debian: apt install dovecot-imapd)")
        with (self.root / "stderr.log").open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                [binary, "-F", "-c", str(self.configuration)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._greets():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Transient(f"Dovecot did not start: {self.log()[-800:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server and all its children; the mail stays until `close`."""
        if self._process is None:
            return
        for way in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, way)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        self._process = None

    def close(self) -> None:
        """End the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def deliver(self, user: str, content: bytes, folder: str = "INBOX") -> Path:
        """Put a mail into a user's folder as a mail transfer agent does; returns its file."""
        home = self.root / "mail" / user
        self._own_folder(home)
        place = home if folder.upper() == "INBOX" else home / f".{folder.replace('/', '.')}"
        self._own_folder(place)
        for part in ("tmp", "new", "cur"):
            self._own_folder(place / part)
        name = f"{time.time_ns()}.{os.urandom(6).hex()}.triage"
        aside = place / "tmp" / name
        aside.write_bytes(content)
        self._own(aside)
        return aside.rename(place / "new" / name)

    def log(self) -> str:
        """What the server said."""
        paths = (self.root / "stderr.log", self.root / "dovecot.log")
        return "\n".join(path.read_text("utf-8", "replace") for path in paths if path.exists())

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                return connection.recv(64).startswith(b"* OK")
        except OSError:
            return False

    def _own_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir()
            self._own(folder)

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._uid, self._gid)


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binary() -> str | None:
    return shutil.which("dovecot", path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")


def _group_name(gid: int) -> str:
    return grp.getgrgid(gid).gr_name
