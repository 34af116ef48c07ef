"""Work that somebody started and that takes longer than a page may: one of a kind at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from triage.errors import TriageError
from triage.store import records

log = structlog.get_logger(__name__)

Tell = Callable[[int, int], None]
"""Says how many pieces of how many are done."""


@dataclass(slots=True)
class Chore:
    """Something that is being done, or was. `error` says to people why nothing came of it."""

    by: str
    started_at: datetime
    done: int = 0
    of: int = 0
    running: bool = True
    result: Any = None
    error: str = ""

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self.done / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Chores:
    """The last of each kind. Kept in memory: what matters of a result is stored by the work."""

    _known: dict[str, Chore] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, kind: str) -> Chore | None:
        """The last one, running or not; None where there was none."""
        return self._known.get(kind)

    def start(self, kind: str, by: str, work: Callable[[Tell], Any]) -> Chore:
        """Begin, unless one of the kind is running; returns the one that runs."""
        with self._lock:
            known = self._known.get(kind)
            if known and known.running:
                return known
            chore = self._known[kind] = Chore(by, records.now())
        threading.Thread(target=_do, args=(chore, work), name=kind, daemon=True).start()
        return chore


def _do(chore: Chore, work: Callable[[Tell], Any]) -> None:
    def tell(done: int, of: int) -> None:
        chore.done, chore.of = done, of

    try:
        chore.result = work(tell)
    except TriageError as error:
        chore.error = str(error)
    except Exception as error:
        log.exception("work for a page failed")
        chore.error = f"{type(error).__name__}; the worker's log says more"
    finally:
        chore.running = False
