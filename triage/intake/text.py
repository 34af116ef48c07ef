"""Plain text of a mail: what cannot be seen is dropped, soft line breaks are joined."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Padding of preview texts, and direction marks that make a text read otherwise than it is.
_UNSEEN: Final = re.compile("[\u200b\u2060\ufeff\u00ad\u034f\u202a-\u202e\u2066-\u2069]|\u200c{2,}")
_SPACE: Final = re.compile("[\u00a0\u2000-\u200a\u202f\u3000]")
_BLANK_LINES: Final = re.compile(r"\n{4,}")


def cleaned(text: str) -> str:
    """`text` with plain line feeds and without what nobody sees; no word is lost."""
    if text.isascii() and text.isprintable():  # one line, as in most headers
        return text.rstrip()
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    text = _SPACE.sub(" ", _UNSEEN.sub("", _CONTROL.sub("", text)))
    lines = (line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n\n", "\n".join(lines)).strip("\n")


def unflowed(text: str, *, delsp: bool = False) -> str:
    """Join the soft-broken lines of `format=flowed` text (RFC 3676).

    Lines are joined within one quote depth; the signature separator `-- ` is never joined.
    """
    joined: list[str] = []
    open_depth = -1
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        if content == "-- ":
            joined.append(line)
            open_depth = -1
            continue
        if open_depth == depth:
            joined[-1] += content
        else:
            joined.append(f"{'>' * depth} {content}" if depth else content)
        open_depth = depth if content.endswith(" ") else -1
        if open_depth >= 0 and delsp:
            joined[-1] = joined[-1][:-1]
    return "\n".join(joined)
