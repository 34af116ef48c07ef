"""Attachments: names that are safe to show and to save, and what is inside."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from triage.intake.formats.reader import Content, kind_of, reader
from triage.intake.headers import words
from triage.intake.sounds import may_be_sound
from triage.intake.text import cleaned
from triage.settings import Limits
from triage.types import Attachment

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


Keep = Callable[[bytes], str]
"""Makes the bytes of a recording safe, and says under which sha256 they are found again."""


@dataclass(slots=True)
class Budget:
    """What opening the documents of one mail may still cost. `keep`: where its recordings go; None
    where they are of no interest.
    """

    limits: Limits
    documents: int = 0
    keep: Keep | None = None
    recordings: int = 0

    def takes(self) -> bool:
        """Whether one more may be opened; counts it."""
        self.documents += 1
        return self.documents <= self.limits.documents

    def kept(self, stated: Attachment, data: bytes) -> Attachment:
        """The attachment, with its bytes safe where it may be a recording. What it really is the
        decoder finds out.
        """
        if self.keep is None or not may_be_sound(stated.name, stated.media_type, data):
            return stated
        limits = self.limits
        self.recordings += 1
        if self.recordings > limits.mail_recordings:
            note = f"it was not heard: a mail's first {limits.mail_recordings} are"
            return replace(stated, note=stated.note or f"{note} (limits.mail_recordings)")
        if len(data) > limits.recording_bytes:
            note = f"it was not heard: {len(data):,} bytes, the limit is {limits.recording_bytes:,}"
            return replace(stated, note=stated.note or f"{note} (limits.recording_bytes)")
        return replace(stated, sha256=self.keep(data))


def opened(stated: Attachment, data: bytes, budget: Budget) -> tuple[Attachment, Content | None]:
    """The attachment with the text of the document that it is, and a winmail.dat's content.

    Text that it has already (of a calendar, say) stays where the document cannot be read.
    """
    limits = budget.limits
    kind = kind_of(stated.name, stated.media_type, data)
    if stated.media_type.endswith("ms-tnef"):
        kind = "tnef"
    if kind is None:
        return _capped(stated, limits), None
    if not budget.takes():
        note = f"it was not read: a mail's first {limits.documents} are (limits.documents)"
        return _capped(replace(stated, note=note), limits), None
    found = reader.read(kind, data, limits)
    if kind == "tnef":
        note = found.note and f"Outlook's own format (winmail.dat): {found.note}"
        return replace(stated, note=note), found
    text = cleaned(found.text) or stated.text
    return _capped(replace(stated, text=text, note=found.note), limits), None


def _capped(stated: Attachment, limits: Limits) -> Attachment:
    limit = limits.document_chars
    if len(stated.text) <= limit:
        return stated
    note = f"text of {len(stated.text):,} characters was cut at {limit:,} (limits.document_chars)"
    return replace(stated, text=stated.text[:limit], note=stated.note or note)
