"""What attackers try on the console, beside what `test_web_sign_in.py` (fixation, guessing, forged
requests one by one), `test_web_oidc.py` (providers that lie), `test_web_rights.py` (roles, route by
route) and `tests/browser/test_security.py` (scripts in a real browser) show.
"""

from __future__ import annotations

import csv
import http.client
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from tests.support import stored
from tests.support.console import NOBODY, PASSWORD, Served, served
from tests.support.routes import Way, ways
from tests.support.shop import SETTINGS, Shop, fill
from triage.errors import Usage
from triage.settings import Store
from triage.store import tables
from triage.store.accounts import Reach, Role
from triage.store.audit import Actor
from triage.store.repository import Repository
from triage.types import DeliveryState
from triage.web.pages import table
from triage.web.pages.table import COLUMNS, harmless

WAYS = ways()
UNSAFE = [way for way in WAYS if way.method not in {"GET", "HEAD", "OPTIONS"}]
# One is logged because it takes data out, the other two do not end or ask the model.
_ELSE = ("/inquiries.csv", "/live", "/inquiries/{inquiry_id}/explanation")
SAFE = [way for way in WAYS if way.method == "GET" and way.path not in _ELSE]
ABOUT_ONE = [way for way in WAYS if re.search(r"\{(inquiry|delivery)_id\}", way.path)]
FORM = {
    "label": "lead", "note": "x", "name": "mallory", "password": PASSWORD, "role": "admin",
    "scope": "read", "destination": "crm", "token": "tok_x", "session": "", "issuer": "x",
    "code": "x", "repeated": PASSWORD, "disabled": "true", "text": "x", "signal": "budget",
}  # fmt: skip
BODIES = {
    "/api/inquiries/{inquiry_id}/signals": {"signal": "budget", "value": "$ 5,000"},
    "/api/label-errors/{inquiry_id}": {"answer": "take"},
}


@pytest.fixture(scope="module")
def repository_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    repository = Repository(Store(data_dir=tmp_path_factory.mktemp("security")))
    repository.database.upgrade()
    yield repository
    repository.close()


@pytest.fixture(scope="module")
def shop(repository_of_all: Repository) -> Shop:
    return fill(repository_of_all)


@pytest.fixture(scope="module")
def console(repository_of_all: Repository) -> Iterator[Served]:
    with served(repository_of_all, **SETTINGS) as found:
        found.user(Role.ADMIN, "root")
        yield found


def happened(console: Served) -> tuple[object, ...]:
    """What changes when anything does."""
    repository = console.repository
    newest = repository.audit.listed(limit=1)
    users = tuple(repository.accounts.listed())
    return newest[0].id if newest else 0, repository.listing.changes(), len(users)


@pytest.mark.parametrize("way", UNSAFE, ids=lambda way: f"{way.method} {way.path}")
def test_no_other_site_can_have_a_browser_do_anything(
    console: Served, shop: Shop, way: Way
) -> None:
    address = re.sub(r"\{(inquiry)_id\}", shop.lead, way.path)
    address = re.sub(r"\{\w+\}", "none", address)
    with console.signed_in(Role.ADMIN, "root") as visitor:
        before = happened(console)
        del visitor.headers["sec-fetch-site"]
        for forged in (
            {"sec-fetch-site": "cross-site", "origin": console.url},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": console.url.replace("http:", "https:") + "0"},
            {},
        ):
            answer = visitor.request(way.method, address, data=FORM, headers=forged)
            assert answer.status_code == 403, forged
            assert "did not come from a page of the console" in answer.text
        # Nor by a token that is none: a cookie beside it counts for nothing.
        bearer = {"authorization": "Bearer x"}
        answer = visitor.request(way.method, address, data=FORM, headers=bearer)
        assert answer.status_code in {303, 401, 403, 422}
        assert "/account" not in answer.headers.get("location", "")
        assert happened(console) == before
        assert visitor.get("/account").status_code == 200, "signed out"


@pytest.mark.parametrize("way", SAFE, ids=lambda way: f"{way.method} {way.path}")
def test_to_look_changes_nothing(console: Served, shop: Shop, way: Way) -> None:
    address = way.path.replace("{inquiry_id}", shop.lead)
    with console.signed_in(Role.ADMIN, "root") as visitor:
        before = happened(console)
        visitor.get(re.sub(r"\{\w+\}", "none", address), params=FORM)
        assert happened(console) == before


@pytest.mark.parametrize(
    "reach",
    [Reach(sources=("calls",)), Reach(campaigns=("radio",)), Reach(("inbox",), ("radio",))],
    ids=["another mailbox", "another campaign", "a campaign that is elsewhere"],
)
@pytest.mark.parametrize("way", ABOUT_ONE, ids=lambda way: f"{way.method} {way.path}")
def test_what_is_out_of_reach_answers_as_what_is_not_there(
    console: Served, shop: Shop, way: Way, reach: Reach
) -> None:
    delivery = console.repository.outbox.listed(inquiry_id=shop.lead)[0].id
    name = f"far-{reach.sources}-{reach.campaigns}".lower()
    before = happened(console)[1]

    def asked(inquiry: str, delivery: str) -> tuple[int, str]:
        address = way.path.replace("{inquiry_id}", inquiry).replace("{delivery_id}", delivery)
        address = address.replace("{signal}", "budget")
        if way.path.startswith("/api/"):
            answer = program.request(
                way.method, address, json=BODIES.get(way.path, {"label": "lead"})
            )
        elif way.method == "GET":
            answer = visitor.get(address)
        else:
            answer = visitor.request(way.method, address, data=FORM)
        return answer.status_code, answer.text.replace(inquiry, "").replace(delivery, "")

    with console.signed_in(Role.ADMIN, name, reach) as visitor:
        actor = console.user(Role.ADMIN, name, reach)
        token, _ = console.repository.tokens.create(
            actor, "t", ["read", "review", "admin"], None, by=NOBODY
        )
        with console.visitor(authorization=f"Bearer {token}") as program:
            there, missing = asked(shop.lead, delivery), asked("inq_none", "msg_none")
    assert there[0] == missing[0] == 404
    assert there[1] == missing[1], "the answer tells that there is something"
    assert happened(console)[1] == before


def test_lists_and_acts_on_many_stay_within_reach(repository: Repository) -> None:
    shop = fill(repository)
    far = Reach(sources=("calls",))
    (lead,) = repository.outbox.listed(inquiry_id=shop.lead)
    (call,) = repository.outbox.listed(inquiry_id=shop.call)
    with repository.database.write() as connection:
        connection.execute(update(tables.deliveries).values(state=DeliveryState.DEAD))
    with (
        served(repository, **SETTINGS) as console,
        console.signed_in(Role.ADMIN, "far", far) as visitor,
    ):
        for path in ("/inquiries", "/inquiries.csv", "/deliveries", "/quarantine", "/sources",
                     "/review", "/inquiries?words=heat", "/bulk?sender=ann@example.org&label=spam",
                     "/api/inquiries", "/api/inquiries?words=heat", "/api/deliveries"):  # fmt: skip
            page = visitor.get(path).text
            assert shop.lead not in page, path
            assert "Heat pump" not in page, path
        visitor.post("/deliveries/retry")
        visitor.post("/quarantine/retry")
        visitor.post("/bulk", data={"inquiry": [shop.lead], "label": "spam"})
    states = {one.id: one.state for one in repository.outbox.listed()}
    assert states[lead.id] is DeliveryState.DEAD
    assert states[call.id] is DeliveryState.PENDING
    assert repository.corrections.of(shop.lead) == []


def test_nobody_takes_back_what_went_out_of_their_reach(repository: Repository) -> None:
    shop = fill(repository)
    with (
        served(repository, **SETTINGS) as console,
        console.signed_in(Role.REVIEWER, "bob") as visitor,
    ):
        visitor.get("/review")
        where = f"/review/{shop.form}"
        said = visitor.post(where, data={"label": "support"}, headers={"x-part": "1"})
        assert said.status_code == 204, said.text
        bob = console.user(Role.REVIEWER, "bob")
        repository.accounts.change(bob.id, Role.REVIEWER, Reach(sources=("calls",)), by=NOBODY)
        assert visitor.post("/review/undo", headers={"x-part": "1"}).status_code == 404
        repository.accounts.change(bob.id, Role.REVIEWER, Reach(), by=NOBODY)
        assert visitor.post("/review/undo", headers={"x-part": "1"}).status_code == 200


def test_one_s_own_forms_reach_nobody_else(console: Served) -> None:
    victim = console.user(Role.ADMIN, "victim")
    actor = Actor(victim.id, victim.name)
    secret = console.repository.sessions.open(actor, "test", timedelta(hours=1))
    _, token = console.repository.tokens.create(victim, "t", ["read"], None, by=NOBODY)
    (session,) = console.repository.sessions.of(victim.id)
    with console.signed_in(Role.VIEWER, "thief") as thief:
        thief.post("/account/sessions/end", data={"session": session.id})
        thief.post("/account/tokens/revoke", data={"token": token.id})
        thief.post(
            "/account/password",
            data={"user": "victim", "current": PASSWORD, "password": "a stolen account",
                  "repeated": "a stolen account"},
        )  # fmt: skip
        for form in ({"scope": ["admin"]}, {"scope": ["review"]}, {"scope": ["ingest"]}):
            refused = thief.post("/account/tokens", data={"name": "x", "days": "0"} | form)
            assert refused.status_code == 422
    assert console.repository.sessions.find(secret) is not None
    assert [found.id for found in console.repository.tokens.of(victim.id)] == [token.id]
    known = console.repository.accounts.credentials("victim")
    before = console.repository.accounts.credentials("root")
    assert known is not None
    assert before is not None
    assert known[1] == before[1], "another's password was changed"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../pyproject.toml", "/static/%2e%2e/%2e%2e/__init__.py",
        "/static/..%2f..%2f__init__.py", "/static/..%5c..%5c__init__.py", "/static//etc/passwd",
        "/static/vendor/../../desk.py", "/static/%252e%252e/desk.py",
        "/inquiries/../static/console.css", "/inquiries/{call}/../../etc/passwd",
        "/inquiries/{call}/recording/../../../../etc/passwd",
        "/inquiries/{call}/recording?number=../../etc/passwd",
        "/inquiries/{call}/recording?number=-1", "/inquiries/{sha}/recording",
        "/inquiries/{sha}/raw", "/inquiries/blobs%2f{sha}/raw", "/api/inquiries/..%2f..%2fme",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_what_is_served(console: Served, shop: Shop, path: str) -> None:
    work = console.repository.worklist.get(shop.call)
    assert work is not None
    with console.signed_in(Role.ADMIN, "root") as visitor:
        cookie = f"triage-session={visitor.cookies['triage-session']}"
    host = urlsplit(console.url)
    # By hand: clients that care for people clean such paths up before they send them.
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=10)
    connection.request(
        "GET", path.format(call=shop.call, sha=work.sha256), headers={"cookie": cookie}
    )
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status in {400, 404, 422}, (answer.status, body[:200])
    assert b"root:" not in body
    assert b"import annotations" not in body


def test_a_recording_s_place_is_its_digest_and_nothing_that_came_with_it(
    repository: Repository,
) -> None:
    for name in ("../../../etc/passwd", "/etc/passwd", "a/../../b", "x" * 64, "A" * 64, ""):
        with pytest.raises(Exception, match=r"."):
            repository.blobs.read(name)
    digest, _ = repository.blobs.put(b"kept")
    assert Path(repository.blobs.path(digest)).is_relative_to(repository.blobs.path(digest).anchor)
    assert repository.blobs.read(digest) == b"kept"


@pytest.mark.parametrize(
    "begins", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_no_cell_is_a_formula(begins: str) -> None:
    assert harmless(f"{begins}cmd|' /C calc'!A0") == f"'{begins}cmd|' /C calc'!A0"
    assert harmless(f"a{begins}b") == f"a{begins}b"
    assert harmless(-1) == "-1", "a number of ours is none"


def test_the_list_is_a_table_without_formulas_masked_and_logged(
    any_repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_AT_ONCE", 5)  # several pages
    shop = fill(any_repository)
    with any_repository.database.write() as connection:
        column = tables.inquiries.c
        for name, sender, subject in (
            (shop.lead, '=HYPERLINK("http://evil.example","x")', "@SUM(1+1)*cmd|' /C calc'!A0"),
            (shop.form, "+1 614 555 0100", 'two\r\nlines, "quoted", 4111 1111 1111 1111'),
        ):
            connection.execute(
                update(tables.inquiries)
                .where(column.id == name)
                .values(sender=sender, subject=subject)
            )
    with served(any_repository, **SETTINGS) as console:
        with console.signed_in(Role.VIEWER, "bob") as visitor:
            answer = visitor.get("/inquiries.csv")
            leads = visitor.get("/inquiries.csv?label=lead&channel=email").text
            assert visitor.get("/inquiries.csv?since=yesterday").status_code == 422
            page = visitor.get("/inquiries?label=lead").text
        with console.signed_in(Role.VIEWER, "far", Reach(sources=("calls",))) as visitor:
            far = visitor.get("/inquiries.csv").text
        with console.visitor() as anybody:
            assert anybody.get("/inquiries.csv").status_code == 303
        with console.program(Role.ADMIN, "read") as program:
            assert program.get("/inquiries.csv").status_code == 303
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="inquiries.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert 'href="/inquiries.csv?label=lead"' in page
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len({row["id"] for row in rows}) == len(rows) == 17
    assert not [cell for row in rows for cell in row.values() if cell[:1] in set("=+-@\t\r\n")]
    found = {row["id"]: row for row in rows}
    assert found[shop.lead]["sender"].startswith("'=HYPERLINK")
    assert found[shop.form]["sender"].startswith("'+1")
    assert "4111" not in found[shop.form]["subject"], "what must not leave left"
    assert 'lines, "quoted"' in found[shop.form]["subject"]
    assert leads.count("\r\ninq_") == 2
    assert shop.call in far
    assert shop.lead not in far
    entries = [one for one in any_repository.audit.listed() if one.action == "list exported"]
    assert [(one.by, one.detail) for one in entries] == [
        ("far", {}), ("bob", {"label": "lead", "channel": "email"}), ("bob", {}),
    ]  # fmt: skip


def test_a_way_back_opens_one_account_once_and_for_an_hour(
    any_repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    resets = any_repository.resets
    with served(any_repository) as console, console.visitor() as visitor:
        root = console.user(Role.ADMIN, "root")
        with pytest.raises(Usage, match="there are root"):
            resets.create("rooot", by=NOBODY)
        old, code = resets.create("root", by=NOBODY), resets.create(" Root", by=NOBODY)
        actor = Actor(root.id, root.name)
        before = any_repository.sessions.open(actor, "test", timedelta(hours=1))
        form = {"code": code, "password": "another long one", "repeated": "another long one"}
        assert visitor.get(f"/reset?code={old}").status_code == 422, "a newer one was made"
        assert "root" in visitor.get(f"/reset?code={code}").text
        assert visitor.post("/reset", data=form | {"repeated": "x"}).status_code == 422
        visitor.cookies.set("triage-session", "planted", domain="127.0.0.1")
        answer = visitor.post("/reset", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert answer.cookies["triage-session"] != "planted"
        assert any_repository.sessions.find(before) is None, "whoever had a session has none"
        assert visitor.post("/reset", data=form).status_code == 422, "it works once"
        login = {"name": "root", "password": "another long one"}
        with console.visitor() as other:
            assert other.post("/sign-in", data=login).status_code == 303
        late = resets.create("root", by=NOBODY)
        with any_repository.database.write() as connection:
            ended = stored.ARRIVED - timedelta(days=9999)
            connection.execute(update(tables.resets).values(expires_at=ended))
        assert visitor.post("/reset", data=form | {"code": late}).status_code == 422
        console.user(Role.ADMIN, "second")
        barred = resets.create("root", by=NOBODY)
        any_repository.accounts.disable(root.id, disabled=True, by=NOBODY)
        assert visitor.post("/reset", data=form | {"code": barred}).status_code == 422
        with pytest.raises(Usage, match="shut out"):
            resets.create("root", by=NOBODY)
        guesses = [visitor.post("/reset", data=form | {"code": "x"}) for _ in range(20)]
        assert guesses[-1].status_code == 429
    actions = [entry.action for entry in any_repository.audit.listed()]
    assert actions.count("way back used") == 1
    assert actions.count("way back made") == 4
