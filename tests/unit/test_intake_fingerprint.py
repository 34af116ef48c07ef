"""The same mail has one fingerprint, whatever ways it took; another mail has another."""

from __future__ import annotations

import pytest

from triage.intake.fingerprint import fingerprint

BARE = b"From: a@x.example\nSubject: s\n\nFirst\n\nSecond"
DATED = b"Date: Mon, 2 Mar 2026 09:00:00 +0000\nMessage-ID: <1@x.example>\n" + BARE


@pytest.mark.parametrize("mail", [BARE, DATED])
def test_line_ends_do_not_matter(mail: bytes) -> None:
    wire = mail.replace(b"\n", b"\r\n")
    assert fingerprint(mail) == fingerprint(wire)
    assert fingerprint(mail.replace(b"First\n", b"First\r\n")) == fingerprint(wire)


def test_of_a_mail_without_date_and_id_everything_else_does() -> None:
    others = [BARE + b"\n", BARE + b" ", b"X-Any: 1\n" + BARE, BARE.replace(b"\n", b"\r")]
    assert len({fingerprint(mail) for mail in [BARE, *others]}) == 5


def test_what_servers_write_on_the_way_does_not_matter() -> None:
    routes = [
        b"Received: from mx.example by box.example\n" + DATED,
        b"Delivered-To: sales@x.example\nReturn-Path: <a@x.example>\n" + DATED,
        DATED.replace(b"Subject: s", b"Subject:\n  s") + b"\n",
    ]
    assert {fingerprint(mail) for mail in routes} == {fingerprint(DATED)}


def test_what_an_author_wrote_does() -> None:
    others = [
        DATED.replace(b"First", b"first"),
        DATED.replace(b"Subject: s", b"Subject: t"),
        DATED.replace(b"a@x", b"b@x"),
        DATED.replace(b"<1@", b"<2@"),
        DATED.replace(b"09:00", b"09:01"),
    ]
    assert len({fingerprint(mail) for mail in [DATED, *others]}) == 6
