"""Inquiries and what was found in them, masked, with evidence that still points to its words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from triage.redaction import speech
from triage.redaction import text as texts
from triage.redaction.finding import FAMILIES, Family
from triage.redaction.text import Masked
from triage.types import (
    Attachment,
    Evidence,
    Form,
    Inquiry,
    Party,
    Qualification,
    Signal,
    Transcript,
    Voicemail,
)

# Texts of an inquiry that people wrote; `text` is what evidence points into, like some others.
_TEXTS = ("subject", "text", "quoted", "signature", "disclaimer", "forwarded", "spare")


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks what must not leave, of some families; of none, everything stays as it is."""

    families: Collection[Family] = FAMILIES

    def text(self, text: str) -> str:
        """A text, masked."""
        return texts.mask(text, self.families).text

    def party(self, party: Party) -> Party:
        """A name may hold anything that somebody typed into a form; addresses stay."""
        return replace(party, name=self.text(party.name)) if party.name else party

    def inquiry(self, inquiry: Inquiry) -> Inquiry:
        """An inquiry, masked wherever people wrote something."""
        if not self.families:
            return inquiry
        masked: dict[str, Any] = {name: self.text(getattr(inquiry, name)) for name in _TEXTS}
        return replace(
            inquiry,
            **masked,
            sender=self.party(inquiry.sender),
            recipients=tuple(map(self.party, inquiry.recipients)),
            attachments=tuple(map(self._attachment, inquiry.attachments)),
            form=self._form(inquiry.form) if inquiry.form else None,
            voicemail=self._voicemail(inquiry.voicemail) if inquiry.voicemail else None,
            metadata=self._values(inquiry.metadata),
            attribution=self._values(inquiry.attribution),
        )

    def transcript(self, transcript: Transcript) -> speech.MaskedSpeech:
        """A transcript, masked, and the seconds to silence."""
        return speech.mask(transcript, self.families)

    def qualification(
        self, found: Qualification, inquiry: Inquiry, transcript: Transcript | None
    ) -> Qualification:
        """Signals whose evidence points into the masked texts; both are given as they were."""
        if not self.families:
            return found
        sources = _Sources(self, inquiry, transcript)
        signals = {name: self._signal(signal, sources) for name, signal in found.signals.items()}
        parts = tuple(replace(part, reason=self.text(part.reason)) for part in found.parts)
        return replace(found, signals=signals, parts=parts)

    def _signal(self, signal: Signal, sources: _Sources) -> Signal:
        evidence = tuple(sources.placed(one) for one in signal.evidence)
        hidden = [
            after
            for before, after in zip(signal.evidence, evidence, strict=True)
            if sources.of(before.field).touches(before.start, before.end)
            and _tells(signal, before.quote)
        ]
        value = hidden[0].quote if hidden else self.text(signal.value)
        normalized = "" if hidden else self.text(signal.normalized)
        return replace(signal, value=value, normalized=normalized, evidence=evidence)

    def _attachment(self, attachment: Attachment) -> Attachment:
        heard = attachment.transcript
        return replace(
            attachment,
            name=self.text(attachment.name),
            text=self.text(attachment.text),
            transcript=self.transcript(heard).transcript if heard else None,
        )

    def _voicemail(self, voicemail: Voicemail) -> Voicemail:
        return replace(voicemail, heard=self.text(voicemail.heard))

    def _form(self, form: Form) -> Form:
        """A label and its value are read together: it says what the value is."""
        fields = tuple((label, self._value(label, value)) for label, value in form.fields)
        return replace(form, fields=fields, sender=self.party(form.sender))

    def _value(self, label: str, value: str) -> str:
        lead = f"{label}: "
        together = texts.mask(lead + value, self.families)
        start, _ = together.place(len(lead), len(lead) + len(value))
        return together.text[start:]

    def _values(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {name: self._value(name, value) for name, value in values.items()}


def _tells(signal: Signal, quote: str) -> bool:
    """Whether a signal repeats its evidence, as a phone number does and a readiness does not."""
    figures = re.sub(r"\D", "", quote)
    known = (re.sub(r"\D", "", value)[-6:] for value in (signal.value, signal.normalized))
    return signal.value in quote or any(len(told) > 3 and told in figures for told in known)


class _Sources:
    """The texts that evidence may point into, masked once each."""

    def __init__(self, redactor: Redactor, inquiry: Inquiry, transcript: Transcript | None) -> None:
        self._families = redactor.families
        self._known: dict[str, Masked] = {}
        if transcript is not None:
            self._known["text"] = redactor.transcript(transcript).masked
        self._inquiry = inquiry

    def of(self, field: str) -> Masked:
        """The text of a field, masked."""
        if field not in self._known:
            value = getattr(self._inquiry, field, "")
            text = str(value) if isinstance(value, str | Party) else ""
            self._known[field] = texts.mask(text, self._families)
        return self._known[field]

    def placed(self, evidence: Evidence) -> Evidence:
        """Evidence as it points into the masked text."""
        masked = self.of(evidence.field)
        if not masked.replaced:
            return evidence
        start, end = masked.place(evidence.start, evidence.end)
        return replace(evidence, quote=masked.text[start:end], start=start, end=end)
