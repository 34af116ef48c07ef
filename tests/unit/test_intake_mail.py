"""Raw mails: every fixture, wrong charsets, broken structure, limits, and bytes made up to hurt."""

# ruff: noqa: RUF001 - smart quotes and dashes are what is tested

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.errors import Permanent
from triage.intake.mail import parse_mail
from triage.settings import Limits
from triage.types import Attachment, Inquiry, Party, SourceRef

FIXTURES = Path(__file__).parents[2] / "fixtures"
MAILS = sorted((FIXTURES / "mail").glob("*.eml"))
BROKEN = sorted((FIXTURES / "broken").glob("*.eml"))
REF = SourceRef("inbox", "imap", "INBOX/1/1")
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def parsed(raw: bytes, **limits: int) -> Inquiry:
    return parse_mail(raw, inquiry_id="i1", ref=REF, received_at=AT, limits=Limits(**limits))


def expected(path: Path) -> dict[str, Any]:
    text = path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8")
    result: dict[str, Any] = json.loads(text)
    return result


def plain(content: bytes, charset: str = "") -> bytes:
    label = f"Content-Type: text/plain; charset={charset}\n" if charset else ""
    return b"From: a@x.example\nSubject: s\n" + label.encode() + b"\n" + content


def multipart(sub: str, *parts: bytes, boundary: str = "b1") -> bytes:
    """A mail of parts, each given with its own headers."""
    edge = f"--{boundary}".encode()
    head = f'From: a@x.example\nContent-Type: multipart/{sub}; boundary="{boundary}"\n\n'.encode()
    return head + b"".join(edge + b"\n" + part + b"\n" for part in parts) + edge + b"--\n"


TEXT = b"Content-Type: text/plain; charset=utf-8\n\n"
HTML = b"Content-Type: text/html; charset=utf-8\n\n"


# --- fixtures ------------------------------------------------------------------------------------


def test_there_are_mails_of_every_label() -> None:
    labels = [expected(path)["label"] for path in MAILS]
    assert len(labels) >= 46
    assert len(set(labels)) == 9
    assert labels.count("lead") >= 12


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_fixture_reads_as_expected(path: Path) -> None:
    want = expected(path)
    inquiry = parsed(path.read_bytes())
    assert inquiry.subject == want["subject"]
    assert inquiry.sender.email == want["from"]
    assert inquiry.headers["date"]
    assert inquiry.thread
    assert [a.name for a in inquiry.attachments] == want["attachments"]
    for section in ("text", "quoted", "signature", "disclaimer", "forwarded"):
        content = getattr(inquiry, section)
        for part in want.get(f"{section}_contains", []):
            assert part in content, section
    assert not set("\0\ufffd\r") & set(inquiry.body)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_fixture_signals_are_stated_in_the_mail(path: Path) -> None:
    """What a fixture expects to be found has to be there, wherever its lines break."""
    inquiry = parsed(path.read_bytes())
    places = (inquiry.text, inquiry.signature, inquiry.forwarded, inquiry.subject)
    stated = " ".join(" ".join(places).split())
    for name in ("contact_name", "company", "phone", "email", "budget", "location"):
        if value := expected(path)["signals"].get(name):
            assert value in f"{stated} {inquiry.sender.name}", name


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_fixture_is_refused_with_a_reason(path: Path) -> None:
    with pytest.raises(Permanent, match=expected(path)["reason_contains"]):
        parsed(path.read_bytes())


def test_line_ends_do_not_matter() -> None:
    raw = (FIXTURES / "mail" / "lead-facility-rfp.eml").read_bytes()
    bare = raw.replace(b"\r\n", b"\n")
    assert raw != bare
    assert parsed(raw) == parsed(bare)


# --- headers -------------------------------------------------------------------------------------


def test_thread_is_oldest_first_and_ends_with_the_mail_itself() -> None:
    raw = (FIXTURES / "mail" / "lead-one-word-reply.eml").read_bytes()
    assert parsed(raw).thread == (
        "<quote-20418-a@ekdahlprint.example>",
        "<quote-20418-b@brightwater.example>",
        "<4d90b6f0a2@ekdahlprint.example>",
    )


def test_later_stages_find_the_headers_that_they_read() -> None:
    headers = parsed((FIXTURES / "mail" / "irrelevant-newsletter.eml").read_bytes()).headers
    assert headers["list-id"] == "<weekly.contractorweekly.example>"
    assert "https://contractorweekly.example/u/8812" in headers["list-unsubscribe"]
    assert headers["precedence"] == "bulk"
    auto = parsed((FIXTURES / "mail" / "irrelevant-out-of-office.eml").read_bytes()).headers
    assert auto["auto-submitted"] == "auto-replied"


def test_names_with_commas_and_encoded_words_stay_with_their_address() -> None:
    raw = (
        b'From: "Quarles, N." <n@q.example>\n'
        b"To: =?utf-8?Q?D=C3=BCrr=2C_Max?= <max@x.example>, b@y.example\n"
        b"Cc: =?gb2312?B?6Jjexw==?= <c@z.example>\nDelivered-To: inbox@biz.example\n"
        b"To: late@y.example\n\nhi"
    )
    inquiry = parsed(raw)
    assert inquiry.sender == Party("Quarles, N.", "n@q.example")
    assert [r.email for r in inquiry.recipients] == [
        "max@x.example", "b@y.example", "late@y.example", "c@z.example", "inbox@biz.example",
    ]  # fmt: skip
    assert inquiry.recipients[0].name == "Dürr, Max"


def test_a_huge_recipient_list_is_read_and_bounded() -> None:
    fixture = parsed((FIXTURES / "mail" / "lead-bid-invitation-huge-to.eml").read_bytes())
    assert Party("Zenith HVAC Services", "bids4@zenith-hvac.example") in fixture.recipients
    many = ", ".join(f"Nr {i} <n{i}@x.example>" for i in range(20_000))
    assert len(parsed(f"From: a@x.example\nTo: {many}\n\nhi".encode()).recipients) == 500


def test_raw_bytes_in_headers_are_repaired() -> None:
    raw = "From: René <rene@x.example>\nSubject: Café\n\nhi".encode("latin-1")
    assert parsed(raw).sender.name == "René"
    assert parsed(raw).subject == "Café"


def test_a_character_split_between_two_encoded_words_is_whole() -> None:
    assert parsed(b"Subject: =?utf-8?Q?caf=C3?=\n =?utf-8?Q?=A9_au_lait?=\n\nx").subject == (
        "café au lait"
    )


def test_a_fold_that_lost_its_space_does_not_end_the_headers() -> None:
    raw = (
        b"From: a@x.example\nSubject: a long\nsubject line\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode("Grüße".encode())
    )
    inquiry = parsed(raw)
    assert inquiry.subject == "a long subject line"
    assert inquiry.text == "Grüße"
    assert any("headers are broken" in w for w in inquiry.warnings)


def test_a_missing_blank_line_after_the_headers_costs_no_text() -> None:
    inquiry = parsed(b"From: a@x.example\nSubject: hi\nPlease send a quote\n\nfor a boiler\n")
    assert inquiry.text == "Please send a quote\n\nfor a boiler"


@pytest.mark.parametrize("junk", [b"\r\n\r\n", b"\xef\xbb\xbf", b"From x@y.example Mon Nov  2\n"])
def test_what_stands_before_the_headers_is_skipped(junk: bytes) -> None:
    inquiry = parsed(junk + b"From: a@x.example\nSubject: s\n\nhello")
    assert (inquiry.subject, inquiry.text) == ("s", "hello")


def test_headers_alone_are_an_inquiry() -> None:
    inquiry = parsed(b"Subject: call me")
    assert (inquiry.subject, inquiry.text, inquiry.sender) == ("call me", "", Party())


# --- charsets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("latin-1", "", "Crème brûlée à la carte"),
        ("cp1252", "", "It’s “urgent” – 50 € per unit"),
        ("cp1252", "iso-8859-1", "It’s “urgent” – 50 € per unit"),
        ("cp1252", "us-ascii", "Don’t wait"),
        ("utf-8", "", "naïve 😀 – Zoë"),
        ("utf-8", "iso-8859-1", "naïve 😀 – Zoë"),
        ("utf-8", "windows-1252", "78 °F, the roses don’t last"),
        ("utf-8", "no-such-charset", "Grüße aus Köln"),
        ("utf-8", "utf-8\0", "Grüße aus Köln"),
        ("latin-1", "utf-8", "Smørrebrød og blåbærgrød fra bageriet i Århus"),
        ("gb18030", "gb2312", "陳喆 厨房排风系统 镕"),
        ("gb18030", "gbk", "需要报价 €"),
        ("cp949", "ks_c_5601-1987", "견적 부탁드립니다 똠방"),
        ("cp932", "shift_jis", "見積もり①お願いします"),
        ("iso-2022-jp", "iso-2022-jp", "空調設備のお見積り"),
        ("iso-2022-jp", "", "空調設備のお見積り"),
        ("iso-2022-jp", "us-ascii", "空調設備のお見積り"),
        ("cp1251", "windows-1251", "Сколько стоит котёл?"),
        ("koi8-r", "koi8-r", "Сколько стоит котёл?"),
        ("utf-7", "utf-7", "Grüße"),
        ("utf-16", "utf-16", "Grüße"),
        ("utf-16", "", "Grüße"),
    ],
)
def test_text_is_read_as_it_was_written(encoding: str, label: str, text: str) -> None:
    body = (
        base64.b64encode(text.encode(encoding)) if encoding == "utf-16" else text.encode(encoding)
    )
    coded = b"Content-Transfer-Encoding: base64\n" if encoding == "utf-16" else b""
    raw = plain(body, label).replace(b"Subject: s\n", b"Subject: s\n" + coded)
    assert parsed(raw).text == text


def test_unlabelled_text_in_another_script_is_recognised() -> None:
    text = "Здравствуйте, нам нужен новый котёл для офиса площадью двести метров. " * 3
    assert parsed(plain(text.encode("cp1251"))).text == text.strip()


def test_a_few_bad_bytes_do_not_spoil_good_text() -> None:
    raw = plain("Zoë’s café – größer, ".encode() + b"r\xe9sum\xe9", "utf-8")
    inquiry = parsed(raw)
    assert inquiry.text == "Zoë’s café – größer, résumé"
    assert any("repaired" in w for w in inquiry.warnings)


def test_html_states_its_charset_itself() -> None:
    html = '<html><head><meta charset="windows-1251"></head><body>котёл</body></html>'
    raw = b"From: a@x.example\nContent-Type: text/html\n\n" + html.encode("cp1251")
    assert parsed(raw).text == "котёл"


def test_control_characters_are_dropped() -> None:
    assert parsed(plain(b"a\0b\x1b\x07c\x0cd\te\r\nf")).text == "abc\nd\te\nf"


# --- structure -----------------------------------------------------------------------------------


def test_plain_text_is_preferred_unless_it_says_less() -> None:
    same = multipart("alternative", TEXT + b"Two units please", HTML + b"<b>Two units</b> please")
    assert parsed(same).text == "Two units please"
    empty = multipart("alternative", TEXT + b" \n", HTML + b"<p>Two units please</p>")
    assert parsed(empty).text == "Two units please"
    stub = multipart(
        "alternative", TEXT + b"This e-mail needs an HTML compatible viewer", HTML + b"<p>Two</p>"
    )
    assert parsed(stub).text == "Two"
    rest = b"<p>Two units please, at 12 Oak Street, call Ann on 614-555-0100 today or tomorrow</p>"
    assert (
        "12 Oak Street" in parsed(multipart("alternative", TEXT + b"Two units", HTML + rest)).text
    )


def test_alternatives_that_differ_are_both_kept() -> None:
    raw = multipart(
        "alternative",
        TEXT + b"Nothing in this communication binds the partnership unless countersigned in ink",
        HTML + b"<p>We would like a quote for eleven rooftop condensers before April</p>",
    )
    text = parsed(raw).text
    assert "binds the partnership" in text
    assert "eleven rooftop condensers" in text


def test_text_between_attachments_is_one_text() -> None:
    image = b"Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nAAAA"
    raw = multipart("mixed", TEXT + b"Before", image, TEXT + b"After")
    inquiry = parsed(raw)
    assert inquiry.text == "Before\n\nAfter"
    assert inquiry.attachments == (Attachment("a.png", "image/png", 3),)


def test_parts_under_another_boundary_than_announced_are_found() -> None:
    raw = multipart("mixed", TEXT + b"A quote, please", boundary="real")
    inquiry = parsed(raw.replace(b'boundary="real"', b'boundary="other"'))
    assert inquiry.text == "A quote, please"
    assert any("without the parts" in w for w in inquiry.warnings)
    assert parsed(raw.replace(b'; boundary="real"', b"")).text == "A quote, please"


def test_text_after_the_last_part_is_kept() -> None:
    raw = multipart("mixed", TEXT + b"First") + b"Sent through the list server\n"
    assert parsed(raw).text == "First\n\nSent through the list server"


def test_a_part_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    raw = multipart("mixed", TEXT + b"Please call", HTML + b"<p>me</p>")
    assert parsed(raw[: raw.rindex(b"</p>")]).text == "Please call\n\nme"


def test_a_text_attachment_is_text_only_where_there_is_no_other() -> None:
    notes = b"Content-Type: text/plain; name=n.txt\nContent-Disposition: attachment\n\nAs attached"
    assert parsed(multipart("mixed", notes)).text == "As attached"
    both = parsed(multipart("mixed", TEXT + b"Hello", notes))
    assert both.text == "Hello"
    assert [a.name for a in both.attachments] == ["n.txt"]


LOST = b"SENTINEL: we need a boiler"
PLACES = {
    "preamble": b"Content-Type: multipart/mixed; boundary=b\n\n%s\n--b\n"
    b"Content-Type: image/png\n\nx",
    "no part headers": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n%s\n--b--",
    "closing delimiter first": b"Content-Type: multipart/mixed; boundary=b\n\n--b--\n\n%s",
    "inner boundary like outer": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n%s\n--b--\n--b--",
    "empty type": b"Content-Type: \n\n%s",
    "type without subtype": b"Content-Type: text\n\n%s",
    "unknown text": b"Content-Type: text/x-unheard-of\n\n%s",
    "unknown coding": b"Content-Transfer-Encoding: rot13\n\n%s",
    "base64 in name only": b"Content-Transfer-Encoding: base64\n\n%s - three of them.",
    "footer below base64": b"Content-Transfer-Encoding: base64\n\nSGVsbG8=\n\n%s\n",
    "quoted-printable in name only": b"Content-Transfer-Encoding: quoted-printable\n\n%s = 3",
    "utf-16 in name only": b"Content-Type: text/plain; charset=utf-16\n\n%s",
    "inline file": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n"
    b"Content-Type: text/plain; name=x.txt\nContent-Disposition: inline\n\n%s\n--b--",
    "calendar alone": b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY:%s\n",
    "second html": b"Content-Type: multipart/alternative; boundary=b\n\n--b\n"
    b"Content-Type: text/html\n\n<p>one offer\n--b\nContent-Type: text/html\n\n<p>%s\n--b--",
    "amp alone": b"Content-Type: multipart/alternative; boundary=b\n\n--b\n"
    b"Content-Type: text/x-amp-html\n\n<p>%s\n--b--",
    "unclosed comment": b"Content-Type: text/html\n\n<p><!-- %s",
    "all hidden": b"Content-Type: text/html\n\n<div style='display:none'>%s</div>",
    "part of a message": b"Content-Type: message/partial; id=1; number=1\n\nSubject: x\n\n%s",
    "digest": b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: i\n\n%s\n--b--",
    "returned headers": b"Content-Type: text/rfc822-headers\n\nSubject: %s",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_no_text_is_lost_wherever_it_stands(place: bytes) -> None:
    inquiry = parsed(b"From: a@x.example\n" + place % LOST)
    assert LOST.decode() in inquiry.body


@pytest.mark.parametrize("label", ["boundary*=x\0''b", "boundary=b; name*=utf-7''+2AA-"])
def test_labels_that_break_the_parser_cost_no_text(label: str) -> None:
    head = f"From: a@x.example\nContent-Type: multipart/mixed; {label}\n\n".encode()
    inquiry = parsed(head + b"--b\n\nA quote, please\n--b--\n")
    assert "A quote, please" in inquiry.text
    str(inquiry).encode("utf-8")


def test_html_labelled_as_plain_text_is_rendered() -> None:
    assert parsed(plain(b"<html><body><p>Call <b>me</b></p></body></html>")).text == "Call me"


def test_html_tables_links_and_hidden_text() -> None:
    html = (
        b"<style>p{color:red}</style><script>x()</script>"
        b'<div style="display:none">Preview</div><div style="max-height:0;opacity:0">More</div>'
        b'<p style="font-size:0">Kept</p><a href="https://x.example/t?u=1">our offer</a>'
        b"<table><tr><td>Name</td><td>Ann</td></tr><tr><td>Phone</td><td>614</td></tr></table>"
    )
    text = parsed(b"From: a@x.example\nContent-Type: text/html\n\n" + html).text
    assert [line for line in text.split("\n") if line] == [
        "Kept",
        "our offer",
        "Name  Ann",
        "Phone  614",
    ]


def test_html_nested_beyond_the_renderer_keeps_its_text() -> None:
    html = b"<table><tr><td>" * 400 + b"Eleven rooftop units please"
    raw = b"From: a@x.example\nContent-Type: text/html\n\n" + html
    assert "Eleven rooftop units please" in parsed(raw).text


@pytest.mark.parametrize("coding", ["7bit", "base64"])
def test_attached_messages_become_forwarded_text(coding: str) -> None:
    inner = multipart("mixed", TEXT + b"Need a boiler", b"Content-Type: image/png\n\nx")
    content = inner if coding == "7bit" else base64.encodebytes(inner)
    part = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: " + coding.encode()
    inquiry = parsed(
        multipart("mixed", TEXT + b"See below", part + b"\n\n" + content, boundary="outer")
    )
    assert inquiry.text == "See below"
    assert "From: a@x.example" in inquiry.forwarded
    assert "Need a boiler" in inquiry.forwarded
    assert [a.media_type for a in inquiry.attachments] == ["message/rfc822", "image/png"]


def test_an_attached_message_that_is_none_is_only_listed() -> None:
    part = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA"
    inquiry = parsed(multipart("mixed", TEXT + b"See below", part))
    assert inquiry.text == "See below"
    assert any("attached message could not be read" in w for w in inquiry.warnings)


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\cv.pdf", "cv.pdf"),
        ("a\x01b?.pdf", "ab_.pdf"),
        ("=?utf-8?B?R3LDvMOfZS5wZGY=?=", "Grüße.pdf"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("...", "attachment-1.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_attachment_names_are_made_safe(stated: str, name: str) -> None:
    quoted = stated.replace("\\", "\\\\")
    part = (
        f'Content-Type: application/pdf\nContent-Disposition: attachment; filename="{quoted}"\n\n'
    )
    assert parsed(multipart("mixed", part.encode())).attachments[0].name == name


def test_outlooks_own_format_is_named() -> None:
    part = b'Content-Type: application/ms-tnef; name="winmail.dat"\n\nxx'
    inquiry = parsed(multipart("mixed", TEXT + b"Hello", part))
    assert [a.name for a in inquiry.attachments] == ["winmail.dat"]
    assert any("winmail.dat" in w for w in inquiry.warnings)


# --- limits --------------------------------------------------------------------------------------


def test_a_mail_of_sixty_megabytes_is_refused_unread() -> None:
    raw = b"From: a@x.example\n\n" + b"x" * 60_000_000
    with pytest.raises(Permanent, match=r"mail too large: 60,000,019 bytes.*40,000,000"):
        parsed(raw)


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(Permanent, match="too many parts"):
        parsed(multipart("mixed", *[TEXT + b"x"] * 501))
    assert parsed(multipart("mixed", *[TEXT + b"x"] * 499)).text.count("x") == 499


def nested_multiparts(levels: int) -> bytes:
    raw = b"From: a@x.example\n"
    for n in range(levels):
        raw += f'Content-Type: multipart/mixed; boundary="n{n}"\n\n--n{n}\n'.encode()
    return raw + b"\nhello"


def nested_messages(levels: int) -> bytes:
    return b"From: a@x.example\nContent-Type: message/rfc822\n\n" * levels + b"Subject: s\n\nhello"


def nested_encoded(levels: int) -> bytes:
    raw = b"From: a@x.example\n\nhello"
    for _ in range(levels):
        raw = (
            b"From: a@x.example\nContent-Type: message/rfc822\n"
            b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
        )
    return raw


def mismatched(levels: int) -> bytes:
    raw = b"From: a@x.example\nContent-Type: multipart/mixed; boundary=none\n\n"
    for n in range(levels):
        raw += f"--m{n}\nContent-Type: text/plain\n\nx\n--m{n}--\n".encode()
    return raw


@pytest.mark.parametrize("build", [nested_multiparts, nested_messages])
def test_nesting_is_bounded_before_parsing(build: Callable[[int], bytes]) -> None:
    for levels in (60, 1_000, 20_000):
        with pytest.raises(Permanent, match="nested too deep"):
            parsed(build(levels))
    assert "hello" in parsed(build(20)).body


@pytest.mark.parametrize("build", [nested_encoded, mismatched])
def test_nesting_that_shows_only_after_decoding_is_bounded(build: Callable[[int], bytes]) -> None:
    inquiry = parsed(build(8))
    assert not any("not" in w and "read" in w for w in inquiry.warnings)
    deep = parsed(build(20), mail_depth=10)
    assert any("not" in w and "read" in w for w in deep.warnings)
    for levels in (8, 40, 300):
        assert parsed(mismatched(levels)).text.splitlines().count("x") == levels


def test_long_text_is_cut_with_a_warning() -> None:
    inquiry = parsed(plain(b"word " * 1_000), text_chars=100)
    assert len(inquiry.text) <= 100
    assert inquiry.warnings == ("text of 4,999 characters was cut at 100 (limits.text_chars)",)
