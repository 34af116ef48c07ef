"""Labels out and in again: JSON Lines, or CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from triage.store.repository import Repository

COLUMNS: Final = (
    "id", "received_at", "channel", "source", "campaign", "sender", "subject", "label",
    "said_by", "said_at", "note", "text",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line of an import: which inquiry is what; `error` says what is wrong with it."""

    line: int
    id: str = ""
    label: str = ""
    note: str = ""
    error: str = ""


def exported(repository: Repository, *, waiting: bool = False) -> Iterator[dict[str, Any]]:
    """What people said, oldest first; `waiting`: what waits for them, the first ones first."""
    if waiting:
        ids = [
            item.inquiry_id
            for item, _, _ in repository.waiting.queued(1_000_000)
            if item.kind != "second"
        ]
        for inquiry_id in ids:
            yield from _rows(repository, inquiry_id, {"label": ""})
        return
    for said in repository.reviews.labelled():
        facts = {"label": said.label, "said_by": said.by, "said_at": said.at, "note": said.note}
        yield from _rows(repository, said.inquiry_id, facts)


def _rows(
    repository: Repository, inquiry_id: str, facts: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    inquiry = repository.archive.content(inquiry_id)
    if inquiry is None:
        return
    transcript = repository.archive.transcript(inquiry_id)
    found = {
        "id": inquiry_id,
        "received_at": inquiry.received_at,
        "channel": inquiry.channel,
        "source": inquiry.ref.source,
        "campaign": inquiry.campaign,
        "sender": str(inquiry.author),
        "subject": inquiry.subject,
        "text": transcript.text if transcript else inquiry.body,
        **facts,
    }
    yield {name: found.get(name, "") for name in COLUMNS}


def as_csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of CSV (RFC 4180) with a header, safe to open in a spreadsheet.

    What a stranger wrote is never a formula: a cell that a spreadsheet would take for one begins
    with an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])
        yield _taken(buffer)
    if rest := _taken(buffer):
        yield rest


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cell(value: Any) -> str:
    text = "" if value is None else str(value).replace("\x00", "")
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def as_json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One JSON object a line."""
    for row in rows:
        yield json.dumps(dict(row), ensure_ascii=False, default=str) + "\n"


def imported(text: str) -> Iterator[Labelled]:
    """The labels of a file, JSON Lines or CSV with a header; needs `id` and `label`, and takes
    `note`. Lines without a label say nothing and are left out.
    """
    rows = _json_rows(text) if text.lstrip("\ufeff \r\n").startswith("{") else _csv_rows(text)
    for number, row in rows:
        if isinstance(row, str):
            yield Labelled(number, error=row)
            continue
        fields = {name: row.get(name) or "" for name in ("id", "label", "note")}
        if not all(isinstance(value, str) for value in fields.values()):
            yield Labelled(number, error="`id`, `label` and `note` must be text")
        elif not fields["id"]:
            yield Labelled(number, error="`id` is missing")
        elif fields["label"]:
            stated = {name: value.strip() for name, value in fields.items()}
            yield Labelled(number, stated["id"], stated["label"], stated["note"])


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not JSON: {error}"
            continue
        yield number, row if isinstance(row, dict) else "not an object"


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if not {"id", "label"} <= set(reader.fieldnames or ()):
        yield 1, "the header needs the columns `id` and `label`"
        return
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        yield reader.line_num, f"not CSV: {error}"
