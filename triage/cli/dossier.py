"""Everything known about one inquiry, as text for a terminal."""

from __future__ import annotations

from typing import Any

from triage.cli import output
from triage.store.dossier import Caller, Dossier
from triage.types import Call, Delivery, Inquiry, Qualification, Stage, Voicemail


def show(dossier: Dossier) -> None:
    """Print it, the verdict first, the text last."""
    work = dossier.work
    output.say(f"{work.id}  {work.channel} from {work.ref.source} ({work.ref.key})", "bold")
    if work.error:
        style = "red" if work.stage is Stage.QUARANTINED else "yellow"
        output.say(f"{work.stage}: {work.error}", style)
    _show_verdict(dossier)
    _show_qualification(dossier.qualification)
    for delivery in dossier.deliveries:
        tries = f"{delivery.attempts} tries" if delivery.attempts != 1 else "1 try"
        output.say(
            f"delivery    {delivery.event} {delivery.id} to {delivery.destination}: "
            f"{delivery.state} after {tries}{_speed(delivery)} {delivery.last_error}".rstrip()
        )
    if known := dossier.acknowledgement:
        output.say(f"looked after by {known.by}, since {known.at.astimezone():%Y-%m-%d %H:%M:%S}")
    _show_person(dossier.person)
    if dossier.times:
        steps = dossier.times.since_arrival().items()
        told = ", ".join(f"{name} after {output.duration(seconds)}" for name, seconds in steps)
        output.say(f"arrived     {dossier.times.arrived.astimezone():%Y-%m-%d %H:%M:%S}; {told}")
    together = "other leg  " if work.channel == "call" else "conversation"
    for member in dossier.conversation:
        if member.inquiry_id != work.id:
            output.say(
                f"{together} {member.inquiry_id} of {member.received_at.astimezone():%Y-%m-%d}, "
                f"from {member.sender}: {member.label or 'not read yet'}"
            )
    _show_text(dossier)
    output.say("history", "bold")
    for entry in dossier.history:
        detail = ", ".join(
            f"{name} {_brief(value)}" for name, value in entry.detail.items() if value
        )
        output.say(f"  {entry.at:%H:%M:%S.%f}"[:-3] + f"  {entry.event:<12} {detail}")


def _speed(delivery: Delivery) -> str:
    """How long the lead took from its arrival to the team."""
    if delivery.arrival_s is None:
        return ""
    return f", {output.duration(delivery.arrival_s)} after arrival"


def _show_verdict(dossier: Dossier) -> None:
    if dossier.verdict:
        ranked = sorted(dossier.verdict.scores.items(), key=lambda pair: -pair[1])[:3]
        chances = ", ".join(f"{label} {score:.0%}" for label, score in ranked)
        own = f"{dossier.verdict.own} = " if dossier.verdict.own else ""
        label = f"{own}{dossier.verdict.label}"
        output.say(f"label       {label}   ({chances}; {dossier.verdict.model})")
        if dossier.verdict.recalled:
            output.say(f"like        {', '.join(dossier.verdict.recalled)}, which people labelled")
    if dossier.decision:
        outcome = dossier.decision.outcome
        output.say(f"outcome     {outcome}: {dossier.decision.reason}", output.COLOURS[outcome])


def _show_qualification(qualification: Qualification | None) -> None:
    if qualification is None:
        return
    output.say(f"score       {qualification.score}, grade {qualification.grade}")
    for part in qualification.parts:
        output.say(f"  {part.points:+4d}  {part.reason}")
    for name, signal in qualification.signals.items():
        machine = f" = {signal.normalized}" if signal.normalized not in {"", signal.value} else ""
        quotes = "; ".join(
            f"“{e.quote}”" + (f" at {e.at_s:.0f} s" if e.at_s is not None else "")
            for e in signal.evidence
        )
        output.say(f"{name:<18}{signal.value}{machine}   {quotes}")


def _show_person(person: Caller | None) -> None:
    if person is None:
        return
    named = ", ".join(part for part in (person.name, person.company) if part)
    output.say(f"person      {named} ({person.id})" if named else f"person      {person.id}")
    for row in person.others:
        became = f"{row.label or row.stage}, {row.outcome or row.stage}"
        said = f"{row.channel} {row.received_at.astimezone():%Y-%m-%d %H:%M}: {became}"
        output.say(f"  also      {row.id}  {said}  {row.subject}".rstrip())


def _show_text(dossier: Dossier) -> None:
    inquiry = dossier.inquiry
    if inquiry is None:
        return
    output.say(f"from        {inquiry.sender}")
    output.say(f"to          {', '.join(str(party) for party in inquiry.recipients[:5])}")
    if inquiry.subject:
        output.say(f"subject     {inquiry.subject}")
    if inquiry.call:
        _show_call(inquiry.call)
    if inquiry.voicemail:
        _show_voicemail(inquiry.voicemail, inquiry.metadata.get("subject", ""))
    _show_mail(inquiry)
    heard = dossier.transcript
    if heard and heard.partial and heard.read_s is not None:
        output.say(f"read        {heard.read_s:.0f} s of {heard.duration_s:.0f}")
    text = dossier.transcript.text if dossier.transcript else inquiry.body
    for line in text.splitlines():
        output.say(f"  | {line}")


def _show_call(call: Call) -> None:
    """What is known of a call beside its sound, and who told it."""
    facts = {
        "began": f"{call.started_at.astimezone():%Y-%m-%d %H:%M:%S}" if call.started_at else "",
        "agent": call.agent,
        "consent": {True: "yes", False: "no", None: ""}[call.consent],
        "id": call.id,
        "told by": ", ".join(call.sources),
    }
    said = [f"{name} {value}" for name, value in facts.items() if value]
    if said:
        output.say(f"call        {call.direction or 'of unknown direction'}, {', '.join(said)}")


def _show_voicemail(voicemail: Voicemail, subject: str) -> None:
    """How a voicemail came, and what the telephone system itself made of it."""
    box = f", mailbox {voicemail.mailbox}" if voicemail.mailbox else ""
    by = f" from {voicemail.mailed_by}" if voicemail.mailed_by else ""
    output.say(f"voicemail   by mail{by} ({voicemail.system}{box}): {subject}")
    if voicemail.link:
        output.say(f"its link    {voicemail.link}")
    if voicemail.heard:
        output.say(f"it heard    {' '.join(voicemail.heard.split())}")


def _show_mail(inquiry: Inquiry) -> None:
    """What is known of a mail beside its text."""
    if inquiry.form:
        system = f" of {inquiry.form.system}" if inquiry.form.system else ""
        output.say(f"form{system}, filled in by {inquiry.form.sender}")
    for what, found in (("came by", inquiry.attribution), ("marks", inquiry.marks)):
        if found:
            said = ", ".join(f"{name}={value}" for name, value in found.items())
            output.say(f"{what:<12}{said}")
    for attachment in inquiry.attachments:
        how = "heard" if attachment.transcript else "read"
        read = f", {len(attachment.text):,} characters {how}" if attachment.text else ""
        note = f" ({attachment.note})" if attachment.note else ""
        output.say(f"attached    {attachment.name}, {attachment.size:,} bytes{read}{note}")


def _brief(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
