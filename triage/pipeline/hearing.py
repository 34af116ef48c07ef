"""Hears the recordings that came by mail: a voicemail's become its transcript, others are heard as
what they are, attachments.

A mail is never lost over a recording: what cannot be heard is a note, and the text is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from triage.errors import Configuration, Permanent, Transient
from triage.intake.voicemail.notice import as_text
from triage.settings import Settings
from triage.store.blobs import BlobStore
from triage.types import Attachment, Inquiry, Segment, Transcript

TRIES: Final = 3
"""How often a recording is tried that makes the transcribing process fail."""
NOTHING_SAID: Final = "no speech was found in it"
_CALM: Final = frozenset({"", NOTHING_SAID})  # notes that are no warnings
_SAME_S: Final = 0.5  # by which two encodings of one message may differ in length


@dataclass(frozen=True, slots=True)
class Hearing:
    """`transcribe` makes a transcript of a file, as `TranscriberHost.transcribe` does."""

    settings: Settings
    blobs: BlobStore
    transcribe: Callable[[Path], Transcript]

    def heard(self, inquiry: Inquiry, attempts: int = 0) -> tuple[Inquiry, Transcript | None]:
        """The mail with what was heard in its recordings, and the transcript of a voicemail.

        `attempts`: how often this was tried before. Raises `Transient` where trying again may help,
        and `Configuration` where a voicemail waits for weights.
        """
        last = attempts + 1 >= min(TRIES, self.settings.engine.attempts)
        found = [self._attempt(one, inquiry, last=last) for one in inquiry.recordings]
        by_sha256 = {one.sha256: one for one in found}
        attachments = tuple(by_sha256.get(a.sha256, a) for a in inquiry.attachments)
        warnings = [f"attachment {one.name}: {one.note}" for one in found if one.note not in _CALM]
        heard = replace(inquiry, warnings=(*inquiry.warnings, *warnings))
        if inquiry.voicemail is None:
            return replace(heard, attachments=attachments), None
        transcript = joined([one.transcript for one in found if one.transcript])
        if transcript is None:
            return as_text(replace(heard, attachments=attachments)), None
        bare = tuple(replace(one, transcript=None, text="") for one in attachments)
        return replace(heard, attachments=bare, duration_s=transcript.duration_s), transcript

    def again(self, inquiry: Inquiry) -> Transcript | None:
        """A fresh transcript of a voicemail, or None where nothing can be heard."""
        return joined([self._transcript(one) for one in inquiry.recordings])

    def _attempt(self, recording: Attachment, inquiry: Inquiry, *, last: bool) -> Attachment:
        if inquiry.voicemail is None and self.settings.calls.require_consent:
            return replace(recording, note="it was not heard: nobody says that there is consent")
        try:
            transcript = self._transcript(recording)
        except Permanent as error:
            return replace(recording, note=f"it could not be heard: {error}")
        except Transient as error:
            if not last:
                raise
            return replace(recording, note=f"it could not be heard: {error}")
        except Configuration as error:
            if inquiry.voicemail is not None:
                raise
            return replace(recording, note=f"it could not be heard: {error}")
        text = replace(transcript, segments=_trusted(transcript)).text
        note = recording.note if text else NOTHING_SAID
        return replace(recording, transcript=transcript, text=text, note=note)

    def _transcript(self, recording: Attachment) -> Transcript:
        return self.transcribe(self.blobs.path(recording.sha256))


def joined(parts: Sequence[Transcript]) -> Transcript | None:
    """One transcript of recordings that follow each other; times count on from one to the next. A
    message that was attached in two encodings is one.
    """
    kept: list[Transcript] = []
    for part in parts:
        if not any(_same(part, other) for other in kept):
            kept.append(part)
    if len(kept) < 2:
        return kept[0] if kept else None
    segments: list[Segment] = []
    start = 0.0
    for part in kept:
        segments += [_moved(segment, start) for segment in part.segments]
        start += part.duration_s
    longest = max(kept, key=lambda part: len(part.text))
    return replace(
        longest,
        segments=tuple(segments),
        duration_s=round(start, 3),
        partial=any(part.partial for part in kept),
        warnings=tuple(dict.fromkeys(warning for part in kept for warning in part.warnings)),
    )


def _same(one: Transcript, other: Transcript) -> bool:
    near = abs(one.duration_s - other.duration_s) < _SAME_S
    return near and bool(one.text) and _words(one) == _words(other)


def _words(transcript: Transcript) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in transcript.text.lower()).split()


def _moved(segment: Segment, by: float) -> Segment:
    words = tuple(
        word._replace(start=round(word.start + by, 2), end=round(word.end + by, 2))
        for word in segment.words
    )
    start, end = round(segment.start + by, 2), round(segment.end + by, 2)
    return replace(segment, start=start, end=end, words=words)


def _trusted(transcript: Transcript) -> tuple[Segment, ...]:
    return tuple(segment for segment in transcript.segments if not segment.flags)
