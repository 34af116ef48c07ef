"""Settings to a source of recordings; libraries for stores far away are loaded when one is used."""

from __future__ import annotations

from pathlib import Path

from triage.settings import Limits, RecordingsSource, S3Source, SftpSource
from triage.sources.recordings.events import FolderEvents
from triage.sources.recordings.folders import FolderFinder
from triage.sources.recordings.keys import KeyFinder
from triage.sources.recordings.local import LocalFolder
from triage.sources.recordings.source import Recordings


def build_recordings(
    settings: RecordingsSource | SftpSource | S3Source, limits: Limits, aside: Path | None
) -> Recordings:
    """The source that these settings describe; nothing is opened yet."""
    every, files = settings.sweep_every, settings.sweep_files
    match settings:
        case RecordingsSource():
            local = LocalFolder(settings.name, settings.path)
            finder = FolderFinder(local, every, files)
            watches = (FolderEvents(settings.name, settings.path),) if settings.events else ()
            return Recordings(settings, limits, local, finder, aside=aside, watches=watches)
        case SftpSource():
            from triage.sources.recordings.sftp import SftpFolder  # noqa: PLC0415 - heavy

            remote = SftpFolder(settings)
            finder = FolderFinder(remote, every, files)
            return Recordings(settings, limits, remote, finder, aside=aside)
        case S3Source():
            from triage.sources.recordings.s3 import S3Bucket  # noqa: PLC0415 - heavy

            bucket = S3Bucket(settings)
            return Recordings(settings, limits, bucket, KeyFinder(bucket, files), aside=aside)
