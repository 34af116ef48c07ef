"""Small mails for tests."""

from __future__ import annotations


def mail(subject: str, body: str = "Hello,\r\nplease call me back.\r\n", **headers: str) -> bytes:
    """A mail as it travels, with CRLF; equal arguments give equal bytes."""
    lines = [
        "From: Ann Example <ann@example.org>",
        "To: sales@example.com",
        f"Subject: {subject}",
        f"Message-ID: <{subject.replace(' ', '-')}@example.org>",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def large_mail(subject: str, size: int) -> bytes:
    """A mail of exactly `size` bytes."""
    start = mail(subject, "")
    line = b"x" * 74 + b"\r\n"
    rest = size - len(start)
    return start + (line * (rest // len(line) + 1))[:rest]
