"""The part of a text that the contact wrote or said: no quotes, headers, notices, agents' turns.

What is left out is replaced by spaces, so that offsets stay those of the original.
"""

from __future__ import annotations

import re
from typing import Final

_CALLER: Final = re.compile(r"^(?:Caller|Visitor|Customer|Client):", re.MULTILINE | re.IGNORECASE)
_ANSWERS: Final = re.compile(r"^Speaker 1:", re.MULTILINE)
"""The first of unnamed speakers on a call: who answers it, so the business."""

_SPEAKER: Final = re.compile(
    r"^([A-Z][\w .']{1,20}|(?:caller|visitor|customer|client|agent|operator|host|bot)):[ \t]*",
    re.MULTILINE,
)
_QUOTED_LINE: Final = re.compile(r"^[ \t]*(?:>|\|(?![^\n]*\|)).*$", re.MULTILINE)
_UNQUOTED: Final = re.compile(r"^[ \t]*[^\s>|]", re.MULTILINE)
_ATTRIBUTION: Final = re.compile(
    r"^(?:On|Am|Le|El)\b[^\n]{4,90}\b(?:wrote|schrieb|a \u00e9crit"
    r"|escribi\u00f3)\b[^\n]{0,40}:[ \t]*$(?=\s*>)",
    re.MULTILINE | re.IGNORECASE,
)
"""What goes before lines marked as quoted, between which a reply may stand."""

_REPLY_TO: Final = re.compile(
    r"^(?:-{2,} ?Original Message ?-{2,}|On .{8,80} wrote:|_{20,})[ \t]*$.*\Z",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_TRANSPORT: Final = re.compile(
    r"^[ \t>]*(?:-{5,} ?forwarded by[^\n]*"
    r"|[^\n]{0,40}\b\d{1,2}/\d{1,2}/\d{2,4} \d{1,2}:\d\d(?: ?[ap]m)?[ \t]*-*"
    r"|(?:it was )?submitted (?:by|on|from|at)?[^\n]*\d{1,2}:\d\d[^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_MAIL_HEADER: Final = re.compile(
    r"^[ \t>]*(?:date|sent|cc|bcc|to|subject|gesendet|datum|an|betreff|assunto|data|de):[^\n]*$",
    re.MULTILINE | re.IGNORECASE,
)
"""Lines of transport and of headers: their dates and names are about the mail, not the wish."""

_FORWARD: Final = re.compile(
    r"^(?:-{2,} ?(?:forwarded(?: message)?|mensagem encaminhada|weitergeleitete "
    r"nachricht) ?-{2,}|begin forwarded message:|from: [^\n]+\n).*\Z",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_BOILERPLATE: Final = re.compile(
    r"^(?:confidentiality(?: notice)?|disclaimer|the information in this message|this e-?mail"
    r"|this message|please consider the environment|sent from (?:my|ip|a )|submitted from)"
    r"\b[^\n]*(?:\n[^\n]+)*",
    re.MULTILINE | re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The text without quoted history, forwarded mail, boilerplate and the agent's turns."""
    if _CALLER.search(text):
        return _turns(text, _CALLER, kept=True)
    if _ANSWERS.match(text):
        return _turns(text, _ANSWERS, kept=False)
    text = _ATTRIBUTION.sub(_spaces, text)
    forward = _forward(text)
    kept = _blank(text, forward.start(), len(text)) if forward else text
    for pattern in (_REPLY_TO, _BOILERPLATE, _TRANSPORT):
        kept = pattern.sub(_spaces, kept)
    # A form may come with all its lines marked as quoted.
    return _QUOTED_LINE.sub(_spaces, kept) if _UNQUOTED.search(kept) else kept


def passed_on_words(text: str) -> str:
    """What follows the mark of a forwarded message in a text; nothing where there is none."""
    if _CALLER.search(text) or not (forward := _forward(text)):
        return ""
    return forwarded(_blank(text, 0, forward.start()))


def forwarded(text: str) -> str:
    """A forwarded message without its header lines."""
    return _TRANSPORT.sub(_spaces, _MAIL_HEADER.sub(_spaces, text))


def without_boilerplate(text: str) -> str:
    """A signature without its legal notices."""
    return _BOILERPLATE.sub(_spaces, text)


def _forward(text: str) -> re.Match[str] | None:
    """The forwarded message at the end of a text; a `From:` line that opens a text is a form's."""
    match = _FORWARD.search(text)
    if match and match[0][:5].lower() == "from:" and not text[: match.start()].strip():
        return None
    return match


def _turns(text: str, speaker: re.Pattern[str], *, kept: bool) -> str:
    """The text with only the turns of one speaker, or with only those of the others."""
    heard = text
    marks = [*_SPEAKER.finditer(text)]
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    for mark, end in zip(marks, ends, strict=True):
        theirs = (speaker.match(mark[0]) is not None) == kept
        heard = _blank(heard, mark.start(), mark.end() if theirs else end)
    return heard


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _spaces(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
