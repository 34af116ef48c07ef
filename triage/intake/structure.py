"""Bounds on a raw mail, checked before anything builds a tree of it.

The parsers below recurse once a nesting level, so a mail of a thousand levels would end in an
exception deep inside them. Here one pass over the bytes counts parts and levels with a stack of
its own, in the way the standard library's parser would see them.
"""

from __future__ import annotations

import re
import string
from typing import Final

from triage.errors import Permanent
from triage.settings import Limits

HEADER_WINDOW: Final = 8192
"""Bytes in which the first header of a mail must stand."""
HEADER_BYTES: Final = 1_000_000
"""Bytes of the header block that are read."""
ALPHABET: Final = (string.ascii_letters + string.digits + "+/").encode()
"""What base64 is written with."""
FILE_BYTES: Final = 4096
"""Bytes of base64 from which on the parser is spared a file."""
HUGE_BYTES: Final = 1_000_000
"""Bytes of anything from which on it is: as lines it would take ten times its size."""

_KNOWN: Final = re.compile(
    rb"(?:from|to|cc|bcc|subject|date|received|message-id|return-path|delivered-to|reply-to|sender"
    rb"|mime-version|content-(?:type|transfer-encoding|disposition)|in-reply-to|references"
    rb"|dkim-signature|authentication-results|arc-[a-z-]+|list-[a-z-]+|auto-submitted|precedence"
    rb"|x-[a-z0-9_-]+)[ \t]*:",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# The two hyphens come first, so that a search leaps over what has none (a file in base64).
_DELIMITER: Final = re.compile(rb"--(?:(?<=[\r\n]--)|(?<=\A--))([^\r\n]*)")
_BOUNDARY: Final = re.compile(
    rb"boundary(?:\*0?\*?)?[ \t]*=[ \t]*(?:\"((?:\\.|[^\"\r\n])*)\"|([^\s;\"]+))", re.IGNORECASE
)
_MULTIPART: Final = re.compile(rb"[\s\"]*multipart/", re.IGNORECASE)
_MESSAGE: Final = re.compile(rb"[\s\"]*message/", re.IGNORECASE)
_NESTED: Final = b""  # stands on the stack for a message within a message


def checked(raw: bytes, limits: Limits) -> bytes:
    """The mail without what stands before its first header, if it is within the limits.

    Raises `Permanent` for bytes that are no mail, or one that is too large, too deep or has too
    many parts.
    """
    if not raw.strip():
        raise Permanent("not a mail: the file is empty")
    if len(raw) > limits.mail_bytes:
        raise Permanent(
            f"mail too large: {len(raw):,} bytes, the limit is {limits.mail_bytes:,} "
            f"(limits.mail_bytes)"
        )
    raw = raw[_first_header(raw) :]
    parts, depth = measure(raw, limits.mail_depth)
    if depth > limits.mail_depth:
        raise Permanent(
            f"mail nested too deep: more than {limits.mail_depth} levels (limits.mail_depth)"
        )
    if parts > limits.mail_parts:
        raise Permanent(
            f"mail with too many parts: {parts:,}, the limit is {limits.mail_parts:,} "
            f"(limits.mail_parts)"
        )
    return raw


def _first_header(raw: bytes) -> int:
    """Where the headers begin: behind blank lines, a byte order mark, an mbox line, or junk."""
    start = -1
    position = 0
    block = raw[:HEADER_WINDOW]
    while position < len(block):
        line = _line(block, position)
        position += len(line)
        content = line.removeprefix(b"\xef\xbb\xbf")
        if start < 0 and is_header(content):
            start = position - len(content)
        if is_known_header(content):
            return start
        if not content.strip() and block[:position].strip():
            break  # a block of lines that held no header of a mail
    raise Permanent(f"not a mail: no header found in the first {HEADER_WINDOW:,} bytes")


def _line(raw: bytes, position: int) -> bytes:
    """The line at `position` with its end, whichever of the three it is."""
    line = _LINE.match(raw, position)
    return line.group() if line else b""


def files(raw: bytes, depth_limit: int) -> list[tuple[int, int]]:
    """Where in a mail large parts stand in which no other can be: files in base64, and huge ones of
    any kind.
    """
    spans: list[tuple[int, int]] = []
    measure(raw, depth_limit, spans)
    return [
        (start, end)
        for start, end in spans
        if end - start >= HUGE_BYTES
        or (end - start >= FILE_BYTES and not raw[start:end].translate(None, ALPHABET + b"=\r\n"))
    ]


def measure(
    raw: bytes, depth_limit: int, spans: list[tuple[int, int]] | None = None
) -> tuple[int, int]:
    """Count the parts and the nesting depth of a mail; stops counting above `depth_limit`.

    Adds to `spans` where the content of each part that holds no others begins and ends.
    """
    stack: list[bytes] = []
    parts = deepest = 1
    position = _part_header(raw, 0, stack)
    begun = -1
    while True:
        deepest = max(deepest, len(stack) + 1)
        if deepest > depth_limit or not any(stack):
            break
        found = _DELIMITER.search(raw, position)
        if found is None:
            break
        position = found.end()
        marker = found.group(1).rstrip(b" \t")
        level = _level(stack, marker)
        if level < 0:
            continue
        if spans is not None and 0 <= begun < found.start():
            spans.append((begun, _line_end(raw, found.start())))
        begun = -1
        if stack[level] != marker:  # the closing delimiter
            del stack[level:]
            continue
        del stack[level + 1 :]
        parts += 1
        position = _part_header(raw, position, stack)
        begun = position if len(stack) == level + 1 else -1
    return parts, deepest


def _line_end(raw: bytes, position: int) -> int:
    """Where the line ends after which the next begins at `position`."""
    return position - (2 if raw[position - 2 : position] == b"\r\n" else 1)


def _level(stack: list[bytes], marker: bytes) -> int:
    """Index of the open boundary that a delimiter line belongs to, or -1."""
    opening = marker.removesuffix(b"--")
    if not marker or not (marker in stack or opening in stack):
        return -1
    return max(i for i, name in enumerate(stack) if name and name in {marker, opening})


def _part_header(raw: bytes, position: int, stack: list[bytes]) -> int:
    """Read the headers at `position`, push what they open, and return where the body begins.

    A message directly within a message is followed here, level by level.
    """
    while True:
        start = position
        content_type, position = _content_type(raw, position)
        if _MESSAGE.match(content_type):
            stack.append(_NESTED)
            if position > start and len(stack) < 10_000:
                continue
            return position
        boundary = _BOUNDARY.search(content_type) if _MULTIPART.match(content_type) else None
        if boundary:
            stack.append((boundary.group(1) or boundary.group(2) or b"-").rstrip(b" \t"))
        return position


def _content_type(raw: bytes, position: int) -> tuple[bytes, int]:
    """The unfolded Content-Type of the headers at `position`, and where they end."""
    value = b""
    current = False
    if raw[position : position + 2] == b"\r\n":
        position += 2  # the rest of a delimiter line
    elif raw[position : position + 1] in {b"\r", b"\n"} and position:
        position += 1
    end = min(len(raw), position + HEADER_BYTES)
    while position < end:
        content = _line(raw, position)
        if not content.strip(b"\r\n"):
            return value, position + len(content)
        if content[:1] in {b" ", b"\t"}:
            value += content if current else b""
        elif _HEADER.match(content):
            name, _, rest = content.partition(b":")
            current = name.strip().lower() == b"content-type" and not value
            value = rest if current else value
        else:
            return value, position
        position += len(content)
    return value, position


def is_header(line: bytes) -> bool:
    """Whether a line begins a header field."""
    return _HEADER.match(line) is not None


def is_known_header(line: bytes) -> bool:
    """Whether a line begins a header field that mails have."""
    return _KNOWN.match(line) is not None


def split_head(raw: bytes) -> tuple[list[bytes], bytes, bool]:
    """Header lines (unfolded, without line ends), body, and whether the head had to be repaired.

    A stray line among the headers (a fold that lost its leading space) ends the headers for most
    parsers, and with them the MIME structure; here it joins the field before it.
    """
    lines: list[bytes] = []
    ends: list[int] = []
    position = 0
    while position < min(len(raw), HEADER_BYTES):
        line = _line(raw, position)
        content = line.rstrip(b"\r\n")
        position += len(line)
        if not content:
            break
        lines.append(content)
        ends.append(position)
    else:
        ends.append(position)
    last = max((i for i, line in enumerate(lines) if is_known_header(line)), default=-1)
    fields: list[bytes] = []
    repaired = False
    for index, line in enumerate(lines):
        folded = line[:1] in {b" ", b"\t"}
        if not folded and is_header(line):
            fields.append(line)
        elif fields and (folded or index < last):
            fields[-1] += b" " + line.strip()
            repaired = repaired or not folded
        elif not folded:
            return fields, raw[ends[index - 1] if index else 0 :], True
    return fields, raw[position:], repaired
