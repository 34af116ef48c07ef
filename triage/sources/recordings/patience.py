"""Tells files that are still written from complete ones."""

from __future__ import annotations

import time
from dataclasses import dataclass

from triage.sources.recordings.store import Entry

_LONGEST_PAUSE = 5.0
"""As many seconds a poll waits at most for files that are almost settled."""
_OLD = 3600.0


@dataclass(frozen=True, slots=True)
class _Seen:
    revision: str
    since: float  # time.monotonic()


class Patience:
    """A file is complete once it has looked the same for `settle` seconds.

    By this machine's clock its own time says that at once. A server's clock may be wrong: there a
    file must look the same at two looks, or be an hour older than the newest file of the server,
    which is at least as late as what is written now.
    """

    def __init__(self, settle: float, *, own_clock: bool) -> None:
        self._settle = settle
        self._own_clock = own_clock
        self._seen: dict[str, _Seen] = {}
        self._before: dict[str, _Seen] = {}
        self._newest = 0.0  # of the server, in seconds
        self._last_due = 0.0  # time.monotonic(), of the files of this round

    def new_look(self) -> None:
        """Begin another round; files that were not asked about in the last one are forgotten."""
        self._before, self._seen = self._seen, {}
        self._last_due = 0.0

    def complete(self, entry: Entry) -> bool:
        """Whether the file may be read as it is listed."""
        now = time.monotonic()
        looks = (self._seen.get(entry.path), self._before.get(entry.path))
        same = all(look is None or look.revision == entry.revision for look in looks)
        last = looks[0] or looks[1]
        if last is None or last.revision != entry.revision:
            last = _Seen(entry.revision, now)
        self._seen[entry.path] = last
        if not self._settle:
            return True
        changed, present = entry.changed_ns / 1e9, time.time()
        self._newest = max(self._newest, min(changed, present))
        left = self._settle - (now - last.since)
        if same and self._own_clock and changed <= present:
            left = self._settle - (present - changed)
        settled = left <= 0 or (same and self._newest - changed >= _OLD)
        if not settled:
            self._last_due = max(self._last_due, now + left)
        return settled

    def pause(self) -> bool:
        """Wait until files that were not complete may be; False if there are none, or for long."""
        left = self._last_due - time.monotonic()
        if not self._last_due or left > _LONGEST_PAUSE:
            return False
        time.sleep(max(0.0, left) + 0.05)
        return True
