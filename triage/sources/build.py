"""Settings to sources."""

from __future__ import annotations

from pathlib import Path

from triage.errors import Configuration
from triage.settings import ImapSource, Limits, MaildirSource
from triage.settings import Source as SourceSettings
from triage.sources.base import Source
from triage.sources.imap import ImapMailbox
from triage.sources.maildir import MaildirFolder
from triage.sources.oauth import Access
from triage.sources.recordings.build import build_recordings


def build_source(
    settings: SourceSettings,
    limits: Limits,
    data_dir: Path | None = None,
) -> Source:
    """The source that these settings describe; nothing is opened yet. Tokens, and copies of
    recordings until they are stored, are kept below `data_dir`.
    """
    match settings:
        case ImapSource():
            access = Access(settings, tokens_below(data_dir)) if settings.oauth else None
            return ImapMailbox(settings, limits, access)
        case MaildirSource():
            return MaildirFolder(settings, limits)
        case _:
            aside = data_dir / "incoming" if data_dir else None
            return build_recordings(settings, limits, aside)


def tokens_below(data_dir: Path | None) -> Path:
    """The folder of the tokens."""
    if data_dir is None:
        raise Configuration("store.data_dir: tokens of mailboxes are kept there, and it is not set")
    return data_dir / "tokens"
