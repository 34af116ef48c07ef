"""How far a call is read: its opening first, and on only while the label is open or it is a lead.

What was decided after a part is in the history (`READING_ON`), written in the transaction that
sends the call back to transcription, so that a worker killed in between goes on from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from classifiers.opening import OpeningRule
from triage.pipeline.decide import decide, is_lead_likely
from triage.pipeline.reading import SILENCE, Reading
from triage.pipeline.ruled import BLOCKED
from triage.settings import Settings
from triage.store.records import HistoryEntry
from triage.transcripts.messages import WHOLE, Part
from triage.types import Inquiry, Outcome, Transcript, Verdict

READING_ON: Final = "reading on"
AUDIT: Final = "audit"
_TOO_LITTLE: Final = "too little was said yet"
_PAUSE_S: Final = 2.0  # a part ends at a pause, so long before or after a look at most
_WORTH: Final = 1.5  # a call is read whole at once unless it lasts so many times its opening


@dataclass(frozen=True, slots=True)
class Progressive:
    """Plans what is transcribed next. Without a rule (`classifiers.opening`): everything."""

    settings: Settings
    rule: OpeningRule | None = None

    @property
    def on(self) -> bool:
        """Whether calls are read in parts at all."""
        return self.rule is not None and self.settings.transcription.progressive

    def part(
        self, inquiry: Inquiry, heard: Transcript | None, history: Sequence[HistoryEntry]
    ) -> Part:
        """What is to be read of a call of which `heard` was read, or nothing yet."""
        rest = self._rest(heard)
        if self.rule is None or not self.on or inquiry.duration_s is None or _to_the_end(history):
            return rest
        read_s = heard.read_s or 0.0 if heard else 0.0
        look = self.rule.next_look(read_s, self.settings.transcription.opening_s)
        if (
            look is None
            or inquiry.duration_s < look * (_WORTH if heard is None else 1.0) + _PAUSE_S
        ):
            return rest
        language = heard.language if heard and heard.segments else ""
        end_s = look + _PAUSE_S
        return Part(end_s, read_s, inquiry.duration_s, language, pause=True)

    def _rest(self, heard: Transcript | None) -> Part:
        """All that was not read; all of the call where better weights are set for that."""
        better = self.settings.transcription.lead_model
        if better or heard is None or heard.read_s is None:
            return Part(model=better) if better else WHOLE
        return Part(from_s=heard.read_s, language=heard.language if heard.segments else "")

    def reads_on(
        self,
        inquiry: Inquiry,
        heard: Transcript | None,
        reading: Reading,
        said: Verdict,
        verdict: Verdict,
    ) -> Mapping[str, Any] | None:
        """Why a call is read on after a part, for its history; None where the verdict stands.

        `said` is the model's own verdict, `verdict` what the rules about senders made of it.
        """
        if heard is None or not heard.partial or heard.read_s is None or verdict.model == BLOCKED:
            return None
        why = self._open(inquiry, heard, reading, said, verdict)
        audit = not why and self.audits(inquiry.id)
        if not (why or audit):
            return None
        hopeless = self.rule is None or not self.on or verdict.label not in self.rule.settling
        wanted = (hopeless and why != _TOO_LITTLE) or is_lead_likely(
            verdict, self.settings.decision
        )
        return {
            "reason": why or AUDIT,
            "read_s": heard.read_s,
            "label": verdict.label,
            "lead": round(verdict.scores.get("lead", 0.0), 4),
            "to_the_end": audit or wanted,
        }

    def _open(
        self, inquiry: Inquiry, heard: Transcript, reading: Reading, said: Verdict, verdict: Verdict
    ) -> str:
        """Why the verdict on a part cannot stand; empty where it can."""
        if self.rule is None or not self.on:
            return "progressive triage is off"
        if verdict.model == SILENCE or not self.rule.heard_enough(heard.text, heard.read_s or 0.0):
            return _TOO_LITTLE
        if inquiry.call and inquiry.call.group:
            return "it is one leg of a call"
        rules = self.settings.decision
        taxonomy = self.settings.taxonomy
        outcome = decide(verdict, None, rules, reading.doubts, reading.ruling, taxonomy).outcome
        if verdict.label == "lead":
            return "it may be a lead"
        if outcome != Outcome.FILE or not self.rule.settles(said):
            return "its label is open"
        return ""

    def audits(self, inquiry_id: str) -> bool:
        """Whether a call belongs to the share that is read whole all the same: chance, but always
        the same for one call.
        """
        drawn = int.from_bytes(hashlib.sha256(inquiry_id.encode()).digest()[:8], "big") / 2**64
        return drawn < self.settings.transcription.audit_share


def audited(history: Sequence[HistoryEntry], verdict: Verdict) -> Mapping[str, Any] | None:
    """What the verdict on all of a call says about the one that its opening alone would have had.

    None unless the call was read whole only to see that.
    """
    for entry in history:
        if entry.event == READING_ON and entry.detail["reason"] == AUDIT:
            opening = entry.detail["label"]
            return {
                "opening": opening,
                "whole": verdict.label,
                "agrees": opening == verdict.label,
                "read_s": entry.detail["read_s"],
            }
    return None


def _to_the_end(history: Sequence[HistoryEntry]) -> bool:
    return any(entry.event == READING_ON and entry.detail["to_the_end"] for entry in history)
