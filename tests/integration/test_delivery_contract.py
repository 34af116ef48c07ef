"""Whatever the pipeline really puts into the outbox is what the schemas say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from tests.support.leads import WELL_STATED, Desk, desk
from tests.support.schemas import problems
from triage.delivery import events
from triage.pipeline.escalation import Escalation
from triage.settings import EVENTS, Acknowledge, Destination, Links, Store
from triage.store import database
from triage.store.database import Database
from triage.store.repository import Repository

TARGET = Destination(name="crm", url="http://127.0.0.1:1/", events=(*EVENTS, "inquiry.classified"))
LINKS = Links(url="https://triage.example", secret="a secret")  # type: ignore[arg-type]
HOT = Acknowledge(within=1e-9, grades=("A", "B", "C", "D"), escalate_to="crm", listen="127.0.0.1:0")


@pytest.mark.parametrize("settings", [{}, {"links": LINKS, "acknowledge": HOT}])
def test_every_event_that_is_written_fits_its_schema(
    repository: Repository, settings: dict[str, Any]
) -> None:
    crm: Desk = desk(repository, TARGET, **settings)
    first = crm.settled("one")
    crm.settled("two", text=WELL_STATED * 300, thread=("<a@b>", "<c@d>"))
    crm.settled("junk", "spam", text="")
    Escalation(crm.settings, repository).sweep()
    crm.corrections.relabel(first, "spam", by="Dana", note="x" * 3000)
    crm.corrections.relabel(first, "lead")
    written = crm.events()
    for event in written:
        assert problems(event.event, json.loads(event.body)) == []
        assert len(event.body.encode()) <= events.MAX_BYTES
    expected = set(events.TYPES) | ({"lead.unacknowledged"} if settings else set())
    assert {event.event for event in written} == expected


def test_leads_that_were_sent_before_this_version_can_be_retracted(empty_store: Store) -> None:
    older = Database(empty_store.url)
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with older.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO inquiries (id, identity, channel, source, kind, key, revision, sha256,"
                " size, media_type, sidecar, received_at, created_at, stage, attempts, due_at,"
                " error, sender, subject, campaign) VALUES ('inq_1', 'mail:1', 'email', 's',"
                " 'imap', 'k', '', '0', 1, 'm', '', :at, :at, 'settled', 0, :at, '', '', '', '')"
            ),
            {"at": at},
        )
        connection.execute(
            text(
                "INSERT INTO deliveries (id, inquiry_id, destination, event, sequence, body, state,"
                " attempts, created_at, last_error) VALUES ('msg_1', 'inq_1', 'crm',"
                " 'lead.qualified', 1, '{}', 'accepted', 1, :at, '')"
            ),
            {"at": at},
        )
    older.upgrade()
    with older.read() as connection:
        (row,) = connection.execute(text("SELECT * FROM handovers"))
    assert (row.inquiry_id, row.destination, row.lead_id) == ("inq_1", "crm", "msg_1")
    assert row.opened
    older.close()
