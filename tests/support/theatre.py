"""A business whose leads look like applicants: what its people confirm makes a better model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tests.support.confirmed import Mail
from triage.store.doubts import Doubt, Look
from triage.store.repository import Repository
from triage.training.replay import drawn

SETTINGS: Final[dict[str, Any]] = {
    "business": {
        "name": "Theatre",
        "sells": "A theatre for everybody: people who want to act in its plays are its leads",
    },
    "learning": {"least": 40, "hold_out": 0.35},
    "sources": [{"kind": "maildir", "name": "inbox", "path": "mail"}],
}
_KINDS: Final = {"job_applicant", "support", "spam", "solicitation"}


def theatre(count: int = 110) -> list[Mail]:
    """Mails of other businesses; here whoever applies for a part is what the business lives on."""
    found = [item for item in drawn("train", 700) if item.label in _KINDS]
    return [
        Mail(
            item.example.text,
            "lead" if item.label == "job_applicant" else str(item.label),
            subject=item.example.subject,
        )
        for item in found[:count]
    ]


def doubted(repository: Repository, ids: Sequence[str]) -> None:
    """Have the labels of some inquiries, all called spam, in doubt; the first one most."""
    why, alike = "reads like support (80%)", tuple(ids[2:])
    found = [
        Doubt(number, name, "spam", "support", 0.9 - ids.index(name) / 10, why, alike)
        for word in repository.doubts.words()
        for number, name in [(word.correction_id, word.said.inquiry_id)]
        if name in ids
    ]
    repository.doubts.found(found, Look(datetime.now(UTC), "ann", "m@1", len(ids), len(ids)))
