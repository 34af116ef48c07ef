"""A year of mail and calls, written straight into the tables: what the worker would have left, a
hundred times as fast.

Senders are as frequent as in real mail (Zipf: some newsletters, many who write once), words as in
the corpus, whose texts these are, with rare ones added; only newsletters are near-duplicates.
Outcomes, deliveries, histories, corrections and what waits for a person come in the shares of a
real year.
"""

from __future__ import annotations

import base64
import json
import zlib
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from classifiers.labels import LABELS, Label
from triage.store import records, words
from triage.types import (
    Evidence,
    Inquiry,
    Party,
    Qualification,
    ScorePart,
    Segment,
    Signal,
    SourceRef,
    TimedWord,
    Transcript,
    Verdict,
)

NEWEST = datetime(2026, 6, 1, tzinfo=UTC)
MAILBOXES = ("info", "sales", "service", "jobs")
CALLS = "calls"
DESTINATIONS = ("crm", "desk")
REVIEWER = "Ann"
_CAMPAIGNS = {"info": ("", "", "spring"), "sales": ("adwords", "autumn"), CALLS: ("", "hotline")}
_LABELS: dict[Label, int] = {
    "support": 22, "solicitation": 20, "spam": 18, "lead": 12, "irrelevant": 10, "job_applicant": 5,
    "internal": 5, "personal": 4, "misdial": 4,
}  # fmt: skip
_SYLLABLES = (
    "ba", "de", "fi", "go", "lu", "mar", "ten", "sor", "vik", "wal", "xen", "yor", "zim", "pol",
    "quin", "hart", "bram", "cel", "dro", "esk",
)  # fmt: skip
_CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"

COLUMNS: dict[str, tuple[str, ...]] = {
    "inquiries": (
        "id", "identity", "channel", "source", "kind", "key", "revision", "sha256", "size",
        "media_type", "sidecar", "received_at", "created_at", "stage", "attempts", "due_at",
        "backlog", "error", "held", "recordings", "sender", "subject", "campaign", "label",
        "confidence", "outcome", "score", "grade", "settled_at",
    ),
    "sightings": ("id", "inquiry_id", "source", "key", "revision", "seen_at"),
    "contents": ("inquiry_id", "data", "created_at"),
    "transcripts": ("inquiry_id", "data", "created_at"),
    "searchable": ("id", "inquiry_id", "sketch_1", "sketch_2", "sketch_3", "sketch_4"),
    "messages": ("inquiry_id", "conversation_id", "author", "people", "subject", "received_at"),
    "message_ids": ("digest", "inquiry_id", "own"),
    "verdicts": (
        "id", "inquiry_id", "label", "margin", "abstained", "model", "data", "created_at",
    ),
    "qualifications": ("id", "inquiry_id", "verdict_id", "score", "grade", "data", "created_at"),
    "decisions": ("id", "inquiry_id", "verdict_id", "outcome", "reason", "created_at"),
    "deliveries": (
        "id", "inquiry_id", "destination", "event", "sequence", "body", "state", "attempts",
        "created_at", "next_at", "accepted_at", "last_status", "last_error", "refers_to",
        "position", "arrival_s",
    ),
    "attempts": ("id", "delivery_id", "at", "duration_s", "status", "error"),
    "people": ("id", "name", "company", "created_at"),
    "contacts": ("kind", "value", "person_id", "created_at"),
    "appearances": ("inquiry_id", "person_id"),
    "handovers": ("inquiry_id", "destination", "lead_id", "opened", "at", "retracted_at"),
    "history": ("id", "inquiry_id", "at", "event", "detail"),
    "corrections": (
        "id", "inquiry_id", "verdict_id", "label", "previous", "by", "note", "created_at",
    ),
    "reviews": (
        "id", "inquiry_id", "kind", "label", "was", "outcome", "by", "at", "undone_at",
    ),
    "review_items": (
        "inquiry_id", "kind", "priority", "ready_at", "claimed_by", "claimed_until", "not_by",
        "source", "campaign",
    ),
    "audit": ("id", "at", "user_id", "by", "action", "subject", "detail", "address"),
}  # fmt: skip
"""The columns of each table that a year fills; the others have defaults."""

Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by table, in the order of `COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes or calls. `words`: what they are found by."""

    id: str
    name: str
    email: str
    phone: str
    words: tuple[str, ...]
    newsletter: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the corpus with all that is made of it once. `sketch`: of a newsletter of it."""

    subject: str
    body: str
    channel: str
    label: Label
    content: tuple[str, str]
    transcript: str
    found: tuple[list[str], list[str]]
    vector: str
    positions: int
    sketch: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What one inquiry is found by, for either database."""

    place: int
    sender: str
    subject: str
    text: str
    vector: str


class Year:
    """`count` inquiries, the newest first; equal numbers give equal years."""

    def __init__(self, count: int, *, seed: int = 7) -> None:
        self.count = count
        self._chance = Random(seed)
        self._texts = _by_label(list(_texts(self._chance)))
        self._people = [person(number) for number in range(max(count // 8, 200))]
        self._often = list(accumulate(1 / (rank + 5) for rank in range(len(self._people))))
        self._labels = list(accumulate(_LABELS.values()))
        self._verdicts = {label: [_verdict(label, s) for s in range(35, 100)] for label in LABELS}
        self._qualifications = [_qualification(score) for score in range(101)]
        self._ids: dict[str, int] = defaultdict(int)
        self._known: set[str] = set()

    def batches(self, size: int = 5000) -> Iterator[tuple[Rows, list[Words]]]:
        """Rows of some inquiries at once, with the words they are found by."""
        for start in range(0, self.count, size):
            rows: Rows = {name: [] for name in COLUMNS}
            found = [
                self._inquiry(rows, number)
                for number in range(start, min(start + size, self.count))
            ]
            yield rows, found

    def last_ids(self) -> dict[str, int]:
        """The greatest id of each table that numbers its rows."""
        return dict(self._ids)

    def _next(self, table: str) -> int:
        self._ids[table] += 1
        return self._ids[table]

    def _inquiry(self, rows: Rows, number: int) -> Words:
        chance = self._chance
        at = NEWEST - timedelta(seconds=(number + chance.random()) * 31_536_000 / self.count)
        person = self._people[bisect(self._often, chance.random() * self._often[-1])]
        label = list(_LABELS)[bisect(self._labels, chance.randrange(self._labels[-1]))]
        if person.newsletter and label == "lead":
            label = "solicitation"
        texts = self._texts[label]
        # What a newsletter says, it says to everybody.
        pick = zlib.crc32(person.id.encode()) if person.newsletter else chance.randrange(1 << 30)
        text = texts[pick % len(texts)]
        name = _id(at, number)
        one = _One(name, number, at, person, label, text, chance.randrange(35, 100))
        self._work(rows, one)
        return self._words(rows, one)

    def _work(self, rows: Rows, one: _One) -> None:
        chance = self._chance
        source = CALLS if one.text.channel == "call" else MAILBOXES[min(chance.randrange(7), 3)]
        campaign = _CAMPAIGNS.get(source, ("",))
        campaign_name = campaign[chance.randrange(len(campaign))]
        lost = chance.random() < 0.002
        outcome = None if lost else _outcome(one.label, chance.random())
        score = one.share if one.label == "lead" and not lost else None
        sender = f"{one.person.name} <{one.person.email}>"
        if one.text.channel == "call":
            sender = one.person.phone
        key = f"INBOX/1/{one.number}"
        settled = None if lost else one.at + timedelta(seconds=chance.uniform(2, 60))
        rows["inquiries"].append((
            one.id, f"mail:{one.number}", one.text.channel, source,
            "recordings" if source == CALLS else "imap", key, "", f"{one.number:064d}", 4000,
            "audio/wav" if source == CALLS else "message/rfc822", "", one.at, one.at,
            "quarantined" if lost else "settled", 0, one.at, False,
            "the mail cannot be read: its parts nest too deep" if lost else "", "", 0,
            sender, one.text.subject, campaign_name, None if lost else one.label,
            None if lost else one.share / 100, outcome, score, _grade(score), settled,
        ))  # fmt: skip
        rows["sightings"].append((self._next("sightings"), one.id, source, key, "", one.at))
        before, after = one.text.content
        rows["contents"].append((
            one.id,
            before.replace("@id", one.id).replace("@source", source).replace("@key", key)
            + f"{one.at.isoformat()}" + after.replace("@name", one.person.name)
            .replace("@email", one.person.email).replace("@campaign", campaign_name),
            one.at,
        ))  # fmt: skip
        if one.text.channel == "call":
            rows["transcripts"].append((one.id, one.text.transcript, one.at))
        else:
            self._message(rows, one)
        if outcome is None:
            self._note(rows, one, ("received", "parsed", "quarantined"))
            return
        self._settled(rows, one, outcome, settled or one.at)
        if outcome == "review":
            rows["review_items"].append((
                one.id, "review", chance.random(), settled, "", None, "", source, campaign_name,
            ))  # fmt: skip

    def _message(self, rows: Rows, one: _One) -> None:
        rows["messages"].append((
            one.id, one.id, one.person.email, f"{one.person.email} office@shop.example",
            f"{zlib.crc32(one.text.subject.encode()):064x}" if one.text.subject else "", one.at,
        ))  # fmt: skip
        rows["message_ids"].append((f"{one.number:064x}", one.id, True))

    def _settled(self, rows: Rows, one: _One, outcome: str, settled: datetime) -> None:
        chance = self._chance
        verdict = self._next("verdicts")
        margin, data = self._verdicts[one.label][one.share - 35]
        rows["verdicts"].append(
            (verdict, one.id, one.label, margin, False, "base@1", data, settled)
        )
        events = ["received", "parsed", "classified"]
        if one.label == "lead":
            rows["qualifications"].append((
                self._next("qualifications"), one.id, verdict, one.share, _grade(one.share),
                self._qualifications[one.share], settled,
            ))  # fmt: skip
            events.append("qualified")
            self._person(rows, one)
        rows["decisions"].append(
            (self._next("decisions"), one.id, verdict, outcome, "as this year has it", settled)
        )
        events.append("decided")
        if outcome == "forward":
            self._deliveries(rows, one, settled)
            events.append("delivered")
        elif outcome != "review" and chance.random() < 0.03:
            self._corrected(rows, one, outcome, settled)
            events.append("corrected")
        self._note(rows, one, events)

    def _person(self, rows: Rows, one: _One) -> None:
        who = one.person
        if who.id not in self._known:
            self._known.add(who.id)
            rows["people"].append((who.id, who.name, "", one.at))
            rows["contacts"].append(("email", who.email, who.id, one.at))
        rows["appearances"].append((one.id, who.id))

    def _deliveries(self, rows: Rows, one: _One, settled: datetime) -> None:
        chance = self._chance
        for position, destination in enumerate(DESTINATIONS[: 2 if chance.random() < 0.1 else 1]):
            drawn = chance.random()
            state = "dead" if drawn < 0.005 else "pending" if drawn < 0.007 else "accepted"
            name = f"msg_{one.number:016d}{position:04d}"
            good = state == "accepted"
            later = settled + timedelta(seconds=1)
            rows["deliveries"].append((
                name, one.id, destination, "lead.qualified", 1, _BODY, state, 1, settled,
                # In years to come: nothing is due while a worker runs beside.
                None if state != "pending" else settled + timedelta(days=3650),
                later if good else None, 200 if good else 503, "" if good else "HTTP 503", "", 1,
                31.0 if good else None,
            ))  # fmt: skip
            rows["attempts"].append(
                (self._next("attempts"), name, later, 0.1, 200 if good else 503, "")
            )
            if good:
                rows["handovers"].append((one.id, destination, name, True, later, None))

    def _corrected(self, rows: Rows, one: _One, outcome: str, settled: datetime) -> None:
        said = self._chance.choice([label for label in LABELS if label != "lead"])
        at, verdict = settled + timedelta(hours=5), self._next("verdicts")
        rows["verdicts"].append((
            verdict, one.id, said, 1.0, False, f"person:{REVIEWER}", _verdict(said, 100)[1], at,
        ))  # fmt: skip
        rows["corrections"].append((
            self._next("corrections"), one.id, verdict, said, one.label, REVIEWER, "", at,
        ))  # fmt: skip
        kind = "audit" if self._chance.random() < 0.3 else "review"
        rows["reviews"].append((
            self._next("reviews"), one.id, kind, said, one.label, outcome, REVIEWER, at, None,
        ))  # fmt: skip
        rows["audit"].append((
            self._next("audit"), at, "usr_ann", REVIEWER, "inquiry labelled", one.id, "{}",
            "127.0.0.1",
        ))  # fmt: skip

    def _note(self, rows: Rows, one: _One, events: Sequence[str]) -> None:
        for position, event in enumerate(events):
            at = one.at + timedelta(seconds=position)
            rows["history"].append((self._next("history"), one.id, at, event, _DETAILS))

    def _words(self, rows: Rows, one: _One) -> Words:
        chance, text, person = self._chance, one.text, one.person
        place = int(one.at.timestamp()) * 1_000_000 + zlib.crc32(one.id.encode()) % 1_000_000
        same = person.newsletter
        sketch = text.sketch if same else tuple(chance.getrandbits(32) for _ in range(4))
        rows["searchable"].append((place, one.id, *(sketch or (None,) * 4)))
        rare = [] if same else [_rare(chance) for _ in range(5)]
        subject, body = text.found
        by = person.words if text.channel == "email" else words.numbers(person.phone)
        sender = " ".join(f"'{word}':{number}A" for number, word in enumerate(by, 1))
        added = " ".join(f"'{word}':{number}" for number, word in enumerate(rare, text.positions))
        return Words(
            place, " ".join(by), " ".join(subject), " ".join([*body, *rare]),
            f"{sender} {text.vector} {added}",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _One:
    id: str
    number: int
    at: datetime
    person: Person
    label: Label
    text: Text
    share: int


_DETAILS = json.dumps({"label": "lead", "confidence": 0.91, "model": "base@1"})
_BODY = json.dumps({"type": "lead.qualified", "data": {"summary": "Wants a quote. " * 60}})


def _texts(chance: Random) -> Iterator[tuple[str, str, str, Label]]:
    for path in sorted(_CORPUS.glob("train-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            item = json.loads(line)
            body = item.get("body") or item.get("text") or ""
            if body.strip():
                yield item.get("subject") or "", body, item["channel"], item["label"]


def _by_label(found: Sequence[tuple[str, str, str, Label]]) -> dict[Label, list[Text]]:
    sorted_out: dict[Label, list[Text]] = {label: [] for label in LABELS}
    for number, (subject, body, channel, label) in enumerate(found):
        # The corpus has as many calls as mails of some labels; a shop has more mails.
        kept = "call" if channel == "call" and number % 2 else "email"
        sorted_out[label].append(_text(subject, body, kept, label))
    return sorted_out


def _text(subject: str, body: str, channel: str, label: Label) -> Text:
    call = channel == "call"
    inquiry = Inquiry(
        id="@id",
        ref=SourceRef("@source", "recordings" if call else "imap", "@key"),
        channel="call" if call else "email",
        received_at=NEWEST,
        sender=Party("@name", "@email"),
        subject=subject,
        text="" if call else body,
        campaign="@campaign",
    )
    before, _, after = records.dump(inquiry).partition("2026-06-01T00:00:00Z")
    in_subject, in_body = words.split(subject), words.split(body)
    # Senders have fewer than 16 words, so a text's own always stand at the same places.
    head = [f"'{word}':{number}B" for number, word in enumerate(in_subject, 21)]
    tail = [f"'{word}':{number}" for number, word in enumerate(in_body[:8000], 26 + len(head))]
    return Text(
        subject, body, channel, label, (before, after),
        records.dump(_transcript(body)) if call else "",
        (in_subject, in_body), " ".join([*head, *tail]), 40 + len(head) + len(tail),
        words.sketch(words.split(f"{subject} {body}")),
    )  # fmt: skip


def _transcript(body: str) -> Transcript:
    segments, at = [], 0.0
    for line in body.split("\n"):
        timed = []
        for word in line.split():
            timed.append(TimedWord(round(at, 2), round(at + 0.3, 2), word))
            at += 0.35
        if timed:
            segments.append(
                Segment(timed[0].start, timed[-1].end, "unknown", line, 0.9, words=tuple(timed))
            )
    return Transcript(tuple(segments), "en", "faster", "base", round(at, 1))


def _verdict(label: Label, percent: int) -> tuple[float, str]:
    share = percent / 100
    rest = (1 - share) / (len(LABELS) - 1)
    scores = {name: share if name == label else rest for name in LABELS}
    verdict = Verdict(label, scores, share - rest, abstained=False, model="base@1")
    return verdict.margin, records.dump(verdict)


def _qualification(score: int) -> str:
    signal = Signal("readiness", "ready", 0.8, (Evidence("now", 0, 3),))
    parts = (ScorePart("readiness", score, "wants to buy"),)
    return records.dump(Qualification({"readiness": signal}, score, parts, _grade(score) or "D"))


def _grade(score: int | None) -> str | None:
    return None if score is None else "ABCD"[min(3, (100 - score) // 25)]


def _outcome(label: Label, drawn: float) -> str:
    if drawn < 0.01:
        return "review"
    if label == "lead":
        return "forward" if drawn < 0.88 else "nurture" if drawn < 0.985 else "file"
    return "forward" if label == "support" and drawn > 0.999 else "file"


def person(number: int) -> Person:
    """The sender of that rank: the first write most, and are newsletters."""
    drawn = Random(number)
    first, last = _rare(drawn, 2).title(), _rare(drawn, 2).title()
    firm = int(drawn.paretovariate(0.6)) % max(number, 50)
    email = f"{first}.{last}{number}@firm{firm}.example".lower()
    phone = f"+1555{number:07d}"
    name = f"{first} {last}"
    found = tuple(words.split(f"{name} {email}"))
    return Person(f"per_{number:020d}", name, email, phone, found, newsletter=number < 30)


def _rare(chance: Random, syllables: int = 3) -> str:
    return "".join(chance.choices(_SYLLABLES, k=syllables))


def _id(at: datetime, number: int) -> str:
    moment = int(at.timestamp() * 1000).to_bytes(6, "big")
    return f"inq_{base64.b32hexencode(moment).decode()[:10].lower()}{number:010d}"
