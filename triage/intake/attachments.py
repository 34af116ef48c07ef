"""Names of attachments, made safe to show and to save."""

from __future__ import annotations

import mimetypes
import re
from typing import Final

from triage.intake.headers import words

NAME_CHARS: Final = 120
"""Characters that are kept of a name, with its extension."""

_UNSAFE: Final = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_EXTENSIONS: Final = {"message/rfc822": ".eml", "text/calendar": ".ics", "text/plain": ".txt"}


def safe_name(stated: str, media_type: str, number: int) -> str:
    """The last part of the stated path without what a shell or a browser could take amiss.

    A part without a name is called after its number and type.
    """
    name = words(stated).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", name).strip(" .")
    if not name:
        extension = _EXTENSIONS.get(media_type) or mimetypes.guess_extension(media_type) or ".bin"
        return f"attachment-{number}{extension}"
    if len(name) > NAME_CHARS:
        stem, dot, extension = name.rpartition(".")
        tail = dot + extension if stem and len(extension) <= 10 else ""
        name = name[: NAME_CHARS - len(tail)] + tail
    return name
