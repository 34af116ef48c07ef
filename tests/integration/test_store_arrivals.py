from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.stored import ARRIVED, arrival, current, received
from triage.store.repository import Repository
from triage.types import FolderCursor, Stage


def test_an_item_becomes_one_inquiry(any_repository: Repository) -> None:
    (inquiry_id,) = any_repository.arrivals.receive([arrival("one")])
    work = current(any_repository, inquiry_id)
    assert work.stage is Stage.RECEIVED
    assert work.received_at == ARRIVED
    assert work.ref == arrival("one").raw.ref
    assert work.campaign == "spring"
    (entry,) = any_repository.archive.history(inquiry_id)
    assert (entry.event, entry.detail["key"]) == ("received", "INBOX/1/one")


def test_what_was_seen_before_is_not_doubled(any_repository: Repository) -> None:
    arrivals = any_repository.arrivals
    assert len(arrivals.receive([arrival("one"), arrival("two")], "inbox")) == 2
    again = [arrival("two"), arrival("three"), arrival("one", key="INBOX/2/1")]
    (third,) = arrivals.receive(again, "inbox")
    assert current(any_repository, third).ref.key == "INBOX/1/three"
    assert arrivals.known("inbox", [("INBOX/2/1", ""), ("INBOX/2/2", "")]) == {("INBOX/2/1", "")}
    assert any_repository.archive.counts()[Stage.RECEIVED] == 3


def test_new_ids_come_in_the_order_of_the_items(any_repository: Repository) -> None:
    names = [f"mail {number}" for number in range(20)]
    ids = any_repository.arrivals.receive([arrival(name) for name in names])
    keys = [current(any_repository, inquiry_id).ref.key for inquiry_id in ids]
    assert keys == [f"INBOX/1/{name}" for name in names]


def test_a_refused_item_is_quarantined_with_its_reason(any_repository: Repository) -> None:
    (inquiry_id,) = any_repository.arrivals.receive([arrival("large", refused="too large")])
    work = current(any_repository, inquiry_id)
    assert (work.stage, work.error) == (Stage.QUARANTINED, "too large")
    assert any_repository.worklist.due("email", 10) == []
    events = [entry.event for entry in any_repository.archive.history(inquiry_id)]
    assert events == ["received", "quarantined"]


def test_the_cursor_moves_with_its_items(any_repository: Repository) -> None:
    arrivals = any_repository.arrivals
    assert arrivals.cursor("inbox", "INBOX") is None
    cursor = FolderCursor("INBOX", "4294967295", 4294967295)  # as large as they come
    arrivals.receive([arrival("one")], "inbox", cursor)
    assert arrivals.cursor("inbox", "INBOX") == cursor
    assert arrivals.cursor("other", "INBOX") is None
    moved = FolderCursor("INBOX", "7", 1)
    arrivals.receive([], "inbox", moved)
    assert arrivals.cursor("inbox", "INBOX") == moved


def test_a_batch_that_fails_leaves_nothing(any_repository: Repository) -> None:
    naive = arrival("two")
    broken = type(naive)(
        raw=type(naive.raw)(
            naive.raw.ref, ARRIVED.replace(tzinfo=None), naive.raw.sha256, 1, "message/rfc822"
        ),
        channel="email",
        identity=naive.identity,
    )
    cursor = FolderCursor("INBOX", "1", 2)
    with pytest.raises(Exception, match="naive"):  # each database wraps it in its own
        any_repository.arrivals.receive([arrival("one"), broken], "inbox", cursor)
    assert any_repository.archive.listed() == []
    assert any_repository.arrivals.cursor("inbox", "INBOX") is None


def test_eight_writers_of_the_same_items_make_each_once(any_repository: Repository) -> None:
    names = [f"mail {number}" for number in range(60)]

    def write(shift: int) -> list[str]:
        fresh: list[str] = []
        # Each begins elsewhere, so that they meet in every order.
        order = names[shift:] + names[:shift]
        for start in range(0, len(order), 10):
            part = [arrival(name) for name in order[start : start + 10]]
            fresh.extend(any_repository.arrivals.receive(part, f"source-{shift}"))
        return fresh

    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(write, range(0, 56, 7)))  # "database is locked" would surface here
    fresh = [inquiry_id for part in written for inquiry_id in part]
    assert len(fresh) == len(set(fresh)) == 60
    assert any_repository.archive.counts()[Stage.RECEIVED] == 60


def test_hundreds_of_keys_are_looked_up_at_once(any_repository: Repository) -> None:
    names = [f"mail {number}" for number in range(410)]
    any_repository.arrivals.receive([arrival(name) for name in names])
    asked = [(f"INBOX/1/mail {number}", "") for number in range(1800)]
    assert len(any_repository.arrivals.known("inbox", asked)) == 410
    assert any_repository.arrivals.known("inbox", []) == set()


def test_text_that_a_database_refuses_is_stored_all_the_same(any_repository: Repository) -> None:
    base = arrival("odd")
    odd = type(base)(
        raw=type(base.raw)(
            base.raw.ref, ARRIVED, base.raw.sha256, 3_000_000_000, "audio/" + "x" * 300
        ),
        channel="call",
        identity=base.identity,
        campaign="c" * 500,
        sidecar='{"name": "\0 \udcff 📞"}',
    )
    (inquiry_id,) = any_repository.arrivals.receive([odd])
    work = current(any_repository, inquiry_id)
    assert work.sidecar == '{"name": "\N{REPLACEMENT CHARACTER} ? 📞"}'
    assert (work.size, len(work.campaign)) == (3_000_000_000, 500)


def test_an_item_of_one_source_is_not_known_to_another(any_repository: Repository) -> None:
    work = received(any_repository)
    keys = [(work.ref.key, work.ref.revision)]
    assert any_repository.arrivals.known("inbox", keys) == set(keys)
    assert any_repository.arrivals.known("elsewhere", keys) == set()
