"""A signed link opens one thing, for a while, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from triage.delivery.links import LinkSigner, verify
from triage.errors import Configuration
from triage.settings import Links

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SIGNER = LinkSigner("https://triage.example/console", "a secret", timedelta(days=1))


def asked(url: str) -> tuple[str, dict[str, str]]:
    """The path below the console, and the query."""
    parts = urlsplit(url)
    return parts.path.removeprefix("/console"), dict(parse_qsl(parts.query))


def test_a_link_holds_until_it_expires() -> None:
    url = SIGNER.inquiry("inq_1", NOW)
    assert url is not None
    path, query = asked(url)
    assert path == "/inquiries/inq_1"
    assert verify(path, query, "a secret", NOW + timedelta(hours=23))
    assert not verify(path, query, "a secret", NOW + timedelta(hours=25))


@pytest.mark.parametrize(
    "change",
    [
        {"expires": "99999999999"},
        {"expires": "²"},
        {"expires": "1e12"},
        {"expires": ""},
        {"signature": ""},
        {"signature": "ü"},
    ],
)
def test_a_link_cannot_be_changed(change: dict[str, str]) -> None:
    path, query = asked(SIGNER.inquiry("inq_1", NOW) or "")
    assert not verify(path, query | change, "a secret", NOW)


def test_a_link_opens_nothing_else() -> None:
    path, query = asked(SIGNER.inquiry("inq_1", NOW) or "")
    assert not verify("/inquiries/inq_2", query, "a secret", NOW)
    assert not verify(path, query, "another secret", NOW)
    assert not verify(path, query, "", NOW)
    assert not verify(path, {}, "a secret", NOW)


def test_without_a_console_there_are_no_links_and_without_a_secret_no_start() -> None:
    assert LinkSigner.of(Links()).inquiry("inq_1", NOW) is None
    with pytest.raises(Configuration, match="links"):
        LinkSigner.of(Links(url="https://triage.example"))
