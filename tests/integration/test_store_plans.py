"""Nothing that the console asks for reads a whole table, or sorts one, on either database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.support.filling import fill
from tests.support.postgres import Postgres
from tests.support.year import CALLS, NEWEST, REVIEWER, Year, person
from triage.review.alike import near, of_sender
from triage.review.queue import Queue
from triage.settings import Review, Store
from triage.store.accounts import Reach
from triage.store.dossier import collect
from triage.store.handovers import Ledger
from triage.store.listing import Place, Wanted
from triage.store.people import Person
from triage.store.repository import Repository
from triage.types import DeliveryState, Outcome, Stage

_COUNT = 2000
_LARGE = (
    "inquiries|contents|transcripts|searchable|inquiry_words|verdicts|qualifications|decisions|"
    "deliveries|attempts|messages|message_ids|history|corrections|reviews|review_items|appearances|"
    "contacts|handovers|sightings|audit"
)
# What SQLite says of a table that is read from one end to the other without an index; a search of
# `inquiry_words` is a `SCAN` of a virtual table.
_SQLITE: tuple[re.Pattern[str], ...] = (
    re.compile(rf"^SCAN (?:{_LARGE})(?! USING| VIRTUAL)"),
    re.compile(r"^USE TEMP B-TREE FOR (?:ORDER BY|GROUP BY|DISTINCT)"),
)
_POSTGRESQL: tuple[re.Pattern[str], ...] = (
    re.compile(rf"^Seq Scan on (?:{_LARGE})\b"),
    re.compile(r"^Sort$"),
)
_FEW = re.compile(
    r"LIMIT [^)]*\) AS (?:found|some)\b|\.(?:inquiry|person)_id (?:= (?:\?|%\()|IN \()|"
    r"\+ interval '0'"
)
_SORTED = re.compile(r"^(?:Sort$|USE TEMP B-TREE)")
# As with a million rows: what an index can do is done by it. Without indexes in order plans sort.
_AS_IF_LARGE = ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_hashjoin")

Ask = Callable[[Repository, str], object]
"""What is asked of a store; the second is an inquiry of it."""


def _list(**wanted: Any) -> Ask:
    return lambda repository, _: repository.listing.inquiries(Wanted(**wanted))


def _owners(company: str) -> Ask:
    def ask(repository: Repository, name: str) -> object:
        with repository.database.read() as connection:
            ledger = Ledger(repository.database, connection, name)
            return ledger.owners(Person("nobody", "Ann", company, known=True))

    return ask


ASKED: dict[str, Ask] = {
    "list": _list(),
    "label": _list(label="support"),
    "outcome": _list(outcome=Outcome.FILE),
    "channel": _list(channel="call"),
    "source": _list(source=CALLS),
    "campaign": _list(campaign="spring"),
    "stage": _list(stage=Stage.QUARANTINED),
    "settled": _list(stage=Stage.SETTLED),
    "days": _list(since=NEWEST.replace(month=1), until=NEWEST.replace(month=2)),
    "two filters": _list(label="lead", source="sales"),
    "three filters": _list(label="lead", source="sales", outcome=Outcome.REVIEW),
    "later": lambda repository, name: repository.listing.inquiries(
        Wanted(label="spam"), after=Place(NEWEST.replace(month=2), name)
    ),
    "one mailbox": lambda repository, _: repository.listing.inquiries(
        Wanted(), Reach(("jobs", "sales"))
    ),
    "search": _list(words="please"),
    "search, filtered": _list(words="please", label="lead"),
    "deliveries": lambda repository, _: repository.listing.deliveries(),
    "dead letters": lambda repository, _: repository.listing.deliveries(state=DeliveryState.DEAD),
    "of a destination": lambda repository, _: repository.listing.deliveries(destination="desk"),
    "within reach": lambda repository, _: repository.listing.deliveries(Reach(("jobs",))),
    "an inquiry": collect,
    "whose person": _owners(""),
    "whose company": _owners("Acme"),
    "corrections": lambda repository, name: repository.corrections.of(name),
    "changes": lambda repository, _: repository.listing.changes(),
    "audit": lambda repository, _: repository.audit.listed(before=40),
    "look through": lambda repository, _: repository.settlements.settled(NEWEST, 50),
    "next to review": lambda repository, _: Queue(Review(), repository).next("Ann"),
    "next of a mailbox": lambda repository, _: Queue(Review(), repository).next(
        "Bob", reach=Reach(("jobs",))
    ),
    "last": lambda repository, _: repository.reviews.last(REVIEWER),
    "neighbours": lambda repository, name: repository.settlements.neighbours(name),
    "near-duplicates": near,
    "of a sender": lambda repository, _: of_sender(repository, person(0).email, "US"),
    "an id's beginning": lambda repository, name: repository.archive.find(name[:12]),
}


@pytest.fixture(scope="module", params=["sqlite", "bare sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    """A year of few inquiries. `bare`: nobody ever gathered statistics."""
    url, folder = "", tmp_path_factory.mktemp("year")
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create()
    repository = Repository(Store(data_dir=folder, database_url=url))
    repository.database.upgrade()
    fill(repository, Year(_COUNT))
    if request.param == "bare sqlite":
        with repository.database.write() as connection:
            connection.execute(text("DELETE FROM sqlite_stat1"))
        repository.database.close()
    yield repository
    repository.close()


@pytest.mark.server("postgresql")
@pytest.mark.parametrize("asked", ASKED)
def test_no_table_is_read_or_sorted_whole(filled: Repository, asked: str) -> None:
    (page,) = [filled.listing.inquiries(Wanted(label="lead"), limit=1)]
    statements = _statements(filled, lambda: ASKED[asked](filled, page.rows[0].id))
    assert statements
    for statement, values in statements:
        for step in _plan(filled, statement, values):
            assert not _reads_all(filled, step, statement), f"{step}\n{statement}"


@pytest.mark.server("postgresql")
def test_a_table_read_whole_is_noticed(filled: Repository) -> None:
    for statement in (
        "SELECT id FROM inquiries WHERE subject = 'x'",
        "SELECT id FROM inquiries WHERE label = 'lead' ORDER BY subject LIMIT 5",
    ):
        steps = _plan(filled, statement, None)
        assert any(_reads_all(filled, step, statement) for step in steps), steps


def _reads_all(repository: Repository, step: str, statement: str) -> bool:
    """Whether a step of a plan does. What a limited part of a statement found may be sorted, what
    belongs to one inquiry, and what several filters leave.
    """
    if _FEW.search(statement) and _SORTED.search(step):
        return False
    forbidden = _SQLITE if repository.database.is_sqlite else _POSTGRESQL
    return any(found.search(step) for found in forbidden)


def _statements(repository: Repository, act: Callable[[], object]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, values: Any, _x: Any, _m: bool) -> None:
        if statement.lstrip().startswith("SELECT"):
            found.append((statement, values))

    engine = repository.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found


def _plan(repository: Repository, statement: str, values: Any) -> list[str]:
    """What the database would do, a line a step."""
    sqlite = repository.database.is_sqlite
    with repository.database.engine.connect() as connection:
        if not sqlite:
            for name in _AS_IF_LARGE:
                connection.exec_driver_sql(f"SET LOCAL {name} = off")
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN (COSTS OFF)"
        rows = connection.exec_driver_sql(f"{explain} {statement}", values).all()
        connection.rollback()
    return [re.sub(r"^[\s\->]+", "", row[-1]) for row in rows]
