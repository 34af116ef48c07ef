"""Inquiries relabelled together: of one sender, domain or number, or nearly the same text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from classifiers.dataset import Item, near_duplicates
from classifiers.verdict import Example
from triage.rules.senders import Senders
from triage.store.accounts import ALL, Reach
from triage.store.listing import Place, Wanted
from triage.store.records import Listed
from triage.store.repository import Repository
from triage.types import Party, Stage

MOST: Final = 200
"""Inquiries that one act relabels."""
_LIKENESS: Final = 0.5
_PAGE: Final = MOST + 1
Text = tuple[str, str]
"""Subject and body."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen, newest first, and whether there are more than one act relabels."""

    rows: tuple[Listed, ...]
    more: bool


def of_sender(repository: Repository, entry: str, country: str, reach: Reach = ALL) -> Chosen:
    """What an address, a domain (with its subdomains) or a number sent.

    Raises `Configuration` where `entry` is none of them.
    """
    senders = Senders.of([entry], country, "sender")
    rows: list[Listed] = []
    for row in _settled(repository, Wanted(words=f'from:"{entry}"'), reach):
        if not senders.match(party(row.sender)):
            continue
        if len(rows) == MOST:
            return Chosen(tuple(rows), more=True)
        rows.append(row)
    return Chosen(tuple(rows), more=False)


def near(repository: Repository, inquiry_id: str, reach: Reach = ALL) -> Chosen:
    """An inquiry and those whose words, five in a row, are mostly the same (Jaccard over 0.5)."""
    ids = [inquiry_id, *repository.settlements.alike(inquiry_id, MOST)]
    rows = [row for row in repository.listing.rows(ids, reach) if row.stage is Stage.SETTLED]
    texts = repository.archive.texts(list({inquiry_id, *(row.id for row in rows)}))
    alike = _like(texts.get(inquiry_id, ("", "")), set(texts.values()))
    found = [row for row in rows if texts.get(row.id) in alike or row.id == inquiry_id]
    return Chosen(tuple(found[:MOST]), more=len(found) > MOST)


def _like(own: Text, others: set[Text]) -> set[Text]:
    """Those of the texts that are mostly the same; each is looked at once, however often it is."""
    distinct = list(others)
    items = [_item(str(number), text) for number, text in enumerate(distinct)]
    pairs = near_duplicates([_item("", own)], items, threshold=_LIKENESS)
    return {distinct[int(number)] for _, number, _ in pairs}


def party(sender: str) -> Party:
    """The sender of a list's row, as it was before it was text."""
    name, bracket, address = sender.rpartition(" <")
    address = address.rstrip(">") if bracket else sender
    where = {"email": address} if "@" in address else {"phone": address}
    return Party(name if bracket else "", **where)


def _settled(repository: Repository, wanted: Wanted, reach: Reach) -> Iterator[Listed]:
    after: Place | None = None
    while True:
        page = repository.listing.inquiries(wanted, reach, after=after, limit=_PAGE)
        yield from (row for row in page.rows if row.stage is Stage.SETTLED)
        after = page.next
        if after is None:
            return


def _item(name: str, text: Text) -> Item:
    subject, body = text
    return Item(name, Example("email", body, subject), None, "", None)
