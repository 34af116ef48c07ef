"""Inquiries that a model decided and people labelled, put into a store as the worker does."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from classifiers.labels import Label
from tests.support.stored import arrival, current, decision, verdict
from triage.pipeline.corrections import Corrections
from triage.settings import Settings
from triage.store import records
from triage.store.repository import Repository
from triage.types import Inquiry, Outcome, Party


@dataclass(frozen=True)
class Mail:
    """A mail, and what a person says it is; nobody says anything where `label` is empty."""

    text: str
    label: str
    sender: str = ""
    subject: str = "A question"
    said_by_model: Label = "irrelevant"
    by: str = "ann"


def put(repository: Repository, settings: Settings, mails: Sequence[Mail]) -> list[str]:
    """Store mails, decided by the model `test@1`, with what people say of them; returns ids."""
    ids = []
    corrections = Corrections(settings, repository)
    for number, mail in enumerate(mails):
        sender = mail.sender or f"writer{number}@people{number}.example"
        name = f"{number}:{sender}:{mail.text}"
        with _known_id(number, name):
            (inquiry_id,) = repository.arrivals.receive([arrival(name, key=f"INBOX/1/{name[:60]}")])
        ids.append(inquiry_id)
        work = current(repository, inquiry_id)
        inquiry = Inquiry(
            id=inquiry_id,
            ref=work.ref,
            channel="email",
            received_at=work.received_at,
            sender=Party("", sender),
            recipients=(Party(email="office@theatre.example"),),
            subject=mail.subject,
            text=mail.text,
        )
        worklist = repository.worklist
        assert worklist.parsed(work, inquiry)
        said = verdict(mail.said_by_model)
        assert worklist.classified(current(repository, inquiry_id), said)
        assert worklist.qualified(current(repository, inquiry_id), None)
        assert worklist.settled(current(repository, inquiry_id), decision(Outcome.FILE), [])
        if mail.label:
            corrections.relabel(inquiry_id, mail.label, by=mail.by)
    return ids


@contextmanager
def _known_id(number: int, name: str) -> Iterator[None]:
    """The id of an inquiry decides what is held out of a training. By chance a hard draw, which the
    gate is right to refuse, would come once in a while.
    """
    chance = base64.b32hexencode(hashlib.sha256(name.encode()).digest()).decode()[:10].lower()
    with patch.object(records, "new_id", lambda prefix: f"{prefix}_{number:010}{chance}"):
        yield
