"""Which models there are, which of them decides, and what was trained. All times aware, in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, func, insert, select, union, update

from triage.store import audit, records, tables
from triage.store.audit import Actor
from triage.store.database import Database

Origin = Literal["shipped", "configured", "trained", "imported"]
State = Literal["candidate", "refused", "active", "retired", "damaged"]
Why = Literal["promoted", "rolled back", "forced"]
TrainingState = Literal["waiting", "running", "done", "refused", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model. `sha256` is its manifest's, `training` the one that made it.

    `figures` is what the gate measured: `passed` (bool), `reasons` (why not, in words), and the
    rest as `pipeline.gate` describes it; empty where it was not measured.
    """

    name_version: str
    created_at: datetime
    origin: Origin
    sha256: str
    training: str | None
    state: State
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """From `at` on `to` decided instead of `from_`."""

    id: int
    at: datetime
    by: str
    from_: str
    to: str
    why: Why
    note: str


@dataclass(frozen=True, slots=True)
class Training:
    """One training. `progress` has `phase` (`snapshot`, `training`, `measuring`, `done`), `share`
    (0 to 1), `seconds_left` (or None), and while a network is fine-tuned `epoch`, `epochs`, `step`,
    `steps` and `loss`. `snapshot` has `items`, `labels`, `people`, `sources` (counts of each),
    `held_out`, `sha256` and `taken_at`; `result` has `method`, `why` and the gate's figures;
    `error` says why it failed or was refused; `model` is what it made.
    """

    id: str
    started_at: datetime
    ended_at: datetime | None
    by: str
    state: TrainingState
    progress: Mapping[str, Any]
    snapshot: Mapping[str, Any]
    result: Mapping[str, Any]
    error: str
    model: str | None

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return self.state in {"waiting", "running"}


_OPEN: Final = ("waiting", "running")


class Models:
    """The rows of models and of switches between them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def known(self, limit: int = 200) -> list[Model]:
        """Models, the newest first."""
        table = tables.models
        query = select(table).order_by(table.c.created_at.desc(), table.c.name_version)
        with self.database.read() as connection:
            return [_model(row) for row in connection.execute(query.limit(limit))]

    def get(self, name_version: str) -> Model | None:
        """One model; None where nobody ever heard of it."""
        table = tables.models
        with self.database.read() as connection:
            query = select(table).where(table.c.name_version == name_version)
            row = connection.execute(query).first()
        return _model(row) if row else None

    def add(self, model: Model) -> bool:
        """Make a model known; false where one of that name is, which stays as it is."""
        values = _plain(model, "figures")
        with self.database.write() as connection:
            added = connection.execute(
                self.database.insert(tables.models)
                .values(**values)
                .on_conflict_do_nothing()
                .returning(tables.models.c.name_version)
            ).first()
        return added is not None

    def settled_first(self, first: Model) -> None:
        """Make the model of the settings known, with the manifest it has now. Before the first
        switch it is the one that decides, whatever decided before.
        """
        table = tables.models
        values = _plain(first, "figures")
        with self.database.write() as connection:
            changed = {"sha256": first.sha256}
            if first.state == "active":
                changed |= {"state": "active"}
                connection.execute(
                    update(table)
                    .where(table.c.state == "active", table.c.name_version != first.name_version)
                    .values(state="retired")
                )
            connection.execute(
                self.database.insert(table)
                .values(**values)
                .on_conflict_do_update(index_elements=["name_version"], set_=changed)
            )

    def measured(self, name_version: str, state: State, figures: Mapping[str, Any]) -> None:
        """Keep what the gate found of a model; one that decides goes on deciding, and one that did
        before stays one to go back to.
        """
        table = tables.models
        mine = table.c.name_version == name_version
        with self.database.write() as connection:
            connection.execute(
                update(table).where(mine).values(figures=records.dump_detail(figures))
            )
            connection.execute(
                update(table)
                .where(mine, table.c.state.not_in(("active", "retired")))
                .values(state=state)
            )

    def damaged(self, name_version: str) -> bool:
        """A model's folder is not what it was; false where that is known."""
        table = tables.models
        with self.database.write() as connection:
            marked = connection.execute(
                update(table)
                .where(table.c.name_version == name_version, table.c.state != "damaged")
                .values(state="damaged")
            )
        return bool(marked.rowcount)

    def repaired(self, name_version: str, state: State) -> None:
        """A damaged model's folder is whole again."""
        table = tables.models
        with self.database.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.name_version == name_version, table.c.state == "damaged")
                .values(state=state)
            )

    def switches(self, limit: int = 50) -> list[Switch]:
        """Switches, the newest first."""
        table = tables.model_switches
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        with self.database.read() as connection:
            return [_switch(row) for row in connection.execute(query)]

    def decided(self) -> frozenset[str]:
        """The models that any switch names: each decides, or has."""
        table = tables.model_switches
        both = union(select(table.c.from_model), select(table.c.to_model))
        with self.database.read() as connection:
            return frozenset(connection.execute(both).scalars())

    def switched(
        self, before: int, from_: str, to: str, why: Why, actor: Actor, note: str = ""
    ) -> Switch | None:
        """Switch to another model, with its audit entry; None where somebody switched since
        `before`, the id of the last switch (0: there was none).
        """
        values = {
            "previous": before,
            "at": records.now(),
            "by": actor.name,
            "from_model": from_,
            "to_model": to,
            "why": why,
            "note": note,
        }
        with self.database.write() as connection:
            done = connection.execute(
                self.database.insert(tables.model_switches)
                .values(**values)
                .on_conflict_do_nothing()
                .returning(tables.model_switches)
            ).first()
            if done is None:
                return None
            _set_state(connection, from_, "retired")
            _set_state(connection, to, "active")
            audit.note(connection, actor, f"model {why}", to, {"from": from_, "note": note})
        return _switch(done)


class Trainings:
    """The rows of trainings."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, training_id: str, actor: Actor) -> None:
        """A training was asked for."""
        with self.database.write() as connection:
            connection.execute(
                insert(tables.trainings).values(
                    id=training_id,
                    started_at=records.now(),
                    by=actor.name,
                    state="waiting",
                    progress="{}",
                    snapshot="{}",
                    result="{}",
                    error="",
                )
            )
            audit.note(connection, actor, "training started", training_id)

    def listed(self, limit: int = 50) -> list[Training]:
        """Trainings, the newest first."""
        table = tables.trainings
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        with self.database.read() as connection:
            return [_training(row) for row in connection.execute(query)]

    def get(self, training_id: str) -> Training | None:
        """One training."""
        table = tables.trainings
        with self.database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == training_id)).first()
        return _training(row) if row else None

    def is_open(self) -> bool:
        """Whether a row says that a training goes on; its process may be gone."""
        table = tables.trainings
        query = select(func.count()).where(table.c.state.in_(_OPEN))
        with self.database.read() as connection:
            return connection.execute(query).scalar_one() > 0

    def going(self, training_id: str, **values: Mapping[str, Any]) -> bool:
        """Write `progress`, `snapshot` or `result`; false where it was ended meanwhile."""
        table = tables.trainings
        found = {name: records.dump_detail(value) for name, value in values.items()}
        with self.database.write() as connection:
            moved = connection.execute(
                update(table)
                .where(table.c.id == training_id, table.c.state.in_(_OPEN))
                .values(state="running", **found)
            )
        return bool(moved.rowcount)

    def ended(
        self, training_id: str, state: TrainingState, error: str = "", model: str | None = None
    ) -> bool:
        """A training is over; false where it was before."""
        table = tables.trainings
        with self.database.write() as connection:
            moved = connection.execute(
                update(table)
                .where(table.c.id == training_id, table.c.state.in_(_OPEN))
                .values(state=state, ended_at=records.now(), error=error, model=model)
            )
        return bool(moved.rowcount)

    def cancelled(self, training_id: str, actor: Actor) -> bool:
        """Somebody ends a training; false where it was over."""
        if not self.ended(training_id, "cancelled", f"cancelled by {actor.name or 'somebody'}"):
            return False
        with self.database.write() as connection:
            audit.note(connection, actor, "training cancelled", training_id)
        return True

    def abandoned(self, why: str) -> None:
        """No process trains any more: what is open has failed."""
        table = tables.trainings
        with self.database.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.state.in_(_OPEN))
                .values(state="failed", ended_at=records.now(), error=why)
            )


def _set_state(connection: Connection, name_version: str, state: State) -> None:
    table = tables.models
    connection.execute(
        update(table)
        .where(table.c.name_version == name_version, table.c.state != "damaged")
        .values(state=state)
    )


def _plain(value: Any, *details: str) -> dict[str, Any]:
    found = {name: getattr(value, name) for name in type(value).__dataclass_fields__}
    return found | {name: records.dump_detail(found[name]) for name in details}


def _model(row: Row[Any]) -> Model:
    found = {name: getattr(row, name) for name in Model.__dataclass_fields__}
    return Model(**found | {"figures": records.restore_detail(row.figures)})


def _switch(row: Row[Any]) -> Switch:
    return Switch(row.id, row.at, row.by, row.from_model, row.to_model, row.why, row.note)


def _training(row: Row[Any]) -> Training:
    found = {name: getattr(row, name) for name in Training.__dataclass_fields__}
    for name in ("progress", "snapshot", "result"):
        found[name] = records.restore_detail(found[name])
    return Training(**found)
