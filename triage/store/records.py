"""Values to rows and back. Nested values are stored as JSON, checked by type when read."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection, insert

from triage.store import tables
from triage.store.database import storable
from triage.types import Channel, SourceRef, Stage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """An inquiry on the work list, with what a step needs to find its input. `recordings` came with
    a mail, and are to be heard.
    """

    id: str
    identity: str
    ref: SourceRef
    channel: Channel
    sha256: str
    size: int
    media_type: str
    sidecar: str
    received_at: datetime
    stage: Stage
    attempts: int
    due_at: datetime
    error: str
    campaign: str
    backlog: bool = False
    held: str = ""
    recordings: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of inquiries."""

    id: str
    channel: Channel
    source: str
    key: str
    received_at: datetime
    created_at: datetime
    settled_at: datetime | None
    stage: Stage
    sender: str
    subject: str
    label: str | None
    confidence: float | None
    outcome: str | None
    score: int | None
    grade: str | None
    error: str
    held: str
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened to an inquiry."""

    at: datetime
    event: str
    detail: Mapping[str, Any]


_NOTE = insert(tables.history)
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    # Building one costs milliseconds, using one microseconds.
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dump(value: Any) -> str:
    """A frozen value of `triage.types` as JSON text."""
    adapter = _adapter(type(value))
    try:
        return adapter.dump_json(value).decode()
    except PydanticSerializationError:  # half of a surrogate pair, which UTF-8 cannot write
        return storable(json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False))


def restore(kind: type[T], text: str) -> T:
    """The value that `dump` wrote."""
    value: T = _adapter(kind).validate_json(text)
    return value


def dump_detail(detail: Mapping[str, Any]) -> str:
    """Details of a history entry as JSON text."""
    return json.dumps(detail, ensure_ascii=False, default=str)


def restore_detail(text: str) -> dict[str, Any]:
    """Details that `dump_detail` wrote."""
    detail: dict[str, Any] = json.loads(text)
    return detail


@dataclass(frozen=True, slots=True)
class Noted:
    """What is to be added to an inquiry's history."""

    inquiry_id: str
    event: str
    detail: Mapping[str, Any]


def note(
    connection: Connection, inquiry_id: str, event: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add to an inquiry's history, in the transaction that makes it true."""
    note_all(connection, [Noted(inquiry_id, event, detail or {})])


def note_all(connection: Connection, entries: Sequence[Noted]) -> None:
    """Add to the histories of several inquiries, in order."""
    if not entries:
        return
    moment = now()
    connection.execute(
        _NOTE,
        [
            {
                "inquiry_id": entry.inquiry_id,
                "at": moment,
                "event": entry.event,
                "detail": dump_detail(entry.detail),
            }
            for entry in entries
        ],
    )


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A new id that sorts by time: prefix, 10 characters of milliseconds, 10 random ones."""
    moment = int(time.time() * 1000).to_bytes(6, "big")
    letters = base64.b32hexencode(moment).decode().rstrip("=")[:10]
    chance = base64.b32hexencode(os.urandom(7)).decode()[:10]
    return f"{prefix}_{letters}{chance}".lower()
