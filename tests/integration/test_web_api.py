"""The JSON API: the same store, the same rights, as programs see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.support import stored
from tests.support.console import Served, served
from tests.support.shop import SETTINGS, Shop, fill
from triage.intake.mail import parse_mail
from triage.store import records, tables
from triage.store.accounts import Reach, Role
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Inquiry


@pytest.fixture
def shop(any_repository: Repository) -> Shop:
    return fill(any_repository)


@pytest.fixture
def console(any_repository: Repository) -> Iterator[Served]:
    with served(any_repository, **SETTINGS) as found:
        yield found


def test_a_program_pages_through_everything(console: Served, shop: Shop) -> None:
    with console.program(Role.VIEWER, "read") as program:
        seen, after = [], ""
        for _ in range(9):
            page = program.get("/api/inquiries", params={"limit": 4, "after": after}).json()
            seen += [item["id"] for item in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 17
        leads = program.get("/api/inquiries", params={"label": "lead"}).json()["items"]
        assert [item["id"] for item in leads] == [shop.lead, shop.call, shop.form]
        dated = {"since": leads[1]["received_at"], "until": leads[0]["received_at"]}
        between = program.get("/api/inquiries", params=dated).json()["items"]
        assert [item["id"] for item in between] == [shop.call]


def test_one_inquiry_has_all_that_was_found(console: Served, shop: Shop) -> None:
    with console.program(Role.VIEWER, "read") as program:
        lead = program.get(f"/api/inquiries/{shop.lead}").json()
        call = program.get(f"/api/inquiries/{shop.call}").json()
        gone = program.get("/api/inquiries/inq_none")
    assert lead["content"]["sender"]["email"] == "ann@example.org"
    evidence = lead["qualification"]["signals"]["budget"]["evidence"][0]
    start, end = evidence["start"], evidence["end"]
    assert lead["content"]["text"][start:end] == evidence["quote"]
    assert lead["deliveries"][0]["state"] == "pending"
    assert call["transcript"]["segments"][1]["speaker"] == "caller"
    assert (gone.status_code, gone.json()["status"]) == (404, 404)


def test_a_program_labels_within_its_scope(console: Served, shop: Shop) -> None:
    where = f"/api/inquiries/{shop.attack}/label"
    with console.program(Role.REVIEWER, "read") as program:
        refused = program.post(where, json={"label": "support"})
        assert (refused.status_code, "scope review" in refused.json()["detail"]) == (403, True)
    with console.program(Role.REVIEWER, "review") as program:
        assert program.post(where, json={"label": "nonsense"}).status_code == 422
        assert program.post(where, json={"label": "support", "by": "eve"}).status_code == 422
        found = program.post(where, json={"label": "support"}).json()
        assert found["verdict"]["label"] == "support"
    assert console.repository.corrections.of(shop.attack)[0].by == "reviewer-program"


def test_a_website_hands_in_an_inquiry_once(console: Served) -> None:
    form = {
        "id": "form-7", "text": "We need a heat pump.\n\n.\nBcc: eve@example.org",
        "name": "Ann\r\nBcc: x", "email": "ann@example.org", "phone": "+1 614 555 0100",
        "subject": "Quote\nX-Evil: 1", "campaign": "web", "fields": {"Rooms": "12"},
    }  # fmt: skip
    with console.program(Role.REVIEWER, "ingest") as site:
        first = site.post("/api/inquiries", json=form)
        assert (first.status_code, first.json()["new"]) == (202, True)
        again = site.post("/api/inquiries", json=form | {"text": "changed"})
        assert again.json() == {"id": first.json()["id"], "new": False}
        assert site.post("/api/inquiries", json=form | {"id": ""}).json()["new"]
        assert site.post("/api/inquiries", json=form | {"email": "nobody"}).status_code == 422
        assert site.get("/api/inquiries").status_code == 403, "it may hand in, and nothing else"
    work = stored.current(console.repository, first.json()["id"])
    assert (work.ref.source, work.campaign) == ("api", "web")
    inquiry = read_again(console, work)
    assert (inquiry.sender.name, inquiry.sender.email) == ("Ann Bcc: x", "ann@example.org")
    assert inquiry.subject == "Quote X-Evil: 1"
    for stated in ("We need a heat pump.", "Rooms: 12", "+1 614 555 0100"):
        assert stated in inquiry.body


def test_out_of_reach_is_not_there(console: Served, shop: Shop) -> None:
    reach = Reach(sources=("calls",))
    delivery = console.repository.outbox.listed(inquiry_id=shop.lead)[0].id
    with console.program(Role.REVIEWER, "read", "review", reach=reach) as program:
        items = program.get("/api/inquiries").json()["items"]
        assert [item["id"] for item in items] == [shop.call]
        assert program.get(f"/api/inquiries/{shop.lead}").status_code == 404
        assert program.post(f"/api/deliveries/{delivery}/retry").status_code == 404
        deliveries = program.get("/api/deliveries").json()["items"]
        assert {item["inquiry_id"] for item in deliveries} == {shop.call}
        assert [source["name"] for source in program.get("/api/sources").json()] == ["calls"]


def test_what_a_label_was_recalled_from_stays_within_reach(console: Served, shop: Shop) -> None:
    verdict = console.repository.archive.verdict(shop.call)
    assert verdict
    like = (shop.lead, shop.form)
    table = tables.verdicts
    with console.repository.database.write() as connection:
        data = records.dump(replace(verdict, recalled=like))
        of_call = table.c.inquiry_id == shop.call
        connection.execute(update(table).where(of_call).values(data=data))
        records.note(connection, shop.call, "classified", {"label": "lead", "like": list(like)})
    everyone = ((Role.VIEWER, Reach(), list(like)), (Role.REVIEWER, Reach(("calls",)), []))
    for role, reach, shown in everyone:
        with console.program(role, "read", reach=reach) as program:
            call = program.get(f"/api/inquiries/{shop.call}").json()
        assert call["verdict"]["recalled"] == shown
        assert call["history"][-1]["detail"]["like"] == shown
        with console.signed_in(role, reach=reach) as viewer:
            page = viewer.get(f"/inquiries/{shop.call}").text
        assert all((name in page) == bool(shown) for name in like)


def test_a_delivery_is_retried_and_sources_tell_their_health(console: Served, shop: Shop) -> None:
    delivery = console.repository.outbox.listed(inquiry_id=shop.lead)[0].id
    with console.program(Role.REVIEWER, "read", "review") as program:
        assert program.post(f"/api/deliveries/{delivery}/retry").json() == {"due": True}
        failing = program.get("/api/sources").json()[1]
    assert (failing["name"], failing["failures"]) == ("calls", 3)


def test_every_answer_is_described(console: Served) -> None:
    with console.visitor() as anybody:
        described = anybody.get("/api/openapi.json").json()
    assert {"/api/inquiries", "/api/inquiries/{inquiry_id}", "/api/inquiries/{inquiry_id}/label",
            "/api/deliveries", "/api/deliveries/{delivery_id}/retry", "/api/sources"} <= set(
                described["paths"])  # fmt: skip
    assert not [path for path in described["paths"] if not path.startswith("/api/")]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert {"401", "403"} < set(operation["responses"]), (method, path)
            assert operation["summary"], path


@pytest.mark.parametrize("address", ["jörg@example.org", "用户@exämple.org", "joe@exämple.org"])
def test_an_address_that_is_not_ascii_costs_no_inquiry(console: Served, address: str) -> None:
    form = {"text": "We need a heat pump.", "name": "Jörg, Ann & Co", "email": address}
    with console.program(Role.REVIEWER, "ingest") as site:
        taken = site.post("/api/inquiries", json=form)
        assert taken.status_code == 202
    inquiry = read_again(console, stored.current(console.repository, taken.json()["id"]))
    assert (inquiry.sender.name, inquiry.sender.email) == ("Jörg, Ann & Co", address)
    assert "heat pump" in inquiry.text


def read_again(console: Served, work: Work) -> Inquiry:
    """What was handed in, as the worker reads it from the stored mail."""
    return parse_mail(
        console.repository.blobs.read(work.sha256),
        inquiry_id=work.id,
        ref=work.ref,
        received_at=work.received_at,
        limits=console.desk.settings.limits,
        authserv_ids=(),
    )
