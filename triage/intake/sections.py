"""What a person wrote now, told apart from quoted history, signature and forwarded messages.

The rules are simple and cautious: a line is moved to another section, never dropped, and where
too little would be left everything stays text. mail-parser-reply is asked only for reply headers in
languages that the rules here do not know, because it removes signatures and forwarded leads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from mailparser_reply.constants import MAIL_LANGUAGES
from mailparser_reply.parser import EmailMessage

from triage.intake.signatures import split_signature

_FORWARD_SUBJECT: Final = re.compile(
    r"\s*(?:\[[^\]]*\]\s*)?(?:fwd?|wg|tr|rv|enc|vs)\s*:", re.IGNORECASE
)
_FORWARD: Final = re.compile(
    r"(?:[-\u2013\u2014_=]{2,}\s*(?:forwarded|weitergeleitete|fwd)\b.{0,40}?[-\u2013\u2014_=]*"
    r"|(?:begin|start of) forwarded (?:message|e-?mail)\s*:?"
    r"|anfang der weitergeleiteten nachricht\s*:?)\s*$",
    re.IGNORECASE,
)
_ORIGINAL: Final = re.compile(
    r"[-\u2013\u2014_]{2,}\s*(?:original (?:message|appointment)|ursprüngliche nachricht"
    r"|message d'origine"
    r"|mensaje original|reply message)\s*[-\u2013\u2014_]{2,}\s*$",
    re.IGNORECASE,
)
_FROM: Final = re.compile(r"[* ]*(?:from|von|de|da|van)\s?:[* ]*\S", re.IGNORECASE)
_SENT: Final = re.compile(
    r"[* ]*(?:sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|data|verzonden)\s?:",
    re.IGNORECASE,
)
_TO: Final = re.compile(
    r"[* ]*(?:to|subject|an|betreff|à|objet|para|asunto|a|oggetto|aan|onderwerp)\s?:", re.IGNORECASE
)
_RULE: Final = re.compile(r"\s*[-_]{10,}\s*$")
_WROTE: Final = re.compile(
    r"(?P<who>.{0,300})\b"
    r"(?:wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev)\b.{0,80}:\s*$",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(r"(?:on|am|le|el|il|em|op|den|at)\b", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\S@\S")
_DATED: Final = re.compile(r"\S@\S|\d{4}")
_LINE_CHARS: Final = 400
_LIBRARY_LINES: Final = 400
_LIBRARY_WIDTH: Final = 200

_Kind = Literal["forward", "original", "attribution", "quote"]


@dataclass(frozen=True, slots=True)
class Sections:
    """The five parts of a text; together they hold each of its lines that is not blank, once."""

    text: str = ""
    quoted: str = ""
    signature: str = ""
    forwarded: str = ""
    disclaimer: str = ""


class _Marker(NamedTuple):
    """Where something that was not written now begins; its heading takes `lines` lines."""

    start: int
    kind: _Kind
    lines: int = 1


def split(text: str, *, subject: str = "") -> Sections:
    """Split the text of a mail; its subject tells a forward from a reply in doubt."""
    lines = text.split("\n")
    kept: list[str] = []
    quoted: list[str] = []
    forwarded: list[str] = []
    position = 0
    while marker := _next_marker(lines, position):
        kept += lines[position : marker.start]
        end = _end(lines, marker)
        if _is_forward(marker, kept, subject):
            forwarded += lines[marker.start : end]
        else:
            quoted += [*lines[marker.start : end], ""]
        position = end
    kept += lines[position:]
    if not forwarded and not quoted:
        start = _foreign_marker(lines)
        kept, quoted = lines[:start], lines[start:]
    return _joined(text, kept, quoted, forwarded)


def _joined(text: str, kept: list[str], quoted: list[str], forwarded: list[str]) -> Sections:
    own, signature, legal = split_signature(kept)
    if not _block(own):
        own, signature, legal = kept, [], []
    if not _block(own) and not forwarded:
        return Sections(text=_block(text.split("\n")))
    return Sections(*(_block(lines) for lines in (own, quoted, signature, forwarded, legal)))


def _block(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n").rstrip()


def _is_forward(marker: _Marker, kept: list[str], subject: str) -> bool:
    """A quoted message with nothing written above it was passed on, not answered."""
    if marker.kind == "original":
        return bool(_FORWARD_SUBJECT.match(subject)) or not _block(kept)
    return marker.kind == "forward"


def _next_marker(lines: list[str], position: int) -> _Marker | None:
    for index in range(position, len(lines)):
        if lines[index].strip() and (marker := _marker_at(lines, index)):
            return marker
    return None


def _marker_at(lines: list[str], index: int) -> _Marker | None:
    line = lines[index].strip()
    if line.startswith(">"):
        return _Marker(index, "quote")
    if len(line) <= _LINE_CHARS and _FORWARD.match(line):
        return _Marker(index, "forward")
    head = index + 1 if _RULE.match(line) else index
    if (len(line) <= _LINE_CHARS and _ORIGINAL.match(line)) or _is_header_block(lines, head):
        return _Marker(index, "original")
    count = _attribution(lines, index)
    return _Marker(index, "attribution", count) if count else None


def _is_header_block(lines: list[str], index: int) -> bool:
    """Outlook's heading of a quoted message: From, Sent, and To or Subject on adjacent lines."""
    if index >= len(lines) or not _FROM.match(lines[index]):
        return False
    block = [line for line in lines[index + 1 : index + 9] if line.strip()][:6]
    return any(_SENT.match(line) for line in block) and any(_TO.match(line) for line in block)


def _attribution(lines: list[str], index: int) -> int:
    """How many lines a heading like `On 3 May Ann <ann@…> wrote:` takes here; 0: there is none."""
    for count in range(1, 5):
        if index + count > len(lines) or not lines[index + count - 1].strip():
            return 0
        joined = " ".join(line.strip() for line in lines[index : index + count])
        if len(joined) > _LINE_CHARS:
            return 0
        wrote = _WROTE.match(joined)
        if wrote is None and joined.endswith((":", "\uff1a")) and _DATED.search(joined):
            return count if _quote_follows(lines, index + count) else 0  # in whatever language
        if wrote is None:
            continue
        return count if _is_heading(lines, index, count, joined) else 0
    return 0


def _is_heading(lines: list[str], index: int, count: int, joined: str) -> bool:
    """Whether `… wrote:` in these lines, joined, names somebody, and begins with the first of them.

    A reply may stand right above the heading, on a line that does not belong to it.
    """
    opens = bool(_OPENING.match(joined))
    below = (line.strip() for line in lines[index + 1 : index + count])
    if not opens and any(map(_OPENING.match, below)):
        return False
    wrote = _WROTE.match(joined)
    stated = opens and wrote is not None and any(letter.isdigit() for letter in wrote["who"])
    named = stated or _ADDRESS.search(joined) is not None
    return named or _quote_follows(lines, index + count)


def _quote_follows(lines: list[str], index: int) -> bool:
    following = next((line for line in lines[index:] if line.strip()), "")
    return following.lstrip().startswith(">")


def _end(lines: list[str], marker: _Marker) -> int:
    """Where a quote ends: marked lines end with the last mark, all else with the mail."""
    position = marker.start + marker.lines
    if marker.kind == "quote":
        position = marker.start
    elif marker.kind != "attribution" or not _quote_follows(lines, position):
        return len(lines)
    last = position
    while position < len(lines):
        line = lines[position].lstrip()
        if line.startswith(">"):
            last = position + 1
        elif line:
            break
        position += 1
    return last


def _foreign_marker(lines: list[str]) -> int:
    """Where quoted history begins by the reply headers of other languages; else the end."""
    short = [line[:_LIBRARY_WIDTH] for line in lines[:_LIBRARY_LINES]]
    if not any(line.rstrip().endswith((":", "\uff1a")) and _DATED.search(line) for line in short):
        return len(lines)
    languages = [name for name in MAIL_LANGUAGES if name != "en"]
    message = EmailMessage("\n".join(short), languages=languages, include_english=False)
    replies = message.read().replies
    heading = (replies[1].headers or "").strip().split("\n")[0] if len(replies) > 1 else ""
    if not _DATED.search(heading):
        return len(lines)
    found = (i for i, line in enumerate(short) if line.strip().startswith(heading))
    return next(found, len(lines)) or len(lines)
