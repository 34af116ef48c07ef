"""Outlook's winmail.dat (TNEF) unpacked; imported only in the child process."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from compressed_rtf import decompress
from striprtf.striprtf import rtf_to_text
from tnefparse import TNEF

logging.getLogger("tnefparse").setLevel(logging.CRITICAL)


@dataclass(slots=True)
class Unpacked:
    """The body in the best form that is there, and the files (name and bytes)."""

    text: str = ""
    html: bytes = b""
    plain: bytes = b""
    files: list[tuple[str, bytes]] = field(default_factory=list)


def unpack(data: bytes) -> Unpacked:
    """Read a winmail.dat. Raises whatever tnefparse does."""
    tnef = TNEF(data, do_checksum=False)
    found = Unpacked()
    if isinstance(tnef.body, str):
        found.text = tnef.body.replace("\0", "")
    elif tnef.body:
        found.plain = bytes(tnef.body).rstrip(b"\0")
    elif tnef.htmlbody:
        html = tnef.htmlbody
        found.html = html.encode() if isinstance(html, str) else bytes(html)
    elif rtf := tnef._rtfbody:  # its own unpacking hides what is wrong
        found.text = rtf_to_text(decompress(rtf).decode("latin-1"), errors="ignore")
    found.files = [
        (_text(file.long_filename()), bytes(file.data)) for file in tnef.attachments if file.data
    ]
    return found


def _text(name: str | bytes) -> str:
    return (name if isinstance(name, str) else name.decode("utf-8", "replace")).strip("\0")
