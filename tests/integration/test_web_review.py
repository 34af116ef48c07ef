"""The review queue and relabelling many, over HTTP, as browsers ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.support import stored
from tests.support.console import Served, served
from tests.support.leads import BUSINESS, WELL_STATED, Desk
from tests.support.queues import settle, unsure
from triage.settings import Destination
from triage.store.accounts import Reach, Role
from triage.store.repository import Repository
from triage.types import Party

PART = {"x-part": "1"}
CRM = {"name": "crm", "url": "http://127.0.0.1:1/"}


def settings(**review: float) -> dict[str, object]:
    return {
        "business": BUSINESS,
        "destinations": (Destination.model_validate(CRM),),
        "review": {"audit_share": 0.0} | review,
    }


@pytest.fixture
def console(any_repository: Repository) -> Iterator[Served]:
    with served(any_repository, **settings()) as found:
        yield found


@pytest.fixture
def audited(repository: Repository) -> Iterator[Served]:
    """A console where everything that is filed is audited."""
    with served(repository, **settings(audit_share=1.0)) as found:
        yield found


def crm_of(console: Served) -> Desk:
    return Desk(console.repository, console.desk.settings)


def shown(answer: httpx2.Response) -> str:
    """The id of the inquiry on a page or part; empty where there is none."""
    found = re.search(r'data-id="([^"]+)"', answer.text)
    return found[1] if found else ""


def test_a_label_acts_and_undo_takes_it_back(console: Served) -> None:
    crm = crm_of(console)
    item = settle(crm, "one", unsure("lead", 0.5), WELL_STATED)
    with (
        console.signed_in(Role.REVIEWER, "ann") as ann,
        console.signed_in(Role.REVIEWER, "bob") as bob,
    ):
        first = ann.get("/review")
        assert shown(first) == item
        assert "40 rooftop units" in first.text
        assert shown(bob.get("/review")) == ""
        assert bob.post(f"/review/{item}", data={"label": "spam"}, headers=PART).status_code == 409
        assert crm.types() == []
        answer = ann.post(f"/review/{item}", data={"label": "lead", "note": "n"}, headers=PART)
        assert answer.status_code == 204
        assert crm.types() == ["lead.qualified"]
        (said,) = console.repository.corrections.of(item)
        assert (said.label, said.by, said.note) == ("lead", "ann", "n")
        assert shown(bob.post("/review/undo", headers=PART)) == ""
        assert shown(ann.post("/review/undo", headers=PART)) == item
        assert crm.types() == ["lead.qualified", "lead.retracted"]
        assert shown(ann.get("/review")) == item
        wrong = ann.post(f"/review/{item}", data={"label": "junk"})
        assert (wrong.status_code, "No label" in wrong.text) == (422, True)
        assert ann.post(f"/review/{item}", data={"label": "spam"}).status_code == 303
        assert "Nothing waits for you" in ann.get("/review").text
    entries = [(entry.by, entry.action) for entry in console.repository.audit.listed()]
    assert entries[:3] == [
        ("ann", "review.labelled"), ("ann", "review.undone"), ("ann", "review.labelled"),
    ]  # fmt: skip


def test_only_what_is_expected_is_taken_back(console: Served) -> None:
    crm = crm_of(console)
    for name in ("one", "two"):
        settle(crm, name, unsure("spam", 0.3))
    with console.signed_in(Role.REVIEWER, "ann") as ann:
        one = shown(ann.get("/review"))
        two = shown(ann.post("/review/next", params={"skip": [one]}, headers=PART))
        for item in (one, two):
            assert ann.post(f"/review/{item}", data={"label": "lead"}, headers=PART).is_success
        for headers in (PART, {}):
            refused = ann.post("/review/undo", data={"expected": one}, headers=headers)
            assert (refused.status_code, "another inquiry" in refused.text) == (409, True)
        assert [len(console.repository.corrections.of(item)) for item in (one, two)] == [1, 1]
        taken = ann.post("/review/undo", data={"expected": two}, headers=PART)
        assert shown(taken) == two
        assert shown(ann.post("/review/undo", data={"expected": one}, headers=PART)) == one


def test_the_next_ones_are_there_before_they_are_needed(console: Served) -> None:
    crm = crm_of(console)
    items = {settle(crm, f"m{n}", unsure("spam", 0.2 + n / 50)) for n in range(5)}
    with console.signed_in(Role.REVIEWER) as ann:
        seen = [shown(ann.get("/review"))]
        assert ann.get("/review/waiting").text == "5"
        while found := shown(ann.post("/review/next", params={"skip": seen}, headers=PART)):
            seen.append(found)
        assert len(seen) == 5
        many = [*(f"inq_{number:026}" for number in range(195)), *seen]
        assert ann.post("/review/next", params={"skip": many}, headers=PART).status_code == 204
        assert set(seen) == items
        assert ann.post(f"/review/{seen[0]}/skip", headers=PART).status_code == 204
        assert ann.get("/review/waiting").text == "4"
        assert shown(ann.post(f"/review/{seen[0]}/back", headers=PART)) == seen[0]
        assert ann.get("/review/waiting").text == "5"


def test_nothing_tells_an_audit_from_anything_else(audited: Served) -> None:
    """Everything that a reviewer gets about an audit, and about a doubt, is the same but for what
    was written."""
    crm = crm_of(audited)
    text = "The same words in both."
    doubt = settle(crm, "m1", unsure("spam"), text, Party("M1", "m1@m.example"))
    filed = settle(crm, "m2", stored.verdict("spam", 0.99), text, Party("M2", "m2@m.example"))
    with audited.signed_in(Role.REVIEWER) as ann:
        audited.repository.waiting.kept([], [], stored.ARRIVED, {})
        page = ann.get("/review")
        other = ann.post("/review/next", params={"skip": [shown(page)]}, headers=PART)
        again = ann.post("/review/next", params={"skip": [shown(other)]}, headers=PART)
        assert {shown(other), shown(again)} == {doubt, filed}

        def bare(answer: httpx2.Response) -> str:
            body = re.sub(r"inq_\w+", "ID", answer.text)
            return re.sub(r"\bm[12]\b|\bM[12]\b", "NAME", body)

        assert bare(other) == bare(again)
        assert dict(other.headers.items()).keys() == dict(again.headers.items()).keys()
        for word in ("audit", "spam at", "99", "file", "too unsure", "priority", "suspect"):
            assert word not in other.text + again.text, word
        done = [
            ann.post(f"/review/{item}", data={"label": "spam"}, headers=PART)
            for item in (doubt, filed)
        ]
        assert [(one.status_code, one.text) for one in done] == [(204, ""), (204, "")]
        assert ann.get("/review/figures").status_code == 403
    with audited.signed_in(Role.ADMIN) as root:
        assert "0 of 1" in root.get("/review/figures").text


def test_nobody_reviews_what_they_may_not_see(console: Served) -> None:
    crm = crm_of(console)
    item = settle(crm, "one", unsure("spam"))
    with console.signed_in(Role.REVIEWER, "far", Reach(sources=("elsewhere",))) as far:
        assert shown(far.get("/review")) == ""
        assert far.get("/review/waiting").text == "0"
        for path in ("", "/skip", "/back"):
            answer = far.post(f"/review/{item}{path}", data={"label": "lead"}, headers=PART)
            assert answer.status_code == 404
        sender = {"sender": "one@one.example", "label": "lead"}
        assert "0 would become lead" in far.get("/bulk", params=sender).text
        far.post("/bulk", data={"inquiry": [item], "label": "lead"})
    assert console.repository.corrections.of(item) == []


def test_what_a_stranger_wrote_is_text(console: Served) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    crm = crm_of(console)
    settle(crm, "one", unsure("spam"), evil, Party(evil, "x@x.example"))
    with console.signed_in(Role.REVIEWER) as ann:
        for text in (
            ann.get("/review").text,
            ann.get("/bulk", params={"sender": "x@x.example", "label": "lead"}).text,
        ):
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "&lt;script&gt;" in text


def test_many_are_relabelled_after_a_look(console: Served) -> None:
    crm = crm_of(console)
    shop = Party("A", "a@shop.example")
    lead = settle(crm, "a", stored.verdict("lead", 0.97), WELL_STATED, shop)
    other = settle(crm, "b", stored.verdict("support", 0.97), "Where is my order?", shop)
    with console.signed_in(Role.REVIEWER, "ann") as ann:
        seen = ann.get("/bulk", params={"sender": "shop.example", "label": "spam"}).text
        assert "2 would become spam" in seen
        assert "1 lead would be retracted from crm" in seen
        assert crm.types() == ["lead.qualified"]
        assert lead in seen
        done = ann.post("/bulk", data={"inquiry": [lead, "none"], "label": "spam", "note": "shop"})
        assert "1 of 1 are spam now" in done.text
        assert crm.types() == ["lead.qualified", "lead.retracted"]
        assert console.repository.corrections.of(other) == []
        near = ann.get("/bulk", params={"like": other, "label": "spam"})
        assert "1 would become spam" in near.text
        for wrong in ({"sender": "nothing of any kind"}, {"like": "inq_none"}):
            assert ann.get("/bulk", params=wrong | {"label": "spam"}).status_code == 422
        assert ann.get("/bulk", params={"sender": "a@b.example", "label": "x"}).status_code == 422
        assert ann.post("/bulk", data={"inquiry": [other], "label": "x"}).status_code == 422


def test_the_inbox_finds_what_is_searched_for(console: Served) -> None:
    crm = crm_of(console)
    wanted = settle(crm, "one", unsure("spam"), "We need rooftop units", Party("A", "a@x.example"))
    other = settle(crm, "two", unsure("spam"), "An invoice", Party("B", "b@x.example"))
    with console.signed_in(Role.VIEWER, "viewer") as viewer:
        for words in ("rooftop", "from:a@x.example", '"rooftop units" -invoice'):
            found = viewer.get("/inquiries", params={"words": words}).text
            assert wanted in found, words
            assert other not in found, words
        both = viewer.get("/inquiries", params={"words": '"', "channel": "email"})
        assert wanted in both.text
        assert other in both.text
        assert viewer.get("/inquiries", params={"words": "x" * 501}).status_code == 422
    with console.program(Role.VIEWER, "read") as program:
        found = program.get("/api/inquiries", params={"words": "rooftop"}).text
        assert wanted in found
        assert other not in found
    far = Reach(sources=("elsewhere",))
    with console.signed_in(Role.VIEWER, "far", far) as viewer:
        assert wanted not in viewer.get("/inquiries", params={"words": "rooftop"}).text
