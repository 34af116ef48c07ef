"""The outbox: events on their way to destinations.

A row ends only as accepted, or visibly dead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, or_, select, update

from triage.store import records, tables
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
_ARRIVED: Final = select(tables.inquiries.c.received_at).where(
    tables.inquiries.c.id == bindparam("inquiry_id")
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when, how long in seconds, the HTTP status if there was one, the error if any."""

    at: datetime
    duration_s: float
    status: int | None
    error: str


def add(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write events, as part of the transaction that decides them; they leave in this order."""
    table = tables.deliveries
    for delivery in deliveries:
        same_kind = func.count().filter(table.c.event == delivery.event)
        sequence, position = connection.execute(
            select(same_kind, func.count()).where(
                table.c.inquiry_id == delivery.inquiry_id,
                table.c.destination == delivery.destination,
            )
        ).one()
        connection.execute(
            insert(table).values(**asdict(delivery), sequence=sequence + 1, position=position + 1)
        )


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
        table = tables.deliveries
        earlier = table.alias("earlier")
        query = (
            select(table)
            .where(table.c.state == DeliveryState.PENDING, table.c.next_at <= records.now())
            .where(table.c.destination == destination)
            .where(
                ~exists().where(
                    earlier.c.inquiry_id == table.c.inquiry_id,
                    earlier.c.destination == destination,
                    earlier.c.position < table.c.position,
                    earlier.c.state == DeliveryState.PENDING,
                ),
                or_(
                    table.c.refers_to == "",
                    ~exists().where(
                        earlier.c.id == table.c.refers_to,
                        earlier.c.state == DeliveryState.PENDING,
                    ),
                ),
            )
            .order_by(table.c.next_at)
            .limit(limit)
        )
        if skip:
            query = query.where(table.c.id.not_in(skip))
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def tried(
        self,
        delivery: Delivery,
        attempt: Attempt,
        state: DeliveryState,
        next_at: datetime | None = None,
    ) -> bool:
        """Store an attempt and its consequence, unless somebody else settled the row meanwhile."""
        accepted = state is DeliveryState.ACCEPTED
        answered = attempt.at + timedelta(seconds=attempt.duration_s)
        with self.database.write() as connection:
            arrival_s = _since_arrival(connection, delivery, answered) if accepted else None
            moved = connection.execute(
                _TRIED,
                {
                    "delivery_id": delivery.id,
                    "new_state": state,
                    "next_try": next_at,
                    "answered": answered if accepted else None,
                    "since": arrival_s,
                    "status": attempt.status,
                    "error": attempt.error,
                },
            )
            connection.execute(_ATTEMPT, {"delivery_id": delivery.id, **asdict(attempt)})
            if moved.rowcount == 1 and state is not DeliveryState.PENDING:
                records.note(
                    connection,
                    delivery.inquiry_id,
                    "delivered" if accepted else "delivery_dead",
                    {"destination": delivery.destination, "id": delivery.id},
                )
        return moved.rowcount == 1

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
        self, state: DeliveryState = DeliveryState.DEAD, destination: str | None = None
    ) -> int:
        """Make all deliveries of a state (not ACCEPTED) due now, for one destination or every;
        returns how many.
        """
        table = tables.deliveries
        condition = [table.c.state == state, table.c.state != DeliveryState.ACCEPTED]
        if destination is not None:
            condition.append(table.c.destination == destination)
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
        """Make a dead or waiting delivery due now, under its old id; False if accepted."""
        table = tables.deliveries
        with self.database.write() as connection:
            row = connection.execute(select(table).where(table.c.id == delivery_id)).first()
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


def _since_arrival(connection: Connection, delivery: Delivery, moment: datetime) -> float:
    """Seconds from the arrival of the inquiry; clocks of mail servers may be ahead of ours."""
    arrived: datetime = connection.execute(
        _ARRIVED, {"inquiry_id": delivery.inquiry_id}
    ).scalar_one()
    return max(0.0, (moment - arrived).total_seconds())


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
