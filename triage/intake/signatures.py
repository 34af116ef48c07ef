"""Signatures, sign-offs and legal notices at the end of a text."""

from __future__ import annotations

import re
from typing import Final

_CLOSING: Final = re.compile(
    r"(?:(?:best|kind|kindest|warm|warmest|many|with|my|all the|yours)\s+)*"
    r"(?:regards|best|wishes|thanks|thank you|thx|cheers|sincerely|respectfully|cordially|truly"
    r"|faithfully|rgds|br|ty|take care|talk soon|mit freundlichen grüßen|viele grüße|cordialement"
    r"|saludos|cordiali saluti|met vriendelijke groet)"
    r"(?:\s+(?:regards|wishes|so much|very much|again|in advance|a lot|yours|for your (?:time|help)"
    r"|and (?:best |kind )?regards|and best))*",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"[\s,.!\u2013\u2014-]+(?:[A-ZÀ-Þ][\w.'\u2019-]*\s?){1,3}$")
_MOBILE: Final = re.compile(
    r"(?:sent (?:from|via|on the go|using) |get outlook for |von meinem .{1,30} gesendet"
    r"|envoyé de mon |enviado desde mi )",
    re.IGNORECASE,
)
_LEGAL: Final = re.compile(
    r"confidential|privileged|disclaimer|virus|legally|unauthori[sz]ed", re.IGNORECASE
)
_LEGAL_OBJECT: Final = re.compile(
    r"e-?mail|message|communication|transmission|recipient|addressee", re.IGNORECASE
)
_LEGAL_OPENING: Final = re.compile(
    r"[\s*_=-]*(?:confidential\w*|disclaimer|notice|important|legal|privileged|caution"
    r"|this (?:e-?mail|message|communication|transmission|electronic)"
    r"|the (?:information|contents?))",
    re.IGNORECASE,
)
_POSTSCRIPT: Final = re.compile(r"p\.?\s?s\.?[\s:.,\u2013\u2014-]", re.IGNORECASE)
_SEPARATOR_LINES: Final = 25
_CLOSING_LINES: Final = 14


def split_signature(lines: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The lines without their ending, the signature, and the legal notice below it.

    A postscript is text, wherever it stands.
    """
    body, legal = _split_legal(lines)
    start = _signature_start(body)
    tail = body[start:]
    postscript = next((i for i, line in enumerate(tail) if _POSTSCRIPT.match(line)), len(tail))
    return [*body[:start], *tail[postscript:]], tail[:postscript], legal


def _split_legal(lines: list[str]) -> tuple[list[str], list[str]]:
    """Set a legal notice apart that runs from the start of a paragraph to the end."""
    for index, line in enumerate(lines):
        first = index == 0 or not lines[index - 1].strip()
        if not first or not _LEGAL_OPENING.match(line):
            continue
        notice = " ".join(lines[index : index + 6])
        if not (_LEGAL.search(notice) and _LEGAL_OBJECT.search(notice)):
            continue
        if any(part.strip() for part in lines[:index]) and _all_legal(lines[index:]):
            return lines[:index], lines[index:]
    return lines, []


def _all_legal(lines: list[str]) -> bool:
    """Whether no paragraph asks or tells anything: a notice has neither questions nor an `I`."""
    return not re.search(r"\?|\bI(?:'m|'d|'ve)?\b|\bmy\b", "\n".join(lines))


def _signature_start(lines: list[str]) -> int:
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for index in filled:
        if lines[index].rstrip() == "--" and _count(filled, index) <= _SEPARATOR_LINES:
            return index
    for index in filled[-_CLOSING_LINES:]:
        if _closes(lines, index):
            return index
    if filled and _MOBILE.match(lines[filled[-1]].strip()):
        return filled[-1]
    return len(lines)


def _count(filled: list[int], index: int) -> int:
    return sum(other > index for other in filled)


def _closes(lines: list[str], index: int) -> bool:
    """Whether a sign-off stands here, with nothing but a name and contact data below it."""
    line = lines[index].strip()
    closing = _CLOSING.match(line)
    if closing is None or len(line) > 60:
        return False
    rest = line[closing.end() :]
    below = [other.strip() for other in lines[index + 1 :] if other.strip()]
    named = _NAME.match(rest) is not None
    if rest.strip(" ,.!\u2013\u2014-") and not named:
        return False
    below = below[: next((i for i, b in enumerate(below) if _POSTSCRIPT.match(b)), len(below))]
    return (named or bool(below)) and all(_is_contact_line(other) for other in below)


def _is_contact_line(line: str) -> bool:
    return len(line) <= 120 and "?" not in line and len(line.split()) <= 14
