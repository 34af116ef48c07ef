"""Why an item is not taken in as it is, in words, and how much of it is kept all the same."""

from __future__ import annotations

HEADER_BYTES = 64 * 1024
"""As much of a refused mail as is kept at most, for a person to tell what it was."""


def too_large(what: str, size: int, limit: int, setting: str, where: str) -> str:
    """The reason for an item of `size` bytes; `setting` names the limit, `where` the original."""
    return (
        f"the {what} is {size / 1e6:.1f} MB, larger than the limit of {limit / 1e6:g} MB "
        f"({setting}) and was not taken in: look at {where}, or raise the limit and run "
        "`triage inquiries retry`"
    )


def header_of(content: bytes) -> bytes:
    """The header of a mail, with the blank line after it, bounded to `HEADER_BYTES`."""
    content = content[:HEADER_BYTES]
    ends = [
        found + len(blank)
        for blank in (b"\r\n\r\n", b"\n\n")
        if (found := content.find(blank)) >= 0
    ]
    return content[: min(ends)] if ends else content
