from __future__ import annotations

from email.message import Message

import pytest

from triage.intake import payload

HEAD = b"From: ann@example.org\r\nSubject: files\r\n"
HUGE = ("word \xe9 -- ".encode("latin-1") * 14 + b"\r\n") * 9000
FILE = (b"QUJD" * 19 + b"\r\n") * 100
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n"
CODED = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def assert_equal(ours: Message, theirs: Message) -> None:
    assert ours.items() == theirs.items()
    assert (ours.preamble, ours.epilogue) == (theirs.preamble, theirs.epilogue)
    mine, other = ours.get_payload(), theirs.get_payload()
    if isinstance(mine, list) and isinstance(other, list):
        assert len(mine) == len(other)
        for one, two in zip(mine, other, strict=True):
            assert isinstance(one, Message)
            assert isinstance(two, Message)
            assert_equal(one, two)
    else:
        assert mine == other


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"\r\n" + HUGE,
        HEAD + b"Content-Type: text/html; charset=latin-1\n\n" + HUGE,
        HEAD + b"no header\n\n" + HUGE,
        HEAD + b"Content-Type: message/rfc822\n\nSubject: inner\n\n" + HUGE,
        MIXED + b"--abc\r\n" + CODED + FILE + b"--abc--\r\n",
        MIXED + b"pre\r\n--abc\r\n" + CODED + FILE + b"\r\n--abc\n\nx\n--abc--\r\nepilogue\r\n",
        MIXED + b"--abc\r\n" + CODED + FILE + b"list footer\r\n--abc--\r\n",
        MIXED + b"--abc\r\n" + CODED + FILE,
        MIXED + b"--abc\n\n" + HUGE + b"\n--abc\n\n" + HUGE + b"-- \r\nsig\r\n--abc--\r\nend\r\n",
        MIXED + b"--abc\nContent-Type: multipart/mixed; boundary=abcd\n\n" + HUGE + b"--abcd\n\n"
        + HUGE + b"\n--abcd--\n--abc\nContent-Type: message/rfc822\n\nSubject: inner\n"
        b"Content-Type: multipart/mixed; boundary=q\n\n--q\n" + CODED + FILE + b"\n--q--\n--abc--",
    ],
)  # fmt: skip
def test_a_mail_whose_files_are_set_aside_is_parsed_as_it_is(raw: bytes) -> None:
    assert_equal(payload.tree(raw), payload.parsed(raw))


def test_the_parser_is_spared_the_lines_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    whole = payload.parsed

    def parsed(raw: bytes) -> Message:
        seen.append(len(raw))
        return whole(raw)

    monkeypatch.setattr(payload, "parsed", parsed)
    payload.tree(MIXED + b"--abc\r\n" + CODED + FILE * 10 + b"\r\n--abc--\r\n")
    payload.tree(HEAD + b"\r\n" + HUGE)
    assert len(seen) == 2
    assert max(seen) < 300
