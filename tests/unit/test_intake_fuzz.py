"""Mails made up to hurt: nothing but `Permanent` escapes, and no text is silently lost.

10,000 cases in CI, a tenth of that at home.
"""

from __future__ import annotations

import base64
import os
import quopri
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from triage.errors import Permanent
from triage.intake.fingerprint import fingerprint
from triage.intake.mail import parse_mail
from triage.settings import Limits
from triage.types import Inquiry, SourceRef

FIXTURES = Path(__file__).parents[2] / "fixtures"
SMALL = 20_000  # bytes; what is larger holds documents, which are read elsewhere
MAILS = sorted(path for path in FIXTURES.glob("*/*.eml") if path.stat().st_size < SMALL)
REF = SourceRef("inbox", "imap", "INBOX/1/1")
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
PART = 1 if os.environ.get("CI") else 10


def cases(number: int) -> settings:
    return settings(
        max_examples=number // PART,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )


def parsed(raw: bytes) -> Inquiry:
    return parse_mail(raw, inquiry_id="i1", ref=REF, received_at=AT, limits=Limits())


def survives(raw: bytes) -> None:
    try:
        inquiry = parsed(raw)
    except Permanent:
        return  # the one exception that may escape
    str(inquiry).encode("utf-8")  # no lone surrogates anywhere


# --- any bytes -----------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        b"From: a@x.example", b"Subject: =?utf-8?Q?=C3?=", b"Subject: =?x?B?!!?=", b"To: <<>,;:@",
        b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822",
        b'Content-Type: multipart/alternative; boundary="b"', b"Content-Type: text/html",
        b"Content-Type: message/delivery-status", b"Content-Type: text/plain; charset=\xff",
        b"Content-Type: text/plain; charset*=x''%ff; format=flowed", b"Content-Type: ;=;",
        b"Content-Type: multipart/mixed; boundary*=x\0''b", b"Content-Type: a/b; name*=x\0''y",
        b"Content-Type: multipart/report; boundary=b", b"Content-Type: message/feedback-report",
        b"Content-Type: text/rfc822-headers", b"Action: failed", b"Final-Recipient: rfc822;",
        b"Content-Type: a/b; name*=utf-7''+2AA-", b"Subject: =?utf-7?Q?+2AA-?=",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
        b"Content-Transfer-Encoding: x-uuencode", b"begin 644 x", b"M!!!!", b"end", b"=C3=", b"QUJ",
        b"Content-Disposition: attachment; filename*0*=utf-8''%e2; filename*1=x", b"--b", b"--b--",
        b"", b"", b"<p>x", b"<table><td>", b"> q", b"On 1 Nov, a@b.example wrote:", b"-- ", b"\t f",
        b"-----Original Message-----", b"Thanks,", b"\xe9\xff", b"\x1b$B\x21", b"\0", b"From x",
        b"Message-ID: <1@x>", b"References: <a@b> junk <c@d>", b"hello", b"Name: Ann", b"Name:",
        b"Email: ann@x.example", b"[x] => y", b"--- Message ---", b"Q: a", b"A: b", b"n=a&b=c&d=e",
        b'{"name": "x", "email": ["a", {"value": 1}]}', b"<name>x</name>", b"a;b;c", b"| a | b |",
        b"Authentication-Results: mx; dmarc=", b"Auto-Submitted: auto-replied", b"Reply-To: <>,",
        b"Page URL: https://[::1/?utm_source=%ff&gclid=", b"Phone .... 614-555-0100",
    ]
)  # fmt: skip


@cases(2_000)
@given(st.binary(max_size=2_000))
def test_any_bytes(raw: bytes) -> None:
    survives(raw)


@cases(2_500)
@given(st.lists(LINES, max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_mix_of_mail_lines(lines: list[bytes], end: bytes) -> None:
    survives(end.join([b"From: a@x.example", *lines]))


@cases(2_500)
@given(st.sampled_from(MAILS), st.randoms(use_true_random=False))
def test_mutated_fixtures(path: Path, chance: random.Random) -> None:
    survives(mutated(path.read_bytes(), chance))


def mutated(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) or 1)
        span = chance.randint(1, 40)
        kind = chance.randrange(5)
        if kind == 0:
            data[at : at + 1] = chance.randbytes(1)
        elif kind == 1:
            del data[at : at + span]
        elif kind == 2:
            data[at:at] = data[at : at + span * 10]
        elif kind == 3:
            data[at:at] = chance.choice([b"\0", b"\n\n", b"\r", b"--", b"=", b"\xff", b"; ", b'"'])
        else:
            data = data[: max(at, 1)] if chance.random() < 0.2 else data
    return bytes(data)


# --- no text is lost -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Tree:
    """A MIME part with its headers, and the words that must be found again."""

    raw: bytes
    words: tuple[str, ...]


PLAIN_CODES: dict[str, Callable[[bytes], bytes]] = {
    "8bit": lambda data: data,
    "base64": base64.encodebytes,
    "quoted-printable": quopri.encodestring,
}
MARKUP = (
    "<p>{}</p>", "<div><b>{}</b></div>", "<table><tr><td>a</td><td>{}</td></tr></table>",
    "<ul><li>{}</ul>", "<blockquote>{}</blockquote>", "<html><body>{}", "<pre>{}</pre>",
)  # fmt: skip
BODIES = (
    "{}", "Hello,\n\n{}\n\nRegards,\nAnn", "> {}", "{}\n-- \nAnn", "Thanks,\n{}",
    "On 2 Nov 2026, Ann <a@x.example> wrote:\n> {}", "---------- Forwarded message ---------\n{}",
    "CONFIDENTIAL: this message is privileged.\n\n{}", "Name: {}\nEmail: a@b.example\nMessage: x",
)  # fmt: skip


@st.composite
def leaves(draw: st.DrawFn) -> Tree:
    word = f"q{draw(st.integers(0, 10**6))}w"
    sub = draw(st.sampled_from(["plain", "html", "csv", "x-amp-html", "x-odd", "calendar"]))
    pattern = draw(st.sampled_from(MARKUP if "html" in sub else BODIES))
    charset = draw(st.sampled_from(["utf-8", "iso-8859-1", "koi8-r", "shift_jis", "x-none", ""]))
    code = draw(st.sampled_from(sorted(PLAIN_CODES)))
    shown = draw(st.sampled_from(["", "Content-Disposition: inline\n", "Content-Disposition: x\n"]))
    label = f"; charset={charset}" if charset else ""
    named = draw(st.sampled_from(["", "; name=note.txt"])) if sub == "csv" else ""
    head = f"Content-Type: text/{sub}{label}{named}\nContent-Transfer-Encoding: {code}\n{shown}\n"
    return Tree(head.encode() + PLAIN_CODES[code](pattern.format(word).encode()), (word,))


@st.composite
def multiparts(draw: st.DrawFn, inner: st.SearchStrategy[Tree]) -> Tree:
    parts = draw(st.lists(inner, min_size=1, max_size=4))
    sub = draw(st.sampled_from(["mixed", "alternative", "related", "signed", "report", "odd"]))
    edge = f"=_{draw(st.integers(0, 10**9))}"
    above, below = (f"r{draw(st.integers(0, 10**6))}w" for _ in range(2))
    announced = draw(st.sampled_from([edge, edge, edge, "none"]))
    raw = f'Content-Type: multipart/{sub}; boundary="{announced}"\n\n{above}\n'.encode()
    for part in parts:
        raw += b"--" + edge.encode() + b"\n" + part.raw + b"\n"
    words = [word for part in parts for word in part.words]
    if draw(st.booleans()):
        raw += b"--" + edge.encode() + b"--\n" + below.encode() + b"\n"
        words.append(below)
    return Tree(raw, (above, *words) if announced == edge else tuple(words))


@st.composite
def messages(draw: st.DrawFn, inner: st.SearchStrategy[Tree]) -> Tree:
    part = draw(inner)
    raw = b"From: b@y.example\nSubject: inner\n" + part.raw
    if draw(st.booleans()):
        head = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
        return Tree(head + base64.encodebytes(raw), part.words)
    return Tree(b"Content-Type: message/rfc822\n\n" + raw, part.words)


TREES = st.recursive(leaves(), lambda inner: multiparts(inner) | messages(inner), max_leaves=6)
# The innermost of three multiparts has the boundary of the outermost: where they end, nobody knows.
ONE_BOUNDARY_TWICE = Tree(
    b"""Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/mixed; boundary=y

--y
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain

first

--y
Content-Type: text/plain
Content-Transfer-Encoding: base64

c2Vjb25k
""",
    ("first", "second"),
)


@cases(2_500)
@example(ONE_BOUNDARY_TWICE, b"\n")
@given(TREES, st.sampled_from([b"\n", b"\r\n"]))
def test_no_text_is_silently_lost(tree: Tree, end: bytes) -> None:
    inquiry = parsed((b"From: a@x.example\nSubject: s\n" + tree.raw).replace(b"\n", end))
    everything = "\n".join(
        [inquiry.body, inquiry.spare, *(attachment.text for attachment in inquiry.attachments)]
    )
    for word in tree.words:
        assert word in everything or any("not read" in warning for warning in inquiry.warnings)


@cases(500)
@given(st.sampled_from(MAILS))
def test_line_ends_make_no_other_mail(path: Path) -> None:
    bare = path.read_bytes().replace(b"\r\n", b"\n")
    wire = bare.replace(b"\n", b"\r\n")
    assert fingerprint(bare) == fingerprint(wire)
    if b"\r" in bare:
        return  # bare CRs would stand beside the new ends
    try:
        plain = parsed(bare)
    except Permanent:
        return
    assert parsed(wire).text.split() == plain.text.split()


# --- forms ---------------------------------------------------------------------------------------

WORDS = st.text("abcdefghijklmnoprstuvw", min_size=2, max_size=12)
VALUES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
LAID_OUT = {
    "colons": "{}: {}\n", "equals": "{} = {}\n", "tabs": "{}\t{}\n", "pipes": "| {} | {} |\n",
    "dots": "{} ..... {}\n", "arrows": "{} => {}\n", "brackets": "[{}] => {}\n",
    "dashes": "--- {} ---\n\n{}\n\n", "stars": "*{}:* {}\n", "hyphens": "{} - {}\n",
    "columns": "{}   {}\n", "stacked": "{}\n{}\n\n", "questions": "Q: {}\nA: {}\n",
}  # fmt: skip


@cases(500)
@given(st.sampled_from(sorted(LAID_OUT)), VALUES, VALUES)
def test_a_form_gives_its_values_back(layout: str, name: str, message: str) -> None:
    filled = [("Name", name), ("Email", "ann@lee.example"), ("Message", f"{message} please")]
    body = "".join(LAID_OUT[layout].format(label, value) for label, value in filled)
    head = b"From: web@biz.example\nTo: info@biz.example\nSubject: Contact form\n\n"
    form = parsed(head + body.encode()).form
    assert form is not None
    assert form.sender.email == "ann@lee.example"
    assert dict(form.fields) == dict(filled)
