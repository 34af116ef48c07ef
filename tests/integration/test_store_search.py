"""Pages of the list, and what is found in them, on each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, text

from tests.support import stored
from triage.store import tables
from triage.store.accounts import ALL, Reach
from triage.store.listing import Place, Wanted
from triage.store.repository import Repository
from triage.types import Channel, Party, Segment, Stage, Transcript


def put(
    repository: Repository,
    name: str,
    body: str = "",
    subject: str = "",
    sender: Party = Party("Ann Example", "ann@example.org"),  # noqa: B008 - frozen
    minutes: float = 0,
    channel: Channel = "email",
    campaign: str = "",
) -> str:
    at = stored.ARRIVED + timedelta(minutes=minutes)
    (found,) = repository.arrivals.receive([stored.arrival(name, channel=channel, received_at=at)])
    work = stored.current(repository, found)
    inquiry = replace(
        stored.inquiry(work), text=body, subject=subject, sender=sender, campaign=campaign
    )
    assert repository.worklist.parsed(work, inquiry)
    return found


def found(repository: Repository, words: str) -> list[str]:
    return [
        row.key.rpartition("/")[2] for row in repository.listing.inquiries(Wanted(words=words)).rows
    ]


QUERIES = [
    ("quote", ["a"]),
    ("QUOTE", ["a"]),
    ("quote seats", ["a"]),
    ("seats", ["b", "a"]),
    ('"forty seats"', ["a"]),
    ('"seats forty"', []),
    ("seats -quote", ["b"]),
    ("-quote", ["d", "c", "b"]),
    ("-seats -cafe", ["d"]),
    ("quot*", ["a"]),
    ("quot", []),
    ("from:bob", ["b"]),
    ("from:bob@b.example", ["b"]),
    ('from:"Bob Builder"', ["b"]),
    ("from:seats", []),
    ("seats from:ann", ["a"]),
    ("-from:ann seats", ["b"]),
    ("café", ["c"]),
    ("cafe", ["c"]),
    ("CAFÉ", ["c"]),
    ("報價", ["c"]),
    ("614-555-0142", ["d"]),
    ("(614) 555 0142", ["d"]),
    ("+16145550142", ["d"]),
    ("6145550142", ["d"]),
    ("from:+1-614-555-0142", ["d"]),
    ("caller", ["d"]),
]


@pytest.fixture
def filled(any_repository: Repository) -> Repository:
    put(any_repository, "a", "Please quote forty seats", "Offer", minutes=1)
    bob = Party("Bob Builder", "bob@b.example")
    put(any_repository, "b", "The seats arrived broken", sender=bob, minutes=2)
    put(any_repository, "c", "Un café, s'il vous plaît. 請報價。", minutes=3)
    call = put(any_repository, "d", sender=Party(phone="+16145550142"), minutes=4, channel="call")
    said = Transcript((Segment(0, 1, "caller", "Hello there", 0.9),), "en", "t", "base", 1.0)
    assert any_repository.worklist.transcribed(stored.current(any_repository, call), said)
    return any_repository


def test_what_people_type_finds_what_they_mean(filled: Repository) -> None:
    assert {words: found(filled, words) for words, _ in QUERIES} == dict(QUERIES)


ODD = [
    "", " ", '"', '""', "-", "--", "*", "from:", 'from:"', "-from:", "AND", "OR NOT", "NEAR(",
    "a AND", "{sender} : x", "sender:x", "x'; DROP TABLE inquiries; --", "'", "\\", "\\'",
    "&|!", "<->", ":*", "x:*A", "\x00", "a\x00b", "%", "\ud800", "😀", "(((((", ")", "^x",
    "x" * 5000, " ".join(f"w{n}" for n in range(500)), '"' + "w " * 400, "-\u0301", "\u017f", "İ",
]  # fmt: skip


def test_nothing_that_is_typed_is_an_error(any_repository: Repository) -> None:
    put(any_repository, "a", "Please quote")
    for odd in ODD:
        filters = Wanted(words=odd)
        any_repository.listing.inquiries(filters)
        any_repository.listing.count(filters)
    assert any_repository.archive.listed()


def test_words_that_say_nothing_list_everything(filled: Repository) -> None:
    assert found(filled, ' "" - from: ') == ["d", "c", "b", "a"]


def test_pages_hold_each_inquiry_once_with_and_without_words(any_repository: Repository) -> None:
    names = {put(any_repository, f"m{n}", f"seats {n}", minutes=n // 3) for n in range(25)}
    for filters in (Wanted(), Wanted(words="seats"), Wanted(words="-absent"),
                    Wanted(channel="email", words="seats")):  # fmt: skip
        seen: list[str] = []
        after: Place | None = None
        while True:
            page = any_repository.listing.inquiries(filters, after=after, limit=7)
            seen += [row.id for row in page.rows]
            if page.next is None:
                break
            after = Place.parse(str(page.next))
        assert len(seen) == 25
        assert set(seen) == names
        assert any_repository.listing.count(filters) == 25
        assert any_repository.listing.count(filters, most=10) == 10
    for odd in ("1e9~x", f"5~{'9' * 30}", "5~-5", "0~\u0663"):
        any_repository.listing.inquiries(Wanted(words="seats"), after=Place.parse(odd))


def test_filters_and_scope_hold_with_and_without_words(filled: Repository) -> None:
    put(filled, "e", "seats for spring", campaign="autumn", minutes=9)

    def names(filters: Wanted, reach: Reach = ALL) -> list[str]:
        return [row.key.rpartition("/")[2] for row in filled.listing.inquiries(filters, reach).rows]

    for words in ("", "-nothing"):
        assert names(Wanted(words=words, channel="call")) == ["d"]
        assert names(Wanted(words=words, stage=Stage.TRANSCRIBED)) == ["d"]
        assert names(Wanted(words=words, campaign="autumn")) == ["e"]
        since = stored.ARRIVED + timedelta(minutes=3)
        assert names(Wanted(words=words, since=since)) == ["e", "d", "c"]
        assert names(Wanted(words=words, until=since)) == ["b", "a"]
        assert names(Wanted(words=words, label="lead")) == []
        for reach, seen in (
            (Reach(campaigns=("autumn",)), ["e"]),
            (Reach(sources=("elsewhere",)), []),
            (Reach(("inbox",), ("autumn",)), ["e"]),
            (Reach(("inbox",)), ["e", "d", "c", "b", "a"]),
        ):
            assert names(Wanted(words=words), reach) == seen


def test_what_is_erased_is_not_found(filled: Repository) -> None:
    (row,) = filled.listing.inquiries(Wanted(words="quote")).rows
    with filled.database.write() as connection:
        connection.execute(delete(tables.inquiries).where(tables.inquiries.c.id == row.id))
    assert found(filled, "quote") == []
    if filled.database.is_sqlite:
        with filled.database.read() as connection:
            count = "SELECT count(*) FROM inquiry_words WHERE inquiry_words MATCH 'quote'"
            assert connection.execute(text(count)).scalar() == 0


def test_rows_from_before_are_found_after_the_upgrade(filled: Repository) -> None:
    """As the migration does for what earlier versions stored."""
    import importlib

    before = {words: found(filled, words) for words, _ in QUERIES}
    with filled.database.write() as connection:
        connection.execute(delete(tables.searchable))
    assert found(filled, "seats") == []
    migration = importlib.import_module("triage.store.migrations.versions.0028_search_and_review")
    with filled.database.write() as connection:
        for batch in migration._stored(connection):
            migration.search.put(connection, batch)
    assert {words: found(filled, words) for words, _ in QUERIES} == before
