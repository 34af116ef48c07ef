"""The tables.

Rows about an inquiry are added, not rewritten: what was decided when, by which model, can always be
told. The columns that lists filter by are repeated on `inquiries`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
    true,
)

from triage.store.database import SafeText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SKETCHES = ("sketch_1", "sketch_2", "sketch_3", "sketch_4")


def described(name: str | None, kind: str, parents: Mapping[Any, str | None]) -> bool:
    """Whether these tables describe something of the database; not what searches for words, and
    not what PostgreSQL alone has.
    """
    if kind == "table":
        return not (name or "").startswith("inquiry_words")
    if (kind, name) == ("index", "ix_inquiries_filters"):
        return False
    if parents.get("table_name") == "searchable":
        return (kind, name) not in {("column", "words"), ("index", "searchable_words")}
    return True


def _inquiry_id(primary_key: bool = False, index: bool = False) -> Column[str]:
    return Column(
        "inquiry_id",
        String(40),
        ForeignKey("inquiries.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
        index=index,
    )


inquiries = Table(
    "inquiries",
    metadata,
    Column("id", String(40), primary_key=True),
    # What makes two sightings the same inquiry; the guard against doubles.
    Column("identity", String(80), nullable=False, unique=True),
    Column("channel", String(10), nullable=False),
    Column("source", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("key", SafeText, nullable=False),
    Column("revision", String(80), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", SafeText, nullable=False),
    # What came beside a recording, as JSON text; empty where nothing did.
    Column("sidecar", SafeText, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # The work list.
    Column("stage", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    # Waited long before it was found: what arrives now is worked on first.
    Column("backlog", Boolean, nullable=False, server_default=false()),
    Column("error", SafeText, nullable=False),
    # Why nobody is told of it by itself; empty where it goes its usual way.
    Column("held", SafeText, nullable=False, server_default=""),
    # How many recordings came with a mail, to be heard before it is read.
    Column("recordings", Integer, nullable=False, server_default="0"),
    # Repeated for lists.
    Column("sender", SafeText, nullable=False),
    Column("subject", SafeText, nullable=False),
    Column("campaign", SafeText, nullable=False),
    Column("label", String(20)),
    Column("confidence", Float),
    Column("outcome", String(20)),
    Column("score", Integer),
    Column("grade", String(2)),
    Column("settled_at", UtcDateTime),
    Index(None, "stage", "backlog", "due_at"),
    Index(None, "received_at"),
    # One for each filter of the list; all give the newest first.
    Index(None, "source", "received_at"),
    Index(None, "label", "received_at"),
    Index(None, "outcome", "received_at"),
    Index(None, "campaign", "received_at"),
    Index(None, "settled_at"),
    Index(None, "sha256"),
    Index(None, "channel", "received_at"),
    Index(None, "stage", "received_at"),
    Index(None, "sender"),
)

sightings = Table(
    "sightings",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("source", String(40), nullable=False),
    Column("key", SafeText, nullable=False),
    Column("revision", String(80), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    UniqueConstraint("source", "key", "revision"),
)

# A mail's place among others: its conversation is named after the mail of it that was parsed first.
messages = Table(
    "messages",
    metadata,
    _inquiry_id(primary_key=True),
    Column("conversation_id", String(40), nullable=False, index=True),
    Column("author", SafeText, nullable=False),
    # Addresses of author and recipients, with blanks between them.
    Column("people", SafeText, nullable=False),
    # The sha256 of the subject without what answers put in front; empty where there is none.
    Column("subject", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index(None, "subject", "received_at"),
)

# The sha256 of each message id that a mail names, its own among them.
message_ids = Table(
    "message_ids",
    metadata,
    Column("digest", String(64), primary_key=True),
    _inquiry_id(primary_key=True, index=True),
    Column("own", Boolean, nullable=False),
)

# What a mailbox was told about a mail: the outcome, and `done`, `gone` or why it could not be.
marks = Table(
    "marks",
    metadata,
    Column(
        "sighting_id",
        Integer,
        ForeignKey("sightings.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("outcome", String(20), nullable=False),
    Column("result", SafeText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

contents = Table(
    "contents",
    metadata,
    _inquiry_id(primary_key=True),
    Column("data", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# What inquiries are found by. `id` sorts by arrival. The words themselves are in the virtual table
# `inquiry_words` on SQLite, and in the column `words` on PostgreSQL, which only `search` knows.
searchable = Table(
    "searchable",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "inquiry_id",
        String(40),
        ForeignKey("inquiries.id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    # Hashes that near-duplicates share; none where there is no text.
    *(Column(name, BigInteger) for name in SKETCHES),
    *(Index(None, name, "id") for name in SKETCHES),
)

transcripts = Table(
    "transcripts",
    metadata,
    _inquiry_id(primary_key=True),
    Column("data", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("label", String(20), nullable=False),
    Column("margin", Float, nullable=False),
    Column("abstained", Boolean, nullable=False),
    Column("model", SafeText, nullable=False),
    Column("data", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

qualifications = Table(
    "qualifications",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("verdict_id", Integer, ForeignKey("verdicts.id", ondelete="CASCADE"), nullable=False),
    Column("score", Integer, nullable=False),
    Column("grade", String(2), nullable=False),
    Column("data", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("verdict_id", Integer, ForeignKey("verdicts.id", ondelete="CASCADE"), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    # The webhook-id: the same over all tries, so that a receiver can tell a repeat.
    Column("id", String(60), primary_key=True),
    _inquiry_id(index=True),
    Column("destination", String(40), nullable=False),
    Column("event", String(40), nullable=False),
    # Tells events of one type for one inquiry apart; 1 is the first.
    Column("sequence", Integer, nullable=False),
    Column("body", SafeText, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("last_status", Integer),
    Column("last_error", SafeText, nullable=False),
    # An event that this one must not overtake; empty where there is none.
    Column("refers_to", String(60), nullable=False),
    # The order of an inquiry's events for a destination; they leave one after the other.
    Column("position", Integer, nullable=False),
    # Seconds from the inquiry's arrival to the acceptance: the speed to lead.
    Column("arrival_s", Float),
    UniqueConstraint("inquiry_id", "destination", "event", "sequence"),
    Index(None, "destination", "state", "next_at"),
    Index(None, "inquiry_id", "destination", "position"),
    Index(None, "state", "destination"),
    Index(None, "created_at"),
    Index(None, "state", "created_at"),
    Index(None, "destination", "created_at"),
)

# What is known of a destination beside its settings. No row: nothing remarkable.
destinations = Table(
    "destinations",
    metadata,
    Column("name", String(40), primary_key=True),
    # Set where it wants nothing any more (410), until a person enables it again.
    Column("stopped_at", UtcDateTime),
    # Left alone until then: it failed too often in a row, or asked for it.
    Column("paused_until", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("reason", SafeText, nullable=False),
)

# Who looks after which hot lead.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    _inquiry_id(primary_key=True),
    Column("by", SafeText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "delivery_id",
        String(60),
        ForeignKey("deliveries.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", UtcDateTime, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("status", Integer),
    Column("error", SafeText, nullable=False),
)

# What people said about an inquiry; never changed or removed.
corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("verdict_id", Integer, ForeignKey("verdicts.id", ondelete="CASCADE"), nullable=False),
    Column("label", String(40), nullable=False),
    Column("previous", String(40), nullable=False),
    Column("by", SafeText, nullable=False),
    Column("note", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Whether similar inquiries may profit from it; somebody can have it forgotten.
    Column("teaches", Boolean, nullable=False, server_default=true(), index=True),
)

# What a model made of the texts of corrected inquiries: made again wherever it is missing.
memories = Table(
    "memories",
    metadata,
    _inquiry_id(primary_key=True),
    # The model's name and version, and a digest of what else its input depends on.
    Column("reader", String(120), primary_key=True),
    Column("verdict_id", Integer, nullable=False),
    # Little-endian float32: the text's vector, and the probability of each label.
    Column("vector", LargeBinary, nullable=False),
    Column("said", LargeBinary, nullable=False),
)

# What people say that an inquiry states, or does not; rows are added, never changed.
statements = Table(
    "statements",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("signal", String(40), nullable=False),
    Column("data", SafeText),  # the signal; none: it was not stated
    Column("previous", SafeText, nullable=False),
    Column("undoes", Integer, ForeignKey("statements.id", ondelete="CASCADE")),
    Column("by", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# Everybody who asked for something, whichever way.
people = Table(
    "people",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", SafeText, nullable=False),
    Column("company", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "company"),
)


def _person_id(primary_key: bool = False, index: bool = False) -> Column[str]:
    return Column(
        "person_id",
        String(40),
        ForeignKey("people.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
        index=index,
    )


# What a person is known by. People may share a number, so a value may stand here twice.
contacts = Table(
    "contacts",
    metadata,
    Column("kind", String(10), primary_key=True),
    Column("value", String(400), primary_key=True),
    _person_id(primary_key=True, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# Who made an inquiry.
appearances = Table(
    "appearances",
    metadata,
    _inquiry_id(primary_key=True),
    _person_id(index=True),
)

# What a destination knows of an inquiry: under which lead, and whether that was taken back.
handovers = Table(
    "handovers",
    metadata,
    _inquiry_id(primary_key=True),
    Column("destination", String(40), primary_key=True),
    # The id of the `lead.qualified` by which the destination knows the lead.
    Column("lead_id", String(60), nullable=False, index=True),
    # Whether that event was about this inquiry, and not about an earlier one of the same person.
    Column("opened", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("retracted_at", UtcDateTime),
)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(40), nullable=False),
    Column("detail", SafeText, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("folder", SafeText, primary_key=True),
    Column("uidvalidity", String(20), nullable=False),
    Column("last_uid", BigInteger, nullable=False),  # a UID has 32 bits, none for a sign
    # Mails above the first and up to the second are still to be read.
    Column("backlog_from", BigInteger, nullable=False, server_default="0"),
    Column("backlog_to", BigInteger, nullable=False, server_default="0"),
    Column("updated_at", UtcDateTime, nullable=False),
)

# When a folder was first read; sources without folders have one, named by nothing.
beginnings = Table(
    "beginnings",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("folder", SafeText, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

polls = Table(
    "polls",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("last_poll_at", UtcDateTime, nullable=False),
    Column("last_success_at", UtcDateTime),
    Column("last_item_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("error", SafeText, nullable=False),
)

# What waits for a person; a row is gone once somebody said what the inquiry is.
review_items = Table(
    "review_items",
    metadata,
    _inquiry_id(primary_key=True),
    # `review`, `suspect`, `audit`, `second` or `dispute`; no reviewer sees it.
    Column("kind", String(10), nullable=False),
    Column("priority", Float, nullable=False),
    Column("ready_at", UtcDateTime, nullable=False),
    Column("claimed_by", SafeText, nullable=False),
    Column("claimed_until", UtcDateTime),
    # Who may not say it again: whoever said it first.
    Column("not_by", SafeText, nullable=False),
    # The inquiry's, repeated: what waits for somebody who sees one mailbox only is found by them.
    Column("source", String(40), nullable=False, server_default=""),
    Column("campaign", SafeText, nullable=False, server_default=""),
    Index(None, "priority"),
    Index(None, "claimed_by", "priority"),
    Index(None, "source", "priority"),
)

# What reviewers said, item by item; `undone_at` is the only column that is ever changed.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column("kind", String(10), nullable=False),
    Column("label", String(40), nullable=False),
    # What the worker had decided.
    Column("was", String(40), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("by", SafeText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
    Index(None, "kind", "at"),
    Index(None, "by", "id"),
)

# How far settled inquiries were looked through for what a person should see.
review_progress = Table(
    "review_progress",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("settled_at", UtcDateTime, nullable=False),
)

# Who may use the console. `sources` and `campaigns`: JSON lists of what they may see; empty: all.
users = Table(
    "users",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("password", SafeText, nullable=False),
    Column("sources", SafeText, nullable=False),
    Column("campaigns", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
)


def _user_id() -> Column[str]:
    return Column(
        "user_id",
        String(40),
        ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    )


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    _user_id(),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("address", SafeText, nullable=False),
    Column("agent", SafeText, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    _user_id(),
    Column("name", SafeText, nullable=False),
    Column("scopes", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

# Failed sign-ins in a row, by account and by address.
# Who somebody is at the provider that they sign in at. Addresses and names may change hands there;
# issuer and subject do not.
identities = Table(
    "identities",
    metadata,
    Column("issuer", String(400), primary_key=True),
    Column("subject", String(255), primary_key=True),
    _user_id(),
    Column("email", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime),
)

# Sign-ins that were begun and wait for the provider's word; each is taken once.
handshakes = Table(
    "handshakes",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("browser", String(64), nullable=False),
    Column("issuer", String(400), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("back", SafeText, nullable=False),
    Column("session_id", String(40), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Ways back for those who cannot sign in; each opens once.
resets = Table(
    "resets",
    metadata,
    Column("digest", String(64), primary_key=True),
    _user_id(),
    Column("expires_at", UtcDateTime, nullable=False),
)

throttles = Table(
    "throttles",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
    Column("shut_until", UtcDateTime, nullable=False),
)

# Every change that somebody made; a trigger refuses to change or remove a row. It outlives users.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("user_id", String(40), nullable=False),
    Column("by", SafeText, nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", SafeText, nullable=False),
    Column("detail", SafeText, nullable=False),
    Column("address", SafeText, nullable=False),
)

# Every model that was ever known, by the name that verdicts carry.
models = Table(
    "models",
    metadata,
    Column("name_version", String(120), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("origin", String(20), nullable=False),
    # Of its manifest, which holds those of its other files.
    Column("sha256", String(64), nullable=False),
    Column("training", String(40)),
    Column("state", String(20), nullable=False),
    # What the gate measured, as JSON.
    Column("figures", SafeText, nullable=False),
    Index(None, "created_at"),
)

# Which model decided from when on; a trigger refuses to change or remove a row.
model_switches = Table(
    "model_switches",
    metadata,
    Column("id", Integer, primary_key=True),
    # The switch before, 0 for the first: of two made at once, one is refused.
    Column("previous", Integer, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", SafeText, nullable=False),
    Column("from_model", String(120), nullable=False),
    Column("to_model", String(120), nullable=False),
    Column("why", String(20), nullable=False),
    Column("note", SafeText, nullable=False),
)

trainings = Table(
    "trainings",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("by", SafeText, nullable=False),
    Column("state", String(20), nullable=False),
    Column("progress", SafeText, nullable=False),
    Column("snapshot", SafeText, nullable=False),
    Column("result", SafeText, nullable=False),
    Column("error", SafeText, nullable=False),
    Column("model", String(120)),
)

# What no model is ever trained on, so that models can be compared by it.
held_out = Table(
    "held_out",
    metadata,
    _inquiry_id(primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# What the last look for wrong labels found; `correction_id` is the word that is in doubt.
label_doubts = Table(
    "label_doubts",
    metadata,
    _inquiry_id(primary_key=True),
    Column(
        "correction_id", Integer, ForeignKey("corrections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("label", String(40), nullable=False),
    Column("proposed", String(40), nullable=False),
    Column("sure", Float, nullable=False),
    Column("why", SafeText, nullable=False),
    # JSON: ids of inquiries that people gave the proposed label, the nearest first.
    Column("alike", SafeText, nullable=False),
    Index(None, "sure"),
)

# When somebody looked for wrong labels; never changed.
label_looks = Table(
    "label_looks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", SafeText, nullable=False),
    Column("model", SafeText, nullable=False),
    Column("confirmed", Integer, nullable=False),
    Column("found", Integer, nullable=False),
)

# What people answered to a doubt; never changed. What was kept is not doubted again.
label_checks = Table(
    "label_checks",
    metadata,
    Column("id", Integer, primary_key=True),
    _inquiry_id(index=True),
    Column(
        "correction_id",
        Integer,
        ForeignKey("corrections.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("label", String(40), nullable=False),
    Column("proposed", String(40), nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("by", SafeText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# What is different about a source; `ended_at` is set once it no longer is.
drift_alarms = Table(
    "drift_alarms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(40), nullable=False),
    # `labels`, `confidence`, `vocabulary` or `silence`.
    Column("measure", String(20), nullable=False),
    # Of which label, where it is about one.
    Column("label", String(20), nullable=False),
    Column("text", SafeText, nullable=False),
    Column("detail", SafeText, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, index=True),
)
