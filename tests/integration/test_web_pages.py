"""The console's pages over a store as a worker leaves it: what they show, what they never do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from classifiers.model import Classifier
from tests.support import stored
from tests.support.console import Served, served
from tests.support.shop import ATTACK, SETTINGS, Shop, fill, tone
from triage.store.accounts import Reach, Role
from triage.store.arrivals import Arrival
from triage.store.listing import Place, Wanted
from triage.store.outbox import Attempt
from triage.store.repository import Repository
from triage.types import DeliveryState, Outcome, RawItem, SourceRef, Stage

SEES_CALLS = Reach(sources=("calls",))


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def shop(any_repository: Repository) -> Shop:
    return fill(any_repository)


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier.load(threads=1)


@pytest.fixture
def console(any_repository: Repository) -> Iterator[Served]:
    with served(any_repository, **SETTINGS) as found:
        yield found


def listed(page: str) -> list[str]:
    return re.findall(r'class="line" id="(\w+)"', page)


def test_the_inbox_shows_everything_newest_first_and_filters(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.VIEWER) as visitor:
        everything = listed(visitor.get("/inquiries").text)
        assert everything[:4] == [shop.lead, shop.call, shop.form, shop.attack]
        assert len(everything) == 17
        for query, ids in (
            ("label=lead", [shop.lead, shop.call, shop.form]),
            ("outcome=review", [shop.form]),
            ("channel=call", [shop.call]),
            ("source=calls", [shop.call]),
            ("campaign=radio", [shop.call]),
            ("stage=quarantined", [shop.broken]),
            ("label=lead&channel=email&outcome=forward", [shop.lead]),
            ("since=2200-01-01", []),
            ("until=2000-01-01", []),
        ):
            assert listed(visitor.get(f"/inquiries?{query}").text) == ids, query
        empty = visitor.get("/inquiries?label=nothing").text
        assert "Nothing fits" in empty
        for wrong in ("outcome=x", "since=yesterday", "after=nowhere"):
            assert visitor.get(f"/inquiries?{wrong}").status_code == 422


def test_a_page_names_the_corrected_inquiries_that_its_reader_may_see(
    any_repository: Repository, shop: Shop, console: Served
) -> None:
    work = stored.received(any_repository, "like others")
    assert any_repository.worklist.parsed(work, stored.inquiry(work))
    verdict = replace(stored.verdict("spam"), model="m@1+memory", recalled=(shop.call, shop.lead))
    assert any_repository.worklist.classified(stored.current(any_repository, work.id), verdict)
    said = "Like what people labelled:"
    with console.signed_in(Role.VIEWER) as visitor:
        page = visitor.get(f"/inquiries/{work.id}").text
        assert said in page
        assert page.count(f'href="/inquiries/{shop.call}"') == 1
    with console.signed_in(Role.VIEWER, "bea", Reach(sources=("inbox",))) as visitor:
        page = visitor.get(f"/inquiries/{work.id}").text
        assert f'href="/inquiries/{shop.lead}"' in page.partition(said)[2]
        assert f'href="/inquiries/{shop.call}"' not in page
    history = any_repository.archive.history(work.id)
    assert {"like": [shop.call, shop.lead]}.items() <= dict(history[-1].detail).items()


def test_pages_of_the_list_lose_and_repeat_nothing(any_repository: Repository) -> None:
    rows = [stored.arrival(f"n{i}", received_at=stored.ARRIVED + timedelta(seconds=i // 3))
            for i in range(25)]  # fmt: skip
    ids = set(any_repository.arrivals.receive(rows))
    seen: list[str] = []
    after: Place | None = None
    for _ in range(10):
        page = any_repository.listing.inquiries(Wanted(), after=after, limit=4)
        seen += [row.id for row in page.rows]
        if page.next is None:
            break
        after = Place.parse(str(page.next))
    assert len(seen) == 25
    assert set(seen) == ids


def test_a_page_within_several_sources_is_the_newest_of_all(
    any_repository: Repository, shop: Shop
) -> None:
    listing = any_repository.listing
    everything = listing.inquiries(Wanted(), limit=100).rows
    for reach in (Reach(("inbox", "calls")), Reach(("inbox", "calls"), ("radio", "spring", "x"))):
        first = listing.inquiries(Wanted(), reach, limit=5)
        assert [row.id for row in first.rows] == [row.id for row in everything[:5]]
        rest = listing.inquiries(Wanted(), reach, after=first.next, limit=100)
        assert [row.id for row in rest.rows] == [row.id for row in everything[5:]]
    settled = listing.inquiries(Wanted(stage=Stage.SETTLED), limit=100).rows
    assert len(settled) == len(everything) - 1


@pytest.mark.parametrize("path", ["", "/inquiries", "/deliveries", "/quarantine", "/sources"])
def test_an_empty_console_says_what_to_do_next(repository: Repository, path: str) -> None:
    with served(repository) as console, console.signed_in(Role.ADMIN) as visitor:
        page = visitor.get(path or "/", follow_redirects=True).text
    assert 'class="card empty"' in page
    assert "<code>[[" in page or "quarantine" in path


def test_a_mail_is_shown_with_its_structure_and_its_evidence(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.VIEWER) as visitor:
        page = visitor.get(f"/inquiries/{shop.lead}").text
    assert '<mark id="ev-1-1" title="company size">40 people</mark>' in page
    assert '<a href="#ev-1-1">“40 people”</a>' in page
    for text in ("<summary>Signature</summary>", "<summary>Quoted text</summary>", "plan.pdf",
                 "Floor plan, 2nd floor", "Grade B", "Lead at 93%"):  # fmt: skip
        assert text in page, text
    points = [int(p) for p in re.findall(r'<td class="right">([+-]\d+)</td>', page)]
    assert sum(points) == 60
    assert 'action="/inquiries' not in page, "a viewer labels nothing"


def test_a_call_is_heard_from_where_it_was_said(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.VIEWER) as visitor:
        page = visitor.get(f"/inquiries/{shop.call}").text
        assert 'data-at="3.9" aria-label="Play budget from 0:03"' in page
        assert 'title="budget">18 thousand</mark>' in page
        assert '<li data-start="5.0" data-end="8.0" class="doubtful">' in page
        where, sound = f"/inquiries/{shop.call}/recording", tone()
        whole = visitor.get(where)
        assert (whole.status_code, whole.content) == (200, sound)
        assert whole.headers["content-type"] == "audio/wav"
        part = visitor.get(where, headers={"range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, sound[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(sound)}"
        assert visitor.get(where, headers={"range": "bytes=99999999-"}).status_code == 416
        assert visitor.get(f"/inquiries/{shop.lead}/recording").status_code == 404


def test_whatever_people_send_is_text(console: Served, shop: Shop) -> None:
    repository = console.repository
    with console.signed_in(Role.ADMIN, ATTACK[:80]) as visitor:
        visitor.post(f"/inquiries/{shop.attack}/label", data={"label": "support", "note": ATTACK})
        ids = [shop.attack, shop.call]
        pages = [visitor.get(f"/inquiries/{name}").text for name in ids]
        pages += [visitor.get(path).text for path in
                  ("/inquiries", "/users", "/audit", "/account", "/deliveries")]  # fmt: skip
        pages.append(visitor.get("/inquiries", params={"campaign": ATTACK, "label": ATTACK}).text)
        pages.append(visitor.get("/deliveries", params={"destination": ATTACK}).text)
    with console.visitor() as anybody:
        pages.append(anybody.get("/sign-in", params={"next": ATTACK}).text)
        pages.append(anybody.post("/sign-in", data={"name": ATTACK, "password": "x"}).text)
    assert repository.corrections.of(shop.attack)[0].note == ATTACK
    for page in pages:
        for tag, attributes in Elements(page).found:
            assert tag not in {"iframe", "object", "embed", "style", "base"}
            assert tag != "script" or str(attributes["src"]).startswith("/static/")
            assert tag != "img" or str(attributes["src"]).startswith("/static/")
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            for name in ("href", "src", "action"):
                assert re.match(r"[/#]", attributes.get(name) or "/"), attributes
        assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|&amp;(\d+)", page), (
            "a template in a template"
        )
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[0]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000])
def test_ids_are_no_paths(console: Served, shop: Shop, name: str) -> None:
    with console.signed_in(Role.ADMIN) as visitor:
        for path in ("/inquiries/{}/recording", "/inquiries/{}/raw", "/inquiries/{}", "/static/{}"):
            answer = visitor.get(path.format(name))
            assert answer.status_code in {400, 404, 422}, (path, answer.status_code)
            assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("Heating and cooling: heat pumps, boilers, yearly maintenance", None),
        ("Ballet lessons for children", "it may be meant for another"),
        ("", None),
    ],
)
def test_what_made_a_label_is_told_in_words_and_by_the_business(
    any_repository: Repository, shop: Shop, model: Classifier, does: str, said: str | None
) -> None:
    with (
        served(any_repository, lambda: model, **SETTINGS, business={"sells": does}) as console,
        console.signed_in(Role.VIEWER) as visitor,
    ):
        for _ in range(2):  # the second time from memory
            shown = visitor.get(f"/inquiries/{shop.lead}/explanation").text
            assert "Words that made it lead" in shown
            assert ("What is asked fits the business" in shown) is bool(does)
            assert ("it may be meant for another" in shown) is bool(said)


def test_what_is_out_of_reach_is_as_if_it_were_not_there(console: Served, shop: Shop) -> None:
    delivery = console.repository.outbox.listed(inquiry_id=shop.lead)[0].id
    with console.signed_in(Role.REVIEWER, "bob", SEES_CALLS) as visitor:
        assert listed(visitor.get("/inquiries").text) == [shop.call]
        assert listed(visitor.get("/inquiries?source=inbox").text) == []
        assert visitor.get(f"/inquiries/{shop.call}").status_code == 200
        for path in ("", "/recording", "/raw", "/explanation"):
            assert visitor.get(f"/inquiries/{shop.lead}{path}").status_code == 404, path
        for path in (f"/inquiries/{shop.lead}/label", f"/deliveries/{delivery}/retry",
                     f"/quarantine/{shop.broken}/retry"):  # fmt: skip
            assert visitor.post(path, data={"label": "spam"}).status_code == 404, path
        assert shop.lead not in visitor.get("/deliveries").text
        assert shop.broken not in visitor.get("/quarantine").text
        assert "inbox" not in visitor.get("/sources").text
        assert visitor.post("/quarantine/retry").status_code == 200
    assert stored.current(console.repository, shop.broken).stage is Stage.QUARANTINED
    assert console.repository.archive.verdict(shop.lead).label == "lead"  # type: ignore[union-attr]


def test_a_label_acts_at_once_and_is_logged(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.REVIEWER, "bob") as visitor:
        where = f"/inquiries/{shop.lead}"
        answer = visitor.post(f"{where}/label", data={"label": "spam", "note": "a test"})
        assert answer.headers["location"] == f"{where}?done=label"
        assert visitor.post(f"{where}/label", data={"label": "nonsense"}).status_code == 422
        page = visitor.get(answer.headers["location"]).text
    assert "lead → <strong>spam</strong>: a test" in page
    (correction,) = console.repository.corrections.of(shop.lead)
    assert (correction.label, correction.by) == ("spam", "bob")
    entry = console.repository.audit.listed()[0]
    assert (entry.action, entry.by, entry.subject) == ("inquiry labelled", "bob", shop.lead)
    decision = console.repository.archive.decision(shop.lead)
    assert decision is not None
    assert decision.outcome is Outcome.FILE


def test_dead_letters_are_retried_one_or_all(console: Served, shop: Shop) -> None:
    outbox = console.repository.outbox

    def die() -> None:
        for delivery in outbox.listed(state=DeliveryState.PENDING):
            attempt = Attempt(delivery.created_at, 0.1, 500, "no")
            outbox.tried(delivery, attempt, DeliveryState.DEAD)

    die()
    (one, *others) = outbox.listed(state=DeliveryState.DEAD)
    assert others
    with console.signed_in(Role.REVIEWER, "bob") as visitor:
        assert "dead letter" in visitor.get("/deliveries?state=dead").text
        assert visitor.post(f"/deliveries/{one.id}/retry").status_code == 303
        assert outbox.counts()[DeliveryState.PENDING] == 1
        assert visitor.post("/deliveries/retry").status_code == 403
    with console.signed_in(Role.ADMIN, "ann") as visitor:
        assert visitor.post("/deliveries/retry").status_code == 303
    assert outbox.counts()[DeliveryState.DEAD] == 0


def test_quarantine_is_taken_up_again(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.REVIEWER, "bob") as visitor:
        assert "612 parts" in visitor.get("/quarantine").text
        answer = visitor.post(f"/quarantine/{shop.broken}/retry")
        assert answer.status_code == 303
        assert "Nothing in quarantine" in visitor.get("/quarantine").text
    assert stored.current(console.repository, shop.broken).stage is Stage.RECEIVED


def test_open_pages_hear_of_changes_and_of_nothing_else(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.VIEWER) as visitor:
        page = visitor.get("/inquiries").text
        (where,) = re.findall(r'hx-get="(/live\?seen=\d+)"', page)
        assert visitor.get(where).status_code == 204
        stored.received(console.repository, "news")
        answer = visitor.get(where)
        assert (answer.status_code, answer.headers["hx-trigger"]) == (200, "changed")
        assert visitor.get(re.findall(r'hx-get="([^"]+)"', answer.text)[0]).status_code == 204
        visitor.cookies.clear()
        gone = visitor.get(where, headers={"hx-request": "true"})
        assert (gone.status_code, gone.headers["hx-redirect"]) == (204, "/sign-in")


def test_settings_are_shown_without_secrets(console: Served) -> None:
    with console.signed_in(Role.ADMIN) as visitor:
        page = visitor.get("/settings").text
    assert "https://crm.example.com" in page
    assert "calls" in page
    for secret in ("s3cr3t", "whsec", "c2VjcmV0"):
        assert secret not in page


def test_sources_say_how_they_are(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.VIEWER) as visitor:
        page = visitor.get("/sources").text
    assert "3 failures in a row: the folder is gone" in page
    assert page.count('<span class="tag good">works</span>') == 1


def test_a_call_that_nobody_read_yet_is_not_heard(console: Served) -> None:
    repository = console.repository
    digest, size = repository.blobs.put(tone())
    ref = SourceRef("calls", "recordings", "unread")
    raw = RawItem(ref, stored.ARRIVED, digest, size, "audio/wav")
    (call,) = repository.arrivals.receive([Arrival(raw, "call", "call:unread")])
    digest, size = repository.blobs.put(b"Subject: x\n\nunread")
    raw = RawItem(
        SourceRef("inbox", "maildir", "u"), stored.ARRIVED, digest, size, "message/rfc822"
    )
    (mail,) = repository.arrivals.receive([Arrival(raw, "email", "mail:unread")])
    with console.signed_in(Role.REVIEWER) as visitor:
        page = visitor.get(f"/inquiries/{call}").text
        assert "<audio" not in page
        assert "once it is known" in page
        for path in ("recording", "waveform", "raw"):
            assert visitor.get(f"/inquiries/{call}/{path}").status_code == 403, path
        assert visitor.get(f"/inquiries/{mail}/raw").status_code == 200
