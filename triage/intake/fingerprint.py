"""What a mail is told apart by, whatever ways it took.

The same mail that reaches two mailboxes differs in what servers write on the way (Received,
Delivered-To, Authentication-Results), and in its line ends where it was on a disk. What its author
wrote is equal in both: these header fields and the body.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_WRITTEN: Final = (
    b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id",
    b"in-reply-to", b"references", b"content-type", b"content-transfer-encoding",
)  # fmt: skip
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")


def fingerprint(raw: bytes) -> str:
    """The sha256 of what an author wrote, as hexadecimal digits.

    A mail that says neither when it was written nor what its id is, is told apart by all of its
    bytes, with CRLF for every line end that is a bare LF.
    """
    blank = _BLANK.search(raw)
    head, body = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    fields = [field for line in _lines(head) if (field := _field(line))]
    names = {name for name, _ in fields}
    if not names & {b"date", b"message-id"}:
        wire = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return hashlib.sha256(wire).hexdigest()
    digest = hashlib.sha256()
    for name, value in sorted(fields, key=lambda field: _WRITTEN.index(field[0])):
        digest.update(name + b":" + value + b"\n")
    digest.update(b"\n")
    digest.update(body.replace(b"\r\n", b"\n").rstrip(b"\n"))
    return digest.hexdigest()


def _lines(head: bytes) -> list[bytes]:
    return re.split(rb"\r?\n", _FOLD.sub(b" ", head))


def _field(line: bytes) -> tuple[bytes, bytes] | None:
    name, colon, value = line.partition(b":")
    name = name.strip().lower()
    return (name, b" ".join(value.split())) if colon and name in _WRITTEN else None
