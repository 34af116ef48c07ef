"""The same mail has one fingerprint, whatever its line ends and however it is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from triage.errors import Transient
from triage.intake.fingerprint import fingerprint

MAIL = b"From: a@x.example\nSubject: s\n\nFirst\n\nSecond"


def test_line_ends_do_not_matter() -> None:
    wire = MAIL.replace(b"\n", b"\r\n")
    assert fingerprint(MAIL) == fingerprint(wire) == hashlib.sha256(wire).hexdigest()
    assert fingerprint(MAIL.replace(b"First\n", b"First\r\n")) == fingerprint(wire)


def test_everything_else_does() -> None:
    others = [MAIL + b"\n", MAIL + b" ", MAIL.replace(b"\n", b"\r"), MAIL.replace(b"\n", b"\r\r\n")]
    assert len({fingerprint(mail) for mail in [MAIL, *others]}) == 5


def test_a_stored_copy_is_read_in_blocks(tmp_path: Path) -> None:
    block = 1 << 20
    for before in (block - 1, block, block + 1):  # where the block ends within a CRLF, and around
        wire = MAIL.replace(b"\n", b"\r\n") + b"x" * before
        wire = wire[: before - 1] + b"\r\nend\r\n" + b"y" * 10
        path = tmp_path / str(before)
        path.write_bytes(wire)
        assert fingerprint(path) == fingerprint(wire) == hashlib.sha256(wire).hexdigest()
        assert fingerprint(wire.replace(b"\r\n", b"\n")) == fingerprint(wire)


def test_a_copy_that_is_gone_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="stored copy"):
        fingerprint(tmp_path / "gone")
