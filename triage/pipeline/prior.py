"""What is known beside an inquiry: of its sender, by rules and earlier leads, and what was said in
a call before it was passed on.
"""

from __future__ import annotations

from triage.rules.rulebook import UNRULED, Rulebook, Ruling
from triage.store.repository import Repository
from triage.types import Inquiry, Transcript

_LEGS = 20  # legs of a call that are read together


def ruling(inquiry: Inquiry, rulebook: Rulebook, repository: Repository) -> Ruling:
    """The rule that holds; where none of the settings does, whether the author sent a lead before.

    An address can be forged, so that they did decides nothing: it only keeps what they write from
    being filed unseen.
    """
    found = rulebook.rule(inquiry)
    author = inquiry.author
    if found != UNRULED or not (author.email or author.phone):
        return found
    lead = repository.people.lead_of(author.email.lower(), author.phone, other_than=inquiry.id)
    if lead is None:
        return UNRULED
    when = f"{lead.received_at.astimezone():%Y-%m-%d}"
    return Ruling("prior-contact", f"wrote before (the lead {lead.inquiry_id} of {when})")


def earlier_legs(inquiry: Inquiry, repository: Repository) -> list[Transcript]:
    """What was said in a call before it was passed on, as far as it was transcribed."""
    if inquiry.call is None or not inquiry.call.group:
        return []
    legs = [leg.inquiry_id for leg in repository.threads.of(inquiry.id)]
    earlier = legs[: legs.index(inquiry.id)][-_LEGS:] if inquiry.id in legs else []
    found = map(repository.archive.transcript, earlier)
    return [transcript for transcript in found if transcript]
