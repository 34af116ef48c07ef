"""Which real servers this machine has."""

from __future__ import annotations

import shutil

from tests.support import browser, oidc, postgres
from tests.support.s3server import S3Server
from tests.support.sftpserver import SftpServer
from triage.demo.dovecot import Dovecot

_INSTALLED = {
    "chromium": lambda: browser.program() is not None,
    "dovecot": lambda: Dovecot.installed() and shutil.which("openssl") is not None,
    "oidc": oidc.installed,
    "s3": S3Server.installed,
    "sftp": SftpServer.installed,
    "postgresql": lambda: postgres.programs() is not None,
}


def have(name: str) -> bool:
    """Whether the server is installed. An unknown name is an error in the test."""
    return _INSTALLED[name]()
