"""What numbers of cards, banks and people are hidden, and where."""

from __future__ import annotations

from typing import Literal

from triage.settings.section import Section

RedactionKind = Literal["card", "bank", "identity", "document"]


class Redaction(Section):
    """Numbers that must not leave, masked in texts and silenced in recordings.

    `outgoing`: in all that is sent or exported. `stored`: before texts and transcripts are stored,
    and in the stored recordings of calls. `kinds`: which numbers. See docs/redaction.md.
    """

    outgoing: bool = True
    stored: bool = False
    kinds: tuple[RedactionKind, ...] = ("card", "bank", "identity", "document")
