"""The stage itself: an inquiry to its signals, score and grade."""

from __future__ import annotations

from classifiers.labels import SignalName
from triage.settings import Business, IdealCustomer
from triage.signals.budget import find_budget
from triage.signals.contact import caller_number, find_email, find_phone, sender_email
from triage.signals.decision import find_decision
from triage.signals.fit import fit_parts
from triage.signals.identity import find_identity, sender_name
from triage.signals.layout import FieldName, read_form
from triage.signals.place import find_location
from triage.signals.product import find_product
from triage.signals.readiness import find_readiness
from triage.signals.score import clamped, grade, score_parts
from triage.signals.size import find_size
from triage.signals.source import Finding, Material, gather
from triage.signals.timeline import find_timeline
from triage.types import Inquiry, Qualification, Transcript


def qualify(
    inquiry: Inquiry, transcript: Transcript | None, ideal: IdealCustomer, business: Business
) -> Qualification:
    """What was stated, with evidence, and a score from 0 to 100 whose parts add up to it.

    Pure: nothing is stored or asked. Where there is a transcript, its text is the source, else the
    inquiry's. What was not stated has no signal.
    """
    material = gather(inquiry, transcript, business)
    findings = _findings(material)
    signals = {name: finding.signal(name) for name, finding in findings.items()}
    parts = clamped([*score_parts(signals, inquiry), *fit_parts(signals, material, ideal)])
    score = sum(part.points for part in parts)
    return Qualification(signals, score, parts, grade(score))


def _findings(material: Material) -> dict[SignalName, Finding]:
    form: dict[FieldName, Finding] = {}
    for source in material.own:
        form |= {name: found for name, found in read_form(source).items() if name not in form}
    person = find_identity(material, form)
    when = find_timeline(material, form)
    named = [person[name] for name in ("contact_name", "company") if name in person]
    found: dict[SignalName, Finding | None] = {
        "decision_maker": find_decision(material, person.get("role")),
        "readiness": find_readiness(material, when),
        "contact_name": person.get("contact_name") or sender_name(material),
        "company": person.get("company"),
        "role": person.get("role"),
        "phone": find_phone(material, form) or caller_number(material),
        "email": find_email(material, form) or sender_email(material),
        "location": find_location(material, form, named) or person.get("location"),
        "company_size": find_size(material, form),
        "budget": find_budget(material, form),
        "timeline": when.finding if when else None,
        "product_interest": find_product(material, form),
    }
    return {name: finding for name, finding in found.items() if finding is not None}
