"""Lists of senders: what an entry names, and whom it matches."""

from __future__ import annotations

import pytest

from triage.errors import Configuration
from triage.rules.senders import Senders
from triage.types import Party

LIST = Senders.of(
    [
        "Ann@Acme.example",
        "rankers.example",
        "@münchen.example",
        "(614) 555-0142",
        "+44 20 7946 0018",
    ],
    "US",
    "rules.block",
)


@pytest.mark.parametrize(
    ("party", "entry"),
    [
        (Party(email="ann@acme.EXAMPLE"), "Ann@Acme.example"),
        (Party(email="bob@acme.example"), ""),
        (Party(email="x@rankers.example"), "rankers.example"),
        (Party(email="x@mail.eu.rankers.example"), "rankers.example"),
        (Party(email="x@notrankers.example"), ""),
        (Party(email="x@rankers.example.org"), ""),
        (Party(email="x@münchen.example"), "@münchen.example"),
        (Party(email="x@xn--mnchen-3ya.example"), "@münchen.example"),
        (Party(phone="+1 614-555-0142"), "(614) 555-0142"),
        (Party(phone="16145550142"), "(614) 555-0142"),
        (Party(phone="614.555.0143"), ""),
        (Party(phone="011 44 20 7946 0018"), "+44 20 7946 0018"),
        (Party(phone="anonymous"), ""),
        (Party(name="rankers.example"), ""),
        (Party(), ""),
    ],
)
def test_matches(party: Party, entry: str) -> None:
    assert LIST.match(party) == entry


@pytest.mark.parametrize(
    "entry", ["", "acme", "12", "ann@", "@", "not a phone +1 614 555 0142", "1.2.3.4"]
)
def test_an_entry_that_is_nothing_is_refused(entry: str) -> None:
    with pytest.raises(Configuration, match=r"rules\.allow"):
        Senders.of([entry], "US", "rules.allow")


def test_a_public_provider_cannot_be_listed_as_a_whole() -> None:
    with pytest.raises(Configuration, match="public mail provider"):
        Senders.of(["gmail.com"], "US", "rules.block", {"gmail.com"})
    assert Senders.of(["ann@gmail.com"], "US", "rules.block", {"gmail.com"}).match(
        Party(email="ann@gmail.com")
    )
