"""Every error this project raises on purpose; the branch decides what the worker does about it.

    TriageError
    ├── Transient       the same call may work later: try again with back-off
    ├── Permanent       this item can never work as it is: quarantine it, go on with the next
    └── Configuration   nothing of this kind works until a person changes something: keep the item,
                        report it, try again slowly
        └── Usage       the command line or an input file is wrong: exit code 2

Messages are for people: what is wrong, where, and what to do.
"""

from __future__ import annotations


class TriageError(Exception):
    """Base of the tree; never raised itself."""


class Transient(TriageError):
    """May work later. `retry_after` (seconds) is set where the other side named a time."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(TriageError):
    """Cannot work, however often it is tried."""


class Configuration(TriageError):
    """Settings, credentials or an installation are at fault, not the item."""


class Usage(Configuration):
    """The command was called with input it cannot use."""
