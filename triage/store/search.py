"""Full-text search over inquiries: who wrote, the subject, the text, and what was said in calls.

SQLite has an FTS5 table, PostgreSQL a `tsvector` with a GIN index. Both are written in the
transaction that writes the text. `searchable.id` sorts by arrival, so the newest matches are found
first without sorting all that match.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Subquery, bindparam, column, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from triage.store import records, tables, words
from triage.store.database import Database
from triage.store.words import Query
from triage.types import Inquiry, Transcript

_TEXT_CHARS: Final = 100_000  # of an inquiry's text; whoever searches remembers its beginning
_SKETCHED_CHARS: Final = 10_000
_SECOND: Final = 1_000_000
_TRIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is searched of an inquiry: the words of who wrote it, of its subject and its text."""

    inquiry_id: str
    received_at: datetime
    sender: list[str]
    subject: list[str]
    text: list[str]
    sketch: tuple[int, ...] = ()


def entry(inquiry: Inquiry, transcript: Transcript | None = None) -> Entry:
    """The words of an inquiry. Work that needs no transaction."""
    senders = " ".join(dict.fromkeys((str(inquiry.author), str(inquiry.sender))))
    spoken = transcript.text if transcript else ""
    said = f"{inquiry.body}\n{spoken}"[:_TEXT_CHARS]
    return Entry(
        inquiry.id,
        inquiry.received_at,
        words.split(senders) + words.numbers(senders),
        words.split(inquiry.subject),
        words.split(said) + words.numbers(said),
        words.sketch(words.split(f"{inquiry.subject} {inquiry.text or spoken}"[:_SKETCHED_CHARS])),
    )


def heard(connection: Connection, inquiry_id: str, transcript: Transcript) -> None:
    """Make a call findable by what was said in it."""
    query = select(tables.contents.c.data).where(tables.contents.c.inquiry_id == inquiry_id)
    data = connection.execute(query).scalar()
    if data is not None:
        put(connection, [entry(records.restore(Inquiry, data), transcript)])


def put(connection: Connection, entries: Sequence[Entry]) -> None:
    """Make inquiries findable, or change what they are found by."""
    by_id = {found.inquiry_id: found for found in entries}
    if not by_id:
        return
    places = _places(connection, by_id)
    if connection.dialect.name == "sqlite":
        connection.execute(_FORGET, [{"id": place} for place in places.values()])
        connection.execute(
            _LEARN,
            [
                {
                    "id": places[name],
                    "sender": " ".join(found.sender),
                    "subject": " ".join(found.subject),
                    "text": " ".join(found.text),
                }
                for name, found in by_id.items()
            ],
        )
        return
    connection.execute(
        _VECTOR,
        [
            {
                "id": places[name],
                "words": words.tsvector((found.sender, found.subject, found.text)),
            }
            for name, found in sorted(by_id.items(), key=lambda item: places[item[0]])
        ],
    )


_FORGET = text("DELETE FROM inquiry_words WHERE rowid = :id")
_LEARN = text(
    "INSERT INTO inquiry_words (rowid, sender, subject, text) "
    "VALUES (:id, :sender, :subject, :text)"
)
_VECTOR = text("UPDATE searchable SET words = CAST(:words AS tsvector) WHERE id = :id")

_RESKETCH = (
    update(tables.searchable)
    .where(tables.searchable.c.id == bindparam("place"))
    .values({name: bindparam(name) for name in tables.SKETCHES})
)


def _sketch(found: Entry) -> dict[str, int | None]:
    values = found.sketch or (None,) * len(tables.SKETCHES)
    return dict(zip(tables.SKETCHES, values, strict=True))


def _places(connection: Connection, entries: Mapping[str, Entry]) -> dict[str, int]:
    """Give each a number that nobody has: its second of arrival, and a place in it by its id."""
    found = _known(connection, list(entries))
    if found:
        changed = [{"place": place, **_sketch(entries[name])} for name, place in found.items()]
        connection.execute(_RESKETCH, changed)
    wanted = {
        name: int(item.received_at.timestamp()) * _SECOND + zlib.crc32(name.encode()) % _SECOND
        for name, item in entries.items()
        if name not in found
    }
    add = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for _ in range(_TRIES):
        if not wanted:
            return found
        connection.execute(
            add(tables.searchable).on_conflict_do_nothing(),
            [
                {"id": place, "inquiry_id": name, **_sketch(entries[name])}
                for name, place in wanted.items()
            ],
        )
        found |= _known(connection, list(wanted))
        wanted = {name: place + 1 for name, place in wanted.items() if name not in found}
    raise RuntimeError(f"no place for {len(wanted)} inquiries")  # a second with a million of them


def _known(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    table = tables.searchable
    found: dict[str, int] = {}
    for start in range(0, len(ids), 400):  # SQLite bounds the variables of a statement
        query = select(table.c.inquiry_id, table.c.id).where(
            table.c.inquiry_id.in_(ids[start : start + 400])
        )
        found.update((row.inquiry_id, row.id) for row in connection.execute(query))
    return found


def second(place: int) -> datetime:
    """The second of arrival that a place is in."""
    return datetime.fromtimestamp(place // _SECOND, UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """Where matches are looked for, by which index. `within`: only the newest places, so many."""

    query: Query
    before: int | None
    within: int | None = None


def looks(database: Database, query: Query, before: int | None) -> Iterator[Look]:
    """Ways to find the newest places that match, below `before`: each finds all that the one
    before it finds, and costs more. The last finds all there are, or has a bound.

    PostgreSQL's index of words gives matches in no order, so all that match would be read and
    sorted; by the order of places it reads all that do not match. So what is common is looked for
    among the newest, and what is rare by its words. Which it is, the newest tell: what the database
    expects of phrases is wrong by far.
    """
    if not database.is_sqlite:
        first = Look(query, before, _NEWEST)
        yield first
        if _candidates(database, first) > _NEWEST * _COMMON:
            yield Look(query, before, _NEXT)
            return
    yield Look(query, before)


def matching(database: Database, look: Look, limit: int) -> Subquery:
    """The newest places (`id`) that match; the query must say something."""
    older: dict[str, Any] = {} if look.before is None else {"before": look.before}
    if database.is_sqlite:
        statement, bound = _sqlite(look.query, below="" if look.before is None else "< :before")
        statement = f"{statement} ORDER BY 1 DESC"
    else:
        statement, bound = _postgresql(look)
    return (
        text(f"{statement} LIMIT :most")
        .bindparams(**bound, **older, most=limit)
        .columns(column("id", tables.searchable.c.id.type))
        .subquery("found")
    )


def these(database: Database, places: Sequence[int]) -> Subquery:
    """Some places (`id`), as one bound value: no list of them would fit into a statement."""
    if database.is_sqlite:
        listed = "SELECT value AS id FROM json_each(:places)"
    else:
        listed = "SELECT unnest(CAST(:places AS bigint[])) AS id"
    bound = json.dumps(places) if database.is_sqlite else list(places)
    return (
        text(f"{listed} LIMIT :most")
        .bindparams(places=bound, most=len(places))
        .columns(column("id", tables.searchable.c.id.type))
        .subquery("found")
    )


def floor(database: Database, look: Look) -> int | None:
    """The lowest place that was looked at; None where there are none below it."""
    if look.within is None:
        return None
    table = tables.searchable
    query = select(table.c.id).order_by(table.c.id.desc()).offset(look.within - 1).limit(1)
    if look.before is not None:
        query = query.where(table.c.id < look.before)
    with database.read() as connection:
        found: int | None = connection.execute(query).scalar()
    return found


_COMMON: Final = 0.01  # of the newest; of a million, so many are read one by one within the bounds
_NEWEST: Final = 2000
_NEXT: Final = 20_000


def _candidates(database: Database, look: Look) -> int:
    """How many hold all the words, in whichever order: those that the index of words gives."""
    apart = replace(look, query=words.apart(look.query))
    found = matching(database, apart, _NEWEST)
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(found)).scalar_one()


def _postgresql(look: Look) -> tuple[str, dict[str, Any]]:
    bound: dict[str, Any] = {"wanted": words.tsquery(look.query)}
    matches = "words @@ CAST(:wanted AS tsquery)"
    if look.within is None:
        # `+ 0`, so that it cannot go by the order of places.
        older = "" if look.before is None else " AND id + 0 < :before"
        return f"SELECT id FROM searchable WHERE {matches}{older} ORDER BY id + 0 DESC", bound  # noqa: S608 - no value in it
    older = "" if look.before is None else " WHERE id < :before"
    newest = f"SELECT id, words FROM searchable{older} ORDER BY id DESC LIMIT :within"  # noqa: S608 - no value in it
    statement = f"SELECT id FROM ({newest}) AS newest WHERE {matches} ORDER BY id DESC"  # noqa: S608 - no value in it
    return statement, bound | {"within": look.within}


_ANY_OF: Final = "SELECT rowid FROM inquiry_words WHERE inquiry_words MATCH :unwanted"


def _sqlite(query: Query, below: str) -> tuple[str, dict[str, Any]]:
    wanted, unwanted = words.fts5(query)
    if wanted:
        both = f"({wanted}) NOT ({unwanted})" if unwanted else wanted
        older = f" AND rowid {below}" if below else ""
        return (
            f"SELECT rowid AS id FROM inquiry_words WHERE inquiry_words MATCH :wanted{older}",  # noqa: S608 - no value in it
            {"wanted": both},
        )
    older = f" AND id {below}" if below else ""
    return (
        f"SELECT id FROM searchable WHERE id NOT IN ({_ANY_OF}){older}",  # noqa: S608 - no value
        {"unwanted": unwanted},
    )
