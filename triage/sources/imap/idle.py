"""News of one folder by IMAP IDLE (RFC 2177): the server tells when something arrives.

A connection of its own for each folder, because a server tells of the open folder only.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from imaplib import IMAP4
from typing import Any

from triage.errors import Transient
from triage.settings import ImapSource
from triage.sources.imap.connection import connect, drop, faults, leave, place_of
from triage.sources.oauth import Access


class FolderWatch:
    """Sits in one folder and idles. See `Watch`; one thread at a time.

    A connection that died without a word looks like one on which nothing happens. So IDLE is ended
    and begun again every `idle_renew` seconds: a living server answers that at once, and none of
    them ends a session that is renewed more often than every 29 minutes.
    """

    def __init__(self, settings: ImapSource, folder: str, access: Access | None = None) -> None:
        self.name = f"{settings.name}/{folder}"
        self.renew_every = settings.idle_renew
        self._settings = settings
        self._folder = folder
        self._access = access
        self._client: Any = None
        self._idling = False

    def open(self) -> bool:
        """Connect and begin to idle; False where the server cannot. Raises like `connect`."""
        client = connect(self._settings, self._access)
        self._client = client
        try:
            if not client.has_capability("IDLE"):
                self.close()
                return False
            with faults(self._settings):
                client.select_folder(self._folder, readonly=True)
                client.idle()
                self._idling = True
        except BaseException:
            self.abandon()
            raise
        return True

    def fileno(self) -> int:
        """The socket that becomes readable when the server speaks."""
        number: int = self._client.socket().fileno()
        return number

    def look(self) -> bool:
        """Read what the server said, without waiting; whether it may be about new mail.

        Raises `Transient` where the connection ended.
        """
        with faults(self._settings):
            said = self._client.idle_check(timeout=0)
        if not said:  # readable, and yet not a line: it was closed, or half of one came
            raise Transient(f"{place_of(self._settings)}: the connection ended while idling")
        return self._is_news(said)

    def renew(self) -> bool:
        """End IDLE and begin it again; whether news came meanwhile. `Transient` if it is dead."""
        with faults(self._settings):
            _, said = self._client.idle_done()
            self._idling = False
            self._client.idle()
            self._idling = True
        return self._is_news(said)

    def close(self) -> None:
        """Say goodbye, bounded by the timeout of the settings."""
        if self._client is None:
            return
        with suppress(IMAP4.error, OSError):
            if self._idling:
                self._client.idle_done()
            self._idling = False
        leave(self._client)
        self._client = None

    def abandon(self) -> None:
        """End the connection without waiting for anybody."""
        if self._client is not None:
            drop(self._client)
        self._client, self._idling = None, False

    def _is_news(self, said: Sequence[Any]) -> bool:
        """Whether mail may have come. A server that says goodbye is one that left."""
        kinds = [part for line in said for part in line[:2]]
        if b"BYE" in kinds:
            raise Transient(f"{place_of(self._settings)}: the server said goodbye")
        return b"EXISTS" in kinds or b"RECENT" in kinds
