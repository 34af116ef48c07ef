"""The stage itself: an inquiry to its signals, score and grade."""

from __future__ import annotations

from triage.settings import Business, IdealCustomer
from triage.signals.contact import find_contact
from triage.signals.fit import fit_parts
from triage.signals.intent import find_intent
from triage.signals.score import clamped, grade, score_parts
from triage.signals.source import gather
from triage.types import Inquiry, Qualification, Transcript


def qualify(
    inquiry: Inquiry, transcript: Transcript | None, ideal: IdealCustomer, business: Business
) -> Qualification:
    """What was stated, with evidence, and a score from 0 to 100 whose parts add up to it.

    Pure: nothing is stored or asked. Where there is a transcript, its text is the source, else the
    inquiry's. What was not stated has no signal.
    """
    material = gather(inquiry, transcript, business)
    findings = find_contact(material) | find_intent(material)
    signals = {name: finding.signal(name) for name, finding in findings.items()}
    parts = clamped([*score_parts(signals, inquiry), *fit_parts(signals, material, ideal)])
    score = sum(part.points for part in parts)
    return Qualification(signals, score, parts, grade(score))
