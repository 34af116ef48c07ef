"""Settings to sources."""

from __future__ import annotations

from triage.settings import ImapSource, Limits, MaildirSource, RecordingsSource
from triage.sources.base import Source
from triage.sources.imap import ImapMailbox
from triage.sources.maildir import MaildirFolder
from triage.sources.recordings import RecordingsFolder


def build_source(settings: ImapSource | MaildirSource | RecordingsSource, limits: Limits) -> Source:
    """The source that these settings describe; nothing is opened yet."""
    match settings:
        case ImapSource():
            return ImapMailbox(settings, limits)
        case MaildirSource():
            return MaildirFolder(settings, limits)
        case RecordingsSource():
            return RecordingsFolder(settings, limits)
