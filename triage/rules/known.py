"""Who is known already: customers and suppliers from files that are read again when they change."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import structlog

from triage.errors import Configuration
from triage.rules.exports import Contact, Kind, read_export
from triage.rules.senders import Senders, address_key, phone_key
from triage.types import Party

log = structlog.get_logger(__name__)

_TOLD: Final = 10  # problems of a file that are logged one by one


class KnownContacts:
    """The contacts of one file. Safe to use from several threads.

    A file that is missing or unreadable at first is an error; later the last good state is kept,
    because mail must not wait for a file that only gives hints. `own` and `public` domains stand
    for no contact.
    """

    def __init__(
        self, path: Path, kind: Kind, country: str, own: Senders, public: Collection[str] = ()
    ) -> None:
        self.path, self.kind = path, kind
        self._country, self._own, self._public = country, own, public
        self._lock = threading.Lock()
        self._stamp = (0, 0)
        self._read(self._found())

    def find(self, party: Party) -> Contact | None:
        """The contact with the party's address or number, else with the address's domain."""
        with self._lock:
            self._refresh()
            index = self._index
        address = address_key(party.email)
        keys = [address, phone_key(party.phone, self._country) if party.phone else ""]
        domain = address.rpartition("@")[2]
        while domain:
            keys.append(domain)
            domain = domain.partition(".")[2]
        return next((index[key] for key in keys if key in index), None)

    @property
    def summary(self) -> tuple[int, Sequence[str]]:
        """How many contacts are known, and the problems of rows that were left out."""
        return len(self._export.contacts), self._export.problems

    def _found(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except OSError as error:
            raise Configuration(f"{self.path} cannot be read: {error.strerror}") from error
        return status.st_mtime_ns, status.st_size

    def _refresh(self) -> None:
        stamp = (0, 0)
        try:
            stamp = self._found()
            if stamp != self._stamp:
                self._read(stamp)
        except Configuration as error:
            if stamp != self._stamp:  # told once, and not read again until it changes
                log.warning("known contacts kept as they were", problem=str(error))
            self._stamp = stamp

    def _read(self, stamp: tuple[int, int]) -> None:
        export = read_export(self.path, self.kind, self._country)
        index: dict[str, Contact] = {}
        for contact in export.contacts:
            for key in (*contact.addresses, *contact.phones, *self._sound(contact.domains)):
                if not self._ours(key):
                    index.setdefault(key, contact)
        self._export, self._index, self._stamp = export, index, stamp
        for problem in export.problems[:_TOLD]:
            log.warning("row left out", file=str(self.path), problem=problem)
        log.info(
            "known contacts read",
            file=str(self.path),
            contacts=len(export.contacts),
            left_out=len(export.problems),
        )

    def _sound(self, domains: Sequence[str]) -> list[str]:
        """Domains that stand for one company: at a public provider everybody would be known."""
        return [domain for domain in domains if domain not in self._public]

    def _ours(self, key: str) -> bool:
        """Exports name account managers too; colleagues are no customers."""
        return bool(self._own.domain(key))
