"""What makes a mail the same mail: its bytes, whatever its line ends.

IMAP servers send CRLF, folders on disk mostly hold LF. The bytes are hashed as a server would send
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from triage.errors import Transient

_BLOCK: Final = 1 << 20


def fingerprint(content: bytes | Path) -> str:
    """SHA-256, in hex, of a mail with CRLF for every line end that is a bare LF.

    A file is a stored copy. Raises `Transient` where it cannot be read.
    """
    digest = hashlib.sha256()
    last = b""
    for block in _blocks(content):
        # A CRLF that two blocks share is already whole.
        split = last == b"\r" and block[:1] == b"\n"
        body = block[1:] if split else block
        digest.update(b"\n" if split else b"")
        digest.update(body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        last = block[-1:]
    return digest.hexdigest()


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise Transient(f"stored copy {content}: {error.strerror}") from error
