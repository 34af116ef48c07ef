"""The outbox: events on their way to destinations.

A row ends only as accepted, or visibly dead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, or_, select, update

from triage.store import records, tables
from triage.store.accounts import ALL, Reach
from triage.store.database import Database
from triage.types import Delivery, DeliveryState

# What every try needs is put together once: building a statement takes longer than running it.
_TRIED: Final = (
    update(tables.deliveries)
    .where(
        tables.deliveries.c.id == bindparam("delivery_id"),
        tables.deliveries.c.state == DeliveryState.PENDING,
    )
    .values(
        state=bindparam("new_state"),
        attempts=tables.deliveries.c.attempts + 1,
        next_at=bindparam("next_try"),
        accepted_at=bindparam("answered"),
        arrival_s=bindparam("since"),
        last_status=bindparam("status"),
        last_error=bindparam("error"),
    )
)
_ATTEMPT: Final = insert(tables.attempts)
_OTHER: Final = tables.deliveries.alias("other")
_DUE: Final = (
    select(tables.deliveries)
    .where(
        tables.deliveries.c.state == DeliveryState.PENDING,
        tables.deliveries.c.next_at <= bindparam("moment"),
        tables.deliveries.c.destination == bindparam("to"),
        tables.deliveries.c.id.not_in(bindparam("skip", expanding=True)),
        ~exists().where(
            _OTHER.c.inquiry_id == tables.deliveries.c.inquiry_id,
            _OTHER.c.destination == bindparam("to"),
            _OTHER.c.position < tables.deliveries.c.position,
            _OTHER.c.state == DeliveryState.PENDING,
        ),
        or_(
            tables.deliveries.c.refers_to == "",
            ~exists().where(
                _OTHER.c.id == tables.deliveries.c.refers_to,
                _OTHER.c.state == DeliveryState.PENDING,
            ),
        ),
    )
    .order_by(tables.deliveries.c.next_at)
    .limit(bindparam("most"))
)
_TAKEN_BACK: Final = exists().where(
    _OTHER.c.inquiry_id == tables.deliveries.c.inquiry_id,
    _OTHER.c.destination == tables.deliveries.c.destination,
    _OTHER.c.refers_to == tables.deliveries.c.id,
    _OTHER.c.event == "lead.retracted",
    _OTHER.c.state == DeliveryState.ACCEPTED,
)
# Locked where rows can be, in one order: nobody settles or revives them in between.
_AS_THEY_ARE: Final = (
    select(tables.deliveries.c.id, tables.deliveries.c.state, tables.inquiries.c.received_at)
    .join(tables.inquiries, tables.inquiries.c.id == tables.deliveries.c.inquiry_id)
    .where(tables.deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(tables.deliveries.c.id)
    .with_for_update(of=tables.deliveries)
)

_WRITTEN: Final = (
    select(
        tables.deliveries.c.destination,
        tables.deliveries.c.event,
        func.count().label("number"),
    )
    .where(tables.deliveries.c.inquiry_id == bindparam("inquiry"))
    .group_by(tables.deliveries.c.destination, tables.deliveries.c.event)
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when, how long in seconds, the HTTP status if there was one, the error if any."""

    at: datetime
    duration_s: float
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """A try and the state that its delivery has after it; `next_at` where another one follows."""

    delivery: Delivery
    attempt: Attempt
    state: DeliveryState
    next_at: datetime | None = None

    @property
    def answered(self) -> datetime:
        """When the destination answered."""
        return self.attempt.at + timedelta(seconds=self.attempt.duration_s)


def add(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write events, as part of the transaction that decides them; they leave in this order."""
    if not deliveries:
        return
    ids = sorted({delivery.inquiry_id for delivery in deliveries})
    written = {name: Counter(events_of(connection, name)) for name in ids}
    rows = []
    for delivery in deliveries:
        before, kind = written[delivery.inquiry_id], (delivery.destination, delivery.event)
        before[kind] += 1
        position = sum(number for (to, _), number in before.items() if to == delivery.destination)
        rows.append(asdict(delivery) | {"sequence": before[kind], "position": position})
    connection.execute(insert(tables.deliveries), rows)


def events_of(connection: Connection, inquiry_id: str) -> dict[tuple[str, str], int]:
    """How many events about an inquiry were written, by destination and type."""
    rows = connection.execute(_WRITTEN, {"inquiry": inquiry_id})
    return {(row.destination, row.event): row.number for row in rows}


class Outbox:
    """Due deliveries and what became of them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def waiting_destinations(self) -> list[str]:
        """Destinations, named in the settings or not any more, with pending deliveries."""
        column = tables.deliveries.c.destination
        query = select(column).where(tables.deliveries.c.state == DeliveryState.PENDING).distinct()
        with self.database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def due(self, destination: str, limit: int, skip: Collection[str] = ()) -> list[Delivery]:
        """Pending deliveries to a destination whose time has come, longest due first.

        An event waits until what came before it, about the same inquiry or under the id it refers
        to, is accepted or dead. `skip`: ids that are under way.
        """
        known = {
            "to": destination, "moment": records.now(), "most": limit, "skip": list(skip),
        }  # fmt: skip
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.execute(_DUE, known)]

    def tried(
        self,
        delivery: Delivery,
        attempt: Attempt,
        state: DeliveryState,
        next_at: datetime | None = None,
    ) -> bool:
        """`settle` for one try; whether it moved the row."""
        return bool(self.settle([Settlement(delivery, attempt, state, next_at)]))

    def settle(self, together: Sequence[Settlement]) -> list[Settlement]:
        """Store attempts and their consequences in one transaction: a commit costs more than what
        it stores. Returns those that moved their rows; others were settled meanwhile.
        """
        with self.database.write() as connection:
            ids = [settlement.delivery.id for settlement in together]
            rows = {row.id: row for row in connection.execute(_AS_THEY_ARE, {"ids": ids})}
            # An erased inquiry takes its deliveries along.
            there = [settlement for settlement in together if settlement.delivery.id in rows]
            moved = _movable(there, rows)
            if moved:
                outcomes = [_outcome(settlement, rows) for settlement in moved]
                connection.execute(_TRIED, outcomes)
            if there:
                connection.execute(_ATTEMPT, [_attempted(settlement) for settlement in there])
            _note_ends(connection, moved)
        return moved

    def postponed(self, delivery: Delivery, error: str, wait: timedelta) -> None:
        """No try was possible, for a reason that is not the endpoint's; look again after `wait`."""
        table = tables.deliveries
        with self.database.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == delivery.id, table.c.state == DeliveryState.PENDING)
                .values(next_at=records.now() + wait, last_error=error)
            )

    def open_count(self) -> int:
        """How many deliveries still wait for a try."""
        return self.counts()[DeliveryState.PENDING]

    def revive_all(
        self,
        state: DeliveryState = DeliveryState.DEAD,
        destination: str | None = None,
        reach: Reach = ALL,
    ) -> int:
        """Make all deliveries of a state (not ACCEPTED) due now, for one destination or every, of
        the inquiries within reach; returns how many. Leads whose retraction was accepted stay dead.
        """
        table = tables.deliveries
        condition = [
            table.c.state == state, table.c.state != DeliveryState.ACCEPTED, ~_TAKEN_BACK,
        ]  # fmt: skip
        if destination is not None:
            condition.append(table.c.destination == destination)
        if not reach.is_all:
            within = select(tables.inquiries.c.id).where(*reach.conditions())
            condition.append(table.c.inquiry_id.in_(within))
        moment = records.now()
        with self.database.write() as connection:
            found = connection.execute(select(table.c.id, table.c.inquiry_id).where(*condition))
            for delivery_id, inquiry_id in found.all():
                records.note(connection, inquiry_id, "delivery_revived", {"id": delivery_id})
            return connection.execute(
                update(table)
                .where(*condition)
                .values(state=DeliveryState.PENDING, next_at=moment, attempts=0)
            ).rowcount

    def revive(self, delivery_id: str) -> bool:
        """Make a dead or waiting delivery due now, under its old id; False if accepted, or if its
        retraction was: the destination would take it for a lead again.
        """
        table = tables.deliveries
        with self.database.write() as connection:
            query = select(table).where(table.c.id == delivery_id, ~_TAKEN_BACK)
            row = connection.execute(query).first()
            if row is None or row.state == DeliveryState.ACCEPTED:
                return False
            connection.execute(
                update(table)
                .where(table.c.id == delivery_id, table.c.state != DeliveryState.ACCEPTED)
                .values(state=DeliveryState.PENDING, next_at=records.now(), attempts=0)
            )
            records.note(connection, row.inquiry_id, "delivery_revived", {"id": delivery_id})
        return True

    def listed(
        self,
        *,
        limit: int = 50,
        state: DeliveryState | None = None,
        inquiry_id: str | None = None,
        destination: str | None = None,
    ) -> list[Delivery]:
        """Deliveries for a list, newest first."""
        table = tables.deliveries
        query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(table.c.state == state)
        if inquiry_id is not None:
            query = query.where(table.c.inquiry_id == inquiry_id)
        if destination is not None:
            query = query.where(table.c.destination == destination)
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """Every try of a delivery, in order."""
        table = tables.attempts
        query = select(table).where(table.c.delivery_id == delivery_id).order_by(table.c.id)
        with self.database.read() as connection:
            return [
                Attempt(row.at, row.duration_s, row.status, row.error)
                for row in connection.execute(query)
            ]

    def counts(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state."""
        table = tables.deliveries
        query = select(table.c.state, func.count()).group_by(table.c.state)
        with self.database.read() as connection:
            found = {DeliveryState(state): number for state, number in connection.execute(query)}
        return {state: found.get(state, 0) for state in DeliveryState}

    def counts_by_destination(self) -> dict[str, dict[DeliveryState, int]]:
        """How many deliveries to each destination are in each state that has any."""
        table = tables.deliveries
        query = select(table.c.destination, table.c.state, func.count()).group_by(
            table.c.destination, table.c.state
        )
        found: dict[str, dict[DeliveryState, int]] = {}
        with self.database.read() as connection:
            for name, state, number in connection.execute(query):
                found.setdefault(name, {})[DeliveryState(state)] = number
        return found

    def speed(self, destination: str, last: int = 1000) -> tuple[float | None, float | None]:
        """(median, 95th percentile) of the seconds from arrival to acceptance, over the newest."""
        table = tables.deliveries
        query = (
            select(table.c.arrival_s)
            .where(table.c.destination == destination, table.c.arrival_s.is_not(None))
            .order_by(table.c.created_at.desc())
            .limit(last)
        )
        with self.database.read() as connection:
            seconds = sorted(connection.execute(query).scalars())
        if not seconds:
            return None, None
        return seconds[(len(seconds) - 1) // 2], seconds[(len(seconds) - 1) * 95 // 100]

    def find(self, prefix: str) -> list[str]:
        """Ids that begin with `prefix`, ten at most."""
        column = tables.deliveries.c.id
        query = select(column).where(column.startswith(prefix, autoescape=True)).limit(10)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())


def _movable(together: Sequence[Settlement], rows: Mapping[str, Any]) -> list[Settlement]:
    """Those whose row is still open; of several that would end one, the first does."""
    pending = {name for name, row in rows.items() if row.state == DeliveryState.PENDING}
    moved = []
    for settlement in together:
        if settlement.delivery.id in pending:
            moved.append(settlement)
            if settlement.state is not DeliveryState.PENDING:
                pending.discard(settlement.delivery.id)
    return moved


def _outcome(settlement: Settlement, rows: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of `_TRIED`. Clocks of mail servers may be ahead of ours."""
    accepted = settlement.state is DeliveryState.ACCEPTED
    arrived = rows[settlement.delivery.id].received_at
    since = max(0.0, (settlement.answered - arrived).total_seconds())
    return {
        "delivery_id": settlement.delivery.id,
        "new_state": settlement.state,
        "next_try": settlement.next_at,
        "answered": settlement.answered if accepted else None,
        "since": since if accepted else None,
        "status": settlement.attempt.status,
        "error": settlement.attempt.error,
    }


def _attempted(settlement: Settlement) -> dict[str, Any]:
    attempt = settlement.attempt
    return {
        "delivery_id": settlement.delivery.id,
        "at": attempt.at,
        "duration_s": attempt.duration_s,
        "status": attempt.status,
        "error": attempt.error,
    }


def _note_ends(connection: Connection, moved: Sequence[Settlement]) -> None:
    ends = [
        records.Noted(
            settlement.delivery.inquiry_id,
            "delivered" if settlement.state is DeliveryState.ACCEPTED else "delivery_dead",
            {"destination": settlement.delivery.destination, "id": settlement.delivery.id},
        )
        for settlement in moved
        if settlement.state is not DeliveryState.PENDING
    ]
    records.note_all(connection, ends)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        inquiry_id=row.inquiry_id,
        destination=row.destination,
        event=row.event,
        body=row.body,
        attempts=row.attempts,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        next_at=row.next_at,
        accepted_at=row.accepted_at,
        last_status=row.last_status,
        last_error=row.last_error,
        refers_to=row.refers_to,
        arrival_s=row.arrival_s,
    )
