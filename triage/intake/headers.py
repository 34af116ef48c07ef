"""Header fields as text: stray 8-bit bytes and wrongly labelled encoded words are repaired."""

from __future__ import annotations

import binascii
import email.header
import re
from email.errors import HeaderParseError
from email.message import Message
from typing import Final

from triage.intake.charsets import decode
from triage.intake.text import cleaned

_WORD: Final = r"=\?([^?\s]{1,60})\?([bqBQ])\?([^?\r\n]*)\?="
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_RUN: Final = re.compile(rf"{_WORD}(?:[ \t\r\n]*{_WORD})*")


def field_text(raw: bytes) -> str:
    """A field as Unicode text, with its encoded words rewritten as correct UTF-8 ones.

    They stay encoded because a decoded name may hold commas and brackets.
    """
    text = " ".join(decode(raw).text.replace("\0", "").splitlines())
    return _RUN.sub(_reencoded, text) if "=?" in text else text


def words(value: str) -> str:
    """An unstructured field for people: encoded words decoded, one line, nothing unprintable."""
    text = value if value.isascii() else _text(value)
    if "=?" in text or "\x1b" in text:
        text = _RUN.sub(lambda run: _decoded(run.group()), _text(text))
    return " ".join(cleaned(text).split())


def mend(part: Message) -> None:
    """Replace 8-bit bytes in the headers of a parsed part by the text that they mean."""
    for name, value in list(part.raw_items()):
        text = str(value)
        if _UNDECODED.search(text):
            part.replace_header(name, _text(text))


def _text(value: str) -> str:
    """A value in which the parser may have left undecoded bytes as surrogates."""
    try:
        return decode(value.encode("utf-8", "surrogateescape")).text
    except UnicodeEncodeError:  # surrogates of another kind, which labels can make
        return value.encode("utf-8", "replace").decode()


def _reencoded(run: re.Match[str]) -> str:
    text = _decoded(run.group())
    encoded = binascii.b2a_base64(text.encode(), newline=False).decode()
    return f"=?utf-8?b?{encoded}?="


def _decoded(run: str) -> str:
    """Decode adjacent encoded words; bytes that were split between two words are joined first."""
    try:
        chunks = email.header.decode_header(run)
    except (HeaderParseError, ValueError):
        return run
    return "".join(
        chunk if isinstance(chunk, str) else decode(chunk, charset or "").text
        for chunk, charset in chunks
    )
