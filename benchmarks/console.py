"""How long each step of the console takes on the server, with many inquiries stored.

    python benchmarks/console.py [--inquiries N] [--database sqlite|postgresql] [--rounds R]
                                 [--only TEXT] [--keep DIR | --use DIR] [--json]

Default: 100,000 on SQLite. A year of mail and calls is written into a store (see
`tests/support/year.py`); `--keep` leaves it in a folder, and `--use` takes it from there. Then
`triage console` serves it, and somebody who is signed in asks for pages as a browser does. `ms`:
from a request's arrival at the server to its answer (`Server-Timing`), with sign-in, queries and
HTML; `cpu`: of the server's process, without PostgreSQL's. The first fifth of a step's requests is
not counted: pages of the database come into memory. A reviewer looks at an inquiry for a
second before saying what it is. PostgreSQL is Debian's, does not wait for the disk, and
has a quarter of the machine's memory, as its documentation advises, into which its tables are read
first: the database of a server that has run for a while.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import httpx2  # noqa: E402 - the repository's own packages come first
from sqlalchemy import func, select, text  # noqa: E402

from classifiers.labels import LABELS  # noqa: E402
from tests.support import year  # noqa: E402
from tests.support.filling import fill  # noqa: E402
from tests.support.postgres import Postgres  # noqa: E402
from triage.cli.output import show_json, show_table  # noqa: E402
from triage.demo.dovecot import free_port  # noqa: E402
from triage.settings import Store  # noqa: E402
from triage.store import tables  # noqa: E402
from triage.store.accounts import ALL, Reach, Role  # noqa: E402
from triage.store.audit import Actor  # noqa: E402
from triage.store.repository import Repository  # noqa: E402
from triage.types import Outcome, Stage  # noqa: E402
from triage.web import passwords  # noqa: E402

LIMITS: Final = {"sqlite": 50.0, "postgresql": 150.0}
"""Milliseconds that a step may take, at the 95th percentile."""
SOURCES: Final = (*year.MAILBOXES, year.CALLS)
FILTERS: Final[dict[str, tuple[str, ...]]] = {
    "label": LABELS,
    "outcome": tuple(Outcome),
    "channel": ("email", "call"),
    "source": SOURCES,
    "campaign": ("spring", "adwords", "autumn", "hotline"),
    "stage": (Stage.SETTLED, Stage.QUARANTINED),
    "since": ("2025-08-01", "2026-05-25"),
    "until": ("2025-09-01", "2026-05-25"),
}
QUERIES: Final[dict[str, tuple[str, ...]]] = {
    "a common word": ("the", "please", "quote", "thank", "budget"),
    "a rare word": ("HPLCX", "barge", "turmeric", "zimbabwe", "tensorvik"),
    "a phrase": ('"thank you"', '"call me back"', '"purchase order"', '"kind regards"'),
    "a phrase of common words": ('"you please we"', '"the of and"', '"budget the your"'),
    "words together": ("heating repair", "budget please the", "refund order", "rooftop quote"),
    "a word's beginning": ("quot*", "refriger*", "b*"),
    "without a word": ("invoice -unsubscribe", "-the", "please -the -you"),
    "a sender": ("from:firm1.example", "from:firm77", 'from:"person nobody"', "from:example"),
    "a number": ('"01632 960 114"', "+15550004711", "555 0142"),
    "a word nobody wrote": ("qqqwwweee", "zzyzxx"),
}
_LOOKING_S: Final = 1.0
"""A reviewer reads before they say anything; meanwhile the signals of the inquiry are read."""
_ITEM: Final = re.compile(r"inq_[0-9a-v]{20}")


@dataclass(frozen=True, slots=True)
class Answer:
    """`ms` by the server's word, `cpu` in milliseconds of its process; its text and its code."""

    ms: float
    cpu: float
    text: str
    code: int


class Visitor:
    """Somebody who is signed in, and a server whose time is measured."""

    def __init__(self, client: httpx2.Client, process: int) -> None:
        self._client = client
        self._clock = (~process << 3) | 2  # CPUCLOCK_SCHED of another process

    def ask(self, method: str, path: str, **values: Any) -> Answer:
        """One request. Fails where the server does."""
        begin = time.clock_gettime(self._clock)
        response = self._client.request(method, path, **values)
        spent = time.clock_gettime(self._clock) - begin
        if response.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text[-500:]}")
        timing = response.headers["server-timing"].partition("dur=")[2]
        return Answer(float(timing), spent * 1e3, response.text, response.status_code)


@dataclass(frozen=True, slots=True)
class Known:
    """What is in the store: ids of mails, calls, leads of busy people and newsletters."""

    mails: list[str]
    calls: list[str]
    leads: list[str]
    newsletters: list[str]
    places: list[str]

    @classmethod
    def of(cls, repository: Repository, chance: Random) -> Known:
        """Some of each, from the whole year."""
        table, spread = tables.inquiries, list[Any]()
        for _ in range(60):
            moment = year.NEWEST - timedelta(days=chance.random() * 364)
            query = select(table).where(table.c.received_at <= moment)
            with repository.database.read() as connection:
                spread += connection.execute(
                    query.order_by(table.c.received_at.desc()).limit(20)
                ).all()
        busy = (
            select(tables.appearances.c.person_id)
            .group_by(tables.appearances.c.person_id)
            .order_by(func.count().desc())
            .limit(20)
        )
        with repository.database.read() as connection:
            people = list(connection.execute(busy).scalars())
            leads = [repository.people.inquiries(person)[0] for person in people]
        letters = [year.person(number).email for number in range(30)]
        return cls(
            [row.id for row in spread if row.channel == "email"],
            [row.id for row in spread if row.channel == "call"],
            leads,
            [row.id for row in spread if row.sender.rpartition("<")[2].rstrip(">") in letters],
            [f"{row.received_at.timestamp():.6f}~{row.id}" for row in spread],
        )


Step = Callable[[], Answer]


def steps(visitor: Visitor, limited: Visitor, known: Known, chance: Random) -> dict[str, Step]:
    """Every step by its name. Each call is one request, of its kind but not the same as before."""

    def get(path: str, *choices: dict[str, str], by: Visitor = visitor) -> Step:
        return lambda: by.ask("GET", path, params=dict(chance.choice(choices or ({},))))

    def filtered(number: int) -> dict[str, str]:
        return {name: chance.choice(FILTERS[name]) for name in chance.sample(list(FILTERS), number)}

    def some(path: str, ids: Sequence[str]) -> Step:
        return lambda: visitor.ask("GET", path.format(chance.choice(ids)))

    def searched(kind: str, number: int = 0, path: str = "/inquiries") -> Step:
        def ask() -> Answer:
            query = {"words": chance.choice(QUERIES[kind])} | filtered(number)
            return visitor.ask("GET", path, params=query)

        return ask

    def sender(newsletter: bool) -> Step:
        def ask() -> Answer:
            person = year.person(chance.randrange(*((0, 30) if newsletter else (40, 5000))))
            return visitor.ask("GET", "/bulk", params={"sender": person.email, "label": "spam"})

        return ask

    by_filter = {
        f"list by {name}": get("/inquiries", *({name: value} for value in values))
        for name, values in FILTERS.items()
    }
    places = [{"after": place} for place in known.places]
    domains = [{"sender": f"firm{n}.example", "label": "spam"} for n in (1, 2, 7, 60, 999)]
    near = [
        {"like": name, "label": "spam"} for name in (*known.newsletters[:20], *known.mails[:20])
    ]
    destinations = [{"destination": name} for name in year.DESTINATIONS]
    states = [{"state": state} for state in ("accepted", "dead", "pending")]
    return {
        "home": get("/"),
        "list": get("/inquiries"),
        **by_filter,
        "list by two filters": lambda: visitor.ask("GET", "/inquiries", params=filtered(2)),
        "list by three filters": lambda: visitor.ask("GET", "/inquiries", params=filtered(3)),
        "list, later pages": get("/inquiries", *places),
        "list, later pages, two filters": lambda: visitor.ask(
            "GET", "/inquiries", params=filtered(2) | chance.choice(places)
        ),
        "list, for one mailbox": get("/inquiries", {}, {"label": "lead"}, *places[:9], by=limited),
        **{f"search {kind}": searched(kind) for kind in QUERIES},
        "search a common word, a filter": searched("a common word", 1),
        "search a common word, two filters": searched("a common word", 2),
        "search a rare word, a filter": searched("a rare word", 1),
        "search a phrase, a filter": searched("a phrase", 1),
        "search, for one mailbox": get(
            "/inquiries", {"words": "quote"}, {"words": "the"}, {"words": "turmeric"}, by=limited
        ),
        "an inquiry, mail": some("/inquiries/{}", known.mails),
        "an inquiry, call": some("/inquiries/{}", known.calls),
        "an inquiry, lead of a busy person": some("/inquiries/{}", known.leads),
        "look again (/live)": get("/live", {"seen": "0"}, {"seen": "7"}),
        "bulk preview, a newsletter": sender(newsletter=True),
        "bulk preview, a sender": sender(newsletter=False),
        "bulk preview, a domain": get("/bulk", *domains),
        "bulk preview, near-duplicates": get("/bulk", *near),
        "deliveries": get("/deliveries"),
        "deliveries, later pages": get("/deliveries", *places),
        "deliveries by state": get("/deliveries", *states),
        "deliveries by destination": get("/deliveries", *destinations),
        "deliveries by both": get("/deliveries", *(s | {"destination": "desk"} for s in states)),
        "deliveries, for one mailbox": get("/deliveries", {}, *states, by=limited),
        "quarantine": get("/quarantine", {}, *places[:5]),
        "sources": get("/sources"),
        "audit log": get("/audit", {}, {"before": "500"}),
        "users": get("/users"),
        "settings": get("/settings"),
        "review figures": get("/review/figures"),
        "API: list": get("/api/inquiries", {}, {"label": "lead"}, *places[:5]),
        "API: search": searched("a common word", 0, "/api/inquiries"),
        "API: an inquiry": some("/api/inquiries/{}", known.mails),
        "API: deliveries": get("/api/deliveries", {}, *states),
    }  # fmt: skip


def reviewed(visitor: Visitor, rounds: int) -> dict[str, list[Answer]]:
    """What a reviewer does, by keyboard: every item is asked for, labelled or skipped."""
    part, found = {"x-part": "1"}, dict[str, list[Answer]]()

    def act(step: str, path: str, **data: str) -> Answer:
        answer = visitor.ask("POST", path, data=data, headers=part)
        found.setdefault(f"review: {step}", []).append(answer)
        return answer

    for number in range(rounds):
        found.setdefault("review: the page", []).append(visitor.ask("GET", "/review"))
        item = _ITEM.search(act("next", "/review/next").text)
        if item is None:
            raise RuntimeError("nothing waits any more; give more inquiries or fewer rounds")
        found.setdefault("review: how many wait", []).append(visitor.ask("GET", "/review/waiting"))
        time.sleep(_LOOKING_S)
        if number % 5 == 4:
            act("skip", f"/review/{item[0]}/skip")
            continue
        said = ("spam", "support", "lead")[number % 3]
        # Of a lead the signals are read, by the model that finds them.
        kind = "label, a lead" if said == "lead" else "label"
        act(kind, f"/review/{item[0]}", label=said)
        if number % 4 == 2:
            act("undo", "/review/undo")
    return found


def row(name: str, answers: Sequence[Answer], limit: float) -> dict[str, object]:
    """Figures of a step."""
    kept = answers[len(answers) // 5 :]
    spent, busy = sorted(one.ms for one in kept), sorted(one.cpu for one in kept)
    at = min(int(len(kept) * 0.95), len(kept) - 1)
    return {
        "step": name, "p50_ms": round(statistics.median(spent), 1), "p95_ms": spent[at],
        "max_ms": spent[-1], "cpu_p50_ms": round(statistics.median(busy), 1),
        "cpu_p95_ms": round(busy[at], 1), "within": spent[at] <= limit,
    }  # fmt: skip


def measure(
    repository: Repository, url: str, process: int, options: Any
) -> list[dict[str, object]]:
    """All steps, in one order; what changes the store comes last."""
    chance, limit = Random(11), LIMITS[options.database]
    visitor = Visitor(signed_in(repository, url, "Ann", ALL), process)
    limited = Visitor(signed_in(repository, url, "Bob", Reach(("jobs",))), process)
    found = []
    for name, step in steps(visitor, limited, Known.of(repository, chance), chance).items():
        if options.only in name:
            answers = [step() for _ in range(options.rounds)]
            found.append(row(name, answers, limit))
    if options.only in "review: ":
        for name, answers in reviewed(visitor, options.rounds).items():
            found.append(row(name, answers, limit))
        found.append(
            row("review: for one mailbox",
                [limited.ask("GET", "/review") for _ in range(options.rounds)], limit)
        )  # fmt: skip
    return found


def signed_in(repository: Repository, url: str, name: str, reach: Reach) -> httpx2.Client:
    """The browser of an administrator, or of a reviewer of one mailbox."""
    accounts, role = repository.accounts, Role.ADMIN if reach.is_all else Role.REVIEWER
    known = accounts.credentials(name)
    hashed = passwords.hashed("correct horse battery")
    user = known[0] if known else accounts.create(name, hashed, role, reach, by=Actor("", "bench"))
    actor = Actor(user.id, user.name, "127.0.0.1")
    secret = repository.sessions.open(actor, "bench", timedelta(hours=4))
    client = httpx2.Client(
        base_url=url, headers={"sec-fetch-site": "same-origin"}, timeout=300, follow_redirects=False
    )
    client.cookies.set("triage-session", secret, domain="127.0.0.1")
    return client


@contextlib.contextmanager
def served(store: Store) -> Iterator[tuple[str, int]]:
    """`triage console` over a store: its address and its process."""
    port = free_port()
    mailbox = '[[sources]]\nkind = "maildir"\nname = "{}"\npath = "/nowhere"\n'
    endpoint = '[[destinations]]\nname = "{}"\nurl = "http://127.0.0.1:1/"\n'
    with tempfile.TemporaryDirectory(prefix="triage-bench-") as folder:
        file = Path(folder) / "triage.toml"
        file.write_text(
            f'[console]\nlisten = "127.0.0.1:{port}"\n[store]\ndata_dir = "{store.data_dir}"\n'
            f'database_url = "{store.database_url}"\n'
            + "".join(mailbox.format(name) for name in SOURCES)
            + "".join(endpoint.format(name) for name in year.DESTINATIONS)
        )
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "triage", "--settings", str(file), "console"],
                env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            _wait(port, process, Path(folder) / "log")
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        with contextlib.suppress(httpx2.TransportError):
            httpx2.get(f"http://127.0.0.1:{port}/sign-in", timeout=5)
            return
        time.sleep(0.1)
    raise RuntimeError(f"no answer; {log.read_text()}")


def memory(process: int) -> tuple[int, int]:
    """Megabytes that a process holds now, and held at most."""
    status = Path(f"/proc/{process}/status").read_text()
    now, most = (re.search(rf"{name}:\s+(\d+)", status) for name in ("VmRSS", "VmHWM"))
    return int(now[1]) // 1024 if now else 0, int(most[1]) // 1024 if most else 0


@contextlib.contextmanager
def stored(options: Any) -> Iterator[Store]:
    """The store to be filled, or one that was kept."""
    with contextlib.ExitStack() as stack:
        kept = options.use or options.keep
        if kept is None:
            folder = tempfile.TemporaryDirectory(prefix="triage-bench-")
            kept = Path(stack.enter_context(folder))
        if options.database == "sqlite":
            yield Store(data_dir=kept)
            return
        quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
        server = Postgres(kept.absolute(), shared_buffers=f"{quarter >> 20}MB")
        stack.callback(server.close)
        server.start()
        url = server.url("year")
        if not options.use:
            server.create(name="year")
        with tempfile.TemporaryDirectory(prefix="triage-bench-") as blobs:
            yield Store(data_dir=Path(blobs), database_url=url)


def warm(repository: Repository) -> None:
    """Have PostgreSQL read its tables and indexes into its memory, the smaller ones first."""
    with repository.database.write() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_prewarm"))
        connection.execute(text(
            "SELECT pg_prewarm(oid::regclass) FROM pg_class WHERE relkind IN ('r', 'i', 't') "
            "AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace) "
            "ORDER BY pg_relation_size(oid)"
        ))  # fmt: skip


def note(text: str) -> None:
    """Progress, beside the figures."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inquiries", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=40, help="requests of each step")
    parser.add_argument("--only", default="", help="steps whose names hold this")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--keep", type=Path, help="fill a store in this folder, and leave it there")
    kept.add_argument("--use", type=Path, help="use the store that was kept in this folder")
    parser.add_argument("--json", action="store_true", help="JSON for programs")
    options = parser.parse_args()
    with stored(options) as store:
        repository = Repository(store)
        repository.database.upgrade()
        if not options.use:
            begin = time.perf_counter()
            fill(repository, year.Year(options.inquiries), note)
            note(f"filled in {time.perf_counter() - begin:.0f} s")
        if options.database == "postgresql":
            warm(repository)
        with repository.database.read() as connection:
            count = connection.execute(select(func.count()).select_from(tables.inquiries)).scalar()
        with served(store) as (url, process):
            before = memory(process)[0]
            found = measure(repository, url, process, options)
            after, most = memory(process)
        repository.close()
    about = {
        "database": options.database, "inquiries": count, "limit_ms": LIMITS[options.database],
        "rss_mb": {"before": before, "after": after, "most": most},
    }  # fmt: skip
    if options.json:
        show_json(about | {"steps": found})
        return
    note(f"{options.database}, {count:,} inquiries; the console's memory: {before} MB, after all "
         f"{after} MB, at most {most} MB; limit {LIMITS[options.database]:.0f} ms")  # fmt: skip
    columns = ("step", ">p50 ms", ">p95 ms", ">max ms", ">cpu p50", ">cpu p95", "within")
    show_table(
        columns, [[*list(one.values())[:-1], "yes" if one["within"] else "NO"] for one in found]
    )


if __name__ == "__main__":
    main()
