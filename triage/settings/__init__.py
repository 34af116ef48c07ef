"""Everything a deployment can set: one `triage.toml`, `TRIAGE_…` variables, secret files.

Only `root` reads the environment. Variables override the file: nested fields are
joined by two underscores (`TRIAGE_STORE__DATA_DIR=/var/lib/triage`). Relative paths are relative to
the settings file. Every field is described in docs/settings.md; a test fails where one is missing.
"""

from triage.settings.business import Business, IdealCustomer
from triage.settings.delivery import (
    EVENTS,
    Acknowledge,
    DeliveryRules,
    Destination,
    DestinationKind,
    Filter,
    Grade,
    Links,
    People,
)
from triage.settings.drift import Drift
from triage.settings.learning import Learning
from triage.settings.mailboxes import ImapSource, MaildirSource, Mark, OAuth, WriteBack
from triage.settings.oidc import Oidc, RoleName, is_local
from triage.settings.recordings import (
    SIDECARS,
    CallField,
    Calls,
    CallSource,
    Cdr,
    RecordingsBase,
    RecordingsSource,
    S3Source,
    SftpSource,
    SidecarName,
    Zone,
)
from triage.settings.redaction import Redaction, RedactionKind
from triage.settings.root import Settings, Source, child_environment, load, settings_file
from triage.settings.running import Console, Engine, Metrics, Store
from triage.settings.section import Name, Seconds, Secret, Section, Share
from triage.settings.sources import SourceBase
from triage.settings.triaging import (
    Classifier,
    DecisionRules,
    Limits,
    OwnLabel,
    Review,
    Rules,
    Transcription,
)

__all__ = [
    "EVENTS",
    "SIDECARS",
    "Acknowledge",
    "Business",
    "CallField",
    "CallSource",
    "Calls",
    "Cdr",
    "Classifier",
    "Console",
    "DecisionRules",
    "DeliveryRules",
    "Destination",
    "DestinationKind",
    "Drift",
    "Engine",
    "Filter",
    "Grade",
    "IdealCustomer",
    "ImapSource",
    "Learning",
    "Limits",
    "Links",
    "MaildirSource",
    "Mark",
    "Metrics",
    "Name",
    "OAuth",
    "Oidc",
    "OwnLabel",
    "People",
    "RecordingsBase",
    "RecordingsSource",
    "Redaction",
    "RedactionKind",
    "Review",
    "RoleName",
    "Rules",
    "S3Source",
    "Seconds",
    "Secret",
    "Section",
    "Settings",
    "SftpSource",
    "Share",
    "SidecarName",
    "Source",
    "SourceBase",
    "Store",
    "Transcription",
    "WriteBack",
    "Zone",
    "child_environment",
    "is_local",
    "load",
    "settings_file",
]
