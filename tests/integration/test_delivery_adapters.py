"""Every kind of destination against a real server that looks at what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import ValidationError
from standardwebhooks import Webhook

from classifiers.labels import SIGNALS
from tests.support.receivers import Asked, Reply, serving
from triage.delivery.adapters.chat import slack_blocks
from triage.delivery.adapters.message import Message
from triage.delivery.client import HttpClient
from triage.delivery.registry import ADAPTERS, adapter_of
from triage.delivery.webhook import new_secret
from triage.demo.dovecot import free_port
from triage.errors import Configuration
from triage.settings import Destination
from triage.types import Delivery, DeliveryState

AT = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
FIRST, NEWS, GONE = ("msg_" + digit * 40 for digit in "123")


def signal(value: str, normalized: str = "") -> dict[str, Any]:
    return {"value": value, "normalized": normalized or None, "confidence": 0.9, "evidence": []}


def lead(event: str = "lead.qualified", event_id: str = FIRST, **more: Any) -> Delivery:
    data = {
        "inquiry_id": "inq_1",
        "source": "inbox",
        "campaign": "spring",
        "from": {"name": "Ann Example", "email": "ann@example.org", "phone": None},
        "subject": "Rooftop units",
        "label": "lead",
        "reason": "lead at 92%",
        "score": 72,
        "grade": "A",
        "signals": dict.fromkeys(SIGNALS)
        | {
            "contact_name": signal("Ann Example"),
            "company": signal("Acme & Söhne <Hotels>"),
            "email": signal("ann@example.org", "ann@example.org"),
            "phone": signal("614-555-0142", "+16145550142"),
        },
        "text": "We need 40 units <!channel>",
        "text_truncated": False,
        "links": {"inquiry": "https://triage.example/inquiries/inq_1?expires=1"},
    } | more
    body = json.dumps({"type": event, "schema": "1", "timestamp": AT.isoformat(), "data": data})
    return Delivery(
        event_id, "inq_1", "there", event, body, 0, DeliveryState.PENDING, AT,
        refers_to=data.get("refers_to", ""),
    )  # fmt: skip


def update(**more: Any) -> Delivery:
    told = {"refers_to": FIRST, "cause": "reply", "changes": ["inquiry"]}
    return lead("lead.updated", NEWS, **told | more)


def retraction() -> Delivery:
    told = {"refers_to": FIRST, "label": "spam", "corrected_by": "Dana", "note": "a test"}
    return lead("lead.retracted", GONE, signals=None, score=None, grade=None, text=None, **told)


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def there(kind: str, url: str = "", **more: Any) -> Destination:
    return Destination(name="there", kind=kind, url=url, allow_private=True, **more)  # type: ignore[arg-type]


def ok(_asked: Asked) -> Reply:
    return 200, b"ok"


def test_every_kind_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(Destination.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]
    with pytest.raises(Configuration, match="no destination of kind 'fax'"):
        adapter_of("fax")


# CloudEvents


def test_a_structured_cloud_event(client: HttpClient) -> None:
    secret = new_secret()
    with serving(ok) as (url, log):
        target = there("cloudevents", url, secret=secret)
        assert adapter_of("cloudevents").send(lead(), target, client).accepted
    (asked,) = log
    assert asked.headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
    event = asked.json
    assert event["specversion"] == "1.0"
    assert (event["id"], event["type"], event["subject"]) == (FIRST, "lead.qualified", "inq_1")
    assert event["source"] == "/triage/inbox"
    assert datetime.fromisoformat(event["time"]) == AT
    assert event["data"]["signals"]["company"]["value"] == "Acme & Söhne <Hotels>"
    assert Webhook(secret).verify(asked.body, asked.headers) == event


def test_a_binary_cloud_event(client: HttpClient) -> None:
    with serving(ok) as (url, log):
        target = there("cloudevents", url, mode="binary", secret="a-token")
        adapter_of("cloudevents").send(lead(source="büro 1"), target, client)
    (asked,) = log
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["ce-specversion"] == "1.0"
    assert asked.headers["ce-id"] == FIRST
    assert unquote(unquote(asked.headers["ce-source"])) == "/triage/büro 1"
    assert asked.headers["authorization"] == "Bearer a-token"
    assert asked.json["subject"] == "Rooftop units"
    assert "ce-datacontenttype" not in asked.headers


# Chats


def test_slack_gets_blocks_in_which_nobody_can_be_mentioned(client: HttpClient) -> None:
    with serving(ok) as (url, log):
        hook = f"{url}/services/T0/B0/x"
        assert adapter_of("slack").send(lead(), there("slack", secret=hook), client).accepted
    (asked,) = log
    assert asked.path == "/services/T0/B0/x"
    body = asked.json
    assert body["text"] == "Lead A (72): Acme &amp; Söhne &lt;Hotels&gt;"
    kinds = [block["type"] for block in body["blocks"]]
    assert kinds == ["header", "section", "section", "section", "context"]
    assert "<!channel>" not in json.dumps(body)
    assert all(len(block.get("fields", [])) <= 10 for block in body["blocks"])


def test_teams_gets_an_adaptive_card_and_its_hidden_failures_count(client: HttpClient) -> None:
    failed = b"Webhook message delivery failed with error: endpoint returned HTTP error 429 with"
    answers = iter([(200, b"1"), (202, b""), (200, failed)])
    with serving(lambda _: next(answers)) as (url, log):
        target = there("teams", url)
        answered = [adapter_of("teams").send(lead(), target, client) for _ in range(3)]
    assert [answer.accepted for answer in answered] == [True, True, False]
    assert answered[2].status == 429
    (attachment,) = log[0].json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    facts = {fact["title"]: fact["value"] for fact in card["body"][1]["facts"]}
    assert facts["Phone"] == "+16145550142"
    assert card["actions"][0]["url"].startswith("https://triage.example/")


@pytest.mark.parametrize("kind", ["slack", "teams"])
@pytest.mark.parametrize(
    "event", [update(), retraction(), lead("lead.unacknowledged", **{"from": "Ann"})]
)
def test_chats_are_told_of_every_event(kind: str, event: Delivery, client: HttpClient) -> None:
    with serving(ok) as (url, log):
        assert adapter_of(kind).send(event, there(kind, url), client).accepted
    assert any(word in log[0].body.decode() for word in ("answered", "after all", "Nobody"))


# Templates


def test_a_template_says_it_in_the_teams_own_words(client: HttpClient) -> None:
    template = '{"ref": {{ id|tojson }}, "who": {{ data.signals.company.value|tojson }}}'
    with serving(ok) as (url, log):
        target = there("template", url, template=template, secret="key")
        assert adapter_of("template").send(lead(), target, client).accepted
    assert log[0].json == {"ref": FIRST, "who": "Acme & Söhne <Hotels>"}
    assert log[0].headers["authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ data.nothing }}", "no attribute 'nothing'"),
        ("{{ data.subject }}", "not JSON"),
        ("{% if %}", "template"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
    ],
)
def test_a_wrong_template_is_a_matter_of_settings(
    template: str, problem: str, client: HttpClient
) -> None:
    target = there("template", "http://127.0.0.1:1/", template=template)
    with pytest.raises(Configuration, match=problem):
        adapter_of("template").send(lead(), target, client)


# Customer databases


class HubSpot:
    """What is documented of HubSpot's CRM API, as far as it is used."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, str]] = {}
        self.leads: dict[str, dict[str, Any]] = {}

    def __call__(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"] == "Bearer pat-1"
        path, _, query = asked.path.partition("?")
        if asked.method == "PATCH":
            assert parse_qsl(query) == [("idProperty", "triage_id")]
            key = path.removeprefix("/crm/v3/objects/leads/")
            if key not in self.leads:
                return 404, {"status": "error", "category": "OBJECT_NOT_FOUND"}
            self.leads[key] |= asked.json["properties"]
            return 200, {"id": "9"}
        if path == "/crm/v3/objects/contacts/batch/upsert":
            (entry,) = asked.json["inputs"]
            assert entry["idProperty"] == "email"
            self.contacts[entry["id"]] = entry["properties"]
            return 200, {"status": "COMPLETE", "results": [{"id": "501", "new": True}]}
        if path == "/crm/v3/objects/contacts/search":
            (condition,) = asked.json["filterGroups"][0]["filters"]
            found = [c for c in self.contacts.values() if c.get("phone") == condition["value"]]
            return 200, {"total": len(found), "results": [{"id": "501"} for _ in found]}
        if path == "/crm/v3/objects/contacts":
            self.contacts[asked.json["properties"]["phone"]] = asked.json["properties"]
            return 201, {"id": "501"}
        assert path == "/crm/v3/objects/leads"
        (association,) = asked.json["associations"]
        assert association == {
            "to": {"id": "501"},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}],
        }
        properties = asked.json["properties"]
        assert properties["hs_lead_name"]
        self.leads[properties["triage_id"]] = properties
        return 201, {"id": "9"}


def test_hubspot_has_one_lead_however_often_it_is_told(client: HttpClient) -> None:
    account = HubSpot()
    with serving(account) as (url, _):
        target = there("hubspot", url, secret="pat-1", external_id="triage_id")
        adapter = adapter_of("hubspot")
        for event in (lead(), lead(), update()):
            assert adapter.send(event, target, client).accepted
        assert list(account.leads) == [FIRST]
        assert account.leads[FIRST]["hs_lead_label"] == "HOT"
        assert account.contacts["ann@example.org"] == {
            "email": "ann@example.org",
            "firstname": "Ann",
            "lastname": "Example",
            "phone": "+16145550142",
            "company": "Acme & Söhne <Hotels>",
        }
        assert adapter.send(retraction(), target, client).accepted
        assert account.leads[FIRST]["hs_pipeline_stage"] == "unqualified-stage-id"


def test_hubspot_finds_a_caller_by_number_and_needs_no_lead_to_retract(client: HttpClient) -> None:
    account = HubSpot()
    signals = dict.fromkeys(SIGNALS) | {"phone": signal("614-555-0142", "+16145550142")}
    with serving(account) as (url, log):
        target = there("hubspot", url, secret="pat-1", external_id="triage_id")
        assert adapter_of("hubspot").send(retraction(), target, client).accepted
        assert (len(log), account.leads) == (1, {})
        for event_id in (FIRST, NEWS):
            call = lead(event_id=event_id, signals=signals)
            assert adapter_of("hubspot").send(call, target, client).accepted
    assert (len(account.contacts), len(account.leads)) == (1, 2)


class Salesforce:
    """What is documented of Salesforce's REST API, as far as it is used."""

    def __init__(self) -> None:
        self.leads: dict[str, dict[str, str]] = {}
        self.token = 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/services/oauth2/token":
            form = dict(parse_qsl(asked.body.decode()))
            assert form == {
                "grant_type": "client_credentials", "client_id": "app", "client_secret": "s3cret",
            }  # fmt: skip
            self.token += 1
            return 200, {"access_token": f"token-{self.token}", "token_type": "Bearer"}
        if asked.headers["authorization"] != f"Bearer token-{self.token}":
            return 401, [{"errorCode": "INVALID_SESSION_ID"}]
        path, _, query = asked.path.partition("?")
        prefix = "/services/data/v62.0/sobjects/Lead/Triage_Id__c/"
        assert asked.method == "PATCH"
        assert path.startswith(prefix)
        key = path.removeprefix(prefix)
        if query == "updateOnly=true" and key not in self.leads:
            return 404, [{"errorCode": "NOT_FOUND"}]
        assert "Triage_Id__c" not in asked.json
        new = key not in self.leads
        self.leads.setdefault(key, {}).update(asked.json)
        assert self.leads[key]["LastName"]
        assert self.leads[key]["Company"]
        return (201, {"id": "00Q", "success": True}) if new else (204, b"")


def test_salesforce_has_one_lead_and_a_token_may_expire(client: HttpClient) -> None:
    organisation = Salesforce()
    with serving(organisation) as (url, log):
        target = there(
            "salesforce", url, external_id="Triage_Id__c", client_id="app", secret="s3cret"
        )
        adapter = adapter_of("salesforce")
        assert adapter.send(retraction(), target, client).accepted  # there is nothing to retract
        assert organisation.leads == {}
        assert adapter.send(lead(), target, client).accepted
        organisation.token += 1  # what was given out is no longer good
        assert adapter.send(update(), target, client).accepted
        assert adapter.send(retraction(), target, client).accepted
    (key,) = organisation.leads
    assert key == FIRST
    found = organisation.leads[key]
    assert (found["FirstName"], found["LastName"]) == ("Ann", "Example")
    assert (found["Rating"], found["Status"]) == ("Hot", "Closed - Not Converted")
    assert sum(asked.path == "/services/oauth2/token" for asked in log) == 2


def test_a_nameless_lead_has_what_salesforce_requires(client: HttpClient) -> None:
    organisation = Salesforce()
    signals = dict.fromkeys(SIGNALS) | {"phone": signal("614-555-0142", "+16145550142")}
    nobody = {"name": None, "email": None, "phone": None}
    with serving(organisation) as (url, _):
        target = there("salesforce", url, external_id="Triage_Id__c", secret="token-0")
        call = lead(signals=signals, **{"from": nobody})
        assert adapter_of("salesforce").send(call, target, client).accepted
    assert organisation.leads[FIRST]["LastName"] == "+16145550142"
    assert organisation.leads[FIRST]["Company"] == "[not provided]"


@pytest.mark.parametrize("kind", ["hubspot", "salesforce"])
def test_databases_take_leads_only(kind: str, client: HttpClient) -> None:
    target = there(kind, "http://127.0.0.1:1", external_id="x", secret="t")
    with pytest.raises(Configuration, match=r"not inquiry\.classified"):
        adapter_of(kind).send(lead("inquiry.classified"), target, client)


# Mail


class Mailroom:
    """A mail server's hands: keeps what it takes, refuses whom it is told to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = b""

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.refuse:
            return self.refuse.decode()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest.fixture
def mailroom() -> Iterator[tuple[Mailroom, Controller]]:
    def login(
        _server: object, _session: object, _envelope: object, _mechanism: str, data: Any
    ) -> AuthResult:
        return AuthResult(success=data.password == b"open sesame", handled=False)

    room = Mailroom()
    controller = Controller(
        room, hostname="127.0.0.1", port=free_port(), authenticator=login, auth_require_tls=False
    )
    controller.start()
    yield room, controller
    controller.stop()


def mailed(controller: Controller, **more: Any) -> Destination:
    settings = {
        "host": "127.0.0.1", "port": controller.port, "security": "none",
        "sender": "Triage <triage@brightwater.example>",
        "recipients": ("sales@brightwater.example", "night@brightwater.example"),
    } | more  # fmt: skip
    return there("smtp", **settings)


def test_a_mail_says_it_and_news_join_its_thread(
    mailroom: tuple[Mailroom, Controller], client: HttpClient
) -> None:
    room, controller = mailroom
    target = mailed(controller, username="triage", secret="open sesame")
    for event in (lead(), update(), retraction()):
        assert adapter_of("smtp").send(event, target, client).accepted
    first, news, gone = room.mails
    assert first["Subject"] == "Lead A (72): Acme & Söhne <Hotels>"
    assert first["Message-ID"] == f"<{FIRST}@brightwater.example>"
    assert news["In-Reply-To"] == gone["References"] == first["Message-ID"]
    assert first["Reply-To"] == "ann@example.org"
    body = first.get_body(("plain",))
    assert body is not None
    assert "Phone: +16145550142" in body.get_content()
    (attached,) = first.iter_attachments()
    assert json.loads(attached.get_content()) == json.loads(lead().body)
    assert gone["Subject"].startswith("No lead after all: Ann Example is spam, says Dana")


def test_what_a_mail_server_refuses_is_tried_again_and_a_login_is_not(
    mailroom: tuple[Mailroom, Controller], client: HttpClient
) -> None:
    room, controller = mailroom
    room.refuse = b"451 come back later"
    answer = adapter_of("smtp").send(lead(), mailed(controller), client)
    assert (answer.accepted, answer.error) == (False, "answered 451 come back later")
    target = mailed(controller, username="triage", secret="wrong")
    with pytest.raises(Configuration, match="refused the login"):
        adapter_of("smtp").send(lead(), target, client)
    closed = mailed(controller, port=1)
    assert "Connection refused" in adapter_of("smtp").send(lead(), closed, client).error


def test_a_mail_goes_nowhere_private_unless_it_may(
    mailroom: tuple[Mailroom, Controller], client: HttpClient
) -> None:
    target = mailed(mailroom[1]).model_copy(update={"allow_private": False})
    with pytest.raises(Configuration, match="this machine itself"):
        adapter_of("smtp").send(lead(), target, client)


def test_a_mail_by_tls_checks_the_certificate(
    certificate: tuple[Path, Path], client: HttpClient
) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    room = Mailroom()
    controller = Controller(
        room, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True
    )
    controller.start()
    try:
        trusting = mailed(controller, security="starttls", ca_file=certificate[0])
        assert adapter_of("smtp").send(lead(), trusting, client).accepted
        other = mailed(controller, security="starttls")
        answer = adapter_of("smtp").send(lead(), other, client)
        assert "certificate verify failed" in answer.error
    finally:
        controller.stop()
    assert len(room.mails) == 1


def test_leads_are_not_mailed_in_clear() -> None:
    with pytest.raises(ValidationError, match="would send leads in clear to mail"):
        there("smtp", host="mail.example", security="none", sender="a@b", recipients=("c@d",))


# Files


def test_a_file_has_each_event_once_whatever_was_interrupted(
    tmp_path: Path, client: HttpClient
) -> None:
    path = tmp_path / "new" / "leads.jsonl"
    target = there("file", path=path)
    adapter_of("file").send(lead(), target, client)
    with path.open("ab") as file:
        file.write(b'{"id": "' + NEWS.encode() + b'", "type')  # a crash in the middle of a line
    fresh = type(adapter_of("file"))()  # a worker that starts anew
    for event in (lead(), update(), update()):
        assert fresh.send(event, target, client).accepted
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == [FIRST, NEWS]
    assert lines[0]["data"]["signals"]["company"]["value"] == "Acme & Söhne <Hotels>"
    path.rename(tmp_path / "rotated")
    assert fresh.send(retraction(), target, client).accepted
    assert json.loads(path.read_text("utf-8"))["id"] == GONE


def test_many_threads_write_whole_lines(tmp_path: Path, client: HttpClient) -> None:
    target = there("file", path=tmp_path / "leads.jsonl")
    ids = [f"msg_{number:040d}" for number in range(20)]
    threads = [
        threading.Thread(target=adapter_of("file").send, args=(lead(event_id=name), target, client))
        for name in ids * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "leads.jsonl").read_text("utf-8").splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == ids


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path, client: HttpClient) -> None:
    (tmp_path / "taken").write_text("")
    answer = adapter_of("file").send(lead(), there("file", path=tmp_path / "taken" / "x"), client)
    assert not answer.accepted
    assert "taken" in answer.error


def test_standard_output_has_each_event_once(
    client: HttpClient, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = type(adapter_of("file"))()
    for _ in range(2):
        assert fresh.send(lead(), there("file"), client).accepted
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [FIRST]


def test_a_field_for_slack_is_never_too_long() -> None:
    blocks = slack_blocks(Message("Lead", (("Subject", "&" * 600),), "", "", "inq_1"))["blocks"]
    assert all(len(field["text"]) <= 2000 for block in blocks for field in block.get("fields", []))
