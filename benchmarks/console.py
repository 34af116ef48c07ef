"""How long the console waits for the store, with many inquiries in it.

    python benchmarks/console.py [--inquiries N] [--database sqlite|postgresql] [--rounds R]

Default: 100,000 on SQLite. The texts are made of the corpus's; a fiftieth is made by the worker's
own code, the rest are copies of it in other hours, so words and senders are as frequent as in real
mail. Without HTTP and HTML. `cpu` is this process's own time (with SQLite all of it), which other
programs on the machine lengthen little. `list` and `search` take random filters and words, first
pages and later ones; `queue` is the next item with its text; `relabel` a reviewer's word, with the
events it causes.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, insert, text

from classifiers.labels import LABELS
from tests.support.postgres import Postgres
from triage.pipeline.corrections import Corrections
from triage.pipeline.reviewing import Reviewing
from triage.review.queue import Queue
from triage.settings import Destination, Settings, Store
from triage.store import records, search, tables
from triage.store.listing import Place, Wanted
from triage.store.repository import Repository
from triage.types import Inquiry, Party, SourceRef, Stage, Verdict

_COPIES = 50
_HOUR = 3_600_000_000  # microseconds, as `searchable.id` counts
_NEWEST = datetime(2026, 6, 1, tzinfo=UTC)
_CORPUS = Path(__file__).parents[1] / "fixtures" / "corpus"
_OUTCOMES = ("forward", "review", "nurture", "file", "file", "file", "file", "file", "file", "file")
_CAMPAIGNS = ("", "", "spring", "autumn", "adwords-42")


def texts(chance: random.Random) -> list[tuple[str, str, str]]:
    """(sender, subject, text) of the corpus, in some order."""
    found = []
    for path in sorted(_CORPUS.glob("train-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            item = json.loads(line)
            body = item.get("body") or item.get("text") or ""
            found.append((item.get("from") or "", item.get("subject") or "", body))
    chance.shuffle(found)
    return found


def made(number: int, chance: random.Random, corpus: list[tuple[str, str, str]]) -> Inquiry:
    sender, subject, body = corpus[number % len(corpus)]
    other = chance.choice(corpus)[2].split(". ")
    name = f"person{number % 4000}"
    return Inquiry(
        id=f"inq_{number:016d}0000",
        ref=SourceRef(f"inbox-{number % 5}", "imap", f"INBOX/1/{number}"),
        channel="call" if number % 4 == 0 else "email",
        received_at=_NEWEST - timedelta(seconds=number * 3600 / 20_000),
        sender=Party(sender[:60], f"{name}@firm{number % 900}.example"),
        subject=subject,
        text=f"{body}\n\n{'. '.join(other[:3])}",
        campaign=_CAMPAIGNS[number % len(_CAMPAIGNS)],
    )


def rows(inquiry: Inquiry, number: int, chance: random.Random) -> dict[str, dict[str, object]]:
    """A settled inquiry, as the worker leaves it."""
    label = LABELS[number % len(LABELS)]
    share = chance.uniform(0.3, 0.99)
    rest = (1 - share) / (len(LABELS) - 1)
    scores = {name: share if name == label else rest for name in LABELS}
    verdict = Verdict(label, scores, share - rest, abstained=False, model="bench@1")
    outcome = "review" if share < 0.36 else _OUTCOMES[number % len(_OUTCOMES)]
    outcome = "file" if outcome == "review" and share >= 0.36 else outcome
    moment = inquiry.received_at
    return {
        "inquiries": {
            "id": inquiry.id, "identity": f"mail:{number}", "channel": inquiry.channel,
            "source": inquiry.ref.source, "kind": "imap", "key": inquiry.ref.key, "revision": "",
            "sha256": f"{number:064d}", "size": 4000, "media_type": "message/rfc822",
            "sidecar": "", "received_at": moment, "created_at": moment, "stage": Stage.SETTLED,
            "attempts": 0, "due_at": moment, "backlog": False, "error": "", "held": "",
            "sender": str(inquiry.sender), "subject": inquiry.subject,
            "campaign": inquiry.campaign, "label": label, "confidence": share,
            "outcome": outcome, "settled_at": moment,
        },
        "contents": {"inquiry_id": inquiry.id, "data": records.dump(inquiry), "created_at": moment},
        "verdicts": {
            "id": number + 1, "inquiry_id": inquiry.id, "label": label, "margin": verdict.margin,
            "abstained": False, "model": verdict.model, "data": records.dump(verdict),
            "created_at": moment,
        },
        "decisions": {
            "id": number + 1, "inquiry_id": inquiry.id, "verdict_id": number + 1,
            "outcome": outcome, "reason": "as the benchmark says", "created_at": moment,
        },
    }  # fmt: skip


def fill(repository: Repository, count: int) -> None:
    """`count` inquiries: a fiftieth of them made, the rest copied."""
    chance = random.Random(7)
    corpus = texts(chance)
    base = max(count // _COPIES, 1)
    for start in range(0, base, 1000):
        numbers = range(start, min(start + 1000, base))
        inquiries = [made(number, chance, corpus) for number in numbers]
        stored = [rows(one, number, chance) for one, number in zip(inquiries, numbers, strict=True)]
        with repository.database.write() as connection:
            for name in ("inquiries", "contents", "verdicts", "decisions"):
                connection.execute(insert(tables.metadata.tables[name]), [r[name] for r in stored])
            search.put(connection, [search.entry(inquiry) for inquiry in inquiries])
    with repository.database.write() as connection:
        copy(connection, base, sqlite=repository.database.is_sqlite)
    with repository.database.engine.connect() as plain:
        plain.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def copy(connection: Connection, base: int, *, sqlite: bool) -> None:
    """Everything again, hour by hour into the past."""
    if not sqlite:
        connection.execute(text("DROP INDEX searchable_words"))
    for number in range(1, _COPIES):
        bound = {"n": number * base, "shift": number * _HOUR, "hours": number}
        for name in ("inquiries", "contents", "verdicts", "decisions"):
            run(connection, name, values_of(name, f"{number:04d}", sqlite=sqlite), bound)
        values = {one: one for one in (*tables.SKETCHES, *(() if sqlite else ("words",)))}
        values |= {"id": "id - :shift", "inquiry_id": _NEW.format("inquiry_id", f"{number:04d}")}
        run(connection, "searchable", values, bound)
        if sqlite:
            connection.execute(_WORDS_AGAIN, {"shift": bound["shift"]})
    if sqlite:
        return
    connection.execute(_WORDS_INDEX)
    for name in ("verdicts", "decisions"):
        connection.execute(text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))"))


_NEW = "substr({0}, 1, 20) || '{1}'"
_WORDS_AGAIN = text(
    "INSERT INTO inquiry_words (rowid, sender, subject, text) "
    "SELECT w.rowid - :shift, w.sender, w.subject, w.text FROM inquiry_words w "
    "JOIN searchable s ON s.id = w.rowid WHERE s.inquiry_id LIKE 'inq_%0000'"
)
_WORDS_INDEX = text(
    "CREATE INDEX searchable_words ON searchable USING gin (words) WITH (fastupdate = off)"
)
_PAST = {
    True: "strftime('%Y-%m-%d %H:%M:%f000', {0}, '-' || :hours || ' hours')",
    False: "{0} - make_interval(hours => :hours)",
}


def values_of(name: str, tail: str, *, sqlite: bool) -> dict[str, str]:
    """Column to expression, of a copy."""
    values = {}
    for column in tables.metadata.tables[name].c:
        values[column.name] = f'"{column.name}"'
        if column.name.endswith("_at"):
            values[column.name] = _PAST[sqlite].format(column.name)
    key = "id" if name == "inquiries" else "inquiry_id"
    values[key] = _NEW.format(key, tail)
    if name == "inquiries":
        values["identity"] = f"identity || '/{tail}'"
    else:
        values |= {one: f"{one} + :n" for one in ("id", "verdict_id") if one in values}
    return values


def run(connection: Connection, name: str, values: dict[str, str], bound: dict[str, int]) -> None:
    key = "id" if name == "inquiries" else "inquiry_id"
    columns = ", ".join(f'"{one}"' for one in values)
    statement = (
        f"INSERT INTO {name} ({columns}) SELECT {', '.join(values.values())} FROM {name} "
        f"WHERE {key} LIKE 'inq_%0000'"
    )
    used = {one: value for one, value in bound.items() if f":{one}" in statement}
    connection.execute(text(statement), used)


WORDS = (
    "quote", "please", "the", "budget", "heating repair", '"call me back"', "invoice -unsubscribe",
    "from:firm17.example", "from:person33@firm33.example", "rooftop units", "seo ranking",
    "website", "zzyzx", "warehouse lease", "application resume", "thank you", "refund order",
)  # fmt: skip


def steps(desk: Reviewing, chance: random.Random) -> dict[str, Callable[[], object]]:
    repository = desk.queue.repository
    ids = [row.id for row in repository.listing.inquiries(Wanted(), limit=500).rows]
    cursors: list[Place | None] = [None]

    def listed() -> object:
        filters = dataclasses.replace(
            Wanted(),
            **{
                name: value
                for name, value in (
                    ("label", chance.choice(LABELS)), ("outcome", chance.choice(_OUTCOMES)),
                    ("channel", chance.choice(("email", "call"))), ("source", "inbox-3"),
                    ("campaign", "autumn"),
                )
                if chance.random() < 0.3
            },
        )  # fmt: skip
        page = repository.listing.inquiries(filters, after=chance.choice(cursors))
        if page.next and len(cursors) < 50:
            cursors.append(page.next)
        return page

    def searched() -> object:
        filters = Wanted(words=chance.choice(WORDS))
        if chance.random() < 0.3:
            filters = dataclasses.replace(filters, label=chance.choice(LABELS))
        page = repository.listing.inquiries(filters)
        if page.next and chance.random() < 0.3:
            repository.listing.inquiries(filters, after=page.next)
        return page

    def shown() -> object:
        name = chance.choice(ids)
        archive = repository.archive
        return (
            archive.content(name), archive.transcript(name), archive.verdict(name),
            archive.qualification(name), archive.decision(name), archive.history(name),
            repository.corrections.of(name), repository.outbox.listed(inquiry_id=name),
        )  # fmt: skip

    def queued() -> object:
        name = desk.queue.next("Ann")
        return repository.archive.content(name or ""), desk.queue.waiting("Ann")

    def relabelled() -> object:
        held = [item for item, _, by in repository.waiting.queued(50) if by == "Ann"]
        assert held, "nothing waits any more; give more inquiries or fewer rounds"
        return desk.label(held[0].inquiry_id, chance.choice(("spam", "support", "lead")), "Ann")

    def undone() -> object:
        return desk.undo("Ann")

    return {
        "list": listed, "search": searched, "one inquiry": shown, "queue": queued,
        "relabel": relabelled, "undo": undone,
    }  # fmt: skip


def measure(desk: Reviewing, rounds: int) -> None:
    chance = random.Random(11)
    begin = time.perf_counter()
    desk.queue.refresh()
    print(f"first look for what waits: {time.perf_counter() - begin:.1f} s, "
          f"{desk.queue.waiting('Ann'):,} wait")  # fmt: skip
    print(f"{'step':<12} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'cpu p50':>8} {'cpu p95':>8}")
    for name, step in steps(desk, chance).items():
        step()  # pages of the database in memory, statements compiled
        spent, worked = [], []
        for _ in range(rounds if name != "undo" else rounds // 2):
            if name == "relabel":
                desk.queue.next("Ann")
            begin, busy = time.perf_counter(), time.process_time()
            step()
            spent.append((time.perf_counter() - begin) * 1e3)
            worked.append((time.process_time() - busy) * 1e3)
        spent.sort()
        worked.sort()
        at = int(len(spent) * 0.95)
        print(
            f"{name:<12} {statistics.median(spent):>8.1f} {spent[at]:>8.1f} {spent[-1]:>8.1f} "
            f"{statistics.median(worked):>8.1f} {worked[at]:>8.1f}"
        )


@contextlib.contextmanager
def opened(kind: str) -> Iterator[Repository]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="triage-bench-"))
        url = ""
        if kind == "postgresql":
            server = Postgres()
            stack.callback(server.close)
            server.start()
            url = server.create()
        repository = Repository(Store(data_dir=Path(folder), database_url=url))
        stack.callback(repository.close)
        repository.database.upgrade()
        yield repository


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inquiries", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    settings = Settings(destinations=(Destination(name="crm", url="http://127.0.0.1:1/"),))
    with opened(options.database) as repository:
        begin = time.perf_counter()
        fill(repository, options.inquiries)
        with repository.database.read() as connection:
            count = connection.execute(text("SELECT count(*) FROM inquiries")).scalar()
        print(f"{options.database}, {count:,} inquiries, filled in "
              f"{time.perf_counter() - begin:.0f} s")  # fmt: skip
        desk = Reviewing(Queue(settings.review, repository), Corrections(settings, repository))
        measure(desk, options.rounds)


if __name__ == "__main__":
    main()
