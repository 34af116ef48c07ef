"""What the classifier reads of an inquiry: the one place where stored values become model input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from classifiers.labels import LABELS, Label
from classifiers.verdict import Example
from triage.transcripts.engine import NO_SPEECH
from triage.types import Inquiry, Transcript, Verdict

_MOSTLY = 0.5  # share of flagged text from which a transcript as a whole is not trusted


@dataclass(frozen=True, slots=True)
class Reading:
    """Model input, or a verdict where no model is needed, and doubts about the text itself."""

    example: Example
    settled: Verdict | None = None
    doubts: tuple[str, ...] = ()


def read(inquiry: Inquiry, transcript: Transcript | None, business: str) -> Reading:
    """Compose the input. Flagged speech is left out: it must never be what makes a lead."""
    settled: Verdict | None = None
    doubts: tuple[str, ...] = ()
    if transcript is not None:
        text, settled, doubts = _read_call(transcript)
    else:
        text = inquiry.body
        if not (text.strip() or inquiry.subject.strip()):
            doubts = ("the mail has no text",)
    example = Example(
        channel=inquiry.channel,
        text=text,
        subject=inquiry.subject,
        sender=str(inquiry.sender),
        recipient=str(inquiry.recipients[0]) if inquiry.recipients else "",
        business=business,
    )
    return Reading(example, settled, doubts)


def _read_call(transcript: Transcript) -> tuple[str, Verdict | None, tuple[str, ...]]:
    unflagged = tuple(segment for segment in transcript.segments if not segment.flags)
    trusted = replace(transcript, segments=unflagged)
    spoken, kept = len(transcript.text), len(trusted.text)
    if not spoken:
        # What could not be heard is not silence.
        damaged = transcript.partial or any(w != NO_SPEECH for w in transcript.warnings)
        doubts = ("nothing could be heard, and the recording is damaged",) if damaged else ()
        return "", _silence(), doubts
    if kept < spoken * (1 - _MOSTLY):
        return trusted.text, None, ("most of the transcript is uncertain",)
    return trusted.text, None, ()


def _silence() -> Verdict:
    """A call in which nobody speaks reached nobody: a misdial, by rule."""
    scores: Mapping[Label, float] = {label: float(label == "misdial") for label in LABELS}
    return Verdict("misdial", scores, margin=1.0, abstained=False, model="rule:no-speech@1")
