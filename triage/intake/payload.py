"""One part of a mail: its bytes without transfer encoding, and its text."""

from __future__ import annotations

import base64
import email
import re
import secrets
from email.message import Message
from typing import Final

from triage.errors import Permanent
from triage.intake.charsets import decode
from triage.intake.markup import HTML_CHARS, html_text
from triage.intake.structure import ALPHABET, HUGE_BYTES, files
from triage.intake.text import unflowed

TEXT_BYTES: Final = 2 * HTML_CHARS
"""Bytes of one text part that are decoded; far more than the text limits keep."""

_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_LEVELS: Final = 10_000  # it was checked
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_HTML_START: Final = re.compile(r"\s*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_BASE64_LINES: Final = re.compile(r"(?:[A-Za-z0-9+/]*={0,2}[ \t]*(?:\r\n|\n|\r|\Z))*+")


def part_text(part: Message, data: bytes, sub: str, warnings: list[str]) -> str:
    """The text of a part `text/<sub>` whose decoded bytes are `data`; adds to `warnings`."""
    declared = charset(part)
    if not declared and sub == "html" and (meta := _META_CHARSET.search(data[:4096])):
        declared = meta.group(1).decode("ascii", "replace")
    if len(data) > TEXT_BYTES:
        warnings.append(f"text of {len(data):,} bytes was cut at {TEXT_BYTES:,}")
        end = max(data.rfind(b" ", 0, TEXT_BYTES), data.rfind(b"\n", 0, TEXT_BYTES))
        data = data[: end if end > 0 else TEXT_BYTES]
    text, warning = decode(data, declared)
    if warning and warning not in warnings:
        warnings.append(warning)
    if sub in {"html", "enriched", "richtext"} or _HTML_START.match(text):
        if len(text) > HTML_CHARS:
            warnings.append(f"HTML of {len(text):,} characters was cut at {HTML_CHARS:,}")
        return html_text(text)
    if str(part.get_param("format") or "").lower() == "flowed":
        return unflowed(text, delsp=str(part.get_param("delsp") or "").lower() == "yes")
    return text


def tree(raw: bytes) -> Message:
    """The standard library's parse of a mail or part that was `checked`.

    It takes a step for every line, and most lines that come by mail are those of files. So it is
    given a word in the place of each, and the files are put back where their words came out.

    Raises `Permanent` where labels in it make the parser itself fail, and `RecursionError`.
    """
    if len(raw) >= HUGE_BYTES and (single := _single(raw)):
        return single
    places = files(raw, _LEVELS)
    if not places:
        return parsed(raw)
    mark = secrets.token_hex(16)
    pieces: list[bytes] = []
    end = 0
    for number, (start, stop) in enumerate(places):
        pieces += [raw[end:start], f"{mark}{number}".encode()]
        end = stop
    message = parsed(b"".join([*pieces, raw[end:]]))
    missing = {f"{mark}{number}": place for number, place in enumerate(places)}
    for part in message.walk():
        word = part._payload  # type: ignore[attr-defined]  # get_payload decodes
        if isinstance(word, str) and word in missing:
            start, stop = missing.pop(word)
            part.set_payload(raw[start:stop].decode("ascii", "surrogateescape"))
    return parsed(raw) if missing else message


def _single(raw: bytes) -> Message | None:
    """A mail that is one part; None for any other."""
    blank = _BLANK.search(raw)
    if blank is None:
        return None
    message = parsed(raw[: blank.end()])
    if message.get_payload() or message.get_content_maintype() in {"multipart", "message"}:
        return None
    message.set_payload(raw[blank.end() :].decode("ascii", "surrogateescape"))
    return message


def parsed(raw: bytes) -> Message:
    """The same, step by step."""
    try:
        return email.message_from_bytes(raw)
    except RecursionError:
        raise
    except Exception as error:
        raise Permanent(f"its MIME structure cannot be parsed ({error})") from error


def filename(part: Message) -> str:
    """The stated name of a part; empty where there is none that can be decoded."""
    try:
        return part.get_filename() or ""
    except (LookupError, ValueError):
        return ""


def charset(part: Message) -> str:
    """The stated charset of a part; empty where there is none that can be read."""
    try:
        return part.get_content_charset() or ""
    except (LookupError, ValueError):
        return ""


def content(part: Message) -> bytes:
    """The decoded bytes of a leaf, as they are where their transfer encoding is broken."""
    coding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if coding == "base64":
        return _from_base64(_payload(part))
    try:
        data = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - the decoders trip in many ways; the text is what counts
        data = None
    return data if isinstance(data, bytes) else octets(_payload(part))


def _payload(part: Message) -> str:
    """The payload as it was sent; a charset label that Python cannot even look up is dropped."""
    try:
        payload = part.get_payload()
    except Exception:  # noqa: BLE001 - labels that are no text, or hold NULs
        del part["Content-Type"]
        payload = part.get_payload()
    return payload if isinstance(payload, str) else ""


def _from_base64(payload: str) -> bytes:
    """Decode as far as lines are base64; a list server's footer below them is plain text, and so
    is a whole text that is only labelled base64.
    """
    whole = payload.rstrip("= \t\r\n").encode("ascii", "replace").translate(None, b"\r\n")
    if not whole.translate(None, ALPHABET):  # as nearly all files are
        whole = whole[:-1] if len(whole) % 4 == 1 else whole
        return base64.b64decode(whole + b"=" * (-len(whole) % 4))
    lines = _BASE64_LINES.match(payload)
    end = lines.end() if lines else 0
    coded = payload[:end].encode("ascii").translate(None, b"= \t\r\n")
    if len(coded) % 4 == 1:
        coded = coded[:-1]
    rest = payload[end:]
    return base64.b64decode(coded + b"=" * (-len(coded) % 4)) + octets(rest and f"\n{rest}")


def octets_of(message: Message) -> bytes:
    """A message as bytes again."""
    try:
        return message.as_bytes()
    except Exception:  # noqa: BLE001 - the generator trips over broken headers
        return content(message)


def octets(text: str) -> bytes:
    """The bytes that the parser holds as text; what never was a byte becomes a question mark."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # labels can make lone surrogates of another kind
        return text.encode("utf-8", "replace")
