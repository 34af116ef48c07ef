"""The stage itself: an inquiry to its signals, score and grade."""

from __future__ import annotations

from classifiers.labels import SIGNALS, SignalName
from classifiers.tag_marks import SPANS
from triage.settings import Business, IdealCustomer
from triage.signals.blend import chosen, stated
from triage.signals.budget import find_budget, priced
from triage.signals.candidates import Reading
from triage.signals.contact import caller_number, find_email, find_phone, sender_email
from triage.signals.decision import find_decision
from triage.signals.fit import fit_parts
from triage.signals.identity import find_identity, sender_name
from triage.signals.layout import FieldName, read_form
from triage.signals.learned import Learned, TextTagger, read_learned
from triage.signals.place import find_location
from triage.signals.product import find_product
from triage.signals.readiness import find_readiness
from triage.signals.score import clamped, grade, score_parts
from triage.signals.size import counted, find_size
from triage.signals.source import Finding, Material, gather
from triage.signals.timeline import dated, find_timeline
from triage.types import Inquiry, Qualification, Transcript


def qualify(
    inquiry: Inquiry,
    transcript: Transcript | None,
    ideal: IdealCustomer,
    business: Business,
    tagger: TextTagger | None = None,
) -> Qualification:
    """What was stated, with evidence, and a score from 0 to 100 whose parts add up to it.

    Pure: nothing is stored or asked. Where there is a transcript, its text is the source, else the
    inquiry's. What was not stated has no signal. Without a `tagger` only rules are asked.
    """
    material = gather(inquiry, transcript, business)
    learned = read_learned(material, tagger) if tagger else None
    findings = _findings(material, learned)
    signals = {name: finding.signal(name) for name, finding in findings.items()}
    parts = clamped([*score_parts(signals, inquiry), *fit_parts(signals, material, ideal)])
    score = sum(part.points for part in parts)
    return Qualification(signals, score, parts, grade(score))


def ruled(material: Material) -> dict[SignalName, Finding | None]:
    """What the rules find stated; `None` where they find nothing."""
    form: dict[FieldName, Finding] = {}
    for source in material.written:
        form |= {name: found for name, found in read_form(source).items() if name not in form}
    person = find_identity(material, form)
    when = find_timeline(material, form)
    named = [person[name] for name in ("contact_name", "company") if name in person]
    return {
        "contact_name": person.get("contact_name"),
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


def normalized(name: SignalName, found: Finding | None, material: Material) -> Finding | None:
    """A finding with its form for machines, whoever found it; nothing where it cannot have one."""
    match name:
        case "company_size":
            return counted(found)
        case "budget":
            return priced(found, material)
        case "timeline":
            when = dated(found, material)
            return when.finding if when else None
        case _:
            return found


def _findings(material: Material, learned: Learned | None) -> dict[SignalName, Finding]:
    found = ruled(material)
    if learned:
        reading = Reading(material, learned, dict(found))
        for name in SPANS:
            found[name] = normalized(name, stated(name, reading), material)
    when = dated(found["timeline"], material)
    found["contact_name"] = found["contact_name"] or sender_name(material)
    found["decision_maker"] = find_decision(material, found["role"])
    found["readiness"] = find_readiness(material, when)
    if learned:
        for choice in ("decision_maker", "readiness"):
            found[choice] = chosen(choice, found[choice], learned)
    return {name: finding for name in SIGNALS if (finding := found.get(name)) is not None}
