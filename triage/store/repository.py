"""Everything the worker stores, opened together."""

from __future__ import annotations

from contextlib import AbstractContextManager

from triage.errors import Configuration
from triage.settings import Store
from triage.store.accounts import Accounts
from triage.store.acknowledgements import Acknowledgements
from triage.store.archive import Archive
from triage.store.arrivals import Arrivals
from triage.store.audit import Audit
from triage.store.blobs import BlobStore
from triage.store.confirmed import Confirmations
from triage.store.copies import Copies
from triage.store.corrections import Corrections
from triage.store.database import Database
from triage.store.destinations import Destinations
from triage.store.doubts import Doubts
from triage.store.drifts import Drifts
from triage.store.handshakes import Handshakes
from triage.store.identities import Identities
from triage.store.listing import Listing
from triage.store.marks import Marks
from triage.store.memories import Memories
from triage.store.models import Models, Trainings
from triage.store.outbox import Outbox
from triage.store.people import People
from triage.store.polls import Polls
from triage.store.resets import Resets
from triage.store.reviews import Reviews
from triage.store.sessions import Sessions, Tokens
from triage.store.settlements import Settlements
from triage.store.statements import Statements
from triage.store.threads import Threads
from triage.store.throttles import Throttles
from triage.store.timings import Timings
from triage.store.waiting import Waiting
from triage.store.worklist import Worklist


class Repository:
    """The parts of the store, over one database and one blob folder."""

    def __init__(self, settings: Store) -> None:
        self.database = Database(settings.url)
        self.folder = settings.data_dir
        self.blobs = BlobStore(settings.data_dir / "blobs")
        self.copies = Copies(settings.data_dir / "silenced")
        self.arrivals = Arrivals(self.database)
        self.worklist = Worklist(self.database)
        self.archive = Archive(self.database)
        self.listing = Listing(self.database)
        self.outbox = Outbox(self.database)
        self.destinations = Destinations(self.database)
        self.acknowledgements = Acknowledgements(self.database)
        self.corrections = Corrections(self.database)
        self.people = People(self.database)
        self.polls = Polls(self.database)
        self.waiting = Waiting(self.database)
        self.settlements = Settlements(self.database)
        self.reviews = Reviews(self.database)
        self.doubts = Doubts(self.database)
        self.drifts = Drifts(self.database)
        self.statements = Statements(self.database)
        self.threads = Threads(self.database)
        self.marks = Marks(self.database)
        self.memories = Memories(self.database)
        self.timings = Timings(self.database)
        self.accounts = Accounts(self.database)
        self.listing = Listing(self.database)
        self.identities = Identities(self.database)
        self.handshakes = Handshakes(self.database)
        self.resets = Resets(self.database)
        self.sessions = Sessions(self.database)
        self.tokens = Tokens(self.database)
        self.throttles = Throttles(self.database)
        self.audit = Audit(self.database)
        self.confirmations = Confirmations(self.database)
        self.models = Models(self.database)
        self.trainings = Trainings(self.database)

    def snapshot(self) -> AbstractContextManager[None]:
        """See `Database.snapshot`."""
        return self.database.snapshot()

    def require_current(self) -> None:
        """Raise `Configuration` unless the tables are those of this version."""
        current, needed = self.database.revisions()
        if current != needed:
            raise Configuration(
                f"the database is at revision {current or 'none'}, this version needs {needed}; "
                "run `triage db upgrade`"
            )

    def close(self) -> None:
        """Close the database."""
        self.database.close()
