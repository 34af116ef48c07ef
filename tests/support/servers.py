"""Which real servers this machine has."""

from __future__ import annotations

import shutil

from tests.support import postgres
from triage.demo.dovecot import Dovecot

_INSTALLED = {
    "dovecot": lambda: Dovecot.installed() and shutil.which("openssl") is not None,
    "postgresql": lambda: postgres.programs() is not None,
}


def have(name: str) -> bool:
    """Whether the server is installed. An unknown name is an error in the test."""
    return _INSTALLED[name]()
