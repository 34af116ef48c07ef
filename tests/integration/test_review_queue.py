"""The review queue: what comes first, who gets it, and what becomes of what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from tests.support import stored
from tests.support.leads import WELL_STATED
from tests.support.queues import reviewing, settle, unsure
from triage.errors import Usage
from triage.review.alike import near, of_sender
from triage.review.figures import figures
from triage.store import records, tables
from triage.store.repository import Repository
from triage.store.settlements import Settled
from triage.store.waiting import Item
from triage.types import Outcome, Party


def drain(queue: object, by: str) -> list[str]:
    """What a reviewer gets, one after the other, on one screen."""
    found: list[str] = []
    while (item := queue.next(by, skip=found)) is not None:  # type: ignore[attr-defined]
        found.append(item)
    return found


def test_doubt_and_value_come_first(repository: Repository) -> None:
    crm, desk = reviewing(repository)
    surer = settle(crm, "surer", unsure("spam", 0.7))
    doubtful = settle(crm, "doubtful", unsure("spam", 0.3))
    likely = settle(crm, "likely", unsure("lead", 0.6), WELL_STATED)
    settle(crm, "filed", stored.verdict("spam", 0.99))
    assert drain(desk.queue, "Ann") == [likely, doubtful, surer]
    assert desk.queue.waiting("Ann") == 3
    assert desk.queue.waiting("Bob") == 0


def test_nobody_gets_what_another_has(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository)
    waiting = {settle(crm, f"m{n}", unsure("spam")) for n in range(12)}
    names = ["Ann", "Bob", "Cleo", "Dan"]
    desk.queue.refresh()

    def work(by: str) -> list[str]:
        return drain(desk.queue, by)

    with ThreadPoolExecutor(len(names)) as pool:
        shares: Sequence[list[str]] = list(pool.map(work, names))
    taken = [item for share in shares for item in share]
    assert sorted(taken) == sorted(waiting)
    owner = {item: by for by, share in zip(names, shares, strict=True) for item in share}
    item = taken[0]
    other = next(by for by in names if by != owner[item])
    with pytest.raises(Usage, match="somebody else has it"):
        desk.label(item, "spam", other)
    desk.label(item, "spam", owner[item])
    with pytest.raises(Usage, match="said it meanwhile"):
        desk.label(item, "lead", owner[item])


def test_what_is_said_while_another_looks_stays_said(any_repository: Repository) -> None:
    """Somebody looked through what waits, a reviewer was quicker, and the look ends now."""
    crm, desk = reviewing(any_repository)
    item = settle(crm, "m1", unsure("spam"))
    assert desk.queue.next("Ann") == item
    settlements, waiting = any_repository.settlements, any_repository.waiting
    (before,) = settlements.some([item])
    desk.label(item, "lead", "Ann")
    found = [Item(item, "review", 0.5)]
    waiting.kept(found, [], before.settled_at, {item: before.settled_at})
    assert waiting.queued(9) == []
    (now,) = settlements.some([item])
    waiting.kept(found, [], now.settled_at, {item: now.settled_at})
    assert [one.inquiry_id for one, _, _ in waiting.queued(9)] == [item]  # a look that knows of it


def test_a_claim_ends_and_a_skipped_item_comes_back(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository)
    item = settle(crm, "one", unsure("spam"))
    assert desk.queue.next("Ann") == item
    assert desk.queue.next("Ann") == item  # a page that is loaded again shows what it showed
    assert desk.queue.next("Bob") is None
    items = tables.review_items
    past = records.now() - timedelta(seconds=1)
    with any_repository.database.write() as connection:
        connection.execute(update(items).values(claimed_until=past))
    assert desk.queue.next("Bob") == item
    assert not desk.queue.put_off(item, "Ann")
    assert desk.queue.put_off(item, "Bob")
    assert desk.queue.next("Bob") is None
    assert desk.queue.take(item, "Bob") is not None  # they go back to it
    assert desk.queue.put_off(item, "Bob")
    with any_repository.database.write() as connection:
        connection.execute(update(items).values(ready_at=past))
    assert desk.queue.next("Ann") == item


def test_a_label_acts_and_undo_takes_it_back(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository)
    item = settle(crm, "one", unsure("lead", 0.5), WELL_STATED)
    assert crm.events() == []
    assert desk.queue.next("Ann") == item
    desk.label(item, "lead", "Ann")
    assert crm.types() == ["lead.qualified"]
    assert desk.queue.next("Ann") is None
    assert desk.undo("Bob") is None
    assert desk.undo("Ann") == item
    assert crm.types() == ["lead.qualified", "lead.retracted"]
    verdict = any_repository.archive.verdict(item)
    assert verdict == unsure("lead", 0.5)
    (row,) = any_repository.listing.rows([item])
    assert (row.label, row.outcome) == ("lead", "review")
    assert desk.undo("Ann") is None
    assert desk.queue.next("Ann") == item
    desk.label(item, "support", "Ann", "a tenant")
    desk.undo("Ann")
    desk.label(item, "lead", "Ann")
    assert crm.types() == ["lead.qualified", "lead.retracted", "lead.qualified"]
    said = [(one.label, one.previous, one.note) for one in any_repository.corrections.of(item)]
    assert said == [
        ("lead", "lead", ""),
        ("lead", "lead", "taken back"),
        ("support", "lead", "a tenant"),
        ("lead", "support", "taken back"),
        ("lead", "lead", ""),
    ]
    events = [entry.event for entry in any_repository.archive.history(item)]
    assert events.count("corrected") == 5


def test_undo_goes_back_item_by_item_and_stops_at_others(repository: Repository) -> None:
    crm, desk = reviewing(repository)
    items = [settle(crm, f"m{n}", unsure("spam", 0.5 - n / 20)) for n in range(3)]
    for item in items:
        desk.queue.next("Ann")
        desk.queue.take(item, "Ann")
        desk.label(item, "support", "Ann")
    assert desk.undo("Ann") == items[2]
    crm.corrections.relabel(items[1], "lead", by="Bob")
    with pytest.raises(Usage, match="Bob corrected it since"):
        desk.undo("Ann")


def test_what_was_corrected_elsewhere_no_longer_waits(repository: Repository) -> None:
    crm, desk = reviewing(repository)
    item = settle(crm, "one", unsure("spam"))
    desk.queue.refresh()
    assert desk.queue.waiting("Ann") == 1
    crm.corrections.relabel(item, "spam", by="Bob")
    assert desk.queue.waiting("Ann") == 0
    assert desk.queue.next("Ann") is None


def test_a_look_at_what_people_said_writes_nothing(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository)
    desk.queue.refresh()  # begins
    two = {settle(crm, name, unsure("spam")) for name in ("one", "other")}
    said = desk.queue.next("Ann")
    assert said in two
    desk.label(said, "spam", "Ann")
    with _writes(any_repository) as written:
        desk.queue.refresh()
        desk.queue.refresh()
    assert written == []
    new = settle(crm, "new", unsure("spam", 0.1))
    with _writes(any_repository) as written:
        desk.queue.refresh()
    assert written
    assert set(drain(desk.queue, "Ann")) == two - {said} | {new}


@pytest.mark.parametrize("begun", [True, False])
def test_what_a_person_settled_is_not_offered_late(
    any_repository: Repository, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    """Whoever looked for what may be wrong, or for all that waits, was overtaken by a person."""
    crm, desk = reviewing(any_repository)
    settlements = any_repository.settlements
    if begun:
        desk.queue.refresh()
    sure = stored.verdict("solicitation", 0.99)
    text, sender = "Alike text number one two three four", Party("News", "news@x.example")
    late = settle(crm, "late", sure if begun else unsure("spam"), text, sender)
    some, undecided = settlements.some, settlements.undecided

    def overtaken(found: list[Settled]) -> list[Settled]:
        crm.corrections.relabel(late, "support", by="Bob")
        return found

    if begun:
        said = settle(crm, "said", sure, text, sender)
        desk.queue.refresh()
        crm.corrections.relabel(said, "support", by="Ann")
        monkeypatch.setattr(settlements, "some", lambda ids: overtaken(some(ids)))
        desk.queue.suspect(said, "support")
    else:
        monkeypatch.setattr(
            settlements, "undecided", lambda: (overtaken(found) for found in undecided())
        )
        desk.queue.refresh()
    monkeypatch.undo()
    desk.queue.refresh()
    assert late not in {item.inquiry_id for item, _, _ in any_repository.waiting.queued(9)}


@contextmanager
def _writes(repository: Repository) -> Iterator[list[str]]:
    """What is written to tables meanwhile."""
    found: list[str] = []

    def note(_c: Any, _u: Any, statement: str, _v: Any, _x: Any, _m: bool) -> None:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            found.append(statement)

    engine = repository.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_the_queue_begins_with_all_that_waits(any_repository: Repository) -> None:
    """And with nothing else: audits of the past would say nothing of the worker of now."""
    crm, desk = reviewing(any_repository, audit_share=1.0)
    waiting = {settle(crm, f"m{n}", unsure("spam")) for n in range(7)}
    settle(crm, "filed", stored.verdict("spam", 0.99))
    long_ago = records.now() - timedelta(days=60)
    with any_repository.database.write() as connection:
        connection.execute(update(tables.inquiries).values(settled_at=long_ago))
    assert set(drain(desk.queue, "Ann")) == waiting


def test_audits_are_drawn_by_chance_and_measure_lost_leads(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository, audit_share=0.5)
    desk.queue.refresh()
    filed = [settle(crm, f"f{n}", stored.verdict("spam", 0.99)) for n in range(40)]
    while desk.queue.refresh(7):
        pass
    drawn = drain(desk.queue, "Ann")
    assert 8 < len(drawn) < 32
    assert set(drawn) < set(filed)
    assert {item.kind for item, _, _ in any_repository.waiting.queued(50)} == {"audit"}
    for number, item in enumerate(drawn):
        desk.label(item, "lead" if number == 0 else "spam", "Ann")
    found = figures(any_repository)
    assert (found.filed, found.lost.found, found.lost.of) == (39, 1, len(drawn))
    assert 0 < found.lost.low < 1 / len(drawn) < found.lost.high < 1
    assert crm.types() == ["lead.qualified"]
    desk.queue.refresh()
    assert desk.queue.next("Ann") is None
    desk.undo("Ann")
    assert figures(any_repository).lost.of == len(drawn) - 1


def test_what_is_like_a_corrected_one_is_suspect(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository)
    offer = "We offer to rank your website first on every search engine within thirty days. "
    first = settle(crm, "a", unsure("lead", 0.5), offer + "Regards, Al")
    desk.queue.refresh()
    alike = settle(crm, "b", stored.verdict("support", 0.97), offer + "Greetings, Bo")
    other = settle(crm, "c", stored.verdict("support", 0.97), "The heating in room 12 is cold.")
    same = settle(crm, "d", stored.verdict("support", 0.97), "Hi", Party("Al", "a@a.example"))
    assert desk.queue.next("Ann") == first
    desk.label(first, "solicitation", "Ann")
    assert {item.inquiry_id for item, _, _ in any_repository.waiting.queued(9)} == {alike}
    assert other not in drain(desk.queue, "Ann")
    later = settle(crm, "e", stored.verdict("support", 0.97), offer + "Yours, Cy")
    assert set(drain(desk.queue, "Ann")) == {alike, later}
    assert same not in drain(desk.queue, "Ann")


def test_a_second_reviewer_is_asked_without_knowing(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository, second_share=1.0)
    one, two = (settle(crm, f"m{n}", unsure("spam", 0.3 + n / 10)) for n in range(2))
    drain(desk.queue, "Ann")
    desk.label(one, "support", "Ann")
    desk.label(two, "lead", "Ann")
    assert desk.queue.next("Ann") is None
    assert set(drain(desk.queue, "Bob")) == {one, two}
    assert desk.label(one, "support", "Bob") is None
    assert desk.label(two, "spam", "Bob") is None
    assert len(any_repository.corrections.of(one)) == 1
    agreement = figures(any_repository).agreement
    assert (agreement.pairs, agreement.same) == (2, 1)
    assert agreement.kappa is not None
    assert agreement.disputed == (("lead", "spam", 1),)
    assert crm.types() == ["lead.qualified"]
    assert desk.queue.next("Cleo") == two  # what they do not agree on is asked once more
    desk.label(two, "spam", "Cleo")
    assert crm.types() == ["lead.qualified", "lead.retracted"]
    assert desk.queue.next("Ann") is None
    desk.undo("Bob")
    assert figures(any_repository).agreement.pairs == 1


def test_relabelling_many_shows_first_what_it_does(any_repository: Repository) -> None:
    crm, desk = reviewing(any_repository)
    shop = "shop.example"
    lead = settle(crm, "a", stored.verdict("lead", 0.97), WELL_STATED, Party("A", f"a@{shop}"))
    settle(crm, "b", stored.verdict("support", 0.97), sender=Party("B", f"b@mail.{shop}"))
    said = settle(crm, "c", stored.verdict("support", 0.97), sender=Party("C", f"c@{shop}"))
    settle(crm, "d", stored.verdict("support", 0.97), sender=Party("D", "d@workshop.example"))
    settle(crm, "e", stored.verdict("spam", 0.97), sender=Party("E", f"e@{shop}"))
    crm.corrections.relabel(said, "support", by="Bob")
    assert crm.types() == ["lead.qualified"]
    chosen = of_sender(any_repository, shop, "US")
    assert not chosen.more
    preview = desk.preview(chosen.rows, "spam")
    assert [row.key[-1] for row in sorted(preview.changed, key=lambda row: row.key)] == ["a", "b"]
    assert [row.id for row in preview.kept] == [said]
    assert (preview.forwarded, preview.retracted) == (0, {"crm": 1})
    done = list(desk.relabel_all([row.id for row in preview.changed], "spam", "Ann", "a shop"))
    assert sorted(one.events for one in done) == [(), ("lead.retracted to crm",)]
    assert [len(any_repository.corrections.of(row.id)) for row in preview.changed] == [1, 1]
    # Of the others people said what they are.
    assert [row.key[-1] for row in desk.preview(chosen.rows, "lead").changed] == ["e"]
    assert desk.preview(chosen.rows, "lead").forwarded == 1
    assert [row.id for row in of_sender(any_repository, f"A@{shop}", "US").rows] == [lead]
    with pytest.raises(Usage, match="choose one of"):
        desk.preview(chosen.rows, "junk")


def test_near_duplicates_are_chosen_by_their_words(any_repository: Repository) -> None:
    crm, _ = reviewing(any_repository)
    offer = (
        "We build links that rank your website first on every search engine within thirty days, "
        "and you pay nothing before you see the result of our work with your own eyes. "
    )
    spam = stored.verdict("spam", 0.97)
    first, second = (settle(crm, f"m{n}", spam, offer + f"Dear number {n}") for n in range(2))
    settle(crm, "other", spam, "We build ships in bottles, by hand, since 1904, and we ship.")
    part = settle(crm, "part", spam, offer[:60] + "Not at all what it seemed to be about. " * 5)
    chosen = near(any_repository, first)
    assert {row.id for row in chosen.rows} == {first, second}
    assert part not in {row.id for row in chosen.rows}


def test_filed_by_hand_stays_out_of_the_queue(repository: Repository) -> None:
    crm, desk = reviewing(repository, audit_share=1.0)
    desk.queue.refresh()
    item = settle(crm, "one", unsure("spam"), outcome=Outcome.REVIEW)
    desk.queue.next("Ann")
    desk.label(item, "spam", "Ann")
    desk.queue.refresh()
    assert drain(desk.queue, "Ann") == []
    assert figures(repository).lost.of == 0
