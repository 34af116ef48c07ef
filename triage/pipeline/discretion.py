"""What is told to whom: the one place where settings decide which numbers are masked.

`told` is for everything that leaves this machine, `kept` for what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from triage.delivery.payload import Case
from triage.redaction.fields import Redactor
from triage.redaction.speech import Seconds
from triage.settings import Settings
from triage.types import Inquiry, Transcript

_NOBODY = Redactor(())


@dataclass(frozen=True, slots=True)
class Discretion:
    """A redactor for what leaves, and one for what is stored."""

    outgoing: Redactor = _NOBODY
    stored: Redactor = _NOBODY

    @classmethod
    def of(cls, settings: Settings) -> Discretion:
        """As `[redaction]` says."""
        rules, redactor = settings.redaction, Redactor(settings.redaction.kinds)
        return cls(redactor if rules.outgoing else _NOBODY, redactor if rules.stored else _NOBODY)

    def told(self, case: Case) -> Case:
        """A case as others may know it: every text masked, evidence pointing into the masked."""
        heard = case.transcript
        found = case.qualification
        return Case(
            self.outgoing.inquiry(case.inquiry),
            self.outgoing.transcript(heard).transcript if heard else None,
            case.verdict,
            self.outgoing.qualification(found, case.inquiry, heard) if found else None,
            replace(case.decision, reason=self.outgoing.text(case.decision.reason)),
        )

    def silent(self, transcript: Transcript | None) -> Seconds:
        """The seconds of a recording that others may not hear."""
        return self.outgoing.transcript(transcript).silent if transcript else ()

    def hides(self, inquiry: Inquiry) -> bool:
        """Whether an inquiry holds anything that others may not know."""
        return self.outgoing.inquiry(inquiry) != inquiry

    def kept(self, inquiry: Inquiry) -> Inquiry:
        """An inquiry as it is stored."""
        return self.stored.inquiry(inquiry)
