"""The values that travel along the path of an inquiry. All are frozen; times are aware, in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from classifiers.labels import SignalName
from classifiers.verdict import Channel as Channel  # noqa: PLC0414 - exported
from classifiers.verdict import Verdict as Verdict  # noqa: PLC0414 - exported


class Stage(StrEnum):
    """How far an inquiry has come: the last step that was completed.

    The stage column is the work list: everything that is neither SETTLED nor QUARANTINED and is due
    has a next step.
    """

    RECEIVED = "received"
    PARSED = "parsed"
    TRANSCRIBED = "transcribed"
    CLASSIFIED = "classified"
    QUALIFIED = "qualified"
    SETTLED = "settled"
    QUARANTINED = "quarantined"


class Outcome(StrEnum):
    """What happens to a classified inquiry."""

    FORWARD = "forward"
    REVIEW = "review"
    NURTURE = "nurture"
    FILE = "file"


SourceKind = Literal["imap", "maildir", "recordings"]

REFUSED_MARK = "!"
"""Ends the revision under which a refusal is remembered: the file may become readable later."""


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Where an item was seen.

    `key` is unique within the source: `folder/uidvalidity/uid` for IMAP, the path below the folder
    for files. `revision` tells versions of one key apart: `size-mtime_ns` for recordings.
    """

    source: str
    kind: SourceKind
    key: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class FolderCursor:
    """How far a mail folder was read. `uidvalidity` is the server's, as text.

    Everything up to `last_uid` was read but a backlog: the mails above `backlog_from` and up to
    `backlog_to`, where that is more.
    """

    folder: str
    uidvalidity: str
    last_uid: int
    backlog_from: int = 0
    backlog_to: int = 0

    @property
    def has_backlog(self) -> bool:
        """Whether mails are left that were passed over."""
        return self.backlog_to > self.backlog_from


@dataclass(frozen=True, slots=True)
class RawItem:
    """Bytes that are safe in the blob store. `size` in bytes."""

    ref: SourceRef
    received_at: datetime
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who wrote, called, or was written to or called. Unknown parts are empty."""

    name: str = ""
    email: str = ""
    phone: str = ""

    def __str__(self) -> str:
        address = self.email or self.phone
        return f"{self.name} <{address}>" if self.name and address else self.name or address


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a mail that is not its text. `size` in bytes after decoding.

    `text` is what could be read of it (documents, calendars, text files) or heard in it; `note`
    says where that is not all, and why. Neither is part of what the sender wrote in the mail. What
    may be a recording is kept under its `sha256`; `transcript` is what was heard in one that stays
    an attachment.
    """

    name: str
    media_type: str
    size: int
    text: str = ""
    note: str = ""
    sha256: str = ""
    transcript: Transcript | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A website's form that arrived as a mail. `fields` are label and value as stated, in order.

    `layout` names how it was laid out, `system` what sent it (empty where that is unknown), and
    `sender` is who filled it in.
    """

    layout: str
    system: str
    fields: tuple[tuple[str, str], ...]
    sender: Party = Party()

    def value(self, label: str) -> str:
        """The first value under a label, in any case of letters; empty where there is none."""
        wanted = label.casefold()
        return next((value for name, value in self.fields if name.casefold() == wanted), "")


ReportKind = Literal["delivery", "disposition", "feedback"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail system says about a mail that was sent (RFC 3464, RFC 8098, RFC 5965).

    `action` is `failed`, `delayed`, `displayed` and so on, `status` like 5.1.1. `author` is the
    address that the reported mail came from where the report returns it, and `passed_on` whether
    that mail held somebody else's words.
    """

    kind: ReportKind
    action: str = ""
    status: str = ""
    recipient: str = ""
    author: str = ""
    passed_on: bool = False


Direction = Literal["inbound", "outbound", "internal"]
Withheld = Literal["no-consent", "outbound-call", "internal-call"]


@dataclass(frozen=True, slots=True)
class Call:
    """What is known about a recorded call beside its sound; unknown parts are empty.

    `caller` and `dialled` are E.164 where they are outside numbers, else as stated (extensions).
    `duration_s` and `started_at` are what was stated, `consent` whether the recording was agreed
    to. `id` names this leg and `group` the call that it is a leg of. `sources` says what told it
    (`name:freepbx`, `sidecar`, `cdr`), and `withheld` why nobody may transcribe it.
    """

    caller: str = ""
    caller_name: str = ""
    dialled: str = ""
    direction: Direction | None = None
    agent: str = ""
    started_at: datetime | None = None
    duration_s: float | None = None
    consent: bool | None = None
    id: str = ""
    group: str = ""
    campaign: str = ""
    sources: tuple[str, ...] = ()
    withheld: Withheld | None = None

    @property
    def is_outbound(self) -> bool:
        """Whether we called somebody: then the other party is who was called."""
        return self.direction == "outbound" and bool(self.dialled)


@dataclass(frozen=True, slots=True)
class Voicemail:
    """A message that somebody left with a telephone system, which sent it by mail.

    `system` names it, `mailbox` is where the message was left, `mailed_by` the address that the
    mail came from. `heard` is the text that the telephone system itself made of the message: it is
    kept apart, and read only where the recording cannot be. `link`: where it says the recording is.
    """

    system: str
    mailbox: str = ""
    mailed_by: str = ""
    heard: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One inbound contact, parsed.

    `text` is what the person wrote now; `quoted`, `signature`, `disclaimer` and `forwarded` hold
    what was found around it, and `spare` what only another version of the body says, so nothing is
    thrown away. `thread` lists message ids, oldest first, the mail's own last. `headers` keeps the
    few mail headers that later stages read (lower-case names; repeated ones a line each), `marks`
    what they say about how the mail came to be (see `intake.marks`).
    `attribution` holds the UTM parameters and click ids that came with a form, `report` what a mail
    system reported. `metadata` is what a sidecar said about a call, `call` what that, its file's
    name and the telephone system's records mean. A call has no text before transcription.
    `voicemail` is set where a call came as a mail: its recordings are attachments, and what the
    mail said is `metadata`.
    """

    id: str
    ref: SourceRef
    channel: Channel
    received_at: datetime
    sender: Party = Party()
    recipients: tuple[Party, ...] = ()
    subject: str = ""
    text: str = ""
    quoted: str = ""
    signature: str = ""
    disclaimer: str = ""
    forwarded: str = ""
    spare: str = ""
    thread: tuple[str, ...] = ()
    language: str = ""
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    form: Form | None = None
    attribution: Mapping[str, str] = field(default_factory=dict)
    report: Report | None = None
    call: Call | None = None
    voicemail: Voicemail | None = None
    campaign: str = ""
    duration_s: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def author(self) -> Party:
        """Who really asks: who filled in the form, where a website sent one; else the sender."""
        return self.form.sender if self.form and self.form.sender != Party() else self.sender

    @property
    def body(self) -> str:
        """All that was written, in the usual order, and what was heard in recordings that came with
        it, marked as that; this is what the classifier reads.
        """
        parts = (self.text, self.signature, self.disclaimer, self.forwarded, self.quoted)
        return "\n\n".join(part for part in (*parts, *self.memos) if part)

    @property
    def memos(self) -> tuple[str, ...]:
        """What was heard in each attached recording, under a line that names it."""
        return tuple(
            f"[Attached recording {attachment.name}]\n{attachment.text}"
            for attachment in self.attachments
            if attachment.transcript and attachment.text
        )

    @property
    def recordings(self) -> tuple[Attachment, ...]:
        """The attachments that may be recordings, each once, in the order of the mail."""
        kept: dict[str, Attachment] = {}
        for found in self.attachments:
            if found.sha256:
                kept.setdefault(found.sha256, found)
        return tuple(kept.values())


Speaker = Literal["agent", "caller", "unknown"]


class TimedWord(NamedTuple):
    """A word of a segment and when it was said, in seconds from the start of the recording."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech. Times in seconds from the start; `channel` 0 is left or mono.

    `confidence` is 0 to 1. `flags` name doubts (`loop`, `filler`, `low-confidence`, `too-fast`,
    `over-sound`): flagged text is kept, but never the basis of a lead without a person. `voice`
    tells voices of one channel apart, from 1 on in order of appearance; 0 where they were not told
    apart.
    """

    start: float
    end: float
    speaker: Speaker
    text: str
    confidence: float
    channel: int = 0
    flags: tuple[str, ...] = ()
    words: tuple[TimedWord, ...] = ()
    voice: int = 0


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a recording of `duration_s` seconds; `partial`: not read to the end.

    Of a partial one `read_s` says how many seconds were read, from the start.
    """

    segments: tuple[Segment, ...]
    language: str
    engine: str
    model: str
    duration_s: float
    partial: bool = False
    warnings: tuple[str, ...] = ()
    read_s: float | None = None

    @property
    def text(self) -> str:
        """One line a segment; a speaker's name in front where speakers are known."""
        return "\n".join(
            s.text if s.speaker == "unknown" else f"{s.speaker.title()}: {s.text}"
            for s in self.segments
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a value was stated: `quote == source[start:end]`.

    `field` names the source: `text` (mail body as parsed, or the transcript's text), `subject`,
    `signature`, `forwarded`, `quoted`, `attachment` (what was heard in one), `sender` or
    `metadata`. `at_s` is the second in the audio.
    """

    quote: str
    start: int
    end: int
    field: str = "text"
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One stated fact that qualifies a lead. A signal that was not stated does not exist at all,
    which is never the same as a `no`. `normalized` is the value for machines (E.164, ISO date).
    """

    name: SignalName
    value: str
    confidence: float
    evidence: tuple[Evidence, ...]
    normalized: str = ""


@dataclass(frozen=True, slots=True)
class ScorePart:
    """Points for one reason; the parts of a score add up to it."""

    name: str
    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Qualification:
    """How good a lead is: its signals, a score from 0 to 100 with its parts, and a grade A to D."""

    signals: Mapping[SignalName, Signal]
    score: int
    parts: tuple[ScorePart, ...]
    grade: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome and the rule that led to it, in words."""

    outcome: Outcome
    reason: str


class DeliveryState(StrEnum):
    """PENDING has a next attempt; ACCEPTED was answered 2xx; DEAD waits for a person."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one destination. `id` is the webhook-id, the same over all tries.

    `body` is the exact bytes that are signed and sent, as text; fixed when the row is written.
    `refers_to` is the id of an earlier event that this one is about: it never overtakes it.
    `arrival_s`: seconds from the inquiry's arrival to the answer that accepted the event.
    """

    id: str
    inquiry_id: str
    destination: str
    event: str
    body: str
    attempts: int
    state: DeliveryState
    created_at: datetime
    next_at: datetime | None = None
    accepted_at: datetime | None = None
    last_status: int | None = None
    last_error: str = ""
    refers_to: str = ""
    arrival_s: float | None = None
