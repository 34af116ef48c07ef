"""What is known of a sender: the rules of the settings, and who sent leads before."""

from __future__ import annotations

from triage.rules.rulebook import UNRULED, Rulebook, Ruling
from triage.store.repository import Repository
from triage.types import Inquiry


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
