"""Parsing mails: the whole intake against mail-parser alone, on every mail of the fixtures.

mail-parser gives headers, bodies and attachments; the intake gives all of that and sections, forms,
reports, documents. Text that is lost or garbled is counted for both: words that the expected
structure beside a mail names, and that are nowhere in what came out. Ratios are of rates in rounds
that take turns, the median of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mailparser

from triage.errors import Permanent
from triage.intake.mail import parse_mail
from triage.settings import Limits
from triage.types import SourceRef

FIXTURES = Path(__file__).parents[1] / "fixtures"
ROUNDS = 5
REF = SourceRef("bench", "maildir", "mail")
AT = datetime(2026, 11, 2, tzinfo=UTC)
_KEYS = ("text", "quoted", "signature", "disclaimer", "forwarded")


def ours(raw: bytes) -> str:
    inquiry = parse_mail(raw, inquiry_id="i", ref=REF, received_at=AT, limits=Limits())
    files = (attachment.text for attachment in inquiry.attachments)
    return "\n".join([inquiry.subject, inquiry.body, inquiry.spare, *files])


def peer(raw: bytes) -> str:
    mail = mailparser.parse_from_bytes(raw)
    return "\n".join([str(mail.subject), *mail.text_plain, *mail.text_html])


def named(want: dict[str, Any]) -> Iterator[str]:
    """The words that must come out of a mail."""
    for key in _KEYS:
        texts = [*([want[key]] if want.get(key) else []), *want.get(f"{key}_contains", [])]
        yield from (word for text in texts for word in text.split() if word.isalnum())


def measured(parse: Callable[[bytes], str], mails: list[bytes]) -> tuple[float, int]:
    """Mails a second of CPU time, and exceptions that are not a refusal."""
    failures = 0
    began = time.process_time()
    for raw in mails:
        try:
            parse(raw)
        except Permanent:
            continue
        except Exception:  # noqa: BLE001 - that is what is counted
            failures += 1
    return len(mails) / (time.process_time() - began), failures


def lost(parse: Callable[[bytes], str], cases: list[tuple[bytes, list[str]]]) -> int:
    """Mails of which at least one word is nowhere."""
    count = 0
    for raw, words in cases:
        try:
            found = parse(raw)
        except Exception:  # noqa: BLE001 - then all of it is lost
            found = ""
        count += any(word not in found for word in words)
    return count


def main() -> None:
    logging.disable(logging.CRITICAL)
    paths = sorted(FIXTURES.glob("mail/*.eml")) + sorted(FIXTURES.glob("odd/*.eml"))
    cases = []
    for path in paths:
        want = json.loads(path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8"))
        if "refused" not in want:
            cases.append((path.read_bytes(), list(named(want))))
    everyday = [raw for (raw, _), path in zip(cases, paths, strict=False) if "mail" in path.parts]
    with contextlib.redirect_stderr(io.StringIO()):
        table(everyday, [raw for raw, _ in cases])
        print(f"\nmails of {len(cases)} with lost or garbled words")
        print(f"  intake       {lost(ours, cases):4d}")
        print(f"  mail-parser  {lost(peer, cases):4d}")


def table(everyday: list[bytes], every: list[bytes]) -> None:
    print(f"{'mails':<22}{'intake/s':>10}{'mail-parser/s':>15}{'ratio':>8}{'exceptions':>16}")
    for name, mails in ((f"everyday ({len(everyday)})", everyday), (f"all ({len(every)})", every)):
        measured(ours, mails)  # the child that opens documents has started
        rounds = [(measured(ours, mails), measured(peer, mails)) for _ in range(ROUNDS)]
        rates = [statistics.median(pair[side][0] for pair in rounds) for side in (0, 1)]
        ratio = statistics.median(own[0] / other[0] for own, other in rounds)
        failures = f"{rounds[0][0][1]} / {rounds[0][1][1]}"
        print(f"{name:<22}{rates[0]:>10.0f}{rates[1]:>15.0f}{ratio:>8.2f}{failures:>16}")


if __name__ == "__main__":
    main()
