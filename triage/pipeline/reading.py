"""What the classifier reads of an inquiry: the one place where stored values become model input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from classifiers.verdict import Example
from triage.pipeline import ruled
from triage.rules.rulebook import UNRULED, Ruling
from triage.settings import Calls
from triage.transcripts import notes
from triage.types import Inquiry, Transcript, Verdict

# A call in which nobody speaks reached nobody, and so did one that ends after "Hello?".
SILENCE = "rule:no-speech@1"
TOO_SHORT = "rule:too-short@1"
_CALLS = Calls()
_FEW_WORDS = 8  # of a mail that only announces its recording
_MOSTLY = 0.5  # share of flagged text from which a transcript as a whole is not trusted


@dataclass(frozen=True, slots=True)
class Reading:
    """Model input, or a verdict where no model is needed, and doubts about the text itself.

    `ruling` is what the rules say about the sender; where none does and nothing was said, `because`
    is what was heard instead. `opening`: only the beginning of a call was read so far.
    """

    example: Example
    settled: Verdict | None = None
    doubts: tuple[str, ...] = ()
    ruling: Ruling = UNRULED
    opening: bool = False


def read(
    inquiry: Inquiry,
    transcript: Transcript | None,
    business: str,
    ruling: Ruling = UNRULED,
    calls: Calls = _CALLS,
    before: Sequence[Transcript] = (),
) -> Reading:
    """Compose the input. Flagged speech is left out: it must never be what makes a lead.

    `calls` says what becomes of a call that nobody may transcribe; `before` are the earlier legs of
    the same call, which are read with it.
    """
    settled: Verdict | None = None
    doubts: tuple[str, ...] = ()
    if transcript is not None:
        text, settled, doubts = _read_call(transcript)
        if not text and inquiry.voicemail and inquiry.voicemail.heard:
            doubts = (*doubts, "the telephone system heard words where none were found")
        if settled and not ruling.rule:
            ruling = Ruling(because=notes.reason(transcript.warnings))
        if text:
            text = "\n".join([*filter(None, map(_trusted, before)), text])
    elif inquiry.call and inquiry.call.withheld:
        text = ""
        if inquiry.call.withheld == "no-consent" and calls.without_consent == "review":
            doubts = ("somebody may call back",)
    else:
        text = inquiry.body
        if not (text.strip() or inquiry.subject.strip()):
            doubts = ("the mail has no text",)
        if _unheard(inquiry):
            doubts = (*doubts, "its recording was not heard")
    example = Example(
        channel=inquiry.channel,
        text=text,
        subject=inquiry.subject,
        sender=str(inquiry.sender),
        recipient=str(inquiry.recipients[0]) if inquiry.recipients else "",
        business=business,
    )
    opening = transcript is not None and transcript.partial and transcript.read_s is not None
    return Reading(example, ruled.settled(ruling) or settled, doubts, ruling, opening)


def _unheard(inquiry: Inquiry) -> bool:
    """Whether what an inquiry is about may be in a recording that nobody could hear: a voicemail's,
    or one that came with a few words.
    """
    if inquiry.voicemail is not None:
        return True
    unheard = any(recording.transcript is None for recording in inquiry.recordings)
    return unheard and len(inquiry.body.split()) < _FEW_WORDS


def _read_call(transcript: Transcript) -> tuple[str, Verdict | None, tuple[str, ...]]:
    if not transcript.text:
        # What could not be heard is not silence.
        damaged = transcript.partial or notes.proves_nothing(transcript.warnings)
        doubts = ("nothing could be understood, but somebody may have spoken",) if damaged else ()
        rule = TOO_SHORT if notes.is_too_little(transcript.warnings) else SILENCE
        return "", ruled.certain("misdial", rule), doubts
    doubts = ("most of the transcript is uncertain",) if _is_mostly_flagged(transcript) else ()
    return _trusted(transcript), None, doubts


def _is_mostly_flagged(transcript: Transcript) -> bool:
    """Whether most of all that was said is uncertain, or most of what the contact said: what an
    agent says clearly must not make a lead of noise on the other side.
    """
    contact = [segment for segment in transcript.segments if segment.speaker != "agent"]
    return any(
        sum(len(segment.text) for segment in said if segment.flags)
        > _MOSTLY * sum(len(segment.text) for segment in said)
        for said in (transcript.segments, contact)
    )


def _trusted(transcript: Transcript) -> str:
    """What was said, without what is flagged."""
    unflagged = tuple(segment for segment in transcript.segments if not segment.flags)
    return replace(transcript, segments=unflagged).text
