"""What machines wrote about mails of ours is settled by rule; what a person may mean is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from triage.pipeline.decide import decide
from triage.pipeline.reading import read
from triage.rules.rulebook import Rulebook
from triage.settings import Business, DecisionRules, OwnLabel, Rules
from triage.types import Form, Inquiry, Outcome, Party, Report, SourceRef

OUR = Business(domains=("us.example",))
REPORT = Report("delivery", "failed", "5.1.1", "zeke@brewing.example", "dana@us.example")
BOUNCE = Inquiry(
    id="1",
    ref=SourceRef("inbox", "imap", "1"),
    channel="email",
    received_at=datetime.now(UTC),
    sender=Party(email="mailer-daemon@mx.us.example"),
    recipients=(Party(email="inquiries@us.example"),),
    subject="Undelivered",
    text="It could not be delivered.",
    forwarded="Please come on Tuesday.",
    report=REPORT,
)
AWAY = replace(
    BOUNCE,
    sender=Party(email="walt@harlan.example"),
    subject="Automatic reply: Your quote",
    text="I am away.",
    forwarded="",
    report=None,
    thread=("<q@us.example>", "<a@harlan.example>"),
    marks={"automatic": "auto-replied"},
)


def book(**rules: Any) -> Rulebook:
    return Rulebook(Rules(**rules), OUR, {"gmail.com"})


def rule(inquiry: Inquiry, **rules: Any) -> str | None:
    return book(**rules).rule(inquiry).rule


def test_a_settled_mail_is_filed_and_says_by_which_rule() -> None:
    reading = read(BOUNCE, None, "", book().rule(BOUNCE))
    assert reading.settled is not None
    assert (reading.settled.label, reading.settled.model) == (
        "irrelevant",
        "rule:delivery-report@1",
    )
    decision = decide(reading.settled, None, DecisionRules(), reading.doubts, reading.ruling)
    assert decision.outcome is Outcome.FILE
    assert decision.reason == (
        "irrelevant by rule delivery-report, a delivery report on our mail to zeke@brewing.example "
        "(failed 5.1.1, RFC 3464)"
    )
    wanted = {"bounces": OwnLabel(base="irrelevant", outcome="review")}
    named = replace(reading.settled, own="bounces")
    kept = decide(named, None, DecisionRules(), (), reading.ruling, wanted)
    assert kept.outcome is Outcome.REVIEW


def test_settling_can_be_switched_off() -> None:
    assert rule(BOUNCE, settle=False) is None
    assert rule(AWAY, settle=False) is None


def test_what_people_set_comes_first() -> None:
    assert rule(AWAY, allow=["harlan.example"]) == "allow-list"
    assert rule(AWAY, block=["harlan.example"]) == "block-list"


@pytest.mark.parametrize(
    "change",
    [
        {"author": "zeke@brewing.example"},  # what came back is somebody's inquiry
        {"author": ""},
        {"passed_on": True},
        {"action": ""},
        {"action": "of my own making"},
    ],
)
def test_only_reports_on_mails_of_ours_are_settled(change: dict[str, Any]) -> None:
    assert rule(BOUNCE) == "delivery-report"
    assert rule(replace(BOUNCE, report=replace(REPORT, **change))) is None


def test_the_mailbox_itself_is_ours_without_any_domain() -> None:
    ours = replace(BOUNCE, report=replace(REPORT, author="Inquiries@US.example"))
    assert Rulebook(Rules(), Business()).rule(ours).rule == "delivery-report"
    assert Rulebook(Rules(), Business()).rule(BOUNCE).rule is None


def test_receipts_and_complaints() -> None:
    receipt = Report("disposition", "displayed", recipient="x@y.example")
    assert rule(replace(BOUNCE, report=receipt)) == "read-receipt"
    assert rule(replace(BOUNCE, report=replace(receipt, action=""))) is None
    complaint = Report("feedback", "abuse", author="news@us.example")
    assert rule(replace(BOUNCE, report=complaint)) == "abuse-report"
    assert rule(replace(BOUNCE, report=replace(complaint, author="a@b.example"))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"marks": {"automatic": "auto-generated"}},  # portals and shops
        {"marks": {"automatic": "subject"}},
        {"marks": {}},
        {"thread": ("<a@harlan.example>",)},  # it answers nothing
        {"forwarded": "From: ann@x.example\n\nPlease quote two boilers"},
        {"headers": {"reply-to": "ann@x.example"}},  # a ticket system
        {"subject": "New lead from the form"},
        {
            "sender": Party(email="web@us.example"),
            "headers": {"auto-submitted": "auto-replied"},
        },
        {"text": "word " * 500},
        {"form": Form("colons", "", (("Name", "Ann"),), Party("Ann"))},
    ],
)
def test_automatic_is_settled_only_where_nobody_can_mean_it(change: dict[str, Any]) -> None:
    assert rule(AWAY) == "automatic-reply"
    assert rule(replace(AWAY, headers={"reply-to": "Walt <walt@harlan.example>"}))
    assert rule(replace(AWAY, **change)) is None


def test_lists_are_never_settled() -> None:
    listed = replace(AWAY, marks={"bulk": "list"}, headers={"list-id": "<weekly.example>"})
    assert rule(listed) is None


def test_who_filled_in_a_form_is_known_by_the_lists() -> None:
    form = Form("colons", "", (("Email", "ann@x.example"),), Party("Ann", "ann@x.example"))
    filled = replace(AWAY, sender=Party(email="web@us.example"), marks={}, form=form)
    assert rule(filled) is None  # no colleague's mail, though it comes from inside
    assert rule(filled, allow=["ann@x.example"]) == "allow-list"
    assert rule(filled, block=["x.example"]) == "block-list"


def test_forged_is_what_believed_servers_say() -> None:
    colleague = replace(AWAY, sender=Party(email="joe@us.example"), marks={}, thread=())
    trusting: dict[str, Any] = {"authserv_ids": ["mx.us.example"]}
    assert rule(colleague, **trusting) == "own-domain"
    for marks, forged in (
        ({"dmarc": "fail"}, True),
        ({"dmarc": "pass", "spf": "fail"}, False),
        ({"dmarc": "none", "spf": "softfail"}, True),
        ({"spf": "fail", "dkim": "pass"}, False),
        ({"spf": "pass"}, False),
    ):
        found = rule(replace(colleague, marks=marks), **trusting)
        assert found == (None if forged else "own-domain"), marks
    stated = replace(colleague, headers={"authentication-results": "evil.example; dmarc=fail"})
    assert rule(stated, **trusting) == "own-domain"
    assert rule(stated) is None  # nobody is named: any finding takes trust away
